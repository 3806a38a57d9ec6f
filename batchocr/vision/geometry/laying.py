"""Lay a page on a form: map points of the form to the page, and resample the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.vision.geometry.bend_field import BendField

Floats = NDArray[np.float64]
Matrix = NDArray[np.float64]
"""(3, 3): a homography of points. Pixel 0 extends from 0 to 1."""

PointMap = Callable[[Floats], Floats]
"""Maps points (n, 2) to points (n, 2)."""

_STEP_PX = 16  # the map from the form to the page is computed at every such pixel, and linear between
_STRIP_STEPS = 8
_MIN_REDUCTION = 0.77  # bilinear sampling skips pixels of a page that gets smaller than this


@dataclass(frozen=True)
class Laying:
    """The map from points of the form in mm to points of a page in pixels."""

    homography: Matrix
    """(3, 3): from mm of the form to pixels of the page."""
    field: BendField | None = None
    """Displacements on the form, which are applied first."""

    def to_page(self, points_mm: Floats) -> Floats:
        """Return the points of the page, (n, 2) in pixels, for points of the form, (n, 2) in mm."""
        if self.field is not None:
            points_mm = points_mm + self.field.at(points_mm)
        return transformed(points_mm, self.homography)

    def displacements(self, points_mm: Floats, on_page: Floats) -> Floats:
        """Return how far points of the page are from the places of points of the form on flat paper.

        Args:
            points_mm: (n, 2) of the form.
            on_page: (n, 2) in pixels of the page.

        Returns:
            (n, 2) in mm of the form.
        """
        return np.asarray(transformed(on_page, np.asarray(np.linalg.inv(self.homography))) - points_mm)

    def flat(self, size_mm: tuple[float, float]) -> Laying:
        """Return the homography alone that is nearest to this map over a form of a width and height."""
        if self.field is None:
            return self
        grid = grid_points(size_mm, 5, 7)
        return Laying(np.asarray(cv2.findHomography(grid, self.to_page(grid), 0)[0], np.float64))


def transformed(points: Floats, homography: Matrix) -> Floats:
    """Apply a homography to points (n, 2)."""
    return np.asarray(cv2.perspectiveTransform(np.asarray(points, np.float64)[:, None], homography)[:, 0], np.float64)


def scales_at(points: Floats, homography: Matrix) -> Floats:
    """Return the singular values (n, 2) of the Jacobian of a homography at points (n, 2), the larger one first."""
    x, y, w = homography @ np.column_stack([points, np.ones(len(points))]).T
    rows = [
        (homography[i, :2][None] - (each / w)[:, None] * homography[2, :2][None]) / w[:, None]
        for i, each in ((0, x), (1, y))
    ]
    return np.asarray(np.linalg.svd(np.stack(rows, axis=1), compute_uv=False))


def grid_points(size: tuple[float, float], columns: int, rows: int) -> Floats:
    """Return points (rows * columns, 2) spread evenly over a page of a width and height, the corners included."""
    x, y = np.meshgrid(np.linspace(0, size[0], columns), np.linspace(0, size[1], rows))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def bend_at(points: Floats, bend: NDArray[np.float32], shape: tuple[int, ...]) -> Floats:
    """Interpolate the bend of the paper linearly.

    Args:
        points: (n, 2) x and y in pixels of the level page. Outside of it the bend of its edge is continued.
        bend: (rows, columns, 2): see `Placement.bend`.
        shape: Height and width of the level page.

    Returns:
        (n, 2) in pixels of the level page.
    """
    rows, columns, _ = bend.shape
    if rows < 2 or columns < 2:
        return np.broadcast_to(np.asarray(bend[0, 0], np.float64), points.shape)
    x = np.clip(points[:, 0] / shape[1], 0, 1) * (columns - 1)
    y = np.clip(points[:, 1] / shape[0], 0, 1) * (rows - 1)
    left, top = np.minimum(x.astype(np.intp), columns - 2), np.minimum(y.astype(np.intp), rows - 2)
    u, v = (x - left)[:, None], (y - top)[:, None]
    upper = (1 - u) * bend[top, left] + u * bend[top, left + 1]
    lower = (1 - u) * bend[top + 1, left] + u * bend[top + 1, left + 1]
    return np.asarray((1 - v) * upper + v * lower, np.float64)


def reduced_page(pixels: Pixels, scale: float) -> tuple[Pixels, Floats]:
    """Reduce a page to about a scale, if it gets so much smaller that bilinear sampling would skip pixels.

    Args:
        pixels: (height, width) uint8.
        scale: Wanted pixels for each pixel of the page.

    Returns:
        The page, and its width and height as shares of those of `pixels`.
    """
    height, width = pixels.shape
    if scale >= _MIN_REDUCTION:
        return pixels, np.ones(2)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.array([size[0] / width, size[1] / height])


def resampled(pixels: Pixels, points: PointMap, size: tuple[int, int], interpolation: int = cv2.INTER_LINEAR) -> Pixels:
    """Resample a page.

    Args:
        pixels: (height, width) uint8.
        points: Returns points (n, 2) in pixels of `pixels` for points (n, 2) in pixels of the result.
        size: Width and height of the result.
        interpolation: A flag of OpenCV.

    Returns:
        The page; white where `pixels` has no pixel.
    """
    width, height = size
    # a grid at the centres of squares, with one square around the page, is enlarged by linear interpolation
    columns, rows = -(-width // _STEP_PX) + 2, -(-height // _STEP_PX) + 2
    x, y = np.meshgrid((np.arange(columns) - 0.5) * _STEP_PX, (np.arange(rows) - 0.5) * _STEP_PX)
    grid = points(np.stack([x.ravel(), y.ravel()], axis=1)) - 0.5  # OpenCV counts from the centre of the first pixel
    coarse = grid.reshape(rows, columns, 2).astype(np.float32)
    result = np.empty((height, width), np.uint8)
    for row in range(0, rows - 2, _STRIP_STEPS):  # strips fit in the processor's cache
        part = coarse[row : row + _STRIP_STEPS + 2]
        fine = cv2.resize(part, (columns * _STEP_PX, len(part) * _STEP_PX), interpolation=cv2.INTER_LINEAR)
        strip = cv2.remap(
            pixels, fine[_STEP_PX:-_STEP_PX], None, interpolation, borderMode=cv2.BORDER_CONSTANT, borderValue=255
        )
        top = row * _STEP_PX
        result[top : top + len(strip)] = strip[: height - top, _STEP_PX : _STEP_PX + width]
    return result
