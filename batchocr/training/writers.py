"""Who writes on the sheets: each draws a piece of writing of a height, and says which digit it is, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from batchocr.recognition.calibration import NONE
from batchocr.training.datasets import Digits
from batchocr.training.draw import Ink, draw
from batchocr.training.hands import written
from batchocr.training.marks import Marks
from batchocr.training.spoilt import half, touching, with_remains

KEEP_THEIR_SHAPE = (1, 7)
"""Digits whose halves are still such digits."""
REMAINS = 0.06
"""Share of the digits that keep remains of a rule or a box."""


class Writer(Protocol):
    whole: ClassVar[bool]
    """Whether only all of a piece of writing is no digit, and its parts may be some."""

    def __call__(self, height: float, rng: np.random.Generator) -> tuple[Ink, int]:
        """A piece of writing about `height` pixels high, and which digit it is, 0 to 9 or NONE."""


def _one(digits: Digits, rng: np.random.Generator) -> int:
    return int(rng.integers(len(digits)))


@dataclass(frozen=True)
class Collected:
    """Digits that people wrote, drawn anew."""

    digits: Digits
    wild: float = 1.0
    """As `draw` takes it."""
    whole: ClassVar[bool] = False

    def __call__(self, height: float, rng: np.random.Generator) -> tuple[Ink, int]:
        which = _one(self.digits, rng)
        ink = draw(self.digits.pictures[which], height, rng, self.wild)
        if ink.size and rng.random() < REMAINS:
            ink = with_remains(ink, rng)
        return ink, int(self.digits.labels[which])


@dataclass(frozen=True)
class Hands:
    """Digits as other countries write them, from pen strokes."""

    whole: ClassVar[bool] = False

    def __call__(self, height: float, rng: np.random.Generator) -> tuple[Ink, int]:
        return written(height, rng)


@dataclass(frozen=True)
class Printed:
    """Digits of printers' fonts."""

    marks: Marks
    whole: ClassVar[bool] = False

    def __call__(self, height: float, rng: np.random.Generator) -> tuple[Ink, int]:
        return self.marks.printed_digit(height, rng)


@dataclass(frozen=True)
class NoDigit:
    """Letters, words, ticks, stamps, pieces of lines."""

    marks: Marks
    whole: ClassVar[bool] = False

    def __call__(self, height: float, rng: np.random.Generator) -> tuple[Ink, int]:
        return self.marks.mark(height, rng), NONE


@dataclass(frozen=True)
class Touching:
    """Two digits or three in one piece."""

    digits: Digits
    whole: ClassVar[bool] = True

    def __call__(self, height: float, rng: np.random.Generator) -> tuple[Ink, int]:
        return touching(self.digits.pictures, self.digits.labels, height, rng), NONE


@dataclass(frozen=True)
class Halved:
    """Digits that a wrong cut left a part of."""

    digits: Digits
    whole: ClassVar[bool] = False

    def __call__(self, height: float, rng: np.random.Generator) -> tuple[Ink, int]:
        some = np.flatnonzero(~np.isin(self.digits.labels, KEEP_THEIR_SHAPE))
        return half(self.digits.pictures[int(rng.choice(some))], height, rng), NONE
