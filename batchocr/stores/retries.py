"""Repeat what a store could not do for the moment."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # it takes 50 ms, which only runs with URLs need
    from tenacity import RetryCallState

log = logging.getLogger(__name__)

T = TypeVar("T")

FINAL = (
    FileNotFoundError,
    FileExistsError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    NotImplementedError,
    ImportError,
    MemoryError,
    TypeError,
    ValueError,
)
"""Errors that another attempt does not change. All others may be gone after a moment: 503, a lost connection."""

_NO_CREDENTIALS = frozenset(
    "NoCredentialsError PartialCredentialsError CredentialRetrievalError TokenRetrievalError SSOTokenLoadError "
    "UnauthorizedSSOTokenError ProfileNotFound DefaultCredentialsError RefreshError ClientAuthenticationError".split()
)
"""Names of the errors of the stores' libraries if there are no valid credentials."""
_REFUSED = frozenset(("ParamValidationError", "InvalidURL", "InvalidUrlClientError", "NonHttpUrlClientError"))
"""Names of the errors of the libraries if a bucket or URL cannot exist."""
_TEMPORARY_STATUS = frozenset((408, 425, 429))
"""Answers of a web server below 500 that may be others the next time."""
_TEMPORARY_CODES = frozenset(("IncompleteBody", "BadDigest", "RequestTimeout"))
"""Codes of S3 that s3fs reports as EINVAL, but that may be gone the next time."""
_FINAL_NUMBERS = frozenset((errno.EINVAL, errno.EPERM, errno.ENOSYS, errno.ENAMETOOLONG))


class RequestRefused(ValueError):
    """A store refuses a request as wrong. Its text is the store's code, without any part of the URL."""


@dataclass(frozen=True)
class RetryParameters:
    """How long a request is repeated."""

    max_seconds: float = 80.0
    """Seconds from the first attempt to the start of the last. Basis: longer than an outage of a minute, and with the
    last attempt's read timeout of 30 s shorter than the 120 s that a page may take by default."""
    first_wait_s: float = 0.5
    """Upper limit of the first wait in seconds; it doubles each time, and the wait is random below it. Basis: the
    exponential back-off with full jitter that AWS recommends (Architecture Blog, 2015)."""
    max_wait_s: float = 10.0
    """Upper limit of each wait in seconds. Basis: a page takes seconds, so a store that works again is used soon."""


PARAMETERS = RetryParameters()


def retried(work: Callable[[], T], what: str, parameters: RetryParameters = PARAMETERS) -> T:
    """Call `work` until it succeeds.

    Args:
        work: What to do; it may be called several times.
        what: What it does, for the log, without credentials.
        parameters: How long it is repeated.

    Returns:
        What `work` returns.

    Raises:
        FileNotFoundError: There is no such file.
        PermissionError: Access is denied, or there are no credentials.
        Exception: What the last attempt raised; errors in FINAL at once.
    """
    from tenacity import Retrying, retry_if_exception, stop_before_delay, wait_random_exponential

    def report(state: RetryCallState) -> None:
        fault = state.outcome.exception() if state.outcome else None
        log.info("%s: %s; trying again", what, type(fault).__name__)

    def translated() -> T:
        try:
            return work()
        except Exception as fault:
            other = _translated(fault)
            if other is fault:
                raise
            raise other from fault

    for attempt in Retrying(
        retry=retry_if_exception(lambda fault: isinstance(fault, Exception) and not isinstance(fault, FINAL)),
        wait=wait_random_exponential(multiplier=parameters.first_wait_s, max=parameters.max_wait_s),
        stop=stop_before_delay(parameters.max_seconds),
        before_sleep=report,
        reraise=True,
    ):
        with attempt:
            return translated()
    raise AssertionError("tenacity raises the last error")


def cause_of(fault: Exception) -> str:
    """Return in a word or two why a request failed, fit for messages."""
    return str(fault) if isinstance(fault, RequestRefused) else type(fault).__name__


def _translated(fault: Exception) -> Exception:
    """Return one of FINAL for an error of a library that another attempt does not change, else the error itself."""
    if isinstance(fault, FINAL):
        return fault
    if type(fault).__name__ in _NO_CREDENTIALS:
        return PermissionError("no valid credentials")
    if type(fault).__name__ in _REFUSED:
        return RequestRefused("not a valid URL")
    status = getattr(fault, "status", None)
    if isinstance(status, int) and 400 <= status < 500 and status not in _TEMPORARY_STATUS:
        if status in (401, 403):
            return PermissionError(f"status {status}")
        return FileNotFoundError(f"status {status}") if status in (404, 410) else RequestRefused(f"status {status}")
    if isinstance(fault, OSError) and fault.errno in _FINAL_NUMBERS and _code(fault) not in _TEMPORARY_CODES:
        return RequestRefused(_code(fault) or type(fault).__name__)
    return fault


def _code(fault: OSError) -> str:
    """Return the code that S3 answered with; empty if there is none."""
    answer = getattr(fault.__cause__, "response", None)
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""
