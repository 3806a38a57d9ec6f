"""A page laid on another page of the same form: the homography between both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RegistrationParameters:
    """How two pages are laid on each other."""

    longer_px: int = 1400
    """Side of the pages on which features are looked for: the print of forms is then some 10 pixels high."""
    most_features: int = 4000
    ratio: float = 0.8
    """Of the distances to the nearest and the second nearest feature, at most (Lowe 2004)."""
    reach_px: float = 5.0
    """Distance within which a match fits a homography, in pixels of these pages."""
    min_matches: int = 25
    """That fit, at least: with fewer it may be another form."""
    most_turn: float = 2.5
    """Between the scales and between the sides of a page, at most, so that it is laid flat on the other."""


PARAMETERS = RegistrationParameters()


@dataclass(frozen=True)
class PageFeatures:
    """What a page is known again by."""

    points: NDArray[np.float32]
    """(n, 2): x and y in pixels of the page."""
    descriptors: NDArray[np.float32]
    """(n, 128) of SIFT."""
    shape: tuple[int, int]
    """Height and width of the page."""


def page_features(pixels: Pixels, parameters: RegistrationParameters = PARAMETERS) -> PageFeatures:
    """The features of a page (height, width), dark on light.

    SIFT (Lowe, Distinctive image features from scale-invariant keypoints, IJCV 60, 2004), as OpenCV has it.
    """
    import cv2  # imported late, so that the parameters can be read without OpenCV

    p = parameters
    scale = min(1.0, p.longer_px / max(pixels.shape))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    found, descriptors = cv2.SIFT.create(nfeatures=p.most_features).detectAndCompute(small, None)
    points = np.array([each.pt for each in found], np.float32).reshape(-1, 2) / scale
    if descriptors is None:
        descriptors = np.empty((0, 128), np.float32)
    return PageFeatures(points.astype(np.float32), descriptors, (pixels.shape[0], pixels.shape[1]))


def registered(
    page: PageFeatures, form: PageFeatures, parameters: RegistrationParameters = PARAMETERS
) -> tuple[Floats, int] | None:
    """The homography (3, 3) from points of the form to points of the page, and how many features agree on it.

    None where the page is not that form, as far as can be told. Outliers are left out by MAGSAC++ (Barath and others,
    CVPR 2020).
    """
    import cv2

    p = parameters
    if min(len(page.points), len(form.points)) < p.min_matches:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(form.descriptors, page.descriptors, k=2)
    good = [one for one, other in (pair for pair in pairs if len(pair) == 2) if one.distance < p.ratio * other.distance]
    if len(good) < p.min_matches:
        return None
    of_form = form.points[[match.queryIdx for match in good]]
    of_page = page.points[[match.trainIdx for match in good]]
    reach = p.reach_px * max(page.shape) / min(p.longer_px, max(page.shape))
    cv2.setRNGSeed(0)  # the same pages give the same homography
    homography, fits = cv2.findHomography(of_form, of_page, cv2.USAC_MAGSAC, reach, maxIters=5000, confidence=0.999)
    if homography is None or int(fits.sum()) < p.min_matches or not _lies_flat(homography, form.shape, p):
        return None
    return np.asarray(homography, np.float64), int(fits.sum())


def _lies_flat(homography: Floats, shape: tuple[int, int], p: RegistrationParameters) -> bool:
    """Whether the form stays a quadrilateral that a flat sheet can be seen as."""
    import cv2

    height, width = shape
    corners = np.array([[[0, 0]], [[width, 0]], [[width, height]], [[0, height]]], np.float64)
    there = cv2.perspectiveTransform(corners, homography)
    if not np.isfinite(there).all() or not cv2.isContourConvex(there.astype(np.float32)):
        return False
    sides = np.linalg.norm(np.roll(there[:, 0], -1, axis=0) - there[:, 0], axis=1) / [width, height, width, height]
    return bool(sides.min() > 0 and sides.max() / sides.min() <= p.most_turn)
