"""Tick boxes and bubbles: marked or not, by the share of the box that is ink."""

from __future__ import annotations

from math import exp

from batchocr.forms.form import Field, trimmed
from batchocr.forms.reading.cells import FieldEvidence
from batchocr.forms.reading.field_ink import share
from batchocr.forms.reading.parameters import FieldParameters
from batchocr.forms.reading.slots import Slot
from batchocr.records import FieldInk

MARKED = "1"
BLACKENED = "blackened"


def read_tick_box(field: Field, ink: FieldInk, parameters: FieldParameters) -> FieldEvidence:
    """Determine whether a box is marked.

    Args:
        field: a field of the kind `mark`.
        ink: the ink of the field.
        parameters: the parameters of the reading of fields.

    Returns:
        One slot: MARKED or nothing. A blackened box has a mark, because it may be a correction.
    """
    p = parameters.marks
    inked = share(ink, trimmed(field.place, p.trimmed_share))
    marked = 1 / (1 + exp(-min(40.0, max(-40.0, (inked - p.min_ink_share) / p.slope_share))))
    slot = Slot.of({MARKED: marked, "": 1 - marked}, 1e-9)
    return FieldEvidence((slot,), (BLACKENED,) if inked >= p.full_share else ())
