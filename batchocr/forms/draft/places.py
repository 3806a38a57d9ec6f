"""What a draft proposes: single fields and tables, without names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batchocr.forms.draft.parameters import PARAMETERS, DraftParameters
from batchocr.forms.form import DateOrder, FieldKind, Rect


@dataclass(frozen=True)
class FieldPlace:
    """A place to write on."""

    kind: FieldKind
    place: Rect
    count: int = 0
    """Number of cells of equal width; 0 if there are no cells, or if they are listed."""
    cells: tuple[Rect, ...] = ()
    """The cells, if they are not of equal width and beside each other."""
    order: DateOrder = "dmy"
    """For a date."""
    decimals: int = 0
    """For a decimal with a printed point: the number of cells after it."""
    is_likely: bool = True
    """Whether a number is likely here. If not, the field is written as a comment."""

    @property
    def shape(self) -> tuple[FieldKind, int]:
        """What the fields of a column share."""
        return self.kind, self.count


@dataclass(frozen=True)
class TablePlace:
    """Fields in rows and columns."""

    kind: FieldKind
    rows: tuple[tuple[float, float], ...]
    """Top and height of each row in millimetres."""
    columns: tuple[tuple[float, float], ...]
    """Left and width of each column in millimetres."""
    counts: tuple[int, ...]
    """Number of cells of the fields of each column; 0 if there are none."""

    @property
    def place(self) -> Rect:
        """The rectangle around all fields."""
        left, top = self.columns[0][0], self.rows[0][0]
        return Rect(left, top, sum(self.columns[-1]) - left, sum(self.rows[-1]) - top)


def around(rects: Sequence[Rect]) -> Rect:
    """Return the rectangle around all rectangles."""
    left, top = min(each.left for each in rects), min(each.top for each in rects)
    return Rect(left, top, max(each.right for each in rects) - left, max(each.bottom for each in rects) - top)


def shared_height(one: Rect, other: Rect) -> float:
    """Return the height that two rectangles have in common, as a share of the lower one."""
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0.0, shared) / min(one.height, other.height)


def reading_order(
    places: Sequence[FieldPlace | TablePlace], parameters: DraftParameters = PARAMETERS
) -> list[FieldPlace | TablePlace]:
    """Sort places by rows from the top, and from the left within a row.

    A row has the places whose middle is within the height of its first place. The first place is the highest on the
    paper of those that are left; a table that is higher than the others does not hold them together.

    Args:
        places: Fields and tables.
        parameters: See the class.
    """
    row_mm = parameters.row_mm
    rest = sorted(places, key=lambda each: (each.place.top, each.place.left))
    ordered: list[FieldPlace | TablePlace] = []
    while rest:
        first = min(rest, key=lambda each: each.place.top + min(each.place.height, row_mm) / 2).place
        row_bottom = first.top + min(first.height, row_mm)
        row = [each for each in rest if each.place.top + min(each.place.height, row_mm) / 2 <= row_bottom]
        ordered += sorted(row, key=lambda each: each.place.left)
        rest = [each for each in rest if each not in row]
    return ordered
