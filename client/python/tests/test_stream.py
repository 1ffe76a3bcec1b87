"""Streams: batch by batch, resumed when they break, refused when they are not what was sent."""

from __future__ import annotations

import hashlib
import logging
import pathlib
import threading

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2, status_pb2

import genoserve
from conftest import CuttingProxy
from genoserve import Client, testing
from genoserve._checker import StreamChecker, StreamDigest
from genoserve._connection import Attempts, Connection
from genoserve._crc32c import crc32c
from genoserve.errors import from_status
from genoserve.v1 import cohort_pb2, types_pb2


def test_batches_are_the_cohort(client: Client) -> None:
    whole = client.fetch("tiny", 4000, seed=7)
    with client.stream("tiny", 4000, seed=7, max_batch_bytes=8192) as stream:
        batches = list(stream)
        assert stream.received == 4000
        assert stream.digest is not None and len(stream.digest) == 64
        np.testing.assert_array_equal(stream.variants().records, whole.variants)
    assert len(batches) > 5
    assert all(batch.packed.nbytes <= 8192 for batch in batches)
    np.testing.assert_array_equal(np.concatenate([batch.genotypes for batch in batches]), whole.genotypes)
    np.testing.assert_array_equal(np.concatenate([batch.labels for batch in batches]), whole.labels)
    np.testing.assert_array_equal(np.concatenate([batch.samples for batch in batches]), whole.samples)
    assert batches[0].unpack().shape == (2 * len(batches[0]), 50)


def test_a_cut_connection_costs_nothing(
    client: Client, cutting_proxy: CuttingProxy, caplog: pytest.LogCaptureFixture
) -> None:
    whole = client.fetch("tiny", 30_000, seed=7)
    with caplog.at_level(logging.WARNING, "genoserve"), Client(cutting_proxy.address) as through:
        cohort = through.fetch("tiny", 30_000, seed=7)
    assert cutting_proxy.connections >= 4
    np.testing.assert_array_equal(cohort.packed, whole.packed)
    np.testing.assert_array_equal(cohort.label_codes, whole.label_codes)
    assert "trying again in" in caplog.text


def test_conditions_of_single_samples_survive_a_cut(client: Client, cutting_proxy: CuttingProxy) -> None:
    weights = np.linspace(1, 3, 30_000)
    whole = client.fetch("mice", seed=7, per_sample={"weight": weights})
    with Client(cutting_proxy.address) as through:
        cohort = through.fetch("mice", seed=7, per_sample={"weight": weights})
    assert cutting_proxy.connections >= 4
    np.testing.assert_array_equal(cohort.packed, whole.packed)
    np.testing.assert_array_equal(cohort.phenotypes["weight"], weights)


def test_a_cut_without_retries_tells_how_far_it_came(cutting_proxy: CuttingProxy) -> None:
    with Client(cutting_proxy.address, retries=0) as through:
        stream = through.stream("tiny", 30_000, seed=7, max_batch_bytes=4096)
        with pytest.raises(
            genoserve.IncompleteError, match=r"stream of tiny ended after \d+ of 30000 samples"
        ) as caught:
            list(stream)
        assert caught.value.exit_code == 6
        with pytest.raises(genoserve.IncompleteError):  # An error is final.
            next(stream)
        assert 0 < stream.received < 30_000


def test_a_killed_server_is_followed_by_another(
    client: Client, cutting_proxy: CuttingProxy, genoserve_server: str, genoserve_store: pathlib.Path
) -> None:
    with testing.running_server(genoserve_store) as doomed:
        testing.await_models(doomed.address)
        proxy = CuttingProxy(doomed.address, [])
        with Client(proxy.address) as through, through.stream("tiny", 400_000, seed=7) as stream:
            digest = hashlib.sha256(next(stream).packed.tobytes())
            doomed.process.kill()
            proxy.server = genoserve_server
            for batch in stream:
                digest.update(batch.packed.tobytes())
        assert proxy.connections == 2
        proxy.close()
    assert digest.hexdigest() == hashlib.sha256(client.fetch("tiny", 400_000, seed=7).packed.tobytes()).hexdigest()


def attempts(retries: int, timeout: float | None = None) -> Attempts:
    return Attempts(Connection("localhost:1", None, None, None, None, None, False, timeout, retries))


def failure(code: grpc.StatusCode, seconds: int | None = None) -> genoserve.GenoserveError:
    rich = status_pb2.Status(code=code.value[0])
    if seconds is not None:
        info = error_details_pb2.RetryInfo()
        info.retry_delay.seconds = seconds
        rich.details.add().Pack(info)
    return from_status(code, "no", rich.SerializeToString(), "server")


def test_waits_double_and_end() -> None:
    tries = attempts(4)
    error = failure(grpc.StatusCode.UNAVAILABLE)
    for bound in (0.25, 0.5, 1, 2):
        assert bound / 2 <= tries.wait_after(error) <= bound
    with pytest.raises(genoserve.IncompleteError):
        tries.wait_after(error)
    tries.reset()
    assert tries.wait_after(error) <= 0.25


def test_a_server_s_own_delay_is_kept() -> None:
    assert 7 <= attempts(1).wait_after(failure(grpc.StatusCode.RESOURCE_EXHAUSTED, 7)) <= 8.75
    for tries, error in [
        (attempts(1), failure(grpc.StatusCode.RESOURCE_EXHAUSTED)),  # The server does not say that waiting helps.
        (attempts(1), failure(grpc.StatusCode.RESOURCE_EXHAUSTED, 61)),
        (attempts(1, timeout=5), failure(grpc.StatusCode.RESOURCE_EXHAUSTED, 7)),
    ]:
        with pytest.raises(genoserve.ExhaustedError) as caught:
            tries.wait_after(error)
        assert caught.value.exit_code == 5


def test_details_are_told() -> None:
    rich = status_pb2.Status(code=3)
    bad = error_details_pb2.BadRequest()
    bad.field_violations.add(field="regions", description="no such contig")
    rich.details.add().Pack(bad)
    error = from_status(grpc.StatusCode.INVALID_ARGUMENT, "cannot be used", rich.SerializeToString(), "server")
    assert str(error) == "cannot be used; regions: no such contig"
    assert str(from_status(grpc.StatusCode.INTERNAL, "odd", b"\xff\xff", "server")) == "odd"


def test_a_closed_stream_is_over(client: Client) -> None:
    stream = client.stream("tiny", 50_000_000)
    next(stream)
    stream.close()
    with pytest.raises(genoserve.StoppedError) as caught:
        next(stream)
    assert caught.value.exit_code == 130


def test_closing_the_client_ends_a_wait(genoserve_server: str) -> None:
    with genoserve.Client("127.0.0.1:1", retries=100) as client:
        threading.Timer(0.1, client.close).start()
        with pytest.raises(genoserve.StoppedError):
            client.models()


def test_a_deadline_ends_a_stream(genoserve_server: str) -> None:
    with genoserve.Client(genoserve_server, timeout=0.5) as client:
        # A server that knows by now how long it takes refuses at once.
        with pytest.raises(genoserve.IncompleteError, match="(?i)deadline"):
            for _ in client.stream("tiny", 90_000_000):
                pass


def test_a_server_that_is_not_there() -> None:
    with Client("127.0.0.1:1", retries=1) as client, pytest.raises(genoserve.IncompleteError, match="127.0.0.1:1"):
        client.models()


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 127, 128, 129, 1000, 4096, 100_003])
def test_checksums(size: int) -> None:
    data = np.arange(size, dtype=np.uint64).astype(np.uint8).tobytes()
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0x82F63B78 if state & 1 else 0)
    assert crc32c(data) == state ^ 0xFFFFFFFF
    assert crc32c(b"123456789") == 0xE3069283


class TestStreamChecker:
    """Of 2,000 samples of 5 diploid variants, told in two batches."""

    BYTES = bytes(i % 250 if i % 2 == 0 else i % 4 for i in range(4000))

    def request(self) -> cohort_pb2.StreamCohortRequest:
        return cohort_pb2.StreamCohortRequest(model="m", seed=1, cohort_size=2000)

    def header(self) -> cohort_pb2.CohortHeader:
        return cohort_pb2.CohortHeader(
            model="m", version="1", artifact_digest="a" * 64, seed=1, ploidy=2, variant_count=5,
            variant_digest="b" * 64, cohort_size=2000, sample_count=2000, labels=["x", "y"],
            encoding=types_pb2.GENOTYPE_ENCODING_DIPLOID_2BIT,
        )  # fmt: skip

    def batch(self, first: int, count: int) -> cohort_pb2.GenotypeBatch:
        data = self.BYTES[2 * first : 2 * (first + count)]
        labels = [1] * count
        return cohort_pb2.GenotypeBatch(
            first_sample=first, sample_count=count, genotypes=data, crc32c=crc32c(data), label_indices=labels
        )

    def footer(self) -> cohort_pb2.CohortFooter:
        digest = StreamDigest(0, 2)
        digest.update(self.BYTES)
        return cohort_pb2.CohortFooter(sample_count=2000, sha256=digest.finish())

    def check(
        self,
        header: cohort_pb2.CohortHeader,
        batches: list[cohort_pb2.GenotypeBatch],
        footer: cohort_pb2.CohortFooter,
    ) -> StreamChecker:
        checker = StreamChecker(0)
        checker.check_header(self.request(), header)
        for batch in batches:
            checker.check_batch(batch)
        checker.check_footer(footer)
        return checker

    def test_takes_what_fits(self) -> None:
        checker = self.check(self.header(), [self.batch(0, 1500), self.batch(1500, 500)], self.footer())
        assert checker.digest == self.footer().sha256

    def test_refuses_what_does_not(self) -> None:
        def refuses(words: str) -> None:
            with pytest.raises(genoserve.MismatchError, match=words) as caught:
                self.check(header, batches, footer)
            assert caught.value.exit_code == 7

        def fresh() -> tuple[cohort_pb2.CohortHeader, list[cohort_pb2.GenotypeBatch], cohort_pb2.CohortFooter]:
            return self.header(), [self.batch(0, 1500), self.batch(1500, 500)], self.footer()

        header, batches, footer = fresh()
        header.seed = 2
        refuses("seed is 2, not 1")
        header, batches, footer = fresh()
        header.artifact_digest = "short"
        refuses("64 hexadecimal digits")
        header, batches, footer = fresh()
        header.encoding = types_pb2.GENOTYPE_ENCODING_HAPLOTYPE_1BIT
        refuses("not a packed form")
        header, batches, footer = fresh()
        batches[0].genotypes = b"\1" + batches[0].genotypes[1:]
        refuses("checksum")
        header, batches, footer = fresh()
        batches[0].genotypes = batches[0].genotypes[:-1] + b"\xff"
        batches[0].crc32c = crc32c(batches[0].genotypes)
        refuses("bits that pad a row")
        header, batches, footer = fresh()
        batches[0].genotypes = b"\3" + batches[0].genotypes[1:]
        batches[0].crc32c = crc32c(batches[0].genotypes)
        refuses("digest of the genotypes")
        header, batches, footer = fresh()
        batches[0].label_indices[0] = 2
        refuses("labels are missing or unknown")
        header, batches, footer = fresh()
        del batches[0]
        refuses("begins at sample 1500, not at sample 0")
        header, batches, footer = fresh()
        del batches[1]
        refuses("1500 came, 2000 were due")

    def test_refuses_another_engine_where_a_call_goes_on(self) -> None:
        checker = StreamChecker(0)
        checker.check_header(self.request(), self.header())
        checker.check_batch(self.batch(0, 1500))
        request = self.request()
        request.first_sample, request.sample_count = 1500, 500
        header = self.header()
        header.first_sample, header.sample_count = 1500, 500
        header.engine.instruction_set = "sm_90"
        with pytest.raises(genoserve.MismatchError, match="another cohort"):
            checker.check_header(request, header)
