"""What a person decided about a digit, a number or a field: a row of `corrections.csv`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["digit", "number", "field"]
"""What the decision is about."""
Verdict = Literal["confirm", "change", "remove", "doubt", "add"]
"""`confirm`: it was read right. `change`: `text` is right. `remove`: nothing is written there. `doubt`: the person
cannot tell. `add`: it was missed."""
Task = Literal["review", "audit", "known"]
"""Why it was shown: because of its marks, as one of a random sample, or because its answer is known. A known one tells
how well the person reads, and is never applied."""

KINDS, VERDICTS, TASKS = get_args(Kind), get_args(Verdict), get_args(Task)


@dataclass(frozen=True, slots=True)
class Decision:
    """A row of `corrections.csv`. The fields are its columns in order.

    File, page, SHA-256, kind and box identify what the decision is about. Line and number are not among them: they
    depend on `--printed`.
    """

    file: str
    """The file as the results name it."""
    page: int
    """Number of the page, from 1."""
    sha256: str
    """SHA-256 of the scan."""
    kind: Kind
    name: str
    """Name of the field; empty for other kinds."""
    left: int
    top: int
    width: int
    height: int
    """The box as the results have it, in pixels of the page. Of an added digit or number it is the person's."""
    was: str
    """What was read; empty for what was missed."""
    text: str
    """What is right, in the form of the column `digit` or `text`; empty if nothing is written there."""
    decision: Verdict
    task: Task
    expected: str
    """The known answer; empty for other tasks."""
    confidence: float
    """Confidence of what was read; 0 for what was missed."""
    by: str
    """Name of the person."""
    at: str
    """When, in UTC: `2026-11-30T06:00:00Z`."""
    seconds: float
    """How long the decision took."""


COLUMNS = tuple(field.name for field in dataclasses.fields(Decision))
"""The columns of `corrections.csv` in order."""
