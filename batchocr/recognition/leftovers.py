"""What is left of a ruled line looks like a 1, but is drawn far more weakly than the digits of its page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchocr.recognition.calibration import NONE, Floats
from batchocr.records import Layout

BAR = 1
"""The digit that is but a line."""
SURE = 0.95
"""Probability from which on a digit shows how strongly a page is written."""
ENOUGH = 8
"""Of such digits, at least."""
WEAKEST = 10
"""Per cent of them may be weaker than what a bar is compared with: those of another pen."""
WEAK = 0.55
"""Share of that strength below which a bar is no digit: of true 1s on composed pages the weakest had 0.72."""


def leftovers(probabilities: Floats, layout: Layout) -> NDArray[np.bool_]:
    """Which of all candidates of a page, with their `probabilities` (n, 11), are what is left of a line, (n,).

    Strength is the ink in a pixel of a stroke's length, its width times its darkness, which blur does not change.
    A bar among digits that are as weak is one of them.
    """
    place = [(row, c) for row, line in enumerate(layout.lines) for number in line.numbers for c in number.candidates]
    found = np.zeros(len(place), np.bool_)
    if not place:
        return found
    strength = np.array([c.style.stroke * c.style.dark if c.style else np.nan for _, c in place])
    digit = probabilities[:, :NONE].argmax(axis=1)
    others = (digit != BAR) & (probabilities[:, :NONE].max(axis=1, initial=0) >= SURE)
    if others.sum() < ENOUGH or np.isnan(strength).any():
        return found
    weak = strength < WEAK * np.percentile(strength[others], WEAKEST)
    row = np.array([row for row, _ in place])
    return np.asarray((digit == BAR) & weak & ~np.isin(row, row[others & weak]))
