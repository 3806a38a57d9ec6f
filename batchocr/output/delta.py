"""Which pages differ from those of earlier results."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

from batchocr.errors import OutputError
from batchocr.output.formats.database import sqlite_faults
from batchocr.output.outputs import Tables
from batchocr.output.read_table import read_table
from batchocr.output.table import TableKind, text_rows
from batchocr.output.table_kinds import WHOLE_SCAN, Kinds
from batchocr.records import PageResult

_TEMPORARY = Path("the temporary database of --delta")


class Baseline:
    """A hash of the rows of each page of the results that a run replaces, in a temporary file of SQLite."""

    def __init__(self, kinds: Kinds, tables: Tables) -> None:
        """Read the tables of earlier results. A table that does not exist has no rows.

        Args:
            kinds: The tables of the new results.
            tables: The files of the earlier results.

        Raises:
            OutputError: If a table is damaged.
        """
        self._kinds = kinds
        self._base = sqlite3.connect("", isolation_level=None)
        try:
            with sqlite_faults(_TEMPORARY):
                self._base.execute("CREATE TABLE pages (file TEXT, page INTEGER, hash TEXT, PRIMARY KEY (file, page))")
                self._base.execute("BEGIN")
                for kind in kinds:
                    if (path := tables[kind.name]).exists():
                        self._read(path, _compared(kind))
        except BaseException:
            self._base.close()
            raise

    def _read(self, path: Path, kind: TableKind) -> None:
        try:
            pages = groupby(read_table(path, kind), key=lambda row: (row["file"], int(row["page"] or WHOLE_SCAN)))
            for (file, page), rows in pages:
                self._base.execute(
                    "INSERT INTO pages VALUES (?, ?, ?) "
                    "ON CONFLICT (file, page) DO UPDATE SET hash = hash || excluded.hash",
                    (file, page, _hash(kind, rows)),
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
        rows = ((kind, text_rows(kind, kind.rows([result]))) for kind in self._kinds)
        now = "".join(
            _hash(_compared(kind), (dict(zip(kind.names, cells, strict=True)) for cells in found))
            for kind, found in rows
            if found
        )
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


def _compared(kind: TableKind) -> TableKind:
    """Return a table without the columns that are not compared."""
    return replace(kind, columns=tuple(column for column in kind.columns if column.is_compared))


def _hash(kind: TableKind, rows: Iterable[dict[str, str]]) -> str:
    """Return a hash of the cells of rows of a table."""
    found = hashlib.blake2b(kind.name.encode(), digest_size=16)
    for row in rows:
        found.update(repr([row[name] for name in kind.names]).encode())
    return found.hexdigest()
