"""Bubbles: small printed circles and ovals that one fills in."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.forms.draft.ink import Ink
from batchocr.forms.draft.parameters import PARAMETERS, DraftParameters
from batchocr.forms.form import Rect


def find_bubbles(ink: Ink, parameters: DraftParameters = PARAMETERS) -> list[Rect]:
    """Find circles and ovals that are not letters.

    Args:
        ink: The ink of the form.
        parameters: See the class.

    Returns:
        Their bounding rectangles, with the rim.
    """
    p = parameters
    contours, tree = cv2.findContours(ink.ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return []
    boxes = np.array([cv2.boundingRect(each) for each in contours])
    parents = tree[0, :, 3]
    found: list[int] = []
    for at in np.flatnonzero(parents < 0).tolist():
        if not _is_oval(contours[at], boxes[at], p):
            continue
        holes = np.flatnonzero(parents == at)
        if not len(holes):
            continue
        hole = max(holes.tolist(), key=lambda each: int(boxes[each, 2] * boxes[each, 3]))
        if _has_thin_rim(boxes[at], boxes[hole], p):
            found.append(at)
    letters = boxes[[at for at in np.flatnonzero(parents < 0).tolist() if at not in found]]
    return [
        ink.rect(left, top, left + width, top + height)
        for left, top, width, height in boxes[found].tolist()
        if not is_in_word((left, top, width, height), letters, p)
    ]


def _is_oval(contour: Any, box: NDArray[np.int_], p: DraftParameters) -> bool:
    _, _, width, height = box.tolist()
    scale = p.px_per_mm
    if not p.min_mark_mm * scale <= height <= p.max_mark_mm * scale:
        return False
    if not 1 / p.max_mark_aspect <= width / height <= p.max_oval_aspect:
        return False
    share = cv2.contourArea(contour) / ((width - 1) * (height - 1))
    return abs(share - math.pi / 4) <= p.oval_tolerance


def _has_thin_rim(outer: NDArray[np.int_], hole: NDArray[np.int_], p: DraftParameters) -> bool:
    rim = float(max(outer[2] - hole[2], outer[3] - hole[3])) / 2
    return rim <= p.max_rim_ratio * float(min(outer[2], outer[3]))


def is_in_word(box: tuple[int, int, int, int], others: NDArray[np.int_], p: DraftParameters) -> bool:
    """Return whether a component of similar height is close to the left or right, as a letter is."""
    left, top, width, height = box
    shared = np.minimum(top + height, others[:, 1] + others[:, 3]) - np.maximum(top, others[:, 1])
    gap = np.maximum(others[:, 0] - left - width, left - others[:, 0] - others[:, 2])
    similar = (others[:, 3] > 0.5 * height) & (others[:, 3] < 1.5 * height)
    return bool((similar & (shared > 0.5 * height) & (gap >= 0) & (gap < p.min_letter_gap_ratio * height)).any())
