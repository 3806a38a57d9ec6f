"""Digits that touch, are cut in half or struck out, and so are digits no more; and such as segmentation leaves them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Crops, Pixels
from batchocr.training import shapes
from batchocr.training.datasets import Labels
from batchocr.training.draw import VISIBLE, Ink, draw, tight

STEEP = 45.0
"""Degrees from upright up to which a plain stroke may be a 1."""
STEM, SHORT = (2.0, 0.62), (1.3, 0.3)
"""Length by width, and share of its narrowest box filled, from which a stroke is one; and a short or a bent one."""
FIRM, FAR = 0.6, 10_000
"""Ink that stays ink whatever the light, and a column that no picture has."""
THIN = 4.5
"""Length by width from which it is one whatever its outline: bends and serifs so small are not seen."""

Outline = NDArray[np.int32]
"""(n, 1, 2) x, y of the pixels around a piece of ink or a hole, as OpenCV has them."""


def without_digits(ink: Ink, rings: bool = True, stem: tuple[float, float] = STEM) -> Ink:
    """The ink without its pieces that are a plain upright stroke, a 1, or a plain ring, a 0; (0, 0) if none is left.

    `stem` is what a stroke is told by: STEM or SHORT. Without `rings` they are left: letters are weighed by name.
    """
    mask = (ink > VISIBLE).astype(np.uint8)
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outer = [i for i in range(len(contours)) if tree[0][i][3] < 0]
    wrong = [i for i in outer if _is_stem(contours[i], stem) or (rings and _is_ring(contours, tree[0], i))]
    if not wrong:
        return tight(ink)
    kept = ink.copy()
    for i in wrong:
        gone = cv2.drawContours(np.zeros_like(mask), contours, i, 1, -1)
        kept[cv2.dilate(gone, np.ones((5, 5), np.uint8)) > 0] = 0
    return tight(kept)


def _is_stem(contour: Outline, stem: tuple[float, float]) -> bool:
    """Whether an outline is that of a plain stroke that stands upright or leans a little."""
    (_, (a, b), _) = box = cv2.minAreaRect(contour)
    long, short = max(a, b) + 1, min(a, b) + 1
    if long < stem[0] * short:
        return False
    corners = cv2.boxPoints(box)
    side = max(corners[1] - corners[0], corners[2] - corners[1], key=np.linalg.norm)
    steep = np.degrees(np.arctan2(abs(side[0]), abs(side[1]))) < STEEP
    # the pixels' own half at each side: an outline runs through their middles
    area = cv2.contourArea(contour) + cv2.arcLength(contour, True) / 2
    return bool(steep and (area > stem[1] * long * short or long > THIN * short))


def _is_ring(contours: Sequence[Outline], tree: NDArray[np.int32], i: int) -> bool:
    """Whether outline `i` is round, without corners or ends, and has one large hole; `tree[i, 3]` is around it."""
    contour = contours[i]
    area = max(1.0, cv2.contourArea(contour))
    holes = [cv2.contourArea(c) for c, node in zip(contours, tree, strict=True) if node[3] == i]
    large = [hole for hole in holes if hole > 0.03 * area]
    _, (a, b), _ = cv2.minAreaRect(contour)
    whole = area / max(1.0, cv2.contourArea(cv2.convexHull(contour)))
    return len(large) == 1 and large[0] > 0.12 * area and whole > 0.9 and area < 0.92 * (a + 1e-3) * (b + 1e-3)


def touching(pictures: Crops, labels: Labels, height: float, rng: np.random.Generator) -> Ink:
    """Two of the digits (n, 28, 28), now and then three, in one piece: overlapping or joined by a stroke. No digit.

    `labels` (n,) say which they are: a 1 that touches a 0 may be a 6 or a 9, so it is joined from further away.
    (0, 0) where one of them drew as nothing.
    """
    count = 3 if rng.random() < 0.12 else 2
    chosen = rng.integers(len(pictures), size=count)
    digits = [draw(pictures[i], height * rng.uniform(0.85, 1.15), rng) for i in chosen]
    whole = digits[0]
    if not all(digit.size for digit in digits):
        return np.empty((0, 0), np.float32)
    for n in range(1, count):
        apart = 1 in labels[chosen[n - 1 : n + 1]] or rng.random() < 0.25
        if not (whole := _joined(whole, digits[n], height, apart, rng)).size:
            return whole
    return tight(whole)


def _joined(left: Ink, right: Ink, height: float, apart: bool, rng: np.random.Generator) -> Ink:
    """Two pieces as one: overlapping by a little, or `apart` and with a stroke from one to the other.

    (0, 0) where no row has firm ink of both.
    """
    tall = int(max(left.shape[0], right.shape[0]) + height * rng.uniform(0, 0.1))
    left, right = (_on_canvas(part, tall, int(rng.integers(tall - part.shape[0] + 1))) for part in (left, right))
    ends, starts = left.shape[1] - 1 - _starts(left[:, ::-1]), _starts(right)
    rows = np.flatnonzero((ends >= 0) & (starts < FAR))
    if not len(rows):
        return np.empty((0, 0), np.float32)
    # at the row where they come nearest; enough that neither paper nor light parts them again
    overlap = -height * rng.uniform(0.12, 0.3) if apart else max(2.0, height * rng.uniform(0.04, 0.14))
    at = max(0, int((ends - starts)[rows].max() + 1 - overlap))
    whole = np.zeros((tall, max(left.shape[1], at + right.shape[1])), np.float32)
    whole[:, : left.shape[1]] = left
    part = whole[:, at : at + right.shape[1]]
    np.maximum(part, right, out=part)
    if apart:
        # between the sides that face each other
        a = int(rng.choice(rows[ends[rows] >= np.quantile(ends[rows], 0.6)]))
        b = int(rng.choice(rows[starts[rows] <= np.quantile(starts[rows], 0.4)]))
        pen = max(2, round(height * rng.uniform(0.05, 0.11)))
        cv2.line(whole, (int(ends[a]), a), (at + int(starts[b]), b), 1.0, pen, cv2.LINE_AA)
    return whole


def _on_canvas(ink: Ink, tall: int, top: int) -> Ink:
    """The ink with paper over and under it, `tall` pixels in all."""
    return np.pad(ink, ((top, tall - ink.shape[0] - top), (0, 0)))


def _starts(ink: Ink) -> NDArray[np.intp]:
    """(h,) the first column of each row with firm ink; FAR where it has none."""
    firm = ink > FIRM
    return np.where(firm.any(axis=1), firm.argmax(axis=1), FAR)


def half(picture: Pixels, height: float, rng: np.random.Generator) -> Ink:
    """A hand-written digit (28, 28) of which a cut has left a third to a half of the ink: no digit.

    The cut is straight or slanted, at any side. (0, 0) where a plain stroke or a ring is left, which are digits again:
    of a 1, nearly always. Of a 7 the upper half is a small 7: give none.
    """
    drawn = draw(picture, height * rng.uniform(1, 1.6), rng)
    for _ in range(10 if drawn.size else 0):
        angle = np.deg2rad(rng.choice([0, 90, 180, 270]) + rng.normal(0, 10))
        rows, columns = np.indices(drawn.shape, np.float32)
        along = columns * np.cos(angle) + rows * np.sin(angle)
        # the upper part of a digit tells most of which it is
        upper = np.sin(angle) > 0.7
        line = np.quantile(along[drawn > VISIBLE], rng.uniform(0.3, 0.45) if upper else rng.uniform(0.3, 0.52))
        part = tight(np.where(along < line, drawn, np.float32(0)))
        kept = without_digits(part, stem=SHORT)  # a side of a 0 is a bent 1
        if kept.size and kept.sum() > 0.8 * part.sum():
            return kept
    return np.empty((0, 0), np.float32)


def struck(picture: Pixels, height: float, rng: np.random.Generator) -> Ink:
    """A digit (h, w) struck out by two strokes or more, or by a scribble: no digit any more."""
    drawn = draw(picture, height, rng)
    if not drawn.size:
        return drawn
    tall, wide = drawn.shape
    kind = rng.integers(3)
    size = np.array([max(wide, 0.5 * height), tall]) / height
    if kind == 0:
        x, y = np.linspace(-0.15, 1.15, n := int(rng.integers(5, 9))), np.arange(n) % 2
        ways = [shapes.smooth(np.stack([x, y + rng.normal(0, 0.1, n)], axis=1) * size)]
    elif kind == 1:
        ways = [np.array([(-0.15, 0), (1.15, 1)]) * size, np.array([(1.15, 0), (-0.15, 1)]) * size]
    else:
        high = rng.uniform(0.25, 0.45)
        ways = [
            np.array([(-0.3, high + i * 0.2), (1.3, high + i * 0.2)]) * size + rng.normal(0, 0.04, (2, 2))
            for i in range(int(rng.integers(2, 4)))
        ]
    over = shapes.strokes(ways, height, shapes.pen_width(height, rng)).astype(np.float32) / 255
    both = np.zeros(np.maximum(over.shape, drawn.shape), np.float32)
    for part in (over, drawn):
        top, left = (np.array(both.shape) - part.shape) // 2
        np.maximum(view := both[top : top + part.shape[0], left : left + part.shape[1]], part, out=view)
    return tight(both)


def with_remains(ink: Ink, rng: np.random.Generator) -> Ink:
    """A digit with what is left of a rule or of a box's side at its edge, touching or nearly: still that digit.

    Nothing, (0, 0), stays nothing.
    """
    if not ink.size:
        return ink
    tall, wide = ink.shape
    height = max(tall, wide)
    thick = max(1, round(height * rng.uniform(0.03, 0.08)))
    away = int(rng.integers(-thick, max(1, round(0.04 * height)) + 1))
    level = bool(rng.random() < 0.65)
    side = tall if level else wide
    # short beside a digit, lest it be taken for a 1
    span = max(2, round(height * rng.uniform(0.15, 0.6 if level else 0.35)))
    start = int(rng.integers(-span // 2, (wide if level else tall) - span // 2 + 1))
    across = side + away if rng.random() < 0.6 else -away - thick
    pad = height
    canvas = cv2.copyMakeBorder(ink, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    a, b = slice(pad + across, pad + across + thick), slice(pad + start, pad + start + span)
    remains = canvas[a, b] if level else canvas[b, a]
    np.maximum(remains, np.float32(rng.uniform(0.6, 1)), out=remains)
    return tight(canvas)
