"""Writing the results: the tables and the description of the run. All appear whole or not."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from batchocr.errors import OutputError
from batchocr.output.atomic_write import whole_files
from batchocr.output.delta import Baseline
from batchocr.output.formats.csv_table import CsvTable
from batchocr.output.formats.database import Database
from batchocr.output.formats.json_lines import JsonLinesTable
from batchocr.output.formats.parquet import ParquetTable
from batchocr.output.formats.workbook import Workbook
from batchocr.output.outputs import STDOUT, WORKBOOK, Outputs, Tables
from batchocr.output.table import Table, TableKind
from batchocr.output.table_kinds import TABLES, Kinds
from batchocr.records import CsvDialect, PageResult, PageRow

ROWS = 50_000
"""Rows of digits, fields and pages that are in memory at a time while they are written."""


class _Writer(Protocol):
    """Takes the pages in order and writes one or all of their tables."""

    def add(self, results: Sequence[PageResult]) -> None: ...

    def close(self) -> None: ...


@dataclass
class _TableWriter:
    """Writes some of the tables, each for itself."""

    tables: Sequence[tuple[TableKind, Table]]
    book: Workbook | None = None
    """The workbook to save, if the tables are sheets of it."""

    def add(self, results: Sequence[PageResult]) -> None:
        """Append the rows of these pages to each table."""
        for kind, table in self.tables:
            table.add(kind.rows(results))

    def close(self) -> None:
        """Complete the files."""
        for _, table in self.tables:
            table.close()
        if self.book:
            self.book.save()


@dataclass
class _DatabaseWriter:
    """Replaces the tables of a database, which commits when its own block ends."""

    database: Database

    def add(self, results: Sequence[PageResult]) -> None:
        """Replace what is new or changed."""
        self.database.add(results)

    def close(self) -> None:
        """Do nothing."""


@dataclass
class _DeltaWriter:
    """Writes the rows of the pages that differ from those of the results before."""

    baseline: Baseline
    writer: _Writer

    def add(self, results: Sequence[PageResult]) -> None:
        """Append the rows of the pages that are new or changed."""
        self.writer.add([result for result in results if self.baseline.differs(result)])

    def close(self) -> None:
        """Append a row for each page that is gone, and complete the files."""
        gone = (PageResult(PageRow(file, page or None, "removed")) for file, page in self.baseline.others())
        for pages in _batches(gone):
            self.writer.add(pages)
        self.writer.close()


def write_results(
    outputs: Outputs,
    results: Iterable[PageResult],
    run: Callable[[], Mapping[str, Any]],
    report: Callable[[Mapping[str, Any]], bytes] | None = None,
) -> None:
    """Write the tables, the description of the run, and its report.

    All files are complete on the disk before the first gets its name; the one with the digits gets it last. A few pages
    are in memory at a time.

    Args:
        outputs: The files.
        results: The pages in the order of the results.
        run: Returns what describes the run, fit for JSON. It is called after the last page.
        report: Makes the report from it, if `outputs` have one.

    Raises:
        OutputError: If the results cannot be written. Then nothing is half-written.
    """
    paths = _in_order(outputs)
    with ExitStack() as opened:
        spool = opened.enter_context(_stdout_at_the_end()) if outputs.to_stdout else None
        files = dict(zip(paths, opened.enter_context(whole_files(paths)), strict=True))
        writers = list(_writers(outputs, files, spool, opened))
        for batch in _batches(results):
            for writer in writers:
                writer.add(batch)
        for writer in writers:
            writer.close()
        described = run()
        if outputs.run:
            files[outputs.run].write((json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode())
        if outputs.report and report:
            files[outputs.report].write(report(described))


def _in_order(outputs: Outputs) -> list[Path]:
    """Return the files to open, that of the digits last. An existing database is not replaced but changed."""
    changed = [outputs.out] if outputs.is_database and outputs.out.exists() else []
    return [path for path in reversed(outputs.files) if path not in changed]


def _writers(
    outputs: Outputs, files: Mapping[Path, BinaryIO], spool: BinaryIO | None, opened: ExitStack
) -> Iterator[_Writer]:
    """Yield the writers of an output; `spool` is for standard output. What must be closed is entered in `opened`."""
    dialect, tables, copy, kinds = outputs.csv_dialect, outputs.tables, outputs.numbers_copy, outputs.kinds
    digits, numbers = TABLES["digits"], TABLES["numbers"]
    if tables is None:
        yield _TableWriter([(digits, CsvTable(_given(spool), digits, dialect))])
    elif outputs.is_database:
        new = files.get(outputs.out)
        path = Path(new.name) if new else outputs.out
        yield _DatabaseWriter(opened.enter_context(Database(path, outputs.out, kinds, new=new is not None)))
    else:
        yield _all_tables(kinds, tables, files, dialect, opened)
        if outputs.delta:
            baseline = opened.enter_context(Baseline(kinds, tables))
            yield _DeltaWriter(baseline, _all_tables(kinds, outputs.delta, files, dialect, opened))
    if copy == STDOUT:
        yield _TableWriter([(numbers, CsvTable(_given(spool), numbers, dialect))])
    elif copy and copy.suffix.lower() == WORKBOOK:
        yield _sheets(files[copy], copy, (numbers,), opened)
    elif copy:
        yield _TableWriter([(numbers, _table(files[copy], copy, numbers, dialect, opened))])


def _all_tables(
    kinds: Kinds, tables: Tables, files: Mapping[Path, BinaryIO], dialect: CsvDialect, opened: ExitStack
) -> _TableWriter:
    paths = [tables[kind.name] for kind in kinds]
    if paths[0].suffix.lower() == WORKBOOK:
        return _sheets(files[paths[0]], paths[0], kinds, opened)
    return _TableWriter(
        [(kind, _table(files[path], path, kind, dialect, opened)) for kind, path in zip(kinds, paths, strict=True)]
    )


def _sheets(file: BinaryIO, path: Path, kinds: Kinds, opened: ExitStack) -> _TableWriter:
    book = opened.enter_context(Workbook(file, path))
    return _TableWriter([(kind, book.sheet(kind)) for kind in kinds], book)


def _table(file: BinaryIO, path: Path, kind: TableKind, dialect: CsvDialect, opened: ExitStack) -> Table:
    """Return the table in a file of its own, in the format of its suffix."""
    suffix = path.suffix.lower()
    if suffix == ".jsonl":
        return JsonLinesTable(file, kind)
    if suffix == ".parquet":
        table = ParquetTable(file, kind)
        opened.callback(table.close)  # else pyarrow prints an error if the run is stopped before
        return table
    return CsvTable(file, kind, dialect)


def _given(spool: BinaryIO | None) -> BinaryIO:
    if spool is None:
        raise ValueError("there is no file for standard output")
    return spool


def _batches(results: Iterable[PageResult]) -> Iterator[list[PageResult]]:
    """Yield the pages in at least one list, possibly an empty one, so that tables without rows have a header."""
    pages: list[PageResult] = []
    held = 0
    for result in results:
        pages.append(result)
        held += 1 + len(result.digits) + len(result.fields)
        if held >= ROWS:
            yield pages
            pages, held = [], 0
    yield pages


@contextmanager
def _stdout_at_the_end() -> Iterator[BinaryIO]:
    """Yield a temporary file, and copy it to standard output when the block ends without an exception.

    Raises:
        OutputError: If standard output or the temporary file cannot be written.
    """
    try:
        with tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.flush()
    except BrokenPipeError as error:
        raise OutputError("standard output: closed before all rows were written, so the rows are incomplete") from error
    except OSError as error:
        why = error.strerror or error
        raise OutputError(f"standard output: cannot be written ({why}): check the program that reads it") from error
