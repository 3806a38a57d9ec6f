"""Tick boxes and bubbles: marked or not, by the share of the box that is ink."""

from __future__ import annotations

from math import exp

from batchocr.forms.form import Field, Rect
from batchocr.forms.reading.cells import FieldEvidence
from batchocr.forms.reading.ink import PageInk
from batchocr.forms.reading.parameters import FieldParameters
from batchocr.forms.reading.slots import Slot

MARKED = "1"
BLACKENED = "blackened"


def read_tick_box(field: Field, ink: PageInk, parameters: FieldParameters) -> FieldEvidence:
    """Determine whether a box is marked.

    Args:
        field: a field of the kind `mark`.
        ink: the ink of the page.
        parameters: the parameters of the reading of fields.

    Returns:
        One slot: MARKED or nothing. A blackened box has a mark, because it may be a correction.
    """
    p, place, trim = parameters.marks, field.place, parameters.ink.trimmed_share
    inner = Rect(
        place.left + trim * place.width,
        place.top + trim * place.height,
        (1 - 2 * trim) * place.width,
        (1 - 2 * trim) * place.height,
    )
    share = ink.at(inner).share
    marked = 1 / (1 + exp(-min(40.0, max(-40.0, (share - p.min_ink_share) / p.slope_share))))
    slot = Slot.of({MARKED: marked, "": 1 - marked}, 1e-9)
    return FieldEvidence((slot,), (BLACKENED,) if share >= p.full_share else ())
