"""Which of the given decisions can be applied to a run: about a page and a row that it has, and without a conflict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from batchocr.batch.journal import Journal, Stored
from batchocr.records import PageResult
from batchocr.review.corrections.alignment import best_match
from batchocr.review.corrections.apply import MIN_OVERLAP, apply_decisions, place_of
from batchocr.review.corrections.fields import Fields
from batchocr.review.corrections.layout import box_of
from batchocr.review.corrections.lines import Given, Refused
from batchocr.review.corrections.of_run import item
from batchocr.review.decision import Decision
from batchocr.spreadsheets import has_lost_zeros, is_other_date

Item = tuple[Any, ...]


@dataclass
class Accepted:
    """What becomes of given lines."""

    new: list[tuple[str, Decision]] = field(default_factory=list)
    """Decisions to be stored, each with the place of its scan."""
    replaced: list[Stored] = field(default_factory=list)
    """Stored decisions that the new ones replace."""
    refused: list[Refused] = field(default_factory=list)
    known: int = 0
    """Lines whose answer was known. They are never applied."""
    repeated: int = 0
    """Lines that change nothing: given twice, stored already, or older than what the same person decided later."""


def accept(
    given: Sequence[Given],
    stored: Sequence[Stored],
    journal: Journal,
    fields: Fields,
    *,
    replace: bool = False,
) -> Accepted:
    """Decide which lines are stored.

    Of the decisions of one person about the same item the latest is taken. Different answers of two persons are
    refused, unless one of them could not tell.

    Args:
        given: The lines that are right in themselves.
        stored: The decisions in the journal.
        journal: The journal, for the rows of the pages.
        fields: The fields of the run.
        replace: Whether a new decision replaces a stored one of another person.
    """
    found = Accepted()
    by_item: dict[Item, list[Given]] = defaultdict(list)
    for line in given:
        if line.decision.task == "known":
            found.known += 1
        else:
            by_item[item(line.decision)].append(line)
    of_item = {item(each.decision): each for each in stored}
    chosen = [
        one
        for key, lines in by_item.items()
        if (one := _one_of(lines, found)) and _is_new(one, of_item.get(key), found, replace)
    ]
    places = _Pages(journal, {line.decision.file for line in chosen}, stored, fields)
    for line in sorted(chosen, key=lambda each: each.decision.at):
        fault = places.fault(line.decision)
        if fault:
            found.refused.append(line.refused(fault))
            continue
        found.new.append((places.add(line.decision), line.decision))
        if before := of_item.get(item(line.decision)):
            found.replaced.append(before)
    return found


def answer(decision: Decision) -> tuple[str, str]:
    """Return what a decision says about its item: its text; whether it is one; confirm and change say the same."""
    verdict = decision.decision
    return ("text" if verdict in ("confirm", "change", "add") else verdict), decision.text


def _one_of(lines: Sequence[Given], found: Accepted) -> Given | None:
    """Return the line that counts of those about one item; refuse all if persons contradict each other."""
    latest: dict[str, Given] = {}
    for line in lines:
        other = latest.setdefault(line.decision.by, line)
        if line.decision.at > other.decision.at:
            latest[line.decision.by] = line
        elif line.decision.at == other.decision.at and answer(line.decision) != answer(other.decision):
            why = f"the same item has another answer at the same time on line {other.line}: take one of them out"
            found.refused += [line.refused(why)]
            continue
        found.repeated += line is not other
    told = [line for line in latest.values() if line.decision.decision != "doubt"] or list(latest.values())
    if len({answer(line.decision) for line in told}) > 1:
        found.refused += [
            line.refused(
                f"{_others(line, told)} decided otherwise about the same item: compare both with "
                "`batchocr correct RESULTS A.csv B.csv --compare`, or take one of the lines out"
            )
            for line in told
        ]
        return None
    found.repeated += len(latest) - 1
    return max(told, key=lambda line: line.decision.at)


def _others(line: Given, lines: Sequence[Given]) -> str:
    own = answer(line.decision)
    other = next(each for each in lines if answer(each.decision) != own)
    return f"{other.decision.by} ({other.path.name}, line {other.line})"


def _is_new(line: Given, before: Stored | None, found: Accepted, replace: bool) -> bool:
    """Return whether a decision is to be stored, given the stored one about the same item."""
    if before is None:
        return True
    new, old = line.decision, before.decision
    if answer(new) == answer(old) or (new.by == old.by and new.at <= old.at) or _is_less(new, old):
        found.repeated += 1
        return False
    if new.by != old.by and old.decision != "doubt" and not replace:
        found.refused.append(
            line.refused(
                f"{old.by} decided otherwise about the same item ({old.decision} {old.text!r}, {old.at}): compare both "
                "with --compare, or give --replace if this one is right"
            )
        )
        return False
    return True


def _is_less(new: Decision, old: Decision) -> bool:
    """Return whether a person could not tell what another person has settled."""
    return new.by != old.by and new.decision == "doubt" and old.decision != "doubt"


class _Pages:
    """The pages of a run that decisions are about."""

    def __init__(self, journal: Journal, files: set[str], stored: Iterable[Stored], fields: Fields) -> None:
        self._pages: dict[str, list[tuple[str, PageResult]]] = defaultdict(list)
        self._fields = fields
        decisions: dict[tuple[str, str, int], list[Decision]] = defaultdict(list)
        for each in stored:
            decisions[each.place, each.decision.sha256, each.decision.page].append(each.decision)
        self._decisions: Mapping[tuple[str, str, int], list[Decision]] = decisions
        for place, result in journal.placed_results():
            if result.page.file in files:
                self._pages[result.page.file].append((place, result))

    def fault(self, decision: Decision) -> str:
        """Return why a decision cannot be applied, and the fix; empty if it can."""
        pages = self._pages.get(decision.file)
        if not pages:
            return f"the results have no scan {decision.file!r}: give the corrections of this run"
        if all(result.page.sha256 != decision.sha256 for _, result in pages):
            return "the scan has changed since, or is of another run (its SHA-256 is another): review it again"
        same = self._page(decision)
        if same is None:
            return f"the scan has no page {decision.page} in the results: restore the number of the page"
        place, result = same
        page = result.page
        if page.status == "failed":
            return "the page could not be read: remove the line, or repair the scan"
        right, bottom = decision.left + decision.width, decision.top + decision.height
        if (page.width and right > page.width) or (page.height and bottom > page.height):
            size = f"{page.width} × {page.height}"
            return f"the box ends at {right}, {bottom}, outside the page of {size} pixels: restore the box"
        # of the page as it was read, and as it is with what was decided before
        earlier = self._decisions.get((place, page.sha256, decision.page), [])
        states = [result, *([apply_decisions(result, earlier, self._fields)] if earlier else [])]
        read = [text for state in states if (text := _read(state, decision)) is not None]
        if not read and decision.decision != "add":
            what = f"no field {decision.name!r}" if decision.kind == "field" else f"no {decision.kind} in this box"
            return f"the results have {what}: give the corrections of this run, or restore name and box"
        return _damage(decision, read)

    def add(self, decision: Decision) -> str:
        """Take a decision for those that follow about the same page; return the place of its scan."""
        page = self._page(decision)
        assert page is not None
        self._decisions[page[0], decision.sha256, decision.page].append(decision)
        return page[0]

    def _page(self, decision: Decision) -> tuple[str, PageResult] | None:
        return next(
            (
                (place, result)
                for place, result in self._pages[decision.file]
                if (result.page.sha256, result.page.page) == (decision.sha256, decision.page)
            ),
            None,
        )


def _read(result: PageResult, decision: Decision) -> str | None:
    """Return the text of the row that a decision is about; None if there is none."""
    if decision.kind == "field":
        return next((row.text for row in result.fields if row.field == decision.name), None)
    if decision.kind == "digit":
        best = best_match(place_of(decision), [box_of(row) for row in result.digits], MIN_OVERLAP)
        return None if best is None else str(result.digits[best].digit)
    best = best_match(place_of(decision), [box_of(row) for row in result.numbers], MIN_OVERLAP)
    return None if best is None else result.numbers[best].text


def _damage(decision: Decision, read: Sequence[str]) -> str:
    """Return what a spreadsheet did to a line, and the fix; empty if nothing is seen.

    It changes `was` in the same way as `text`. So `was` tells whether a text without zeros, or a date, was meant.
    """
    if decision.kind == "digit" or decision.was in read:
        return ""
    fix = "restore both from the original file, and import all columns as text"
    for text in read:
        plain = "".join(filter(str.isdigit, text))
        if has_lost_zeros(decision.was, text) or has_lost_zeros(decision.was, plain):
            return f"was is {decision.was!r}, but {text!r} was read: a spreadsheet takes leading zeros away: {fix}"
        if is_other_date(decision.was, plain) or decision.was in (f"{plain}.0", f"{plain},0"):
            return f"was is {decision.was!r}, but {text!r} was read: a spreadsheet wrote it in another way: {fix}"
    return ""
