"""Signals that ask a run to stop: the first lets it end cleanly, the second ends it at once."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from batchocr.errors import Stopped

GRACE = 9.0
"""Seconds from the first signal after which a run ends whatever it does; its journal is whole at any moment."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
SAID = b"\nstopping after the pages in hand; once more ends at once\n"


class Stopping:
    """Within, the signals are only noted: calling it tells whether one came.

    A thread is told of them by Python's own handler in C: those in Python wait until the main thread is back from
    whatever library it is in.
    """

    def __init__(self, *, say: bool) -> None:
        self._say = say
        self._code = 0

    def __call__(self) -> bool:
        return self._code != 0

    def _listen(self, heard: socket.socket) -> None:
        try:
            while number := heard.recv(1):
                if self._code:
                    os._exit(self._code)
                self._code = 128 + number[0]
                heard.settimeout(GRACE)
                if self._say:
                    with suppress(OSError):
                        os.write(2, SAID)
        except TimeoutError:
            os._exit(self._code)

    def __enter__(self) -> Self:
        self._heard, self._told = socket.socketpair()
        self._told.setblocking(False)
        self._listener = threading.Thread(target=self._listen, args=(self._heard,), daemon=True)
        self._listener.start()
        self._fd_before = signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        self._before = [signal.signal(number, lambda *_: None) for number in SIGNALS]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in zip(SIGNALS, self._before, strict=True):
            signal.signal(number, before)
        signal.set_wakeup_fd(self._fd_before)
        self._told.close()
        self._listener.join()
        self._heard.close()
        if isinstance(fault, Stopped):
            fault.exit_code = self._code
