"""Training crops of the classifier, cut as a run cuts them: digits by boxes with small errors, and non-digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.digits import Digits, concatenate
from batchocr.decoding.overlaps import shared_areas
from batchocr.recognition.calibration import NONE as NOT_A_DIGIT
from batchocr.records import SIGN, SIGNS, Crops, Detections, Pixels
from batchocr.training.detection.cells import HAND, PRINT, UNKNOWN, Boxes
from batchocr.vision.crops import cut_crops

Places = NDArray[np.float32]
"""(n, 4): left, top, width, height."""

HANDWRITTEN, PRINTED, NEAR, MARKS, PAPER, FOUND = "hand", "print", "none near", "none marks", "none paper", "none found"
"""Groups of crops: handwritten and printed digits; non-digits from boxes beside digits and around pairs, from other
ink, from blank paper, and from false detections."""
_SLASH = 10 + SIGNS.index("/")


@dataclass(frozen=True)
class CropSampling:
    """Which crops are cut from an image with known digits."""

    jitter_ratio: float = 0.03
    """Standard deviation of each side of a box, as a share of the digit's longer side; typical errors of the
    detector."""
    large_jitter_ratio: float = 0.09
    large_jitter_share: float = 0.12
    """Share of boxes with the large deviation."""
    detected_share: float = 0.5
    """Of the digits that a detector found, the share that is cut by the detector's box."""
    max_digits: int = 26
    """Maximum number of digits from one image; more digits of one writer add little."""
    max_near: int = 5
    max_marks: int = 6
    max_found: int = 20
    paper: int = 1
    """Maximum number of crops of blank paper from one image."""
    min_height_px: float = 8.0
    """Minimum height of a digit, in pixels; smaller ones are found in enlarged tiles only."""
    same_union_ratio: float = 0.5
    """Intersection over union from which on a detection is the digit."""
    other_union_ratio: float = 0.4
    """A box is not a digit if its intersection over union with every digit is below this, and if it covers only a
    part of each."""
    max_covered_ratio: float = 0.5
    """Maximum share of a digit that a non-digit box may cover. A digit of which a little is missing can still be
    read, and a box with a whole digit and paper around it gives the digit's crop."""
    max_covered_of_bar_ratio: float = 0.2
    """The same share for 1 and 7: a part of these still looks like the digit."""
    pair_covered_ratio: float = 0.8
    """A box that covers this share of each of two digits contains both, and is not a digit."""
    max_unknown_ratio: float = 0.1
    """Maximum share of a non-digit box that may be unknown."""
    bar_px: int = 6
    """A crop with ink narrower than this, in pixels, looks like a 1. Such non-digits are left out if their ink is
    also high enough."""
    bar_height_px: int = 16
    """Minimum height of the ink of such a crop, in pixels."""


PARAMETERS = CropSampling()


def labelled_crops(
    pixels: Pixels,
    boxes: Boxes,
    rng: np.random.Generator,
    found: Detections | None = None,
    p: CropSampling = PARAMETERS,
) -> dict[str, Digits]:
    """Cut labelled crops from an image.

    Args:
        pixels: The image, (height, width) uint8, dark on light.
        boxes: All known boxes (n, 6): class, left, top, width, height, kind. Nothing is cut where a kind is
            UNKNOWN.
        rng: Source of random numbers.
        found: Detections on the image after non-maximum suppression; None without a detector.
        p: Parameters.

    Returns:
        Crops and labels by group.
    """
    known = boxes[boxes[:, 5] < SIGN]
    places, labels = known[:, 1:5], known[:, 0].astype(np.int64)
    height, width = pixels.shape
    complete = (known[:, 4] >= p.min_height_px) & (places[:, :2] >= 0).all(axis=1)
    complete &= (places[:, :2] + places[:, 2:] <= (width, height)).all(axis=1)
    chosen = _sample(np.flatnonzero(complete), p.max_digits, rng)
    digits = {
        HANDWRITTEN: chosen[known[chosen, 5] == HAND],
        PRINTED: chosen[known[chosen, 5] == PRINT],
    }
    detected = _detected_boxes(places, found, p)
    non_digit_rule = _NonDigitRule(
        places, labels, boxes[boxes[:, 5] == UNKNOWN, 1:5], boxes[boxes[:, 0] == _SLASH, 1:5], p
    )
    cut: list[tuple[str, Places, NDArray[np.int64]]] = [
        (name, _cutting_boxes(places[which], detected[which], rng, p), labels[which]) for name, which in digits.items()
    ]
    near = np.concatenate([_shifted_boxes(places[chosen], rng), _pair_boxes(places[complete], rng)])
    marks = np.concatenate([_ink_boxes(pixels, rng, 4 * p.max_marks), boxes[boxes[:, 5] == SIGN, 1:5]])
    for name, some, limit in (
        (NEAR, near, p.max_near),
        (MARKS, _jitter(marks, rng, p), p.max_marks),
        (PAPER, _random_boxes(pixels, places, p.paper, rng), p.paper),
        (FOUND, _false_detections(found, places, p), p.max_found),
    ):
        some = some[non_digit_rule.is_not_a_digit(some)]
        some = some[_sample(np.arange(len(some)), limit, rng)]
        cut.append((name, some, np.full(len(some), NOT_A_DIGIT)))
    crops = cut_crops(pixels, np.concatenate([part for _, part, _ in cut]))
    ends = np.cumsum([len(part) for _, part, _ in cut])
    groups = {}
    for (name, _, own), part in zip(cut, np.split(crops, ends[:-1]), strict=True):
        keep = np.flatnonzero(_is_inked(part) if name in digits else ~_is_bar(part, p) | (name == FOUND))
        if len(keep):
            groups[name] = Digits(part[keep], own[keep])
    return groups


def merge_groups(parts: Sequence[dict[str, Digits]]) -> dict[str, Digits]:
    """Merge the groups of many images."""
    names = sorted({name for part in parts for name in part})
    return {name: concatenate([part[name] for part in parts if name in part]) for name in names}


def _sample(places: NDArray[np.intp], limit: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return np.sort(rng.permutation(places)[:limit])


def _is_inked(crops: Crops) -> NDArray[np.bool_]:
    return np.asarray((crops > 60).sum(axis=(1, 2)) >= 8)


def _is_bar(crops: Crops, p: CropSampling) -> NDArray[np.bool_]:
    across, down = ((crops > 60).any(axis=axis).sum(axis=1) for axis in (1, 2))
    return np.asarray((across > 0) & (across < p.bar_px) & (down >= p.bar_height_px))


def intersection_over_union(first: Places, second: Places) -> NDArray[np.float32]:
    """Return the intersection over union (n, m) of boxes (n, 4) and (m, 4)."""
    shared = shared_areas(first, second)
    area = first[:, 2:].prod(axis=1)[:, None] + second[:, 2:].prod(axis=1)[None] - shared
    return np.asarray(shared / np.maximum(1e-3, area), np.float32)


@dataclass(frozen=True)
class _NonDigitRule:
    """Decides which boxes are certainly not a digit."""

    digits: Places
    labels: NDArray[np.int64]
    unknown: Places
    slashes: Places
    """Boxes of slashes, which look like a 1 without their surroundings."""
    p: CropSampling

    def is_not_a_digit(self, boxes: Places) -> NDArray[np.bool_]:
        """Return a mask (n,) of the boxes (n, 4) that are certainly not a digit."""
        p, area = self.p, np.maximum(1e-3, boxes[:, 2:].prod(axis=1))
        excluded = shared_areas(boxes, self.unknown).sum(axis=1) > p.max_unknown_ratio * area
        excluded |= (intersection_over_union(boxes, self.slashes) > p.other_union_ratio).any(axis=1)
        if not len(self.digits):
            return ~excluded
        shared = shared_areas(boxes, self.digits)
        covered = shared / np.maximum(1e-3, self.digits[:, 2:].prod(axis=1))
        bar = np.isin(self.labels, (1, 7))
        limit = np.where(bar, p.max_covered_of_bar_ratio, p.max_covered_ratio)
        apart = (covered < limit).all(axis=1) & (intersection_over_union(boxes, self.digits) < p.other_union_ratio).all(
            axis=1
        )
        pair = ((covered >= p.pair_covered_ratio).sum(axis=1) >= 2) & (
            (intersection_over_union(boxes, self.digits) < 0.75).all(
                axis=1
            )  # a large digit with a speck of another one is still that digit
        )
        return (apart | pair) & ~excluded


def _jitter(boxes: Places, rng: np.random.Generator, p: CropSampling) -> Places:
    """Move each side of the boxes a little."""
    count = len(boxes)
    ratio = np.where(rng.random(count) < p.large_jitter_share, p.large_jitter_ratio, p.jitter_ratio)
    size = boxes[:, 2:].max(axis=1)
    off = np.clip(rng.normal(0, 1, (count, 4)), -2.5, 2.5) * (ratio * size)[:, None]
    ends = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) + off
    return np.concatenate([ends[:, :2], np.maximum(2, ends[:, 2:] - ends[:, :2])], axis=1).astype(np.float32)


def _detected_boxes(places: Places, found: Detections | None, p: CropSampling) -> Places:
    """Return for each digit the box (n, 4) of its detection; NaN if it was not detected."""
    boxes = np.full((len(places), 4), np.nan, np.float32)
    if found is None or not len(places):
        return boxes
    own = found.boxes[found.kinds != SIGN]
    if len(own):
        union = intersection_over_union(places, own)
        best = union.argmax(axis=1)
        same = union[np.arange(len(places)), best] >= p.same_union_ratio
        boxes[same] = own[best[same]]
    return boxes


def _cutting_boxes(places: Places, detected: Places, rng: np.random.Generator, p: CropSampling) -> Places:
    """Return the boxes by which digits are cut: the detector's, or the true ones with random errors."""
    boxes = _jitter(places, rng, p)
    by_detector = (rng.random(len(places)) < p.detected_share) & ~np.isnan(detected[:, 0])
    return np.where(by_detector[:, None], detected, boxes)


def _shifted_boxes(places: Places, rng: np.random.Generator) -> Places:
    """Return boxes of the size of digits, shifted by half their size or more."""
    count = len(places)
    turn, reach = rng.uniform(0, 2 * np.pi, count), rng.uniform(0.5, 1.0, count)
    way = np.stack([np.cos(turn), np.sin(turn)], axis=1) * reach[:, None] * places[:, 2:]
    size = places[:, 2:] * rng.uniform(0.7, 1.25, (count, 2))
    middle = places[:, :2] + places[:, 2:] / 2 + way
    return np.concatenate([middle - size / 2, size], axis=1).astype(np.float32)


def _pair_boxes(places: Places, rng: np.random.Generator) -> Places:
    """Return boxes around a digit and its right neighbour, or around a part of each."""
    order = np.argsort(places[:, 0], kind="stable")
    places = places[order]
    pairs = []
    for i in range(len(places)):
        left, top, width, height = places[i].tolist()
        near = np.flatnonzero(
            (places[:, 0] > left + 0.3 * width)
            & (places[:, 0] < left + width + 0.4 * height)
            & (np.abs(places[:, 1] - top) < 0.4 * height)
        )
        if len(near):
            x, y, next_width, next_height = places[near[0]].tolist()
            left_end, right_end = left, x + next_width
            if rng.random() < 0.35:
                left_end, right_end = left + width * rng.uniform(0.35, 0.6), x + next_width * rng.uniform(0.4, 0.65)
            above, below = min(top, y), max(top + height, y + next_height)
            pairs.append([left_end, above, max(2.0, right_end - left_end), below - above])
    return np.array(pairs, np.float32).reshape(-1, 4)


def _ink_boxes(pixels: Pixels, rng: np.random.Generator, limit: int) -> Places:
    """Return boxes of connected ink and of pairs of components: letters, words, rules, rings, print."""
    ink = cv2.adaptiveThreshold(pixels, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 14)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    boxes = stats[1:, :4].astype(np.float32)
    size = boxes[:, 2:].max(axis=1)
    boxes = boxes[(size >= 8) & (size <= 130) & (stats[1:, cv2.CC_STAT_AREA] >= 12)]
    chosen = boxes[_sample(np.arange(len(boxes)), limit, rng)]
    if len(boxes) > 1:
        middles = boxes[:, :2] + boxes[:, 2:] / 2
        for i in np.flatnonzero(rng.random(len(chosen)) < 0.4):
            middle = chosen[i, :2] + chosen[i, 2:] / 2
            nearest = boxes[np.argsort(((middles - middle) ** 2).sum(axis=1))[1]]
            lower = np.minimum(chosen[i, :2], nearest[:2])
            upper = np.maximum(chosen[i, :2] + chosen[i, 2:], nearest[:2] + nearest[2:])
            chosen[i] = *lower, *(upper - lower)
    return chosen


def _random_boxes(pixels: Pixels, places: Places, count: int, rng: np.random.Generator) -> Places:
    """Return boxes of the size of digits at random places."""
    height = float(np.median(places[:, 3])) if len(places) else float(rng.uniform(12, 60))
    size = height * rng.uniform(0.6, 1.3, (2 * count, 2)) * (0.7, 1)
    corner = rng.uniform(0, 1, (2 * count, 2)) * np.maximum(1, pixels.shape[::-1] - size)
    return np.concatenate([corner, size], axis=1).astype(np.float32)


def _false_detections(found: Detections | None, places: Places, p: CropSampling) -> Places:
    """Return the boxes of detections that are not digits."""
    if found is None:
        return np.empty((0, 4), np.float32)
    own = found.boxes[found.kinds != SIGN]
    return own[~(intersection_over_union(own, places) >= p.other_union_ratio / 2).any(axis=1)] if len(places) else own
