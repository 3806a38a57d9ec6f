"""Equations across fields: sums and differences."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches

from batchocr.forms.form import WILDCARD, Equation

_TOKEN = re.compile(r"\s*([+=-]|[\w*][\w.*-]*)")
Term = tuple[int, str]
"""1 or -1, and the name of a field or a pattern of names."""


@dataclass(frozen=True)
class EquationPattern:
    """An equation as it is written, in whose names `*` may stand for a part."""

    total: str
    terms: tuple[Term, ...]
    text: str


def parse_equation(text: str) -> EquationPattern:
    """Return the parts of an equation such as `total = a + b - c`.

    One side is a single name. A minus needs a space before it, because names may contain `-`.

    Raises:
        ValueError: It is not an equation. The message says why, and how to write it.
    """
    sides: list[list[Term]] = [[]]
    sign = 1
    expects_name = True
    for token in _tokens(text):
        if token == "=":
            if expects_name:
                raise ValueError("a name is missing before the equals sign: write total = a + b")
            sides.append([])
            sign, expects_name = 1, True
        elif token in ("+", "-"):
            if expects_name and (sides[-1] or sign != 1):
                raise ValueError(f"a name is missing before {token!r}: write total = a + b")
            sign, expects_name = 1 if token == "+" else -1, True
        else:
            if not expects_name:
                raise ValueError(f"there is no + or - before {token!r}: write total = a + b")
            sides[-1].append((sign, _name(token)))
            sign, expects_name = 1, False
    if len(sides) != 2:
        raise ValueError(f"there must be one equals sign, not {len(sides) - 1}: write total = a + b")
    if expects_name:
        raise ValueError("a name is missing at the end: write total = a + b")
    left, right = sides
    if not _is_name(left):
        left, right = right, left
    if not _is_name(left):
        raise ValueError("one side must be a single name: write total = a + b - c")
    return EquationPattern(left[0][1], tuple(right), text)


def expand_equation(pattern: EquationPattern, names: Collection[str]) -> tuple[Equation, ...]:
    """Return an equation for each field that the total of the pattern names.

    Args:
        pattern: The equation. The first `*` of each name stands for the same part, and so do the second ones.
        names: The names of all fields.

    Raises:
        ValueError: The equation names a field that is not there. The message says which, and the fix.
    """
    wildcards = pattern.total.count(WILDCARD)
    for _, name in pattern.terms:
        if name.count(WILDCARD) > wildcards:
            raise ValueError(f"{name!r} has a {WILDCARD} that {pattern.total!r} has not: write one term for each field")
    known = names if isinstance(names, (set, frozenset, dict)) else dict.fromkeys(names)
    if not wildcards:
        return (_equation(pattern, (), known),)
    matching = re.compile(r"([^.]+)".join(map(re.escape, pattern.total.split(WILDCARD))))
    found = [match.groups() for match in map(matching.fullmatch, names) if match]
    if not found:
        raise ValueError(f"no field has a name like {pattern.total!r}: {_fix(pattern.total, known)}")
    return tuple(_equation(pattern, parts, known) for parts in found)


def holds(equation: Equation, values: Mapping[str, Decimal]) -> bool:
    """Return whether the total is the sum of the terms.

    Args:
        equation: The equation.
        values: The values of fields by name. A field without a value is empty, and counts as 0.
    """
    zero = Decimal(0)
    return values.get(equation.total, zero) == sum(
        (sign * values.get(name, zero) for sign, name in equation.terms), zero
    )


def _tokens(text: str) -> Iterator[str]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"{text[at:].strip()[0]!r} is not allowed: use names, +, - and one equals sign")
        yield match[0].strip()
        at = match.end()


def _name(token: str) -> str:
    """Return the name. Raise ValueError if it is not one."""
    for part in token.split("."):
        if not part or (WILDCARD in part and part != WILDCARD):
            raise ValueError(f"{token!r} is not a name: the parts between points are names, or {WILDCARD} alone")
    return token


def _is_name(side: list[Term]) -> bool:
    return len(side) == 1 and side[0][0] == 1


def _equation(pattern: EquationPattern, parts: tuple[str, ...], names: Collection[str]) -> Equation:
    """Return the equation in which `*` is replaced by these parts."""
    total = _filled(pattern.total, parts)
    terms = tuple((sign, _filled(name, parts)) for sign, name in pattern.terms)
    for name in (total, *(name for _, name in terms)):
        if name not in names:
            raise ValueError(f"there is no field {name!r}: {_fix(name, names)}")
    if total in (name for _, name in terms):
        raise ValueError(f"{total!r} is on both sides: the total must not be a term")
    return Equation(total, terms, pattern.text)


def _filled(name: str, parts: tuple[str, ...]) -> str:
    for part in parts:
        name = name.replace(WILDCARD, part, 1)
    return name


def _fix(name: str, names: Collection[str]) -> str:
    close = get_close_matches(name, names, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    if "-" in name:
        return "put spaces around the minus, or give the name of a field"
    return "give the name of a field; fields of tables are named table.row.column"
