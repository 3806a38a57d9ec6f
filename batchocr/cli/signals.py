"""Signals that ask a run to stop: after the first it ends cleanly, after the second at once."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from batchocr.errors import Stopped

GRACE_S = 9.0
"""Seconds from the first signal after which the run ends in any case. Its journal is complete at any moment."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
MESSAGE = b"\nstopping after the pages in progress; the same signal again stops at once\n"


class Stopping:
    """Within the block, the signals are only recorded. Calling the object returns whether one came.

    Python's own handler, written in C, informs a thread. Handlers written in Python would wait until the main thread
    returns from the library that it is in.
    """

    def __init__(self, *, say: bool) -> None:
        """Prepare.

        Args:
            say: Whether MESSAGE is printed at the first signal.
        """
        self._say = say
        self._code = 0

    def __call__(self) -> bool:
        return self._code != 0

    def _listen(self, receiver: socket.socket) -> None:
        try:
            while number := receiver.recv(1):
                if self._code:
                    os._exit(self._code)
                self._code = 128 + number[0]
                receiver.settimeout(GRACE_S)
                if self._say:
                    with suppress(OSError):
                        os.write(2, MESSAGE)
        except TimeoutError:
            os._exit(self._code)

    def __enter__(self) -> Self:
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        self._listener = threading.Thread(target=self._listen, args=(self._receiver,), daemon=True)
        self._listener.start()
        self._fd_before = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        self._before = [signal.signal(number, lambda *_: None) for number in SIGNALS]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in zip(SIGNALS, self._before, strict=True):
            signal.signal(number, before)
        signal.set_wakeup_fd(self._fd_before)
        self._sender.close()
        self._listener.join()
        self._receiver.close()
        if isinstance(fault, Stopped):
            fault.exit_code = self._code
