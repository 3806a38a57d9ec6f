"""The handwriting of a number: its writer and pen, and how often each kind of handwriting occurs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchocr.training.synthesis.pen import Pen
from batchocr.training.synthesis.writing_sources import Writer


@dataclass(frozen=True)
class NumberWritingParameters:
    """How numbers are written. The shares were chosen in the training rounds (docs/training-rounds.md).

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    pool_shares: Mapping[str, float] = field(
        default_factory=lambda: {"strokes": 0.45, "images": 0.31, "forms": 0.14, "old": 0.1}
    )
    """Share of pages by kind of writer; the kinds are the fields `by_...` of `HandwritingSources`."""
    linked_share: float = 0.08
    """Share of numbers in which strokes link digits."""
    chain_share: float = 0.15
    """Share of writers who write zeros at the end of a number in one stroke."""
    form_share: float = 0.04
    """Share of digits that are drawn by a form of `stroke_digits`, whoever the writer is."""
    form_of_1_share: float = 0.14
    """The same share of the digit 1, whose forms with a flag are rare in the collections."""
    old_style_share: float = 0.05
    """Share of writers whose 0, 1 and 2 are as low as an n, and whose 3, 4, 5, 7 and 9 reach below the line."""
    old_style_share_of_old: float = 0.4
    """The same share of writers of the 19th century."""
    old_style_heights: tuple[float, float] = (0.55, 0.8)
    """Smallest and largest height of a low digit, in heights of a 6."""
    old_style_drop_heights: tuple[float, float] = (0.25, 0.5)
    """How far the other digits reach below the line, in heights of a 6."""
    long_five_heights: tuple[float, float] = (1.2, 2.2)
    """Smallest and largest height of a 5 like a long s, in heights of a 6."""
    long_five_drop_heights: tuple[float, float] = (0.2, 0.65)
    """How far such a 5 reaches below the line, in heights of a 6."""
    long_five_share_of_old: float = 0.7
    """Share of writers of the 19th century who write each 5 like a long s."""
    joined_share: float = 0.06
    """Share of writers who do not lift the pen between digits."""
    joined_share_of_old: float = 0.6
    """The same share of writers of the 19th century."""
    mixed_share: float = 0.25
    """Share of pages on which each digit is by another writer of the page's kind."""


PARAMETERS = NumberWritingParameters()


@dataclass(frozen=True)
class Handwriting:
    """The writer and the pen of a piece of writing."""

    pen: Pen
    writer: Writer
    mixed: bool
    """Whether each digit is by another writer."""
    uneven: float
    """Differences of heights and base lines within a number, as a share of the height."""
    spacing: float
    """Paper between two digits, in heights; below 0 they overlap."""
    old_style: bool = False
    """Whether digits have different heights and some reach below the line, as in the 19th century."""
    chains: bool = False
    """Whether zeros at the end of a number are one stroke."""
    joined: bool = False
    """Whether a stroke leads from each digit to the next, if both are known as strokes."""
    long_fives: bool = False
    """Whether each 5 is like a long s: much higher than the others, and below the line."""
