"""Which pages differ from those of earlier results."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

from batchocr.errors import OutputError
from batchocr.output.formats.database import sqlite_faults
from batchocr.output.outputs import Tables
from batchocr.output.read_table import read_table
from batchocr.output.table import TABLES, WHOLE_SCAN, Row, columns, text_rows
from batchocr.records import PageResult

_NOT_COMPARED = ("seconds",)
"""Columns that differ each time a page is read."""
_TEMPORARY = Path("the temporary database of --delta")


class Baseline:
    """A hash of the rows of each page of the results that a run replaces, in a temporary file of SQLite."""

    def __init__(self, tables: Tables) -> None:
        """Read the tables of earlier results. A table that does not exist has no rows.

        Raises:
            OutputError: If a table is damaged.
        """
        self._base = sqlite3.connect("", isolation_level=None)
        try:
            with sqlite_faults(_TEMPORARY):
                self._base.execute("CREATE TABLE pages (file TEXT, page INTEGER, hash TEXT, PRIMARY KEY (file, page))")
                self._base.execute("BEGIN")
                paths = {"pages": tables.pages, "numbers": tables.numbers, "digits": tables.digits}
                for name, path in paths.items():
                    if path.exists():
                        self._read(path, name)
        except BaseException:
            self._base.close()
            raise

    def _read(self, path: Path, name: str) -> None:
        try:
            pages = groupby(read_table(path, name), key=lambda row: (row["file"], int(row["page"] or WHOLE_SCAN)))
            for (file, page), rows in pages:
                self._base.execute(
                    "INSERT INTO pages VALUES (?, ?, ?) "
                    "ON CONFLICT (file, page) DO UPDATE SET hash = hash || excluded.hash",
                    (file, page, _hash(name, rows)),
                )
        except (OSError, ValueError) as error:
            raise OutputError(
                f"{path}: --delta cannot compare it with the new results ({error}): remove it, and all pages are new"
            ) from error

    def differs(self, result: PageResult) -> bool:
        """Return whether a page is new or has other rows than before. Each page is to be given once."""
        key = (result.page.file, result.page.page or WHOLE_SCAN)
        with sqlite_faults(_TEMPORARY):
            before = self._base.execute("SELECT hash FROM pages WHERE file = ? AND page = ?", key).fetchone()
            self._base.execute("DELETE FROM pages WHERE file = ? AND page = ?", key)
        parts: dict[str, Sequence[Row]] = {"pages": (result.page,), "numbers": result.numbers, "digits": result.digits}
        now = "".join(_hash_of_rows(name, rows) for name, rows in parts.items() if rows)
        return before != (now,)

    def others(self) -> Iterator[tuple[str, int]]:
        """Yield file and page of the pages that were not given to `differs`, in order."""
        yield from self._base.execute("SELECT file, page FROM pages ORDER BY file, page")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()


def _hash_of_rows(name: str, rows: Sequence[Row]) -> str:
    names = columns(TABLES[name])
    return _hash(name, (dict(zip(names, cells, strict=True)) for cells in text_rows(TABLES[name], rows)))


def _hash(name: str, rows: Iterable[dict[str, str]]) -> str:
    """Return a hash of the cells of rows of the table `name`."""
    names = [column for column in columns(TABLES[name]) if column not in _NOT_COMPARED]
    found = hashlib.blake2b(name.encode(), digest_size=16)
    for row in rows:
        found.update(repr([row[column] for column in names]).encode())
    return found.hexdigest()
