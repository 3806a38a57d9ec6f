"""Results as a folder of Parquet files, for results that are too many for one file, or that other programs share."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from batchocr.output.formats.parquet import ParquetTable, read_parquet
from batchocr.output.table import text_of
from batchocr.output.table_kinds import ALL_NAMES, BASIC, TABLES, Kinds
from batchocr.records import PageResult
from batchocr.stores import Store, open_store

RUN = "run.json"
"""Describes the run. It is written last: without it, the folder is not complete."""
_PAGES = 256  # pages that are in memory at a time


def is_folder(out: str | Path) -> bool:
    """Return whether results go to a folder: its name ends with `/`."""
    return isinstance(out, str) and out.endswith("/")


@dataclass(frozen=True)
class TableFolder:
    """A folder with a folder for each table, such as `digits/`, with Parquet files in the order of the results."""

    place: str
    """Its path or URL, which ends with `/`."""
    kinds: Kinds = BASIC
    """The tables that are written."""

    @property
    def store(self) -> Store:
        """The folder."""
        return open_store(self.place)

    @property
    def out(self) -> str:
        """The folder, without credentials."""
        return f"{self.store}/"

    @property
    def names(self) -> list[str]:
        """The folders and files that are written."""
        return [*(f"{self.out}{kind.name}/" for kind in self.kinds), f"{self.out}{RUN}"]

    def has_results(self) -> bool:
        """Return whether there is a file of an earlier run."""
        return any(True for _ in self._files())

    def make_ready(self) -> None:
        """Do nothing: a store needs no folders."""

    def remove_results(self) -> None:
        """Remove the files of an earlier run, the description of the run first.

        Raises:
            OutputError: They cannot be removed.
        """
        self.store.remove([RUN])
        names = self._files()
        while some := list(islice(names, 1000)):
            self.store.remove(some)

    def _files(self) -> Iterator[str]:
        for table in ALL_NAMES:
            yield from self.store.names(table)

    def write_run(self, run: Mapping[str, Any]) -> None:
        """Write the description of the run: the folder is complete."""
        self.store.write(RUN, (json.dumps(run, indent=2, ensure_ascii=False) + "\n").encode())

    def read_run(self) -> dict[str, Any]:
        """Return the description of the run. Raises FileNotFoundError if the folder is not complete."""
        run: dict[str, Any] = json.loads(self.store.read(RUN))
        return run

    def rows(self, table: str) -> Iterator[dict[str, str]]:
        """Yield the rows of a table in TABLES as the cells of a plain CSV file, see `read_table`."""
        kind = TABLES[table]
        for file in sorted(self.store.names(table)):
            for values in read_parquet(io.BytesIO(self.store.read(file)), kind, Path(file)):
                yield {column.name: text_of(column, values[column.name]) for column in kind.columns}


def write_files(folder: TableFolder, number: int, results: Iterable[PageResult]) -> None:
    """Write a file of each table.

    Args:
        folder: The folder.
        number: The place of the files among those of their tables, from 0.
        results: The pages, marked, in the order of the results.

    Raises:
        OutputError: A file cannot be written.
    """
    files = [io.BytesIO() for _ in folder.kinds]
    tables = [ParquetTable(file, kind) for kind, file in zip(folder.kinds, files, strict=True)]
    left = iter(results)
    while pages := list(islice(left, _PAGES)):
        for kind, table in zip(folder.kinds, tables, strict=True):
            table.add(kind.rows(pages))
    for kind, table, file in zip(folder.kinds, tables, files, strict=True):
        table.close()
        folder.store.write(f"{kind.name}/{number:06}.parquet", file.getvalue())
