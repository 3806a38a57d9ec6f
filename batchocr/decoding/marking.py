"""What of a page gives rows, and which of them are marked: nothing is read here, so that both are cheap to change."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from batchocr.decoding.marks import LOW_CONFIDENCE
from batchocr.records import DigitRow, NumberRow, Origin, PageResult, Printed

WANTED: dict[Printed, tuple[Origin, ...]] = {"drop": ("hand",), "keep": ("hand", "print"), "only": ("print",)}


@dataclass(frozen=True)
class Marking:
    """What can be chosen of a page that was read."""

    min_confidence: float
    """Digits and numbers below are marked for review."""
    printed: Printed = "keep"
    """Which numbers give rows: those by hand, all, or those in print."""


def marked(result: PageResult, marking: Marking) -> PageResult:
    """The rows of a page that are wanted, with the marks of the threshold, from all its rows without these."""
    if result.page.status == "failed":
        return result
    digits_of: dict[tuple[int, int], list[DigitRow]] = defaultdict(list)
    for digit in result.digits:
        digits_of[digit.line, digit.number].append(digit)
    digits: list[DigitRow] = []
    numbers: list[NumberRow] = []
    line_before = line_at = number_at = 0
    for number in result.numbers:
        if number.origin not in WANTED[marking.printed]:
            continue
        if number.line != line_before:
            line_before, line_at, number_at = number.line, line_at + 1, 0
        number_at += 1
        digits += [
            replace(digit, line=line_at, number=number_at, review=_review(digit, marking))
            for digit in digits_of[number.line, number.number]
        ]
        numbers.append(replace(number, line=line_at, number=number_at, review=_review(number, marking)))
    dropped = sum(digit.origin == "print" for digit in result.digits) if marking.printed == "drop" else 0
    page = replace(
        result.page,
        status="read" if digits else "empty",
        lines=line_at,
        numbers=len(numbers),
        digits=len(digits),
        printed=result.page.printed + dropped,
        review=sum(bool(digit.review) for digit in digits),
    )
    return PageResult(page, tuple(digits), tuple(numbers))


def _review(row: DigitRow | NumberRow, marking: Marking) -> str:
    """The marks of a row, that of the threshold first."""
    return ";".join([LOW_CONFIDENCE] * (row.confidence < marking.min_confidence) + [row.review] * bool(row.review))
