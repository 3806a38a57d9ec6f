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

TilePixels = NDArray[np.uint8]
"""(n, TILE, TILE, 2): the channels of `vision.network_input`."""

Crops = NDArray[np.uint8]
"""(n, 28, 28) digits the way MNIST has them: ink 255 on paper 0."""

TILE = 320
"""Pixels of a tile's side."""

HAND, PRINT, SIGN = 0, 1, 2
"""Kinds of a detection."""
SIGNS = ".,/-:+"
"""The detector's classes after the ten digits, in order."""
CLASSES = 10 + len(SIGNS)

Status = Literal["read", "empty", "failed", "removed"]
"""`removed` is only in the delta of a run."""
Printed = Literal["drop", "keep", "only"]
"""What becomes of printed digits: no rows, rows, or rows of nothing else."""
Origin = Literal["hand", "print"]
CsvDialect = Literal["plain", "excel"]
"""`plain` has commas and decimal points; `excel` has a byte-order mark, semicolons, decimal commas and CRLF."""


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
    origin: Origin
    review: str


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A row of `results.numbers.csv`; the fields are its columns, in order."""

    file: str
    page: int
    line: int
    number: int
    text: str
    """What is written, with its signs."""
    digits: str
    """Its digits alone."""
    confidence: float
    """Of the whole, signs included."""
    origin: Origin
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
    printed: int = 0
    """Printed digits that gave no rows: by `--printed drop`, or as they stand on a blank form."""
    review: int = 0
    """Digits marked for review."""
    marks: str = ""
    """What a person should know of the page as a whole, joined by `;`."""
    seconds: float = 0.0
    sha256: str = ""


@dataclass(frozen=True)
class Tiles:
    """What the detector sees of a page."""

    pixels: TilePixels
    corners: NDArray[np.int32]
    """(n, 2) left and top of each tile in pixels of the scaled level page; negative where there is padding."""
    scale: float
    """Pixels of the scaled page per pixel of the level page."""


@dataclass(frozen=True)
class LevelPage:
    """A page turned level, its sheet rectified."""

    pixels: Pixels
    """(height, width), dark ink on light paper."""
    to_page: NDArray[np.float64]
    """(3, 3): homography from points of `pixels` to points of the page as given. Pixel 0 reaches from 0 to 1."""
    tiles: Tiles
    """Of the first pass."""


@dataclass(frozen=True)
class Detections:
    """What the detector found on a page; boxes in pixels of the level page."""

    boxes: NDArray[np.float32]
    """(n, 4) left, top, width, height."""
    scores: NDArray[np.float32]
    """(n,) 0 to 1."""
    kinds: NDArray[np.int8]
    """(n,) HAND, PRINT or SIGN; of a digit what it rather is, while `decoding.origins` decides for whole numbers."""
    probabilities: NDArray[np.float32]
    """(n, CLASSES): the ten digits, then SIGNS; each row adds up to 1."""
    print_shares: NDArray[np.float32]
    """(n,) 0 to 1: of the score of a digit, how much is for print."""

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Detections:
        """Those of these places, or where a mask (n,) holds."""
        return Detections(*(getattr(self, name)[which] for name in Detections.__dataclass_fields__))

    @classmethod
    def together(cls, parts: Sequence[Detections]) -> Detections:
        """All of several, of which there is at least one, in their order."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


def no_detections() -> Detections:
    """Of a page on which nothing was found."""
    none = np.empty(0, np.float32)
    return Detections(
        np.empty((0, 4), np.float32), none, none.astype(np.int8), np.empty((0, CLASSES), np.float32), none
    )


@dataclass(frozen=True, slots=True)
class PreparedPage:
    """A page as a worker leaves it: its row so far, and the level page unless it failed."""

    row: PageRow
    level: LevelPage | None = None
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
