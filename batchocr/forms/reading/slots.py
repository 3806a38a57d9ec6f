"""Possible readings of a field, from the most probable one down.

A field is a sequence of slots. A slot is a cell, or ink that is one or several digits. Slots are independent, so a
reading's probability is the product of the probabilities of its alternatives.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import exp, log

UNREADABLE = "?"
"""Stands for ink that is not a digit."""


@dataclass(frozen=True)
class Slot:
    """What one place of a field may contain."""

    texts: tuple[str, ...]
    """The alternatives, the most probable one first: digits, signs, UNREADABLE, or nothing."""
    probabilities: tuple[float, ...]
    """Of each alternative, above 0; their sum is 1."""

    @classmethod
    def of(cls, weights: dict[str, float], min_probability: float) -> Slot:
        """Make a slot from the weights of its alternatives.

        Args:
            weights: by text, not negative, not all 0.
            min_probability: alternatives below this probability are left out.
        """
        total = sum(weights.values())
        found = sorted(
            ((weight / total, text) for text, weight in weights.items() if weight >= min_probability * total),
            key=lambda each: (-each[0], each[1]),
        )
        kept = sum(probability for probability, _ in found)
        return cls(tuple(text for _, text in found), tuple(probability / kept for probability, _ in found))


@dataclass(frozen=True)
class Candidate:
    """A possible reading of a field."""

    text: str
    probability: float
    """Before any rule."""


def readings(slots: Sequence[Slot]) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield the readings of a sequence of slots in descending probability.

    Each reading is made from exactly one better one by a single change (Lawler, A procedure for computing the K best
    solutions to discrete optimization problems, 1972). The slots are changed in the order of what their second
    alternative costs, so that a reading leads to at most three others: the next alternative of the slot that was
    changed last, the second one of the slot after it, and that one instead of the last change.

    Args:
        slots: the slots of a field, or fields as slots.

    Yields:
        For each slot the index of its alternative, and the probability of all together.
    """
    costs = [[-log(probability) for probability in slot.probabilities] for slot in slots]
    order = sorted((i for i, cost in enumerate(costs) if len(cost) > 1), key=lambda i: costs[i][1] - costs[i][0])
    gaps = [costs[i][1] - costs[i][0] for i in order]
    best, first = sum(cost[0] for cost in costs), (0,) * len(slots)
    yield first, exp(-best)
    heap = [(best + gaps[0], _with(first, order[0], 1), 0)] if order else []
    while heap:
        cost, chosen, at = heapq.heappop(heap)
        yield chosen, exp(-cost)
        slot = order[at]
        index, own = chosen[slot], costs[slot]
        if index + 1 < len(own):
            heapq.heappush(heap, (cost + own[index + 1] - own[index], _with(chosen, slot, index + 1), at))
        if at + 1 == len(order):
            continue
        longer = _with(chosen, order[at + 1], 1)
        heapq.heappush(heap, (cost + gaps[at + 1], longer, at + 1))
        if index == 1:
            heapq.heappush(heap, (cost + (gaps[at + 1] - gaps[at]), _with(longer, slot, 0), at + 1))


def _with(chosen: tuple[int, ...], slot: int, index: int) -> tuple[int, ...]:
    """Return a reading in which one slot has another alternative."""
    return (*chosen[:slot], index, *chosen[slot + 1 :])


def candidates(slots: Sequence[Slot], max_candidates: int, min_probability_ratio: float) -> list[Candidate]:
    """Return the most probable texts of a field.

    Readings with the same text are one candidate: an empty cell before or after a digit gives the same number.

    Args:
        slots: the slots of the field.
        max_candidates: number of readings that are tried.
        min_probability_ratio: readings with a smaller share of the best reading's probability are left out.

    Returns:
        The candidates in descending probability.
    """
    found: dict[str, float] = {}
    best = 0.0
    for count, (chosen, probability) in enumerate(readings(slots)):
        best = best or probability
        if count >= max_candidates or probability < best * min_probability_ratio:
            break
        text = "".join(slot.texts[i] for slot, i in zip(slots, chosen, strict=True))
        found[text] = found.get(text, 0.0) + probability
    return sorted((Candidate(*each) for each in found.items()), key=lambda each: (-each.probability, each.text))


def listed_candidates(slots: Sequence[Slot], allowed: Collection[str], max_candidates: int) -> list[Candidate]:
    """Return the most probable ones of the allowed texts: a beam search over their beginnings.

    Args:
        slots: the slots of the field.
        allowed: the texts that are possible.
        max_candidates: width of the beam.

    Returns:
        The candidates in descending probability; allowed texts that no reading has are missing.
    """
    beginnings = {text[:length] for text in allowed for length in range(len(text) + 1)}
    beam = {"": 1.0}
    for slot in slots:
        extended: dict[str, float] = {}
        for text, probability in beam.items():
            for own, share in zip(slot.texts, slot.probabilities, strict=True):
                if (longer := text + own) in beginnings:
                    extended[longer] = extended.get(longer, 0.0) + probability * share
        best = heapq.nsmallest(max_candidates, extended.items(), key=lambda each: (-each[1], each[0]))
        beam = dict(best)
    allowed = set(allowed)
    return [
        Candidate(*each) for each in sorted(beam.items(), key=lambda each: (-each[1], each[0])) if each[0] in allowed
    ]
