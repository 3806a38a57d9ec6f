"""One run at a time on one output. The lock belongs to the operating system: a dead process holds none."""

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
    """Hold the locks of these folders within the block. Missing folders are created, with their parents.

    Args:
        out: The output that the lock is for, as messages name it.
        folders: The folders of its journal.

    Raises:
        HeldError: Another run holds one of them; the message names its process.
        OutputError: A folder cannot be created or written.
    """
    with ExitStack() as held:
        for folder in folders:
            lock = FileLock(folder / LOCK)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                held.enter_context(lock.acquire(blocking=False))
                _write_holder(folder)
            except Timeout:
                raise HeldError(f"{out}: another run is using it: {_holder(folder)}: wait until it ends") from None
            except OSError as fault:
                fix = "make it writable, or give --state another folder"
                raise OutputError(f"{folder}: cannot be written ({fault.strerror or fault}): {fix}") from fault
        yield


def shard_folders(journal: Path) -> list[Path]:
    """Return the folders whose locks the shards of a run hold, see `distributed.holder`."""
    return sorted(path for path in (journal / "shards").glob("*-of-*") if path.is_dir())


def _write_holder(folder: Path) -> None:
    """Write who holds the lock, in a file beside it: each process that tries the lock empties the lock file."""
    holder = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    (folder / HOLDER).write_text(json.dumps(holder) + "\n", encoding="utf-8")


def _holder(folder: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        holder = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        return f"process {holder['process']} on {holder['host']} since {holder['since']}"
    return "an unknown process"
