"""What flows through the house: small frozen records, and nothing that computes.

Coordinates are pixels of the page as it is meant to be seen: after EXIF orientation, before any deskewing,
origin at the top left, x to the right, y down.

What comes from the workers by the thousand has no slots: Python pickles records with slots twice as slowly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""A picture: (height, width) grey, 0 black to 255 white."""

Crops = NDArray[np.uint8]
"""(n, 28, 28) digits the way MNIST has them: ink 255 on paper 0."""

Status = Literal["read", "empty", "failed"]
Printed = Literal["keep", "drop"]
"""What becomes of printed digits that stand alone."""


@dataclass(frozen=True, slots=True)
class Scan:
    """An input file: where it lies and how the results name it."""

    path: Path
    name: str
    data: bytes | None = field(default=None, repr=False)
    """Its bytes, where they are at hand; else they are read from `path`."""
    size: int | None = None
    """Bytes of the file as it was listed; None where nobody looked, and then nothing is compared."""
    modified: int | None = None
    """When it was last written, as it was listed: nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Part:
    """Pages of a scan that are to be read."""

    scan: Scan
    first: int = 1
    last: int | None = None
    """None for all that there are, where nobody knows yet how many."""
    pages: int | None = None
    """Of the scan; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Page:
    """One picture of a scan, decoded and upright."""

    scan: Scan
    number: int
    """From 1."""
    pixels: Pixels
    sha256: str
    """Of the scan's bytes."""
    dpi: float | None = None
    """Dots per inch by the file's tags; None where it has none that can be right."""
    pages: int = 1
    """Pages of the scan."""


@dataclass(frozen=True)
class Box:
    """A rectangle in whole pixels; `left` and `top` are inside, `left + width` is the first column outside."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    def union(self, other: Box) -> Box:
        left, top = min(self.left, other.left), min(self.top, other.top)
        return Box(left, top, max(self.right, other.right) - left, max(self.bottom, other.bottom) - top)


def corners(boxes: Sequence[Box]) -> NDArray[np.int64]:
    """Left, top, right and bottom of each, (n, 4)."""
    return np.array([(box.left, box.top, box.right, box.bottom) for box in boxes], np.int64).reshape(-1, 4)


@dataclass(frozen=True)
class Style:
    """How a stretch of ink is drawn: by this print is told from writing. Pixels are those at which vision works."""

    box: Box
    """On the page turned level."""
    stroke: float
    """Mean width of the strokes."""
    dark: float
    """Mean contrast of the ink, 0 to 255."""


@dataclass(frozen=True)
class Candidate:
    """A stretch of ink that may be one digit. Its crop stands in `Layout.crops` at the same place in order."""

    box: Box
    joined: bool = False
    """True where it was put together from broken strokes."""
    start: int = 0
    stop: int = 1
    """From which to before which of its number's places it lies: of those that share a place, one at most is a digit.
    """
    cut: bool = False
    """True where it is not all of a piece of ink."""
    across: bool = False
    """True where it is several pieces, each of which may also be a digit by itself."""
    style: Style | None = None
    """None where nobody measured it."""


@dataclass(frozen=True)
class Number:
    """Digits written together, from the left. Each place, from 0 on, lies within one candidate or several."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Line:
    """A row of writing: its numbers from the left. A row of a table is one line, whatever its gaps."""

    numbers: tuple[Number, ...]


@dataclass(frozen=True)
class Layout:
    """All that vision says of a page."""

    lines: tuple[Line, ...]
    """From the top."""
    crops: Crops
    """One for each candidate, in reading order: lines, numbers, candidates."""
    angle: float
    """Degrees by which the writing runs downhill to the right; it was turned back by as much."""

    @property
    def candidates(self) -> list[Candidate]:
        """All of them, in the order of their crops."""
        return [c for line in self.lines for number in line.numbers for c in number.candidates]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was decided for one candidate."""

    digit: int
    confidence: float
    """Calibrated probability that `digit` is right, 0 to 1."""
    second: int
    second_confidence: float
    review: tuple[str, ...] = ()
    """Why a person should look; empty where nobody need."""


@dataclass(frozen=True, slots=True)
class DigitRow:
    """A row of `results.csv`; the fields are its columns, in order."""

    file: str
    page: int
    line: int
    number: int
    position: int
    digit: int
    confidence: float
    second: int
    second_confidence: float
    left: int
    top: int
    width: int
    height: int
    review: str


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A row of `results.numbers.csv`; the fields are its columns, in order."""

    file: str
    page: int
    line: int
    number: int
    text: str
    confidence: float
    left: int
    top: int
    width: int
    height: int
    review: str


@dataclass(frozen=True, slots=True)
class PageRow:
    """A row of `results.pages.csv`; the fields are its columns, in order. None is not known, and empty in the file."""

    file: str
    page: int | None
    status: Status
    error: str = ""
    message: str = ""
    width: int | None = None
    height: int | None = None
    angle: float | None = None
    lines: int = 0
    numbers: int = 0
    digits: int = 0
    review: int = 0
    """Digits marked for review."""
    seconds: float = 0.0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class SeenPage:
    """A page as vision leaves it: its row so far, and its layout unless it failed."""

    row: PageRow
    layout: Layout | None = None
    pages: int = 1
    """Of the scan."""
    scan: Scan | None = None
    """Whose page it is; None where a picture was given from Python."""


@dataclass(frozen=True, slots=True)
class PageResult:
    """All that the job knows of one page in the end."""

    page: PageRow
    digits: tuple[DigitRow, ...] = field(default=())
    numbers: tuple[NumberRow, ...] = field(default=())
