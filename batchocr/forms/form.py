"""A form as the stages use it: its fields in millimetres, tables as single fields, rules ready to be checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from batchocr.records import Pixels

FieldKind = Literal["cells", "number", "decimal", "date", "mark", "code"]
"""What a field contains: one digit in each cell; a number; a number with decimals; a date; a tick box or bubble; a bar
or QR code."""
DateOrder = Literal["dmy", "mdy", "ymd"]
"""The order of day, month and year."""
CrossedOut = Literal["review", "empty"]
"""What a crossed-out cell means: a person must check it, or the cell is empty."""
Align = Literal["any", "left", "right"]
"""At which end of its cells a number is written."""

WILDCARD = "*"
"""Stands for any part of a name in the names of equations."""


@dataclass(frozen=True)
class Rect:
    """A rectangle in millimetres from the top left corner of the blank form."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right side."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower side."""
        return self.top + self.height


def trimmed(place: Rect, trimmed_share: float) -> Rect:
    """Return a rectangle without a share of it at each side."""
    return Rect(
        place.left + trimmed_share * place.width,
        place.top + trimmed_share * place.height,
        (1 - 2 * trimmed_share) * place.width,
        (1 - 2 * trimmed_share) * place.height,
    )


@dataclass(frozen=True)
class CheckDigit:
    """A check digit at the end of a number."""

    name: str
    """`luhn`, `mod11-2`, `mod97-10`, `ean`, `isbn` or `weights`."""
    weights: tuple[int, ...] = ()
    """For `weights`: the factor of each digit from the left, the check digit included."""
    modulus: int = 0
    """For `weights`: the weighted sum must be a multiple of this."""


@dataclass(frozen=True)
class FieldRules:
    """What the value of a field must satisfy. An empty field satisfies all of them."""

    min_length: int | None = None
    """Number of digits."""
    max_length: int | None = None
    """Number of digits."""
    min_value: float | None = None
    """For a date as its number YYYYMMDD."""
    max_value: float | None = None
    pattern: str = ""
    """A regular expression that the whole text matches."""
    allowed: frozenset[str] | None = None
    """All texts that are possible."""
    checks: tuple[CheckDigit, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether every text satisfies them."""
        return self == FieldRules()


@dataclass(frozen=True)
class Field:
    """A place of the form with one value."""

    name: str
    kind: FieldKind
    place: Rect
    cells: tuple[Rect, ...] = ()
    """The cells from the left, one for each digit. Empty: the digits stand anywhere in the place."""
    may_be_empty: bool = True
    """Whether an empty field is usual. If not, an empty field is marked."""
    crossed_out: CrossedOut = "review"
    align: Align = "any"
    decimals: int | None = None
    """For `decimal`: number of decimals after a point that is printed or not written at all. None: the point is written
    by hand."""
    order: DateOrder = "dmy"
    """For `date`."""
    signs: str = ""
    """Signs that may be written, of `.,/-:+`."""
    rules: FieldRules = field(default_factory=FieldRules)


@dataclass(frozen=True)
class Equation:
    """A sum across fields: the field `total` is the sum of the terms. Empty fields count as 0."""

    total: str
    terms: tuple[tuple[int, str], ...]
    """For each term 1 or -1, and the name of its field."""
    text: str
    """As it is written in the form file."""


@dataclass(frozen=True)
class FormImage:
    """The image of the blank form."""

    pixels: Pixels
    """(height, width), uint8, dark on light: the blank form and nothing around it."""
    px_per_mm: float
    is_filled: bool = False
    """Whether the image is of a page that is filled in. Then its ink is not left out of other pages."""


@dataclass(frozen=True)
class Form:
    """A form and its fields."""

    name: str
    """As the column `form` has it."""
    width_mm: float
    """Width of the paper."""
    height_mm: float
    """Height of the paper."""
    fields: tuple[Field, ...]
    """In the order of the form file; their names differ."""
    equations: tuple[Equation, ...] = ()
    """The rules across fields."""
    image: FormImage | None = field(default=None, repr=False, compare=False)
    """None: pages are placed by the edges of the sheet."""
    max_residual_mm: float = 0.5
    """Pages that fit worse are not of this form."""
    sha256: str = ""
    """Identifies the form file, its image and its lists of values."""

    @staticmethod
    def load(path: str | Path) -> Form:
        """Load a form file, with the image of its blank form and its lists of values.

        Args:
            path: Path or URL of the form file. The files that it names are in its folder.

        Raises:
            FormError: The form has faults. The message names the file, and all faults with their lines and fixes.
        """
        from batchocr.forms.load import load_form

        return load_form(path)

    @staticmethod
    def draft(blank: str | Path) -> Form:
        """Find the fields of a blank form: boxes, cells, tables, tick boxes, codes and lines to write on.

        `batchocr form draft` writes the same form to a file. The names are field-1, field-2 and table-1 in reading
        order.

        Args:
            blank: Path or URL of an image of the blank form, or of a PDF, of which the first page is taken.

        Raises:
            FormError: The blank cannot be read, or no field was found on it.
        """
        from batchocr.forms.draft.draft import drafted

        return drafted(blank)
