"""Make the rows of a form: a row for each field, and one for the page."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from batchocr.forms.form import Field, Form
from batchocr.forms.reading.parameters import ConfidenceParameters
from batchocr.forms.reading.read_fields import FieldReading
from batchocr.forms.reading.slots import UNREADABLE
from batchocr.forms.rules.field_rules import value_of
from batchocr.records import FieldRow, FieldStatus, PageRow

REQUIRED = "required"
NOT_A_DIGIT = "not-a-digit"
WITHOUT_RULES = "without-rules"


def field_rows(
    page: PageRow,
    form: Form,
    readings: Sequence[FieldReading],
    boxes: NDArray[np.int64],
    parameters: ConfidenceParameters,
) -> tuple[FieldRow, ...]:
    """Make the rows of all fields, without the mark of the threshold.

    Args:
        page: the row of the page.
        form: its form.
        readings: the readings of the fields.
        boxes: (n, 4) the places of the fields in pixels of the page as given.
        parameters: how confidences are calibrated.

    Returns:
        A row for each field.
    """
    rows = []
    for reading, box in zip(readings, boxes.tolist(), strict=True):
        field, chosen = reading.field, reading.chosen
        status, reasons = _status(reading)
        confidence = _calibrated(chosen.probability, bool(field.cells), parameters)
        rows.append(
            FieldRow(
                file=page.file,
                page=page.page or 1,
                form=form.name,
                field=field.name,
                text=chosen.text,
                value=_value(field, chosen.text),
                confidence=round(confidence, 4),
                status=status,
                reason=";".join(reasons),
                left=box[0],
                top=box[1],
                width=box[2],
                height=box[3],
            )
        )
    return tuple(rows)


def _status(reading: FieldReading) -> tuple[FieldStatus, list[str]]:
    """Return the status of a field and its reasons; a field that was left empty may have reasons too."""
    field, chosen = reading.field, reading.chosen
    reasons = [*reading.marks]
    if UNREADABLE in chosen.text and not reading.marks:
        reasons.append(NOT_A_DIGIT)
    if not chosen.text and not field.may_be_empty and field.kind != "mark":
        reasons.append(REQUIRED)
    if chosen.broken:
        return "invalid", [*chosen.broken, *reasons]
    if chosen.text != chosen.free_text and UNREADABLE not in chosen.text:
        without = f"{WITHOUT_RULES}={chosen.free_text}:{chosen.free_probability:.4f}"
        return "corrected", [*chosen.corrected_by, without, *reasons]
    if reasons and reasons != [REQUIRED]:
        return "review", reasons
    return ("empty" if not chosen.text else "ok"), reasons


def _value(field: Field, text: str) -> str:
    if UNREADABLE in text:
        return ""
    if field.kind == "mark":
        return text or "0"
    return (value_of(field, text) or "") if text else ""


def _calibrated(probability: float, has_cells: bool, p: ConfidenceParameters) -> float:
    """Return the calibrated probability that the text of a field is right (Platt scaling)."""
    clipped = min(1 - p.min_doubt, max(p.min_doubt, probability))
    slope, bias = (p.cells_slope, p.cells_bias) if has_cells else (p.free_slope, p.free_bias)
    return 1 / (1 + exp(-(slope * log(clipped / (1 - clipped)) + bias)))
