"""Probabilities → readings: which digit, how sure, and whether a person should look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from batchocr.recognition.calibration import Floats
from batchocr.records import Box, Candidate, DigitRow, NumberRow, PageResult, Reading, SeenPage

LOW_CONFIDENCE = "low-confidence"
JOINED = "joined"
DECIMALS = 4
"""Of a confidence, here and in the files: so a file's own figures say what is marked."""


def read(probabilities: Floats, candidates: Sequence[Candidate], min_confidence: float) -> list[Reading]:
    """A reading for each candidate from its calibrated probabilities (n, 10).

    Nothing is dropped: what is below `min_confidence` (0 to 1) is marked for review.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    readings = []
    for row, (first, second), candidate in zip(probabilities, order.tolist(), candidates, strict=True):
        confidence = round(float(row[first]), DECIMALS)
        marks = {LOW_CONFIDENCE: confidence < min_confidence, JOINED: candidate.joined}
        review = tuple(reason for reason, holds in marks.items() if holds)
        readings.append(Reading(first, confidence, second, round(float(row[second]), DECIMALS), review))
    return readings


def page_result(seen: SeenPage, probabilities: Floats, min_confidence: float) -> PageResult:
    """The rows of a page from the probabilities of its candidates, in reading order, (n, 10)."""
    if seen.layout is None:
        return PageResult(seen.row)
    lines = seen.layout.lines
    candidates = [c for line in lines for number in line.numbers for c in number.candidates]
    readings = iter(read(probabilities, candidates, min_confidence))
    digits: list[DigitRow] = []
    numbers: list[NumberRow] = []
    for l_no, line in enumerate(lines, 1):
        for n_no, number in enumerate(line.numbers, 1):
            of_number = [(candidate, next(readings)) for candidate in number.candidates]
            digits += [_digit_row(seen, l_no, n_no, at, c, r) for at, (c, r) in enumerate(of_number, 1)]
            numbers.append(_number_row(seen, l_no, n_no, of_number))
    row = replace(
        seen.row,
        status="read" if digits else "empty",
        lines=len(lines),
        numbers=len(numbers),
        digits=len(digits),
        review=sum(bool(digit.review) for digit in digits),
    )
    return PageResult(row, tuple(digits), tuple(numbers))


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
    box = reduce(Box.union, (candidate.box for candidate, _ in digits))
    reasons = dict.fromkeys(reason for _, reading in digits for reason in reading.review)
    return NumberRow(
        file=seen.row.file,
        page=seen.row.page or 1,
        line=line,
        number=number,
        text="".join(str(reading.digit) for _, reading in digits),
        confidence=round(float(np.prod([reading.confidence for _, reading in digits])), DECIMALS),
        left=box.left,
        top=box.top,
        width=box.width,
        height=box.height,
        review=";".join(reasons),
    )
