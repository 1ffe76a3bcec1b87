#!/usr/bin/env python3
"""The generator behind LitServe: HTTP, packed rows as the body, requests that come together in one batch.

serving_litserve.py STORE MODEL [--precision P]    serves; prints {"port": N}
serving_litserve.py --drive PORT CALLERS ROWS WARM-UP SECONDS    asks; prints one line of JSON

Needs torch, numpy and litserve.
"""
import http.client
import json
import socket
import sys
import threading
import urllib.request

import litserve
from starlette.responses import Response

import serving_drive


class Api(litserve.LitAPI):
    def setup(self, device):
        import serving_model
        self.model = serving_model.load(serving_model.arguments(__doc__).parse_args())
        self.model.generate(serving_model.BATCH)

    def decode_request(self, request):
        return request["rows"]

    def batch(self, inputs):
        return inputs

    def predict(self, counts):
        rows = self.model.generate(sum(counts))
        begins = [sum(counts[:i]) for i in range(len(counts))]
        return [rows[begin:begin + count].tobytes() for begin, count in zip(begins, counts)]

    def unbatch(self, output):
        return output

    def encode_response(self, output):
        return Response(content=output, media_type="application/octet-stream")


def serve():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = litserve.LitServer(Api(max_batch_size=16, batch_timeout=0.002), accelerator="cpu", workers_per_device=1)

    def tell():
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                    if answer.status == 200:
                        break
            except OSError:
                threading.Event().wait(0.1)
        print(json.dumps({"port": port}), flush=True)

    threading.Thread(target=tell, daemon=True).start()
    server.run(host="127.0.0.1", port=port, generate_client_file=False, log_level="warning", num_api_servers=1)


def drive(port, callers, rows, warm_up, seconds):
    def connect():
        connection = http.client.HTTPConnection("127.0.0.1", int(port))

        def ask(count):
            connection.request("POST", "/predict", json.dumps({"rows": count}), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200 or not body:
                raise RuntimeError(f"LitServe answered {answer.status}: {body[:200]!r}")
        return ask

    print(json.dumps(serving_drive.drive(connect, int(callers), int(rows), float(warm_up), float(seconds))))


if __name__ == "__main__":
    drive(*sys.argv[2:]) if sys.argv[1] == "--drive" else serve()
