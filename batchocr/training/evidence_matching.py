"""Match detections with the truth of an image: which detection is which true box, and which count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.digits.overlaps import shared_areas
from batchocr.recognition.calibration import Floats
from batchocr.records import SIGN
from batchocr.training.detection.cells import UNKNOWN, UNKNOWN_SIGNS, Boxes

Integers = NDArray[np.int64]

NO_MATCH = -1
"""Index in place of a true box for a detection that matches none."""


@dataclass(frozen=True)
class EvidenceParameters:
    """Which material is used, and when a detection is a digit.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    sides_px: tuple[int, ...] = (512, 960)
    """Sides of the patches, in turn: a cutting, which a run enlarges, and about half a page, which it does not."""
    same_union_ratio: float = 0.3
    """Intersection over union from which on a detection is a true digit, one to one."""
    unknown_ratio: float = 0.3
    """A detection is not counted if at least this share of its box is unknown."""
    min_visible_ratio: float = 0.75
    """Minimum share of a digit's box that must be on the image for the digit to count as a true one."""
    max_non_digit_visible_ratio: float = 0.45
    """Up to this share a cut-off digit is not a digit, as in the detector's training. Between both shares it is
    unknown."""
    min_height_px: float = 7.0
    """Minimum height of a true digit, in pixels."""
    max_digits: int = 60
    """Maximum number of digits that count from one image, chosen at random, and the same share of its false
    detections. So a page full of digits does not outweigh the others."""
    max_false: int = 25
    """Maximum number of false detections that count from one image, chosen at random. A page with texture gives
    thousands of them; a run marks such a page."""
    floor_score: float = 0.12
    """Minimum score of detections that are collected."""
    sure_score: float = 0.3
    """If a text but no boxes are known, and as many detections as the text has digits reach this score, they are the
    digits."""


PARAMETERS = EvidenceParameters()


def is_one_to_one(read: Integers, true: Integers) -> bool:
    """Determine whether the digits read are the true digits, one for one.

    They are if no other alignment, which leaves some digits out of both, has fewer edits (Levenshtein, 1966). Otherwise
    a digit was missed and something else was taken for a digit.

    Args:
        read: Digits read, (n,).
        true: True digits, (n,).
    """
    row = np.arange(len(true) + 1)
    for i, digit in enumerate(read, 1):
        below = np.empty_like(row)
        below[0] = i
        for j in range(1, len(row)):
            below[j] = min(row[j - 1] + (digit != true[j - 1]), row[j] + 1, below[j - 1] + 1)
        row = below
    return bool(row[-1] == np.count_nonzero(read != true))


def boxes_on_page(boxes: NDArray[np.floating], to_page: Floats) -> Floats:
    """Transform boxes (n, 4) of the level page to the page as given."""
    left, top, width, height = boxes.astype(np.float64).T
    corners = np.stack([np.stack([x, y, np.ones_like(x)]) for x in (left, left + width) for y in (top, top + height)])
    page_points = np.einsum("ij,cjn->cin", to_page, corners)
    page_points = page_points[:, :2] / page_points[:, 2:]
    corner = page_points.min(axis=0)
    return np.concatenate([corner, page_points.max(axis=0) - corner]).T


def expected_boxes(known: Boxes, width: int, height: int, p: EvidenceParameters = PARAMETERS) -> tuple[Boxes, Floats]:
    """Determine which boxes a detector must find on an image.

    Args:
        known: All known boxes (n, 6).
        width: Width of the image in pixels.
        height: Height of the image in pixels.
        p: Parameters.

    Returns:
        The boxes (m, 6) that must be found, and boxes (k, 4) of the unknown parts.
    """
    boxes = known[known[:, 5] != UNKNOWN_SIGNS].astype(np.float64)
    ends = np.clip(boxes[:, 1:3] + boxes[:, 3:5], 0, (width, height))
    corners = np.clip(boxes[:, 1:3], 0, (width, height))
    area = np.maximum(1e-6, boxes[:, 3:5].prod(axis=1))
    visible = np.clip(ends - corners, 0, None).prod(axis=1) / area
    small = (boxes[:, 4] < p.min_height_px) & (boxes[:, 5] < SIGN)
    whole = (boxes[:, 5] < UNKNOWN) & (visible >= p.min_visible_ratio) & ~small
    unknown = (boxes[:, 5] == UNKNOWN) | (~whole & (visible > p.max_non_digit_visible_ratio))
    return known[known[:, 5] != UNKNOWN_SIGNS][whole], boxes[unknown, 1:5]


def match_boxes(
    found: Floats, true: Boxes, unknown: Floats, p: EvidenceParameters = PARAMETERS
) -> tuple[Integers, NDArray[np.bool_]]:
    """Match detections with true boxes, one to one, the greatest overlaps first.

    Args:
        found: Boxes (n, 4) of the detections.
        true: True boxes (m, 6).
        unknown: Boxes (k, 4) of the unknown parts.
        p: Parameters.

    Returns:
        The index (n,) of the true box of each detection, NO_MATCH if there is none; and a mask (n,) of the detections
        that count. An unmatched detection on an unknown part does not count.
    """
    boxes, places = found, true[:, 1:5].astype(np.float64)
    which = np.full(len(boxes), NO_MATCH, np.int64)
    shared = shared_areas(boxes, places)
    areas = boxes[:, 2:].prod(axis=1)
    union = shared / np.maximum(1e-6, areas[:, None] + places[:, 2:].prod(axis=1) - shared)
    at, to = np.nonzero(union >= p.same_union_ratio)
    taken: set[int] = set()
    for place in np.argsort(-union[at, to], kind="stable").tolist():
        i, j = int(at[place]), int(to[place])
        if which[i] == NO_MATCH and j not in taken:
            taken.add(j)
            which[i] = j
    hidden = shared_areas(boxes, unknown).sum(axis=1) > p.unknown_ratio * areas
    return which, (which != NO_MATCH) | ~hidden
