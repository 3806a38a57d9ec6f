"""An estimate of the blank form from a filled page, for forms without an image: print that all cells have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

import cv2
import numpy as np

from batchocr.forms.form import Form, Rect
from batchocr.forms.ink.darkness import Darkness, darkness
from batchocr.forms.ink.parameters import DarknessParameters, EstimatedBlankParameters
from batchocr.records import Pixels


def estimate_blank(
    pixels: Pixels,
    form: Form,
    px_per_mm: float,
    parameters: EstimatedBlankParameters,
    dark_parameters: DarknessParameters,
) -> Pixels:
    """Estimate the print of a form from one of its filled pages.

    Cells of the same size have the same print: their frames and guides. At each pixel of a cell, a share of the cells
    has no writing, so a low percentile over all cells is the print. In fields without cells, long lines are print.

    Args:
        pixels: (height, width) uint8, the level page, placed on the form.
        form: the form.
        px_per_mm: pixels of the level page for each millimetre.
        parameters: how print is found.
        dark_parameters: how dark ink is.

    Returns:
        (height, width) uint8: the print of fields, white elsewhere.
    """
    p = parameters
    blank = np.full_like(pixels, 255)
    for cells in _of_same_size([cell for field in form.fields for cell in field.cells], p.max_size_step_mm):
        if len(cells) >= p.min_cells:
            _paint_common(blank, pixels, cells, px_per_mm, p, dark_parameters)
    for field in form.fields:
        if not field.cells and field.kind != "mark":
            _paint_lines(blank, pixels, field.place, px_per_mm, p, dark_parameters)
    return blank


def _of_same_size(cells: Sequence[Rect], max_step_mm: float) -> Iterator[list[Rect]]:
    """Yield the groups of cells whose widths and heights differ only as much as measured places do."""
    for as_wide in _without_steps(cells, lambda cell: cell.width, max_step_mm):
        yield from _without_steps(as_wide, lambda cell: cell.height, max_step_mm)


def _without_steps(cells: Sequence[Rect], side: Callable[[Rect], float], max_step: float) -> Iterator[list[Rect]]:
    """Yield the groups of cells of which one side has no larger step in ascending order."""
    ordered = sorted(cells, key=side)
    ends = [i for i, (one, other) in enumerate(pairwise(ordered), start=1) if side(other) - side(one) > max_step]
    for start, end in pairwise([0, *ends, len(ordered)]):
        yield ordered[start:end]


def _paint_common(
    blank: Pixels,
    pixels: Pixels,
    cells: Iterable[Rect],
    px_per_mm: float,
    p: EstimatedBlankParameters,
    dark_parameters: DarknessParameters,
) -> None:
    """Paint the print that cells of the same size have in common."""
    parts = [_pixels_of(cell, px_per_mm, pixels.shape, p.margin_share) for cell in cells]
    parts = [part for part in parts if pixels[part].size]
    if len(parts) < p.min_cells:
        return
    height, width = (
        round(float(np.median(sizes))) for sizes in zip(*(pixels[part].shape for part in parts), strict=True)
    )
    dark = [cv2.resize(darkness(pixels[part], px_per_mm, dark_parameters), (width, height)) for part in parts]
    reach = max(1, round(p.max_shift_mm * px_per_mm))
    common = np.percentile(np.stack(dark), p.percentile, axis=0).astype(np.float32)
    for _ in range(p.rounds):  # the print gets sharper, so that cells fit better
        shifts = [_shift(each, common, reach) for each in dark]
        moved = [_moved(each, dx, dy) for each, (dx, dy) in zip(dark, shifts, strict=True)]
        common = np.percentile(np.stack(moved), p.percentile, axis=0).astype(np.float32)
    printed = common >= p.min_print_darkness
    for part, each, (dx, dy) in zip(parts, moved, shifts, strict=True):
        gain = float(np.percentile(each[printed] / common[printed], p.gain_percentile)) if printed.any() else 1.0
        own = min(p.max_gain, max(1.0, gain)) * common  # print is darker where the page is not sharp, or in shade
        own = cv2.resize(_moved(np.asarray(own, np.float32), -dx, -dy), pixels[part].shape[::-1])
        grey = np.clip(255 * (1 - own), 0, 255).astype(np.uint8)
        blank[part] = np.minimum(blank[part], grey)


def _shift(dark: Darkness, common: Darkness, reach: int) -> tuple[int, int]:
    """Return by how many pixels to the left and up a cell must be moved so that its print fits best."""
    dark = np.minimum(dark, common.max())  # ink and lines that are darker than the print do not attract it
    padded = cv2.copyMakeBorder(dark, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    fit = cv2.matchTemplate(padded, common, cv2.TM_CCOEFF_NORMED)
    _, _, _, (x, y) = cv2.minMaxLoc(fit)
    return x - reach, y - reach


def _moved(dark: Darkness, dx: int, dy: int) -> Darkness:
    """Return a cell moved by some pixels to the left and up."""
    matrix = np.array([[1, 0, -dx], [0, 1, -dy]], np.float32)
    moved = cv2.warpAffine(dark, matrix, dark.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _paint_lines(
    blank: Pixels,
    pixels: Pixels,
    place: Rect,
    px_per_mm: float,
    p: EstimatedBlankParameters,
    dark_parameters: DarknessParameters,
) -> None:
    """Paint lines that are longer than writing: across the place, and along its left and right side."""
    part = _pixels_of(place, px_per_mm, pixels.shape, p.margin_share)
    if not pixels[part].size:
        return
    ink = (darkness(pixels[part], px_per_mm, dark_parameters) >= p.min_line_darkness).astype(np.uint8)
    height, width = ink.shape
    across = min(width, round(p.line_heights * height))
    lines = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, max(3, across)), np.uint8))
    upright = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((max(3, round(p.side_line_share * height)), 1), np.uint8))
    side = max(1, round(p.side_heights * height))
    upright[:, side : max(side, width - side)] = 0
    grown = cv2.dilate(lines | upright, np.ones((3, 3), np.uint8))
    blank[part] = np.where(grown > 0, np.minimum(blank[part], pixels[part]), blank[part])


def _pixels_of(place: Rect, px_per_mm: float, shape: tuple[int, ...], margin_share: float) -> tuple[slice, slice]:
    """Return the pixels of a place and a margin around it."""
    margin = margin_share * place.height
    y0, y1 = round((place.top - margin) * px_per_mm), round((place.bottom + margin) * px_per_mm)
    x0, x1 = round((place.left - margin) * px_per_mm), round((place.right + margin) * px_per_mm)
    return slice(max(0, y0), min(shape[0], max(0, y1))), slice(max(0, x0), min(shape[1], max(0, x1)))
