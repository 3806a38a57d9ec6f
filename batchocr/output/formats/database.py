"""SQLite databases, with a table for each kind of row. All tables change in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args, get_type_hints

from batchocr.errors import OutputError
from batchocr.output.table import TABLES, WHOLE_SCAN, Row, check_columns, columns, rounded_rows
from batchocr.records import PageResult

LOCK_WAIT_S = 10.0
"""Seconds to wait for another program that has locked the database."""

READ_AT = "read_at"
"""The column of `pages` with the time (UTC, ISO 8601) of the run that wrote the rows of the page."""

_KEYS = {
    "digits": ("file", "page", "line", "number", "position"),
    "numbers": ("file", "page", "line", "number"),
    "pages": ("file", "page"),
}
"""The primary key of each table."""


class Database:
    """Replaces the content of the three tables when it is closed without an error; else nothing changes."""

    def __init__(self, path: Path, shown: Path, *, new: bool) -> None:
        """Begin the transaction.

        Args:
            path: The database. It may have other tables, which stay as they are.
            shown: The name of the database in messages.
            new: Whether `path` is an empty file that gets its name later. SQLite then needs no journal of its own.

        Raises:
            OutputError: If it is not a database, has a table of one of our names with other columns, or is locked.
        """
        self._shown = shown
        self._read_at = ""
        with sqlite_faults(shown):
            self._base = sqlite3.connect(path, timeout=LOCK_WAIT_S, isolation_level=None)
            try:
                if new:
                    self._base.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
                self._base.execute("CREATE TEMP TABLE kept (file, page, PRIMARY KEY (file, page)) WITHOUT ROWID")
                self._base.execute("BEGIN IMMEDIATE")
                self._read_at = datetime.now(UTC).isoformat(timespec="seconds")
                for name in TABLES:
                    _check_columns(self._base, name, shown)
                    self._base.execute(_create(name))
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
        rows_of: dict[str, Sequence[Row]] = {
            "digits": result.digits,
            "numbers": result.numbers,
            "pages": (result.page,),
        }
        new = {name: rounded_rows(TABLES[name], rows) for name, rows in rows_of.items()}
        if new == {name: self._rows(name, key) for name in TABLES}:
            return
        for name, rows in new.items():
            self._base.execute(f"DELETE FROM {name} WHERE file = ? AND page = ?", key)
            if name == "pages":
                rows = [(*row, self._read_at) for row in rows]
            if rows:
                places = ", ".join("?" * len(rows[0]))
                self._base.executemany(f"INSERT INTO {name} VALUES ({places})", rows)

    def _rows(self, name: str, key: tuple[str, int]) -> list[tuple[Any, ...]]:
        names = ", ".join(columns(TABLES[name]))
        order = ", ".join(_KEYS[name])
        return self._base.execute(
            f"SELECT {names} FROM {name} WHERE file = ? AND page = ? ORDER BY {order}", key
        ).fetchall()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the rows of all other pages and commit; after an error, change nothing."""
        with closing(self._base), sqlite_faults(self._shown):
            if error is None:
                for name in TABLES:
                    self._base.execute(f"DELETE FROM {name} WHERE (file, page) NOT IN (SELECT file, page FROM kept)")
                self._base.execute("COMMIT")


def check_database(path: Path) -> None:
    """Check that the tables can be written into an existing database.

    Raises:
        OutputError: If it is not a database, has a table of one of our names with other columns, or is locked.
    """
    with sqlite_faults(path), closing(_connect(path, "rw")) as base:
        base.execute("BEGIN IMMEDIATE")
        for name in TABLES:
            _check_columns(base, name, path)
        base.execute("ROLLBACK")


def read_database(path: Path, name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table.

    Args:
        path: The database.
        name: The name of the table.

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
            cursor = base.execute(f"SELECT * FROM {name} ORDER BY {', '.join(_KEYS[name])}")
            names = [column[0] for column in cursor.description]
            check_columns(names, TABLES[name], path)
            for row in cursor:
                yield dict(zip(names, row, strict=True))
    except sqlite3.Error as error:
        raise ValueError(f"{path.name}, table {name}: {error}") from error


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open an existing database. SQLite would make a missing one."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=LOCK_WAIT_S, isolation_level=None)


def _create(name: str) -> str:
    """Return the SQL that makes a table if it is missing."""
    hints = get_type_hints(TABLES[name])
    parts = [f"{column} {_type(hints[column])}" for column in columns(TABLES[name])]
    if name == "pages":
        parts.append(f"{READ_AT} TEXT NOT NULL")
    parts.append(f"PRIMARY KEY ({', '.join(_KEYS[name])})")
    return f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(parts)}) WITHOUT ROWID"


def _type(hint: Any) -> str:
    """Return the SQL type of a field by its type hint."""
    kinds = get_args(hint)
    for kind, sql in ((int, "INTEGER"), (float, "REAL")):
        if hint is kind:
            return f"{sql} NOT NULL"
        if kind in kinds:
            return sql
    return "TEXT NOT NULL"


def _check_columns(base: sqlite3.Connection, name: str, shown: Path) -> None:
    """Raise OutputError if there is a table of this name that is not ours."""
    found = [row[1] for row in base.execute(f"PRAGMA table_info({name})")]
    expected = columns(TABLES[name]) + [READ_AT] * (name == "pages")
    if found and found != expected:
        raise OutputError(
            f"{shown}: its table {name} has other columns than this version of batchocr writes: rename the table, "
            "or give --out another file"
        )


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
