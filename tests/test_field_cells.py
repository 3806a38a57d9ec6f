"""What a cell may contain: drawn ink with detections and answers for crops."""

from __future__ import annotations

import pytest
from drawn_fields import CELL_MM, PAGE_PX_PER_MM, Found, box, cells_field, crop_of, evidence_of, ink_of, stroke

from batchocr.forms.form import Field, Rect
from batchocr.forms.reading.cells import ALIGNMENT, CROSSED_OUT, GAP, TWO_DIGITS, UNREAD_INK, FieldEvidence, read_cells
from batchocr.forms.reading.evidence import CropEvidence
from batchocr.forms.reading.parameters import PARAMETERS
from batchocr.forms.reading.slots import UNREADABLE, Slot


def read(field: Field, strokes: list[Rect], found: list[Found], crops: dict[int, CropEvidence]) -> FieldEvidence:
    return read_cells(field, evidence_of(*found), crops, ink_of(field, *strokes), PAGE_PX_PER_MM, PARAMETERS)


def read_one(
    *strokes: Rect, found: list[Found] | None = None, crop: CropEvidence | None = None, **keys: object
) -> Slot:
    """Read a field with one cell."""
    return read(cells_field(1, **keys), list(strokes), found or [], {} if crop is None else {0: crop}).slots[0]


def best(slot: Slot) -> str:
    return slot.texts[0]


def share_of(slot: Slot, text: str) -> float:
    return dict(zip(slot.texts, slot.probabilities, strict=True)).get(text, 0.0)


def test_a_cell_without_ink_is_empty() -> None:
    slot = read_one()
    assert best(slot) == ""
    assert slot.probabilities[0] > 0.98


def test_a_detection_without_ink_is_print() -> None:
    assert best(read_one(found=[("8", box(2), 0.9)])) == ""


def test_a_digit_with_ink() -> None:
    slot = read_one(stroke(4), found=[("7", box(2), 0.97)], crop=crop_of("7"))
    assert best(slot) == "7"
    assert share_of(slot, "7") > 0.95
    assert "" not in slot.texts


@pytest.mark.parametrize("is_digit", [0.3, 0.6, 0.9, 0.99])
def test_the_more_probable_a_digit_the_less_its_ink_is_nothing(is_digit: float) -> None:
    sure, doubtful = (read_one(stroke(4), found=[("7", box(2), each)]) for each in (is_digit, is_digit - 0.2))
    assert share_of(sure, "") <= share_of(doubtful, "")
    assert share_of(sure, "") < 0.002


def test_a_speck_does_not_fill_a_cell() -> None:
    assert best(read_one(Rect(*_at(4, 4), 0.8, 0.8))) == ""


def test_ink_in_the_border_of_a_cell_is_that_of_its_neighbour() -> None:
    assert best(read_one(stroke(0.1))) == ""


def test_ink_without_a_digit_is_unreadable() -> None:
    found = read(cells_field(1), [stroke(2), stroke(5)], [], {})
    assert best(found.slots[0]) == UNREADABLE
    assert found.marks == (UNREAD_INK,)


def test_the_crop_decides_what_the_detection_left_open() -> None:
    """The logarithms of both are weighted equally: 0.5 for 1 and 0.5 for 7, against 0.99 for 7."""
    evidence = evidence_of(("1", box(2), 0.9), share=0.5)
    evidence.digits[0] = [0, 0.5, 0, 0, 0, 0, 0, 0.5, 0, 0]
    field = cells_field(1)
    found = read_cells(field, evidence, {0: crop_of("7")}, ink_of(field, stroke(4)), PAGE_PX_PER_MM, PARAMETERS)
    slot = found.slots[0]
    one, seven = (0.5 * 0.01 / 9) ** 0.5, (0.5 * 0.99) ** 0.5
    assert share_of(slot, "7") / share_of(slot, "1") == pytest.approx(seven / one, rel=1e-3)


def test_a_digit_of_the_next_cell_is_not_read_twice() -> None:
    """The box reaches into the first cell by a third."""
    found = read(cells_field(2), [stroke(8.9), stroke(10)], [("4", box(6.5, 4.5), 0.97)], {})
    assert [best(slot) for slot in found.slots] == ["", "4"]


def test_two_digits_in_one_cell_are_marked() -> None:
    twice: list[Found] = [("4", box(0.9, 2.5), 0.95), ("2", box(4.5, 2.5), 0.95)]
    assert read(cells_field(1), [stroke(2), stroke(5.5)], twice, {}).marks == (TWO_DIGITS,)
    same: list[Found] = [("4", box(0.9, 5.0), 0.95), ("2", box(1.5, 5.0), 0.95)]
    assert read(cells_field(1), [stroke(2), stroke(5.5)], same, {}).marks == ()


@pytest.mark.parametrize(("crossed_out", "text"), [("review", UNREADABLE), ("empty", "")])
def test_a_crossed_out_cell(crossed_out: str, text: str) -> None:
    field = cells_field(1, crossed_out=crossed_out)
    wide = [Rect(*_at(1, 1), 6, 0.5), stroke(4)]
    found = read(field, wide, [], {0: crop_of("8", 0.6, is_cross=True)})
    assert best(found.slots[0]) == text
    assert found.marks == ((CROSSED_OUT,) if text else ())


@pytest.mark.parametrize(
    ("align", "filled", "marks"),
    [
        ("any", "101", (GAP,)),
        ("any", "011", ()),
        ("left", "110", ()),
        ("left", "011", (ALIGNMENT,)),
        ("right", "011", ()),
        ("right", "110", (ALIGNMENT,)),
        ("right", "000", ()),
        ("left", "0101", (GAP, ALIGNMENT)),
    ],
)
def test_gaps_and_the_wrong_end_are_marked(align: str, filled: str, marks: tuple[str, ...]) -> None:
    at = [CELL_MM * i for i, each in enumerate(filled) if each == "1"]
    field = cells_field(len(filled), align=align)
    found = read(field, [stroke(x + 4) for x in at], [("1", box(x + 2), 0.97) for x in at], {})
    assert found.marks == marks


def _at(x_mm: float, y_mm: float) -> tuple[float, float]:
    """Return a place of the form, measured from the corner of the field."""
    corner = box(x_mm, top_mm=y_mm)
    return corner.left, corner.top
