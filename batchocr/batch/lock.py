"""One run at a time on one output. The lock is the system's own: a process that is dead holds none."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from batchocr.errors import HeldError, OutputError

LOCK = "lock"
HOLDER = "holder.json"


@contextmanager
def locked(out: Path, folders: Sequence[Path]) -> Iterator[None]:
    """Within, no other run that asks for one of these folders begins; they are made where they are missing.

    `out` is what the lock is for. Raises HeldError, which says who holds it, and OutputError.
    """
    with ExitStack() as held:
        for folder in folders:
            lock = FileLock(folder / LOCK)
            try:
                folder.mkdir(exist_ok=True)
                held.enter_context(lock.acquire(blocking=False))
                _say_who(folder)
            except Timeout:
                raise HeldError(f"{out}: another run is at work on it: {_who(folder)}: wait for its end") from None
            except OSError as fault:
                fix = "let it be, or give --state another folder"
                raise OutputError(f"{folder}: cannot be written ({fault.strerror or fault}): {fix}") from fault
        yield


def _say_who(folder: Path) -> None:
    """Beside the lock, since the lock's own file is emptied by whoever tries it."""
    holder = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    (folder / HOLDER).write_text(json.dumps(holder) + "\n", encoding="utf-8")


def _who(folder: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        holder = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        return f"process {holder['process']} on {holder['host']} since {holder['since']}"
    return "it does not say who"
