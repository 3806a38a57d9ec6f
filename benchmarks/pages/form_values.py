"""Make values for the fields of a form that satisfy its rules, with the mistakes that people make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from batchocr.forms.form import Equation, Field, Form
from batchocr.forms.rules.field_rules import broken_rule

WRONG_SUM, CROSSED_OUT = "wrong-sum", "crossed-out"
"""Notes of the truth: a total that is written wrong; a cell or a field with writing that is crossed out."""
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2029, 12, 31)
MAX_TRIES = 20_000


@dataclass(frozen=True)
class Habits:
    """How people fill in forms."""

    empty_share: float = 0.2
    """Share of the fields that may be empty and are."""
    marked_share: float = 0.5
    """Share of the tick boxes that are marked."""
    wrong_sum_share: float = 0.03
    """Share of the totals that are written wrong."""
    crossed_out_share: float = 0.04
    """Share of the fields in cells in which something is crossed out, if there is room for it."""


@dataclass(frozen=True)
class Written:
    """What is written in a field."""

    text: str
    note: str = ""
    crossed_out: str = ""
    """Digits that are crossed out: in the cells before the text, or instead of a text."""


def length_limits(field: Field) -> tuple[int, int]:
    """Return the minimum and maximum number of digits of a field."""
    rules, room = field.rules, len(field.cells) or 8
    upper = min(room, rules.max_length or room) if field.cells else rules.max_length or max(room, rules.min_length or 0)
    lower = rules.min_length or (1 if field.align != "any" or field.kind != "cells" else upper)
    return min(lower, upper), upper


def random_date(field: Field, rng: np.random.Generator) -> str:
    """Return a date of a field: digits only in cells, else with points, slashes or dashes."""
    first, last = FIRST_DAY, LAST_DAY
    if field.rules.min_value is not None:
        first = date.fromisoformat(f"{field.rules.min_value:.0f}")
    if field.rules.max_value is not None:
        last = date.fromisoformat(f"{field.rules.max_value:.0f}")
    day = first + timedelta(int(rng.integers((last - first).days + 1)))
    parts = {"d": f"{day.day:02}", "m": f"{day.month:02}", "y": f"{day.year:04}"}
    if len(field.cells) == 6:
        parts["y"] = parts["y"][2:]
    usual = [sign for sign in "./-" if sign in field.signs]
    separator = str(rng.choice(usual)) if usual and not field.cells else ""
    return separator.join(parts[part] for part in field.order)


def random_digits(field: Field, rng: np.random.Generator) -> str:
    """Return digits of a field: without leading zeros if they are a quantity, which is written at the right."""
    lower, upper = length_limits(field)
    count = int(rng.integers(lower, upper + 1))
    if field.kind == "decimal" and field.decimals is not None:
        count = max(count, min(upper, field.decimals + 1))
    rules = field.rules
    if rules.min_value is not None and rules.max_value is not None and field.kind != "decimal":
        return str(int(rng.integers(int(rules.min_value), int(rules.max_value) + 1)))
    digits = rng.integers(0, 10, count)
    if (field.align == "right" or field.kind == "decimal") and count > 1:
        digits[0] = rng.integers(1, 10)
    text = "".join(map(str, digits.tolist()))
    if field.kind == "decimal" and field.decimals is None:
        point = str(rng.choice([sign for sign in ".," if sign in field.signs] or ["."]))
        text = f"{text}{point}{int(rng.integers(100)):02}"
    return text


def random_text(field: Field, rng: np.random.Generator) -> str:
    """Return a text that satisfies the rules of a field."""
    if field.rules.allowed:
        return str(rng.choice(sorted(field.rules.allowed)))
    for _ in range(MAX_TRIES):
        text = random_date(field, rng) if field.kind == "date" else random_digits(field, rng)
        if not broken_rule(field, text):
            return text
    raise ValueError(f"no value for the field {field.name} was found: its rules are too narrow for random values")


def sums_in_order(equations: tuple[Equation, ...]) -> list[Equation]:
    """Return one equation for each total, those on which others depend first."""
    waiting = {equation.total: equation for equation in equations}
    ordered: list[Equation] = []
    while waiting:
        ready = [each for each in waiting.values() if not any(name in waiting for _, name in each.terms)]
        if not ready:
            raise ValueError(f"equations depend on each other: {', '.join(each.text for each in waiting.values())}")
        ordered += ready
        for each in ready:
            del waiting[each.total]
    return ordered


def random_texts(form: Form, habits: Habits, rng: np.random.Generator) -> dict[str, str]:
    """Return texts for all fields that satisfy all rules and equations; a text is empty if a field is left out."""
    fields = {field.name: field for field in form.fields if field.kind != "code"}
    sums = sums_in_order(form.equations)
    totals = {each.total for each in sums}
    free = {name: field for name, field in fields.items() if name not in totals}
    in_sums = {name for each in sums for _, name in each.terms} - totals
    texts = {name: value_or_empty(field, habits, rng) for name, field in free.items()}
    for _ in range(MAX_TRIES):
        found = add_totals(fields, sums, texts)
        if found is not None:
            return found
        texts |= {name: value_or_empty(free[name], habits, rng) for name in in_sums}
    raise ValueError("no values were found that satisfy all equations")


def value_or_empty(field: Field, habits: Habits, rng: np.random.Generator) -> str:
    """Return a text for a field, or an empty text if it is left out."""
    if field.kind == "mark":
        return "1" if rng.random() < habits.marked_share else ""
    return "" if field.may_be_empty and rng.random() < habits.empty_share else random_text(field, rng)


def add_totals(fields: Mapping[str, Field], sums: list[Equation], texts: Mapping[str, str]) -> dict[str, str] | None:
    """Return the texts with those of the totals, or None if a total does not fit into its field."""
    found = dict(texts)
    for each in sums:
        terms = [(sign, found[name]) for sign, name in each.terms]
        field = fields[each.total]
        if not any(text for _, text in terms) and field.may_be_empty:
            found[each.total] = ""
            continue
        amount = sum(sign * int("".join(filter(str.isdigit, text)) or 0) for sign, text in terms)
        text = str(amount)
        if amount < 0 or len(text) > length_limits(field)[1] or broken_rule(field, text):
            return None
        found[each.total] = text
    return found


def answers(form: Form, habits: Habits, rng: np.random.Generator) -> dict[str, Written]:
    """Return what a person writes into the fields of a form, mistakes included."""
    totals = {each.total for each in form.equations}
    written = {name: Written(text) for name, text in random_texts(form, habits, rng).items()}
    for field in form.fields:
        if field.name not in written or field.kind in ("mark", "date"):
            continue
        text, spare = written[field.name].text, len(field.cells) - len(written[field.name].text)
        if field.name in totals and text and rng.random() < habits.wrong_sum_share:
            at = int(rng.integers(len(text)))
            others = [digit for digit in "0123456789" if digit != text[at] and (at or digit != "0")]
            wrong = str(rng.choice(others))
            written[field.name] = Written(text[:at] + wrong + text[at + 1 :], WRONG_SUM)
        elif field.cells and rng.random() < habits.crossed_out_share:
            digits = "".join(map(str, rng.integers(0, 10, 1 if text else len(field.cells)).tolist()))
            if spare and (not text or field.align == "right"):
                written[field.name] = Written(text, CROSSED_OUT, digits)
    return written
