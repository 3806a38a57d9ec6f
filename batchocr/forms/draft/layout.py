"""Find all places to write on, on the level image of a blank form."""

from __future__ import annotations

from dataclasses import replace

from batchocr.forms.draft.boxes import contains, find_boxes
from batchocr.forms.draft.cells import fields_in_boxes
from batchocr.forms.draft.codes import find_codes
from batchocr.forms.draft.combs import open_combs
from batchocr.forms.draft.ink import Ink, find_ink
from batchocr.forms.draft.lines_to_write_on import places_on_lines
from batchocr.forms.draft.marks import find_bubbles
from batchocr.forms.draft.parameters import PARAMETERS, DraftParameters
from batchocr.forms.draft.places import FieldPlace, TablePlace, reading_order
from batchocr.forms.draft.tables import with_tables
from batchocr.forms.form import Rect
from batchocr.records import Pixels


def find_places(
    pixels: Pixels, width_mm: float, *, is_filled: bool = False, parameters: DraftParameters = PARAMETERS
) -> list[FieldPlace | TablePlace]:
    """Find the fields of a blank form.

    Args:
        pixels: (height, width), uint8, the level page, dark on light.
        width_mm: Width of the paper.
        is_filled: Whether the page is filled in. Then only boxes and marks are found.
        parameters: See the class.

    Returns:
        The fields and tables in reading order.
    """
    p = parameters
    codes = find_codes(pixels, width_mm, p)
    ink = find_ink(pixels, width_mm, p)
    _erase(ink, codes)
    boxes = find_boxes(ink, is_filled=is_filled, parameters=p)
    fields = [FieldPlace("code", each) for each in codes]
    fields += fields_in_boxes(ink, boxes, is_filled=is_filled, parameters=p)
    fields += [FieldPlace("mark", each) for each in find_bubbles(ink, p)]
    if not is_filled:
        rects = [*(box.rect for box in boxes.boxes), *boxes.outer]
        combs, solid = open_combs(ink, rects, p)
        fields += combs
        fields += places_on_lines(ink, solid, boxes.dotted, p)
    return reading_order(with_tables(ink, _apart(fields), p), p)


def _erase(ink: Ink, rects: list[Rect]) -> None:
    for each in rects:
        for mask in (ink.ink, ink.dark, ink.level, ink.upright):
            ink.part(mask, each.left, each.top, each.right, each.bottom)[:] = 0


def _apart(fields: list[FieldPlace]) -> list[FieldPlace]:
    """Leave out fields that overlap a field before them, and cut what only touches one."""
    kept: list[FieldPlace] = []
    for field in fields:
        place = field.place
        for other in kept:
            shared = min(place.bottom, other.place.bottom) - max(place.top, other.place.top)
            side = min(place.right, other.place.right) - max(place.left, other.place.left)
            if shared > 0 and side > 0 and field.kind == "number" and place.top < other.place.bottom < place.bottom:
                place = Rect(place.left, other.place.bottom, place.width, place.bottom - other.place.bottom)
        field = replace(field, place=place)
        if place.height > 2 and not any(_overlap(place, other.place) for other in kept):
            kept.append(field)
    return kept


def _overlap(one: Rect, other: Rect) -> bool:
    if contains(one, other) or contains(other, one):
        return True
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    width = min(one.right, other.right) - max(one.left, other.left)
    smaller = min(one.width * one.height, other.width * other.height)
    return height > 0 and width > 0 and height * width > 0.05 * smaller
