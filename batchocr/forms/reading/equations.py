"""Equations take part in reading: of the readings of all fields, those that satisfy the sums are more probable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import prod
from operator import itemgetter
from typing import Literal

from batchocr.forms.form import Equation, Field
from batchocr.forms.reading.choice import FieldChoice, Weighted, rule_weight
from batchocr.forms.reading.parameters import RuleParameters
from batchocr.forms.reading.slots import UNREADABLE, Slot, readings
from batchocr.forms.rules.equations import holds
from batchocr.forms.rules.field_rules import broken_rule, value_of

Outcome = Literal["holds", "broken", "unknown"]
"""What an equation says: nothing is known if a value is not, or if the total was left out."""


@dataclass(frozen=True)
class Chosen:
    """The reading of a field after all rules."""

    text: str
    probability: float
    broken: tuple[str, ...] = ()
    """The rules that it breaks."""
    corrected_by: tuple[str, ...] = ()
    """The rules that hold with this text, and because of which another one was not chosen."""
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
    slots = [Slot(tuple(e.text for e in kept[n]), tuple(e.probability for e in kept[n])) for n in names]
    factors = [_Factors(equation, names, fields, kept, p) for equation in equations]
    max_factor = prod(each.largest for each in factors)
    total = best_weight = 0.0
    best: tuple[int, ...] = ()
    shares = [[0.0] * len(kept[name]) for name in names]
    for count, (combination, probability) in enumerate(readings(slots)):
        if count >= p.max_combinations or probability * max_factor < p.min_relevant_share * best_weight:
            break
        weight = probability
        for each in factors:
            weight *= each.of(combination)[0]
        total += weight
        for share, index in zip(shares, combination, strict=True):
            share[index] += weight
        if weight > best_weight:
            best, best_weight = combination, weight
    outcomes = [(each.equation, each.of(best)[1]) for each in factors]
    found = {}
    for i, name in enumerate(names):
        mine = [(equation.text, outcome) for equation, outcome in outcomes if name in _names(equation)]
        broken, satisfied = (tuple(dict.fromkeys(t for t, o in mine if o == which)) for which in ("broken", "holds"))
        found[name] = _chosen(fields[name], choices[name], best[i], shares[i][best[i]] / total, broken, satisfied)
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


class _Factors:
    """By what an equation changes the weight of combinations of readings. The same readings are compared only once.

    An equation with an unreadable field counts as if it was broken, so that an unreadable cell is no way around it.
    """

    def __init__(
        self,
        equation: Equation,
        names: Sequence[str],
        fields: Mapping[str, Field],
        kept: Mapping[str, Sequence[Weighted]],
        p: RuleParameters,
    ) -> None:
        self.equation = equation
        self._own = list(dict.fromkeys(_names(equation)))
        self._own_indices = itemgetter(*(names.index(name) for name in self._own))
        self._values = [[_value(fields[name], each.text) for each in kept[name]] for name in self._own]
        self._satisfied = [_satisfied(each.text, p) for each in kept[equation.total]]
        self._is_left_out = [not each.text for each in kept[equation.total]]
        self._broken = p.writer_error_share
        self._known: dict[tuple[int, ...], tuple[float, Outcome]] = {}
        self.largest = max(self._satisfied)

    def of(self, combination: Sequence[int]) -> tuple[float, Outcome]:
        """Return the factor, and whether the equation holds.

        Args:
            combination: for each field of the group the index of its reading.
        """
        indices = self._own_indices(combination)
        found = self._known.get(indices)
        if found is None:
            found = self._known[indices] = self._of(indices)
        return found

    def _of(self, indices: tuple[int, ...]) -> tuple[float, Outcome]:
        if self._is_left_out[indices[0]]:
            return 1.0, "unknown"  # a total that was left out says nothing
        values: dict[str, Decimal] = {}
        for name, own, index in zip(self._own, self._values, indices, strict=True):
            value = own[index]
            if value is None:
                return self._broken, "unknown"
            values[name] = value
        if holds(self.equation, values):
            return self._satisfied[indices[0]], "holds"
        return self._broken, "broken"


def _satisfied(total: str, p: RuleParameters) -> float:
    """Return the factor of an equation that holds: by chance one total of that many digits in so many would hold.

    Leading zeros do not count, because a sum does not say whether they are written.
    """
    digits = "".join(filter(str.isdigit, total)).lstrip("0")
    return rule_weight(10.0 ** -max(1, len(digits)), p)
