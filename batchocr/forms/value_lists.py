"""Read lists of possible values from CSV files."""

from __future__ import annotations

import csv
import io

from batchocr.forms.faults import unknown

_DELIMITERS = ",;\t|"


def listed_values(data: bytes, column: str | None) -> frozenset[str]:
    """Return the values in a column of a CSV file. Empty cells are left out.

    The first row has the names of the columns. If no column is named, the first column is read, and its first row is a
    value if it consists of digits.

    Args:
        data: The content of the file: UTF-8, with comma, semicolon, tab or `|` between columns.
        column: The name of the column; None for the first.

    Raises:
        ValueError: The list cannot be read. The message says why, and the fix.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is not text in UTF-8: save it as CSV in UTF-8") from None
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    values = set()
    try:
        names = [name.strip() for name in next(rows, [])]
        at = 0
        if column is not None:
            if column not in names:
                raise ValueError(unknown(f"has no column {column!r}", column, names))
            at = names.index(column)
        elif names and names[0].isdigit():
            values.add(names[0])
        values.update(row[at].strip() for row in rows if len(row) > at)
    except csv.Error as error:
        raise ValueError(f"is not a CSV file ({error}): save it as CSV in UTF-8") from None
    values.discard("")
    if not values:
        raise ValueError("has no values: write one value in each row, below the name of the column")
    return frozenset(values)
