"""Natural order of names: the numbers in them are compared by value, so that p2 comes before p10."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[0-9]+")
_LENGTH_DIGITS = 7


def natural_key(name: str) -> str:
    """Return a string whose code point order is the natural order of `name`.

    Each run of ASCII digits is replaced by the count of its significant digits and these digits. The replacement
    starts with a digit, as the run did, so that everything else keeps its place in code point order. Digits of other
    scripts are compared as letters. No number is too long, because none is converted.

    Names that differ only in leading zeros (`p1`, `p01`) have equal keys: compare the names themselves next.

    Args:
        name: A path or file name as the results write it.
    """
    return _NUMBER.sub(_replacement, name)


def _replacement(number: re.Match[str]) -> str:
    """Return a digit, the count of significant digits in a fixed width, and the digits."""
    digits = number[0].lstrip("0")
    return f"0{len(digits):0{_LENGTH_DIGITS}}{digits}"
