"""Start a Python process that calls one function of this package.

`multiprocessing` is not used for this, for two reasons. Its new processes import the caller's main module again: a
script without `if __name__ == "__main__":` would start a second run, and a script from standard input has no file to
import. And a daemonic process, such as a worker of `multiprocessing.Pool` or of Celery, may not start any.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.spawn import get_executable
from pathlib import Path
from typing import Any

from batchocr.process_setup import end_with_parent, signals_blocked

_CLOSE_TIMEOUT_S = 1.0
"""A killed process whose disk does not answer does not end; then it is left alone."""


class ChildProcess:
    """A new Python process. It ends with its parent, however the parent ends.

    Ctrl-C and SIGTERM do not reach it: service managers send them to the whole process group.
    """

    def __init__(
        self, target: Callable[..., None], *arguments: Any, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start the process and call `target` in it.

        Args:
            target: A function of a module, called with the child's end of the pipe and `arguments`.
            *arguments: Objects that can be pickled.
            environment: Environment variables that it has in addition to those of this process.

        Raises:
            OSError: If no process can be started.
        """
        self.pipe, child_pipe = Pipe()
        """The parent's end. When the process dies, reading from it raises EOFError or OSError."""
        child_sentinel, self._sentinel = os.pipe()
        try:
            handles = (child_pipe.fileno(), child_sentinel)
            with signals_blocked():
                self._process = subprocess.Popen(
                    [os.fsdecode(get_executable()), "-c", _code(*handles)],
                    stdin=subprocess.DEVNULL,
                    pass_fds=handles,
                    env={**os.environ, **(environment or {})},
                )
        except OSError:
            self.pipe.close()
            os.close(self._sentinel)
            raise
        finally:
            child_pipe.close()
            os.close(child_sentinel)
        with suppress(OSError):  # a process that died at once is noticed by the first read from the pipe
            self.pipe.send((target, arguments))

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill the process at once. May be called from any thread."""
        self._process.kill()

    def join(self, timeout_s: float) -> None:
        """Wait until the process has ended, but not longer than `timeout_s`."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)

    def close(self) -> None:
        """Kill the process and close the pipe. May be called once."""
        self.pipe.close()
        self._process.kill()
        os.close(self._sentinel)
        self.join(_CLOSE_TIMEOUT_S)


def _code(pipe: int, sentinel: int) -> str:
    """Return the code that the process runs. It finds modules where this process finds them."""
    paths = [*sys.path, str(Path(__file__).parents[1])]
    call = f"call_target({pipe}, {sentinel})"
    return f"import sys; sys.path[:] = {paths!a}; from batchocr.child_process import call_target; {call}"


def call_target(pipe: int, sentinel: int) -> None:
    """Call the function that the parent sends. This runs in the child process.

    Args:
        pipe: File descriptor of the child's end of the pipe.
        sentinel: File descriptor of a pipe that is closed when the parent ends.
    """
    threading.Thread(target=end_with_parent, args=(sentinel,), daemon=True).start()
    connection = Connection(pipe)
    try:
        target, arguments = connection.recv()
    except (EOFError, OSError):
        return  # the parent needs no process any more
    target(connection, *arguments)
