"""A line of a file of corrections becomes a decision, or has a fault that can be named without the results."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import cast, get_args

from batchocr.records import SIGNS
from batchocr.review.decision import COLUMNS, Decision, Kind, Task, Verdict
from batchocr.spreadsheets import DATE, is_large_number

AS_TEXT = "import all columns as text, or do not open the file in a spreadsheet"
MAX_PIXELS = 10**7
"""No page has a side of so many pixels."""
_WHOLE = re.compile(r"[0-9]{1,9}")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE]-?[0-9]{1,3})?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIGIT = re.compile(r"[0-9]")
_WRITTEN = re.compile(rf"[0-9{re.escape(SIGNS)}]*[0-9][0-9{re.escape(SIGNS)}]*")
_WITHOUT_TEXT = ("remove", "doubt")


class Fault(Exception):
    """What is wrong with a line, and the fix."""


def decision_of(cells: Sequence[str], *, decimal_comma: bool = False) -> Decision:
    """Return the decision of a line.

    Args:
        cells: The cells of COLUMNS in order.
        decimal_comma: Whether a fraction may have a comma.

    Raises:
        Fault: A value cannot be right.
    """
    row = dict(zip(COLUMNS, cells, strict=True))
    values = {name: text.strip() for name, text in row.items() if name not in ("file", "name", "was", "text")}
    kind = _one_of("kind", values["kind"], get_args(Kind))
    verdict = _one_of("decision", values["decision"], get_args(Verdict))
    task = _one_of("task", values["task"], get_args(Task))
    if not row["file"]:
        raise Fault("file is empty: write the name of the scan as the results have it")
    if not _SHA256.fullmatch(values["sha256"]):
        raise Fault(f"sha256 is {values['sha256']!r}, not 64 hexadecimal digits: restore it from the original file")
    if (kind == "field") != bool(row["name"]):
        why = "name is empty: write the name of the field" if kind == "field" else "only a field has a name: empty name"
        raise Fault(why)
    if not values["by"]:
        raise Fault("by is empty: write the name of the person")
    text, was = row["text"].strip(), row["was"].strip()
    _check_text(cast(Kind, kind), cast(Verdict, verdict), text, was)
    return Decision(
        file=row["file"],
        page=_whole("page", values["page"], 1),
        sha256=values["sha256"],
        kind=cast(Kind, kind),
        name=row["name"],
        left=_whole("left", values["left"], 0),
        top=_whole("top", values["top"], 0),
        width=_whole("width", values["width"], 1),
        height=_whole("height", values["height"], 1),
        was=was,
        text="" if verdict in _WITHOUT_TEXT else text,
        decision=cast(Verdict, verdict),
        task=cast(Task, task),
        expected=values["expected"],
        confidence=_fraction("confidence", values["confidence"], 1.0, decimal_comma),
        by=values["by"],
        at=_time(values["at"]),
        seconds=_fraction("seconds", values["seconds"], 1e9, decimal_comma),
    )


def _one_of(column: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise Fault(f"{column} is {value!r}: write one of {', '.join(known)}")
    return value


def _whole(column: str, value: str, lowest: int) -> int:
    if not _WHOLE.fullmatch(value) or not lowest <= int(value) < MAX_PIXELS:
        raise Fault(f"{column} is {value!r}, not a whole number from {lowest}: restore it from the original file")
    return int(value)


def _fraction(column: str, value: str, highest: float, decimal_comma: bool) -> float:
    text = value.replace(",", ".") if decimal_comma else value
    number = float(text) if _NUMBER.fullmatch(text) else -1.0
    if not (isfinite(number) and 0 <= number <= highest):
        raise Fault(f"{column} is {value!r}, not a number from 0 to {highest:g}: restore it from the original file")
    return number


def _time(value: str) -> str:
    """Return a time in UTC as it is written in a file of corrections."""
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        time = None
    if time is None or time.utcoffset() != timedelta(0):
        raise Fault(
            f"at is {value!r}, not a time as 2026-11-30T06:00:00Z: a spreadsheet may have changed it: {AS_TEXT}"
        )
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _check_text(kind: Kind, verdict: Verdict, text: str, was: str) -> None:
    """Raise Fault if a text cannot be that of a digit, a number or a field."""
    for column, value in (("text", text), ("was", was)):
        if kind != "field" and is_large_number(value):
            raise Fault(f"{column} is {value!r}: a spreadsheet made it a large number: {AS_TEXT}")
    if kind == "field" and verdict == "add":
        raise Fault("a field cannot be added: change its text instead")
    if verdict == "remove" and text:
        raise Fault(f"nothing is written there (remove), but text is {text!r}: empty it, or write change")
    if verdict in _WITHOUT_TEXT:
        return
    if kind == "field":
        if not text.isprintable():
            raise Fault(f"text is {text!r}: write it without control characters")
    elif kind == "digit" and not _DIGIT.fullmatch(text):
        if DATE.fullmatch(text):
            raise Fault(f"text of a digit is {text!r}: a spreadsheet made a date of it: {AS_TEXT}")
        raise Fault(f"text of a digit is {text!r}: write one digit 0 to 9; if it is none, empty it and write remove")
    elif kind == "number" and not _WRITTEN.fullmatch(text):
        fix = f"write digits 0 to 9 with the signs {SIGNS}; if there is no number, empty it and write remove"
        raise Fault(f"text of a number is {text!r}: {fix}")
    if verdict == "add" and was:
        raise Fault(f"was is {was!r}, but what is added was not read: empty it, or write change")
    if verdict == "confirm" and text != was:
        raise Fault(f"text is {text!r}, but {was!r} is confirmed: write change, or make both the same")
