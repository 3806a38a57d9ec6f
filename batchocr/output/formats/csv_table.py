"""CSV files. They are written by Python's own `csv`, which takes a fifth of the time of pandas."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from batchocr.output.table import TableKind, Values, check_columns, text_rows
from batchocr.records import CsvDialect


@dataclass(frozen=True)
class _Dialect:
    """How the cells of a file are separated and written."""

    delimiter: str
    decimal_sign: str
    line_end: str
    byte_order_mark: bytes


_DIALECTS: dict[CsvDialect, _Dialect] = {
    "plain": _Dialect(",", ".", "\n", b""),
    "excel": _Dialect(";", ",", "\r\n", codecs.BOM_UTF8),
}


class CsvTable:
    """A table in a CSV file."""

    def __init__(self, file: BinaryIO, kind: TableKind, dialect: CsvDialect = "plain") -> None:
        """Prepare a table in `file`, which must be empty."""
        self._file, self._kind, self._dialect = file, kind, _DIALECTS[dialect]
        self._header = True

    def add(self, rows: Sequence[Values]) -> None:
        """Append rows. The first call writes the header too, even without rows."""
        dialect = self._dialect
        cells = text_rows(self._kind, rows, dialect.decimal_sign)
        # Before Python 3.13, `csv` does not quote a CR (in the name of a file), which would end the row.
        has_cr = any("\r" in cell for row in cells for cell in row)
        text = io.StringIO(newline="")
        writer = csv.writer(
            text,
            delimiter=dialect.delimiter,
            lineterminator=dialect.line_end,
            quoting=csv.QUOTE_ALL if has_cr else csv.QUOTE_MINIMAL,
        )
        if self._header:
            self._file.write(dialect.byte_order_mark)
            writer.writerow(self._kind.names)
        writer.writerows(cells)
        self._file.write(text.getvalue().encode())
        self._header = False

    def close(self) -> None:
        """Do nothing: all rows are in the file."""


def read_csv(path: Path, kind: TableKind) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file of either dialect, with decimal points.

    Args:
        path: The file.
        kind: The table.

    Yields:
        The cells of a row by the name of their column.

    Raises:
        OSError: If the file cannot be opened or read.
        ValueError: If it is not UTF-8, lacks a column, or a row has more or fewer cells than the header.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        dialect = _DIALECTS["excel" if file.readline().startswith(("file;", '"file";')) else "plain"]
        file.seek(0)
        table = csv.DictReader(file, delimiter=dialect.delimiter)
        check_columns(table.fieldnames or (), kind, path)
        fractions = [column.name for column in kind.columns if column.decimals is not None]
        try:
            for row in table:
                if None in row or None in row.values():
                    raise ValueError(f"{path.name} has a broken row near line {table.line_num}")
                if dialect.decimal_sign != ".":
                    row |= {name: row[name].replace(dialect.decimal_sign, ".") for name in fractions}
                yield row
        except csv.Error as error:
            raise ValueError(f"{path.name}: {error}") from error
