"""The corrections in the journal of a run: they are applied when its tables are written, and are a table themselves."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

from batchocr.batch.journal import Journal, Stored
from batchocr.batch.open_journal import has_corrections
from batchocr.output.table import TableKind, Values
from batchocr.output.table_kinds import Kinds, row_columns
from batchocr.records import PageResult
from batchocr.review.corrections.apply import apply_each
from batchocr.review.corrections.fields import Fields, known_fields
from batchocr.review.decision import COLUMNS, Decision

NAME = "corrections"
"""Name of the table."""
KEY = ("file", "page", "sha256", "kind", "name", "left", "top", "width", "height")
"""The columns that identify what a decision is about."""

log = logging.getLogger(__name__)
_values = attrgetter(*COLUMNS)
item = attrgetter(*KEY)
"""Returns what a decision is about."""


class Corrections:
    """The decisions of persons about the pages of a run."""

    def __init__(self) -> None:
        """Create them without decisions: `load` takes those of a journal."""
        self.stored: list[Stored] = []
        self.fields: Fields = {}
        self.dropped: list[Stored] = []
        """Those whose scan has changed, after all pages were corrected."""
        self._applied: dict[tuple[str, int | None], tuple[Decision, ...]] = {}

    @property
    def kind(self) -> TableKind:
        """The table of the decisions that were applied. Its columns are those of a file of corrections."""
        return TableKind(NAME, row_columns(Decision), KEY, self._rows)

    def load(self, journal: Journal, without: Iterable[Stored] = ()) -> None:
        """Take the decisions of a journal, but for some."""
        gone = {stored.id for stored in without}
        self.stored = [stored for stored in journal.corrections() if stored.id not in gone]
        self.fields = known_fields(journal.account("fields"))

    def corrected(self, journal: Journal) -> Iterator[PageResult]:
        """Yield all pages of a journal in the order of the results, corrected.

        A decision belongs to the same page of the same content (SHA-256) at the same place; if the scans of this run
        are at other places, at any place. A decision whose scan has other content now is dropped.
        """
        places = set(journal.entries()) if self.stored else set()
        by_place: dict[tuple[str, int | None], list[Stored]] = defaultdict(list)
        moved: dict[tuple[str, int | None], list[Stored]] = defaultdict(list)
        for stored in self.stored:
            decision = stored.decision
            if stored.place in places:
                by_place[stored.place, decision.page].append(stored)
            else:
                moved[decision.sha256, decision.page].append(stored)
        contents: dict[str, set[str]] = defaultdict(set)
        self._applied, self.dropped = {}, []
        for place, result in journal.placed_results():
            sha256, page = result.page.sha256, result.page.page
            if sha256:
                contents[place].add(sha256)
            own = [*by_place.get((place, page), ()), *moved.get((sha256, page), ())]
            yield self._apply(result, [each.decision for each in own if each.decision.sha256 == sha256])
        self.dropped = [
            stored
            for stored in self.stored
            if contents.get(stored.place) and stored.decision.sha256 not in contents[stored.place]
        ]
        for file, count in Counter(stored.decision.file for stored in self.dropped).items():
            log.warning("%s: the scan has changed, so its corrections (%d) are dropped: review it again", file, count)

    def _apply(self, result: PageResult, decisions: Sequence[Decision]) -> PageResult:
        if not decisions:
            return result
        done = apply_each(result, decisions, self.fields)
        key = result.page.file, result.page.page
        self._applied[key] = done.decisions
        return done.result

    def _rows(self, result: PageResult) -> list[Values]:
        file, page = result.page.file, result.page.page
        rows = [(file, *_values(decision)[1:]) for decision in self._applied.get((file, page), ())]
        return sorted(rows, key=lambda row: row[: len(KEY)])

    def figures(self) -> dict[str, Any]:
        """Return counts for `results.run.json`, after all pages were corrected; none without decisions."""
        if not self.stored:
            return {}
        applied = sum(map(len, self._applied.values()))
        counts = {"stored": len(self.stored) - len(self.dropped), "applied": applied, "dropped": len(self.dropped)}
        return {NAME: counts}

    def forget_dropped(self, journal: Journal) -> None:
        """Remove the decisions that were dropped from the journal, after the tables are written."""
        if self.dropped:
            journal.correct((), self.dropped)


def tables_with_corrections(kinds: Kinds, corrections: Corrections, journal: str | Path | None) -> Kinds:
    """Return the tables of a run: with that of corrections if its journal has some."""
    has_some = journal is not None and has_corrections(Path(journal))
    return (*kinds, corrections.kind) if has_some else kinds
