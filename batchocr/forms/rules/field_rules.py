"""The value of a field's text, and the rules of a single field."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from batchocr.forms.form import DateOrder, Field, FieldKind
from batchocr.forms.rules.check_digits import satisfies
from batchocr.records import SIGNS

BrokenRule = Literal["", "length", "range", "pattern", "not-in-list", "check-digit", "no-date", "signs"]
"""The name of a rule that does not hold, as the column `reason` has it."""

_POINTS = ".,"
_FIRST_YEAR_OF_1900 = 70
"""Years of two digits from this one are in the 20th century, as in POSIX."""
_NO_SIGNS = dict.fromkeys(map(ord, SIGNS))
_WITH_VALUE_IN_LIST: tuple[FieldKind, ...] = ("decimal", "date")


def value_of(field: Field, text: str) -> str | None:
    """Return the text of a field as a plain value.

    Args:
        field: The field.
        text: What is written. Empty if the field is empty. For cells, and for a date in cells, digits only.

    Returns:
        Of a number and of cells the digits as they are written, with leading zeros, and with `-` before them if the
        text starts with it. Of a decimal the number with a point, such as `12.50`. Of a date `2017-05-12`; two-digit
        years are from 1970 to 2069. Of a mark `1` or `0`. Of a code its text. Empty for an empty text. None if the text
        is not a value, such as a date that does not exist.
    """
    return _VALUES[field.kind](field, text) if text else ""


def broken_rule(field: Field, text: str) -> BrokenRule:
    """Return the name of the first rule that the text of a field does not satisfy; empty if it satisfies all.

    The order is `signs`, `no-date`, `length`, `pattern`, `not-in-list`, `check-digit`, `range`. An empty text satisfies
    all rules.

    Args:
        field: The field.
        text: What is written, as in `value_of`.
    """
    if not text:
        return ""
    value = value_of(field, text)
    if value is None:
        return "no-date" if field.kind == "date" else "signs"
    if field.kind != "code" and not _has_allowed_signs(field, text):
        return "signs"
    rules = field.rules
    length = len(text) if field.kind == "code" else sum(map(str.isdigit, text))
    if not (rules.min_length or 0) <= length <= (length if rules.max_length is None else rules.max_length):
        return "length"
    if rules.pattern and not _compiled(rules.pattern).fullmatch(text):
        return "pattern"
    if rules.allowed is not None and not _is_listed(field, text, value):
        return "not-in-list"
    if not all(satisfies(check, text) for check in rules.checks):
        return "check-digit"
    return "" if _is_in_range(field, value) else "range"


def _has_allowed_signs(field: Field, text: str) -> bool:
    return all(character in field.signs for character in text if character in SIGNS)


def _is_listed(field: Field, text: str, value: str) -> bool:
    allowed = field.rules.allowed or ()
    return text in allowed or (field.kind in _WITH_VALUE_IN_LIST and value in allowed)


def _is_in_range(field: Field, value: str) -> bool:
    rules = field.rules
    if rules.min_value is None and rules.max_value is None:
        return True
    number = Decimal(value.replace("-", "") if field.kind == "date" else value)
    return not (
        (rules.min_value is not None and number < exact(rules.min_value))
        or (rules.max_value is not None and number > exact(rules.max_value))
    )


def exact(number: float) -> Decimal:
    """Return the decimal number that the shortest notation of a float shows, so that 0.1 is 0.1."""
    return Decimal(repr(number))


@lru_cache(maxsize=10_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _whole_number(_: Field, text: str) -> str | None:
    digits = text.translate(_NO_SIGNS)
    if not _is_digits(digits):
        return None
    return f"-{digits}" if text.startswith("-") else digits


def _decimal(field: Field, text: str) -> str | None:
    """Return a decimal with a point. The last `.` or `,` is the decimal point; others are between thousands."""
    minus = "-" if text.startswith("-") else ""
    number = text[1:] if text[0] in "-+" else text
    points = [at for at, character in enumerate(number) if character in _POINTS]
    digits = "".join(character for character in number if character not in _POINTS)
    if not _is_digits(digits):
        return None
    decimals = len(number) - points[-1] - 1 if points else 0
    if points and not decimals:
        return None
    if len(points) > 1 and (len({number[at] for at in points[:-1]}) > 1 or number[points[-1]] == number[points[0]]):
        return None
    if field.decimals is not None:
        if points and decimals != field.decimals:
            return None
        decimals = field.decimals
    digits = digits.lstrip("0").rjust(decimals + 1, "0")
    whole = len(digits) - decimals
    return f"{minus}{digits[:whole]}.{digits[whole:]}" if decimals else minus + digits


def _date(field: Field, text: str) -> str | None:
    parts = _date_digits(field.order, text) if _is_digits(text) else re.split(f"[{re.escape(SIGNS)}]", text)
    if len(parts) != 3 or not all(map(_is_digits, parts)):
        return None
    named = dict(zip(field.order, parts, strict=True))
    year, month, day = named["y"], named["m"], named["d"]
    if len(year) not in (2, 4) or len(month) > 2 or len(day) > 2:
        return None
    number = int(year)
    if len(year) == 2:
        number += 1900 if number >= _FIRST_YEAR_OF_1900 else 2000
    try:
        return date(number, int(month), int(day)).isoformat()
    except ValueError:
        return None


def _date_digits(order: DateOrder, text: str) -> list[str]:
    """Return the parts of a date of 6 or 8 digits in the order of the field. Empty for another number of digits."""
    if len(text) not in (6, 8):
        return []
    parts, start = [], 0
    for part in order:
        end = start + (len(text) - 4 if part == "y" else 2)
        parts.append(text[start:end])
        start = end
    return parts


def _mark(_: Field, text: str) -> str | None:
    return text if text in ("0", "1") else None


def _code(_: Field, text: str) -> str | None:
    return text


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


_VALUES: dict[FieldKind, Callable[[Field, str], str | None]] = {
    "cells": _whole_number,
    "number": _whole_number,
    "decimal": _decimal,
    "date": _date,
    "mark": _mark,
    "code": _code,
}
