"""What stands beside a candidate says whether it is writing of words or of numbers: a bar among letters is an l.

A line is a hidden Markov chain (Rabiner, 1989) of three states, words, printed figures among them, and numbers: what is
no digit speaks for words, what is one for the others, what looks like the print near it for the first two, and the
change from one to the other is the likelier the wider the gap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from batchocr.recognition.calibration import NONE, Floats
from batchocr.recognition.printed import odds
from batchocr.records import Box, Candidate

WORDS = 0.08
"""Share of words among what stands on pages, where nothing else is known."""
LETTER_IS_NONE, DIGIT_IS_NONE = 0.75, 0.02
"""How often a letter, and a digit, looks like no digit."""
CUT_IS_DIGIT = 0.5
"""How often what a letter was cut into looks like a digit: an n falls into two ones."""
CHANGE, FREE = 0.02, 3.0
"""Chance that a number ends and a word begins where no gap is, and the gap, in heights, at which nothing binds."""
LONG, CELLS = 7, 0.9
"""Candidates from which on a number binds over the gaps between the cells of its box; and in heights, how wide these
are at least."""
LEAST = 0.05
"""Chance that a letter looks just like a digit, as an O or an l does."""
FIGURES, BESIDE = 0.15, 0.2
"""Share of printed figures on lines of print, and how often they follow a letter there, or a letter them."""
SUREST = 6.0
"""Log odds: no single candidate looks more like print than this, or less."""
PULL = -1.5
"""By how much, in log odds, neighbours that are digits make a digit of a candidate at most."""


def in_context(probabilities: Floats, candidates: Sequence[Candidate], numbers: Sequence[int] = ()) -> Floats:
    """Probabilities (n, 11) of the candidates of one line, from the left, as their neighbours change them.

    `numbers` (n,) says of which number of the line each is, where that is known: what stands in one long box is all
    words, or none. Only the share of NONE changes; that of the digits to each other stays. A candidate alone on its
    line is as before.
    """
    if len(probabilities) < 2:
        return probabilities
    none = probabilities[:, NONE]
    like, print_ = odds(candidates, none)
    as_print = np.exp(like.clip(-SUREST, SUREST))
    digit = DIGIT_IS_NONE * none + (1 - DIGIT_IS_NONE) * (1 - none)
    is_digit = np.where([candidate.cut for candidate in candidates], CUT_IS_DIGIT, 1 - LETTER_IS_NONE)
    shape = np.stack([LETTER_IS_NONE * none + is_digit * (1 - none), digit, digit], axis=1)
    style = np.stack([print_ * as_print + 1 - print_, as_print, np.ones_like(none)], axis=1)
    rest = WORDS, print_ * FIGURES, 1 - WORDS - print_ * FIGURES
    others = _beside(shape * style, _bonds([c.box for c in candidates], numbers or range(len(none))), rest) * style
    words = np.clip(others[:, 0] / others[:, [0, 2]].sum(axis=1), 1e-6, 1 - 1e-6)
    possible = np.clip(np.maximum(none, LEAST * (words - WORDS) / (1 - WORDS)), 1e-9, 1 - 1e-9)
    shift = np.maximum(_log_odds(words) - float(_log_odds(np.array(WORDS))), PULL)
    written = 1 / (1 + np.exp(_log_odds(possible) + shift))
    written *= others[:, 2] / others[:, 1:].sum(axis=1)
    result = probabilities * (written / np.maximum(1 - none, 1e-9))[:, None]
    result[:, NONE] = 1 - written
    return np.asarray(result)


def _log_odds(chance: Floats) -> Floats:
    return np.asarray(np.log(chance / (1 - chance)))


def _bonds(boxes: Sequence[Box], numbers: Sequence[int]) -> list[float]:
    """Between each candidate and the next, n − 1 in all, how much the one says of the other: 1 all, 0 nothing.

    A gap between cells of a long box says nothing: words spelled there are longer than what is struck out.
    Writing of another size is other writing: a label is printed smaller than what is filled in.
    """
    bonds = []
    length = Counter(numbers)
    for (a, of_a), (b, of_b) in pairwise(zip(boxes, numbers, strict=True)):
        high, low = max(a.height, b.height), min(a.height, b.height)
        gap = max(0, b.left - a.right) / high
        if gap >= CELLS and of_a == of_b and length[of_a] >= LONG:
            gap = 0
        bonds.append((1 - CHANGE) * max(0.0, 1 - gap / FREE) * min(1.0, 2 * low / high))
    return bonds


def _beside(seen: Floats, bonds: Sequence[float], rest: Sequence[float]) -> Floats:
    """Chance (n, 3) of each state at each place by all others: of how each is `seen` (n, 3), and `rest` (3,) unseen.

    In plain numbers: numpy takes ten times as long over three.
    """
    swap = BESIDE if rest[1] else 0.0
    places = seen.tolist()
    words, figures, digits = rest
    before = [(words, figures, digits)]
    for bond, (w, f, d) in zip(bonds, places, strict=False):
        words, figures, digits = words * w, figures * f, digits * d
        whole, free = bond / (words + figures + digits), 1 - bond
        change = swap * (figures - words)
        words = whole * (words + change) + free * rest[0]
        figures = whole * (figures - change) + free * rest[1]
        digits = whole * digits + free * rest[2]
        before.append((words, figures, digits))
    words = figures = digits = 1.0
    after = [(words, figures, digits)]
    for bond, (w, f, d) in zip(reversed(bonds), reversed(places), strict=False):
        words, figures, digits = words * w, figures * f, digits * d
        free = (1 - bond) * (words * rest[0] + figures * rest[1] + digits * rest[2])
        change = swap * (figures - words)
        words, figures, digits = bond * (words + change) + free, bond * (figures - change) + free, bond * digits + free
        total = words + figures + digits
        words, figures, digits = words / total, figures / total, digits / total
        after.append((words, figures, digits))
    others = np.array(before) * np.array(after[::-1])
    return np.asarray(others / others.sum(axis=1, keepdims=True))
