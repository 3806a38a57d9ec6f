"""Equations take part in reading: of the readings of all fields, those that satisfy the sums are more probable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod

from batchocr.forms.form import Equation, Field
from batchocr.forms.reading.choice import FieldChoice
from batchocr.forms.reading.parameters import RuleParameters
from batchocr.forms.reading.slots import UNREADABLE, Slot, readings
from batchocr.forms.rules.equations import holds
from batchocr.forms.rules.field_rules import broken_rule, value_of


@dataclass(frozen=True)
class Chosen:
    """The reading of a field after all rules."""

    text: str
    probability: float
    broken: tuple[str, ...] = ()
    """The rules that it breaks."""
    corrected_by: tuple[str, ...] = ()
    """The rules because of which another reading was not chosen."""
    free_text: str = ""
    """The most probable reading without rules."""
    free_probability: float = 0.0


def choose_together(
    fields: Mapping[str, Field],
    choices: Mapping[str, FieldChoice],
    equations: Sequence[Equation],
    parameters: RuleParameters,
) -> dict[str, Chosen]:
    """Choose the readings of all fields of a page.

    Args:
        fields: the fields by name.
        choices: the readings of each field.
        equations: sums across fields.
        parameters: how rules choose between readings.

    Returns:
        The reading of each field.
    """
    chosen: dict[str, Chosen] = {}
    for names, own in _groups(fields, equations):
        if own:
            chosen |= _choose_group(names, own, fields, choices, parameters)
        else:
            for name in names:
                best = choices[name].candidates[0]
                chosen[name] = _chosen(fields[name], choices[name], 0, best.probability, (), ())
    return chosen


def _groups(
    fields: Mapping[str, Field], equations: Sequence[Equation]
) -> list[tuple[tuple[str, ...], tuple[Equation, ...]]]:
    """Return the groups of fields that equations connect, each with its equations."""
    group_of = {name: {name} for name in fields}
    for equation in equations:
        joined = set().union(*(group_of[name] for name in _names(equation)))
        for name in joined:
            group_of[name] = joined
    groups = {id(group): group for group in group_of.values()}
    return [
        (tuple(name for name in fields if name in group), tuple(e for e in equations if e.total in group))
        for group in groups.values()
    ]


def _names(equation: Equation) -> list[str]:
    return [equation.total, *(name for _, name in equation.terms)]


def _choose_group(
    names: Sequence[str],
    equations: Sequence[Equation],
    fields: Mapping[str, Field],
    choices: Mapping[str, FieldChoice],
    p: RuleParameters,
) -> dict[str, Chosen]:
    """Choose the readings of fields that equations connect."""
    kept = {
        name: [
            each
            for i, each in enumerate(choices[name].candidates[: p.max_field_candidates])
            if i == 0 or each.probability >= p.min_field_probability
        ]
        for name in names
    }
    values = {name: [_value(fields[name], each.text) for each in kept[name]] for name in names}
    slots = [Slot(tuple(e.text for e in kept[n]), tuple(e.probability for e in kept[n])) for n in names]
    position = {name: i for i, name in enumerate(names)}
    max_factor = prod(max(1.0, _satisfied(max(len(e.text) for e in kept[eq.total]), p)) for eq in equations)
    total = best_weight = 0.0
    best: tuple[int, ...] = ()
    best_broken: list[bool] = []
    shares: list[dict[int, float]] = [{} for _ in names]
    for count, (combination, probability) in enumerate(readings(slots)):
        if count >= p.max_combinations or probability * max_factor < p.min_relevant_share * best_weight:
            break
        texts = {name: kept[name][combination[i]].text for name, i in position.items()}
        known = {name: values[name][combination[i]] for name, i in position.items()}
        factors = [_factor(equation, texts, known, p) for equation in equations]
        weight = probability * prod(factor for factor, _ in factors)
        total += weight
        for share, index in zip(shares, combination, strict=True):
            share[index] = share.get(index, 0.0) + weight
        if weight > best_weight:
            best, best_weight, best_broken = combination, weight, [is_broken for _, is_broken in factors]
    broken = [equation for equation, is_broken in zip(equations, best_broken, strict=True) if is_broken]
    found = {}
    for name, i in position.items():
        mine = [equation for equation in equations if name in _names(equation)]
        own = tuple(equation.text for equation in mine if equation in broken)
        others = tuple(equation.text for equation in mine if equation not in broken)
        found[name] = _chosen(fields[name], choices[name], best[i], shares[i][best[i]] / total, own, others)
    return found


def _chosen(
    field: Field,
    choice: FieldChoice,
    index: int,
    probability: float,
    broken: tuple[str, ...],
    satisfied: tuple[str, ...],
) -> Chosen:
    """Describe the choice of a candidate, given the equations that it breaks and those that it satisfies."""
    candidate, free = choice.candidates[index], choice.free
    broken = (*((candidate.broken,) if candidate.broken else ()), *broken)
    corrected_by: tuple[str, ...] = ()
    if candidate.text != free.text and not broken:
        own = broken_rule(field, free.text) if UNREADABLE not in free.text else ""
        corrected_by = (own,) if own else satisfied
    return Chosen(candidate.text, min(1.0, probability), broken, corrected_by, free.text, free.probability)


def _value(field: Field, text: str) -> Decimal | None:
    """Return the value of a text; 0 for an empty field, and None if the value is not known."""
    if not text:
        return Decimal(0)
    value = None if UNREADABLE in text else value_of(field, text)
    return None if value is None else Decimal(value)


def _factor(
    equation: Equation, texts: Mapping[str, str], values: Mapping[str, Decimal | None], p: RuleParameters
) -> tuple[float, bool]:
    """Return the factor by which an equation changes the weight of a combination, and whether it is broken.

    An equation with an unreadable field counts as if it was broken, so that an unreadable cell is no way around it.
    """
    if not texts[equation.total]:
        return 1.0, False  # a total that was left out says nothing
    own = {name: value for name in _names(equation) if (value := values[name]) is not None}
    if len(own) < len(set(_names(equation))):
        return p.writer_error_share, False
    if holds(equation, own):
        return _satisfied(len(texts[equation.total]), p), False
    return p.writer_error_share, True


def _satisfied(length: int, p: RuleParameters) -> float:
    """Return the factor of an equation that holds: by chance one total of that many digits in so many would hold."""
    return (1 - p.writer_error_share) / max(p.min_valid_share, 10.0 ** -max(1, length))
