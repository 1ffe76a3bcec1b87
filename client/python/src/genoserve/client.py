"""The blocking client."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Callable, Optional, TypeVar, Union

import grpc
from typing_extensions import Unpack

from genoserve import _session
from genoserve._connection import Attempts, Connection, Path
from genoserve._request import CohortArguments, CohortRequest, parse_model_name
from genoserve._session import CohortSession
from genoserve.cohort import Cohort, CohortBuilder
from genoserve.errors import GenoserveError, MismatchError, StoppedError
from genoserve.genotypes import Batch
from genoserve.v1 import cohort_pb2
from genoserve.variants import Region, VariantTable, parse_regions

_T = TypeVar("_T")


class Client:
    """One server. Calls that fail are tried again, with backoff and jitter, where waiting can cure the failure.
    Thread-safe.

    server: "HOST:PORT", an IPv6 address in brackets; None = GENOSERVE_SERVER of the environment.
    token_file, token: the file with a bearer token on its only line, or the token; None = GENOSERVE_TOKEN, or none.
    tls_ca: PEM file of the authorities to trust. Where it is given, or the server is not on loopback, the connection is
        TLS; without it the authorities of gRPC count. tls_cert, tls_key: what the client shows.
    insecure: plain text also off loopback.
    timeout: seconds of one call, or of one whole stream, retries included; None = no limit.
    retries: attempts after a failure, counted anew when a stream makes progress.
    """

    def __init__(
        self,
        server: Optional[str] = None,
        *,
        token_file: Optional[Path] = None,
        token: Optional[str] = None,
        tls_ca: Optional[Path] = None,
        tls_cert: Optional[Path] = None,
        tls_key: Optional[Path] = None,
        insecure: bool = False,
        timeout: Optional[float] = None,
        retries: int = 6,
    ) -> None:
        self._connection = connection = Connection(
            server, token_file, token, tls_ca, tls_cert, tls_key, insecure, timeout, retries
        )
        if connection.credentials is None:
            self._channel = grpc.insecure_channel(connection.server, connection.channel_options)
        else:
            self._channel = grpc.secure_channel(connection.server, connection.credentials, connection.channel_options)
        self._closed = threading.Event()
        self._streams: weakref.WeakSet[CohortStream] = weakref.WeakSet()
        self._lock = threading.Lock()

    @property
    def server(self) -> str:
        return self._connection.server

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all calls in flight, and all waits between attempts, with StoppedError."""
        with self._lock:
            self._closed.set()
            streams = list(self._streams)
        for stream in streams:
            stream._cancel()
        self._channel.close()

    def models(self) -> list[cohort_pb2.Model]:
        """All models with all versions, by name, newest version first."""
        request = cohort_pb2.ListModelsRequest()
        response = self._call(
            lambda attempts: self._unary(_session.LIST_MODELS, request, cohort_pb2.ListModelsResponse, attempts)
        )
        return list(response.models)

    def model(self, name: str) -> cohort_pb2.Model:
        """One version of a model, NAME or NAME@VERSION; without a version the default one."""
        return self._model(name, "")

    def variants(self, name: str, regions: Union[Region, Sequence[Region], None] = None) -> VariantTable:
        """The variants of a model (NAME or NAME@VERSION) in file order; with regions, those of their union."""
        model, version = parse_model_name(name)
        return self._variants(
            cohort_pb2.ListVariantsRequest(model=model, version=version, regions=parse_regions(regions))
        )

    def fetch(self, model: str, n: Optional[int] = None, **selection: Unpack[CohortArguments]) -> Cohort:
        """A whole cohort, or a shard of one, in memory. The arguments are those of CohortArguments."""
        with self.stream(model, n, **selection) as stream:
            builder = CohortBuilder(stream.header, stream.variants())
            for batch in stream:
                builder.append(batch)
        return builder.build()

    def stream(self, model: str, n: Optional[int] = None, **selection: Unpack[CohortArguments]) -> CohortStream:
        """Begins a cohort, whose batches are read one by one. The arguments are those of CohortArguments."""
        asked = CohortRequest(model, n, **selection)
        found = self._model(model, str(asked.seed))
        return CohortStream(self, asked.complete(found))

    def _model(self, name: str, request_id: str) -> cohort_pb2.Model:
        model, version = parse_model_name(name)
        request = cohort_pb2.GetModelRequest(model=model, version=version, request_id=request_id)
        return self._call(lambda attempts: self._unary(_session.GET_MODEL, request, cohort_pb2.Model, attempts))

    def _variants(self, request: cohort_pb2.ListVariantsRequest) -> VariantTable:
        def attempt(attempts: Attempts) -> VariantTable:
            call = self._open(_session.LIST_VARIANTS, request, cohort_pb2.ListVariantsResponse, attempts)
            return VariantTable.from_messages(call)

        return self._call(attempt)

    def _unary(self, method: str, request: Any, response: type[_T], attempts: Attempts) -> _T:
        call = self._channel.unary_unary(method, type(request).SerializeToString, response.FromString)  # type: ignore[attr-defined]
        result: _T = call(request, timeout=attempts.timeout(), metadata=self._connection.metadata)
        return result

    def _open(self, method: str, request: Any, response: type[_T], attempts: Attempts) -> grpc._CallIterator[_T]:
        call = self._channel.unary_stream(method, type(request).SerializeToString, response.FromString)  # type: ignore[attr-defined]
        return call(request, timeout=attempts.timeout(), metadata=self._connection.metadata)

    def _call(self, attempt: Callable[[Attempts], _T]) -> _T:
        """Makes attempts of a call until one succeeds or none is left."""
        attempts = Attempts(self._connection)
        while True:
            try:
                return self._guarded(lambda: attempt(attempts))
            except GenoserveError as error:
                wait = attempts.wait_after(error)
                _session.tell_retry(error, wait)
            self._wait(wait)

    def _guarded(self, step: Callable[[], _T]) -> _T:
        """A step of a call, with this package's errors."""
        if self._closed.is_set():
            raise StoppedError("the client was closed", grpc.StatusCode.CANCELLED)
        try:
            return step()
        except grpc.RpcError as error:
            raise _session.rpc_error(error, self.server, self._closed.is_set()) from None
        except ValueError:  # gRPC's word for a channel that was closed meanwhile
            if not self._closed.is_set():
                raise
            raise StoppedError("the client was closed", grpc.StatusCode.CANCELLED) from None

    def _wait(self, seconds: float) -> None:
        if self._closed.wait(seconds):
            raise StoppedError("the client was closed", grpc.StatusCode.CANCELLED)


class CohortStream(Iterator[Batch]):
    """The batches of a cohort as they arrive, each checked. One message is held at a time beside what HTTP/2 flow
    control lets in, so that a slow reader slows the server instead of filling memory. A call that breaks off is resumed
    at the next sample. Use Client.stream. Not thread-safe but for close."""

    def __init__(self, client: Client, request: cohort_pb2.StreamCohortRequest) -> None:
        self._client = client
        self._session = CohortSession(client._connection, request)
        self._call: Optional[grpc._CallIterator[cohort_pb2.StreamCohortResponse]] = None
        self._unread: Optional[cohort_pb2.StreamCohortResponse] = None  # of which only the header was looked at
        self._error: Optional[GenoserveError] = None  # what the stream ended with
        with client._lock:
            client._streams.add(self)
        while self._session.header is None:
            self._try(self._begin)

    @property
    def header(self) -> cohort_pb2.CohortHeader:
        """Of the whole stream, however many calls it takes: model, version, seed, engine, labels, schemas."""
        assert self._session.header is not None
        return self._session.header

    @property
    def received(self) -> int:
        """Samples so far."""
        return self._session.received

    @property
    def digest(self) -> Optional[str]:
        """Of all samples, 64 hexadecimal digits, once all have come and been found right; see docs/determinism.md."""
        return None if self._session.digest is None else self._session.digest.hex()

    def variants(self) -> VariantTable:
        """The variants that the columns of the batches are, checked against the header."""
        return _session.check_variants(
            self._client._variants(_session.variants_request(self._session.request)), self.header
        )

    def __iter__(self) -> CohortStream:
        return self

    def __next__(self) -> Batch:
        if self._error is not None:
            raise self._error
        while self._session.digest is None:
            batch = self._try(self._read)
            if batch is not None:
                return batch
        raise StopIteration

    def close(self) -> None:
        """Ends the stream, and the server's work on it; what is asked of it afterwards is a StoppedError."""
        if self._error is None and self._session.digest is None:
            self._error = StoppedError("the stream was closed", grpc.StatusCode.CANCELLED)
        self._cancel()

    def __enter__(self) -> CohortStream:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_call", None) is not None:
            self._cancel()

    def _cancel(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _try(self, step: Callable[[], Optional[Batch]]) -> Optional[Batch]:
        """A step, or the wait after its failure, where None comes back; raises what the stream ends with."""
        try:
            return self._client._guarded(step)
        except GenoserveError as failure:
            self._cancel()
            try:
                if self._error is not None:  # closed meanwhile
                    raise self._error from None
                self._client._wait(self._session.wait_after(failure))
            except GenoserveError as error:
                self._error = error
                raise
            return None
        except BaseException:
            self._cancel()
            raise

    def _begin(self) -> None:
        request = self._session.next_call()
        call = self._client._open(
            _session.STREAM_COHORT, request, cohort_pb2.StreamCohortResponse, self._session.attempts
        )
        self._call = call
        message = next(call, None)
        if message is None:
            raise _session.broken("the stream ended before its header")
        self._session.begin(message)
        self._unread = message

    def _read(self) -> Optional[Batch]:
        if self._call is None:  # the one before broke, or was for a part only
            self._begin()
        call = self._call
        if call is None:
            raise StoppedError("the stream was closed", grpc.StatusCode.CANCELLED)
        message, self._unread = self._unread, None
        if message is None:
            message = next(call, None)
        if message is None:
            raise _session.broken("the server sent no footer")
        batch = self._session.take(message)
        if message.HasField("footer"):
            # All that was asked for is here and right, so that what the call ends with no longer matters.
            try:
                more = next(call, None)
            except grpc.RpcError:
                more = None
            if more is not None:
                raise MismatchError("a message came after the footer")
            self._call = None
        return batch
