"""A table of results, independent of the file format: columns, values, rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from batchocr.records import PageResult

if TYPE_CHECKING:
    import pandas as pd

Values = tuple[Any, ...]
"""The values of a row in the order of the columns, not rounded. None stands for an unknown value."""

MAX_DECIMALS = 4
"""Decimal places of a column at most."""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    type: type[int] | type[float] | type[str] = str
    decimals: int | None = None
    """Decimal places of a fraction, in every format; None for other types."""
    is_optional: bool = False
    """Whether a value can be unknown. An unknown text is empty."""
    unknown: int | None = None
    """The number that is written for an unknown value. None: the cell is empty."""
    is_compared: bool = True
    """Whether a page with another value here differs from the same page of an earlier run."""


@dataclass(frozen=True)
class TableKind:
    """What one of the tables of results contains."""

    name: str
    """Sheets and database tables have this name; names of files have it as a part."""
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """The columns that identify a row; the first two are `file` and `page`."""
    rows_of: Callable[[PageResult], Iterable[Values]]
    """Returns the rows that a page has in this table."""

    @property
    def names(self) -> list[str]:
        """The names of the columns in order."""
        return [column.name for column in self.columns]

    def rows(self, results: Iterable[PageResult]) -> list[Values]:
        """Return the rows of several pages."""
        return [row for result in results for row in self.rows_of(result)]


class Table(Protocol):
    """A table that is written in pieces."""

    def add(self, rows: Sequence[Values]) -> None:
        """Append rows."""

    def close(self) -> None:
        """Write what is still missing. The file of the table stays open."""


def check_columns(found: Iterable[str], kind: TableKind, path: Path) -> None:
    """Raise ValueError if a table in the file `path` lacks a column of `kind`."""
    missing = sorted(set(kind.names) - set(found))
    if missing:
        raise ValueError(f"{path.name} has no column {', '.join(missing)}")


def rounded_rows(kind: TableKind, rows: Sequence[Values]) -> list[Values]:
    """Return the rows with rounded fractions; unknown values are as they are written."""
    values = [
        _rounded(column, found) if column.decimals is not None else found for column, found in _by_column(kind, rows)
    ]
    return list(zip(*values, strict=True))


def text_rows(kind: TableKind, rows: Sequence[Values], decimal_sign: str = ".") -> list[tuple[str, ...]]:
    """Return the rows as the cells of a CSV file. An unknown value is an empty cell."""
    cells = [_texts(column, found, decimal_sign) for column, found in _by_column(kind, rows)]
    return list(zip(*cells, strict=True))


def text_of(column: Column, value: Any) -> str:
    """Return one value, which is already rounded, as the cell of a CSV file. None and an empty text are empty cells."""
    if value is None or value == "":
        return ""
    return f"{value:.{column.decimals}f}" if column.decimals is not None else str(value)


def frame(kind: TableKind, rows: Sequence[Values]) -> pd.DataFrame:
    """Return the rows as a pandas table with rounded fractions.

    Args:
        kind: The table.
        rows: The rows. Without rows the table has the same columns and types.

    Returns:
        A table with the types Int64 (which has a missing value), float64 and object (str).
    """
    import pandas as pd

    return pd.DataFrame({column.name: _series(column, found) for column, found in _by_column(kind, rows)})


def _by_column(kind: TableKind, rows: Sequence[Values]) -> list[tuple[Column, Sequence[Any]]]:
    """Return each column with its values, not rounded."""
    values: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * len(kind.columns)
    return [
        (column, found if column.unknown is None else [column.unknown if each is None else each for each in found])
        for column, found in zip(kind.columns, values, strict=True)
    ]


def _series(column: Column, values: Sequence[Any]) -> pd.Series[Any]:
    import pandas as pd

    if column.type is int:
        return pd.Series(values, dtype="Int64")  # None becomes a missing value, and the others stay whole numbers
    if column.decimals is not None:
        return pd.Series(values, dtype="float64").round(column.decimals) + 0.0  # -0.0 becomes 0.0
    return pd.Series(values, dtype="object")


def _rounded(column: Column, values: Sequence[Any]) -> list[float | None]:
    assert column.decimals is not None
    # None becomes NaN, and -0.0 becomes 0.0
    rounded = np.round(np.array(values, np.float64), column.decimals) + 0.0
    return [None if isnan(value) else value for value in rounded.tolist()]


def _texts(column: Column, values: Sequence[Any], decimal_sign: str) -> Sequence[str]:
    if column.decimals is None:
        return ["" if value is None else str(value) for value in values]
    written = f"{{:.{column.decimals}f}}".format
    texts = ["" if value is None else written(value) for value in _rounded(column, values)]
    return texts if decimal_sign == "." else [text.replace(".", decimal_sign) for text in texts]
