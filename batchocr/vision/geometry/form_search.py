"""Find a form on a page by features of its print: the homography from the form to the page, approximately."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.vision.geometry.laying import Floats, Matrix, transformed
from batchocr.vision.geometry.registration import RegistrationParameters, page_features


@dataclass(frozen=True)
class FormSearchParameters:
    """How a form is found on a page.

    The features are those of registration, on smaller pages: the local alignment gives the exact place.
    """

    features: RegistrationParameters = field(
        default_factory=lambda: RegistrationParameters(max_side_px=800, max_features=1000)
    )
    """Features of the first attempt. Basis: tried on five forms and six photos; 600 px find fewer than half as many
    matches, and 1000 px take half as much time again."""
    more_features: RegistrationParameters = field(
        default_factory=lambda: RegistrationParameters(max_side_px=1400, max_features=3000)
    )
    """Features of the second attempt, for pages that the first does not place. Basis: as registration."""
    max_distance_ratio: float = 0.8
    """Distance to the nearest feature as a share of the distance to the second nearest. Basis: Lowe (2004)."""
    max_error_mm: float = 2.0
    """Distance within which a match agrees with the homography. Basis: paper bends by up to 2 mm."""
    min_matches: int = 15
    """Number of matches that agree. Basis: pages of other forms reach 11 or less at 800 px, if they have no print in
    common; the local alignment then checks the form."""
    steps: int = 3000
    """Number of homographies that are tried at most. Basis: chosen by eye."""


PARAMETERS = FormSearchParameters()


@dataclass(frozen=True)
class Features:
    """Features of a page or form."""

    points: Floats
    """(n, 2): x and y in pixels of the page, or in mm of the form."""
    descriptors: NDArray[np.float32]
    """(n, 128), of length 1: RootSIFT (Arandjelović and Zisserman, CVPR 2012)."""


@dataclass(frozen=True)
class Matches:
    """Features of a page that match features of a form."""

    on_form: Floats
    """(n, 2) in mm."""
    on_page: Floats
    """(n, 2) in pixels."""

    def take(self, which: NDArray[np.bool_]) -> Matches:
        """Return some of the matches."""
        return Matches(self.on_form[which], self.on_page[which])


@dataclass(frozen=True)
class FoundForm:
    """A form on a page."""

    homography: Matrix
    """(3, 3): from mm of the form to pixels of the page."""
    matches: int
    """Number of matches that agree with the homography."""


def find_features(pixels: Pixels, scale: Floats, parameters: RegistrationParameters) -> Features:
    """Find the features of a page or form.

    Args:
        pixels: (height, width) uint8, dark on light.
        scale: (2,): units of the points for each pixel in x and in y.
        parameters: How features are found.
    """
    found = page_features(pixels, parameters)
    reduction = max(1.0, max(pixels.shape) / parameters.max_side_px)
    points = (found.points.astype(np.float64) + reduction / 2) * scale  # they count from the centre of the first pixel
    shares = found.descriptors / np.maximum(found.descriptors.sum(axis=1, keepdims=True), 1e-9)
    return Features(points, np.sqrt(shares))


def match_features(page: Features, form: Features, parameters: FormSearchParameters = PARAMETERS) -> Matches:
    """Match each feature of a page with the nearest feature of a form, if the second nearest is much further.

    Several features of the page may match the same one of the form: there may be two copies on the page.
    """
    if len(page.points) == 0 or len(form.points) < 2:
        return Matches(np.empty((0, 2)), np.empty((0, 2)))
    similarity = page.descriptors @ form.descriptors.T
    rows = np.arange(len(similarity))
    best = similarity.argmax(axis=1)
    first = similarity[rows, best].copy()
    similarity[rows, best] = -1
    second = similarity.max(axis=1)
    # for vectors of length 1 the squared distance is 2 - 2 similarity
    good = np.sqrt(np.maximum(1 - first, 0)) < parameters.max_distance_ratio * np.sqrt(np.maximum(1 - second, 0))
    return Matches(form.points[best[good]], page.points[good])


def find_form(
    matches: Matches, size_mm: tuple[float, float], px_per_mm: float, parameters: FormSearchParameters = PARAMETERS
) -> FoundForm | None:
    """Find the homography with which most matches agree, by MAGSAC++ (Barath et al., CVPR 2020).

    Args:
        matches: The matches of page and form.
        size_mm: Width and height of the form.
        px_per_mm: Approximate resolution of the page.
        parameters: See the class.

    Returns:
        None if too few matches agree, or if the form would be mirrored or folded.
    """
    import cv2

    p = parameters
    if len(matches.on_form) < p.min_matches:
        return None
    cv2.setRNGSeed(0)  # the same pages give the same homography
    homography, agree = cv2.findHomography(
        matches.on_form,
        matches.on_page,
        cv2.USAC_MAGSAC,
        p.max_error_mm * px_per_mm,
        maxIters=p.steps,
        confidence=0.999,
    )
    if homography is None or int(agree.sum()) < p.min_matches or not _is_plausible(homography, size_mm):
        return None
    return FoundForm(np.asarray(homography, np.float64), int(agree.sum()))


def corners_on_page(homography: Matrix, size_mm: tuple[float, float]) -> Floats:
    """Return the corners (4, 2) of the form on the page, clockwise from its top left."""
    width, height = size_mm
    return transformed(np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64), homography)


def _is_plausible(homography: Matrix, size_mm: tuple[float, float]) -> bool:
    """Return whether the form becomes a convex quadrilateral that is not mirrored."""
    width, height = size_mm
    ends = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], np.float64) @ homography.T
    if not np.isfinite(ends).all() or ends[:, 2].min() * ends[:, 2].max() <= 0:
        return False
    points = ends[:, :2] / ends[:, 2:]
    sides = np.roll(points, -1, axis=0) - points
    turns = sides[:, 0] * np.roll(sides, -1, axis=0)[:, 1] - sides[:, 1] * np.roll(sides, -1, axis=0)[:, 0]
    return bool((turns > 0).all())
