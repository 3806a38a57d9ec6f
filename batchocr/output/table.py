"""The three tables of results, independent of the file format: columns, values, rounding."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from math import isnan
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, get_args, get_type_hints

import numpy as np

from batchocr.records import DigitRow, NumberRow, PageRow

if TYPE_CHECKING:
    import pandas as pd

Row = DigitRow | NumberRow | PageRow

TABLES: dict[str, type[Row]] = {"digits": DigitRow, "numbers": NumberRow, "pages": PageRow}
"""The name of each table and the type of its rows. Sheets and database tables have these names."""

DECIMALS = {"confidence": 4, "second_confidence": 4, "angle": 2, "seconds": 3}
"""Decimal places of each column with fractions, in every format."""

WHOLE_SCAN = 0
"""The value of `page` for a scan that could not be opened, so that the column has whole numbers only."""


class Table(Protocol):
    """A table that is written in pieces."""

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""

    def close(self) -> None:
        """Write what is still missing. The file of the table stays open."""


def columns(kind: type[Row]) -> list[str]:
    """Return the names of the columns of a table in order."""
    return [field.name for field in dataclasses.fields(kind)]


def check_columns(found: Iterable[str], kind: type[Row], path: Path) -> None:
    """Raise ValueError if a table in the file `path` lacks a column of `kind`."""
    missing = sorted(set(columns(kind)) - set(found))
    if missing:
        raise ValueError(f"{path.name} has no column {', '.join(missing)}")


def column_values(kind: type[Row], rows: Sequence[Row]) -> list[Sequence[Any]]:
    """Return the values of each column, not rounded.

    Args:
        kind: The type of all rows.
        rows: The rows, possibly none.

    Returns:
        For each column in order a sequence with one value for each row. None stands for an unknown value. `page` is
        WHOLE_SCAN if a page has no number.
    """
    names = columns(kind)
    values: list[Sequence[Any]] = list(zip(*map(attrgetter(*names), rows), strict=True)) if rows else [()] * len(names)
    if kind is PageRow:
        place = names.index("page")
        values[place] = [page or WHOLE_SCAN for page in values[place]]
    return values


def rounded_rows(kind: type[Row], rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """Return the rows as tuples of str, int, rounded float, or None."""
    values = [
        _rounded(name, column) if name in DECIMALS else column
        for name, column in zip(columns(kind), column_values(kind, rows), strict=True)
    ]
    return list(zip(*values, strict=True))


def text_rows(kind: type[Row], rows: Sequence[Row], decimal_sign: str = ".") -> list[tuple[str, ...]]:
    """Return the rows as the cells of a CSV file. An unknown value is an empty cell."""
    cells = [
        _texts(name, column, decimal_sign)
        for name, column in zip(columns(kind), column_values(kind, rows), strict=True)
    ]
    return list(zip(*cells, strict=True))


def text_of(name: str, value: Any) -> str:
    """Return one value, which is already rounded, as the cell of a CSV file. None and an empty text are empty cells."""
    if value is None or value == "":
        return ""
    return f"{value:.{DECIMALS[name]}f}" if name in DECIMALS else str(value)


def frame(kind: type[Row], rows: Sequence[Row]) -> pd.DataFrame:
    """Return the rows as a pandas table with rounded fractions.

    Args:
        kind: The type of all rows.
        rows: The rows. Without rows the table has the same columns and types.

    Returns:
        A table with the types Int64 (which has a missing value), float64 and object (str).
    """
    import pandas as pd

    hints = get_type_hints(kind)
    values = zip(columns(kind), column_values(kind, rows), strict=True)
    return pd.DataFrame({name: _series(name, hints[name], column) for name, column in values})


def _series(name: str, hint: Any, values: Sequence[Any]) -> pd.Series[Any]:
    import pandas as pd

    if hint is int or int in get_args(hint):
        return pd.Series(values, dtype="Int64")  # None becomes a missing value, and the others stay whole numbers
    if hint is float or float in get_args(hint):
        return pd.Series(values, dtype="float64").round(DECIMALS[name]) + 0.0  # -0.0 becomes 0.0
    return pd.Series(values, dtype="object")


def _rounded(name: str, values: Sequence[Any]) -> list[float | None]:
    rounded = np.round(np.array(values, np.float64), DECIMALS[name]) + 0.0  # None becomes NaN, and -0.0 becomes 0.0
    return [None if isnan(value) else value for value in rounded.tolist()]


def _texts(name: str, values: Sequence[Any], decimal_sign: str) -> Sequence[str]:
    if name not in DECIMALS:
        return ["" if value is None else str(value) for value in values]
    written = f"{{:.{DECIMALS[name]}f}}".format
    texts = ["" if value is None else written(value) for value in _rounded(name, values)]
    return texts if decimal_sign == "." else [text.replace(".", decimal_sign) for text in texts]
