"""The plan of a run over many scans, in a temporary database: its size in memory does not depend on their number."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

from batchocr.batch.parts import PartName
from batchocr.distributed.work_items import WorkItem, shard_of, tag_of, work_items
from batchocr.records import Scan
from batchocr.sources import Listed
from batchocr.sources.natural_order import natural_key

_AT_ONCE = 10_000  # rows of one insertion
_CACHE_KIB = 64 << 10  # memory of the database; the rest is on the disk
_TABLES = """
CREATE TABLE scans (
    natural TEXT, name TEXT, place BLOB, path BLOB, url TEXT, size INTEGER, modified INTEGER, tag TEXT
);
CREATE TABLE passed_over (name TEXT, place BLOB);
CREATE TABLE items (
    number INTEGER PRIMARY KEY, key BLOB, state BLOB, mine INTEGER, tagged INTEGER, count INTEGER, scans TEXT
);
CREATE TABLE parts (key BLOB, state BLOB, pages INTEGER, failed INTEGER, again INTEGER, new INTEGER);
CREATE INDEX part_by_key ON parts (key, state);
CREATE TABLE old (place BLOB, path TEXT);
CREATE INDEX old_by_place ON old (place);
"""
_OF_ITEM = "parts.key = items.key AND parts.state = items.state"
_PART = "parts.key, parts.state, pages, failed, again"  # what PartName has
# A run that ended while it replaced a part leaves two of one work item
_BEST = "ORDER BY new DESC, again, failed, pages DESC LIMIT 1"


@dataclass(frozen=True)
class ItemPlan:
    """A work item that has to be read, in full or in part."""

    item: WorkItem
    old: tuple[str, ...]
    """Paths of parts that may have some of its pages."""


class PlanDatabase:
    """The scans and work items of a run, and the parts that earlier runs have written."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)  # a temporary file without a name
        self._base.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES}")
        self._base.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")

    def add_listing(self, listing: Iterable[Listed]) -> None:
        """Add all files of a listing in any order. A file that is listed twice counts once."""
        rest = iter(listing)
        while some := list(islice(rest, _AT_ONCE)):
            self.add_scans(each.scan for each in some if each.is_scan)
            self._insert(
                "passed_over", 2, ((each.scan.name, os.fsencode(each.scan.place)) for each in some if not each.is_scan)
            )

    def add_scans(self, scans: Iterable[Scan]) -> None:
        """Add scans in any order. One that is added twice counts once."""
        rows = (
            (
                natural_key(scan.name),
                scan.name,
                os.fsencode(scan.place),
                os.fsencode(scan.path),
                scan.url,
                scan.size,
                scan.modified,
                scan.tag,
            )
            for scan in scans
        )
        self._insert("scans", 8, rows)

    def passed_over(self, limit: int) -> tuple[int, list[str]]:
        """Return the number of files that are not scans, and the first names in natural order."""
        self._base.create_function("natural_key", 1, natural_key, deterministic=True)
        (count,) = self._base.execute("SELECT COUNT(DISTINCT place) FROM passed_over").fetchone()
        query = "SELECT DISTINCT name, place FROM passed_over ORDER BY natural_key(name), name LIMIT ?"
        return count, [name for name, _ in self._base.execute(query, (limit,))]

    def make_items(self, pages: Sequence[int] = (), shard: tuple[int, int] | None = None) -> None:
        """Group the scans into work items. Call it once, after all scans are added.

        Args:
            pages: Pages that are read of each TIFF and PDF; empty for all.
            shard: The number of the shard and the number of shards. Work items of other shards are known, not read.
        """
        rows = (
            (
                number,
                item.key,
                item.state,
                mine,
                all(map(tag_of, item.scans)),
                len(item.scans),
                _packed(item.scans) if mine else None,
            )
            for number, item in enumerate(work_items(self._scans(), pages))
            for mine in [_is_mine(item, shard)]
        )
        self._insert("items", 7, rows)
        self._base.executescript(
            "DELETE FROM passed_over WHERE place IN (SELECT place FROM scans);"
            "DROP TABLE scans; CREATE INDEX by_key ON items (key, state)"
        )

    def _scans(self) -> Iterator[Scan]:
        """Yield all scans in the order of the results, each once."""
        before = None
        with closing(self._base.cursor()) as cursor:
            for _, name, place, path, url, size, modified, tag in cursor.execute(
                "SELECT * FROM scans ORDER BY natural, name, place"
            ):
                if place != before:
                    yield Scan(Path(os.fsdecode(path)), name, size=size, modified=modified, url=url, tag=tag)
                before = place

    def digest(self) -> str:
        """Return a hash of all work items, also of those of other shards."""
        found = hashlib.sha256()
        with closing(self._base.cursor()) as cursor:
            for key, state in cursor.execute("SELECT key, state FROM items ORDER BY number"):
                found.update(key + state)
        return found.hexdigest()

    def items(self) -> Iterator[WorkItem]:
        """Yield the work items of this run in order."""
        with closing(self._base.cursor()) as cursor:
            for key, state, packed in cursor.execute("SELECT key, state, scans FROM items WHERE mine ORDER BY number"):
                yield WorkItem(_unpacked(packed), key, state)

    def own_items(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield the number, key and state of each work item of this run."""
        with closing(self._base.cursor()) as cursor:
            yield from cursor.execute("SELECT number, key, state FROM items WHERE mine ORDER BY number")

    def add_items(self, items: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Add work items whose scans are not known, from what `own_items` returned to other runs."""
        self._insert("items", 7, ((number, key, state, 1, 1, 0, None) for number, key, state in items))

    def missing(self) -> int:
        """Return the number of work items of this run that have no part."""
        query = f"SELECT COUNT(*) FROM items WHERE mine AND NOT EXISTS (SELECT 1 FROM parts WHERE {_OF_ITEM})"
        (count,) = self._base.execute(query).fetchone()
        return int(count)

    def add_parts(self, parts: Iterable[PartName]) -> None:
        """Add the parts that the store has."""
        self._insert("parts", 6, ((*_columns(part), 0) for part in parts))

    def replace_parts(self, parts: Sequence[PartName]) -> None:
        """Add the parts that this run has written. They replace all others of their work items."""
        items = [(part.key, part.state) for part in parts]
        self._base.executemany("DELETE FROM parts WHERE key = ? AND state = ?", items)
        self._insert("parts", 6, ((*_columns(part), 1) for part in parts))

    def forget_parts(self, folder: str) -> list[str]:
        """Forget all parts, and return the paths of those of work items of this run."""
        own = f"EXISTS (SELECT 1 FROM items WHERE {_OF_ITEM} AND mine)"
        paths = list(self._paths(f"SELECT {_PART} FROM parts WHERE {own}", folder))
        self._base.execute("DELETE FROM parts")
        return paths

    def other_parts(self, folder: str) -> Iterator[str]:
        """Yield the paths of parts of no work item of this run: their scans are in other work items now, or changed."""
        unused = f"NOT EXISTS (SELECT 1 FROM items WHERE {_OF_ITEM})"
        yield from self._paths(f"SELECT {_PART} FROM parts WHERE {unused}", folder)

    def replaced_parts(self, folder: str) -> Iterator[str]:
        """Yield the paths of parts whose work item has another part that is used."""
        best = f"SELECT again, failed, pages FROM parts AS p WHERE p.key = parts.key AND p.state = parts.state {_BEST}"
        yield from self._paths(f"SELECT {_PART} FROM parts WHERE (again, failed, pages) != ({best})", folder)

    def _paths(self, query: str, folder: str) -> Iterator[str]:
        with closing(self._base.cursor()) as cursor:
            for row in cursor.execute(query):
                yield PartName(*row).path(folder)

    def add_old(self, path: str, places: Iterable[str]) -> None:
        """Add a part that has pages of these scans, and is not the part of one work item of this run."""
        self._insert("old", 2, ((os.fsencode(place), path) for place in places))

    def is_empty(self) -> bool:
        """Return whether no scan was added, for no shard."""
        return self._base.execute("SELECT 1 FROM items LIMIT 1").fetchone() is None

    def counts(self) -> tuple[int, int]:
        """Return the number of scans and of work items that this run reads or has read."""
        query = "SELECT COALESCE(SUM(count), 0), COUNT(*) FROM items WHERE mine"
        scans, items = self._base.execute(query).fetchone()
        return scans, items

    def kept(self, *, retry_failed: bool) -> tuple[int, int, int]:
        """Return the number of scans, of pages and of failed pages of work items that are not read again."""
        query = (
            "SELECT COALESCE(SUM(count), 0), COALESCE(SUM(pages), 0), COALESCE(SUM(failed), 0) "
            f"FROM items, parts WHERE {_OF_ITEM} AND mine AND {_is_done(retry_failed)} AND parts.rowid = "
            f"(SELECT rowid FROM parts WHERE {_OF_ITEM} {_BEST})"
        )
        scans, pages, failed = self._base.execute(query).fetchone()
        return scans, pages, failed

    def todo(self, *, retry_failed: bool, folder: str) -> Iterator[ItemPlan]:
        """Yield the work items that this run must still read, in order.

        Args:
            retry_failed: Whether pages that failed are read again.
            folder: The folder of the parts.
        """
        query = (
            "SELECT key, state, scans FROM items WHERE mine AND NOT EXISTS "
            f"(SELECT 1 FROM parts WHERE {_OF_ITEM} AND {_is_done(retry_failed)}) ORDER BY number"
        )
        with closing(self._base.cursor()) as cursor:
            for key, state, packed in cursor.execute(query):
                item = WorkItem(_unpacked(packed), key, state)
                yield ItemPlan(item, tuple(self._old_parts(item, folder)))

    def _old_parts(self, item: WorkItem, folder: str) -> list[str]:
        """Return the paths of parts that may have pages of a work item."""
        query = f"SELECT {_PART} FROM parts WHERE key = ? AND state = ?"
        own = self._base.execute(query, (item.key, item.state))
        paths = [PartName(*row).path(folder) for row in own]
        for scan in item.scans:
            found = self._base.execute("SELECT path FROM old WHERE place = ?", (os.fsencode(scan.place),))
            paths += [path for (path,) in found]
        return list(dict.fromkeys(paths))

    def finished(self, folder: str) -> Iterator[str | None]:
        """Yield the path of the part of each work item of this run in order; None if it has none."""
        with closing(self._base.cursor()) as items, closing(self._base.cursor()) as parts:
            for key, state in items.execute("SELECT key, state FROM items WHERE mine ORDER BY number"):
                found = parts.execute(
                    f"SELECT {_PART} FROM parts WHERE key = ? AND state = ? {_BEST}", (key, state)
                ).fetchone()
                yield PartName(*found).path(folder) if found else None

    def close(self) -> None:
        """Remove the database."""
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _insert(self, table: str, columns: int, rows: Iterable[tuple[Any, ...]]) -> None:
        query = f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"
        left = iter(rows)
        while some := list(islice(left, _AT_ONCE)):
            self._base.execute("BEGIN")
            self._base.executemany(query, some)
            self._base.execute("COMMIT")


def _is_done(retry_failed: bool) -> str:
    """Return the condition that this run need not read a work item: it has read it, or its part is as it should be.

    Scans without a tag may have changed; reading the work item compares their content.
    """
    return f"(new OR tagged AND again = 0{' AND failed = 0' if retry_failed else ''})"


def _columns(part: PartName) -> tuple[bytes, bytes, int, int, int]:
    return part.key, part.state, part.pages, part.failed, part.again


def _is_mine(item: WorkItem, shard: tuple[int, int] | None) -> bool:
    return shard is None or shard_of(item, shard[1]) == shard[0]


def _packed(scans: Sequence[Scan]) -> str:
    return json.dumps([[os.fsdecode(s.path), s.name, s.size, s.modified, s.url, s.tag] for s in scans])


def _unpacked(text: str) -> tuple[Scan, ...]:
    return tuple(
        Scan(Path(path), name, size=size, modified=modified, url=url, tag=tag)
        for path, name, size, modified, url, tag in json.loads(text)
    )
