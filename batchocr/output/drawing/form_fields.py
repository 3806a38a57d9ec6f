"""Draw the fields of a form on its blank or on a page: frames by kind, cells, numbers and names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.forms.form import Field, FieldKind, Form, Rect
from batchocr.output.drawing.canvas import (
    BLUE,
    CAP_RATIO,
    GREEN,
    GREY,
    ORANGE,
    SKY_BLUE,
    VERMILLION,
    WHITE,
    Canvas,
    Colour,
    Text,
    draw_frame,
    draw_texts,
    in_colour,
    resized,
    text_width,
)
from batchocr.output.drawing.labels import Free
from batchocr.output.drawing.legend import Entry, with_legend
from batchocr.output.drawing.style import style_of
from batchocr.records import Box, Pixels

Points = NDArray[np.float64]
"""(n, 2): x and y."""

KINDS: dict[FieldKind, tuple[str, Colour]] = {
    "cells": ("cells", BLUE),
    "number": ("number", VERMILLION),
    "decimal": ("decimal", ORANGE),
    "date": ("date", GREEN),
    "mark": ("mark", SKY_BLUE),
    "code": ("code", GREY),
}
"""By the kind of a field: its name in the legend and its colour."""

MIN_SIDE_PX = 1600
"""The longer side to which a smaller page is enlarged, so that names are readable."""
_LABEL_MM = 2.4  # height of a line of a label on the form
_MIN_LABEL_PX, _MAX_LABEL_PX = 12, 20
_GAP_PX = 3
_HIDDEN_COST = 25.0
_MAX_BRIGHTNESS = 105  # of text on white, of 255
_NO_TABLE_COST, _NO_NAME_COST = 0.1, 1.2  # of a label without the name of its table, or without any name


@dataclass(frozen=True)
class _Outline:
    """A field in pixels of the image."""

    number: int
    field: Field
    corners: NDArray[np.int32]
    cells: list[NDArray[np.int32]]

    @property
    def box(self) -> Box:
        return Box(*cv2.boundingRect(self.corners))


def draw_form_fields(
    pixels: Pixels,
    form: Form,
    to_pixels: Callable[[Points], Points],
    *,
    entries: Sequence[Entry] = (),
    texts: Mapping[str, str] | None = None,
    max_side_px: int = 0,
) -> Canvas:
    """Draw the fields of a form on an image. Each has the number of its place in the form file, and its name.

    Args:
        pixels: The blank form or a page of the form, (height, width).
        form: The form.
        to_pixels: Converts points (n, 2) in millimetres of the form to points of `pixels`.
        entries: The first entries of the legend.
        texts: By the name of a field: what was read in it.
        max_side_px: The longer side of the image in pixels, without its legend; 0 for no limit.

    Returns:
        The image with a legend below it.
    """
    longest = max(pixels.shape)
    scale = max(1.0, MIN_SIDE_PX / longest)
    if max_side_px:
        scale = min(scale, max_side_px / longest)
    page = resized(pixels, scale)
    outlines = [_outline(at, field, to_pixels, scale) for at, field in enumerate(form.fields, 1)]
    canvas = in_colour(page)
    on_dark = style_of(page, _MAX_LABEL_PX).on_dark
    _draw_outlines(canvas, outlines, on_dark=on_dark)
    size = _label_size(form, to_pixels, scale)
    free = Free(np.asarray(canvas.min(axis=2), np.uint8), [])
    labels = [_label(each, free, size, (texts or {}).get(each.field.name)) for each in outlines]
    draw_texts(canvas, [text for text, _ in labels])
    unnamed = {each.number for each, (_, is_whole) in zip(outlines, labels, strict=True) if not is_whole}
    return with_legend(canvas, [*entries, *_legend(form), *_names(form, unnamed)])


def _outline(number: int, field: Field, to_pixels: Callable[[Points], Points], scale: float) -> _Outline:
    def polygon(rect: Rect) -> NDArray[np.int32]:
        left, top, right, bottom = rect.left, rect.top, rect.right, rect.bottom
        corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        return np.round(to_pixels(corners) * scale).astype(np.int32)

    return _Outline(number, field, polygon(field.place), [polygon(cell) for cell in field.cells])


def _draw_outlines(canvas: Canvas, outlines: Sequence[_Outline], *, on_dark: bool) -> None:
    """Draw frames and cells, in place. Ink stays visible below them."""
    layer = np.full_like(canvas, 0 if on_dark else 255)
    thick = max(2, round(max(canvas.shape) / 800))
    for each in outlines:
        colour = KINDS[each.field.kind][1]
        cv2.polylines(layer, each.cells, True, colour, 1, cv2.LINE_AA)
        cv2.polylines(layer, [each.corners], True, colour, thick, cv2.LINE_AA)
    (np.maximum if on_dark else np.minimum)(canvas, layer, out=canvas)


def _label_size(form: Form, to_pixels: Callable[[Points], Points], scale: float) -> int:
    """Return the font size: the same for all fields, by the size of the form in the image."""
    width, height = form.width_mm, form.height_mm
    ends = to_pixels(np.array([(width / 2, 0.0), (width / 2, height)]))
    px_per_mm = float(np.linalg.norm(ends[1] - ends[0])) * scale / height
    return int(np.clip(round(_LABEL_MM * px_per_mm), _MIN_LABEL_PX, _MAX_LABEL_PX))


def _label(outline: _Outline, free: Free, size: int, text: str | None) -> tuple[Text, bool]:
    """Find the place of a label and take its room. Return whether it has the whole name."""
    name = outline.field.name
    value = "" if text is None else f" = {text or 'empty'}"
    _, _, in_table = name.partition(".")
    contents = dict.fromkeys(
        f"{outline.number}{part}{value}" for part in (f" {name}", f" {in_table}" * bool(in_table), "")
    )
    height = round(size * CAP_RATIO)
    best: tuple[float, str, Box] | None = None
    for content in contents:
        shorter_cost = 0.0 if name in content else _NO_TABLE_COST if in_table and in_table in content else _NO_NAME_COST
        width = text_width(content, size, bold=True)
        for cost, left, bottom in _places(outline.box, width, height):
            box = Box(left, bottom - height, width, height)
            cost += shorter_cost + _HIDDEN_COST * free.cost([box])
            if best is None or cost < best[0]:
                best = cost, content, box
    assert best is not None
    _, content, box = best
    free.take([box])
    colour = _readable(KINDS[outline.field.kind][1])
    label = Text(content, box.left, box.bottom, size, colour, bold=True, halo=WHITE)
    return label, name in content


def _readable(colour: Colour) -> Colour:
    """Return a colour that is dark enough for text on white."""
    red, green, blue = colour
    factor = min(1.0, _MAX_BRIGHTNESS / (0.3 * red + 0.59 * green + 0.11 * blue))
    return round(red * factor), round(green * factor), round(blue * factor)


def _places(box: Box, width: int, height: int) -> Iterator[tuple[float, int, int]]:
    """Yield the cost, the left side and the baseline of each place for a label of this size."""
    above, below, middle = box.top - _GAP_PX, box.bottom + height + _GAP_PX, box.top + (box.height + height) // 2
    yield 0.0, box.left, above
    if width < box.width - 2 * _GAP_PX and height < box.height - 2 * _GAP_PX:
        yield 0.1, box.left + _GAP_PX + 1, box.top + height + _GAP_PX + 1
        yield 0.15, box.left + _GAP_PX + 1, box.bottom - _GAP_PX - 1
    yield 0.2, box.right - width, above
    yield 0.3, box.left, below
    yield 0.8, box.right + 2 * _GAP_PX, middle
    yield 0.8, box.left - width - 2 * _GAP_PX, middle


def _legend(form: Form) -> Iterator[Entry]:
    used = {field.kind for field in form.fields}
    for kind, (words, colour) in KINDS.items():
        if kind in used:
            yield Entry(words, partial(_swatch, colour=colour))


def _names(form: Form, unnamed: set[int]) -> Iterator[Entry]:
    """Yield the names of fields that do not have their whole name in the image; of tables their name alone."""
    for table, group in groupby(enumerate(form.fields, 1), key=lambda each: each[1].name.partition(".")[0]):
        numbers = [number for number, _ in group]
        if not unnamed.isdisjoint(numbers):
            many = f" to {numbers[-1]}" if len(numbers) > 1 else ""
            yield Entry(f"{numbers[0]}{many}: {table}")


def _swatch(canvas: Canvas, box: Box, *, colour: Colour) -> None:
    draw_frame(canvas, Box(box.left + 4, box.top + 3, box.width - 8, box.height - 6), 2, colour)
