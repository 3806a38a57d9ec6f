"""Who uses a journal in a store: one driver at a time, and what it reports of its progress.

A file with the name of the driver is written again every few seconds. On a disk a lock of the operating system decides
who may write; in an object store the file itself does. If it stays the same for LEASE_S, its driver is dead.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock

from batchocr.batch.lock import locked, shard_folders
from batchocr.batch.open_journal import journal_folder
from batchocr.errors import HeldError, OutputError, Stopped
from batchocr.stores import Store, is_url, open_store

BEAT_S = 5.0
"""Seconds between two reports of a driver."""
LEASE_S = 30.0
"""Seconds without a report after which a driver in an object store counts as dead."""
SHARDS_LOCK = "shards.lock"
_CONFIRM_S = 2.0  # after a takeover: of two drivers that take over at the same time, one finds the other's name
_POLL_S = 1.0


@dataclass
class Progress:
    """What a driver reports."""

    state: str = "running"
    """`running`, `done`, `stopped` or `failed`."""
    scans: int = 0
    pages: int = 0
    """Pages that the results will have, as far as is known: a scan counts as one page until it is opened."""
    done: int = 0
    """Pages that are in the journal."""
    kept: int = 0
    """Of these, pages that earlier runs had read."""
    failed: int = 0
    seconds: float = 0.0
    """Since the start of the driver."""
    pages_per_s: float = 0.0
    """Pages a second, over the last minutes."""
    remaining_s: float | None = None
    """Seconds until all pages are read, at this speed; None if that is not known."""
    message: str = ""
    """Why the run ended, if it failed."""


@dataclass(frozen=True)
class Report:
    """The file of a driver."""

    id: str
    process: int
    host: str
    since: str
    """Time of its start, in ISO 8601."""
    time: str
    """Time of the report."""
    progress: dict[str, Any] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        """Whether the driver had not ended when it wrote this."""
        return self.progress.get("state") == "running"

    @property
    def is_dead(self) -> bool:
        """Whether it was a process of this machine that does not exist any more."""
        return self.host == socket.gethostname() and not psutil.pid_exists(self.process)


class Holder:
    """The driver that uses the journal."""

    def __init__(self, store: Store, name: str) -> None:
        self.progress = Progress()
        self._store, self._name = store, name
        self._since, self._id = _now(), uuid.uuid4().hex
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def check(self) -> None:
        """Raise HeldError if another driver has taken over, as this one could not report for too long."""
        if self._lost:
            raise HeldError(f"{self._store}: another run has taken over, as this one did not report for {LEASE_S:g} s")

    def confirm(self) -> None:
        """Report now. Raise HeldError if another driver has taken over, which `check` may not know yet."""
        self._report()
        self.check()

    def write(self) -> None:
        """Write the report now."""
        self._store.write(self._name, self._content())

    def _content(self) -> bytes:
        report = Report(self._id, os.getpid(), socket.gethostname(), self._since, _now(), asdict(self.progress))
        return (json.dumps(asdict(report)) + "\n").encode()

    def acquire_in_store(self, out: str) -> None:
        """Take the journal in an object store.

        Raises:
            HeldError: Another driver is using it.
        """
        found = read_report(self._store, self._name)
        if found and found.is_running and not found.is_dead:
            self._wait_until_dead(found, out)
        self.write()
        time.sleep(_CONFIRM_S)
        if (now := read_report(self._store, self._name)) is None or now.id != self._id:
            raise _held(out, now)

    def _wait_until_dead(self, found: Report, out: str) -> None:
        deadline = time.monotonic() + LEASE_S
        while time.monotonic() < deadline:
            time.sleep(_POLL_S)
            now = read_report(self._store, self._name)
            if now is None or not now.is_running:
                return
            if now != found:
                raise _held(out, now)

    def start(self) -> None:
        """Report regularly from now on."""
        self._thread.start()

    def end(self, state: str, message: str = "") -> None:
        """Report the end."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self.progress.state, self.progress.message = state, message
        self._report()

    def _beat(self) -> None:
        while not self._lost and not self._ended.wait(BEAT_S):
            self._report()

    def _report(self) -> None:
        """Write the report unless another driver has taken over."""
        with suppress(OutputError):  # the run itself meets the same error, and reports it
            now = read_report(self._store, self._name)
            self._lost = self._lost or (now is not None and now.id != self._id)
            if not self._lost:
                self.write()


@contextmanager
def held(journal: str | Path, out: str, name: str) -> Iterator[Holder]:
    """Use a journal alone within the block.

    Args:
        journal: Its path or URL.
        out: The output that it is for, as messages name it.
        name: Name of the file with the report.

    Raises:
        HeldError: Another run is using it.
        OutputError: It cannot be read or written.
    """
    holder = Holder(open_store(journal), name)
    if isinstance(journal, Path):
        is_shard = "/" in name
        folder = (journal / name).with_suffix("") if is_shard else journal
        beside = [] if is_url(out) or is_shard else [journal_folder(Path(out.rstrip("/")))]
        with (
            locked(Path(out), list(dict.fromkeys([*beside, folder]))),
            locked(Path(out), [] if is_shard else shard_folders(journal)),
        ):
            holder.write()
            yield from _reporting(holder)
    else:
        holder.acquire_in_store(out)
        yield from _reporting(holder)


@contextmanager
def one_shard(journal: Path, out: str | Path) -> Iterator[None]:
    """Use a journal on a disk as the only shard within the block: others wait.

    Raises:
        HeldError: A run that is not a shard is using it.
    """
    with FileLock(journal / SHARDS_LOCK), locked(Path(out), [journal]):
        yield


def _reporting(holder: Holder) -> Iterator[Holder]:
    holder.start()
    try:
        yield holder
    except BaseException as fault:
        is_stop = isinstance(fault, (Stopped, KeyboardInterrupt, SystemExit))
        holder.end("stopped" if is_stop else "failed", str(fault))
        raise
    holder.end("done")


def read_report(store: Store, name: str) -> Report | None:
    """Return the report of the last driver; None if there is none.

    Raises:
        OutputError: The store cannot be read.
    """
    try:
        report = Report(**json.loads(store.read(name)))
        Progress(**report.progress), datetime.fromisoformat(report.time)  # else they fail where they are used
        return report
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as fault:
        raise OutputError(f"{store}/{name}: is not the report of a run ({fault}): remove it") from fault


class Speed:
    """Pages a second over the last minutes."""

    WINDOW_S = 120.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._points: list[tuple[float, int]] = [(clock(), 0)]

    def update(self, done: int) -> float:
        """Return the pages a second.

        Args:
            done: Pages that this run has read.
        """
        now = self._clock()
        if now - self._points[-1][0] >= 1 or len(self._points) == 1:
            self._points.append((now, done))
        while len(self._points) > 2 and now - self._points[1][0] > self.WINDOW_S:
            del self._points[0]
        (begin, before), passed = self._points[0], now - self._points[0][0]
        return (done - before) / passed if passed > 0 and begin < now else 0.0


def _held(out: str, report: Report | None) -> HeldError:
    who = f"process {report.process} on {report.host} since {report.since}" if report else "an unknown process"
    return HeldError(f"{out}: another run is using it: {who}: wait until it ends")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
