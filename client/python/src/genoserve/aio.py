"""The asynchronous client; the same arguments, errors, checks and retries as genoserve.Client."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Awaitable, Sequence
from types import TracebackType
from typing import Any, Callable, Optional, TypeVar, Union

import grpc
import grpc.aio
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
    """One server, for one event loop. The arguments are those of genoserve.Client."""

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
        self._connection = Connection(server, token_file, token, tls_ca, tls_cert, tls_key, insecure, timeout, retries)
        self._channel: Optional[grpc.aio.Channel] = None  # made by the first call, when the event loop runs
        self._closed = False
        self._streams: weakref.WeakSet[CohortStream] = weakref.WeakSet()

    @property
    def server(self) -> str:
        return self._connection.server

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends all calls in flight with StoppedError."""
        self._closed = True
        for stream in list(self._streams):
            stream._cancel()
        if self._channel is not None:
            await self._channel.close()

    async def models(self) -> list[cohort_pb2.Model]:
        """All models with all versions, by name, newest version first."""
        request = cohort_pb2.ListModelsRequest()
        response = await self._call(
            lambda attempts: self._unary(_session.LIST_MODELS, request, cohort_pb2.ListModelsResponse, attempts)
        )
        return list(response.models)

    async def model(self, name: str) -> cohort_pb2.Model:
        """One version of a model, NAME or NAME@VERSION; without a version the default one."""
        return await self._model(name, "")

    async def variants(self, name: str, regions: Union[Region, Sequence[Region], None] = None) -> VariantTable:
        """The variants of a model (NAME or NAME@VERSION) in file order; with regions, those of their union."""
        model, version = parse_model_name(name)
        return await self._variants(
            cohort_pb2.ListVariantsRequest(model=model, version=version, regions=parse_regions(regions))
        )

    async def fetch(self, model: str, n: Optional[int] = None, **selection: Unpack[CohortArguments]) -> Cohort:
        """A whole cohort, or a shard of one, in memory."""
        async with self.stream(model, n, **selection) as stream:
            builder = CohortBuilder(await stream.header(), await stream.variants())
            async for batch in stream:
                builder.append(batch)
        return builder.build()

    def stream(self, model: str, n: Optional[int] = None, **selection: Unpack[CohortArguments]) -> CohortStream:
        """A cohort whose batches are read one by one; the first await begins it."""
        return CohortStream(self, model, CohortRequest(model, n, **selection))

    async def _model(self, name: str, request_id: str) -> cohort_pb2.Model:
        model, version = parse_model_name(name)
        request = cohort_pb2.GetModelRequest(model=model, version=version, request_id=request_id)
        return await self._call(lambda attempts: self._unary(_session.GET_MODEL, request, cohort_pb2.Model, attempts))

    async def _variants(self, request: cohort_pb2.ListVariantsRequest) -> VariantTable:
        async def attempt(attempts: Attempts) -> VariantTable:
            call = self._open(_session.LIST_VARIANTS, request, cohort_pb2.ListVariantsResponse, attempts)
            return VariantTable.from_messages([message async for message in call])

        return await self._call(attempt)

    def _connected(self) -> grpc.aio.Channel:
        if self._channel is None:
            connection = self._connection
            if connection.credentials is None:
                self._channel = grpc.aio.insecure_channel(connection.server, connection.channel_options)
            else:
                self._channel = grpc.aio.secure_channel(
                    connection.server, connection.credentials, connection.channel_options
                )
        return self._channel

    async def _unary(self, method: str, request: Any, response: type[_T], attempts: Attempts) -> _T:
        call = self._connected().unary_unary(method, type(request).SerializeToString, response.FromString)  # type: ignore[attr-defined]
        result: _T = await call(request, timeout=attempts.timeout(), metadata=self._connection.metadata)
        return result

    def _open(self, method: str, request: Any, response: type[_T], attempts: Attempts) -> Any:
        call = self._connected().unary_stream(method, type(request).SerializeToString, response.FromString)  # type: ignore[attr-defined]
        return call(request, timeout=attempts.timeout(), metadata=self._connection.metadata)

    async def _call(self, attempt: Callable[[Attempts], Awaitable[_T]]) -> _T:
        attempts = Attempts(self._connection)
        while True:
            try:
                return await self._guarded(lambda: attempt(attempts))
            except GenoserveError as error:
                wait = attempts.wait_after(error)
                _session.tell_retry(error, wait)
            await asyncio.sleep(wait)

    async def _guarded(self, step: Callable[[], Awaitable[_T]]) -> _T:
        if self._closed:
            raise StoppedError("the client was closed", grpc.StatusCode.CANCELLED)
        try:
            return await step()
        except grpc.aio.AioRpcError as error:
            raise _session.rpc_error(error, self.server, self._closed) from None
        except asyncio.CancelledError:  # of the task, or gRPC's word for a call that close() ended
            if not self._closed:
                raise
            raise StoppedError("the client was closed", grpc.StatusCode.CANCELLED) from None


class CohortStream(AsyncIterator[Batch]):
    """The batches of a cohort as they arrive, as genoserve.client.CohortStream. Use Client.stream."""

    def __init__(self, client: Client, model: str, asked: CohortRequest) -> None:
        self._client = client
        self._model = model
        self._asked = asked
        self._session: Optional[CohortSession] = None
        self._call: Any = None
        self._unread: Optional[cohort_pb2.StreamCohortResponse] = None
        self._error: Optional[GenoserveError] = None
        client._streams.add(self)

    async def header(self) -> cohort_pb2.CohortHeader:
        """Of the whole stream, however many calls it takes."""
        session = await self._opened()
        assert session.header is not None
        return session.header

    @property
    def received(self) -> int:
        """Samples so far."""
        return 0 if self._session is None else self._session.received

    @property
    def digest(self) -> Optional[str]:
        """Of all samples, 64 hexadecimal digits, once they have all come and been found right."""
        return None if self._session is None or self._session.digest is None else self._session.digest.hex()

    async def variants(self) -> VariantTable:
        """The variants that the columns of the batches are, checked against the header."""
        header = await self.header()
        session = await self._opened()
        return _session.check_variants(await self._client._variants(_session.variants_request(session.request)), header)

    def __aiter__(self) -> CohortStream:
        return self

    async def __anext__(self) -> Batch:
        if self._error is not None:
            raise self._error
        session = await self._opened()
        while session.digest is None:
            batch = await self._try(lambda: self._read(session), session)
            if batch is not None:
                return batch
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Ends the stream, and the server's work on it; what is asked of it afterwards is a StoppedError."""
        if self._error is None and self.digest is None:
            self._error = StoppedError("the stream was closed", grpc.StatusCode.CANCELLED)
        self._cancel()

    async def __aenter__(self) -> CohortStream:
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.aclose()

    def _cancel(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    async def _opened(self) -> CohortSession:
        if self._error is not None:
            raise self._error
        if self._session is None:
            found = await self._client._model(self._model, str(self._asked.seed))
            self._session = CohortSession(self._client._connection, self._asked.complete(found))
        session = self._session
        while session.header is None:
            await self._try(lambda: self._begin(session), session)
        return session

    async def _try(self, step: Callable[[], Awaitable[Optional[Batch]]], session: CohortSession) -> Optional[Batch]:
        """A step, or the wait after its failure, where None comes back; raises what the stream ends with."""
        try:
            return await self._client._guarded(step)
        except GenoserveError as failure:
            self._cancel()
            try:
                if self._error is not None:  # closed meanwhile
                    raise self._error from None
                await asyncio.sleep(session.wait_after(failure))
            except GenoserveError as error:
                self._error = error
                raise
            return None
        except BaseException:
            self._cancel()
            raise

    async def _begin(self, session: CohortSession) -> None:
        request = session.next_call()
        self._call = call = self._client._open(
            _session.STREAM_COHORT, request, cohort_pb2.StreamCohortResponse, session.attempts
        )
        message = await call.read()
        if message is grpc.aio.EOF:
            raise _session.broken("the stream ended before its header")
        session.begin(message)
        self._unread = message

    async def _read(self, session: CohortSession) -> Optional[Batch]:
        if self._call is None:  # the one before broke, or was for a part only
            await self._begin(session)
        call = self._call
        message, self._unread = self._unread, None
        if message is None:
            message = await call.read()
        if message is grpc.aio.EOF:
            raise _session.broken("the server sent no footer")
        batch = session.take(message)
        if message.HasField("footer"):
            # All that was asked for is here and right, so that what the call ends with no longer matters.
            try:
                more = await call.read()
            except grpc.aio.AioRpcError:
                more = grpc.aio.EOF
            if more is not grpc.aio.EOF:
                raise MismatchError("a message came after the footer")
            self._call = None
        return batch
