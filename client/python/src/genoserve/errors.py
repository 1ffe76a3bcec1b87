"""What a call can end with. Each class has the exit code that the command line gives for the same failure."""

from __future__ import annotations

from typing import Optional

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2


class GenoserveError(Exception):
    """Base of all errors of this package; by itself a fault of client or server."""

    exit_code = 1

    def __init__(self, message: str, code: Optional[grpc.StatusCode] = None) -> None:
        super().__init__(message)
        #: What gRPC ended with; None for what the client found out itself.
        self.code = code
        #: Seconds after which the server says that another try may succeed; None where it does not say.
        self.retry_after: Optional[float] = None

    def within(self, place: str) -> GenoserveError:
        """The same error with its place before the message."""
        error = type(self)(f"{place}: {self}", self.code)
        error.retry_after = self.retry_after
        return error


class UsageError(GenoserveError, ValueError):
    """An argument, a file or a request that cannot be used."""

    exit_code = 2


class NotFoundError(GenoserveError, LookupError):
    """No such model, version, label, phenotype or region."""

    exit_code = 3


class AuthError(GenoserveError):
    """Not who, or not allowed."""

    exit_code = 4


class ExhaustedError(GenoserveError):
    """Quota or overload."""

    exit_code = 5


class IncompleteError(GenoserveError):
    """The server cannot be reached, or the transfer did not get to its end."""

    exit_code = 6


class MismatchError(GenoserveError):
    """What came is not what was sent."""

    exit_code = 7


class StoppedError(GenoserveError):
    """The client or the stream was closed meanwhile."""

    exit_code = 130


_CLASSES = {
    grpc.StatusCode.CANCELLED: StoppedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ExhaustedError,
    grpc.StatusCode.INVALID_ARGUMENT: UsageError,
    grpc.StatusCode.OUT_OF_RANGE: UsageError,
    grpc.StatusCode.ALREADY_EXISTS: UsageError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.UNAUTHENTICATED: AuthError,
    grpc.StatusCode.PERMISSION_DENIED: AuthError,
    grpc.StatusCode.UNAVAILABLE: IncompleteError,
    grpc.StatusCode.DEADLINE_EXCEEDED: IncompleteError,
    grpc.StatusCode.FAILED_PRECONDITION: IncompleteError,
    grpc.StatusCode.ABORTED: IncompleteError,
    grpc.StatusCode.DATA_LOSS: MismatchError,
}


def from_status(code: grpc.StatusCode, message: str, details: Optional[bytes], server: str) -> GenoserveError:
    """The error of a call. What the details of google.rpc tell beyond the message is added to it."""
    rich = status_pb2.Status()
    try:
        rich.ParseFromString(details or b"")
    except DecodeError:  # Details that cannot be read are dropped: code and message stand on their own.
        rich.Clear()
    retry_after = None
    for detail in rich.details:
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(retry):
            retry_after = retry.retry_delay.seconds + retry.retry_delay.nanos * 1e-9
        for subject, description in _told(detail):
            message = _add(message, subject, description)
    if code is grpc.StatusCode.UNAVAILABLE:  # gRPC's own words for a connection that failed do not name the server.
        message = f"{server}: {message}"
    error = _CLASSES.get(code, GenoserveError)(message, code)
    error.retry_after = retry_after
    return error


def _told(detail: object) -> list[tuple[str, str]]:
    bad = error_details_pb2.BadRequest()
    precondition = error_details_pb2.PreconditionFailure()
    quota = error_details_pb2.QuotaFailure()
    resource = error_details_pb2.ResourceInfo()
    if detail.Unpack(bad):  # type: ignore[attr-defined]
        return [(violation.field, violation.description) for violation in bad.field_violations]
    if detail.Unpack(precondition):  # type: ignore[attr-defined]
        return [(violation.subject, violation.description) for violation in precondition.violations]
    if detail.Unpack(quota):  # type: ignore[attr-defined]
        return [(violation.subject, violation.description) for violation in quota.violations]
    if detail.Unpack(resource):  # type: ignore[attr-defined]
        return [(resource.resource_name, resource.description)]
    return []


def _add(message: str, subject: str, description: str) -> str:
    if description in message:
        return message if subject in message else f"{message} ({subject})"
    return f"{message}; {subject}: {description}" if subject else f"{message}; {description}"
