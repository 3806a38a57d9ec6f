"""Probabilities → readings: which digit, how sure, and whether a person should look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from math import prod

import numpy as np

from batchocr.recognition.calibration import DECIMALS, NONE, Floats
from batchocr.recognition.context import in_context
from batchocr.recognition.cuts import best_cuts
from batchocr.recognition.heights import by_height
from batchocr.recognition.leftovers import leftovers
from batchocr.recognition.twins import printed as printed_numbers
from batchocr.records import Candidate, DigitRow, Layout, NumberRow, PageResult, Printed, Reading, SeenPage, corners

LOW_CONFIDENCE = "low-confidence"
CUT = "cut"
JOINED = "joined"
NOT_A_DIGIT = "not-a-digit"

ReadNumber = list[tuple[Candidate, Reading]]
"""The digits of a number, from the left."""


def read(probabilities: Floats, candidates: Sequence[Candidate], min_confidence: float) -> list[Reading]:
    """A reading for each candidate from its calibrated probabilities (n, 11): ten digits, and none of them.

    Nothing is dropped: what is below `min_confidence` (0 to 1), or most likely no digit, is marked for review.
    """
    order = np.argsort(-probabilities[:, :NONE], axis=1, kind="stable")[:, :2]
    readings = []
    for row, (first, second), candidate in zip(probabilities, order.tolist(), candidates, strict=True):
        confidence = round(float(row[first]), DECIMALS)
        marks = (
            (LOW_CONFIDENCE, confidence < min_confidence),
            (CUT, candidate.cut),
            (JOINED, candidate.joined),
            (NOT_A_DIGIT, row[NONE] > 0.5),
        )
        review = tuple([reason for reason, holds in marks if holds])
        readings.append(Reading(first, confidence, second, round(float(row[second]), DECIMALS), review))
    return readings


def page_result(seen: SeenPage, probabilities: Floats, min_confidence: float, printed: Printed = "keep") -> PageResult:
    """The rows of a page from the probabilities of its candidates, in reading order, (n, 11).

    What is most likely no digit, by itself and by what stands beside it, gives no row, unless it is all that is there.
    Printed digits that stand alone give rows, unless they are to be dropped.
    """
    if seen.layout is None:
        return PageResult(seen.row)
    read_lines = _read_lines(seen.layout, probabilities, min_confidence)
    if printed == "drop":
        read_lines = _without_print(read_lines, seen.layout)
    digits: list[DigitRow] = []
    numbers: list[NumberRow] = []
    for line_no, line in enumerate(read_lines, 1):
        for n_no, of_number in enumerate(line, 1):
            digits += [_digit_row(seen, line_no, n_no, at, c, r) for at, (c, r) in enumerate(of_number, 1)]
            numbers.append(_number_row(seen, line_no, n_no, of_number))
    row = replace(
        seen.row,
        status="read" if digits else "empty",
        lines=len(read_lines),
        numbers=len(numbers),
        digits=len(digits),
        review=sum(bool(digit.review) for digit in digits),
    )
    return PageResult(row, tuple(digits), tuple(numbers))


def _only_piece(layout: Layout, probabilities: Floats, min_confidence: float) -> list[ReadNumber]:
    """The one piece of ink of a page, whatever it is; nothing where there are more."""
    candidates = layout.candidates
    (first, *more) = [i for i, c in enumerate(candidates) if not c.cut and not c.across]
    if more:
        return []
    return [[(candidates[first], read(probabilities[[first]], [candidates[first]], min_confidence)[0])]]


def _read_lines(layout: Layout, probabilities: Floats, min_confidence: float) -> list[list[ReadNumber]]:
    """The digits of a page, by lines and numbers; lines and numbers without any are left out."""
    rest = leftovers(probabilities, layout)
    if len(rest) != len(probabilities):
        raise ValueError(f"{len(probabilities)} probabilities for {len(rest)} candidates")
    found: list[list[ReadNumber]] = []
    start = 0
    for line in layout.lines:
        chosen: list[list[Candidate]] = []
        own: list[Floats] = []
        for number in line.numbers:
            stop = start + len(number.candidates)
            which, seen_as = best_cuts(probabilities[start:stop], number.candidates)
            keep = [place for place, i in enumerate(which) if not rest[start + i]]
            chosen.append([number.candidates[which[place]] for place in keep])
            own.append(by_height(seen_as[keep], [candidate.box for candidate in chosen[-1]]))
            start = stop
        candidates = [candidate for number in chosen for candidate in number]
        numbers = [at for at, number in enumerate(chosen) for _ in number]
        readings = iter(read(in_context(np.concatenate(own), candidates, numbers), candidates, min_confidence))
        of_line = [[(candidate, next(readings)) for candidate in number] for number in chosen]
        of_line = [[(c, r) for c, r in of_number if NOT_A_DIGIT not in r.review] for of_number in of_line]
        found.append(
            [of_number for of_number in of_line if of_number] or _only_piece(layout, probabilities, min_confidence)
        )
    return [line for line in found if line]


def _without_print(lines: Sequence[Sequence[ReadNumber]], layout: Layout) -> list[list[ReadNumber]]:
    """The lines of a page without the numbers that are print, as far as it is known how they are drawn."""
    digits = [digit for line in lines for number in line for digit in number]
    styles = [candidate.style for candidate, _ in digits if candidate.style]
    if not digits or len(styles) < len(digits):
        return [list(line) for line in lines]
    place = {candidate: i for i, candidate in enumerate(layout.candidates)}
    crops = layout.crops[[place[candidate] for candidate, _ in digits]]
    counter = count()
    numbers = [[next(counter) for _ in number] for line in lines for number in line]
    is_print = iter(printed_numbers(numbers, [reading.digit for _, reading in digits], styles, crops))
    kept = [[number for number in line if not next(is_print)] for line in lines]
    return [line for line in kept if line]


def _digit_row(
    seen: SeenPage, line: int, number: int, position: int, candidate: Candidate, reading: Reading
) -> DigitRow:
    box = candidate.box
    return DigitRow(
        file=seen.row.file,
        page=seen.row.page or 1,
        line=line,
        number=number,
        position=position,
        digit=reading.digit,
        confidence=reading.confidence,
        second=reading.second,
        second_confidence=reading.second_confidence,
        left=box.left,
        top=box.top,
        width=box.width,
        height=box.height,
        review=";".join(reading.review),
    )


def _number_row(seen: SeenPage, line: int, number: int, digits: Sequence[tuple[Candidate, Reading]]) -> NumberRow:
    """A number is right where all its digits are: their confidences are multiplied."""
    ends = corners([candidate.box for candidate, _ in digits])
    (left, top), (right, bottom) = ends[:, :2].min(axis=0).tolist(), ends[:, 2:].max(axis=0).tolist()
    reasons = dict.fromkeys(reason for _, reading in digits for reason in reading.review)
    return NumberRow(
        file=seen.row.file,
        page=seen.row.page or 1,
        line=line,
        number=number,
        text="".join(str(reading.digit) for _, reading in digits),
        confidence=round(prod(reading.confidence for _, reading in digits), DECIMALS),
        left=left,
        top=top,
        width=right - left,
        height=bottom - top,
        review=";".join(reasons),
    )
