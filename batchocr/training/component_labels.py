"""Boxes for a number whose text is known, from its ink: where as many pieces stand apart as there are digits.

It needs no detector for a whole number, and so it also labels hands that no detector reads yet. Where a detector found
some digits of a number, it finds those that are missing.
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
    """Which pieces of ink are digits; lengths as shares of the strip's height."""

    blur_px: float = 1.0
    level_ratio: float = 0.9
    """Of Otsu's threshold (1979), from which on a pixel is ink."""
    min_side_ratio: float = 0.12
    """Longer side, at least: smaller pieces are signs or specks."""
    min_tallest_ratio: float = 0.2
    """The tallest digit is at least so high."""
    min_area_px: int = 12
    same_digit_ratio: float = 0.6
    """Pieces that share so much of the narrower one's width are one digit, as a 5 and its flag."""
    min_of_median_ratio: float = 0.45
    """Of the digits' usual height: lower pieces are none."""
    max_height_ratio: float = 3.0
    """Between the highest and the lowest digit."""
    max_width_ratio: float = 1.6
    """Of the widest digit to the highest."""
    min_parted_ratio: float = 0.45
    """Width of a piece that is two digits, of its height, at least."""
    cut_from_ratio: float = 0.3
    """It is parted not nearer to its sides, in its widths."""
    off_middle_cost: float = 2.0
    """So much dearer is a pixel in the cut a whole width off the middle."""
    slants: tuple[float, ...] = (0.0, 0.15, 0.3, 0.45, 0.6)
    """Of the cut: how far it leans to the right, in heights."""
    min_missing_ratio: float = 0.45
    """Height of a digit that is missing, of that of those known, at least..."""
    max_missing_ratio: float = 2.6
    """...and at most: a long 5 goes far below the line."""
    max_gap_ratio: float = 1.5
    """Of the usual height: beyond a wider gap another number stands."""


PARAMETERS = ComponentParameters()


def component_boxes(pixels: Pixels, count: int, p: ComponentParameters = PARAMETERS) -> NDArray[np.float64] | None:
    """Left, top, width and height (count, 4) of the digits on a strip (height, width), from the left.

    Where there is one piece of ink less, the widest one is parted: two digits in one stroke. None where the pieces are
    not as many, or are too unlike for digits of one number. What touches the strip's sides is cut off and belongs to
    something else.
    """
    mask = _ink(pixels, p)
    parts = _parts(mask, p)
    if not parts:
        return None
    boxes = np.array(_joined(sorted(parts), p), float)
    boxes[:, 2:] -= boxes[:, :2]
    usual = float(np.median(boxes[boxes[:, 3] >= 0.5 * boxes[:, 3].max(), 3]))
    boxes = boxes[boxes[:, 3] >= p.min_of_median_ratio * usual]
    if len(boxes) == count - 1 and len(boxes):
        boxes = _parted(mask, boxes, p)
    if len(boxes) != count or boxes[:, 3].max() < p.min_tallest_ratio * pixels.shape[0]:
        return None
    gaps = boxes[1:, 0] - boxes[:-1, 0] - boxes[:-1, 2]
    unlike = boxes[:, 3].max() > p.max_height_ratio * boxes[:, 3].min()
    if unlike or boxes[:, 2].max() > p.max_width_ratio * boxes[:, 3].max() or (gaps > p.max_gap_ratio * usual).any():
        return None
    return boxes


def _parted(mask: Pixels, boxes: NDArray[np.float64], p: ComponentParameters) -> NDArray[np.float64]:
    """The widest box as two, by the straight cut near its middle that meets the fewest pixels of ink."""
    at = int(boxes[:, 2].argmax())
    left, top, wide, tall = boxes[at].astype(int).tolist()
    if wide < p.min_parted_ratio * tall:
        return boxes
    y, x = np.nonzero(mask[top : top + tall, left : left + wide])
    best: tuple[float, NDArray[np.bool_]] | None = None
    for slant in p.slants:
        upright = x - slant * (tall - y)
        start, span = float(upright.min()), float(np.ptp(upright)) + 1
        columns = np.bincount((upright - start).astype(int), minlength=int(span))
        begin, end = round(p.cut_from_ratio * span), round((1 - p.cut_from_ratio) * span) + 1
        off_middle = np.abs(np.arange(begin, end)[: len(columns[begin:end])] / span - 0.5)
        cost = (columns[begin:end] + 1) * (1 + p.off_middle_cost * off_middle)
        if best is None or cost.min() < best[0]:
            best = float(cost.min()), upright - start < begin + int(cost.argmin())
    assert best is not None
    halves = []
    for own in (best[1], ~best[1]):
        if not own.any():
            return boxes
        halves.append((left + x[own].min(), top + y[own].min(), np.ptp(x[own]) + 1, np.ptp(y[own]) + 1))
    return np.concatenate([boxes[:at], np.array(halves, float), boxes[at + 1 :]])


def missing_boxes(
    pixels: Pixels,
    known: NDArray[np.float64],
    span: tuple[float, float],
    count: int,
    p: ComponentParameters = PARAMETERS,
) -> NDArray[np.float64] | None:
    """Boxes (count, 4) of the digits that stand between `span`, in pixels from the left, beside those `known` (n, 4).

    None where the pieces of ink there, less the ink of the known ones, are not as many, or too unlike the known ones.
    """
    mask = _ink(pixels, p)
    for left, top, wide, tall in known.round().astype(int).tolist():
        mask[max(0, top - 1) : top + tall + 1, max(0, left - 1) : left + wide + 1] = 0
    parts = sorted(_parts(mask, p))
    usual = float(np.median(known[:, 3]))
    middle = float(np.median(known[:, 1] + known[:, 3] / 2))
    boxes = []
    for left, top, right, bottom in _joined(parts, p) if parts else []:
        if not span[0] <= (left + right) / 2 <= span[1] or bottom - top < p.min_missing_ratio * usual:
            continue
        if not top - 0.2 * usual <= middle <= bottom + 0.2 * usual:
            continue  # of another line
        boxes.append((left, top, right - left, bottom - top))
    found = np.array(boxes, float).reshape(-1, 4)
    if len(found) != count or (found[:, 3] > p.max_missing_ratio * usual).any():
        return None
    return None if (found[:, 2] > p.max_width_ratio * np.maximum(usual, found[:, 3])).any() else found


def _ink(pixels: Pixels, p: ComponentParameters) -> Pixels:
    """1 where a strip (height, width) has ink, 0 elsewhere."""
    ink = cv2.GaussianBlur(network_input(pixels)[..., 0], (0, 0), p.blur_px)
    level, _ = cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return (ink >= p.level_ratio * level).astype(np.uint8)


def _parts(mask: Pixels, p: ComponentParameters) -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom of the pieces of ink that may be digits."""
    height, width = mask.shape
    _, _, pieces, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    parts = []
    for left, top, wide, tall, area in pieces[1:].tolist():
        inside = left > 1 and top > 0 and left + wide < width - 1 and top + tall < height
        if inside and max(wide, tall) >= p.min_side_ratio * height and area >= p.min_area_px:
            parts.append((left, top, left + wide, top + tall))
    return parts


def _joined(parts: list[tuple[int, int, int, int]], p: ComponentParameters) -> list[tuple[int, int, int, int]]:
    """Pieces above each other as one; by left side, with left, top, right, bottom."""
    joined = [parts[0]]
    for part in parts[1:]:
        last = joined[-1]
        shared = min(last[2], part[2]) - max(last[0], part[0])
        if shared > p.same_digit_ratio * min(last[2] - last[0], part[2] - part[0]):
            joined[-1] = min(last[0], part[0]), min(last[1], part[1]), max(last[2], part[2]), max(last[3], part[3])
        else:
            joined.append(part)
    return joined
