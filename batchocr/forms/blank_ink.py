"""The blank form at the scale of a page that was placed on it."""

from __future__ import annotations

import numpy as np

from batchocr.forms.form import Form, FormImage
from batchocr.records import Pixels, Placement

MAX_CACHED = 4
"""Number of images that are kept: pages of one form and of the same resolution follow each other."""
_cached: dict[tuple[int, tuple[int, int]], tuple[FormImage, Pixels]] = {}


def blank_on_page(form: Form, placement: Placement, shape: tuple[int, ...]) -> Pixels | None:
    """Return the blank form as it is on a page that was placed on it.

    Args:
        form: The form on which the page was placed.
        placement: The place of the form.
        shape: Height and width of the level page.

    Returns:
        (height, width) uint8 of this shape, dark on light. Do not change it: it is returned again for other pages. None
        if the form has no image, or if its image is filled in: then its ink is not print.
    """
    image = form.image
    if image is None or image.is_filled:
        return None
    size = int(shape[1]), int(shape[0])
    key = id(image), size
    known = _cached.get(key)
    if known is not None and known[0] is image:
        return known[1]
    pixels = _scaled(image, form, placement, size)
    while len(_cached) >= MAX_CACHED:
        del _cached[next(iter(_cached))]
    _cached[key] = image, pixels
    return pixels


def _scaled(image: FormImage, form: Form, placement: Placement, size: tuple[int, int]) -> Pixels:
    """Return the image at the scale of the placement, on a page of this width and height."""
    import cv2

    width = max(1, round(form.width_mm * placement.px_per_mm))
    height = max(1, round(form.height_mm * placement.px_per_mm))
    reduces = width < image.pixels.shape[1]
    scaled = cv2.resize(image.pixels, (width, height), interpolation=cv2.INTER_AREA if reduces else cv2.INTER_CUBIC)
    if (width, height) == size:
        return np.asarray(scaled, np.uint8)
    page = np.full(size[::-1], 255, np.uint8)
    rows, columns = min(height, size[1]), min(width, size[0])
    page[:rows, :columns] = scaled[:rows, :columns]
    return page
