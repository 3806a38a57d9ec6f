"""Excel workbooks (Office Open XML, ECMA-376), with a sheet for each table."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self
from xml.etree.ElementTree import ParseError
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from batchocr.errors import OutputError
from batchocr.output.table import TableKind, Values, check_columns, rounded_rows

if TYPE_CHECKING:
    from openpyxl.cell import Cell

MAX_ROWS = 1_048_576
"""Rows that a sheet of Excel can have, with its header."""

_TIME = datetime(1980, 1, 1)
"""The time in all places of a workbook, so that the same rows give the same bytes. ZIP knows no earlier time."""

_WIDTHS = {"file": 32, "message": 60, "review": 28, "marks": 28, "text": 18, "digits": 18, "error": 18, "sha256": 16}
"""Widths of columns in characters. All others have `_WIDTH`."""
_WIDTH = 11

_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that a cell cannot hold, and CR, which XML parsers change."""
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""An underscore that begins an escape of Excel (ST_Xstring in ECMA-376 part 1)."""


class Workbook:
    """A workbook that is written in pieces. openpyxl keeps the rows in temporary files until it is saved."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        """Prepare a workbook in `file`, which must be empty. Messages name it `path`."""
        import openpyxl

        self._file, self._path = file, path
        self._book = openpyxl.Workbook(write_only=True)
        properties = self._book.properties
        properties.creator, properties.created, properties.modified = "batchocr", _TIME, _TIME

    def sheet(self, kind: TableKind) -> Sheet:
        """Add a sheet for a table."""
        return Sheet(self._book.create_sheet(kind.name), kind, self._path)

    def save(self) -> None:
        """Write the workbook to its file. All sheets must be closed."""
        from openpyxl.writer.excel import ExcelWriter

        with _ArchiveWithoutTimes(self._file, "w", ZIP_DEFLATED) as archive:
            ExcelWriter(self._book, archive).save()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the sheets of a workbook that was not saved. Else openpyxl prints errors when Python ends."""
        for sheet in self._book.worksheets:
            if not sheet.closed:
                with suppress(OSError), _full_disk():
                    sheet.close()


class Sheet:
    """A table in a sheet. Text has the number format `@`, so that Excel keeps zeros and never calculates."""

    def __init__(self, sheet: Any, kind: TableKind, path: Path) -> None:
        """Write the header into an empty sheet."""
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Font
        from openpyxl.utils import get_column_letter

        self._sheet, self._kind, self._path, self._rows = sheet, kind, path, 1
        names = kind.names
        self._last_column = get_column_letter(len(names))
        sheet.freeze_panes = "A2"
        for place, name in enumerate(names, 1):
            sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(name, _WIDTH)
        header = [WriteOnlyCell(sheet, value=name) for name in names]
        for title in header:
            title.font = Font(bold=True)
        sheet.append(header)
        self._cells: list[Cell | None] = []
        """A cell for each column that has a number format. openpyxl writes a cell at once, so all rows can share it."""
        for column in kind.columns:
            cell: Cell | None = None
            if column.type is not int:
                cell = WriteOnlyCell(sheet)
                cell.number_format = "@" if column.decimals is None else f"0.{'0' * column.decimals}"
            self._cells.append(cell)

    def add(self, rows: Sequence[Values]) -> None:
        """Append rows.

        Raises:
            OutputError: If the sheet has no room for them.
        """
        self._rows += len(rows)
        if self._rows > MAX_ROWS:
            raise OutputError(
                f"{self._path}: there are more rows than the {MAX_ROWS:,} of an Excel sheet: give --out another name, "
                f"which ends with .csv, .parquet or .db, and --state {self._path}.journal to read no page again"
            )
        with _full_disk():
            for row in rounded_rows(self._kind, rows):
                self._sheet.append([_filled(cell, value) for cell, value in zip(self._cells, row, strict=True)])

    def close(self) -> None:
        """Add the filter and end the sheet."""
        self._sheet.auto_filter.ref = f"A1:{self._last_column}{self._rows}"
        with _full_disk():
            self._sheet.close()


@contextmanager
def _full_disk() -> Iterator[None]:
    """Raise OSError if lxml, which openpyxl uses where it is installed, cannot write a temporary file."""
    try:
        yield
    except Exception as error:
        lxml = sys.modules.get("lxml.etree")
        if lxml is None or not isinstance(error, lxml.LxmlError):
            raise
        raise OSError(f"openpyxl's temporary file in {tempfile.gettempdir()}: {error}") from error


def _filled(cell: Cell | None, value: Any) -> Any:
    """Return what openpyxl is to write for a value."""
    if cell is None or value is None or value == "":
        return None if value == "" else value
    if isinstance(value, str):
        cell.value = _LOOKS_ESCAPED.sub("_x005F_", _NOT_XML.sub(_escape, value))
        cell.data_type = "s"  # openpyxl takes a text that begins with = for a formula
    else:
        cell.value = value
    return cell


def _escape(match: re.Match[str]) -> str:
    """Return a character as Python writes it in a string, such as \\x07."""
    return match[0].encode("unicode_escape").decode()


class _ArchiveWithoutTimes(ZipFile):
    """A ZIP archive whose files all have the same time, so that the same content gives the same bytes."""

    def writestr(self, name: Any, data: Any, *_: Any) -> None:
        """Write a file of the archive from memory."""
        super().writestr(_entry(name), data)

    def write(self, path: Any, name: Any = None, *_: Any) -> None:
        """Write a file of the archive from a file."""
        with Path(path).open("rb") as source, self.open(_entry(name), "w", force_zip64=True) as target:
            shutil.copyfileobj(source, target, 1 << 20)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _TIME.timetuple()[:6])
    entry.compress_type = ZIP_DEFLATED
    return entry


def read_workbook(path: Path, kind: TableKind) -> Iterator[dict[str, Any]]:
    """Yield the rows of a sheet. An empty cell is an empty text.

    Args:
        path: The workbook.
        kind: The table of the sheet.

    Yields:
        The values of a row by the name of their column.

    Raises:
        OSError: If the file cannot be opened or read.
        ValueError: If it is not a workbook, or has no such sheet, or the sheet lacks a column.
    """
    from openpyxl import load_workbook

    try:
        with path.open("rb") as file:
            sheet = load_workbook(file, read_only=True)[kind.name]
            rows = sheet.iter_rows(values_only=True)
            header = [str(value) for value in next(rows, ())]
            check_columns(header, kind, path)
            for row in rows:
                yield {key: "" if value is None else value for key, value in zip_longest(header, row)}
    except (BadZipFile, KeyError, ParseError) as error:
        raise ValueError(f"{path.name} has no sheet {kind.name} that can be read ({error})") from error
