"""CSV files that a person may have edited in a spreadsheet: reading them, and the damage that spreadsheets do."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from batchocr.errors import UsageError

DELIMITERS = ",;\t"
"""Between cells. The one that the first line has most often is that of the file."""
DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}")
"""A text that a spreadsheet takes for a date."""
AS_TEXT = "import the columns text and digits as text, and save as CSV in UTF-8"
_LARGE = re.compile(r"[0-9][eE][+-]?[0-9]")


@dataclass(frozen=True)
class Sheet:
    """A CSV file."""

    header: tuple[str, ...]
    """The names of the columns; empty if the file is empty."""
    lines: tuple[tuple[int, tuple[str, ...]], ...]
    """The number of the line on which each row ends, and its cells. Rows without content are left out."""
    delimiter: str


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file with commas, semicolons or tabs, in UTF-8 or UTF-16, with or without a byte-order mark.

    Args:
        path: The file.

    Raises:
        UsageError: It cannot be read, or is not CSV.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except OSError as fault:
        raise UsageError(f"{path}: cannot be read ({fault.strerror}); give the corrected CSV file") from fault
    except UnicodeDecodeError as fault:
        raise UsageError(f"{path}: is not CSV in UTF-8; in the spreadsheet, save it as CSV UTF-8") from fault
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    rows = list(_rows(path, text, delimiter))
    return Sheet(rows[0][1] if rows else (), tuple(rows[1:]), delimiter)


def _rows(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, tuple(cells)
    except csv.Error as fault:
        raise UsageError(f"{path}, line {reader.line_num}: is not CSV ({fault}); save it as CSV UTF-8") from fault


def is_large_number(text: str) -> bool:
    """Return whether a spreadsheet has written a long number as `1E+05`."""
    return bool(_LARGE.search(text))


def is_other_date(text: str, read: str) -> bool:
    """Return whether a text is a date with the digits of what was read in another order.

    A spreadsheet makes `2017-05-12` of `12.05.2017`.

    Args:
        text: What the file has.
        read: The digits that were read, without signs.
    """
    written = "".join(filter(str.isdigit, text))
    return bool(DATE.fullmatch(text)) and written != read and sorted(written) == sorted(read)


def has_lost_zeros(text: str, read: str) -> bool:
    """Return whether a text is what was read without its leading zeros: `7` for `007`."""
    return text != read and read.startswith("0") and text.lstrip("0") == read.lstrip("0") and len(text) < len(read)
