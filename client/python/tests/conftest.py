"""A real server with three tiny models, trained when the tests begin, and the programs that users have."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

import genoserve
from genoserve import testing

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def genoserve_store(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """With "tiny", of haplotypes and labels; the same once more as "five-populations", which docs/python.md speaks of;
    and "mice", of diploid genotypes and phenotypes."""
    folder = tmp_path_factory.mktemp("models")
    store = testing.make_store(folder)
    shutil.copytree(store / "tiny", store / "five-populations")
    diploid = testing.tiny(samples=120, variants=37, phased=False)
    diploid.write(folder / "mice.vcf")
    coats = ["black", "albino", "agouti"]
    rows = [
        f"{name}\t{value:.6f}\t{coats[i % 3]}"
        for i, (name, value) in enumerate(zip(diploid.samples, diploid.phenotypes["trait"]))
    ]
    (folder / "mice.tsv").write_text("\n".join(["#IID\tweight\tcoat", *rows]) + "\n")
    options = ["--vcf", "mice.vcf", "--pheno", "mice.tsv", "--pheno-name", "weight,coat", "--arch", "wgan-gp"]
    options += ["--steps", "10", "--validations", "1", "--device", "cpu", "--publish-anyway"]
    testing.train_model(folder, "mice", store, options)
    return store


@pytest.fixture
def client(genoserve_server: str) -> Iterator[genoserve.Client]:
    with genoserve.Client(genoserve_server) as client:
        yield client


class CommandLine:
    """genoserve against the tests' server."""

    def __init__(self, program: str, server: str, folder: pathlib.Path) -> None:
        self.folder = folder
        self._program = program
        self._environment = {**os.environ, "GENOSERVE_SERVER": server}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self._program, *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True, timeout=120
        )

    def fetch(self, *arguments: str) -> None:
        done = self.run("fetch", *arguments, "-q")
        assert done.returncode == 0, done.stderr


@pytest.fixture
def command_line(genoserve_server: str, tmp_path: pathlib.Path) -> CommandLine:
    program = testing.program("genoserve")
    assert program is not None
    return CommandLine(program, genoserve_server, tmp_path)


class CuttingProxy:
    """Passes bytes on to a server, and cuts each of the first connections after so many bytes from the server."""

    def __init__(self, server: str, cuts: list[int]) -> None:
        self.server = server  # of connections to come
        self._cuts = list(cuts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.connections = 0
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for end in [self._listener, *self._open]:
            _shut(end)
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            host, port = self.server.split(":")
            try:
                far = socket.create_connection((host, int(port)))
            except OSError:  # The server is away.
                near.close()
                continue
            self._open += [near, far]
            budget = self._cuts[self.connections] if self.connections < len(self._cuts) else None
            self.connections += 1
            threading.Thread(target=self._pass, args=(near, far, None), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, budget), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, budget: int | None) -> None:
        try:
            while data := source.recv(16384):
                if budget is not None:
                    budget -= len(data)
                    if budget < 0:
                        break
                sink.sendall(data)
        except OSError:
            pass
        _shut(source)
        _shut(sink)


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


@pytest.fixture
def cutting_proxy(genoserve_server: str) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(genoserve_server, [60_000, 90_000, 30_000])
    yield proxy
    proxy.close()
