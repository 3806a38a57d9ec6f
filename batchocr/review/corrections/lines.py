"""The lines of files of corrections, and the lines that are refused, each with the reason and the fix."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from batchocr.errors import UsageError
from batchocr.output.atomic_write import whole_files
from batchocr.review.corrections.check_line import Fault, decision_of
from batchocr.review.decision import COLUMNS, Decision
from batchocr.spreadsheets import read_sheet

REASON = "reason"
"""The last column of the file of refused lines."""


@dataclass(frozen=True, slots=True)
class Given:
    """A decision, and the line that has it."""

    path: Path
    line: int
    cells: tuple[str, ...]
    """The cells of COLUMNS, as they were written."""
    decision: Decision

    def refused(self, reason: str) -> Refused:
        """Return the line as a refused one."""
        return Refused(self.path, self.line, self.cells, reason)


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is not applied."""

    path: Path
    line: int
    cells: tuple[str, ...]
    reason: str
    """What is wrong, and the fix."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


def read_corrections(path: Path) -> tuple[list[Given], list[Refused]]:
    """Read a file of corrections.

    Columns that are not among COLUMNS are ignored, so that a repaired file of refused lines can be given again.

    Args:
        path: The CSV file.

    Returns:
        The decisions, and the lines that have none.

    Raises:
        UsageError: The file cannot be read, or lacks a column.
    """
    sheet = read_sheet(path)
    if missing := [name for name in COLUMNS if name not in sheet.header]:
        raise UsageError(
            f"{path}: has no column {', '.join(missing)}: give a file that the page of `batchocr review` saved, with "
            "its first line; one of another version must be reviewed again"
        )
    places = [sheet.header.index(name) for name in COLUMNS]
    given: list[Given] = []
    refused: list[Refused] = []
    for line, written in sheet.lines:
        padded = written + ("",) * (len(sheet.header) - len(written))
        cells = tuple(padded[place] for place in places)
        if len(written) != len(sheet.header):
            why = f"has {len(written)} cells, and the first line has {len(sheet.header)}: restore the line"
            refused.append(Refused(path, line, cells, why))
            continue
        try:
            given.append(Given(path, line, cells, decision_of(cells, decimal_comma=sheet.delimiter != ",")))
        except Fault as fault:
            refused.append(Refused(path, line, cells, str(fault)))
    return given, refused


def write_refused(path: Path, refused: Sequence[Refused]) -> None:
    """Write refused lines to a CSV file, with the reason as the last column.

    Args:
        path: The file. It appears whole or not at all.
        refused: The lines.

    Raises:
        OutputError: It cannot be written.
    """
    write_csv(path, (*COLUMNS, REASON), [(*each.cells, str(each)) for each in refused])


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a CSV file in UTF-8. It appears whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    with whole_files([path]) as (file,):
        lines = _Lines()
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        file.write("".join(lines.written).encode())


class _Lines:
    """Collects what `csv` writes."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, text: str) -> None:
        """Append a line."""
        self.written.append(text)
