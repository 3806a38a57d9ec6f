"""A page laid on its blank form: what is printed there is no writing, whatever it looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

if TYPE_CHECKING:
    from batchocr.vision.geometry.registration import PageFeatures

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class BlankParameters:
    """When a detection is the form's own ink; lengths in heights of a digit."""

    height_px: float = 20.0
    """Both pages are compared at the scale at which digits of the usual height are so high, but never enlarged."""
    shift_heights: float = 0.45
    """The form is searched for so far around the place where it should lie: paper bends."""
    around_heights: float = 1.5
    """Where it lies is told by all that stands so far around a box: a written 1 alone would fit the side of a box."""
    cover_heights: float = 0.08
    """Ink of the form covers ink of the page so far around it."""
    least_ink: int = 96
    """Of the first channel of the network's input: ink from a tenth of the paper's brightness on."""
    least_cover: float = 0.85
    """Share of the ink in a box that the form covers, at least, for it to be the form's own."""


@dataclass(frozen=True)
class BlankForm:
    """A form that nobody has filled in."""

    pixels: Pixels
    """(height, width), level, dark on light."""
    features: PageFeatures


@dataclass(frozen=True)
class LaidBlank:
    """A blank form that a page was laid on."""

    form: BlankForm
    to_page: Floats
    """(3, 3): homography from points of the form to points of the level page."""


def blank_form(pixels: Pixels) -> BlankForm:
    """The form on a level page (height, width)."""
    from batchocr.vision.geometry.registration import page_features  # here, as OpenCV is large

    return BlankForm(pixels, page_features(pixels))


def laid_on(pixels: Pixels, blanks: Sequence[BlankForm]) -> LaidBlank | None:
    """The blank on which a level page (height, width) lies best; None where it lies on none of them."""
    from batchocr.vision.geometry.registration import page_features, register

    features = page_features(pixels)
    best, most = None, 0
    for form in blanks:
        found = register(features, form.features)
        if found is not None and found[1] > most:
            best, most = LaidBlank(form, found[0]), found[1]
    return best


def is_on_blank(
    pixels: Pixels, boxes: NDArray[np.floating], blank: LaidBlank, parameters: BlankParameters | None = None
) -> Mask:
    """Which of the boxes (n, 4) of a level page hold nothing but ink that stands on the blank form as well."""
    import cv2

    from batchocr.vision.network_input import network_input

    how = parameters or BlankParameters()
    found = np.zeros(len(boxes), np.bool_)
    if not len(boxes):
        return found
    scale = min(1.0, how.height_px / float(np.median(boxes[:, 3])))
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    page = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    form = _form_on_page(blank, scale, size)
    page_ink, form_ink = (network_input(each)[..., 0] for each in (page, form))
    margin = max(2, round(how.shift_heights * how.height_px))
    form_ink = cv2.copyMakeBorder(form_ink, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    for i, (left, top, width, height) in enumerate((np.asarray(boxes, np.float64) * scale).tolist()):
        found[i] = _is_covered(page_ink, form_ink, (left, top, width, height), margin, how)
    return found


def _form_on_page(blank: LaidBlank, scale: float, size: tuple[int, int]) -> Pixels:
    """The form as the page shows it, with the page's scale times `scale`; light where it does not reach."""
    import cv2

    shrunk = np.diag([scale, scale, 1.0]) @ blank.to_page
    corners = np.array([[[0, 0]], [[blank.form.pixels.shape[1], 0]]], np.float64)
    ends = cv2.perspectiveTransform(corners, shrunk)[:, 0]
    ratio = float(np.linalg.norm(ends[1] - ends[0])) / blank.form.pixels.shape[1]
    form, enlarged = blank.form.pixels, np.eye(3)
    if ratio < 0.8:  # reduced first: warping alone would skip thin strokes
        form = cv2.resize(form, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
        enlarged = np.diag([blank.form.pixels.shape[1] / form.shape[1], blank.form.pixels.shape[0] / form.shape[0], 1])
    warped = cv2.warpPerspective(form, shrunk @ enlarged, size, flags=cv2.INTER_LINEAR, borderValue=255)
    return np.asarray(warped, np.uint8)


def _is_covered(
    page: Pixels, form: Pixels, box: tuple[float, float, float, float], margin: int, how: BlankParameters
) -> bool:
    """Whether the form's ink covers the page's ink in a box, once it is moved to where all around the box fits best.

    `form` goes on beyond the page by the margin at each side.
    """
    import cv2

    left, top, width, height = box
    around = round(how.around_heights * how.height_px)
    x0, y0 = max(0, round(left) - around), max(0, round(top) - around)
    x1, y1 = min(page.shape[1], round(left + width) + around), min(page.shape[0], round(top + height) + around)
    here, there = page[y0:y1, x0:x1], form[y0 : y1 + 2 * margin, x0 : x1 + 2 * margin]
    fit = cv2.matchTemplate(there, here, cv2.TM_CCOEFF_NORMED)
    _, _, _, (dx, dy) = cv2.minMaxLoc(fit)
    there = there[dy : dy + here.shape[0], dx : dx + here.shape[1]]
    reach = max(1, round(how.cover_heights * how.height_px))
    covers = cv2.dilate((there >= how.least_ink).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    inner = (
        slice(max(0, round(top) - y0), round(top + height) + 1 - y0),
        slice(max(0, round(left) - x0), round(left + width) + 1 - x0),
    )
    ink = here[inner] >= how.least_ink
    covered, all_of_it = np.count_nonzero(ink & (covers[inner] > 0)), np.count_nonzero(ink)
    return bool(all_of_it > 0 and covered >= how.least_cover * all_of_it)
