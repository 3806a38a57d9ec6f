"""The sheet of paper within an image: found by its outline on a desk or a scanner's glass, and rectified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.vision.binarize import Contrast
from batchocr.vision.geometry.outline import OutlineParameters, Points, outline


@dataclass(frozen=True)
class SheetParameters:
    """When the surroundings of an outline are not paper. Pixels are those of the small image.

    Basis of all: tried on drawn sheets on desks and in scanners, and on scanned pages without surroundings.
    """

    min_image_px: int = 500
    """Longer side of the smallest image, in its own pixels. Basis: smaller images are cut-outs, not photographs."""
    small_image_px: int = 400
    """Longer side of the small image in which the outline is found."""
    writing_px: int = 5
    """Width of the widest stroke or line that is removed before the outline is found."""
    margin_ratio: float = 0.005
    """The sheet is cut smaller than its outline by this share of its longer side: outlines are soft and bent."""
    desk_ratio: float = 0.72
    """Surroundings darker than the paper times this are a desk. Basis: tinted print is paler."""
    min_grain: float = 0.9
    """Surroundings of which half of the pixels differ more from their neighbours are a desk, in grey levels."""
    min_slant_deg: float = 0.6
    """Angle between opposite sides from which a camera took the image. Basis: a scanner keeps them parallel."""
    paper_ratio: float = 0.85
    """Surroundings brighter than the paper times this may be paper, and dark strokes on them writing."""
    writing_contrast_ratio: float = 0.12
    """Contrast of such strokes, as a share of the paper's brightness."""
    max_outer_writing_ratio: float = 0.03
    """Share of the strokes that may be outside of the sheet."""
    max_step_ratio: float = 0.97
    """Brightness outside of each side as a share of the brightness inside, where the whole outline is visible."""
    max_partial_step_ratio: float = 0.9
    """The same where a part of the outline is outside of the image."""
    min_sharpness_ratio: float = 0.6
    """Share of that step within two pixels, where a part of the outline is outside. Basis: shadows are softer."""
    outline: OutlineParameters = field(default_factory=OutlineParameters)


PARAMETERS = SheetParameters()


@dataclass(frozen=True)
class Sheet:
    """A sheet of paper within an image of `width` × `height` pixels; it may fill the image."""

    width: int
    height: int
    corners: Points
    """(4, 2) x, y in pixels of the image: top left, top right, bottom right, bottom left."""
    sides: tuple[bool, bool, bool, bool]
    """Whether the top, right, bottom and left side is visible; else the image ends there."""
    margin_ratio: float
    """See `SheetParameters`."""

    @property
    def whole(self) -> bool:
        """Whether all four sides are visible. Only then the sheet can be rectified."""
        return all(self.sides)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of the rectified sheet, those of its longer sides; else the size of the image."""
        if not self.whole:
            return self.width, self.height
        lengths = np.linalg.norm(np.roll(self.corners, -1, axis=0) - self.corners, axis=1)
        return round(max(lengths[0], lengths[2])), round(max(lengths[1], lengths[3]))

    @property
    def angle(self) -> float:
        """Degrees by which a whole sheet runs downhill to the right; else 0."""
        across = self.corners[1] - self.corners[0] + self.corners[2] - self.corners[3]
        return float(np.rad2deg(np.arctan2(across[1], across[0]))) if self.whole else 0.0

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """(3, 3): homography from the image to the sheet. Both have their origin at the corner of the first pixel."""
        if not self.whole:
            return np.eye(3)
        width, height = self.size
        cut = self.margin_ratio * max(self.size)
        ends = np.array([[-cut, -cut], [width + cut, -cut], [width + cut, height + cut], [-cut, height + cut]])
        matrix = cv2.getPerspectiveTransform(self.corners.astype(np.float32), ends.astype(np.float32))
        return np.asarray(matrix, np.float64)

    def rectify(self, pixels: Pixels) -> Pixels:
        """Return the sheet as seen from straight above; the image itself if the sheet is not whole.

        Args:
            pixels: The image (height, width), or a reduced copy of it.
        """
        if not self.whole:
            return pixels
        scale = np.diag([self.width / pixels.shape[1], self.height / pixels.shape[0], 1.0])
        size = [max(1, round(full / scale[0, 0])) for full in self.size]
        reduce = np.diag([size[0] / self.size[0], size[1] / self.size[1], 1.0])
        middle = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # OpenCV's origin is the centre of a pixel
        matrix = np.linalg.inv(middle) @ reduce @ self.matrix @ scale @ middle
        return cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def bounding_part(self, pixels: Pixels) -> Pixels:
        """Return the upright rectangle of the image (height, width) that contains the sheet."""
        (left, top), (right, bottom) = self.corners.min(axis=0).astype(int), self.corners.max(axis=0).astype(int)
        return pixels[max(0, top) : bottom, max(0, left) : right]

    def masked(self, contrast: Contrast) -> Contrast:
        """Return the contrast (height, width) of the sheet, 0 outside of its visible sides."""
        if self.whole or not any(self.sides):
            return contrast
        height, width = contrast.shape
        corners = np.round(self.corners * (width / self.width, height / self.height)).astype(np.int32)
        mask = np.zeros_like(contrast)
        cv2.fillConvexPoly(mask, corners, 255)
        thickness = 2 * round(self.margin_ratio * max(mask.shape))
        for i, visible in enumerate(self.sides):
            if visible:
                cv2.line(mask, corners[i].tolist(), corners[(i + 1) % 4].tolist(), 0, thickness)
        return cv2.bitwise_and(contrast, mask)


def find_sheet(pixels: Pixels, parameters: SheetParameters = PARAMETERS) -> Sheet:
    """Find the sheet of paper in an image; the whole image if nothing else is around the sheet.

    The surroundings must be darker than the sheet along each visible side, and must not contain strokes that may be
    writing on paper. In addition they must be dark, or grained as wood is, or the outline must show a perspective.

    Args:
        pixels: The grey image (height, width), uint8.
        parameters: See the class.
    """
    p = parameters
    height, width = pixels.shape
    corners = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    image = Sheet(width, height, corners, (False, False, False, False), p.margin_ratio)
    if max(height, width) < p.min_image_px:
        return image
    factor = max(height, width) / p.small_image_px
    step = max(1, int(factor / 2))
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = cv2.resize(pixels[::step, ::step], size, interpolation=cv2.INTER_AREA)
    bare = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((p.writing_px, p.writing_px), np.uint8))
    bare = cv2.GaussianBlur(bare, (3, 3), 0)
    corners, own = outline(bare, p.outline)
    if not any(own) or not _is_sheet(small, bare, corners, own, p):
        return image
    return Sheet(width, height, corners * (width / size[0], height / size[1]), own, p.margin_ratio)


def _is_sheet(small: Pixels, bare: Pixels, corners: Points, own: Sequence[bool], p: SheetParameters) -> bool:
    """Return whether the surroundings of the corners are not paper; `small` has the writing, `bare` has not."""
    whole = all(own)
    inner = np.zeros_like(bare)
    cv2.fillConvexPoly(inner, np.round(corners * 16).astype(np.int32), 255, cv2.LINE_8, 4)
    kernel = np.ones((7, 7), np.uint8)
    inside, outside = cv2.erode(inner, kernel) > 0, cv2.dilate(inner, kernel) == 0
    if not outside.any():
        return False
    ends = [(corners[i], corners[(i + 1) % 4]) for i in range(4) if own[i]]
    steps = [_step(bare, start, end, (5.0, 8.0)) for start, end in ends]
    if max(steps) > (p.max_step_ratio if whole else p.max_partial_step_ratio):
        return False
    if not whole and any(
        step and 1 - _step(bare, start, end, (2.0,)) < p.min_sharpness_ratio * (1 - step)
        for step, (start, end) in zip(steps, ends, strict=True)
    ):
        return False
    paper = float(np.median(bare[inside]))
    written = cv2.subtract(bare, small) > p.writing_contrast_ratio * paper
    bright = outside & (bare > p.paper_ratio * paper)
    outer, strokes = np.count_nonzero(written & bright), np.count_nonzero(written & inside)
    if outer > p.max_outer_writing_ratio * strokes + 12:
        return False
    smooth = bare.astype(np.float32)
    grain = np.median(np.abs(smooth - cv2.GaussianBlur(smooth, (0, 0), 3))[outside])
    if np.median(bare[outside]) < p.desk_ratio * paper or grain > p.min_grain:
        return True
    return whole and _slant(corners) > p.min_slant_deg


def _slant(corners: Points) -> float:
    """Return the largest angle between opposite sides, in degrees."""
    across, down, back, up = np.roll(corners, -1, axis=0) - corners
    pairs = ((across, -back), (down, -up))
    return max(abs(float(np.rad2deg(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b)))) for a, b in pairs)


def _step(bare: Pixels, start: Points, end: Points, distances: Sequence[float]) -> float:
    """Return the brightness outside of a side as a share of that inside, at these distances in pixels.

    It is below 1 at a side of a sheet, and 0 where the image ends.
    """
    height, width = bare.shape
    along = (end - start) / np.linalg.norm(end - start)
    points = start + np.linspace(0.03, 0.97, 100)[:, None] * (end - start)
    inwards = np.array([-along[1], along[0]])
    pairs = []
    for away in distances:
        x, y = np.moveaxis(np.floor(np.stack([points - away * inwards, points + away * inwards])), 2, 0).astype(
            np.int64
        )
        within = ((x >= 0) & (x < width) & (y >= 0) & (y < height)).all(axis=0)
        pairs.append(bare[y[:, within], x[:, within]].astype(np.float64))
    outer, inner = np.concatenate(pairs, axis=1)
    return float(np.median(outer / np.maximum(inner, 1.0))) if len(outer) else 0.0
