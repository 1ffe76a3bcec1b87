"""Tokens, TLS, and the options of a client. The certificate is made here."""

from __future__ import annotations

import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import genoserve
from genoserve import Client, testing
from genoserve._connection import is_loopback

TOKEN = "not-a-secret-of-anybody"


class Secure(NamedTuple):
    address: str
    authorities: pathlib.Path
    token_file: pathlib.Path


@pytest.fixture(scope="module")
def secure(genoserve_store: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder = tmp_path_factory.mktemp("secure")
    certificate, key, token_file, hashes = (folder / name for name in ("cert.pem", "key.pem", "token", "hashes"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key),
         "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    token_file.write_text(TOKEN + "\n")
    server = testing.program("genoserve-server")
    if server is None:
        pytest.skip("genoserve-server is neither on the PATH nor in the folder GENOSERVE_BIN")
    digest = subprocess.run([server, "hash-token"], input=TOKEN, capture_output=True, text=True, check=True).stdout
    hashes.write_text(f"tests {digest.split()[-1]}\n")
    options = ["--tls-cert", str(certificate), "--tls-key", str(key), "--token-hashes", str(hashes)]
    with testing.running_server(genoserve_store, *options) as running:
        yield Secure(running.address, certificate, token_file)


def test_a_token_and_tls_let_in(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    with Client(secure.address, tls_ca=secure.authorities, token_file=secure.token_file) as client:
        assert client.models() is not None
    monkeypatch.setenv("GENOSERVE_SERVER", secure.address)
    monkeypatch.setenv("GENOSERVE_TOKEN", TOKEN)
    with Client(tls_ca=secure.authorities) as client:
        assert client.server == secure.address
        client.models()


@pytest.mark.parametrize("token", [None, "another-token"])
def test_a_wrong_token_is_refused(secure: Secure, token: str | None) -> None:
    with Client(secure.address, tls_ca=secure.authorities, token=token) as client:
        with pytest.raises(genoserve.AuthError) as caught:
            client.fetch("tiny", 5)
    assert caught.value.exit_code == 4
    assert "another-token" not in str(caught.value)


def test_plain_text_does_not_reach_a_tls_server(secure: Secure) -> None:
    with Client(secure.address, retries=0, token=TOKEN) as client, pytest.raises(genoserve.IncompleteError):
        client.models()


@pytest.mark.parametrize(
    ("server", "loopback"),
    [
        ("localhost:1", True), ("127.0.0.1:1", True), ("127.9.9.9:1", True), ("[::1]:1", True), ("10.0.0.1:1", False),
        ("localhost.example:1", False), ("127.0.0.1.example:1", False), ("[::2]:1", False),
    ],
)  # fmt: skip
def test_loopback(server: str, loopback: bool) -> None:
    assert is_loopback(server) == loopback


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"server": None}, "set GENOSERVE_SERVER"),
        ({"server": "host"}, "HOST:PORT"),
        ({"server": "host:0"}, "HOST:PORT"),
        ({"server": "::1:80"}, "HOST:PORT"),
        ({"server": "h:1", "tls_cert": "x"}, "give both or neither"),
        ({"server": "h:1", "tls_ca": "x", "insecure": True}, "exclude one another"),
        ({"server": "h:1", "token": "a b"}, "holds no token"),
        ({"server": "h:1", "token": "a", "token_file": "b"}, "exclude one another"),
        ({"server": "h:1", "tls_ca": __file__}, "is no PEM file"),
        ({"server": "h:1", "timeout": 0}, "above 0"),
        ({"server": "h:1", "retries": -1}, "below 0"),
    ],
)
def test_options_that_do_not_fit(arguments: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENOSERVE_SERVER", raising=False)
    with pytest.raises(genoserve.UsageError, match=words) as caught:
        Client(**arguments)
    assert "a b" not in str(caught.value)
