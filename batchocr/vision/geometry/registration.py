"""Registration: the homography between a page and a blank copy of the same form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RegistrationParameters:
    """How features are found, and when two pages are of the same form."""

    max_side_px: int = 1400
    """Longer side of the page on which features are found. Basis: the print of forms is some 10 pixels high there."""
    max_features: int = 4000
    """Number of features of a page. Basis: chosen for a second of work on a page."""
    max_distance_ratio: float = 0.8
    """Distance to the nearest feature as a share of the distance to the second nearest. Basis: Lowe (2004)."""
    max_error_px: float = 5.0
    """Distance within which a match agrees with the homography, in pixels of the page with `max_side_px`.
    Basis: paper bends by up to this on the forms that were tried."""
    min_matches: int = 25
    """Number of matches that agree. Basis: tried on five forms; other forms reach fewer."""
    max_side_stretch: float = 2.5
    """Ratio of the scales of the four sides of the form. Basis: a camera tilted further gives no readable page."""


PARAMETERS = RegistrationParameters()


@dataclass(frozen=True)
class PageFeatures:
    """The features by which a page is recognized."""

    points: NDArray[np.float32]
    """(n, 2): x and y in pixels of the page."""
    descriptors: NDArray[np.float32]
    """(n, 128), SIFT."""
    shape: tuple[int, int]
    """Height and width of the page."""


def page_features(pixels: Pixels, parameters: RegistrationParameters = PARAMETERS) -> PageFeatures:
    """Find the SIFT features of a page (Lowe, Distinctive image features from scale-invariant keypoints, 2004).

    Args:
        pixels: The level page (height, width), dark on light.
        parameters: See the class.
    """
    import cv2  # here, so that the parameters can be read without OpenCV

    p = parameters
    scale = min(1.0, p.max_side_px / max(pixels.shape))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    found, descriptors = cv2.SIFT.create(nfeatures=p.max_features).detectAndCompute(small, None)
    points = np.array([each.pt for each in found], np.float32).reshape(-1, 2) / scale
    if descriptors is None:
        descriptors = np.empty((0, 128), np.float32)
    return PageFeatures(points.astype(np.float32), descriptors, (pixels.shape[0], pixels.shape[1]))


def register(
    page: PageFeatures, form: PageFeatures, parameters: RegistrationParameters = PARAMETERS
) -> tuple[Floats, int] | None:
    """Find the homography from a form to a page. Outliers are removed by MAGSAC++ (Barath et al., CVPR 2020).

    Args:
        page: The features of the page.
        form: The features of the blank form.
        parameters: See the class.

    Returns:
        The homography (3, 3) from points of the form to points of the page, and the number of matches that agree with
        it. None if the page is not of this form.
    """
    import cv2

    p = parameters
    if min(len(page.points), len(form.points)) < p.min_matches:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(form.descriptors, page.descriptors, k=2)
    good = [
        nearest
        for nearest, second in (pair for pair in pairs if len(pair) == 2)
        if nearest.distance < p.max_distance_ratio * second.distance
    ]
    if len(good) < p.min_matches:
        return None
    on_form = form.points[[match.queryIdx for match in good]]
    on_page = page.points[[match.trainIdx for match in good]]
    max_error = p.max_error_px * max(page.shape) / min(p.max_side_px, max(page.shape))
    cv2.setRNGSeed(0)  # the same pages give the same homography
    homography, fits = cv2.findHomography(on_form, on_page, cv2.USAC_MAGSAC, max_error, maxIters=5000, confidence=0.999)
    if homography is None or int(fits.sum()) < p.min_matches or not _is_plausible(homography, form.shape, p):
        return None
    return np.asarray(homography, np.float64), int(fits.sum())


def _is_plausible(homography: Floats, shape: tuple[int, int], p: RegistrationParameters) -> bool:
    """Return whether the form becomes a quadrilateral that can be the image of a flat sheet."""
    import cv2

    height, width = shape
    corners = np.array([[[0, 0]], [[width, 0]], [[width, height]], [[0, height]]], np.float64)
    ends = cv2.perspectiveTransform(corners, homography)
    if not np.isfinite(ends).all() or not cv2.isContourConvex(ends.astype(np.float32)):
        return False
    sides = np.linalg.norm(np.roll(ends[:, 0], -1, axis=0) - ends[:, 0], axis=1) / [width, height, width, height]
    return bool(sides.min() > 0 and sides.max() / sides.min() <= p.max_side_stretch)
