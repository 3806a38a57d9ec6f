"""Which of the candidates that share ink are the digits: the best way through all cuts of a number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from batchocr.recognition.calibration import NONE, Floats
from batchocr.records import Candidate

CUT = 0.5
"""Chance that ink in one piece is cut at a place, against that it is not."""
JUNK = 0.01
"""Chance that a piece of ink as a whole is no digit."""


def best_cuts(probabilities: Floats, candidates: Sequence[Candidate]) -> tuple[list[int], Floats]:
    """The candidates of a number, by index, that are taken, from the left, and their probabilities (m, 11).

    Of `probabilities` (n, 11). Every way through the number's places is weighed by the chance of the digits along it;
    what a candidate has of the weight of all ways lowers the probabilities of its digits.
    """
    if all(candidate.stop - candidate.start == 1 and not candidate.cut for candidate in candidates):
        return list(range(len(candidates))), probabilities
    weights = probabilities[:, :NONE].max(axis=1)
    for i, candidate in enumerate(candidates):
        if candidate.cut:
            weights[i] *= CUT**0.5
        else:
            weights[i] = max(weights[i], JUNK * probabilities[i, NONE])
    weights = np.maximum(weights, 1e-9)
    which = _best(weights, candidates)
    share = _shares(weights, candidates)[which]
    seen = probabilities[which].copy()
    seen[:, :NONE] *= share[:, None]
    seen[:, NONE] = 1 - seen[:, :NONE].sum(axis=1)
    return which, seen


def _best(weights: Floats, candidates: Sequence[Candidate]) -> list[int]:
    """The heaviest way (Viterbi, 1967)."""
    places = max(c.stop for c in candidates)
    best = np.full(places + 1, -np.inf)
    best[0] = 0
    came = np.full(places + 1, -1)
    for i in sorted(range(len(candidates)), key=lambda i: candidates[i].start):
        candidate = candidates[i]
        weight = best[candidate.start] + np.log(weights[i])
        if weight > best[candidate.stop]:
            best[candidate.stop], came[candidate.stop] = weight, i
    which: list[int] = []
    at = places
    while at > 0:
        which.append(int(came[at]))
        at = candidates[which[-1]].start
    return which[::-1]


def _shares(weights: Floats, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Of the weight of all ways, what goes through each candidate, (n,)."""
    places = max(c.stop for c in candidates)
    before, after = np.zeros(places + 1), np.zeros(places + 1)
    before[0] = after[places] = 1
    order = sorted(range(len(candidates)), key=lambda i: candidates[i].start)
    for i in order:
        before[candidates[i].stop] += before[candidates[i].start] * weights[i]
    for i in reversed(order):
        after[candidates[i].start] += after[candidates[i].stop] * weights[i]
    return np.array([before[c.start] * weights[i] * after[c.stop] for i, c in enumerate(candidates)]) / before[places]
