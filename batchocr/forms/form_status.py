"""The status of a page with a form, and which steps doubt it, from the rows of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import get_args

from batchocr.decoding.marks.names import CUT_OFF, LOW_CONFIDENCE, MAYBE_MISSED, UNREAD_INK
from batchocr.records import FieldRow, FieldStatus, FormRow, FormStatus

REGISTRATION, FINDING, READING, RULE = "registration", "finding", "reading", "rule"
STEPS = (REGISTRATION, FINDING, READING, RULE)
"""The steps that can doubt a page, in their order."""
STATUSES: tuple[FieldStatus, ...] = get_args(FieldStatus)
"""All statuses of a field."""
TO_CHECK: tuple[FieldStatus, ...] = ("review", "corrected", "invalid")
"""The statuses of fields that a person should check."""

_WORST_FIRST: tuple[FieldStatus, ...] = ("invalid", "review", "corrected", "ok")
_OF_FINDING = frozenset((UNREAD_INK, MAYBE_MISSED, CUT_OFF, *"crossed-out gap two-lines".split()))
_OF_RULE = frozenset("required length range pattern not-in-list check-digit no-date signs".split())
_EQUATION = "="
"""Is in the reasons that name an equation, and in the one that has the reading without rules."""


def mark_field(row: FieldRow, min_confidence: float) -> FieldRow:
    """Mark a field that is read without doubt, but with a smaller confidence than `min_confidence`."""
    if row.status != "ok" or row.confidence >= min_confidence:
        return row
    return replace(row, status="review", reason=";".join(filter(None, (LOW_CONFIDENCE, row.reason))))


def mark_form(form: FormRow, fields: Sequence[FieldRow]) -> FormRow:
    """Derive status and reason of a page from its fields.

    Args:
        form: The row of the page. Its reason has `registration` if the page may be of another form. It is returned
            unchanged if the page failed.
        fields: The rows of its fields, marked.

    Returns:
        The row with the worst status of the fields: `invalid`, `review`, `corrected` or `ok`; `empty` if all fields are
        empty. If the registration is doubtful, or a field with another status has a reason, it is at least `review`.
    """
    if form.status == "failed":
        return form
    found = {REGISTRATION} & set(form.reason.split(";"))
    statuses = {field.status for field in fields}
    if found or any(field.reason and field.status in ("ok", "empty") for field in fields):
        statuses.add("review")
    found |= {step for field in fields for step in field_steps(field)}
    status: FormStatus = next((each for each in _WORST_FIRST if each in statuses), "empty")
    return replace(form, status=status, reason=";".join(step for step in STEPS if step in found))


def field_steps(field: FieldRow) -> Iterator[str]:
    """Yield the step of each reason of a field."""
    if field.status in ("corrected", "invalid"):
        yield RULE
    for reason in filter(None, field.reason.split(";")):
        is_rule = reason in _OF_RULE or _EQUATION in reason
        yield FINDING if reason in _OF_FINDING else RULE if is_rule else READING
