"""Fields with cells: each cell is empty, or it has one digit, or ink that is not a digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from batchocr.forms.form import Field, Rect, trimmed
from batchocr.forms.reading.evidence import CropEvidence, Evidence
from batchocr.forms.reading.field_ink import area_mm2, span
from batchocr.forms.reading.parameters import CellParameters, FieldParameters
from batchocr.forms.reading.slots import UNREADABLE, Slot
from batchocr.records import FieldInk

Floats = NDArray[np.float64]

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
    field: Field,
    evidence: Evidence,
    crops: Mapping[int, CropEvidence],
    ink: FieldInk,
    px_per_mm: float,
    parameters: FieldParameters,
) -> FieldEvidence:
    """Determine what each cell of a field may contain.

    Args:
        field: a field with cells.
        evidence: the digits of the page.
        crops: what the classifier says about the ink of cells, by the index of the cell.
        ink: the ink of the field.
        px_per_mm: pixels of the level page for each millimetre.
        parameters: the parameters of the reading of fields.

    Returns:
        A slot for each cell, and the marks of the field.
    """
    inside = evidence.boxes / px_per_mm
    found = [
        _read_cell(field, cell, evidence, inside, crops.get(i), ink, parameters) for i, cell in enumerate(field.cells)
    ]
    marks = dict.fromkeys(mark for _, own in found for mark in own)
    filled = [slot.texts[0] != "" for slot, _ in found]
    marks |= dict.fromkeys(_order_marks(field, filled))
    return FieldEvidence(tuple(slot for slot, _ in found), tuple(marks))


def _read_cell(
    field: Field,
    cell: Rect,
    evidence: Evidence,
    boxes_mm: Floats,
    crop: CropEvidence | None,
    ink: FieldInk,
    parameters: FieldParameters,
) -> tuple[Slot, tuple[str, ...]]:
    p = parameters.cells
    inner = trimmed(cell, p.trimmed_share)
    area = area_mm2(ink, inner)
    inside = inside_shares(boxes_mm, cell)
    own = np.flatnonzero(inside >= p.min_inside_share)
    is_digit, best = _best_detection(evidence, boxes_mm, own, inside, ink, inner, p)
    if crop is None and is_digit < p.min_seen_digit:
        area *= p.strange_ink_ratio
    has_ink = _ink_probability(area, cell, p)
    marks: list[str] = []
    if best >= 0 and _has_second_digit(evidence, own, best, p):
        explained = _explained_share(ink, inner, Rect(*boxes_mm[best].tolist()))
        if explained <= 1 - p.min_second_ink_share:
            marks.append(TWO_DIGITS)
    digits = evidence.digits[best] if best >= 0 else np.full(10, 0.1)
    if crop is not None:
        is_digit, digits = _with_crop(is_digit, digits, crop, has_detection=best >= 0, p=p)
    is_crossed = crop is not None and crop.is_cross
    if is_crossed:
        is_digit = shifted(is_digit, p.cross_bias)
    # without ink a detection is texture or print
    weights = {str(digit): has_ink * is_digit * share for digit, share in enumerate(digits.tolist())}
    other = max(p.min_other_probability, has_ink * (1 - is_digit))
    # a sum may drop ink that is crossed out, but not a sure digit whose ink is there
    empty = (1 - has_ink) * (1 - has_ink * is_digit) + has_ink * (1 - is_digit) * p.meaningless_share
    is_crossed |= min(span(ink, cell)) >= p.min_crossed_span
    if is_crossed and other > has_ink * is_digit and field.crossed_out == "empty":
        empty, other = empty + other - p.min_other_probability, p.min_other_probability
    slot = Slot.of({**weights, UNREADABLE: other, "": empty}, parameters.rules.min_alternative)
    if slot.texts[0] == UNREADABLE:
        marks.append(CROSSED_OUT if is_crossed else UNREAD_INK)
    return slot, tuple(marks)


def _best_detection(
    evidence: Evidence,
    boxes_mm: Floats,
    own: NDArray[np.intp],
    inside: Floats,
    ink: FieldInk,
    inner: Rect,
    p: CellParameters,
) -> tuple[float, int]:
    """Return the probability that a cell has a digit, and the detection of it; -1 without a detection."""
    is_digit, best = 0.0, -1
    for i in own.tolist():
        box = Rect(*boxes_mm[i].tolist())
        explained = _explained_share(ink, inner, box)
        bias = p.digit_bias if explained >= p.min_explained_share else -p.digit_bias
        probability = shifted(float(evidence.is_digit[i]), bias) * float(inside[i]) ** p.inside_exponent
        if probability > is_digit:
            is_digit, best = probability, i
    return is_digit, best


def _with_crop(
    is_digit: float, digits: Floats, crop: CropEvidence, *, has_detection: bool, p: CellParameters
) -> tuple[float, Floats]:
    """Combine a detection with the classifier's answer for the crop without print."""
    weight = p.crop_weight if has_detection else 1.0
    logs = (1 - weight) * np.log(np.maximum(digits, 1e-6)) + weight * np.log(np.maximum(crop.digits, 1e-6))
    joint = np.exp(logs - logs.max())
    own = shifted(crop.is_digit, p.digit_bias)
    both = 1 / (1 + exp(-((1 - weight) * logit(is_digit) + weight * logit(own)))) if has_detection else own
    return both, joint / joint.sum()


def _explained_share(ink: FieldInk, inner: Rect, box: Rect) -> float:
    """Return the share of a cell's ink that is within a box."""
    total = area_mm2(ink, inner)
    return area_mm2(ink, _common(box, inner)) / total if total else 0.0


def _common(one: Rect, other: Rect) -> Rect:
    """Return the intersection of two rectangles; it may be empty."""
    left, top = max(one.left, other.left), max(one.top, other.top)
    return Rect(left, top, max(0.0, min(one.right, other.right) - left), max(0.0, min(one.bottom, other.bottom) - top))


def inside_shares(boxes_mm: Floats, cell: Rect) -> Floats:
    """Return the share (n,) of each box (n, 4), in millimetres, that is inside the cell."""
    left, top, width, height = boxes_mm.T
    across = np.minimum(left + width, cell.right) - np.maximum(left, cell.left)
    down = np.minimum(top + height, cell.bottom) - np.maximum(top, cell.top)
    return np.maximum(across, 0) * np.maximum(down, 0) / np.maximum(width * height, 1e-9)


def _ink_probability(area: float, cell: Rect, p: CellParameters) -> float:
    """Return the probability that something was written in a cell, from the length of its strokes."""
    length = area / p.pen_mm / cell.height
    return 1 / (1 + exp(-min(40.0, max(-40.0, (length - p.min_ink_heights) / p.ink_slope_heights))))


def shifted(probability: float, bias: float) -> float:
    """Return the probability whose logit is greater by `bias`."""
    return 1 / (1 + exp(-(logit(probability) + bias)))


def logit(probability: float) -> float:
    """Return the logit of a probability, which is clipped."""
    clipped = min(1 - 1e-6, max(1e-6, probability))
    return log(clipped / (1 - clipped))


def _has_second_digit(evidence: Evidence, own: NDArray[np.intp], best: int, p: CellParameters) -> bool:
    """Return whether there is another sure digit beside the best one of a cell."""
    left, _, width, _ = evidence.boxes[best]
    for i in own.tolist():
        other_left, _, other_width, _ = evidence.boxes[i]
        shared = min(left + width, other_left + other_width) - max(left, other_left)
        if (
            i != best
            and evidence.is_digit[i] >= p.min_second_digit
            and shared < p.max_second_overlap * min(width, other_width)
        ):
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
