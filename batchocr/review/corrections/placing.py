"""The place of what was missed: the number whose line and gap a digit fits, or a number of its own in reading order."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from batchocr.decoding.layout.gaps import gap_limit
from batchocr.records import Box, DigitRow
from batchocr.review.corrections.layout import Layout, Line, Number, around, box_of


@dataclass(frozen=True)
class PlacingParameters:
    """When something that was missed is on a line."""

    max_line_distance_heights: float = 0.5
    """Maximum distance of its centre from the line, in heights of the writing there. Basis: half of a digit lies
    beside the line then; lines are further apart."""
    neighbours: int = 3
    """Digits of a line, the nearest ones, that give its place and height. Basis: lines slope and bend."""


PARAMETERS = PlacingParameters()


def place_digit(layout: Layout, digit: DigitRow) -> Number:
    """Add a digit to the number that it fits, or as a number of its own.

    Args:
        layout: The lines of the page; they are changed.
        digit: The digit with its box.

    Returns:
        The number that has it.
    """
    line = _line_at(layout, box_of(digit))
    if line is not None:
        limit = _limit(layout)
        fits = [(_gap(number, digit), i) for i, number in enumerate(line)]
        gap, best = min(fits)
        if gap <= limit:
            number = line[best]
            number.insert_digit(sum(_middle(each) < _middle(digit) for each in number.digits), digit)
            return number
    number = Number([digit], ["", ""], 1.0, [])
    place_number(layout, number)
    return number


def place_number(layout: Layout, number: Number) -> None:
    """Add a number in reading order: to the line that it is on, or as a line of its own."""
    box = around(number.digits)
    line = _line_at(layout, box)
    if line is not None:
        line.insert(sum(each.box.left < box.left for each in line), number)
        return
    middle = box.top + box.height / 2
    above = sum(_line_place(each, box)[0] < middle for each in layout.lines)
    layout.lines.insert(above, [number])


def _line_at(layout: Layout, box: Box) -> Line | None:
    """Return the line that a box is on."""
    middle = box.top + box.height / 2
    found = []
    for i, line in enumerate(layout.lines):
        at, height = _line_place(line, box)
        found.append((abs(at - middle) / max(height, 1.0), i))
    distance, best = min(found, default=(np.inf, 0))
    return layout.lines[best] if distance <= PARAMETERS.max_line_distance_heights else None


def _line_place(line: Line, box: Box) -> tuple[float, float]:
    """Return the vertical centre of a line near a box, and the height of its writing there."""
    x = box.left + box.width / 2
    digits = sorted((digit for number in line for digit in number.digits), key=lambda each: abs(_middle(each) - x))
    near = digits[: PARAMETERS.neighbours]
    centres = [digit.top + digit.height / 2 for digit in near]
    return float(np.mean(centres)), float(np.median([digit.height for digit in near]))


def _limit(layout: Layout) -> float:
    """Return the widest gap within numbers of the page, in heights of the writing."""
    gaps = []
    for line in layout.lines:
        digits = sorted((digit for number in line for digit in number.digits), key=_middle)
        for before, after in itertools.pairwise(digits):
            height = max(1.0, (before.height + after.height) / 2)
            gaps.append((after.left - before.left - before.width) / height)
    return gap_limit(np.array(gaps, np.float64))


def _gap(number: Number, digit: DigitRow) -> float:
    """Return how far a digit is from a number, in heights of its digits; negative if it is within."""
    box, height = number.box, float(np.median([each.height for each in number.digits]))
    return max(box.left - digit.left - digit.width, digit.left - box.right) / max(height, 1.0)


def _middle(digit: DigitRow) -> float:
    return digit.left + digit.width / 2
