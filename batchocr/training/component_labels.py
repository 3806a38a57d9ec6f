"""Boxes of the digits of a known number, from connected components of ink.

If there are as many separate components as digits, each component is a digit. This needs no detector, so it also labels
handwriting that the detector cannot read yet. If a detector has found some digits of a number, the missing ones are
searched between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.vision.network_input import network_input


@dataclass(frozen=True)
class ComponentParameters:
    """Which connected components are digits; lengths are shares of the strip's height.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    blur_px: float = 1.0
    """Standard deviation of the Gaussian blur before the threshold."""
    level_ratio: float = 0.9
    """Share of Otsu's threshold (1979) from which on a pixel is ink."""
    min_side_ratio: float = 0.12
    """Minimum of the longer side of a component; smaller ones are signs or specks."""
    min_tallest_ratio: float = 0.2
    """Minimum height of the tallest digit."""
    min_area_px: int = 12
    """Minimum number of pixels of a component."""
    same_digit_ratio: float = 0.6
    """Components that overlap horizontally by this share of the narrower one are one digit, for example a 5 and its
    flag."""
    min_of_median_ratio: float = 0.45
    """Minimum height of a digit, as a share of the median height of the digits."""
    max_height_ratio: float = 3.0
    """Maximum ratio of the tallest digit's height to the lowest one's."""
    max_width_ratio: float = 1.6
    """Maximum ratio of the widest digit's width to the tallest one's height."""
    min_split_ratio: float = 0.45
    """Minimum width of a component that is two digits, as a share of its height."""
    cut_from_ratio: float = 0.3
    """Minimum distance of the cut from the sides of the component, as a share of its width."""
    off_centre_cost: float = 2.0
    """Additional cost of a pixel in the cut, per width of distance from the centre."""
    slants: tuple[float, ...] = (0.0, 0.15, 0.3, 0.45, 0.6)
    """Slants of the cut that are tried: how far it leans to the right, in heights."""
    min_missing_ratio: float = 0.45
    """Minimum height of a missing digit, as a share of the median height of the known digits."""
    max_missing_ratio: float = 2.6
    """Maximum height of a missing digit, as the same share; a long 5 reaches far below the line."""
    max_gap_ratio: float = 1.5
    """Maximum gap between digits, as a share of their median height; beyond a wider gap there is another number."""


PARAMETERS = ComponentParameters()


def component_boxes(pixels: Pixels, count: int, p: ComponentParameters = PARAMETERS) -> NDArray[np.float64] | None:
    """Find the digits of a number on a strip.

    If one component is missing, the widest one is split: two digits in one stroke. Components that touch the sides of
    the strip are cut off and are ignored.

    Args:
        pixels: The strip, (height, width) uint8, dark ink on light paper.
        count: Number of digits of the known text.
        p: Parameters.

    Returns:
        Left, top, width and height (count, 4) from left to right; None if the number of components differs, or if they
        are too different in size for digits of one number.
    """
    mask = _ink(pixels, p)
    boxes_ltrb = _ink_boxes(mask, p)
    if not boxes_ltrb:
        return None
    boxes = np.array(_merge_stacked(sorted(boxes_ltrb), p), float)
    boxes[:, 2:] -= boxes[:, :2]
    usual_height = float(np.median(boxes[boxes[:, 3] >= 0.5 * boxes[:, 3].max(), 3]))
    boxes = boxes[boxes[:, 3] >= p.min_of_median_ratio * usual_height]
    if len(boxes) == count - 1 and len(boxes):
        boxes = _split_widest(mask, boxes, p)
    if len(boxes) != count or boxes[:, 3].max() < p.min_tallest_ratio * pixels.shape[0]:
        return None
    gaps = boxes[1:, 0] - boxes[:-1, 0] - boxes[:-1, 2]
    unlike = boxes[:, 3].max() > p.max_height_ratio * boxes[:, 3].min()
    if (
        unlike
        or boxes[:, 2].max() > p.max_width_ratio * boxes[:, 3].max()
        or (gaps > p.max_gap_ratio * usual_height).any()
    ):
        return None
    return boxes


def _split_widest(mask: Pixels, boxes: NDArray[np.float64], p: ComponentParameters) -> NDArray[np.float64]:
    """Split the widest box by the straight cut near its centre that crosses the fewest ink pixels."""
    at = int(boxes[:, 2].argmax())
    left, top, box_width, box_height = boxes[at].astype(int).tolist()
    if box_width < p.min_split_ratio * box_height:
        return boxes
    y, x = np.nonzero(mask[top : top + box_height, left : left + box_width])
    best: tuple[float, NDArray[np.bool_]] | None = None
    for slant in p.slants:
        upright = x - slant * (box_height - y)
        start, span = float(upright.min()), float(np.ptp(upright)) + 1
        columns = np.bincount((upright - start).astype(int), minlength=int(span))
        first, last = round(p.cut_from_ratio * span), round((1 - p.cut_from_ratio) * span) + 1
        off_centre = np.abs(np.arange(first, last)[: len(columns[first:last])] / span - 0.5)
        cost = (columns[first:last] + 1) * (1 + p.off_centre_cost * off_centre)
        if best is None or cost.min() < best[0]:
            best = float(cost.min()), upright - start < first + int(cost.argmin())
    assert best is not None
    splits = []
    for own in (best[1], ~best[1]):
        if not own.any():
            return boxes
        splits.append((left + x[own].min(), top + y[own].min(), np.ptp(x[own]) + 1, np.ptp(y[own]) + 1))
    return np.concatenate([boxes[:at], np.array(splits, float), boxes[at + 1 :]])


def missing_boxes(
    pixels: Pixels,
    known: NDArray[np.float64],
    span: tuple[float, float],
    count: int,
    p: ComponentParameters = PARAMETERS,
) -> NDArray[np.float64] | None:
    """Find the digits that a detector missed between known ones.

    Args:
        pixels: The strip, (height, width) uint8, dark ink on light paper.
        known: Boxes (n, 4) of the known digits.
        span: Left and right end of the gap, in pixels.
        count: Number of missing digits.
        p: Parameters.

    Returns:
        Boxes (count, 4); None if the number of other components in the gap differs, or if they are too different from
        the known digits.
    """
    mask = _ink(pixels, p)
    for left, top, box_width, box_height in known.round().astype(int).tolist():
        mask[max(0, top - 1) : top + box_height + 1, max(0, left - 1) : left + box_width + 1] = 0
    boxes_ltrb = sorted(_ink_boxes(mask, p))
    usual_height = float(np.median(known[:, 3]))
    middle = float(np.median(known[:, 1] + known[:, 3] / 2))
    boxes = []
    for left, top, right, bottom in _merge_stacked(boxes_ltrb, p) if boxes_ltrb else []:
        if not span[0] <= (left + right) / 2 <= span[1] or bottom - top < p.min_missing_ratio * usual_height:
            continue
        if not top - 0.2 * usual_height <= middle <= bottom + 0.2 * usual_height:
            continue  # a component of another line
        boxes.append((left, top, right - left, bottom - top))
    found = np.array(boxes, float).reshape(-1, 4)
    if len(found) != count or (found[:, 3] > p.max_missing_ratio * usual_height).any():
        return None
    return None if (found[:, 2] > p.max_width_ratio * np.maximum(usual_height, found[:, 3])).any() else found


def _ink(pixels: Pixels, p: ComponentParameters) -> Pixels:
    """Return a mask (height, width) that is 1 where a strip has ink."""
    ink = cv2.GaussianBlur(network_input(pixels)[..., 0], (0, 0), p.blur_px)
    level, _ = cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return (ink >= p.level_ratio * level).astype(np.uint8)


def _ink_boxes(mask: Pixels, p: ComponentParameters) -> list[tuple[int, int, int, int]]:
    """Return left, top, right and bottom of the components that may be digits."""
    height, width = mask.shape
    _, _, pieces, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    boxes_ltrb = []
    for left, top, box_width, box_height, area in pieces[1:].tolist():
        inside = left > 1 and top > 0 and left + box_width < width - 1 and top + box_height < height
        if inside and max(box_width, box_height) >= p.min_side_ratio * height and area >= p.min_area_px:
            boxes_ltrb.append((left, top, left + box_width, top + box_height))
    return boxes_ltrb


def _merge_stacked(
    boxes_ltrb: list[tuple[int, int, int, int]], p: ComponentParameters
) -> list[tuple[int, int, int, int]]:
    """Merge components that are above each other; the boxes are sorted by their left side."""
    merged = [boxes_ltrb[0]]
    for box_ltrb in boxes_ltrb[1:]:
        last = merged[-1]
        shared = min(last[2], box_ltrb[2]) - max(last[0], box_ltrb[0])
        if shared > p.same_digit_ratio * min(last[2] - last[0], box_ltrb[2] - box_ltrb[0]):
            merged[-1] = (
                min(last[0], box_ltrb[0]),
                min(last[1], box_ltrb[1]),
                max(last[2], box_ltrb[2]),
                max(last[3], box_ltrb[3]),
            )
        else:
            merged.append(box_ltrb)
    return merged
