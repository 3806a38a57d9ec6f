"""The files of one output: their names, and whether they can be written."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from batchocr.errors import OutputError, UsageError
from batchocr.output.atomic_write import cannot_write, followed
from batchocr.output.formats.database import check_database
from batchocr.output.table_kinds import BASIC, Kinds
from batchocr.records import CsvDialect

STDOUT = Path("-")
"""The path that stands for standard output."""

FILE_PER_TABLE = (".csv", ".jsonl", ".parquet")
"""Suffixes of formats with a file for each table."""
WORKBOOK = ".xlsx"
DATABASE = (".db", ".sqlite", ".sqlite3")
SQLITE_URL = "sqlite:///"
REPORT = (".html", ".htm")


Tables = Mapping[str, Path]
"""The file of each table by its name, that of the digits first. A workbook and a database hold all of them."""


@dataclass(frozen=True)
class Outputs:
    """The files that a run writes."""

    out: Path
    """The path given as `--out`; STDOUT for the digits as CSV on standard output."""
    tables: Tables | None
    """None if `out` is STDOUT."""
    run: Path | None
    """The JSON file that describes the run; None if `out` is STDOUT."""
    numbers_copy: Path | None = None
    """A second place for the numbers; STDOUT for CSV on standard output."""
    delta: Tables | None = None
    """The tables with the pages that are new, changed or removed."""
    csv_dialect: CsvDialect = "plain"
    kinds: Kinds = BASIC
    """What each table contains."""
    report: Path | None = None
    """The HTML file that shows the run."""

    @property
    def is_database(self) -> bool:
        """Whether the tables are in an SQLite database."""
        return self.out.suffix.lower() in DATABASE

    @property
    def files(self) -> list[Path]:
        """All files without standard output, that of the digits first."""
        tables = [*_paths(self.tables), self.run, *_paths(self.delta), self.numbers_copy, self.report]
        return list(dict.fromkeys(path for path in tables if path and path != STDOUT))

    @property
    def to_stdout(self) -> bool:
        """Whether a table goes to standard output."""
        return STDOUT in (self.out, self.numbers_copy)


def as_path(out: str | Path) -> Path:
    """Return the path of an output, for `sqlite:///FILE` that of the database.

    Raises:
        UsageError: If the name of the database does not end with one of DATABASE, or a URL was given as a Path, which
            joins its slashes.
    """
    text = str(out)
    if text.startswith(SQLITE_URL):
        path = Path(text.removeprefix(SQLITE_URL))
        if path.suffix.lower() not in DATABASE:
            raise UsageError(f"--out {text}: the name of a database must end with {', '.join(DATABASE)}")
        return path
    if text.startswith("sqlite:"):
        raise UsageError(f"--out {text}: give the path of the database, or {SQLITE_URL}FILE.db as text")
    return Path(out)


def output_paths(
    out: Path,
    *,
    numbers_out: Path | None = None,
    csv_dialect: CsvDialect = "plain",
    delta: bool = False,
    kinds: Kinds = BASIC,
    report: Path | None = None,
) -> Outputs:
    """Return the files of an output. `results.csv` has `results.numbers.csv`, `results.pages.csv`, `results.run.json`.

    Args:
        out: The path of the digits, of a workbook or of a database, or STDOUT.
        numbers_out: A second place for the numbers, or STDOUT.
        csv_dialect: The dialect of all CSV files.
        delta: Whether to write the tables of the pages that are new, changed or removed.
        kinds: The tables.
        report: The HTML file that shows the run.

    Raises:
        UsageError: If a suffix is unknown, or the options contradict each other.
    """
    if report and report.suffix.lower() not in REPORT:
        raise UsageError(f"--report {report}: the name must end with {' or '.join(REPORT)}")
    if out == STDOUT:
        tables, run = None, None
        if numbers_out == STDOUT:
            raise UsageError("--numbers-out -: the digits go to standard output already: give --out a file")
    else:
        tables, run = _tables(out, kinds), out.with_suffix(".run.json")
    if csv_dialect != "plain" and not any(_is_csv(path) for path in (out, numbers_out)):
        raise UsageError(f"--csv-dialect {csv_dialect}: no table is a CSV file; leave it out, or give a .csv file")
    outputs = Outputs(
        out,
        tables,
        run,
        csv_dialect=csv_dialect,
        delta=_delta(out, kinds) if delta else None,
        kinds=kinds,
        report=report,
    )
    if numbers_out is None or (tables and _same(numbers_out, tables["numbers"]) and not _is_book(out)):
        return outputs
    if numbers_out != STDOUT:
        _check_suffix(numbers_out, "--numbers-out", (*FILE_PER_TABLE, WORKBOOK))
        if any(_same(numbers_out, path) for path in outputs.files):
            raise UsageError(f"--numbers-out {numbers_out}: the run writes another table there: give another name")
    return replace(outputs, numbers_copy=numbers_out)


def _tables(out: Path, kinds: Kinds) -> Tables:
    _check_suffix(out, "--out", (*FILE_PER_TABLE, WORKBOOK, *DATABASE))
    first, *others = [kind.name for kind in kinds]
    if _is_book(out):
        return dict.fromkeys((first, *others), out)
    return {first: out, **{name: out.with_suffix(f".{name}{out.suffix}") for name in others}}


def _delta(out: Path, kinds: Kinds) -> Tables:
    if out.suffix.lower() not in FILE_PER_TABLE:
        raise UsageError(f"--delta: --out must then end with {', '.join(FILE_PER_TABLE)}; a database has pages.read_at")
    return _tables(out.with_suffix(f".delta{out.suffix}"), kinds)


def _is_csv(path: Path | None) -> bool:
    return path is not None and (path == STDOUT or path.suffix.lower() == ".csv")


def _is_book(path: Path) -> bool:
    """Return whether one file holds all tables."""
    return path.suffix.lower() in (WORKBOOK, *DATABASE)


def _check_suffix(path: Path, option: str, suffixes: tuple[str, ...]) -> None:
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"{option} {path}: the name must end with {', '.join(suffixes)}, or be - for standard output")


def _same(one: Path, other: Path) -> bool:
    return followed(one).absolute() == followed(other).absolute()


def _paths(tables: Tables | None) -> tuple[Path, ...]:
    return tuple(tables.values()) if tables else ()


def make_ready(outputs: Outputs) -> None:
    """Create missing folders and check that the results can be written, before hours of work and not after them.

    Raises:
        OutputError: If they cannot be written.
    """
    folders: set[Path] = set()
    for name in outputs.files:
        path, option = (
            followed(name),
            {outputs.numbers_copy: "--numbers-out", outputs.report: "--report"}.get(name, "--out"),
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{path}: the folder {path.parent} cannot be created ({error.strerror}): give {option} another folder"
            ) from error
        try:
            if path.is_symlink():  # it was followed before
                raise OutputError(f"{path}: a symbolic link that leads to itself: remove it, or give another {option}")
            if path.is_dir():  # a name that is too long fails here
                raise OutputError(f"{path}: this is a folder: give {option} another name")
            if path.parent not in folders:
                folders.add(path.parent)
                with tempfile.TemporaryFile(dir=path.parent):
                    pass
        except OSError as error:
            raise cannot_write(path, error) from error
    if outputs.is_database and outputs.out.exists():
        check_database(outputs.out, outputs.kinds)


def remove_results(outputs: Outputs) -> None:
    """Remove the files of an earlier run, so that they are not taken for those of this run.

    A database stays, because it changes in one transaction. With a delta the tables stay too, because the new ones are
    compared with them. In both cases the file that describes the run is removed: the run is not finished.

    Raises:
        OutputError: If a file cannot be removed.
    """
    stay = outputs.is_database or outputs.delta
    for path in outputs.files:
        if stay and path != outputs.run:
            continue
        try:
            followed(path).unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(path, error) from error
