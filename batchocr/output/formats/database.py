"""SQLite databases, with the tables of results. All tables change in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from batchocr.errors import OutputError
from batchocr.output.table import Column, TableKind, Values, check_columns, rounded_rows
from batchocr.output.table_kinds import WHOLE_SCAN, WIDE, WIDE_START, Kinds
from batchocr.records import PageResult

LOCK_WAIT_S = 10.0
"""Seconds to wait for another program that has locked the database."""

READ_AT = "read_at"
"""The column of `pages` with the time (UTC, ISO 8601) of the run that wrote the rows of the page."""


class Database:
    """Replaces the content of the tables when it is closed without an error; else nothing changes."""

    def __init__(self, path: Path, shown: Path, kinds: Kinds, *, new: bool) -> None:
        """Begin the transaction.

        Args:
            path: The database. It may have other tables, which stay as they are.
            shown: The name of the database in messages.
            kinds: The tables.
            new: Whether `path` is an empty file that gets its name later. SQLite then needs no journal of its own.

        Raises:
            OutputError: If it is not a database, has a table of one of our names with other columns, or is locked.
        """
        self._shown, self._kinds = shown, kinds
        self._read_at = ""
        with sqlite_faults(shown):
            self._base = sqlite3.connect(path, timeout=LOCK_WAIT_S, isolation_level=None)
            try:
                if new:
                    self._base.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
                self._base.execute("CREATE TEMP TABLE kept (file, page, PRIMARY KEY (file, page)) WITHOUT ROWID")
                self._base.execute("BEGIN IMMEDIATE")
                self._read_at = datetime.now(UTC).isoformat(timespec="seconds")
                for kind in kinds:
                    _check_columns(self._base, kind, shown)
                    _create(self._base, kind)
            except BaseException:
                self._base.close()
                raise

    def add(self, results: Sequence[PageResult]) -> None:
        """Replace the rows of these pages if they are new or changed.

        Raises:
            OutputError: If a page comes twice, or the database cannot be written.
        """
        with sqlite_faults(self._shown):
            for result in results:
                self._add(result)

    def _add(self, result: PageResult) -> None:
        key = (result.page.file, result.page.page or WHOLE_SCAN)
        try:
            self._base.execute("INSERT INTO kept VALUES (?, ?)", key)
        except sqlite3.IntegrityError as error:
            raise OutputError(f"{self._shown}: two scans have the name {key[0]} in the results: rename one") from error
        new = [_in_order(kind, rounded_rows(kind, kind.rows([result]))) for kind in self._kinds]
        if new == [self._rows(kind, key) for kind in self._kinds]:
            return
        for kind, rows in zip(self._kinds, new, strict=True):
            self._base.execute(f"DELETE FROM {kind.name} WHERE file = ? AND page = ?", key)
            if kind.name == "pages":
                rows = [(*row, self._read_at) for row in rows]
            if rows:
                places = ", ".join("?" * len(rows[0]))
                self._base.executemany(f"INSERT INTO {kind.name} VALUES ({places})", rows)

    def _rows(self, kind: TableKind, key: tuple[str, int]) -> list[Values]:
        names, order = _names(kind.names), _names(kind.key)
        return self._base.execute(
            f"SELECT {names} FROM {kind.name} WHERE file = ? AND page = ? ORDER BY {order}", key
        ).fetchall()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the rows of all other pages and commit; after an error, change nothing."""
        with closing(self._base), sqlite_faults(self._shown):
            if error is None:
                for table in self._kinds:
                    gone = "(file, page) NOT IN (SELECT file, page FROM kept)"
                    self._base.execute(f"DELETE FROM {table.name} WHERE {gone}")
                self._base.execute("COMMIT")


def check_database(path: Path, kinds: Kinds) -> None:
    """Check that the tables can be written into an existing database.

    Args:
        path: The database.
        kinds: The tables.

    Raises:
        OutputError: If it is not a database, has a table of one of our names with other columns, or is locked.
    """
    with sqlite_faults(path), closing(_connect(path, "rw")) as base:
        base.execute("BEGIN IMMEDIATE")
        for kind in kinds:
            _check_columns(base, kind, path)
        base.execute("ROLLBACK")


def read_database(path: Path, kind: TableKind) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table.

    Args:
        path: The database.
        kind: The table.

    Yields:
        The values of a row by the name of their column.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a database, or has no such table, or the table lacks a column.
    """
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    try:
        with closing(_connect(path, "ro")) as base:
            cursor = base.execute(f"SELECT * FROM {kind.name} ORDER BY {_names(kind.key)}")
            names = [column[0] for column in cursor.description]
            check_columns(names, kind, path)
            for row in cursor:
                yield dict(zip(names, row, strict=True))
    except sqlite3.Error as error:
        raise ValueError(f"{path.name}, table {kind.name}: {error}") from error


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open an existing database. SQLite would make a missing one."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=LOCK_WAIT_S, isolation_level=None)


def _in_order(kind: TableKind, rows: list[Values]) -> list[Values]:
    """Return the rows of a page in the order in which the table has them."""
    places = [kind.names.index(name) for name in kind.key]
    return sorted(rows, key=itemgetter(*places))


def _names(names: Iterable[str]) -> str:
    """Return names of columns for SQL. They are quoted, because names of fields can have points and hyphens."""
    return ", ".join(f'"{name}"' for name in names)


def _create(base: sqlite3.Connection, kind: TableKind) -> None:
    """Make a table if it is missing, or if it has the fields of other forms."""
    if _columns_of(base, kind) not in ([], _expected(kind)):  # `_check_columns` accepts this of the wide table only
        base.execute(f"DROP TABLE {kind.name}")
    parts = [f'"{column.name}" {_type(column)}' for column in kind.columns]
    if kind.name == "pages":
        parts.append(f"{READ_AT} TEXT NOT NULL")
    parts.append(f"PRIMARY KEY ({_names(kind.key)})")
    base.execute(f"CREATE TABLE IF NOT EXISTS {kind.name} ({', '.join(parts)}) WITHOUT ROWID")


def _type(column: Column) -> str:
    """Return the SQL type of a column."""
    sql = {int: "INTEGER", float: "REAL", str: "TEXT"}[column.type]
    return sql if column.is_optional else f"{sql} NOT NULL"


def _check_columns(base: sqlite3.Connection, kind: TableKind, shown: Path) -> None:
    """Raise OutputError if there is a table of this name that is not ours."""
    found = _columns_of(base, kind)
    start = [column.name for column in WIDE_START]
    is_ours = found[: len(start)] == start if kind.name == WIDE else found == _expected(kind)
    if found and not is_ours:
        raise OutputError(
            f"{shown}: its table {kind.name} has other columns than this version of batchocr writes: rename the "
            "table, or give --out another file"
        )


def _columns_of(base: sqlite3.Connection, kind: TableKind) -> list[str]:
    """Return the names of the columns in the database; none if the table is missing."""
    return [row[1] for row in base.execute(f"PRAGMA table_info({kind.name})")]


def _expected(kind: TableKind) -> list[str]:
    return kind.names + [READ_AT] * (kind.name == "pages")


@contextmanager
def sqlite_faults(shown: Path) -> Iterator[None]:
    """Raise an OutputError with the fix for a fault of SQLite."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            why = f"another program has locked it for more than {LOCK_WAIT_S:g} s: wait for its end"
            raise OutputError(f"{shown}: {why}; the same command then continues") from error
        fix = "make room or give --out another folder; the same command then continues"
        raise OutputError(f"{shown}: cannot be written ({error}): {fix}") from error
    except sqlite3.DatabaseError as error:
        fix = "give --out another file, or remove this one"
        raise OutputError(f"{shown}: is not an SQLite database, or is damaged ({error}): {fix}") from error
