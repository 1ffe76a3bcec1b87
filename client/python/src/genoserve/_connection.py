"""How a server is reached: its address, TLS, the token, and how long it is tried."""

from __future__ import annotations

import ipaddress
import os
import pathlib
import random
import re
import time
from typing import Any, Optional, Union

import grpc

from genoserve.errors import ExhaustedError, GenoserveError, UsageError

Path = Union[str, "os.PathLike[str]"]

_LARGEST_MESSAGE = 64 << 20  # bytes; one sample of a very wide model is sent whole
_LONGEST_BACKOFF = 60.0  # seconds; a server that asks for a longer wait is not tried again
_FIRST_BACKOFF = 0.25  # seconds; doubles each time


def is_loopback(server: str) -> bool:
    """Whether the host of "host:port" is localhost, 127.0.0.0/8 or ::1."""
    host = server.rpartition(":")[0]
    if host.startswith("[") and host.endswith("]"):
        return host == "[::1]"
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Connection:
    """The options of a client, checked, with their files read. The token is never in a message or a repr."""

    def __init__(
        self,
        server: Optional[str],
        token_file: Optional[Path],
        token: Optional[str],
        tls_ca: Optional[Path],
        tls_cert: Optional[Path],
        tls_key: Optional[Path],
        insecure: bool,
        timeout: Optional[float],
        retries: int,
    ) -> None:
        self.server = server or os.environ.get("GENOSERVE_SERVER", "")
        if not self.server:
            raise UsageError("no server: give its HOST:PORT, or set GENOSERVE_SERVER")
        _check_address(self.server)
        if timeout is not None and not timeout > 0:
            raise UsageError(f"timeout {timeout} is not a number of seconds above 0")
        if retries < 0:
            raise UsageError(f"retries {retries} is below 0")
        self.timeout = timeout
        self.retries = retries
        token = _read_token(token_file, token)
        self.metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self.credentials = _credentials(self.server, tls_ca, tls_cert, tls_key, insecure)
        self.channel_options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
            # The client's own backoff rules; the channel's stays below it.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2000),
            # A server that vanished without a word is noticed by then.
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            # Clients to one address share no connection, so that closing one leaves the others alone.
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if is_loopback(self.server):  # A proxy of the environment is for hosts elsewhere.
            self.channel_options.append(("grpc.enable_http_proxy", 0))


class Attempts:
    """The waits between the attempts of one call, and its deadline. Waits double, with jitter."""

    def __init__(self, connection: Connection) -> None:
        self._retries = connection.retries
        self._done = 0
        self._deadline = None if connection.timeout is None else time.monotonic() + connection.timeout

    def reset(self) -> None:
        """There was progress: the attempts count anew."""
        self._done = 0

    def timeout(self) -> Optional[float]:
        """Seconds that are left for the next attempt."""
        return None if self._deadline is None else max(0.001, self._deadline - time.monotonic())

    def wait_after(self, error: GenoserveError) -> float:
        """Seconds to wait before another attempt; raises the error where there shall be none. UNAVAILABLE may always be
        cured by waiting, RESOURCE_EXHAUSTED where the server says when."""
        asked = error.retry_after
        curable = error.code is grpc.StatusCode.UNAVAILABLE or (isinstance(error, ExhaustedError) and asked is not None)
        if not curable or self._done >= self._retries or (asked or 0) > _LONGEST_BACKOFF:
            raise error
        wait: float = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2**self._done) * random.uniform(0.5, 1)
        # Clients that were refused together must not come back together, so the server's own delay is spread as well.
        if asked is not None:
            wait = max(wait, asked * random.uniform(1, 1.25))
        if self._deadline is not None and time.monotonic() + wait >= self._deadline:
            raise error
        self._done += 1
        return wait


def _check_address(server: str) -> None:
    match = re.fullmatch(r"(\[[^\[\]/\s]+\]|[^:/\s]+):(\d{1,5})", server)
    if not match or not 1 <= int(match[2]) <= 65535:
        raise UsageError(
            f'server "{server}" is not of the form HOST:PORT (an IPv6 address in brackets, a port from 1 to 65535)'
        )


def _read_token(path: Optional[Path], token: Optional[str]) -> str:
    if path is not None and token is not None:
        raise UsageError("token_file and token exclude one another")
    origin = "GENOSERVE_TOKEN" if token is None else "token"
    if path is not None:
        origin = os.fspath(path)
        token = pathlib.Path(path).read_text()
    elif token is None:
        token = os.environ.get("GENOSERVE_TOKEN", "")
        if not token:
            return ""
    token = token.strip()
    if not re.fullmatch(r"[!-~]+", token):
        raise UsageError(f"{origin}: holds no token; one line of visible characters is")
    return token


def _read_pem(path: Path, option: str, what: str) -> bytes:
    pem = pathlib.Path(path).read_bytes()
    if b"-----BEGIN " not in pem or what.encode() not in pem:
        raise UsageError(f"{os.fspath(path)}: is no PEM file with a {what.lower()} ({option})")
    return pem


def _credentials(
    server: str, ca: Optional[Path], cert: Optional[Path], key: Optional[Path], insecure: bool
) -> Optional[grpc.ChannelCredentials]:
    """None = plain text."""
    if (cert is None) != (key is None):
        raise UsageError("a client certificate and its key go together: give both or neither")
    tls = ca is not None or cert is not None
    if insecure and tls:
        raise UsageError("TLS files and an insecure connection exclude one another")
    if insecure or (not tls and is_loopback(server)):
        return None
    return grpc.ssl_channel_credentials(
        root_certificates=None if ca is None else _read_pem(ca, "tls_ca", "CERTIFICATE"),
        certificate_chain=None if cert is None else _read_pem(cert, "tls_cert", "CERTIFICATE"),
        private_key=None if key is None else _read_pem(key, "tls_key", "PRIVATE KEY"),
    )
