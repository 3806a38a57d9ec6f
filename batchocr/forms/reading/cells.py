"""Fields with cells: each cell is empty, or it has one digit, or ink that is not a digit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from batchocr.forms.form import Field, Rect
from batchocr.forms.reading.evidence import Evidence
from batchocr.forms.reading.ink import FieldInk, PageInk
from batchocr.forms.reading.parameters import CellParameters, FieldParameters
from batchocr.forms.reading.slots import UNREADABLE, Slot

CROSSED_OUT = "crossed-out"
UNREAD_INK = "unread-ink"
TWO_DIGITS = "two-digits"
GAP = "gap"
ALIGNMENT = "alignment"


@dataclass(frozen=True)
class FieldEvidence:
    """What a field may contain."""

    slots: tuple[Slot, ...]
    marks: tuple[str, ...] = ()
    """Why a person should check it, whatever is read."""


def read_cells(
    field: Field, evidence: Evidence, ink: PageInk, px_per_mm: float, parameters: FieldParameters
) -> FieldEvidence:
    """Determine what each cell of a field may contain.

    Args:
        field: a field with cells.
        evidence: the digits of the page.
        ink: the ink of the page.
        px_per_mm: pixels of the level page for each millimetre.
        parameters: the parameters of the reading of fields.

    Returns:
        A slot for each cell, and the marks of the field.
    """
    found = [_read_cell(field, cell, evidence, ink, px_per_mm, parameters) for cell in field.cells]
    marks = dict.fromkeys(mark for _, own in found for mark in own)
    filled = [slot.texts[0] != "" for slot, _ in found]
    marks |= dict.fromkeys(_order_marks(field, filled))
    return FieldEvidence(tuple(slot for slot, _ in found), tuple(marks))


def _read_cell(
    field: Field, cell: Rect, evidence: Evidence, ink: PageInk, px_per_mm: float, parameters: FieldParameters
) -> tuple[Slot, tuple[str, ...]]:
    p = parameters.cells
    inside = _inside_shares(evidence.boxes / px_per_mm, cell)
    own = np.flatnonzero(inside >= p.min_inside_share)
    trim = parameters.ink.trimmed_share
    inner = Rect(
        cell.left + trim * cell.width, cell.top + trim * cell.height,
        (1 - 2 * trim) * cell.width, (1 - 2 * trim) * cell.height,
    )  # fmt: skip
    cell_ink = ink.at(inner)
    has_ink = _ink_probability(cell_ink, cell, p)
    weights = dict.fromkeys("0123456789", 0.0)
    is_digit, best = 0.0, -1
    for i in own.tolist():
        box = Rect(*(evidence.boxes[i] / px_per_mm).tolist())
        explained = _explained_share(cell_ink, inner, box)
        bias = p.digit_bias if explained >= p.min_explained_share else -p.digit_bias
        probability = _shifted(float(evidence.is_digit[i]), bias) * float(inside[i]) ** 0.5
        if probability > is_digit:
            is_digit, best = probability, i
    marks: list[str] = []
    if best >= 0:
        for digit, share in enumerate(evidence.digits[best].tolist()):
            weights[str(digit)] = is_digit * share
        if _has_second_digit(evidence, own, best, p):
            marks.append(TWO_DIGITS)
    # without ink a detection is texture or print
    minimum = p.min_blank_probability
    weights = {text: weight * has_ink for text, weight in weights.items()}
    other = max(minimum, has_ink * (1 - is_digit))
    empty = max(minimum, 1 - has_ink)
    width, height = cell_ink.span()
    is_crossed = other > is_digit * has_ink and min(width, height) >= p.min_crossed_span
    if is_crossed and field.crossed_out == "empty":
        empty, other = empty + other - minimum, minimum
    slot = Slot.of({**weights, UNREADABLE: other, "": empty}, parameters.rules.min_alternative)
    if slot.texts[0] == UNREADABLE:
        marks.append(CROSSED_OUT if is_crossed else UNREAD_INK)
    return slot, tuple(marks)


def _inside_shares(boxes_mm: NDArray[np.float64], cell: Rect) -> NDArray[np.float64]:
    """Return the share (n,) of each box (n, 4) that is inside the cell."""
    left, top, width, height = boxes_mm.T
    across = np.minimum(left + width, cell.right) - np.maximum(left, cell.left)
    down = np.minimum(top + height, cell.bottom) - np.maximum(top, cell.top)
    return np.maximum(across, 0) * np.maximum(down, 0) / np.maximum(width * height, 1e-9)


def _ink_probability(ink: FieldInk, cell: Rect, p: CellParameters) -> float:
    """Return the probability that something was written in a cell, from the length of its strokes."""
    length = ink.area_mm2 / p.pen_mm / cell.height
    return 1 / (1 + exp(-min(40.0, max(-40.0, (length - p.min_ink_heights) / p.ink_slope_heights))))


def _explained_share(ink: FieldInk, place: Rect, box: Rect) -> float:
    """Return the share of a cell's ink within a box."""
    total = ink.area_mm2
    return ink.part(place, box).area_mm2 / total if total else 0.0


def _shifted(probability: float, bias: float) -> float:
    clipped = min(1 - 1e-6, max(1e-6, probability))
    return 1 / (1 + exp(-(log(clipped / (1 - clipped)) + bias)))


def _has_second_digit(evidence: Evidence, own: NDArray[np.intp], best: int, p: CellParameters) -> bool:
    """Return whether there is another sure digit beside the best one of a cell."""
    left, _, width, _ = evidence.boxes[best]
    for i in own.tolist():
        other_left, _, other_width, _ = evidence.boxes[i]
        shared = min(left + width, other_left + other_width) - max(left, other_left)
        if i != best and evidence.is_digit[i] >= p.min_second_digit and shared < 0.3 * min(width, other_width):
            return True
    return False


def _order_marks(field: Field, filled: Sequence[bool]) -> list[str]:
    """Return the marks for empty cells between digits, and for digits at the wrong end."""
    used = [i for i, each in enumerate(filled) if each]
    if not used:
        return []
    marks = []
    if used[-1] - used[0] + 1 > len(used):
        marks.append(GAP)
    wrong_end = (field.align == "left" and used[0] != 0) or (field.align == "right" and used[-1] != len(filled) - 1)
    if wrong_end:
        marks.append(ALIGNMENT)
    return marks
