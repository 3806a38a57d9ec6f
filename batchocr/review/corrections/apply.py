"""Apply what a person decided to the rows of a page: a pure function, used each time that tables are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from batchocr.decoding.marks.names import DOUBT
from batchocr.records import Box, DigitRow, Origin, PageResult
from batchocr.review.corrections.alignment import aligned, best_match, between, spread
from batchocr.review.corrections.fields import Fields, doubted_field, followed_field, has_digits, settled_field
from batchocr.review.corrections.layout import (
    Layout,
    Number,
    box_of,
    is_centre_in,
    layout_of,
    split_signs,
    with_layout,
)
from batchocr.review.corrections.placing import place_digit, place_number
from batchocr.review.decision import Decision

MIN_OVERLAP = 0.5
"""Minimum intersection over union of a decision's box and the box of the row that it is about. Basis: the usual limit
of object detection (Everingham and others, The PASCAL visual object classes challenge, IJCV 2010)."""


@dataclass(frozen=True)
class Applied:
    """A page with its corrections."""

    result: PageResult
    decisions: tuple[Decision, ...]
    """Those that were applied."""
    waiting: tuple[Decision, ...]
    """Those that are about nothing that the page has now, such as a field without its form."""
    settled: frozenset[Box] = frozenset()
    """The boxes of the digits that a person has settled."""


def apply_decisions(result: PageResult, decisions: Iterable[Decision], fields: Fields | None = None) -> PageResult:
    """Return a page with what a person decided.

    A corrected or confirmed digit has confidence 1 and no marks; its number and field follow. A corrected number or
    field settles its digits, which are aligned by the fewest changes. A doubt adds the mark `doubt`. A digit or number
    that the page lacks is added, because the person saw it.

    Args:
        result: All rows of the page, without the marks of the threshold.
        decisions: Decisions about this page in any order; the earlier ones are applied first.
        fields: The fields of the forms, which give the values of texts; None if they are not known.

    Returns:
        The page. Its counts agree with its rows. A page that failed is returned unchanged.
    """
    return apply_each(result, decisions, fields).result


def apply_each(result: PageResult, decisions: Iterable[Decision], fields: Fields | None = None) -> Applied:
    """Return a page with what a person decided, and which decisions were applied; see `apply_decisions`."""
    ordered = sorted((each for each in decisions if each.task != "known"), key=order)
    if not ordered or result.page.status == "failed":
        return Applied(result, (), tuple(ordered))
    page = _Page(result, fields or {})
    done = [page.apply(decision) for decision in ordered]
    return Applied(
        page.result(),
        tuple(each for each, applied in zip(ordered, done, strict=True) if applied),
        tuple(each for each, applied in zip(ordered, done, strict=True) if not applied),
        frozenset(page.settled),
    )


def order(decision: Decision) -> tuple[str, str, str, int, int, int, int]:
    """Return the key by which decisions about a page are sorted: by time, then so that the order is always the same."""
    d = decision
    return d.at, d.kind, d.name, d.left, d.top, d.width, d.height


def place_of(decision: Decision) -> Box:
    """Return the box of a decision."""
    return Box(decision.left, decision.top, decision.width, decision.height)


class _Page:
    """A page while it is corrected."""

    def __init__(self, result: PageResult, fields: Fields) -> None:
        self._result = result
        self._layout: Layout = layout_of(result)
        self._rows = {row.field: row for row in result.fields}
        self._fields = fields
        self.settled: set[Box] = set()
        """The boxes of the digits that a person has settled."""

    def result(self) -> PageResult:
        """Return the page as it is now."""
        changed = replace(self._result, fields=tuple(self._rows[row.field] for row in self._result.fields))
        return with_layout(changed, self._layout)

    def apply(self, decision: Decision) -> bool:
        """Apply a decision; return False if the page has nothing that it is about."""
        if decision.kind == "field":
            return self._field(decision)
        before = {name: self._digits_in(box_of(row)) for name, row in self._rows.items()}
        applied = self._digit(decision) if decision.kind == "digit" else self._number(decision)
        self._layout.drop_empty()
        if applied and decision.decision != "doubt":
            self._follow(place_of(decision), before)
        return applied

    def _digits_in(self, place: Box) -> str:
        return "".join(str(number.digits[at].digit) for number, at in self._layout.within(place))

    def _follow(self, place: Box, before: Mapping[str, str]) -> None:
        """Change the fields in whose place digits have changed or were settled."""
        for name, row in self._rows.items():
            where = box_of(row)
            if not has_digits(row, self._fields) or not (is_centre_in(place, where) or is_centre_in(where, place)):
                continue
            places = self._layout.within(where)
            settled = all(box_of(number.digits[at]) in self.settled for number, at in places)
            self._rows[name] = followed_field(row, before[name], places, settled, self._fields)

    def _digit(self, decision: Decision) -> bool:
        places = self._layout.places()
        best = best_match(place_of(decision), [box_of(number.digits[at]) for number, at in places], MIN_OVERLAP)
        if best is None:
            if decision.decision in ("remove", "doubt"):
                return decision.decision == "remove"
            place_digit(self._layout, self._new(place_of(decision), int(decision.text)))
            return True
        number, at = places[best]
        digit = number.digits[at]
        if decision.decision == "remove":
            number.remove_digit(at)
        elif decision.decision == "doubt":
            marks = [*filter(None, digit.review.split(";")), DOUBT]
            number.replace_digit(at, replace(digit, review=";".join(dict.fromkeys(marks))))
        else:
            number.replace_digit(at, self._settle(digit, int(decision.text)))
        return True

    def _number(self, decision: Decision) -> bool:
        numbers = list(self._layout.numbers())
        best = best_match(place_of(decision), [number.box for number in numbers], MIN_OVERLAP)
        if best is None:
            if decision.decision in ("remove", "doubt"):
                return decision.decision == "remove"
            place_number(self._layout, self._new_number(decision))
            return True
        number = numbers[best]
        if decision.decision == "doubt":
            number.row, number.marks = None, [*dict.fromkeys([*number.marks, DOUBT])]
        elif decision.decision == "remove":
            number.digits = []
        else:
            text, signs = split_signs(decision.text)
            self._rewrite([(number, at) for at in range(len(number.digits))], text)
            number.row, number.signs, number.sign_confidence, number.marks = None, signs, 1.0, []
        return True

    def _field(self, decision: Decision) -> bool:
        row = self._rows.get(decision.name)
        if row is None:
            return False
        if decision.decision == "doubt":
            self._rows[row.field] = doubted_field(row)
            return True
        self._rows[row.field] = settled_field(row, decision.text, self._fields)
        if has_digits(row, self._fields):
            places = self._layout.within(box_of(row))
            self._rewrite(places, "".join(filter(str.isdigit, decision.text)))
            self._layout.drop_empty()
        return True

    def _rewrite(self, places: Sequence[tuple[Number, int]], text: str) -> None:
        """Give digits in reading order a new text: each is settled, removed, or new between its neighbours."""
        if not places:
            return
        pairs = aligned("".join(str(number.digits[at].digit) for number, at in places), text)
        boxes = [box_of(number.digits[at]) for number, at in places]
        new_boxes = iter(_new_boxes(pairs, boxes, self._result.page.width))
        inserted: list[tuple[Number, int, DigitRow]] = []
        removed: list[tuple[Number, int]] = []
        last: int | None = None
        for old, new in pairs:
            if old is None:
                assert new is not None
                number, at = places[0 if last is None else last]
                digit = self._new(next(new_boxes), int(text[new]), number.origin)
                inserted.append((number, at if last is None else at + 1, digit))
                continue
            last = old
            number, at = places[old]
            if new is None:
                removed.append((number, at))
            else:
                number.replace_digit(at, self._settle(number.digits[at], int(text[new])))
        edits = [*((number, at, digit) for number, at, digit in inserted), *((n, at, None) for n, at in removed)]
        # from the right, so that positions stay right; of several new digits at one position the last one first
        for _, (number, at, new_digit) in sorted(
            enumerate(edits), key=lambda each: (each[1][1], each[0]), reverse=True
        ):
            if new_digit is None:
                number.remove_digit(at)
            else:
                number.insert_digit(at, new_digit)

    def _settle(self, digit: DigitRow, value: int) -> DigitRow:
        """Return a digit that a person has read; the runner-up of a changed one is what was read."""
        self.settled.add(box_of(digit))
        second = digit.second if value == digit.digit else digit.digit
        return replace(digit, digit=value, confidence=1.0, second=second, second_confidence=0.0, review="")

    def _new(self, box: Box, value: int, origin: Origin = "hand") -> DigitRow:
        """Return a digit that was missed."""
        page = self._result.page
        self.settled.add(box)
        return DigitRow(
            page.file,
            page.page or 1,
            0,
            0,
            0,
            value,
            1.0,
            value,
            0.0,
            box.left,
            box.top,
            box.width,
            box.height,
            origin,
            "",
        )

    def _new_number(self, decision: Decision) -> Number:
        text, signs = split_signs(decision.text)
        boxes = spread(place_of(decision), len(text), self._result.page.width)
        return Number([self._new(box, int(c)) for box, c in zip(boxes, text, strict=True)], signs, 1.0, [])


def _new_boxes(pairs: Sequence[tuple[int | None, int | None]], boxes: Sequence[Box], width: int | None) -> list[Box]:
    """Return the boxes of the new digits in order."""
    found: list[Box] = []
    at = 0
    while at < len(pairs):
        if pairs[at][0] is not None:
            at += 1
            continue
        end = at
        while end < len(pairs) and pairs[end][0] is None:
            end += 1
        before = next((boxes[old] for old, _ in pairs[:at][::-1] if old is not None), None)
        after = next((boxes[old] for old, _ in pairs[end:] if old is not None), None)
        found += between(before, after, end - at, width)
        at = end
    return found
