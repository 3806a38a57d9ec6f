"""Deskewing: the direction of a page's rows of writing, and the transformation that makes them level."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Mask
from batchocr.vision.geometry.connected import connected
from batchocr.vision.geometry.keystone import KeystoneParameters, keystone

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DeskewParameters:
    """How the direction of the rows is measured. Pixels are those of half the working resolution (75 dpi for A4)."""

    max_tilt_deg: float = 15.5
    """Angles up to this are tried on both sides. Basis: pages tilted by up to 15° must be read."""
    coarse_step_deg: float = 0.5
    """Step of the first search. Basis: chosen by eye."""
    fine_step_deg: float = 0.1
    """Step of the second search, around the best angle of the first. Basis: 0.4 mm over the width of A4."""
    fine_reach_deg: float = 0.6
    """Half of the range of the second search. Basis: a little more than the first step."""
    row_px: float = 3.0
    """Height of a bin of the profile. Basis: base lines of handwriting are not sharper."""
    max_points: int = 8000
    """Number of ink pixels that are used. Basis: more points gave the same angles."""
    min_points: int = 8
    """Number of ink pixels below which a page has no direction. Basis: chosen by eye."""
    min_components: int = 8
    """Number of components below which a page has no direction. Basis: chosen by eye."""
    min_component_px: int = 3
    """Longer side of the smallest component that counts. Basis: smaller ones are noise."""
    min_gain: float = 1.08
    """The profile at the angle found is sharper than at 0 by this factor. Basis: tried on drawn pages without rows."""
    min_angle_deg: float = 0.3
    """Smaller angles are left as they are. Basis: measured angles of drawn pages are off by up to this."""
    keystone: KeystoneParameters = field(default_factory=KeystoneParameters)


PARAMETERS = DeskewParameters()


@dataclass(frozen=True)
class Turn:
    """The transformation from a page of `width` × `height` pixels to the level page.

    It is a rotation by `angle` about the middle of the page, or a homography where the camera was tilted.
    """

    angle: float
    """Degrees by which the rows in the middle of the page run downhill to the right."""
    width: int
    height: int
    homography: Floats | None = None
    """(3, 3), from pixels of the page to pixels of the level page, with both origins in the page's middle."""

    @property
    def moves(self) -> bool:
        """Whether the level page differs from the page."""
        return self.angle != 0 or self.homography is not None

    def matrix(self) -> tuple[Floats, tuple[int, int]]:
        """Return the transformation and the size of the level page.

        Returns:
            A homography (3, 3) between centres of pixels, and the width and height that hold the whole page.
        """
        middle = (self.width - 1) / 2, (self.height - 1) / 2
        if self.homography is None:
            cos, sin = abs(np.cos(np.deg2rad(self.angle))), abs(np.sin(np.deg2rad(self.angle)))
            width, height = np.ceil((self.width * cos + self.height * sin, self.height * cos + self.width * sin))
            matrix = np.eye(3)
            matrix[:2] = cv2.getRotationMatrix2D(middle, self.angle, 1.0)
            matrix[:2, 2] += (width - self.width) / 2, (height - self.height) / 2
            return matrix, (int(width), int(height))
        x, y = self.width / 2, self.height / 2
        corners = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
        ends = cv2.perspectiveTransform(corners[:, None], self.homography)[:, 0]
        width, height = np.ceil(np.ptp(ends, axis=0))
        matrix = _translation(-ends.min(axis=0) - 0.5) @ self.homography @ _translation(-np.array(middle))
        return matrix, (int(width), int(height))


def _translation(by: Floats) -> Floats:
    """Return the matrix (3, 3) that moves points by (x, y)."""
    matrix = np.eye(3)
    matrix[:2, 2] = by
    return matrix


def find_turn(ink: Mask, width: int, height: int, parameters: DeskewParameters = PARAMETERS) -> Turn:
    """Find the transformation that makes a page level.

    The ruled lines of a form decide if they show that the camera was tilted. Otherwise the direction of the rows does.

    Args:
        ink: The ink of the page at half of its size.
        width: Width of the page in pixels.
        height: Height of the page in pixels.
        parameters: See the class.
    """
    perspective = keystone(ink, parameters.keystone)
    if perspective is None:
        return Turn(skew(ink, parameters), width, height)
    half = np.diag([0.5, 0.5, 1.0])
    row = cv2.perspectiveTransform(np.array([[[-1.0, 0.0]], [[1.0, 0.0]]]), np.linalg.inv(perspective))[:, 0]
    direction = row[1] - row[0]
    angle = round(float(np.rad2deg(np.arctan2(direction[1], direction[0]))), 2)
    return Turn(angle, width, height, np.linalg.inv(half) @ perspective @ half)


def skew(ink: Mask, parameters: DeskewParameters = PARAMETERS) -> float:
    """Measure how the rows of a page run.

    The projection profile method (Postl, 1986), on the lower edges of the ink: these are on base lines and rules.

    Args:
        ink: The ink (height, width) at half of the working resolution.
        parameters: See the class.

    Returns:
        Degrees by which the rows run downhill to the right; 0 if the page shows no direction.
    """
    p = parameters
    edges = ink.copy()
    edges[:-1] &= ~ink[1:]
    y, x = np.divmod(np.flatnonzero(edges > 0), ink.shape[1])
    if len(x) < p.min_points:
        return 0.0
    if len(x) > p.max_points:
        sample = np.linspace(0, len(x) - 1, p.max_points).astype(np.int64)
        x, y = x[sample], y[sample]
    x, y = x / p.row_px, y / p.row_px
    coarse = np.arange(-p.max_tilt_deg, p.max_tilt_deg + 0.01, p.coarse_step_deg)
    best = coarse[int(_sharpness(x, y, coarse).argmax())]
    fine = best + np.arange(-p.fine_reach_deg, p.fine_reach_deg + 0.01, p.fine_step_deg)
    scores = _sharpness(x, y, fine)
    if scores.max() < p.min_gain * _sharpness(x, y, np.zeros(1))[0]:
        return 0.0
    angle = float(fine[int(scores.argmax())])
    return round(angle, 2) if abs(angle) >= p.min_angle_deg and _has_components(ink, p) else 0.0


def _sharpness(x: Floats, y: Floats, angles: Floats) -> Floats:
    """Return the sum of the squared profile of points at each angle, in degrees: sharp rows give a large sum."""
    scores = np.empty(len(angles))
    for i, angle in enumerate(np.deg2rad(angles)):
        rows = y * np.cos(angle) - x * np.sin(angle)
        profile = np.bincount((rows - rows.min()).astype(np.int64))
        scores[i] = float(profile @ profile)
    return scores


def _has_components(ink: Mask, p: DeskewParameters) -> bool:
    """Return whether the ink has enough components to show a direction."""
    _, stats = connected(ink)
    sizes = np.maximum(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    return bool(np.count_nonzero(sizes >= p.min_component_px) >= p.min_components)
