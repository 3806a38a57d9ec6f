"""Align a known text with the detections of an image: which detection is which digit.

From left to right each digit takes one detection whose class fits, at the minimum cost over the whole text (dynamic
programming, as for strings by Wagner and Fischer, 1974).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.records import SIGN, SIGNS, Detections, Pixels
from batchocr.training.component_labels import missing_boxes
from batchocr.training.detection.cells import HAND, UNKNOWN

Box = list[float]
"""Class, left, top, width, height, kind."""


@dataclass(frozen=True)
class AlignmentParameters:
    """When a detection is a digit of the known text.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    min_score: float = 0.12
    """Minimum score of a detection."""
    min_class: float = 0.02
    """Minimum probability that a detection gives to the known digit."""
    min_mean: float = 0.35
    """Minimum geometric mean of score times probability over a text."""
    min_stray_score: float = 0.5
    """An alignment is rejected if a detection with more than this score belongs to no digit."""
    missed_digit_cost: float = 2.5
    """Cost of a digit without a detection, if its ink may give the box; minus the logarithm of a probability."""
    missed_sign_cost: float = 4.0
    """Cost of a sign without a detection, as minus the logarithm of a probability."""
    max_missed_ratio: float = 0.5
    """Maximum share of the digits of a text without a detection."""
    reach_ratio: float = 1.5
    """Maximum distance of a digit at the end of a number from the others, in their heights."""
    heights_px: tuple[float, ...] = (42.0, 62.0)
    """Heights in pixels to which strips are scaled."""


PARAMETERS = AlignmentParameters()


@dataclass(frozen=True)
class Alignment:
    """A known text aligned with detections."""

    boxes: list[Box]
    quality: float
    """Geometric mean of score times probability of its digits."""


def align_text(text: str, found: Detections, p: AlignmentParameters = PARAMETERS) -> Alignment | None:
    """Align the digits and signs of a text with the detections of one line.

    Each digit takes one detection. A sign takes one if it can; otherwise the part between its neighbours is unknown.

    Args:
        text: The known text; other characters are ignored.
        found: Detections of one line.
        p: Parameters.

    Returns:
        The boxes and their quality; None if the text does not fit.
    """
    wanted = [c for c in text if c.isdigit() or c in SIGNS]
    order = np.argsort(found.boxes[:, 0] + found.boxes[:, 2] / 2, kind="stable")
    found = found.take(order)
    cost = _costs(wanted, found, p)
    rows, columns = cost.shape
    best = _min_costs(wanted, cost, np.inf, p.missed_sign_cost)
    if not rows or not np.isfinite(best[-1, -1]):
        return None
    taken = _trace_back(best, cost)
    digits = [float(cost[i, j]) for i, j in taken.items() if j is not None and wanted[i].isdigit()]
    quality = float(np.exp(-np.mean(digits))) if digits else 0.0
    used = {j for j in taken.values() if j is not None}
    stray = [
        j for j in range(columns) if j not in used and found.kinds[j] != SIGN and found.scores[j] > p.min_stray_score
    ]
    if quality < p.min_mean or stray:
        return None
    return Alignment(_boxes(wanted, taken, found), quality)


def _min_costs(
    wanted: Sequence[str], cost: NDArray[np.float64], missed_digit_cost: float, missed_sign_cost: float
) -> NDArray[np.float64]:
    """Return the minimum costs (wanted + 1, found + 1) of aligning the first characters with the first detections."""
    rows, columns = cost.shape
    best = np.full((rows + 1, columns + 1), np.inf)
    best[0] = 0
    missed = np.array([missed_sign_cost if c in SIGNS else missed_digit_cost for c in wanted])
    for i in range(rows):
        best[i + 1, 0] = best[i, 0] + missed[i]
        for j in range(columns):
            best[i + 1, j + 1] = min(best[i + 1, j], best[i, j] + cost[i, j], best[i, j + 1] + missed[i])
    return best


def _costs(wanted: Sequence[str], found: Detections, p: AlignmentParameters) -> NDArray[np.float64]:
    """Return minus the logarithm of score times probability (wanted, found); infinite if the class or kind does not
    fit.
    """
    cost = np.full((len(wanted), len(found)), np.inf)
    for i, character in enumerate(wanted):
        place = int(character) if character.isdigit() else 10 + SIGNS.index(character)
        right_kind = (found.kinds == SIGN) == (character in SIGNS)
        fits = right_kind & (found.probabilities[:, place] >= p.min_class)
        cost[i, fits] = -np.log(found.scores[fits] * found.probabilities[fits, place])
    return cost


def _trace_back(best: NDArray[np.float64], cost: NDArray[np.float64]) -> dict[int, int | None]:
    """Return which detection each wanted character takes."""
    taken: dict[int, int | None] = {}
    i, j = cost.shape
    while i:
        if j and best[i, j] == best[i, j - 1]:
            j -= 1
        elif j and best[i, j] == best[i - 1, j - 1] + cost[i - 1, j - 1]:
            i, j = i - 1, j - 1
            taken[i] = j
        else:
            i -= 1
            taken[i] = None
    return taken


def _boxes(wanted: Sequence[str], taken: dict[int, int | None], found: Detections) -> list[Box]:
    boxes: list[Box] = []
    for i, character in enumerate(wanted):
        place = int(character) if character.isdigit() else 10 + SIGNS.index(character)
        j = taken[i]
        if j is not None:
            boxes.append([place, *found.boxes[j].astype(float).round(1).tolist(), SIGN if place > 9 else HAND])
            continue
        if character not in SIGNS:
            continue
        before = [found.boxes[k] for at in range(i) if (k := taken[at]) is not None]
        after = [found.boxes[k] for at in range(i + 1, len(wanted)) if (k := taken[at]) is not None]
        if before and after:  # a sign that was not detected
            left, right = float(before[-1][0] + 0.7 * before[-1][2]), float(after[0][0] + 0.3 * after[0][2])
            top = float(min(before[-1][1], after[0][1]))
            boxes.append([0, left, top, max(2.0, right - left), float(before[-1][3]) * 1.3, UNKNOWN])
    return boxes


def align_text_with_gaps(
    text: str, found: Detections, pixels: Pixels, p: AlignmentParameters = PARAMETERS
) -> list[Box] | None:
    """Align a text of which the detector misses some digits; these get the box of their ink.

    Args:
        text: The known text, of digits, signs and spaces only.
        found: Detections of one line.
        pixels: The strip, (height, width) uint8.
        p: Parameters.

    Returns:
        The boxes; None if most digits are missed, if the remaining ink has another number of components, or if a strong
        detection belongs to no digit.
    """
    wanted = [c for c in text if c.isdigit() or c in SIGNS]
    if any(not (c.isspace() or c in wanted) for c in text) or not len(found):
        return None
    found = found.take(np.argsort(found.boxes[:, 0] + found.boxes[:, 2] / 2, kind="stable"))
    cost = _costs(wanted, found, p)
    taken = _trace_back(_min_costs(wanted, cost, p.missed_digit_cost, p.missed_sign_cost), cost)
    alignment = {i: found.boxes[j].astype(float) for i, j in taken.items() if j is not None}
    digits = [i for i in alignment if wanted[i].isdigit()]
    missed = [i for i, c in enumerate(wanted) if c.isdigit() and i not in alignment]
    if not missed or len(missed) > p.max_missed_ratio * (len(digits) + len(missed)):
        return None
    if np.exp(-np.mean([cost[i, taken[i]] for i in digits])) < p.min_mean:
        return None
    known = np.array([alignment[i] for i in digits])
    usual = float(np.median(known[:, 3]))
    boxes = _boxes(wanted, taken, found)
    for run in _consecutive_runs(missed):
        before, after = (
            [alignment[i] for i in alignment if i < run[0]],
            [alignment[i] for i in alignment if i > run[-1]],
        )
        reach = p.reach_ratio * usual * len(run)
        start = max((b[0] + b[2] for b in before), default=min((b[0] for b in after), default=0) - reach)
        end = min((b[0] for b in after), default=start + reach)
        own = missing_boxes(pixels, np.array(list(alignment.values())), (start, end), len(run))
        if own is None:
            return None
        boxes += [[int(wanted[i]), *box.round(1).tolist(), HAND] for i, box in zip(run, own, strict=True)]
    strong = found.take((found.kinds != SIGN) & (found.scores > p.min_stray_score))
    middles = strong.boxes[:, :2] + strong.boxes[:, 2:] / 2
    for x, y in middles.tolist():
        if not any(b[1] <= x <= b[1] + b[3] and b[2] <= y <= b[2] + b[4] for b in boxes):
            return None
    return boxes


def _consecutive_runs(places: Sequence[int]) -> list[list[int]]:
    """Group sorted indices into runs of consecutive ones."""
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs
