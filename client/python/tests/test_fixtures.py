"""What genoserve.testing gives to other people's tests."""

from __future__ import annotations

import concurrent.futures
import hashlib
import os

import grpc
import numpy as np
import pytest

import genoserve
from genoserve import testing
from genoserve.v1 import cohort_pb2

# SHA-256 of the packed rows: other people's expected results depend on them.
GOLDEN = "c8bfdae202eb508f2fda7a700fd999dc8380c575263f94a02b726c60170655eb"


def test_the_tiny_cohort_never_changes(genoserve_cohort: genoserve.Cohort) -> None:
    assert hashlib.sha256(genoserve_cohort.packed.tobytes()).hexdigest() == GOLDEN
    assert genoserve_cohort.genotypes.shape == (100, 50)
    diploid = testing.tiny(phased=False)
    np.testing.assert_array_equal(diploid.genotypes, genoserve_cohort.genotypes)
    assert (testing.tiny(seed=2).packed != genoserve_cohort.packed).any()


def test_the_tiny_cohort_has_structure() -> None:
    cohort = testing.tiny(samples=400)
    counts = cohort.genotypes.astype(float)
    correlations = [np.corrcoef(cohort.phenotypes["trait"], column)[0, 1] for column in counts.T]
    assert int(np.argmax(np.abs(correlations))) == testing.CAUSAL_VARIANT
    north = cohort.labels == "north"
    assert np.abs(counts[north].mean(axis=0) - counts[~north].mean(axis=0)).max() > 0.4


def test_a_starting_server_is_waited_for_until_it_knows_its_models() -> None:
    """Its first model may serve while the next one is in no list yet."""
    checks = 0
    told: list[str] = []

    def check(request: bytes, context: grpc.ServicerContext) -> bytes:
        nonlocal checks
        checks += 1
        return b"\x08\x01" if checks == 3 else b"\x08\x02"  # SERVING, NOT_SERVING

    def list_models(request: bytes, context: grpc.ServicerContext) -> bytes:
        told[:] = ["one", "two"][: 2 if checks == 3 else 1]
        models = [cohort_pb2.Model(name=name, state=cohort_pb2.MODEL_STATE_SERVING) for name in told]
        return cohort_pb2.ListModelsResponse(models=models).SerializeToString()

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    for service, method, answer in [
        ("grpc.health.v1.Health", "Check", check),
        ("genoserve.v1.CohortService", "ListModels", list_models),
    ]:
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(answer)
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {method: handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        testing.await_models(f"127.0.0.1:{port}")
    finally:
        server.stop(None).wait()
    assert told == ["one", "two"]


def test_the_fixtures_work_in_other_projects(pytester: pytest.Pytester, genoserve_store: os.PathLike[str]) -> None:
    pytester.makepyfile(
        """
        import genoserve

        def test_cohort(genoserve_cohort):
            assert len(genoserve_cohort) == 100

        def test_server(genoserve_server):
            with genoserve.Client(genoserve_server) as client:
                assert len(client.fetch("tiny", 5)) == 5
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENOSERVE_STORE", os.fspath(genoserve_store))
        pytester.runpytest_subprocess().assert_outcomes(passed=2)
        patch.setenv("GENOSERVE_BIN", os.fspath(pytester.path))
        result = pytester.runpytest_subprocess("-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*genoserve-server is neither on the PATH nor in the folder GENOSERVE_BIN"])
