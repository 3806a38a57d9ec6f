"""Signals that ask a run to stop: the first lets it end cleanly, the second ends it at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Self

from batchocr.errors import Stopped

GRACE = 9.0
"""Seconds from the first signal after which a run ends whatever it does; its journal is whole at any moment."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
SAID = b"\nstopping after the pages in hand; once more ends at once\n"


class Stopping:
    """Within, the signals are only noted: calling it tells whether one came."""

    def __init__(self, *, say: bool) -> None:
        self._say = say
        self._code = 0
        self._timer: threading.Timer | None = None

    def __call__(self) -> bool:
        return self._code != 0

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._code:
            os._exit(self._code)
        self._code = 128 + number
        self._timer = threading.Timer(GRACE, os._exit, [self._code])
        self._timer.daemon = True
        self._timer.start()
        if self._say:
            os.write(2, SAID)  # print() may be at work just now

    def __enter__(self) -> Self:
        self._before = [signal.signal(number, self._note) for number in SIGNALS]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer:
            self._timer.cancel()
        for number, before in zip(SIGNALS, self._before, strict=True):
            signal.signal(number, before)
        if isinstance(fault, Stopped):
            fault.exit_code = self._code
