"""All rows of a page: those of its digits and numbers, and those of its form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.digits.blank_form import AlignedForm, BlankForm
from batchocr.decoding.parameters import PARAMETERS as DECODING
from batchocr.decoding.parameters import DecodingParameters
from batchocr.decoding.rows import page_boxes
from batchocr.decoding.rows import page_result as free_result
from batchocr.forms.blank_ink import blank_on_page
from batchocr.forms.form import Form
from batchocr.forms.reading.parameters import PARAMETERS, FieldParameters
from batchocr.forms.reading.read_fields import read_fields
from batchocr.forms.reading.rows import field_rows
from batchocr.records import Detections, FormRow, PageResult, PreparedPage


def page_result(
    page: PreparedPage,
    detections: Detections,
    crop_probabilities: NDArray[np.float64],
    cell_probabilities: NDArray[np.float64] | None = None,
    decoding: DecodingParameters = DECODING,
    blanks: Sequence[BlankForm] = (),
    forms: Sequence[Form] = (),
    parameters: FieldParameters = PARAMETERS,
) -> PageResult:
    """Make all rows of a page.

    Args:
        page: the page; without a level page it has no rows of digits.
        detections: its n detections, after non-maximum suppression.
        crop_probabilities: (n, 11) class probabilities of their crops: ten digits, then the non-digit; zeros for signs.
        cell_probabilities: (k, 11) class probabilities of the crops of its cells. None without a form.
        decoding: the parameters of decoding.
        blanks: blank forms. What is printed on the form that the page fits gives no rows.
        forms: the forms on one of which the page was placed.
        parameters: the parameters of the reading of fields.

    Returns:
        The rows in reading order; with forms also a row for the form and rows for its fields.

    Raises:
        ValueError: the number of probabilities is not the number of detections.
    """
    level = page.level
    if level is None or level.placement is None or level.filled_in is None or cell_probabilities is None:
        result = free_result(page, detections, crop_probabilities, decoding, blanks)
        if not forms:
            return result
        return replace(result, form=FormRow(page.row.file, page.row.page, "", None, "failed", page.row.error))
    placement = level.placement
    form = forms[placement.form]
    blank = blank_on_page(form, placement, level.pixels.shape)
    placed = AlignedForm(blank, np.eye(3)) if blank is not None else None
    result = free_result(page, detections, crop_probabilities, decoding, blanks, placed)
    readings = read_fields(
        detections,
        crop_probabilities,
        level.filled_in,
        cell_probabilities,
        form,
        placement.px_per_mm,
        decoding,
        parameters,
    )
    fields = field_rows(page.row, form, readings, _places(page, form), parameters.confidence)
    row = FormRow(page.row.file, page.row.page, form.name, placement.residual_mm, "ok", "")
    return replace(result, form=row, fields=fields)


def _places(page: PreparedPage, form: Form) -> NDArray[np.int64]:
    """Return the places (n, 4) of all fields in pixels of the page as given."""
    level = page.level
    assert level is not None and level.placement is not None
    places = [(f.place.left, f.place.top, f.place.width, f.place.height) for f in form.fields]
    boxes = np.array(places, np.float64).reshape(-1, 4) * level.placement.px_per_mm
    return page_boxes(boxes, level.to_page, page.row.width, page.row.height, level.placement.bend, level.pixels.shape)
