"""The journal of one output: every page's rows, committed as soon as they are known, so that a run can go on.

It has all rows of a page, before any are left out or marked by a threshold.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil
from pydantic import TypeAdapter

from batchocr.errors import OutputError
from batchocr.records import PageResult, Scan
from batchocr.sources.natural_order import natural_key

FILE = "journal.sqlite"
_BESIDE = ("", "-wal", "-shm", "-journal")  # what SQLite keeps beside it
_LOCAL = frozenset("apfs bcachefs btrfs exfat ext2 ext3 ext4 f2fs hfs jfs ntfs ntfs3 overlay tmpfs xfs zfs".split())
"""File systems of this machine alone, on which SQLite's write-ahead log is safe."""
_WAITS = 30.0  # seconds, for somebody who looks into the journal meanwhile
_FORM = 3  # of the tables below
_NO_PAGE = 0  # stands for the scan as a whole
_TABLES = """
CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pages (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, path BLOB NOT NULL, page INTEGER NOT NULL, pages INTEGER NOT NULL,
    sha256 TEXT NOT NULL, failed INTEGER NOT NULL, result BLOB NOT NULL, UNIQUE (name, path, page)
);
"""
_RESULT = TypeAdapter(PageResult)


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that the journal has."""

    id: int
    name: str
    """Of the scan, as the results have it."""
    page: int | None
    pages: int
    """Of the scan."""
    sha256: str
    """Of the scan; empty where it could not be read."""
    failed: bool


class Journal:
    """The pages that are done, in one SQLite file. One process writes it at a time: see `lock`."""

    def __init__(self, folder: Path | None) -> None:
        """Opens the journal in `folder`, or begins it; with None, one that is gone with this process, however it ends.

        Raises OutputError where that cannot be.
        """
        self._path = folder / FILE if folder else Path("a temporary journal")
        with self._told():
            # a base without a name is SQLite's own temporary file, which has no name from its beginning
            self._base = sqlite3.connect(self._path if folder else "", timeout=_WAITS, isolation_level=None)
            try:
                self._open(folder is None or is_local(folder))
            except BaseException:
                self._base.close()
                raise

    def _open(self, local: bool) -> None:
        (form,) = self._base.execute("PRAGMA user_version").fetchone()
        if form not in (0, _FORM):
            raise OutputError(f"{self._path}: a journal of another version of batchocr: start over with --fresh")
        # A commit to the log is whole after any crash of ours; a power cut may take the last of them, which are read
        # again. The rollback journal needs FULL to survive one at all (sqlite.org/pragma.html#pragma_synchronous).
        self._base.execute(f"PRAGMA journal_mode = {'WAL' if local else 'DELETE'}")
        self._base.execute(f"PRAGMA synchronous = {'NORMAL' if local else 'FULL'}")
        self._base.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_FORM}; COMMIT;")

    def account(self, name: str) -> Any:
        """What was noted under this name, None where nothing was."""
        with self._told():
            row = self._base.execute("SELECT value FROM account WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def note(self, **values: Any) -> None:
        """Keeps these values for later runs."""
        with self._told():
            for name, value in values.items():
                self._base.execute("INSERT OR REPLACE INTO account VALUES (?, ?)", (name, json.dumps(value)))

    def entries(self) -> dict[Path, list[Entry]]:
        """All pages, by the path of their scan."""
        found: dict[Path, list[Entry]] = {}
        with self._told():
            for path, key, name, page, pages, sha256, failed in self._base.execute(
                "SELECT path, id, name, page, pages, sha256, failed FROM pages ORDER BY page"
            ):
                entry = Entry(key, name, page or None, pages, sha256, bool(failed))
                found.setdefault(Path(os.fsdecode(path)), []).append(entry)
        return found

    def drop(self, entries: Iterable[Entry]) -> None:
        """Forgets these pages, all at once."""
        with self.at_once(), self._told():
            self._base.executemany("DELETE FROM pages WHERE id = ?", [(entry.id,) for entry in entries])

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is changed within is committed together, or not at all where an exception leaves it."""
        with self._told():
            self._base.execute("BEGIN")
        try:
            yield
        except BaseException:
            if self._base.in_transaction:  # SQLite ends it itself on a full disk
                self._base.rollback()
            raise
        with self._told():
            self._base.execute("COMMIT")

    def clear(self) -> None:
        """Forgets all pages."""
        with self._told():
            self._base.execute("DELETE FROM pages")

    def add(self, scan: Scan, result: PageResult, *, pages: int, sha256: str) -> None:
        """Commits what came of a page of `scan`, which has so many; without `sha256` it counts for this run only."""
        row = result.page
        with self._told():
            self._base.execute(
                "INSERT OR REPLACE INTO pages (name, path, page, pages, sha256, failed, result) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    scan.name,
                    os.fsencode(scan.path),
                    row.page or _NO_PAGE,
                    pages,
                    sha256,
                    row.status == "failed",
                    zlib.compress(_RESULT.dump_json(result)),
                ),
            )

    def results(self) -> Iterator[PageResult]:
        """All pages in the order of the results: by name in natural order, then by number."""
        with self._told():
            self._base.create_function("natural_key", 1, natural_key, deterministic=True)
            order = "SELECT id FROM pages ORDER BY natural_key(name), name, path, page"  # sorts without the results
            for (key,) in self._base.execute(order).fetchall():
                (packed,) = self._base.execute("SELECT result FROM pages WHERE id = ?", (key,)).fetchone()
                yield _RESULT.validate_json(zlib.decompress(packed))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's faults as ours."""
        try:
            yield
        except sqlite3.OperationalError as fault:
            fix = "make room, or give --state another folder; the same command then goes on"
            raise OutputError(f"{self._path}: cannot be written or read ({fault}): {fix}") from fault
        except (sqlite3.DatabaseError, zlib.error, ValueError) as fault:
            raise OutputError(f"{self._path}: is damaged, or no journal ({fault}): start over with --fresh") from fault

    def close(self) -> None:
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def remove(folder: Path) -> None:
    """Takes the journal in `folder` away, whatever is in it. Raises OutputError where that cannot be."""
    for suffix in _BESIDE:
        path = folder / f"{FILE}{suffix}"
        try:
            path.unlink(missing_ok=True)
        except OSError as fault:
            raise OutputError(f"{path}: cannot be removed ({fault.strerror}): remove it by hand") from fault


def is_local(folder: Path) -> bool:
    """Whether `folder` is on a file system of this machine alone; not so where nobody can tell."""
    place = folder.resolve()
    mounts = [m for m in psutil.disk_partitions(all=True) if place.is_relative_to(m.mountpoint)]
    nearest = max(mounts, key=lambda mount: len(Path(mount.mountpoint).parts), default=None)
    return nearest is not None and nearest.fstype in _LOCAL
