"""What was filled in on a placed page: the ink of each field, and a crop of each cell without the print of the form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.forms.blank_ink import blank_on_page
from batchocr.forms.codes import read_code
from batchocr.forms.form import Field, Form, Rect, trimmed
from batchocr.forms.ink.darkness import Darkness, darkness, paper_brightness, spread
from batchocr.forms.ink.estimated_blank import estimate_blank
from batchocr.forms.ink.parameters import PARAMETERS, InkParameters
from batchocr.records import FieldInk, FilledIn, Pixels, Placement
from batchocr.vision.crops import make_crops

Slices = tuple[slice, slice]


@dataclass(frozen=True)
class _FieldPart:
    """The surroundings of a field, reduced to the working scale."""

    left_mm: float
    top_mm: float
    px_per_mm: float
    page: Pixels
    """(height, width)."""
    dark: Darkness
    """Of the page."""
    print_: Darkness
    """Of the blank form, spread."""


def filled_in(pixels: Pixels, form: Form, placement: Placement, parameters: InkParameters = PARAMETERS) -> FilledIn:
    """Find the ink of all fields that is not printed on the form.

    Args:
        pixels: (height, width) uint8, the level page, placed on the form, dark on light.
        form: the form.
        placement: where the form is.
        parameters: which ink was filled in.

    Returns:
        The ink of each field, crops of the cells with ink, and the texts of codes.
    """
    p, scale = parameters, placement.px_per_mm
    blank = blank_on_page(form, placement, pixels.shape)
    if blank is None:
        blank = estimate_blank(pixels, form, scale, p.estimated_blank, p.darkness)
    parts = [_part(pixels, blank, field.place, scale, p) for field in form.fields]
    min_darkness = max(p.min_contrast, p.min_pen_ratio * _pen_darkness(parts, p))
    inks, owners, boxes, crops = [], [], [], []
    for index, (field, part) in enumerate(zip(form.fields, parts, strict=True)):
        mask = _without_specks(_filled_in_mask(part, min_darkness, p), part.px_per_mm, p)
        inks.append(FieldInk(mask, part.left_mm, part.top_mm, part.px_per_mm))
        if not field.cells:
            continue
        found = list(_cell_boxes(field, mask, part, p))
        if found:
            local = np.array([box for _, box in found], np.float32)
            crops.append(make_crops(_without_print(part, mask, p), local, p.crops))
            owners += [(index, cell) for cell, _ in found]
            boxes.append((local / part.px_per_mm + (part.left_mm, part.top_mm, 0, 0)) * scale)
    return FilledIn(
        tuple(inks),
        np.array(owners, np.int32).reshape(-1, 2),
        np.concatenate(boxes).astype(np.float32) if boxes else np.empty((0, 4), np.float32),
        np.concatenate(crops) if crops else np.empty((0, 28, 28), np.uint8),
        tuple(_code(pixels, field, scale) if field.kind == "code" else "" for field in form.fields),
    )


def _part(pixels: Pixels, blank: Pixels, place: Rect, px_per_mm: float, p: InkParameters) -> _FieldPart:
    """Cut out a field with its margin, from the page and from the blank form."""
    height, width = pixels.shape
    margin = p.margin_mm
    x0, y0 = (max(0, round((side - margin) * px_per_mm)) for side in (place.left, place.top))
    x1 = min(width, max(x0 + 1, round((place.right + margin) * px_per_mm)))
    y1 = min(height, max(y0 + 1, round((place.bottom + margin) * px_per_mm)))
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    factor = min(1.0, p.working_px_per_mm / px_per_mm)
    size = max(1, round((x1 - x0) * factor)), max(1, round((y1 - y0) * factor))
    page, own = (cv2.resize(each[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA) for each in (pixels, blank))
    scale = px_per_mm * factor
    printed = darkness(own, scale, p.darkness) if own.min() < own.max() else np.zeros(own.shape, np.float32)
    return _FieldPart(
        x0 / px_per_mm,
        y0 / px_per_mm,
        scale,
        page,
        darkness(page, scale, p.darkness),
        spread(printed, p.cover_mm * scale),
    )


def _pen_darkness(parts: Sequence[_FieldPart], p: InkParameters) -> float:
    """Return how dark strokes are that were filled in; 0 if there are none."""
    found = [part.dark[(part.dark >= p.min_contrast) & (part.dark >= part.print_ + p.min_darker)] for part in parts]
    together = np.concatenate(found) if found else np.empty(0)
    return float(np.percentile(together, p.pen_percentile)) if len(together) else 0.0


def _filled_in_mask(part: _FieldPart, min_darkness: float, p: InkParameters) -> NDArray[np.bool_]:
    """Return the ink of a field that is not print: a mask.

    Ink on pale print is darker than it. Dark print hides ink; strokes that it interrupts are joined across it.
    """
    ink = part.dark >= min_darkness
    is_dark_print = part.print_ >= p.dark_print
    mask = ink & ~is_dark_print & (part.dark >= part.print_ + np.float32(p.min_darker))
    if not is_dark_print.any():
        return np.asarray(mask)
    side = 2 * max(1, round(p.bridge_mm * part.px_per_mm / 2)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    joined = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
    return np.asarray(mask | (joined & ink & is_dark_print))


def _without_specks(mask: NDArray[np.bool_], px_per_mm: float, p: InkParameters) -> NDArray[np.bool_]:
    """Remove components that are smaller than writing."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count <= 1:
        return mask
    large = stats[:, cv2.CC_STAT_AREA] >= p.min_component_mm2 * px_per_mm**2
    large[0] = False
    return np.asarray(large[labels], np.bool_)


def _without_print(part: _FieldPart, mask: NDArray[np.bool_], p: InkParameters) -> Pixels:
    """Return a field in which print of the form is as bright as paper; strokes across print stay."""
    is_print = (
        (part.print_ >= p.min_print_darkness)
        & ~mask
        & ((part.dark < part.print_ + p.min_darker) | (part.print_ >= p.dark_print))
    )
    paper = np.minimum(paper_brightness(part.page, part.px_per_mm, p.darkness), 255).astype(np.uint8)
    return np.where(is_print, np.maximum(part.page, paper), part.page)


def _cell_boxes(
    field: Field, mask: NDArray[np.bool_], part: _FieldPart, p: InkParameters
) -> Iterator[tuple[int, tuple[float, float, float, float]]]:
    """Yield the index of each cell with ink, and the box of this ink in pixels of the part.

    A component of ink belongs to the cell that has most of it, and may extend beyond that cell; if two cells have
    much of it, each has its own share.
    """
    s = part.px_per_mm
    count, labels, _, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    cells = [_slices(cell, part, mask.shape) for cell in field.cells]
    areas = np.array([np.bincount(labels[cell].ravel(), minlength=count) for cell in cells])
    areas[:, 0] = 0
    total = np.maximum(1, np.bincount(labels.ravel(), minlength=count))
    shares = areas / total
    spans = np.count_nonzero(areas >= p.min_chain_share * np.maximum(1, areas.max(axis=0)), axis=0)
    for index, (cell, share) in enumerate(zip(field.cells, shares, strict=True)):
        inner = labels[_slices(trimmed(cell, p.frame_share), part, mask.shape)]
        inner_share = np.bincount(inner.ravel(), minlength=count) / total
        is_chain = spans >= p.min_chain_cells
        has_enough = (share >= p.min_own_share) & (inner_share >= p.min_inner_share)
        has_enough |= is_chain & (areas[index] >= p.min_chain_share * areas.max(axis=0))
        own = np.flatnonzero(has_enough & (areas[index] > 0))
        inside = np.isin(labels, own)
        reach = p.max_outside_share
        limits = _slices(
            Rect(
                cell.left - reach * cell.width,
                cell.top - reach * cell.height,
                (1 + 2 * reach) * cell.width,
                (1 + 2 * reach) * cell.height,
            ),
            part,
            mask.shape,
        )
        parts_of_others = np.isin(labels[limits], np.flatnonzero(share < p.min_whole_share))
        own_mask = np.zeros_like(mask)
        own_mask[limits] = inside[limits] & ~parts_of_others
        own_mask[cells[index]] |= inside[cells[index]]
        rows, columns = np.flatnonzero(own_mask.any(axis=1)), np.flatnonzero(own_mask.any(axis=0))
        if not len(rows) or np.count_nonzero(own_mask) < p.min_cell_ink_mm2 * s**2:
            continue
        left, top = float(columns[0]), float(rows[0])
        yield index, (left, top, float(columns[-1]) + 1 - left, float(rows[-1]) + 1 - top)


def _slices(place: Rect, part: _FieldPart, shape: tuple[int, ...]) -> Slices:
    """Return the pixels of a place within a part."""
    s = part.px_per_mm
    y0, y1 = round((place.top - part.top_mm) * s), round((place.bottom - part.top_mm) * s)
    x0, x1 = round((place.left - part.left_mm) * s), round((place.right - part.left_mm) * s)
    return slice(max(0, y0), max(0, min(shape[0], y1))), slice(max(0, x0), max(0, min(shape[1], x1)))


def _code(pixels: Pixels, field: Field, px_per_mm: float) -> str:
    """Return the text of a bar or QR code; empty if it cannot be read."""
    place = field.place
    margin = 0.1 * min(place.width, place.height)
    y0, y1 = max(0, round((place.top - margin) * px_per_mm)), round((place.bottom + margin) * px_per_mm)
    x0, x1 = max(0, round((place.left - margin) * px_per_mm)), round((place.right + margin) * px_per_mm)
    return read_code(pixels[y0:y1, x0:x1])
