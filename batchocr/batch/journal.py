"""The journal of one output: the rows of each page, committed as soon as they are known, so that a run can resume.

It has all rows of a page, before rows are left out or marked by a threshold.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil
from pydantic import TypeAdapter

from batchocr.errors import OutputError
from batchocr.records import PageResult, Scan
from batchocr.review.decision import Decision
from batchocr.sources.natural_order import natural_key

FILE = "journal.sqlite"
_SUFFIXES = ("", "-wal", "-shm", "-journal")  # of the files that SQLite creates
_LOCAL = frozenset("apfs bcachefs btrfs exfat ext2 ext3 ext4 f2fs hfs jfs ntfs ntfs3 overlay tmpfs xfs zfs".split())
"""Local file systems, on which SQLite's write-ahead log is safe."""
_WAIT_S = 30.0  # for another process that reads the journal at the same time
_FORMAT = 3  # version of the tables below
_NO_PAGE = 0  # page number of a scan that failed as a whole
_TABLES = """
CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pages (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, path BLOB NOT NULL, page INTEGER NOT NULL, pages INTEGER NOT NULL,
    sha256 TEXT NOT NULL, failed INTEGER NOT NULL, result BLOB NOT NULL, UNIQUE (name, path, page)
);
CREATE TABLE IF NOT EXISTS corrections (id INTEGER PRIMARY KEY, path BLOB NOT NULL, decision TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tags (path BLOB PRIMARY KEY, tag TEXT NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
"""
_RESULT = TypeAdapter(PageResult)
_DECISION = TypeAdapter(Decision)


Tags = Mapping[str, tuple[str, str]]
"""By the place of a scan: the tag that its store reported, and the SHA-256 of the content that this tag identifies."""

Failure = tuple[str, int | None, str, str, str]
"""File, page, error, message and SHA-256 of a page that failed."""


def failure(result: PageResult) -> Failure:
    """Return what identifies a failed page: if all of it is as in an earlier run, nothing has changed."""
    row = result.page
    return row.file, row.page, row.error, row.message, row.sha256


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the journal."""

    id: int
    """Key of the row in the journal."""
    name: str
    """Name of the scan in the results."""
    page: int | None
    """Page number from 1; None if the scan failed as a whole."""
    pages: int
    """Number of pages of the scan."""
    sha256: str
    """SHA-256 of the scan; empty if the page must be read again by the next run."""
    failed: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """A decision of a person in the journal."""

    id: int
    """Key of the row in the journal."""
    place: str
    """Place of the scan, see `Scan.place`."""
    decision: Decision


class Journal:
    """The finished pages, in one SQLite file. Only one process may write it at a time: see `lock`."""

    def __init__(self, folder: Path | None, *, read_only: bool = False) -> None:
        """Open the journal, or create it.

        Args:
            folder: The folder of the journal. None is a temporary journal, which disappears with this process.
            read_only: Whether the journal must exist and is not changed.

        Raises:
            OutputError: It cannot be opened or created, or it belongs to another version of batchocr.
        """
        self._path = folder / FILE if folder else Path("a temporary journal")
        # SQLite uses a temporary file without a name if the name is empty
        name = self._read_only_name() if read_only else self._path if folder else ""
        with self._converted():
            self._base = sqlite3.connect(name, timeout=_WAIT_S, isolation_level=None, uri=read_only)
            try:
                (version,) = self._base.execute("PRAGMA user_version").fetchone()
                if version != _FORMAT and (version or read_only):
                    fix = "start over with --fresh"
                    raise OutputError(f"{self._path}: a journal of another version of batchocr: {fix}")
                if not read_only:
                    self._set_up(folder is None or is_local(folder))
            except BaseException:
                self._base.close()
                raise

    def _read_only_name(self) -> str:
        """Return the name for SQLite. Without a log, no process has the journal open, and no file is created."""
        has_log = self._path.with_name(f"{FILE}-wal").exists()
        return f"{self._path.absolute().as_uri()}?mode=ro{'' if has_log else '&immutable=1'}"

    def _set_up(self, local: bool) -> None:
        # A commit to the log survives every crash of the process. A power cut may lose the last commits; these pages
        # are read again. The rollback journal needs FULL to survive a power cut at all
        # (sqlite.org/pragma.html#pragma_synchronous).
        self._base.execute(f"PRAGMA journal_mode = {'WAL' if local else 'DELETE'}")
        self._base.execute(f"PRAGMA synchronous = {'NORMAL' if local else 'FULL'}")
        self._base.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT;")

    def account(self, name: str) -> Any:
        """Return the value that `note` stored under this name; None if there is none."""
        with self._converted():
            row = self._base.execute("SELECT value FROM account WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def note(self, **values: Any) -> None:
        """Store these values for later runs."""
        with self._converted():
            for name, value in values.items():
                self._base.execute("INSERT OR REPLACE INTO account VALUES (?, ?)", (name, json.dumps(value)))

    def entries(self) -> dict[str, list[Entry]]:
        """Return all pages, by the place of their scan."""
        found: dict[str, list[Entry]] = {}
        with self._converted():
            for path, key, name, page, pages, sha256, failed in self._base.execute(
                "SELECT path, id, name, page, pages, sha256, failed FROM pages ORDER BY page"
            ):
                entry = Entry(key, name, page or None, pages, sha256, bool(failed))
                found.setdefault(os.fsdecode(path), []).append(entry)
        return found

    def tags(self) -> dict[str, tuple[str, str]]:
        """Return the tags of scans in object stores, as `Tags`."""
        with self._converted():
            if not self._has("tags"):
                return {}
            found = self._base.execute("SELECT path, tag, sha256 FROM tags")
            return {os.fsdecode(path): (tag, sha256) for path, tag, sha256 in found}

    def corrections(self) -> list[Stored]:
        """Return all decisions of persons in the order in which they were stored."""
        with self._converted():
            if not self._has("corrections"):
                return []
            rows = self._base.execute("SELECT id, path, decision FROM corrections ORDER BY id").fetchall()
            return [Stored(key, os.fsdecode(path), _DECISION.validate_json(text)) for key, path, text in rows]

    def correct(self, new: Iterable[tuple[str, Decision]], gone: Iterable[Stored] = ()) -> None:
        """Store decisions, each with the place of its scan, and remove others, in one transaction."""
        rows = [(os.fsencode(place), _DECISION.dump_json(decision).decode()) for place, decision in new]
        keys = [(stored.id,) for stored in gone]
        with self.at_once(), self._converted():
            self._base.executemany("DELETE FROM corrections WHERE id = ?", keys)
            self._base.executemany("INSERT INTO corrections (path, decision) VALUES (?, ?)", rows)

    def _has(self, table: str) -> bool:
        """Return whether there is a table. A journal of an earlier version that is only read may lack one."""
        return bool(self._base.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone())

    def add_tags(self, tags: Tags) -> None:
        """Store tags in one transaction."""
        rows = [(os.fsencode(place), tag, sha256) for place, (tag, sha256) in tags.items()]
        with self.at_once(), self._converted():
            self._base.executemany("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", rows)

    def drop(self, entries: Iterable[Entry]) -> None:
        """Remove these pages in one transaction."""
        with self.at_once(), self._converted():
            self._base.executemany("DELETE FROM pages WHERE id = ?", [(entry.id,) for entry in entries])
            self._base.execute("DELETE FROM tags WHERE path NOT IN (SELECT path FROM pages)")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Commit all changes within the block together; none of them if it raises an exception."""
        with self._converted():
            self._base.execute("BEGIN")
        try:
            yield
        except BaseException:
            if self._base.in_transaction:  # on a full disk SQLite itself ends the transaction
                self._base.rollback()
            raise
        with self._converted():
            self._base.execute("COMMIT")

    def clear(self) -> None:
        """Remove all pages. What persons decided stays."""
        with self._converted():
            self._base.execute("DELETE FROM pages")
            self._base.execute("DELETE FROM tags")

    def add(self, scan: Scan, result: PageResult, *, pages: int, sha256: str) -> None:
        """Commit the result of a page.

        Args:
            scan: The scan of the page.
            result: All rows of the page.
            pages: Number of pages of the scan.
            sha256: SHA-256 of the scan; empty if the next run must read the page again.
        """
        row = result.page
        with self._converted():
            self._base.execute(
                "INSERT OR REPLACE INTO pages (name, path, page, pages, sha256, failed, result) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    scan.name,
                    os.fsencode(scan.place),
                    row.page or _NO_PAGE,
                    pages,
                    sha256,
                    row.status == "failed",
                    zlib.compress(_RESULT.dump_json(result)),
                ),
            )
            if scan.tag and sha256:
                tag = os.fsencode(scan.place), scan.tag, sha256
                self._base.execute("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", tag)

    def results(self) -> Iterator[PageResult]:
        """Yield all pages in the order of the results: by the name of the scan (natural order), then by page."""
        return (result for _, result in self.placed_results())

    def placed_results(self) -> Iterator[tuple[str, PageResult]]:
        """Yield all pages in the order of the results, each with the place of its scan."""
        with self._converted():
            self._base.create_function("natural_key", 1, natural_key, deterministic=True)
            order = "SELECT id FROM pages ORDER BY natural_key(name), name, path, page"  # sorts without the results
            for (key,) in self._base.execute(order).fetchall():
                found = self._base.execute("SELECT path, result FROM pages WHERE id = ?", (key,)).fetchone()
                yield os.fsdecode(found[0]), _RESULT.validate_json(zlib.decompress(found[1]))

    def stored(self) -> Iterator[tuple[str, str, int, str, PageResult]]:
        """Yield all pages in no order: name and place of the scan, its number of pages, its SHA-256, and the result."""
        with self._converted():
            for name, path, pages, sha256, packed in self._base.execute(
                "SELECT name, path, pages, sha256, result FROM pages"
            ):
                yield name, os.fsdecode(path), pages, sha256, _RESULT.validate_json(zlib.decompress(packed))

    def failures(self) -> frozenset[Failure]:
        """Return the pages that failed."""
        with self._converted():
            packed = self._base.execute("SELECT result FROM pages WHERE failed").fetchall()
            return frozenset(failure(_RESULT.validate_json(zlib.decompress(each))) for (each,) in packed)

    @contextmanager
    def _converted(self) -> Iterator[None]:
        """Turn errors of SQLite into OutputError."""
        try:
            yield
        except sqlite3.OperationalError as fault:
            fix = "make room, or give --state another folder; then run the same command again"
            raise OutputError(f"{self._path}: cannot be written or read ({fault}): {fix}") from fault
        except (sqlite3.DatabaseError, zlib.error, ValueError) as fault:
            fix = "start over with --fresh"
            raise OutputError(f"{self._path}: is damaged, or not a journal ({fault}): {fix}") from fault

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def remove(folder: Path) -> None:
    """Remove the journal in `folder`, whatever it contains.

    Raises:
        OutputError: A file cannot be removed.
    """
    for suffix in _SUFFIXES:
        path = folder / f"{FILE}{suffix}"
        try:
            path.unlink(missing_ok=True)
        except OSError as fault:
            raise OutputError(f"{path}: cannot be removed ({fault.strerror}): remove it yourself") from fault


def is_local(folder: Path) -> bool:
    """Return whether `folder` is on a local file system; False if that is not known."""
    path = folder.resolve()
    mounts = [mount for mount in psutil.disk_partitions(all=True) if path.is_relative_to(mount.mountpoint)]
    nearest = max(mounts, key=lambda mount: len(Path(mount.mountpoint).parts), default=None)
    return nearest is not None and nearest.fstype in _LOCAL
