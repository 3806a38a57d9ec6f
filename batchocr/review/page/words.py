"""Marks, statuses and reasons in plain words."""

from __future__ import annotations

from batchocr.output.drawing.marks_in_short import TAGS

REASONS = {
    "crossed-out": "something is crossed out",
    "two-digits": "a cell has more than one digit",
    "two-lines": "the box has more than one line of writing",
    "gap": "an empty cell is between digits",
    "alignment": "it is at the wrong end of its cells",
    "blackened": "a tick box is filled; it may be a correction",
    "cut-off": "it is not wholly on the page",
    "required": "it must not be empty",
    "check-digit": "the check digit decided, or does not fit",
    "length": "the number of digits decided, or is wrong",
    "range": "the range decided, or the value is outside",
    "pattern": "the pattern decided, or does not fit",
    "not-in-list": "the list of allowed texts decided, or does not have it",
    "no-date": "it is not a date that exists",
    "signs": "it has signs that do not belong there",
}
"""By reason of a field: what it says. An equation is its own words."""
_WITHOUT_RULES = "without-rules="


def in_words(marks: str) -> tuple[str, ...]:
    """Return what the marks or reasons of a row say, in order.

    Args:
        marks: The column `review` or `reason`: names joined by `;`.
    """
    return tuple(_words(mark) for mark in marks.split(";") if mark)


def _words(mark: str) -> str:
    if mark.startswith(_WITHOUT_RULES):
        text, _, probability = mark.removeprefix(_WITHOUT_RULES).rpartition(":")
        return f"without the rule it would be {text or 'empty'} ({float(probability):.0%})"
    return REASONS.get(mark) or (TAGS[mark][1] if mark in TAGS else mark)


def text_without_rules(reasons: str) -> str:
    """Return the reading of a field without its rules; empty if a rule changed nothing."""
    found = [each for each in reasons.split(";") if each.startswith(_WITHOUT_RULES)]
    return found[0].removeprefix(_WITHOUT_RULES).rpartition(":")[0] if found else ""
