"""The data that the stages pass to each other: small frozen dataclasses without computation.

Coordinates are pixels of the upright page: after EXIF orientation and before deskewing. The origin is at the top left,
x points to the right, y points down.

Workers return thousands of some records. These have no slots, because Python pickles a dataclass with slots at half the
speed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from batchocr.stores.urls import shown_url

Pixels = NDArray[np.uint8]
"""A grey image: (height, width), uint8, 0 black to 255 white."""

TilePixels = NDArray[np.uint8]
"""(n, TILE, TILE, 2), uint8: the channels of `vision.network_input`."""

Crops = NDArray[np.uint8]
"""(n, 28, 28), uint8: digits as in MNIST, ink 255 on paper 0."""

TILE = 320
"""Side of a tile in pixels."""

HAND, PRINT, SIGN = 0, 1, 2
"""Kinds of a detection: handwritten digit, printed digit, sign."""
SIGNS = ".,/-:+"
"""The signs between digits. They are the classes of the detector after the ten digits, in this order."""
CLASSES = 10 + len(SIGNS)
"""Classes of the detector."""

FieldStatus = Literal["ok", "review", "corrected", "empty", "invalid"]
"""`corrected`: a rule decided between readings. `invalid`: no likely reading satisfies the rules."""
FormStatus = Literal["ok", "review", "corrected", "empty", "invalid", "failed"]
"""The worst status of the fields of a page; `failed` if the page cannot be read or fits no form."""
PageStatus = Literal["read", "empty", "failed", "removed"]
"""`removed` is only in the delta of a run."""
Printed = Literal["drop", "keep", "only"]
"""Which digits give rows: `drop` omits printed digits, `keep` keeps all, `only` keeps printed digits alone."""
Origin = Literal["hand", "print"]
"""Handwritten or printed."""
CsvDialect = Literal["plain", "excel"]
"""`plain` has commas and decimal points; `excel` has a byte-order mark, semicolons, decimal commas and CRLF."""


@dataclass(frozen=True, slots=True)
class Scan:
    """An input file: its path or URL, and its name in the results."""

    path: Path
    """The file on a disk. For a URL only the last part of its path, for the suffix and the stem."""
    name: str
    data: bytes | None = field(default=None, repr=False)
    """The content of the file, if it is in memory. Else it is read from `path`."""
    size: int | None = None
    """Size of the file in bytes when it was listed. None if it is unknown; then it is not compared."""
    modified: int | None = None
    """Time of the last change when the file was listed, in nanoseconds since 1970. None if it is unknown."""
    url: str = field(default="", repr=False)
    """The whole URL, which may have a signature, if the file is in an object store. Empty for a file on a disk."""
    tag: str = ""
    """What identifies the content without reading it, as the store reported it when the file was listed: its ETag, MD5
    or generation, and its size. Empty for a file on a disk, or if the store reports nothing of this kind."""

    @property
    def place(self) -> str:
        """What identifies the scan: its path, or its URL without credentials and signature."""
        return shown_url(self.url) if self.url else os.fspath(self.path)


@dataclass(frozen=True, slots=True)
class Part:
    """The pages of a scan that are to be read."""

    scan: Scan
    first: int = 1
    """The first page, from 1."""
    last: int | None = None
    """The last page. None for all pages, if their number is unknown."""
    pages: int | None = None
    """Number of pages of the scan. None if it is unknown."""
    more: tuple[tuple[int, int], ...] = ()
    """Further ranges of pages to read, each its first and last page, if `pages` is unknown."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a scan, decoded and upright."""

    scan: Scan
    number: int
    """Number of the page, from 1."""
    pixels: Pixels
    sha256: str
    """SHA-256 of the content of the scan."""
    dpi: float | None = None
    """Dots per inch from the tags of the file. None if it has no plausible value."""
    pages: int = 1
    """Number of pages of the scan."""
    pixel_aspect: float = 1.0
    """Width of a pixel divided by its height: 0.48 for a fax at 204 by 98 dpi."""


@dataclass(frozen=True)
class Box:
    """A rectangle in whole pixels. `left` and `top` are inside, `left + width` is the first column outside."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column to the right of the box."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row below the box."""
        return self.top + self.height


@dataclass(frozen=True, slots=True)
class DigitRow:
    """A row of `results.csv`. The fields are its columns in order."""

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
    """A row of `results.numbers.csv`. The fields are its columns in order."""

    file: str
    page: int
    line: int
    number: int
    text: str
    """The number as written, with its signs."""
    digits: str
    """The digits without signs."""
    confidence: float
    """Probability that all digits and signs are right."""
    origin: Origin
    left: int
    top: int
    width: int
    height: int
    review: str


@dataclass(frozen=True, slots=True)
class PageRow:
    """A row of `results.pages.csv`. The fields are its columns in order. None means unknown; the cell is then empty."""

    file: str
    page: int | None
    """Number of the page, from 1. None for a scan that could not be opened; the tables then have 0."""
    status: PageStatus
    error: str = ""
    message: str = ""
    width: int | None = None
    height: int | None = None
    angle: float | None = None
    lines: int = 0
    numbers: int = 0
    digits: int = 0
    printed: int = 0
    """Printed digits without rows, because of `--printed drop` or because they belong to a blank form."""
    review: int = 0
    """Number of digits with a review mark."""
    marks: str = ""
    """Review marks of the page as a whole, joined by `;`."""
    seconds: float = 0.0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A row of `results.fields.csv`. The fields are its columns in order."""

    file: str
    page: int
    form: str
    """Name of the form."""
    field: str
    """Name of the field; in a table `table.row.column`."""
    text: str
    """What is written, with leading zeros."""
    value: str
    """The text as a plain value: `12.50` for a decimal, `2017-05-12` for a date, `1` or `0` for a mark."""
    confidence: float
    """Probability that the text is right."""
    status: FieldStatus
    reason: str
    """Why a person should check the field, joined by `;`."""
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class FormRow:
    """What `results.forms.csv` reports of a page, in addition to the values of its fields."""

    file: str
    page: int | None
    form: str
    """Name of the form; empty if the page fits none."""
    residual_mm: float | None
    """How far print of the page is from its place on the blank form. None if it is not known."""
    status: FormStatus
    reason: str
    """The steps that doubt, joined by `;`: `registration`, `finding`, `reading`, `rule`."""


@dataclass(frozen=True)
class Tiles:
    """The input of the detector for a page."""

    pixels: TilePixels
    corners: NDArray[np.int32]
    """(n, 2), int32: left and top of each tile in pixels of the scaled level page, negative in the padding."""
    scale: float
    """Pixels of the scaled page for each pixel of the level page."""


@dataclass(frozen=True)
class Placement:
    """Where a form is on a page: the level page is the page as the blank form shows it."""

    form: int
    """Index of the form."""
    px_per_mm: float
    """Pixels of the level page for each millimetre of the form; the origin of both is the same."""
    residual_mm: float | None
    """How far print of the page is from its place on the blank form. None if the form has no image."""
    bend: NDArray[np.float32]
    """(rows, columns, 2), float32: how far paper is bent, at points spread evenly over the level page, the corners
    included. A point p of the level page is `to_page` applied to p + bend(p), with bilinear interpolation."""


@dataclass(frozen=True)
class FieldInk:
    """The ink of a field that was filled in, with a margin around the field."""

    mask: NDArray[np.bool_]
    """(height, width)."""
    left_mm: float
    """Place of the mask on the form."""
    top_mm: float
    px_per_mm: float
    """Pixels of the mask for each millimetre."""


@dataclass(frozen=True)
class FilledIn:
    """What was filled in on a placed page."""

    inks: tuple[FieldInk, ...]
    """Of each field."""
    owners: NDArray[np.int32]
    """(k, 2), int32: indices of field and cell of each cell with ink."""
    boxes: NDArray[np.float32]
    """(k, 4), float32: left, top, width and height of this ink in pixels of the level page."""
    crops: Crops
    """(k, 28, 28): the crop of this ink without the print of the form."""
    codes: tuple[str, ...]
    """Of each field the text of its code; empty for other kinds."""


@dataclass(frozen=True)
class LevelPage:
    """A page whose sheet is rectified and whose writing is level."""

    pixels: Pixels
    """(height, width), uint8, dark ink on light paper."""
    to_page: NDArray[np.float64]
    """(3, 3): homography from points of `pixels` to points of the upright page. Pixel 0 extends from 0 to 1."""
    tiles: Tiles
    """The tiles of the first pass."""
    placement: Placement | None = None
    """Where the form is. None if the page was not placed on a form."""
    filled_in: FilledIn | None = None
    """What was filled in. None if the page was not placed on a form."""


@dataclass(frozen=True)
class Detections:
    """The detections of a page. Boxes are in pixels of the level page."""

    boxes: NDArray[np.float32]
    """(n, 4), float32: left, top, width, height."""
    scores: NDArray[np.float32]
    """(n,), float32, 0 to 1."""
    kinds: NDArray[np.int8]
    """(n,), int8: HAND, PRINT or SIGN. For a digit the more likely origin; `decoding.origins` decides for numbers."""
    probabilities: NDArray[np.float32]
    """(n, CLASSES), float32: the ten digits, then SIGNS. The sum of each row is 1."""
    print_shares: NDArray[np.float32]
    """(n,), float32, 0 to 1: the share of the score of a digit that stands for print."""

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Detections:
        """Return some of the detections.

        Args:
            which: Indices, or a mask of shape (n,).

        Returns:
            The chosen detections in the order of the indices or of the mask.
        """
        return Detections(*(getattr(self, name)[which] for name in Detections.__dataclass_fields__))

    @classmethod
    def together(cls, parts: Sequence[Detections]) -> Detections:
        """Concatenate detections.

        Args:
            parts: At least one set of detections.

        Returns:
            All detections in order.
        """
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


def no_detections() -> Detections:
    """Return the detections of a page on which nothing was found."""
    none = np.empty(0, np.float32)
    return Detections(
        np.empty((0, 4), np.float32), none, none.astype(np.int8), np.empty((0, CLASSES), np.float32), none
    )


@dataclass(frozen=True, slots=True)
class PreparedPage:
    """A page that a worker has prepared: its row without results, and the level page unless it failed."""

    row: PageRow
    level: LevelPage | None = None
    pages: int = 1
    """Number of pages of the scan."""
    scan: Scan | None = None
    """The scan of the page. None for an image that was given from Python."""


@dataclass(frozen=True, slots=True)
class PageResult:
    """The result of one page: its row, and the rows of its digits, numbers and fields."""

    page: PageRow
    digits: tuple[DigitRow, ...] = field(default=())
    numbers: tuple[NumberRow, ...] = field(default=())
    form: FormRow | None = None
    """None if there are no forms."""
    fields: tuple[FieldRow, ...] = field(default=())
