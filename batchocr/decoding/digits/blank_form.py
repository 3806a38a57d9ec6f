"""Align a page with its blank form. What is printed on the form is not writing, whatever it looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.vision.geometry.registration import PARAMETERS as REGISTRATION
from batchocr.vision.geometry.registration import PageFeatures, RegistrationParameters, page_features, register

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rectangle = tuple[float, float, float, float]
"""Left, top, width and height."""


@dataclass(frozen=True)
class BlankFormParameters:
    """When a detection is ink of the form; lengths in heights of a digit.

    Basis of all: chosen by eye, except where a field names another basis.
    """

    registration: RegistrationParameters = field(default_factory=RegistrationParameters)
    """How a page is aligned with a form."""
    height_px: float = 20.0
    """Page and form are compared at the scale at which the median height of the digits is this. They are never
    enlarged."""
    max_shift_heights: float = 0.45
    """Maximum distance of the form from its expected place. Basis: paper bends."""
    min_margin_px: int = 2
    """Minimum of this distance in pixels of the reduced page."""
    context_heights: float = 1.5
    """Margin around a box by which the place of the form is determined. Basis: a handwritten 1 alone would fit the side
    of a printed box."""
    cover_heights: float = 0.08
    """Ink of the form covers ink of the page up to this distance."""
    min_cover_px: int = 1
    """Minimum of this distance in pixels of the reduced page."""
    min_ink: int = 96
    """Minimum value of ink in the first channel of the network's input, 0 to 255. Basis: ink that is darker than the
    paper by a tenth of its brightness."""
    min_covered_share: float = 0.85
    """Minimum share of the ink in a box that the form covers, for a detection that is ink of the form."""
    max_reduced_ratio: float = 0.8
    """A form that becomes smaller than this by the alignment is reduced first. Basis: bilinear interpolation alone
    skips thin strokes."""


PARAMETERS = BlankFormParameters()


@dataclass(frozen=True)
class BlankForm:
    """A form that is not filled in."""

    pixels: Pixels
    """(height, width), level, dark on light."""
    features: PageFeatures


@dataclass(frozen=True)
class AlignedForm:
    """The blank form of a page."""

    pixels: Pixels
    """(height, width) of the form."""
    to_page: Floats
    """(3, 3): homography from points of the form to points of the level page."""


def blank_form(pixels: Pixels, parameters: RegistrationParameters = REGISTRATION) -> BlankForm:
    """Prepare a blank form.

    Args:
        pixels: (height, width) uint8, the level page of the form.
        parameters: how features are found.

    Returns:
        The form with its features.
    """
    return BlankForm(pixels, page_features(pixels, parameters))


def find_blank_form(
    pixels: Pixels, blanks: Sequence[BlankForm], parameters: RegistrationParameters = REGISTRATION
) -> AlignedForm | None:
    """Find the blank form that fits a page best.

    Args:
        pixels: (height, width) uint8, the level page.
        blanks: the forms that it may have.
        parameters: how a page is aligned with a form.

    Returns:
        The form and its place; None if the page fits none of the forms.
    """
    features = page_features(pixels, parameters)
    best, max_matches = None, 0
    for form in blanks:
        found = register(features, form.features, parameters)
        if found is not None and found[1] > max_matches:
            best, max_matches = AlignedForm(form.pixels, found[0]), found[1]
    return best


def is_on_blank(
    pixels: Pixels, boxes: NDArray[np.floating], blank: AlignedForm, parameters: BlankFormParameters = PARAMETERS
) -> Mask:
    """Find the boxes that contain nothing but ink of the blank form.

    Args:
        pixels: (height, width) uint8, the level page.
        boxes: (n, 4) left, top, width and height in pixels.
        blank: the blank form and its place on the page.
        parameters: when ink is ink of the form.

    Returns:
        A mask (n,).
    """
    import cv2  # imported late, because a run takes its lock before it loads large libraries

    from batchocr.vision.network_input import network_input

    p = parameters
    found = np.zeros(len(boxes), np.bool_)
    if not len(boxes):
        return found
    scale = min(1.0, p.height_px / float(np.median(boxes[:, 3])))
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    page = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    form = _form_on_page(blank, scale, size, p)
    page_ink, form_ink = (network_input(image)[..., 0] for image in (page, form))
    margin = max(p.min_margin_px, round(p.max_shift_heights * p.height_px))
    form_ink = cv2.copyMakeBorder(form_ink, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    for i, (left, top, width, height) in enumerate((np.asarray(boxes, np.float64) * scale).tolist()):
        found[i] = _is_covered(page_ink, form_ink, (left, top, width, height), margin, p)
    return found


def _form_on_page(blank: AlignedForm, scale: float, size: tuple[int, int], p: BlankFormParameters) -> Pixels:
    """Return the form as it is on the reduced page, white where the form ends."""
    import cv2

    to_reduced = np.diag([scale, scale, 1.0]) @ blank.to_page
    form = blank.pixels
    height, width = form.shape
    upper_corners = np.array([[[0, 0]], [[width, 0]]], np.float64)
    ends = cv2.perspectiveTransform(upper_corners, to_reduced)[:, 0]
    ratio = float(np.linalg.norm(ends[1] - ends[0])) / width
    if ratio < p.max_reduced_ratio:
        form = cv2.resize(form, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
        to_reduced = to_reduced @ np.diag([width / form.shape[1], height / form.shape[0], 1])
    warped = cv2.warpPerspective(form, to_reduced, size, flags=cv2.INTER_LINEAR, borderValue=255)
    return np.asarray(warped, np.uint8)


def _is_covered(page: Pixels, form: Pixels, box: Rectangle, margin: int, p: BlankFormParameters) -> bool:
    """Return whether the form's ink covers the page's ink in a box, where the context of the box fits the form best.

    The form is larger than the page by the margin at each side.
    """
    import cv2

    left, top, width, height = box
    context = round(p.context_heights * p.height_px)
    x0, y0 = max(0, round(left) - context), max(0, round(top) - context)
    x1, y1 = min(page.shape[1], round(left + width) + context), min(page.shape[0], round(top + height) + context)
    page_part, form_part = page[y0:y1, x0:x1], form[y0 : y1 + 2 * margin, x0 : x1 + 2 * margin]
    fit = cv2.matchTemplate(form_part, page_part, cv2.TM_CCOEFF_NORMED)
    _, _, _, (dx, dy) = cv2.minMaxLoc(fit)
    form_part = form_part[dy : dy + page_part.shape[0], dx : dx + page_part.shape[1]]
    reach = max(p.min_cover_px, round(p.cover_heights * p.height_px))
    cover = cv2.dilate((form_part >= p.min_ink).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    inside = (
        slice(max(0, round(top) - y0), round(top + height) + 1 - y0),
        slice(max(0, round(left) - x0), round(left + width) + 1 - x0),
    )
    ink = page_part[inside] >= p.min_ink
    covered, total = np.count_nonzero(ink & (cover[inside] > 0)), np.count_nonzero(ink)
    return bool(total > 0 and covered >= p.min_covered_share * total)
