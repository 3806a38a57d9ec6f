"""The status of the last run into an output: counts, marks, pages to check, pages that failed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchocr.errors import OutputError, UsageError
from batchocr.output.outputs import Outputs
from batchocr.output.read_table import read_table
from batchocr.output.staging import staged
from batchocr.output.table_folder import TableFolder, is_folder
from batchocr.output.table_kinds import TABLES, WHOLE_SCAN
from batchocr.stores import is_url

MAX_NAMED = 20
"""Pages and numbers that are named for each kind of problem. The rest is only counted."""


@dataclass(frozen=True)
class Status:
    """The status of the last run."""

    out: str | Path
    version: str
    """The version of batchocr."""
    started: str
    """The time of the start, in ISO 8601."""
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
    """How many numbers have each mark, the most frequent mark first."""
    marked_numbers: tuple[tuple[str, str, str], ...]
    """File, page and line of each number to review, its text, and its marks."""
    marked_pages: tuple[tuple[str, str], ...]
    """File and number of each marked page, and its marks."""
    failed_pages: tuple[tuple[str, str, str], ...]
    """File and number of each failed page, the reason, and the message."""


def read_status(out: str | Path) -> Status:
    """Read the status from the results of the last run. No scan is read.

    Args:
        out: The path that was given as `--out`.

    Returns:
        The status.

    Raises:
        UsageError: If results cannot have this name.
        OutputError: If there are no results, they are not complete, or the last run wrote another format.
    """
    if is_folder(out):
        folder = TableFolder(str(out))
        with _checked(folder.out):
            return _status(folder.read_run(), folder.rows("pages"), folder.rows("numbers"), folder.out)
    with staged(out) as staging:
        if staging.outputs.run is None:
            raise UsageError("results on standard output have no status: name the results file")
        outputs = staging.outputs
        if is_url(out) and outputs.tables:
            staging.fetch((outputs.tables["numbers"], outputs.tables["pages"], outputs.run))
        return _read(staging.outputs, staging.out)


def _read(outputs: Outputs, shown: str | Path) -> Status:
    out = outputs.out
    assert outputs.run is not None and outputs.tables is not None
    with _checked(shown):
        run = json.loads(outputs.run.read_text(encoding="utf-8"))
        if Path(run.get("out", out.name)).suffix != out.suffix:  # all formats share the file of the run
            raise OutputError(
                f"{shown}: the last run wrote {run['out']}, and {outputs.run.name} describes that run: give that name, "
                "or run again with this one"
            )
        pages, numbers = (read_table(outputs.tables[name], TABLES[name]) for name in ("pages", "numbers"))
        return _status(run, pages, numbers, shown)


def _status(
    run: Mapping[str, Any],
    page_rows: Iterable[Mapping[str, str]],
    number_rows: Iterable[Mapping[str, str]],
    shown: str | Path,
) -> Status:
    counts = run["counts"]
    pages = 0
    marked_pages: list[tuple[str, str]] = []
    failed_pages: list[tuple[str, str, str]] = []
    for row in page_rows:
        pages += 1
        if row["marks"]:
            marked_pages.append((_page(row), row["marks"]))
        if row["status"] == "failed":
            failed_pages.append((_page(row), row["error"], row["message"]))
    numbers = 0
    marked_numbers: list[tuple[str, str, str]] = []
    marks: Counter[str] = Counter()
    for row in number_rows:
        numbers += 1
        if row["review"]:
            marked_numbers.append((f"{_page(row)}, line {row['line']}", row["text"], row["review"]))
        marks.update(mark for mark in row["review"].split(";") if mark)
    return Status(
        out=shown,
        version=str(run["version"]),
        started=str(run["started"]),
        seconds=float(run["seconds"]["all"]),
        scans=int(counts["scans"]),
        pages=pages,
        left=int(counts.get("left", 0)),
        digits=int(counts["digits"]),
        digits_marked=int(counts["review"]),
        numbers=numbers,
        numbers_marked=len(marked_numbers),
        marks=dict(marks.most_common()),
        marked_numbers=tuple(marked_numbers),
        marked_pages=tuple(marked_pages),
        failed_pages=tuple(failed_pages),
    )


@contextmanager
def _checked(shown: str | Path) -> Iterator[None]:
    """Turn what is raised for missing and damaged files into OutputError."""
    try:
        yield
    except FileNotFoundError as fault:
        raise OutputError(f"{shown}: there are no results of a run here ({fault.filename} is missing)") from fault
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise OutputError(
            f"{shown}: the files of the results are not those of a run ({fault}); run it again"
        ) from fault


def _page(row: Mapping[str, str]) -> str:
    return row["file"] if row["page"] in ("", str(WHOLE_SCAN)) else f"{row['file']}, page {row['page']}"


def status_lines(status: Status) -> Iterator[str]:
    """Yield the status as lines of text."""
    s = status
    yield (
        f"{s.out}: pages {s.pages}, scans {s.scans}, by batchocr {s.version} in {s.seconds:.1f} s, started {s.started}"
    )
    yield (
        f"digits {s.digits}, to review {_share(s.digits_marked, s.digits)}; "
        f"numbers {s.numbers}, to review {_share(s.numbers_marked, s.numbers)}"
    )
    for mark, count in s.marks.items():
        yield f"  with {mark}: {count}"
    yield from _first([f"  {place}: {text}: {marks}" for place, text, marks in s.marked_numbers], "numbers")
    if s.left:
        yield f"pages left for the next run: {s.left}"
    yield f"pages to check as a whole: {len(s.marked_pages)}"
    yield from _first([f"  {page}: {marks}" for page, marks in s.marked_pages], "pages")
    yield f"failed pages: {len(s.failed_pages)}"
    yield from _first([f"  {page}: {reason}: {message}" for page, reason, message in s.failed_pages], "pages")


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.1%})" if whole else str(part)


def _first(lines: list[str], table: str) -> Iterator[str]:
    yield from lines[:MAX_NAMED]
    if len(lines) > MAX_NAMED:
        yield f"  and {len(lines) - MAX_NAMED} more, in the table of {table}"
