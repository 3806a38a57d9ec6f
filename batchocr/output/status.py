"""What the last run into an output says of itself: counts, marks, pages to look at, pages that failed."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchocr.errors import OutputError
from batchocr.output.table import output_paths
from batchocr.records import NumberRow, PageRow

MOST_PAGES = 20
"""Pages of a kind that are named; the rest are counted."""


@dataclass(frozen=True)
class Status:
    """Of the last run."""

    out: Path
    version: str
    started: str
    seconds: float
    scans: int
    pages: int
    left: int
    """Pages that have no rows because of --limit."""
    digits: int
    digits_marked: int
    numbers: int
    numbers_marked: int
    marks: dict[str, int]
    """By mark the numbers that have it, the most frequent first."""
    marked_pages: tuple[tuple[str, str], ...]
    """Each page by its file and number, and its marks."""
    failed_pages: tuple[tuple[str, str, str], ...]
    """Each by its file and number, its reason, and what it says."""


def read_status(out: Path) -> Status:
    """The status of the results at `out`, from the files beside it.

    Raises UsageError for a name that no results have, OutputError where there are none, or not whole ones.
    """
    paths = output_paths(out)
    try:
        run = json.loads(paths.run.read_text(encoding="utf-8"))
        pages, numbers = list(_rows(paths.pages, PageRow)), list(_rows(paths.numbers, NumberRow))
        counts, version, started, seconds = run["counts"], run["version"], run["started"], run["seconds"]["all"]
        return Status(
            out=out,
            version=str(version),
            started=str(started),
            seconds=float(seconds),
            scans=int(counts["scans"]),
            pages=len(pages),
            left=int(counts.get("left", 0)),
            digits=int(counts["digits"]),
            digits_marked=int(counts["review"]),
            numbers=len(numbers),
            numbers_marked=sum(bool(row["review"]) for row in numbers),
            marks=dict(Counter(mark for row in numbers for mark in row["review"].split(";") if mark).most_common()),
            marked_pages=tuple((_page(row), row["marks"]) for row in pages if row["marks"]),
            failed_pages=tuple(
                (_page(row), row["error"], row["message"]) for row in pages if row["status"] == "failed"
            ),
        )
    except FileNotFoundError as fault:
        raise OutputError(f"{out}: there are no results of a run here ({fault.filename} is missing)") from fault
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise OutputError(f"{out}: the files beside it are not those of a run ({fault}); run it again") from fault


def _rows(path: Path, kind: type[Any]) -> Iterator[dict[str, str]]:
    """Raises ValueError where a table lacks a column."""
    with path.open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        missing = set(kind.__dataclass_fields__) - set(table.fieldnames or ())
        if missing:
            raise ValueError(f"{path.name} has no column {', '.join(sorted(missing))}")
        yield from table


def _page(row: dict[str, str]) -> str:
    return f"{row['file']}, page {row['page']}" if row["page"] else row["file"]


def told(status: Status) -> Iterator[str]:
    """The status in lines for people."""
    s = status
    yield (
        f"{s.out}: pages {s.pages}, scans {s.scans}, by batchocr {s.version} in {s.seconds:.1f} s, begun {s.started}"
    )
    yield (
        f"digits {s.digits}, to review {_of(s.digits_marked, s.digits)}; "
        f"numbers {s.numbers}, to review {_of(s.numbers_marked, s.numbers)}"
    )
    for mark, count in s.marks.items():
        yield f"  with {mark}: {count}"
    if s.left:
        yield f"pages left for the next run: {s.left}"
    yield f"pages to look at as a whole: {len(s.marked_pages)}"
    yield from _some([f"  {page}: {marks}" for page, marks in s.marked_pages])
    yield f"failed pages: {len(s.failed_pages)}"
    yield from _some([f"  {page}: {reason}: {message}" for page, reason, message in s.failed_pages])


def _of(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.1%})" if whole else str(part)


def _some(lines: list[str]) -> Iterator[str]:
    yield from lines[:MOST_PAGES]
    if len(lines) > MOST_PAGES:
        yield f"  and {len(lines) - MOST_PAGES} more, in the file that ends with .pages.csv"
