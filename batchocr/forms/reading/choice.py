"""Choose the reading of a field: the most probable one, with what its own rules say.

A rule makes the values that satisfy it more probable, because few values do, and people seldom break it on paper. With
the share s of all values that satisfy a rule and the share e of values that break it on paper, a reading that satisfies
it counts (1 - e) / s times, and another one e / (1 - s) times (Bayes).
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
    share = max(p.min_valid_share, min(1 - p.min_valid_share, _valid_share(field, len(text), p.sampled_values)))
    error = p.writer_error_share
    if UNREADABLE in text:
        return "", error / (1 - share)  # an unreadable cell is no way around a rule
    broken = broken_rule(field, text)
    return broken, error / (1 - share) if broken else (1 - error) / share


@lru_cache(maxsize=4096)
def _valid_share(field: Field, length: int, samples: int) -> float:
    """Return the share of texts of the same length that satisfy the rules; at least that of half a sample."""
    allowed = field.rules.allowed
    if allowed:
        return sum(len(text) == length for text in allowed) / 10.0**length
    numbers = np.random.default_rng(length).integers(0, 10, (samples, length))
    texts = ("".join(map(str, row)) for row in numbers.tolist())
    return max(0.5, sum(not broken_rule(field, text) for text in texts)) / samples
