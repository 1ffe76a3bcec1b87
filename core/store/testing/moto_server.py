"""Moto's server on a free port of 127.0.0.1, which it prints: moto_server.py [CERTIFICATE KEY].

It answers one request at a time: its look for an object and the write that depends on it are not one step otherwise,
as they are on every server that people keep data on.
"""

import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

moto = DomainDispatcherApplication(create_backend_app)
one_at_a_time = threading.Lock()


def application(environ, start_response):
    with one_at_a_time:
        return moto(environ, start_response)


files = tuple(sys.argv[1:]) or None
server = make_server(
    "127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler, ssl_context=files
)
print(f"API: {'https' if files else 'http'}://127.0.0.1:{server.port}", flush=True)
server.serve_forever()
