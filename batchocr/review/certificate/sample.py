"""The reviewed sample: which items of the results were reviewed, and how many of each page could have been."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchocr.errors import UsageError
from batchocr.output.outputs import output_paths
from batchocr.output.read_table import read_table
from batchocr.output.table_kinds import BASIC, FIELDS, TABLES
from batchocr.review.certificate.drift import page_score
from batchocr.review.corrections.lines import read_corrections
from batchocr.review.decision import Decision, Kind

Page = tuple[str, int]
"""File and page."""


@dataclass(frozen=True)
class Results:
    """The items of one kind in earlier results."""

    confidences: dict[Page, list[float]]
    """Of all items of each page."""
    accepted: dict[Page, list[float]]
    """Of the items without a mark."""
    items: frozenset[tuple[object, ...]]
    """What identifies each item, see `key`."""
    hashes: dict[Page, str]
    """SHA-256 of the scan of each page."""
    run: dict[str, Any]
    """`results.run.json`."""

    @property
    def page_scores(self) -> list[float]:
        """The score of each page with items, sorted."""
        return sorted(score for each in self.confidences.values() if (score := page_score(each)) is not None)


@dataclass(frozen=True)
class Unit:
    """A reviewed item that stands for its page."""

    page: Page
    confidence: float
    wrong: bool


def key(file: str, page: int, left: int, top: int, width: int, height: int, name: str = "") -> tuple[object, ...]:
    """Return what identifies an item of one kind."""
    return file, page, left, top, width, height, name


def read_results(out: Path, of: Kind, form: str = "") -> Results:
    """Read the items of a kind from results, whatever their format.

    Raises:
        UsageError: `results.run.json` is missing, or the results have no such item.
    """
    run_file = out.with_suffix(".run.json")
    try:
        run: dict[str, Any] = json.loads(run_file.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{run_file}: cannot be read: it is written by `batchocr run` beside {out.name}") from error
    kind = FIELDS if of == "field" else TABLES[f"{of}s"]
    tables = output_paths(out, kinds=(*BASIC, FIELDS)).tables or {}
    table = tables[kind.name]
    if not table.exists():
        raise UsageError(f"{table}: is not there: read the scans again, or give another --of")
    pages = read_table(tables["pages"], TABLES["pages"])
    hashes = {(row["file"], int(row["page"])): row["sha256"] for row in pages}
    confidences: dict[Page, list[float]] = defaultdict(list)
    accepted: dict[Page, list[float]] = defaultdict(list)
    items = set()
    for row in read_table(table, kind):
        if form and row.get("form") != form:
            continue
        page, confidence = (row["file"], int(row["page"])), float(row["confidence"])
        confidences[page].append(confidence)
        box = [int(row[side]) for side in ("left", "top", "width", "height")]
        items.add((*page, *box, row.get("field", "")))
        if row["status"] == "ok" if of == "field" else not row["review"]:
            accepted[page].append(confidence)
    if not items:
        raise UsageError(f"{table}: has no {of}s{f' of the form {form}' if form else ''}: name what was read")
    return Results(dict(confidences), dict(accepted), frozenset(items), hashes, run)


def read_decisions(paths: Sequence[Path]) -> list[Decision]:
    """Read files of corrections.

    Raises:
        UsageError: A file cannot be read, or has a line that cannot be right: it must be repaired.
    """
    found: list[Decision] = []
    for path in paths:
        given, refused = read_corrections(path)
        if refused:
            raise UsageError(f"{refused[0]} ({len(refused)} such lines): repair them, or take them out")
        found += [each.decision for each in given]
    return found


def units(decisions: Sequence[Decision], results: Results, seed: int) -> list[Unit]:
    """Choose one reviewed item of each page, so that each accepted item of the collection is equally likely.

    Items of a page go together: one hand, one scanner. Therefore one item of each page is taken. A page with many
    accepted items stands for more of them. A page is kept with a chance in proportion to their number (rejection
    sampling; von Neumann, 1951), so that the kept items are independent draws from all accepted items, and the binomial
    distribution is exact. If all pages have the same number, all are kept. Both choices depend on the seed and the
    page's name only, never on the decisions.

    Args:
        decisions: Of accepted items, drawn at random on each page.
        results: The items of the results.
        seed: Of both choices.

    Returns:
        The units, in the order of their pages.
    """
    by_page: dict[Page, list[Decision]] = defaultdict(list)
    for each in decisions:
        by_page[each.file, each.page].append(each)
    most = max((len(results.accepted.get(page, ())) for page in by_page), default=0)
    chosen = []
    for page in sorted(by_page):
        if _chance(seed, "page", *page) * most >= len(results.accepted.get(page, ())):
            continue
        one = min(by_page[page], key=lambda each: _chance(seed, "item", *page, each.name, each.left, each.top))
        chosen.append(Unit(page, one.confidence, one.decision != "confirm"))
    return chosen


def _chance(*of: object) -> float:
    """Return a number from 0 to 1 that looks random and is the same for the same arguments."""
    return int.from_bytes(hashlib.sha256(repr(of).encode()).digest()[:7], "big") / (1 << 56)
