"""What the calls of the blocking and the asynchronous client have in common; nothing here waits or sends."""

from __future__ import annotations

import logging
from typing import Optional

import grpc

from genoserve._checker import StreamChecker
from genoserve._connection import Attempts, Connection
from genoserve.errors import GenoserveError, MismatchError, StoppedError, UsageError, from_status
from genoserve.genotypes import Batch
from genoserve.v1 import cohort_pb2
from genoserve.variants import VariantTable

# Bytes of a request that carries values for single samples; the server takes requests of at most 1 MiB.
_LARGEST_REQUEST = 512 << 10
_SERVICE = "/genoserve.v1.CohortService/"

_log = logging.getLogger("genoserve")

LIST_MODELS = _SERVICE + "ListModels"
GET_MODEL = _SERVICE + "GetModel"
LIST_VARIANTS = _SERVICE + "ListVariants"
STREAM_COHORT = _SERVICE + "StreamCohort"


def rpc_error(error: object, server: str, closed: bool) -> GenoserveError:
    """What a grpc.RpcError of either client tells. A cancellation that was not the client's own is UNAVAILABLE."""
    code = error.code()  # type: ignore[attr-defined]
    message = error.details() or ""  # type: ignore[attr-defined]
    if closed:
        return StoppedError("the client was closed", grpc.StatusCode.CANCELLED)
    if code is grpc.StatusCode.CANCELLED:
        return from_status(grpc.StatusCode.UNAVAILABLE, f"the server ended the call: {message}", None, server)
    trailers = error.trailing_metadata() or ()  # type: ignore[attr-defined]
    rich = next((value for key, value in trailers if key == "grpc-status-details-bin"), None)
    return from_status(code, message, rich, server)


def broken(message: str) -> GenoserveError:
    """A stream that ended without an error and too early, which another attempt may cure."""
    return from_status(grpc.StatusCode.UNAVAILABLE, message, None, "stream")


def tell_retry(error: GenoserveError, wait: float) -> None:
    _log.warning("%s; trying again in %.1f s", error, wait)


def check_variants(variants: VariantTable, header: cohort_pb2.CohortHeader) -> VariantTable:
    """The same, or a MismatchError unless they are those that the header tells of."""
    if len(variants) == header.variant_count and variants.digest() == header.variant_digest:
        return variants
    raise MismatchError(f"the variants that the server lists for {header.model} are not those of its stream")


def variants_request(request: cohort_pb2.StreamCohortRequest) -> cohort_pb2.ListVariantsRequest:
    return cohort_pb2.ListVariantsRequest(
        model=request.model, version=request.version, regions=request.regions, artifact_digest=request.artifact_digest
    )


class CohortSession:
    """One cohort over as many calls as it takes: each call asks for the samples that are still due, with artifact,
    engine and seed pinned, so that the samples are those that an unbroken call would have sent."""

    def __init__(self, connection: Connection, request: cohort_pb2.StreamCohortRequest) -> None:
        self.request = request
        self.attempts = Attempts(connection)
        self._per_sample = _sample_count(request.condition.per_sample)
        self._checker = StreamChecker(self._per_sample)
        self._asked = request

    @property
    def header(self) -> Optional[cohort_pb2.CohortHeader]:
        """Of the whole stream; None before the first call has told it."""
        return self._checker.header

    @property
    def received(self) -> int:
        return self._checker.received

    @property
    def digest(self) -> Optional[bytes]:
        """Of all samples, once their end has been found right."""
        return self._checker.digest

    def next_call(self) -> cohort_pb2.StreamCohortRequest:
        """The request of the next call."""
        request = cohort_pb2.StreamCohortRequest()
        request.CopyFrom(self.request)
        header = self._checker.header
        if header is not None:
            request.version = header.version
            request.artifact_digest = header.artifact_digest
            request.engine.CopyFrom(header.engine)
            request.cohort_size = header.cohort_size
            request.first_sample = self._checker.next_sample
            request.sample_count = header.sample_count - self.received
        if self._per_sample:
            conditions = request.condition.per_sample
            count = self._per_sample - self.received
            _slice(conditions, self.received, count)
            while count > 1 and request.ByteSize() > _LARGEST_REQUEST:
                count //= 2
                _slice(conditions, 0, count)
            request.sample_count = count
        self._asked = request
        return request

    def begin(self, message: cohort_pb2.StreamCohortResponse) -> None:
        """The first message of a call; it is to be given to `take` as well."""
        if not message.HasField("header"):
            raise MismatchError("the stream does not begin with its header")
        self._checker.check_header(self._asked, message.header)

    def take(self, message: cohort_pb2.StreamCohortResponse) -> Batch:
        """What a message holds. Where it has a footer, the call must end after it."""
        if not message.HasField("batch"):
            raise MismatchError("a message has no batch")
        batch = self._checker.check_batch(message.batch)
        if message.HasField("footer"):
            self._checker.check_footer(message.footer)
        self.attempts.reset()
        return batch

    def wait_after(self, error: GenoserveError) -> float:
        """Seconds to wait before the next call, or raises what the stream ends with."""
        try:
            wait = self.attempts.wait_after(error)
        except GenoserveError:
            header = self.header
            if header is None:
                raise
            place = f"stream of {header.model} ended after {self.received} of {header.sample_count} samples"
            raise error.within(place) from None
        tell_retry(error, wait)
        return wait


def _sample_count(conditions: cohort_pb2.SampleConditions) -> int:
    """Samples that the conditions are for; 0 where there are none."""
    counts = {len(column.numbers) + len(column.levels) for column in conditions.phenotypes}
    if conditions.labels:
        counts.add(len(conditions.labels))
    if len(counts) > 1:
        raise UsageError("per_sample: needs one value of each column for each sample")
    return counts.pop() if counts else 0


def _slice(conditions: cohort_pb2.SampleConditions, first: int, count: int) -> None:
    """Keeps the values of the samples first to first + count - 1."""
    for values in [
        conditions.labels,
        *(v for column in conditions.phenotypes for v in (column.numbers, column.levels)),
    ]:
        del values[first + count :]
        del values[:first]
