"""Lines to write on: dotted lines, and solid lines after a label."""

from __future__ import annotations

from batchocr.forms.draft.combs import free_height
from batchocr.forms.draft.ink import Ink
from batchocr.forms.draft.parameters import PARAMETERS, DraftParameters
from batchocr.forms.draft.places import FieldPlace
from batchocr.forms.form import Rect


def places_on_lines(
    ink: Ink, solid: list[Rect], dotted: tuple[Rect, ...], parameters: DraftParameters = PARAMETERS
) -> list[FieldPlace]:
    """Propose a field above each line that one writes on.

    A solid line without a label to its left is a place to write on only if its label is below it. A line whose label
    is below it is mostly for a signature.

    Args:
        ink: The ink of the form.
        solid: Level solid lines that are not sides of boxes.
        dotted: Level dotted lines that are not sides of boxes.
        parameters: See the class.
    """
    p = parameters
    found = []
    for line, is_dotted in [(each, False) for each in solid] + [(each, True) for each in dotted]:
        free = free_height(ink, line, p)
        if line.width < p.min_writing_line_mm or free < p.min_writing_height_mm:
            continue
        if not is_dotted and line.width > p.max_rule_share * ink.width_mm:
            continue
        above_label = _has_label_below(ink, line, p)
        after_label = _has_label_left(ink, line, p.label_reach_mm if above_label else p.far_label_reach_mm, p)
        if not (after_label or is_dotted or above_label):
            continue
        is_likely = after_label or not above_label
        top = max(0.0, line.top - free)
        place = Rect(line.left, top, line.width, line.bottom - top)
        found.append(FieldPlace("number", place, is_likely=is_likely and line.width <= p.max_number_mm))
    return found


def _has_label_left(ink: Ink, line: Rect, reach_mm: float, p: DraftParameters) -> bool:
    return (
        ink.printed_mm2(line.left - reach_mm, line.top - p.max_label_mm, line.left, line.top - p.above_dots_mm)
        >= p.min_label_mm2
    )


def _has_label_below(ink: Ink, line: Rect, p: DraftParameters) -> bool:
    bottom = line.bottom + p.label_below_mm
    return ink.printed_mm2(line.left, line.bottom, line.right, bottom) >= p.min_print_mm2
