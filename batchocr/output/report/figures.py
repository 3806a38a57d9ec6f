"""What a report counts while the pages of a run are written, in memory that does not grow with the number of pages."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from batchocr.forms.form_status import TO_CHECK
from batchocr.records import PageResult

MAX_PICTURES = 6
"""Pages that a report shows as pictures."""
MAX_NAMED = 20
"""Failed pages that a report names for each reason. It counts all."""
EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Confidences between the bars of the histogram. They are closer near 1, where most digits are."""
EQUATION, NO_REASON = "equation", "no-reason"
"""Stand for each equation of a form, and for a field to check without a reason of its own."""


@dataclass(frozen=True)
class WorstPage:
    """A page with much to check."""

    result: PageResult
    """All its rows, marked."""
    digits: int
    """Marked digits."""
    numbers: int
    """Marked numbers whose digits have no marks."""
    fields: int
    """Fields to check."""

    @property
    def places(self) -> int:
        """What a person has to look at on this page; each mark of the page as a whole counts too."""
        return self.digits + self.numbers + self.fields + len(_marks(self.result.page.marks))


@dataclass
class Failures:
    """The pages that failed for one reason."""

    count: int = 0
    named: list[tuple[str, int | None, str]] = field(default_factory=list)
    """File, page and message of the first ones, at most `MAX_NAMED`."""


@dataclass
class Figures:
    """Counts of all pages in the results, in addition to those of `results.run.json`."""

    empty: int = 0
    """Pages on which no digit was found."""
    digit_marks: Counter[str] = field(default_factory=Counter)
    """Digits with each mark."""
    number_marks: Counter[str] = field(default_factory=Counter)
    """Numbers with each mark."""
    page_marks: Counter[str] = field(default_factory=Counter)
    """Pages with each mark."""
    sure: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))
    """Digits without mark by their confidence: those below the first of `EDGES` first."""
    marked: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))
    """Digits with a mark, in the same way."""
    field_reasons: Counter[str] = field(default_factory=Counter)
    """Fields to check with each reason; see `EQUATION` and `NO_REASON`."""
    fields_to_check: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each field of each form is to be checked."""
    pages_of_forms: Counter[str] = field(default_factory=Counter)
    """Pages of each form, to compare the fields to check with."""
    failures: dict[str, Failures] = field(default_factory=dict)
    """The failed pages by their reason."""

    def __post_init__(self) -> None:
        self._worst: list[tuple[int, int, WorstPage]] = []  # a heap: the page with the least to check is first
        self._pages = 0

    def counting(self, results: Iterable[PageResult]) -> Iterator[PageResult]:
        """Yield all results, marked, and count them."""
        for result in results:
            self.add(result)
            yield result

    def add(self, result: PageResult) -> None:
        """Count a page, marked."""
        self._pages += 1
        page = result.page
        if page.status == "failed":
            failures = self.failures.setdefault(page.error, Failures())
            failures.count += 1
            if len(failures.named) < MAX_NAMED:
                failures.named.append((page.file, page.page, page.message))
            return
        self.empty += page.status == "empty"
        for digit in result.digits:
            self.digit_marks.update(_marks(digit.review))
            (self.marked if digit.review else self.sure)[bisect_right(EDGES, digit.confidence)] += 1
        for number in result.numbers:
            self.number_marks.update(_marks(number.review))
        self.page_marks.update(_marks(page.marks))
        if result.form and result.form.form:
            self.pages_of_forms[result.form.form] += 1
        for row in result.fields:
            if row.status in TO_CHECK:
                self.field_reasons.update(_reasons(row.reason))
                self.fields_to_check[row.form, row.field] += 1
        self._keep(result)

    def worst(self) -> list[WorstPage]:
        """Return the pages with the most to check, at most `MAX_PICTURES`, the worst first."""
        return [page for _, _, page in sorted(self._worst, key=lambda each: (-each[0], -each[1]))]

    def _keep(self, result: PageResult) -> None:
        doubtful = {(digit.line, digit.number) for digit in result.digits if digit.review}
        page = WorstPage(
            result,
            sum(bool(digit.review) for digit in result.digits),
            sum(bool(number.review) and (number.line, number.number) not in doubtful for number in result.numbers),
            sum(row.status in TO_CHECK for row in result.fields),
        )
        if page.places:
            keep = heapq.heappush if len(self._worst) < MAX_PICTURES else heapq.heappushpop
            keep(self._worst, (page.places, -self._pages, page))


def _marks(text: str) -> list[str]:
    return [mark for mark in text.split(";") if mark]


def _reasons(text: str) -> set[str]:
    """Return the reasons of a field, without the reading that it had before the rules."""
    found = {EQUATION if " = " in each else each for each in _marks(text) if not each.startswith("without-rules=")}
    return found or {NO_REASON}
