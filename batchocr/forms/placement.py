"""Place a page on the form that it fits, so that it becomes the page as the blank form shows it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from batchocr.errors import ScanError
from batchocr.forms.form import Form
from batchocr.forms.form_choice import find_by_print
from batchocr.forms.page_view import View, check_view
from batchocr.forms.placement_parameters import PARAMETERS, REASON, PlacementParameters
from batchocr.forms.prepared import prepare_form
from batchocr.records import LevelPage, Pixels, Placement
from batchocr.vision.geometry.laying import (
    Laying,
    Matrix,
    bend_at,
    grid_points,
    resampled,
    scales_at,
    transformed,
)
from batchocr.vision.scales import first_scale
from batchocr.vision.tiles import make_tiles


def place_page(
    pixels: Pixels,
    to_page: Matrix,
    forms: Sequence[Form],
    page_shape: tuple[int, ...] | None = None,
    is_bilevel: bool = False,
    parameters: PlacementParameters = PARAMETERS,
) -> LevelPage:
    """Place a page on the form that it fits best.

    Args:
        pixels: (height, width) uint8, the page after rectification and deskewing, dark on light.
        to_page: (3, 3) homography from points of `pixels` to points of a page with square pixels.
        forms: The forms that are possible.
        page_shape: Height and width of that page; None: the page ends where `pixels` ends.
        is_bilevel: Whether that page is only black and white.
        parameters: See the class.

    Returns:
        The page as the form shows it, with its placement and its tiles.

    Raises:
        ScanError: The page fits no form. The message says why.
    """
    p = parameters
    prepared = [prepare_form(form) for form in forms]
    with_image = [index for index, form in enumerate(forms) if form.image is not None]
    fault: ScanError | None = None
    if with_image:
        try:
            view = View(to_page, pixels.shape, page_shape, is_bilevel)
            chosen = find_by_print(pixels, with_image, prepared, view, p)
            laying = chosen.fit.laying
            check_view(forms[chosen.index], laying, view, p)
            return _placed(pixels, to_page, chosen.index, forms[chosen.index], laying, chosen.fit.residual_mm, p)
        except ScanError as error:
            fault = error
    without_image = [index for index, form in enumerate(forms) if form.image is None]
    if (edges := _by_edges(pixels, without_image, forms, p)) is not None:
        index, laying = edges
        return _placed(pixels, to_page, index, forms[index], laying, None, p)
    if fault is not None:
        raise fault
    sizes = ", ".join(f"{form.name} ({form.width_mm:g} × {form.height_mm:g} mm)" for form in forms)
    raise ScanError(
        REASON,
        f"the page has other proportions than the forms {sizes}: scan the whole sheet and nothing else, or give the "
        "form an image",
    )


def form_angle(level: LevelPage) -> float:
    """Return by how many degrees the form runs downhill to the right on the page, from -180 to 180.

    Args:
        level: The placed page; its `to_page` leads to a page with square pixels.
    """
    height, width = level.pixels.shape
    ends = np.array([[0.4 * width, height / 2], [0.6 * width, height / 2]])
    if level.placement is not None:
        ends = ends + bend_at(ends, level.placement.bend, level.pixels.shape)
    start, end = transformed(ends, level.to_page)
    return round(float(np.degrees(np.arctan2(end[1] - start[1], end[0] - start[0]))), 2) + 0.0


def _by_edges(
    pixels: Pixels, which: Sequence[int], forms: Sequence[Form], p: PlacementParameters
) -> tuple[int, Laying] | None:
    """Find a form without an image by the proportions of the page; None if none agrees."""
    height, width = pixels.shape
    found: list[tuple[float, int, Laying]] = []
    for index in which:
        size = forms[index].width_mm, forms[index].height_mm
        for turned in (False, True):
            across, down = (height, width) if turned else (width, height)
            ratio = (across / size[0]) / (down / size[1])
            ratio = max(ratio, 1 / ratio)
            if ratio <= p.max_aspect_ratio:
                back = np.array([[0, -1, width], [1, 0, 0], [0, 0, 1]], np.float64) if turned else np.eye(3)
                found.append((ratio, index, Laying(back @ np.diag([across / size[0], down / size[1], 1.0]))))
    if not found:
        return None
    if len({index for _, index, _ in found}) > 1:
        raise ScanError(
            REASON,
            f"the page fits the forms {', '.join(dict.fromkeys(forms[index].name for _, index, _ in found))} alike, "
            "because they have no image: give only one of them, or an image of each blank form",
        )
    _, index, laying = min(found, key=lambda each: each[0])
    return index, laying


def _placed(
    pixels: Pixels,
    to_page: Matrix,
    index: int,
    form: Form,
    laying: Laying,
    residual_mm: float | None,
    p: PlacementParameters,
) -> LevelPage:
    """Resample the page as the form shows it."""
    size_mm = form.width_mm, form.height_mm
    grid_mm = grid_points(size_mm, 5, 7)
    largest = float(scales_at(grid_mm, laying.homography)[:, 0].max())
    px_per_mm = min(largest, (p.max_megapixels * 1e6 / (size_mm[0] * size_mm[1])) ** 0.5)
    size = max(1, round(size_mm[0] * px_per_mm)), max(1, round(size_mm[1] * px_per_mm))
    columns, rows = (max(2, round(each / p.bend_spacing_mm) + 1) for each in size_mm)
    grid = grid_points((float(size[0]), float(size[1])), columns, rows)
    on_level = laying.to_page(grid / px_per_mm)
    flat, _ = cv2.findHomography(grid, on_level, 0)
    bend = (transformed(on_level, np.linalg.inv(flat)) - grid).reshape(rows, columns, 2).astype(np.float32)
    shape = size[1], size[0]
    is_small = size[0] * size[1] <= p.max_cubic_megapixels * 1e6
    placed = resampled(
        pixels,
        lambda points: transformed(points + bend_at(points, bend, shape), flat),
        size,
        cv2.INTER_CUBIC if is_small else cv2.INTER_LINEAR,
    )
    tiles = make_tiles(placed, first_scale(placed.shape))
    placement = Placement(index, px_per_mm, None if residual_mm is None else round(residual_mm, 3), bend)
    return LevelPage(placed, np.asarray(to_page @ flat, np.float64), tiles, placement)
