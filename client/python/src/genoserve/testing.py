"""Synthetic cohorts for other people's tests: `tiny` and, as fixtures of pytest, `genoserve_cohort`, which needs no
server, and `genoserve_server`, a real one on this machine. Installing genoserve registers the fixtures."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Optional

import numpy as np
import numpy.typing as npt
import pytest

if TYPE_CHECKING:
    from genoserve.cohort import Cohort

#: Index of the variant of `tiny` that its phenotype depends on, and what each copy of its ALT adds.
CAUSAL_VARIANT, CAUSAL_EFFECT = 10, 2.0

_LABELS = ("north", "south")
_PATIENCE = 120  # seconds, of a machine that does something else
_HEALTHY = b"\x08\x01"  # HealthCheckResponse of grpc.health.v1 with the status SERVING


def tiny(samples: int = 100, variants: int = 50, seed: int = 1, phased: bool = True) -> Cohort:
    """A cohort made here, with no server and no model: the same for the same arguments, on every machine. Half of the
    samples are labelled north, half south, at frequencies that differ; neighbouring variants are correlated; the
    phenotype "trait" is CAUSAL_EFFECT times the ALT count of variant CAUSAL_VARIANT plus standard noise."""
    from genoserve.cohort import Cohort
    from genoserve.genotypes import pack
    from genoserve.v1 import cohort_pb2, types_pb2
    from genoserve.variants import DTYPE, VariantTable

    labels = np.sort(np.arange(samples) % 2).astype(np.int32)
    frequencies = 0.2 + 0.6 * _uniforms(f"frequencies {seed}", (variants, 2))
    draws = _uniforms(f"draws {seed}", (2 * samples, variants))
    copies = _uniforms(f"copies {seed}", (2 * samples, variants)) < 0.5
    # A haplotype keeps the quantile of its neighbour, so that an allele comes with the one before.
    for v in range(1, variants):
        draws[:, v] = np.where(copies[:, v], draws[:, v - 1], draws[:, v])
    haplotypes = (draws < frequencies[:, np.repeat(labels, 2)].T).astype(np.int8)
    genotypes = haplotypes[0::2] + haplotypes[1::2]
    noise = _uniforms(f"noise {seed}", (samples, 12)).sum(axis=1) - 6  # nearly normal, without a library's logarithms
    trait = CAUSAL_EFFECT * genotypes[:, min(CAUSAL_VARIANT, variants - 1)] + noise
    alleles = [("A", "C"), ("G", "T"), ("C", "G"), ("T", "A")]
    rows = [("1", 1000 * (v + 1), f"tiny{v + 1}", *alleles[v % 4]) for v in range(variants)]
    table = VariantTable(np.array(rows, dtype=DTYPE), (("1", 1000 * (variants + 1)),))
    encoding = (types_pb2.GENOTYPE_ENCODING_DIPLOID_2BIT, types_pb2.GENOTYPE_ENCODING_HAPLOTYPE_1BIT)[phased]
    header = cohort_pb2.CohortHeader(
        model="tiny",
        version="1",
        artifact_digest=hashlib.sha256(b"genoserve.testing.tiny").hexdigest(),
        seed=seed,
        engine=cohort_pb2.Engine(device="cpu", instruction_set="any", precision="any", kernel_revision=1),
        ploidy=2,
        phased=phased,
        variant_count=variants,
        variant_digest=table.digest(),
        cohort_size=samples,
        sample_count=samples,
        encoding=encoding,
        label_column="pop",
        labels=_LABELS,
        phenotypes=[types_pb2.PhenotypeSchema(name="trait", continuous=types_pb2.ContinuousPhenotype())],
    )
    packed = np.packbits(haplotypes, axis=1, bitorder="little") if phased else pack(genotypes)
    packed.flags.writeable = False
    return Cohort(header, 0, packed, labels, {"trait": trait}, table)


def _uniforms(name: str, shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Numbers from 0 to 1 that depend on the name and on nothing else, as no library's generator promises."""
    count = shape[0] * shape[1]
    blocks = [hashlib.sha256(f"{name} {i}".encode()).digest() for i in range(-(-count // 8))]
    return (np.frombuffer(b"".join(blocks), "<u4")[:count].reshape(shape) + 0.5) / 2.0**32


def program(name: str) -> Optional[str]:
    """Where genoserve, genoserve-server or genoserve-trainer is: in the folder GENOSERVE_BIN, else on the PATH."""
    return shutil.which(name, path=os.environ.get("GENOSERVE_BIN"))


def make_store(folder: pathlib.Path) -> pathlib.Path:
    """A store with a model "tiny" in the folder: genoserve-trainer's few steps on the cohort `tiny`. It takes seconds
    and serves for tests of what uses a cohort, not of how faithful one is."""
    cohort = tiny(samples=120)
    cohort.write(folder / "real.vcf")
    store = folder / "store"
    options = [
        "--vcf",
        "real.vcf",
        "--panel",
        "real.panel.tsv",
        "--label-column",
        "pop",
        "--arch",
        "acgan",
        "--steps",
        "20",
    ]
    options += ["--validations", "1", "--seed", "1", "--device", "cpu", "--publish-anyway", "--create-store"]
    train_model(folder, "tiny", store, options)
    return store


def train_model(folder: pathlib.Path, model: str, store: pathlib.Path, options: list[str]) -> None:
    """Runs genoserve-trainer in the folder."""
    trainer = program("genoserve-trainer")
    if trainer is None:
        pytest.fail(
            "a store for genoserve-server is needed: set GENOSERVE_STORE to one, override the fixture genoserve_store, "
            "or have genoserve-trainer, which makes a tiny one, on the PATH or in the folder GENOSERVE_BIN"
        )
    command = [trainer, "train", "--store", str(store), "--model", model, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE)
    if done.returncode != 0:
        pytest.fail(f"genoserve-trainer ended with {done.returncode}: {done.stderr.strip()[-1000:]}")


class RunningServer(NamedTuple):
    """A genoserve-server on this machine."""

    address: str
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def running_server(store: pathlib.Path, *options: str) -> Iterator[RunningServer]:
    """A server of the store on free ports of loopback, until the end of the block. Its models come up meanwhile, see
    await_models."""
    binary = program("genoserve-server")
    if binary is None:
        raise FileNotFoundError("genoserve-server is neither on the PATH nor in the folder GENOSERVE_BIN")
    command = [
        binary,
        "--store",
        str(store),
        "--port",
        "0",
        "--http-port",
        "0",
        "--device",
        "cpu",
        "--drain-delay",
        "0",
    ]
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, "server.log")
        with log.open("wb") as sink:
            process = subprocess.Popen([*command, *options], stdout=sink, stderr=sink)
        try:
            yield RunningServer(f"127.0.0.1:{_port(process, log)}", process)
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(process: subprocess.Popen[bytes], log: pathlib.Path) -> int:
    """Once the server listens."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        for line in log.read_text().splitlines():
            if '"event":"listening"' in line:
                return int(json.loads(line)["port"])
        time.sleep(0.02)
    raise RuntimeError(f"genoserve-server does not start: {log.read_text()[-1000:]}")


@pytest.fixture(scope="session")
def genoserve_cohort() -> Cohort:
    """The cohort `tiny()`: 100 samples, 50 variants, phased."""
    return tiny()


@pytest.fixture(scope="session")
def genoserve_store(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The store of genoserve_server: GENOSERVE_STORE of the environment, else a new one with the model "tiny". To be
    overridden by tests that have their own."""
    given = os.environ.get("GENOSERVE_STORE")
    return pathlib.Path(given) if given else make_store(tmp_path_factory.mktemp("genoserve"))


@pytest.fixture(scope="session")
def genoserve_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a genoserve-server that serves genoserve_store. Skipped where there is no such program."""
    if program("genoserve-server") is None:
        pytest.skip("genoserve-server is neither on the PATH nor in the folder GENOSERVE_BIN")
    with running_server(request.getfixturevalue("genoserve_store")) as server:
        await_models(server.address)
        yield server.address


def await_models(address: str) -> None:
    """Waits until every model of the server serves; fails the test where one cannot."""
    import grpc

    from genoserve.client import Client
    from genoserve.v1 import cohort_pb2

    end = time.monotonic() + _PATIENCE
    with Client(address) as client:
        # While the server starts its list is one of the models that it has got to: all those of the store are in it
        # once the server says of itself, by the standard service of gRPC, that it is healthy.
        health: grpc.UnaryUnaryMultiCallable[bytes, bytes] = client._channel.unary_unary("/grpc.health.v1.Health/Check")
        while True:
            healthy = health(b"", timeout=_PATIENCE, wait_for_ready=True) == _HEALTHY
            models = client.models()
            for model in models:
                if model.state == cohort_pb2.MODEL_STATE_FAILED:
                    pytest.fail(f"model {model.name}: {model.reason}")
            if healthy and models and all(model.state == cohort_pb2.MODEL_STATE_SERVING for model in models):
                return
            if time.monotonic() > end:
                pytest.fail("genoserve-server serves no model of its store")
            time.sleep(0.05)
