"""Repeat what a store could not do for the moment."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

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
"""Errors that another attempt does not change. Stores report all others for a moment too: 503, a lost connection."""


@dataclass(frozen=True)
class RetryParameters:
    """How long a store is asked again."""

    max_seconds: float = 100.0
    """Seconds from the first attempt to the last. Basis: longer than an outage of a minute, and shorter than the time
    that a page may take by default."""
    first_wait_s: float = 0.5
    """Upper limit of the first wait in seconds; it doubles each time, and the wait is random below it. Basis: the
    exponential back-off with full jitter that AWS recommends (Architecture Blog, 2015)."""
    max_wait_s: float = 10.0
    """Upper limit of each wait in seconds. Basis: a store that is back is used again at once, by the scale of a page's
    seconds."""


PARAMETERS = RetryParameters()


def retried(work: Callable[[], T], what: str, parameters: RetryParameters = PARAMETERS) -> T:
    """Call `work` until it succeeds.

    Args:
        work: What to do; it may be called several times.
        what: What it does, for the log.
        parameters: How often, and for how long.

    Returns:
        What `work` returns.

    Raises:
        Exception: What the last attempt raised; errors in FINAL at once.
    """

    def report(state: RetryCallState) -> None:
        fault = state.outcome.exception() if state.outcome else None
        log.info("%s: %s; trying again", what, type(fault).__name__)

    for attempt in Retrying(
        retry=retry_if_exception(lambda fault: isinstance(fault, Exception) and not isinstance(fault, FINAL)),
        wait=wait_random_exponential(multiplier=parameters.first_wait_s, max=parameters.max_wait_s),
        stop=stop_after_delay(parameters.max_seconds),
        before_sleep=report,
        reraise=True,
    ):
        with attempt:
            return work()
    raise AssertionError("tenacity raises the last error")
