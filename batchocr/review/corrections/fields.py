"""Fields and corrections: a field with a new text, and a field that follows the digits in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from batchocr.decoding.marks.names import DOUBT
from batchocr.forms.form import Field, Form, Rect
from batchocr.forms.rules.field_rules import value_of
from batchocr.records import FieldRow
from batchocr.review.corrections.alignment import aligned
from batchocr.review.corrections.layout import Number, split_signs

Fields = Mapping[tuple[str, str], Field]
"""The fields of a run by the names of form and field. Their places are not needed."""
WITHOUT_DIGITS = ("mark", "code")
"""Kinds of fields that are not read by their digits."""


def fields_of(forms: tuple[Form, ...]) -> list[list[object]]:
    """Return what the value of each field depends on, as JSON values."""
    return [
        [form.name, field.name, field.kind, field.order, field.decimals, field.signs]
        for form in forms
        for field in form.fields
    ]


def known_fields(noted: list[list[str]] | None) -> Fields:
    """Return the fields that `fields_of` described; none for None."""
    nowhere = Rect(0, 0, 0, 0)
    return {
        (form, name): Field(name, kind, nowhere, decimals=decimals, order=order, signs=signs)  # type: ignore[arg-type]
        for form, name, kind, order, decimals, signs in noted or ()
    }


def has_digits(row: FieldRow, fields: Fields) -> bool:
    """Return whether the field is read by its digits."""
    field = fields.get((row.form, row.field))
    return field is None or field.kind not in WITHOUT_DIGITS


def settled_field(row: FieldRow, text: str, fields: Fields) -> FieldRow:
    """Return a field whose text a person has settled: without reasons, with confidence 1.

    The value is that of the text by the kind of the field; the text itself if the form is not known, and empty if the
    text is no value of this kind.
    """
    field = fields.get((row.form, row.field))
    if field is None:
        value = text
    elif field.kind == "mark":
        value = (value_of(field, text) or "0") if text else "0"
    else:
        value = value_of(field, text) or ""
    return replace(row, text=text, value=value, confidence=1.0, status="ok" if text else "empty", reason="")


def doubted_field(row: FieldRow) -> FieldRow:
    """Return a field about which a person could not tell."""
    reasons = [*filter(None, row.reason.split(";"))]
    status = "review" if row.status in ("ok", "empty") else row.status
    return replace(row, status=status, reason=";".join(dict.fromkeys([*reasons, DOUBT])))


def followed_field(
    row: FieldRow, before: str, places: list[tuple[Number, int]], settled: bool, fields: Fields
) -> FieldRow:
    """Return a field after digits in its place have changed.

    Args:
        row: The field.
        before: The digits in its place before.
        places: The digits in its place now.
        settled: Whether a person has settled all of them.
        fields: The fields of the run.

    Returns:
        The field with the changes of its digits; unchanged if it was read otherwise than its digits. If all digits are
        settled, so is the field.
    """
    now = "".join(str(number.digits[at].digit) for number, at in places)
    written, signs = split_signs(row.text)
    if written != before:
        is_plain = not any(signs) and bool(now)
        return settled_field(row, now, fields) if settled and is_plain else row
    text = ""
    for old, new in aligned(before, now):
        text += ("" if old is None else signs[old]) + ("" if new is None else now[new])
    text += signs[-1]
    if settled:
        return settled_field(row, text, fields)
    return row if text == row.text else replace(row, text=text, value=settled_field(row, text, fields).value)
