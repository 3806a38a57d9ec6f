"""Choose the reading of a field: the most probable one, with what its own rules say.

A rule makes the values that satisfy it more probable, because few values do, and people seldom break it on paper. Let s
be the share of all values that satisfy a rule. A writer observes it, and writes one of these, but with a probability e
writes any value. Then a reading that satisfies the rule counts (1 - e) / s + e times, and another one e times (Bayes).
As s is at most 1, a reading that breaks the rule never counts more than one that satisfies it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from batchocr.forms.form import Field
from batchocr.forms.reading.parameters import RuleParameters
from batchocr.forms.reading.slots import UNREADABLE, Candidate, Slot, candidates, listed_candidates
from batchocr.forms.rules.field_rules import broken_rule


@dataclass(frozen=True)
class Weighted:
    """A candidate with what the field's own rules say."""

    text: str
    probability: float
    """With the rules; those of all candidates of a field add up to at most 1."""
    broken: str = ""
    """The rule that it breaks; empty if it satisfies all."""


@dataclass(frozen=True)
class FieldChoice:
    """The readings of a field."""

    candidates: tuple[Weighted, ...]
    """The most probable one first; at least one."""
    free: Candidate
    """The most probable reading without any rule."""


def choose(field: Field, slots: Sequence[Slot], parameters: RuleParameters) -> FieldChoice:
    """Weigh the readings of a field by its own rules.

    Args:
        field: the field.
        slots: what it may contain; none for an empty field.
        parameters: how rules choose between readings.

    Returns:
        All readings that were tried.
    """
    p = parameters
    found = candidates(slots, p.max_candidates, p.min_probability_ratio) if slots else [Candidate("", 1.0)]
    free = found[0]
    allowed = field.rules.allowed
    if allowed and slots and not any(each.text in allowed for each in found):
        found += listed_candidates(slots, allowed, p.max_candidates)
    weighted, rest = [], max(0.0, 1 - sum(each.probability for each in found))
    for each in found:
        broken, factor = _rule_factor(field, each.text, p)
        weighted.append((each.text, each.probability * factor, broken))
    total = sum(weight for _, weight, _ in weighted) + rest
    ordered = sorted(weighted, key=lambda each: (-each[1], each[0]))
    return FieldChoice(tuple(Weighted(text, weight / total, broken) for text, weight, broken in ordered), free)


def _rule_factor(field: Field, text: str, p: RuleParameters) -> tuple[str, float]:
    """Return the rule that a text breaks, and the factor by which its rules change its weight."""
    if field.rules.is_empty and field.kind != "date":
        return "", 1.0
    if not text:
        return "", 1.0
    if UNREADABLE in text:
        return "", p.writer_error_share  # an unreadable cell is no way around a rule
    if broken := broken_rule(field, text):
        return broken, p.writer_error_share
    return "", rule_weight(_valid_share(field, _shape(text), p.sampled_values), p)


def rule_weight(valid_share: float, parameters: RuleParameters) -> float:
    """Return how many times a reading counts that satisfies a rule. One that breaks it counts `writer_error_share`.

    Args:
        valid_share: the share of all values that satisfy the rule, 0 to 1. A share below `min_valid_share` counts as
            that one.
        parameters: how rules choose between readings.

    Returns:
        1 or more.
    """
    error = parameters.writer_error_share
    return (1 - error) / min(1.0, max(parameters.min_valid_share, valid_share)) + error


def _shape(text: str) -> str:
    """Return a text with 0 for each digit, so that its signs stay."""
    return "".join("0" if character.isdigit() else character for character in text)


@lru_cache(maxsize=4096)
def _valid_share(field: Field, shape: str, samples: int) -> float:
    """Return the share of texts with these signs that satisfy the rules; at least that of half a sample."""
    digits = shape.count("0")
    allowed = field.rules.allowed
    if allowed:
        return sum(_shape(text).count("0") == digits for text in allowed) / 10.0**digits
    numbers = np.random.default_rng(digits).integers(0, 10, (samples, digits))
    pattern = shape.replace("{", "{{").replace("}", "}}").replace("0", "{}")
    return max(0.5, sum(not broken_rule(field, pattern.format(*row)) for row in numbers.tolist())) / samples
