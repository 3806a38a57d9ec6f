"""Read all fields of a placed page."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.parameters import DecodingParameters
from batchocr.forms.form import Field, Form
from batchocr.forms.reading.cells import FieldEvidence, read_cells
from batchocr.forms.reading.choice import choose
from batchocr.forms.reading.equations import Chosen, choose_together
from batchocr.forms.reading.evidence import CropEvidence, crop_evidence, page_evidence
from batchocr.forms.reading.free import read_free
from batchocr.forms.reading.parameters import FieldParameters
from batchocr.forms.reading.slots import Slot
from batchocr.forms.reading.tick_boxes import read_tick_box
from batchocr.records import Detections, FilledIn


@dataclass(frozen=True)
class FieldReading:
    """What was read in a field."""

    field: Field
    chosen: Chosen
    marks: tuple[str, ...]
    """Why a person should check the field, whatever was read."""


def read_fields(
    detections: Detections,
    crop_probabilities: NDArray[np.float64],
    filled_in: FilledIn,
    cell_probabilities: NDArray[np.float64],
    form: Form,
    px_per_mm: float,
    decoding: DecodingParameters,
    parameters: FieldParameters,
) -> list[FieldReading]:
    """Read all fields of a page.

    Args:
        detections: all n detections of the page, also weak ones, and those on print of the form.
        crop_probabilities: (n, 11) class probabilities of their crops; zeros for signs.
        filled_in: the ink that was filled in.
        cell_probabilities: (k, 11) class probabilities of the crops of cells.
        form: the form.
        px_per_mm: pixels of the level page for each millimetre of the form.
        decoding: the parameters of decoding, with the calibration of both networks.
        parameters: the parameters of the reading of fields.

    Returns:
        The readings of all fields, in their order.
    """
    evidence = page_evidence(detections, crop_probabilities, decoding)
    crops: dict[int, dict[int, CropEvidence]] = defaultdict(dict)
    for (index, cell), answer, crop in zip(filled_in.owners.tolist(), cell_probabilities, filled_in.crops, strict=True):
        crops[index][cell] = crop_evidence(answer, crop, parameters.crosses)
    found: dict[str, FieldEvidence] = {}
    for index, (field, ink, code) in enumerate(zip(form.fields, filled_in.inks, filled_in.codes, strict=True)):
        if field.kind == "mark":
            own = read_tick_box(field, ink, parameters)
        elif field.kind == "code":
            own = FieldEvidence((Slot((code,), (1.0,)),) if code else ())
        elif field.cells:
            own = read_cells(field, evidence, crops[index], ink, px_per_mm, parameters)
        else:
            own = read_free(field, evidence, ink, px_per_mm, parameters)
        found[field.name] = own
    fields = {field.name: field for field in form.fields}
    choices = {name: choose(fields[name], each.slots, parameters.rules) for name, each in found.items()}
    chosen = choose_together(fields, choices, form.equations, parameters.rules)
    return [FieldReading(field, chosen[field.name], found[field.name].marks) for field in form.fields]
