"""Ground truth from results that a person has corrected in a spreadsheet.

`batchocr run` writes `results.numbers.csv` with a row per number and `results.csv` with a row and a box per digit. A
person corrects the column `text` of the first, or the column `digit` of the second. The boxes of `results.csv` then
tell where each true digit is. Spreadsheets damage such files: what cannot be right is refused with its line number.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from batchocr.errors import UsageError
from batchocr.recognition.calibration import NOT_A_DIGIT
from batchocr.spreadsheets import AS_TEXT, is_large_number, is_other_date, read_sheet

UNKNOWN = -1
"""Label of a digit that the person could not read."""
MARKS = {"x": NOT_A_DIGIT, "X": NOT_A_DIGIT, "?": UNKNOWN}
"""What a person writes in place of a digit, and the label that it gives."""
PLACE = ("file", "page", "line", "number")
"""Columns that name a number."""
BOX = ("left", "top", "width", "height")
NUMBERS_SUFFIX = ".numbers.csv"

Place = tuple[str, int, int, int]
"""File, page, line and number."""


@dataclass(frozen=True)
class CorrectedNumber:
    """A number as a person has corrected it."""

    text: str
    """Its true digits, without signs and without what is not a digit."""
    digits: tuple[tuple[int, int, int, int, int], ...]
    """Label, left, top, width and height of each box: 0 to 9, NOT_A_DIGIT or UNKNOWN."""

    @property
    def is_known(self) -> bool:
        """Whether it has digits and all its boxes are known."""
        return bool(self.text) and all(digit[0] != UNKNOWN for digit in self.digits)


@dataclass(frozen=True)
class _Row:
    """A row of a table and the line of the file on which it ends."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class _Digit:
    """A row of the digits table."""

    line: int
    position: int
    written: str
    box: tuple[int, int, int, int]


def page_key(file: str, page: int | None) -> str:
    """Return the key of a page in the truth: the file as the results name it, and the page."""
    return f"{file}, page {page}"


def read_corrected(path: Path, results: Path | None = None) -> dict[str, list[CorrectedNumber]]:
    """Read corrected results.

    Args:
        path: `results.numbers.csv` with a corrected column `text`, or `results.csv` with a corrected column `digit`.
            Rows that were taken out are not measured.
        results: The `results.csv` of the same run, for the boxes. By default the file beside `path` that its name
            belongs to. Not used where `path` has the digits itself.

    Returns:
        The numbers of each page, by `page_key`.

    Raises:
        UsageError: A table cannot be read, lacks a column, or has a value that cannot be right.
    """
    rows = _read_table(path)
    if not rows:
        raise UsageError(f"{path}: has no rows; give the table that batchocr run wrote, corrected")
    if "digit" in rows[0].cells:
        numbers = _digits_by_number(path, rows)
        corrected = {place: _from_digits(path, digits) for place, digits in numbers.items()}
    elif "text" in rows[0].cells:
        source = results or _digits_table_beside(path)
        corrected = dict(_from_texts(path, rows, source, _digits_by_number(source, _read_table(source))))
    else:
        raise UsageError(f"{path}: has neither a column text nor a column digit; keep the first line of the table")
    pages: defaultdict[str, list[CorrectedNumber]] = defaultdict(list)
    for place in sorted(corrected):
        pages[page_key(place[0], place[1])].append(corrected[place])
    return dict(pages)


def _digits_table_beside(path: Path) -> Path:
    """Return `results.csv` for `results.numbers.csv`."""
    beside = path.with_name(path.name.removesuffix(NUMBERS_SUFFIX) + ".csv")
    if beside == path or not beside.is_file():
        raise UsageError(
            f"{path}: the table of digits with their boxes is not beside it; give the results.csv of the same run as "
            "--results"
        )
    return beside


def _read_table(path: Path) -> list[_Row]:
    """Read a table; a row with another number of cells than the first line is a UsageError."""
    sheet = read_sheet(path)
    for line, cells in sheet.lines:
        if len(cells) != len(sheet.header):
            raise UsageError(f"{path}, line {line}: has not as many cells as the first line; repair it")
    return [_Row(line, dict(zip(sheet.header, cells, strict=True))) for line, cells in sheet.lines]


def _cell(path: Path, row: _Row, column: str) -> str:
    if column not in row.cells:
        raise UsageError(f"{path}: has no column {column}; keep all columns of the table that batchocr run wrote")
    return row.cells[column].strip()


def _integer(path: Path, row: _Row, column: str) -> int:
    text = _cell(path, row, column)
    if not re.fullmatch(r"-?[0-9]+", text):
        raise UsageError(
            f"{path}, line {row.line}: {column} is {text!r}, not a whole number; copy it from the original table"
        )
    return int(text)


def _place(path: Path, row: _Row) -> Place:
    return (_cell(path, row, "file"), *(_integer(path, row, column) for column in PLACE[1:]))  # type: ignore[return-value]


def _digits_by_number(path: Path, rows: Sequence[_Row]) -> dict[Place, list[_Digit]]:
    """Return the rows of a digits table by number, in the order of their positions."""
    numbers: defaultdict[Place, dict[int, _Digit]] = defaultdict(dict)
    for row in rows:
        place, position = _place(path, row), _integer(path, row, "position")
        if position in numbers[place]:
            raise UsageError(f"{path}, line {row.line}: this digit is there twice; take one of the rows out")
        left, top, width, height = (_integer(path, row, column) for column in BOX)
        written = _cell(path, row, "digit")
        numbers[place][position] = _Digit(row.line, position, written, (left, top, width, height))
    return {place: [digits[at] for at in sorted(digits)] for place, digits in numbers.items()}


def _from_digits(path: Path, digits: Sequence[_Digit]) -> CorrectedNumber:
    """Return the number of a corrected digits table."""
    labels = []
    for digit in digits:
        if digit.written not in MARKS and not re.fullmatch(r"[0-9]", digit.written):
            raise UsageError(
                f"{path}, line {digit.line}: digit is {digit.written!r}; write one digit 0 to 9, x where it is not a "
                "digit, or ? where it cannot be read"
            )
        labels.append(_label(digit.written))
    return _corrected(labels, digits)


def _from_texts(
    path: Path, rows: Sequence[_Row], source: Path, numbers: Mapping[Place, Sequence[_Digit]]
) -> Iterator[tuple[Place, CorrectedNumber]]:
    """Yield the numbers of a corrected numbers table, with the boxes of the digits table `source`."""
    lines: dict[Place, int] = {}
    for row in rows:
        place, text = _place(path, row), _cell(path, row, "text")
        if place in lines:
            raise UsageError(f"{path}, line {row.line}: the same number is on line {lines[place]}; take one out")
        lines[place] = row.line
        digits = numbers.get(place)
        if digits is None:
            raise UsageError(
                f"{path}, line {row.line}: {source.name} has no number {place[3]} on line {place[2]} of "
                f"{page_key(*place[:2])}; give both tables of one run, and do not change file, page, line and number"
            )
        labels = _labels(path, row.line, text, "".join(digit.written for digit in digits))
        yield place, _corrected(labels, digits)


def _labels(path: Path, line: int, text: str, read: str) -> list[int]:
    """Return the labels that a corrected `text` gives to the digits that were `read`."""
    where = f"{path}, line {line}: text is {text!r}"
    if not text:
        return [NOT_A_DIGIT] * len(read)
    if is_large_number(text):
        raise UsageError(f"{where}: a spreadsheet made it a large number; {AS_TEXT}, and write it as on the page")
    characters = [c for c in text if c in MARKS or c.isalnum()]
    if strange := next((c for c in characters if c not in MARKS and not re.fullmatch(r"[0-9]", c)), None):
        raise UsageError(
            f"{where}: {strange!r} is not a digit 0 to 9; write x in place of what is not a digit, and ? for a digit "
            "that cannot be read"
        )
    if len(characters) != len(read):
        raise UsageError(f"{where}: {_count_fault(text, ''.join(characters), read)}")
    if is_other_date(text, read):
        raise UsageError(
            f"{where}, and {read} was read: the same digits in another order, as a spreadsheet writes dates; "
            f"{AS_TEXT}, and write the date as on the page"
        )
    return [_label(c) for c in characters]


def _count_fault(text: str, written: str, read: str) -> str:
    """Say why a text has another number of digits than the digits table, and what to do."""
    counts = f"it has {len(written)} digits, and {len(read)} were read ({read})"
    if read.startswith("0") and read.lstrip("0").endswith(written.lstrip("0")) and len(written) < len(read):
        return f"{counts}: a spreadsheet takes leading zeros away; {AS_TEXT}, and write {read}"
    if text.endswith(".0") and written == f"{read}0":
        return f"{counts}: a spreadsheet added .0; {AS_TEXT}, and write {read}"
    if len(written) > len(read):
        return f"{counts}: a digit that was not found has no box; write only those that were read, or take the row out"
    return f"{counts}: write one digit for each that was read, x in place of one that is not a digit"


def _label(character: str) -> int:
    return MARKS[character] if character in MARKS else int(character)


def _corrected(labels: Sequence[int], digits: Sequence[_Digit]) -> CorrectedNumber:
    text = "".join(str(label) for label in labels if 0 <= label < NOT_A_DIGIT)
    return CorrectedNumber(text, tuple((label, *digit.box) for label, digit in zip(labels, digits, strict=True)))
