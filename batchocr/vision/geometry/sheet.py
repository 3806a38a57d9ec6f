"""The sheet of paper within a picture: found by its outline on a desk or a scanner's glass, and squared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.vision.binarize import Contrast
from batchocr.vision.geometry.outline import Points, outline

SMALLEST = 500
"""Pixels of the longer side below which a picture is a cutting, and no photograph of a sheet on a desk."""
LOOK = 400
"""Pixels of the longer side at which the outline is looked for."""
WRITING = 5
"""Pixels there: what is darker than its surroundings and no wider is writing or a printed line."""
MARGIN = 0.005
"""Share of the longer side by which a sheet is taken smaller than its outline, which is soft and seldom straight."""
DARK = 0.72
"""Times as bright as paper: no more is a desk, whatever else it is like; tinted print is paler."""
GRAIN = 0.9
"""Grey levels by which half of the pixels of wood, cloth or stone stray from those around them."""
SLANT = 0.6
"""Degrees between opposite sides of a sheet from which a camera saw it: a scanner keeps them parallel."""
PAPER = 0.85
"""Times as bright as the sheet's own paper: what is brighter may be paper too, and dark strokes on it writing."""
FAINT_STEP = 0.97
"""How bright the desk is at most beside the sheet's sides..."""
CLEAR_STEP = 0.9
"""...and where the sheet is not seen whole."""
SHARP = 0.6
"""Share of that step which is there two pixels from such a side: a shadow sets in more softly."""


@dataclass(frozen=True)
class Sheet:
    """A sheet of paper within a picture of `width` × `height` pixels, which it may fill."""

    width: int
    height: int
    corners: Points
    """(4, 2) x, y in pixels of the picture: top left, top right, bottom right, bottom left."""
    sides: tuple[bool, bool, bool, bool]
    """Whether top, right, bottom and left side are its own; else the picture ends there."""

    @property
    def whole(self) -> bool:
        """Whether all of it is seen; only then can be told how it lies, and it is squared."""
        return all(self.sides)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture of the sheet: its longer sides where it was squared."""
        if not self.whole:
            return self.width, self.height
        lengths = np.linalg.norm(np.roll(self.corners, -1, axis=0) - self.corners, axis=1)
        return round(max(lengths[0], lengths[2])), round(max(lengths[1], lengths[3]))

    @property
    def angle(self) -> float:
        """Degrees by which the sheet lies downhill to the right, where it is squared; else 0."""
        across = self.corners[1] - self.corners[0] + self.corners[2] - self.corners[3]
        return float(np.rad2deg(np.arctan2(across[1], across[0]))) if self.whole else 0.0

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """From the picture to the sheet, both with the origin at the corner of their first pixel."""
        if not self.whole:
            return np.eye(3)
        width, height = self.size
        cut = MARGIN * max(self.size)
        ends = np.array([[-cut, -cut], [width + cut, -cut], [width + cut, height + cut], [-cut, height + cut]])
        matrix = cv2.getPerspectiveTransform(self.corners.astype(np.float32), ends.astype(np.float32))
        return np.asarray(matrix, np.float64)

    def square(self, pixels: Pixels) -> Pixels:
        """The sheet alone, out of the picture (height, width) or a reduced one, as if seen from straight above."""
        if not self.whole:
            return pixels
        scale = np.diag([self.width / pixels.shape[1], self.height / pixels.shape[0], 1.0])
        size = [max(1, round(full / scale[0, 0])) for full in self.size]
        reduce = np.diag([size[0] / self.size[0], size[1] / self.size[1], 1.0])
        middle = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # OpenCV has the origin in the middle of a pixel
        matrix = np.linalg.inv(middle) @ reduce @ self.matrix @ scale @ middle
        return cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def cut_out(self, pixels: Pixels) -> Pixels:
        """The upright part of the picture in which the sheet lies."""
        (left, top), (right, bottom) = self.corners.min(axis=0).astype(int), self.corners.max(axis=0).astype(int)
        return pixels[max(0, top) : bottom, max(0, left) : right]

    def back(self, points: Points, scale: tuple[float, float]) -> Points:
        """Middles of pixels (n, 2) x, y of the squared sheet as they lie in the picture, both reduced by `scale`."""
        if not self.whole:
            return points
        full = (points[:, None] + 0.5) * scale
        return cv2.perspectiveTransform(full, np.linalg.inv(self.matrix))[:, 0] / scale - 0.5

    def inside(self, points: Points) -> NDArray[np.float64]:
        """How far points (n, 2) of the sheet lie from its nearest side, outside of it below 0."""
        if self.whole:
            return np.concatenate([points, self.size - points], axis=1).min(axis=1)
        cut, away = MARGIN * max(self.size), np.full(len(points), np.inf)
        for i, own in enumerate(self.sides):
            if own:
                along = self.corners[(i + 1) % 4] - self.corners[i]
                to = points - self.corners[i]
                away = np.minimum(away, (along[0] * to[:, 1] - along[1] * to[:, 0]) / np.hypot(*along) - cut)
        return away

    def clear(self, contrast: Contrast) -> Contrast:
        """The contrast of the sheet (height, width) with nothing outside of its sides."""
        if self.whole or not any(self.sides):
            return contrast
        height, width = contrast.shape
        corners = np.round(self.corners * (width / self.width, height / self.height)).astype(np.int32)
        mask = np.zeros_like(contrast)
        cv2.fillConvexPoly(mask, corners, 255)
        for i, own in enumerate(self.sides):
            if own:
                cv2.line(
                    mask, corners[i].tolist(), corners[(i + 1) % 4].tolist(), 0, 2 * round(MARGIN * max(mask.shape))
                )
        return cv2.bitwise_and(contrast, mask)


def find_sheet(pixels: Pixels) -> Sheet:
    """The sheet of paper on a page (height, width); all of the page where nothing else is around it.

    What is around must be darker than the sheet beside each side that is seen, and hold nothing that may be writing
    on paper. Then it must be dark, grained as wood is, or, where it is neither, the sheet must be seen aslant.
    """
    height, width = pixels.shape
    page = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    nothing = Sheet(width, height, page, (False, False, False, False))
    if max(height, width) < SMALLEST:
        return nothing
    factor = max(height, width) / LOOK
    step = max(1, int(factor / 2))
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = cv2.resize(pixels[::step, ::step], size, interpolation=cv2.INTER_AREA)
    bare = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((WRITING, WRITING), np.uint8))
    bare = cv2.GaussianBlur(bare, (3, 3), 0)
    corners, own = outline(bare)
    if not any(own) or not _is_sheet(small, bare, corners, own):
        return nothing
    return Sheet(width, height, corners * (width / size[0], height / size[1]), own)


def _is_sheet(small: Pixels, bare: Pixels, corners: Points, own: Sequence[bool]) -> bool:
    """Whether what lies outside of the corners is no paper: `small` with and `bare` without its writing."""
    whole = all(own)
    inner = np.zeros_like(bare)
    cv2.fillConvexPoly(inner, np.round(corners * 16).astype(np.int32), 255, cv2.LINE_8, 4)
    kernel = np.ones((7, 7), np.uint8)
    inside, outside = cv2.erode(inner, kernel) > 0, cv2.dilate(inner, kernel) == 0
    if not outside.any():
        return False
    ends = [(corners[i], corners[(i + 1) % 4]) for i in range(4) if own[i]]
    steps = [_step(bare, start, stop, (5.0, 8.0)) for start, stop in ends]
    if max(steps) > (FAINT_STEP if whole else CLEAR_STEP):
        return False
    if not whole and any(
        step and 1 - _step(bare, start, stop, (2.0,)) < SHARP * (1 - step)
        for step, (start, stop) in zip(steps, ends, strict=True)
    ):
        return False
    paper = float(np.median(bare[inside]))
    around = bare[outside]
    written = cv2.subtract(bare, small) > 0.12 * paper
    bright = outside & (bare > PAPER * paper)
    if np.count_nonzero(written & bright) > 0.03 * np.count_nonzero(written & inside) + 12:
        return False
    smooth = bare.astype(np.float32)
    grain = np.median(np.abs(smooth - cv2.GaussianBlur(smooth, (0, 0), 3))[outside])
    if np.median(around) < DARK * paper or grain > GRAIN:
        return True
    return whole and _slant(corners) > SLANT


def _slant(corners: Points) -> float:
    """Degrees by which opposite sides differ in direction at most."""
    across, down, back, up = np.roll(corners, -1, axis=0) - corners
    pairs = ((across, -back), (down, -up))
    return max(abs(float(np.rad2deg(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b)))) for a, b in pairs)


def _step(bare: Pixels, start: Points, stop: Points, pixels: Sequence[float]) -> float:
    """How bright it is so many pixels outside of a side as a share of how bright it is inside; 0 where nobody can see.

    Below 1 at a sheet's side.
    """
    height, width = bare.shape
    along = (stop - start) / np.linalg.norm(stop - start)
    on = start + np.linspace(0.03, 0.97, 100)[:, None] * (stop - start)
    inwards = np.array([-along[1], along[0]])
    pairs = []
    for away in pixels:
        x, y = np.moveaxis(np.floor(np.stack([on - away * inwards, on + away * inwards])), 2, 0).astype(np.int64)
        within = ((x >= 0) & (x < width) & (y >= 0) & (y < height)).all(axis=0)
        pairs.append(bare[y[:, within], x[:, within]].astype(np.float64))
    outer, inner = np.concatenate(pairs, axis=1)
    return float(np.median(outer / np.maximum(inner, 1.0))) if len(outer) else 0.0
