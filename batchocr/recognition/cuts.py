"""Which of the candidates that share ink are the digits: the best way through all cuts of a number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from batchocr.recognition.calibration import NONE, Floats
from batchocr.records import Box, Candidate, Layout, corners

JOIN = 0.5
"""Chance that pieces so near to each other that they may be one digit are one."""
JUNK, WIDTH = 0.05, 0.8
"""Chance that ink is no digit, for every so many heights of it across."""
SAME = 0.5
"""Overlap of boxes (intersection over union) from which two candidates are the same digit, cut a little otherwise."""


def best_cuts(probabilities: Floats, candidates: Sequence[Candidate]) -> tuple[list[int], Floats]:
    """The candidates of a number, by index, that are taken, from the left, and their probabilities (m, 11).

    Of `probabilities` (n, 11). A piece that is more likely one digit than none is not cut. Where candidates share ink,
    every way through their places is weighed by the chance of the digits along it; a digit is as probable as the ways
    that have it at about that place weigh among all ways.
    """
    if not any(candidate.cut or candidate.across for candidate in candidates):
        return list(range(len(candidates))), probabilities
    which: list[int] = []
    seen: list[Floats] = []
    for together in _together(candidates):
        kept = _uncut_digits_whole(together, probabilities, candidates)
        if len(kept) == 1:
            taken, chances = kept, probabilities[kept]
        else:
            best, chances = _weighed(probabilities[kept], [candidates[i] for i in kept])
            taken = [kept[i] for i in best]
        which += taken
        seen.append(chances)
    return which, np.concatenate(seen)


def _together(candidates: Sequence[Candidate]) -> list[list[int]]:
    """Candidates, by index, that share places with one another, those of one stretch of places together."""
    found: list[list[int]] = []
    reach = -1
    for i in sorted(range(len(candidates)), key=lambda i: (candidates[i].start, -candidates[i].stop)):
        if candidates[i].start >= reach:
            found.append([])
        found[-1].append(i)
        reach = max(reach, candidates[i].stop)
    return found


def cuts_to_weigh(probabilities: Floats, layout: Layout) -> list[int]:
    """Which of a page's candidates, with their `probabilities` (n, 11), are cuts of what is no digit as a whole.

    Of the cuts themselves nothing need be known yet.
    """
    found: list[int] = []
    start = 0
    for number in (number for line in layout.lines for number in line.numbers):
        own = range(len(number.candidates))
        needed = _uncut_digits_whole(own, probabilities[start : start + len(own)], number.candidates)
        found += [start + i for i in needed if number.candidates[i].cut]
        start += len(own)
    return found


def _uncut_digits_whole(some: Sequence[int], probabilities: Floats, candidates: Sequence[Candidate]) -> list[int]:
    """Some candidates, by index, without the cuts of pieces that are more likely one digit than none."""
    digits = [candidates[i] for i in some if not candidates[i].cut and probabilities[i, NONE] <= 0.5]

    def needless(cut: Candidate) -> bool:
        return cut.cut and any(whole.start <= cut.start and cut.stop <= whole.stop for whole in digits)

    return [i for i in some if not needless(candidates[i])]


def _weighed(probabilities: Floats, candidates: Sequence[Candidate]) -> tuple[list[int], Floats]:
    """The same of candidates that share places."""
    boxes = [c.box for c in candidates]
    across = np.array([box.width for box in boxes]) / (WIDTH * max(box.height for box in boxes))
    digits = probabilities[:, :NONE].max(axis=1)
    weights = np.maximum(digits + probabilities[:, NONE] * JUNK ** np.maximum(across, 1), 1e-9)
    as_digits = digits / weights
    weights *= [JOIN if c.across else 1.0 for c in candidates]
    which = _best(weights, candidates)
    # no way has two candidates that overlap so much, hence their chances add up
    same = _overlaps([boxes[i] for i in which], boxes) >= SAME
    shares = _shares(weights, candidates) * as_digits
    seen = np.empty((len(which), NONE + 1))
    seen[:, :NONE] = same @ (shares[:, None] * probabilities[:, :NONE])
    seen[:, NONE] = np.maximum(0.0, 1 - seen[:, :NONE].sum(axis=1))
    return which, seen


def _overlaps(some: Sequence[Box], others: Sequence[Box]) -> Floats:
    """Intersection over union of each of some boxes with each of others, (len(some), len(others))."""
    a, b = corners(some)[:, None], corners(others)[None]
    both = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(axis=-1)
    areas = [(box[..., 2:] - box[..., :2]).prod(axis=-1) for box in (a, b)]
    return np.asarray(both / (areas[0] + areas[1] - both))


def _best(weights: Floats, candidates: Sequence[Candidate]) -> list[int]:
    """The heaviest way (Viterbi, 1967) from the first place to the last."""
    first, last = min(c.start for c in candidates), max(c.stop for c in candidates)
    best = {first: 0.0}
    came: dict[int, int] = {}
    for i in sorted(range(len(candidates)), key=lambda i: candidates[i].start):
        start, stop = candidates[i].start, candidates[i].stop
        if start in best and best[start] + np.log(weights[i]) > best.get(stop, -np.inf):
            best[stop], came[stop] = best[start] + float(np.log(weights[i])), i
    which: list[int] = []
    at = last
    while at > first:
        which.append(came[at])
        at = candidates[which[-1]].start
    return which[::-1]


def _shares(weights: Floats, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Of the weight of all ways, what goes through each candidate, (n,)."""
    first, last = min(c.start for c in candidates), max(c.stop for c in candidates)
    before: defaultdict[int, float] = defaultdict(float, {first: 1.0})
    after: defaultdict[int, float] = defaultdict(float, {last: 1.0})
    order = sorted(range(len(candidates)), key=lambda i: candidates[i].start)
    for i in order:
        before[candidates[i].stop] += before[candidates[i].start] * weights[i]
    for i in reversed(order):
        after[candidates[i].start] += after[candidates[i].stop] * weights[i]
    return np.array([before[c.start] * weights[i] * after[c.stop] for i, c in enumerate(candidates)]) / before[last]
