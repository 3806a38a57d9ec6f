"""Read all fields of a placed page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.parameters import DecodingParameters
from batchocr.forms.codes import read_code
from batchocr.forms.form import Field, Form, Rect
from batchocr.forms.reading.cells import FieldEvidence, read_cells
from batchocr.forms.reading.choice import choose
from batchocr.forms.reading.equations import Chosen, choose_together
from batchocr.forms.reading.estimated_blank import estimate_blank
from batchocr.forms.reading.evidence import page_evidence
from batchocr.forms.reading.free import read_free
from batchocr.forms.reading.ink import PageInk
from batchocr.forms.reading.parameters import FieldParameters
from batchocr.forms.reading.slots import Slot
from batchocr.forms.reading.tick_boxes import read_tick_box
from batchocr.records import Detections, Pixels


@dataclass(frozen=True)
class FieldReading:
    """What was read in a field."""

    field: Field
    chosen: Chosen
    marks: tuple[str, ...]
    """Why a person should check the field, whatever was read."""


def read_fields(
    pixels: Pixels,
    detections: Detections,
    crop_probabilities: NDArray[np.float64],
    form: Form,
    px_per_mm: float,
    blank: Pixels | None,
    decoding: DecodingParameters,
    parameters: FieldParameters,
) -> list[FieldReading]:
    """Read all fields of a page.

    Args:
        pixels: (height, width) uint8, the level page, which is placed on the form.
        detections: all n detections of the page, also weak ones, and those on print of the form.
        crop_probabilities: (n, 11) class probabilities of their crops; zeros for signs.
        form: the form.
        px_per_mm: pixels of the level page for each millimetre of the form.
        blank: the blank form at the same scale. None if there is no image of it; then its print is estimated.
        decoding: the parameters of decoding, with the calibration of both networks.
        parameters: the parameters of the reading of fields.

    Returns:
        The readings of all fields, in their order.
    """
    if blank is None:
        blank = estimate_blank(pixels, form, px_per_mm, parameters.estimated_blank)
    evidence = page_evidence(detections, crop_probabilities, decoding)
    ink = PageInk(pixels, px_per_mm, blank, evidence, parameters.ink)
    found: dict[str, FieldEvidence] = {}
    for field in form.fields:
        if field.kind == "mark":
            found[field.name] = read_tick_box(field, ink, parameters)
        elif field.kind == "code":
            found[field.name] = _read_code(pixels, field.place, px_per_mm)
        elif field.cells:
            found[field.name] = read_cells(field, evidence, ink, px_per_mm, parameters)
        else:
            found[field.name] = read_free(field, evidence, ink, px_per_mm, parameters)
    fields = {field.name: field for field in form.fields}
    choices = {name: choose(fields[name], each.slots, parameters.rules) for name, each in found.items()}
    chosen = choose_together(fields, choices, form.equations, parameters.rules)
    return [FieldReading(field, chosen[field.name], found[field.name].marks) for field in form.fields]


def _read_code(pixels: Pixels, place: Rect, px_per_mm: float) -> FieldEvidence:
    s, margin = px_per_mm, 0.1 * min(place.width, place.height)
    y0, y1 = max(0, round((place.top - margin) * s)), round((place.bottom + margin) * s)
    x0, x1 = max(0, round((place.left - margin) * s)), round((place.right + margin) * s)
    text = read_code(pixels[y0:y1, x0:x1])
    return FieldEvidence((Slot((text,), (1.0,)),) if text else ())
