"""Choose the rows of a page that are wanted, and mark those below a threshold.

Nothing is read for this. So a run can change threshold and choice quickly.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from batchocr.decoding.marks.names import LOW_CONFIDENCE
from batchocr.forms.form_status import mark_field, mark_form
from batchocr.records import DigitRow, NumberRow, Origin, PageResult, Printed

WANTED: dict[Printed, tuple[Origin, ...]] = {"drop": ("hand",), "keep": ("hand", "print"), "only": ("print",)}
"""Origins of the numbers that give rows, by the value of `--printed`."""


@dataclass(frozen=True)
class Marking:
    """What a user can choose for a page that was read."""

    min_confidence: float
    """Digits, numbers and fields with a smaller confidence are marked for review."""
    printed: Printed = "keep"
    """Which numbers give rows: the handwritten ones, all, or the printed ones."""


def mark_rows(result: PageResult, marking: Marking) -> PageResult:
    """Choose and mark the rows of a page.

    Args:
        result: all rows of the page, without the marks of the threshold.
        marking: which rows are wanted, and the threshold.

    Returns:
        The rows that are wanted. Lines and numbers are counted again. All fields stay. A page that failed is returned
        unchanged.
    """
    if result.page.status == "failed":
        return result
    digits_of: dict[tuple[int, int], list[DigitRow]] = defaultdict(list)
    for digit in result.digits:
        digits_of[digit.line, digit.number].append(digit)
    digits: list[DigitRow] = []
    numbers: list[NumberRow] = []
    old_line = line = number_in_line = 0
    for number in result.numbers:
        if number.origin not in WANTED[marking.printed]:
            continue
        if number.line != old_line:
            old_line, line, number_in_line = number.line, line + 1, 0
        number_in_line += 1
        digits += [
            replace(digit, line=line, number=number_in_line, review=_review(digit, marking))
            for digit in digits_of[number.line, number.number]
        ]
        numbers.append(replace(number, line=line, number=number_in_line, review=_review(number, marking)))
    dropped = sum(digit.origin == "print" for digit in result.digits) if marking.printed == "drop" else 0
    page = replace(
        result.page,
        status="read" if digits else "empty",
        lines=line,
        numbers=len(numbers),
        digits=len(digits),
        printed=result.page.printed + dropped,
        review=sum(bool(digit.review) for digit in digits),
    )
    fields = tuple(mark_field(field, marking.min_confidence) for field in result.fields)
    form = result.form and mark_form(result.form, fields)
    return PageResult(page, tuple(digits), tuple(numbers), form, fields)


def _review(row: DigitRow | NumberRow, marking: Marking) -> str:
    """Return the marks of a row, that of the threshold first."""
    return ";".join([LOW_CONFIDENCE] * (row.confidence < marking.min_confidence) + [row.review] * bool(row.review))
