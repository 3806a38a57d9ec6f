"""Boxes for a number whose text is known, from its ink alone: where as many pieces stand apart as there are digits.

It needs no detector, and so it also labels hands that no detector reads yet.
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
    max_gap_ratio: float = 1.5
    """Of the usual height: beyond a wider gap another number stands."""


PARAMETERS = ComponentParameters()


def component_boxes(pixels: Pixels, count: int, p: ComponentParameters = PARAMETERS) -> NDArray[np.float64] | None:
    """Left, top, width and height (count, 4) of the digits on a strip (height, width), from the left.

    None where its pieces of ink are not as many, or are too unlike for digits of one number. What touches the strip's
    sides is cut off and belongs to something else.
    """
    height, width = pixels.shape
    ink = cv2.GaussianBlur(network_input(pixels)[..., 0], (0, 0), p.blur_px)
    level, _ = cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    _, _, pieces, _ = cv2.connectedComponentsWithStats((ink >= p.level_ratio * level).astype(np.uint8), connectivity=8)
    parts = []
    for left, top, wide, tall, area in pieces[1:].tolist():
        inside = left > 1 and top > 0 and left + wide < width - 1 and top + tall < height
        if inside and max(wide, tall) >= p.min_side_ratio * height and area >= p.min_area_px:
            parts.append((left, top, left + wide, top + tall))
    if not parts:
        return None
    boxes = np.array(_joined(sorted(parts), p), float)
    boxes[:, 2:] -= boxes[:, :2]
    usual = float(np.median(boxes[boxes[:, 3] >= 0.5 * boxes[:, 3].max(), 3]))
    boxes = boxes[boxes[:, 3] >= p.min_of_median_ratio * usual]
    if len(boxes) != count or boxes[:, 3].max() < p.min_tallest_ratio * height:
        return None
    gaps = boxes[1:, 0] - boxes[:-1, 0] - boxes[:-1, 2]
    unlike = boxes[:, 3].max() > p.max_height_ratio * boxes[:, 3].min()
    if unlike or boxes[:, 2].max() > p.max_width_ratio * boxes[:, 3].max() or (gaps > p.max_gap_ratio * usual).any():
        return None
    return boxes


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
