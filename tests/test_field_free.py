"""Digits and signs of fields without cells: drawn ink and detections."""

from __future__ import annotations

import pytest
from drawn_fields import PAGE_PX_PER_MM, Found, box, evidence_of, free_field, ink_of, stroke

from batchocr.forms.form import Field, Rect
from batchocr.forms.reading.cells import UNREAD_INK, FieldEvidence
from batchocr.forms.reading.free import TWO_LINES, read_free
from batchocr.forms.reading.parameters import PARAMETERS
from batchocr.forms.reading.slots import UNREADABLE, candidates


def read(strokes: list[Rect], found: list[Found], field: Field | None = None) -> FieldEvidence:
    field = field or free_field()
    return read_free(field, evidence_of(*found), ink_of(field, *strokes), PAGE_PX_PER_MM, PARAMETERS)


def texts_of(found: FieldEvidence) -> dict[str, float]:
    return {each.text: each.probability for each in candidates(found.slots, 10_000, 0.0)}


def best(found: FieldEvidence) -> str:
    return max(texts_of(found).items(), key=lambda each: each[1])[0]


def test_digits_are_read_from_the_left() -> None:
    found = read([stroke(22), stroke(4), stroke(12)], [("3", box(20), 0.97), ("1", box(2), 0.97), ("2", box(10), 0.97)])
    assert best(found) == "123"
    assert found.marks == ()


def test_a_field_without_ink_is_empty() -> None:
    assert read([], []) == FieldEvidence(())
    assert read([], [("3", box(20), 0.5)]) == FieldEvidence(())


def test_ink_without_a_detection_is_unreadable() -> None:
    found = read([stroke(4), stroke(12)], [])
    assert (best(found), found.marks) == (UNREADABLE, (UNREAD_INK,))


def test_ink_beside_the_digits_is_marked() -> None:
    assert read([stroke(4), stroke(12)], [("1", box(2), 0.97)]).marks == (UNREAD_INK,)


def test_detections_of_the_same_ink_exclude_each_other() -> None:
    """One box has both strokes of a 4, and two boxes have one each: they are never read together."""
    found = read([stroke(4), stroke(7)], [("4", box(3, 6), 0.9), ("1", box(3, 2.5), 0.4), ("1", box(6, 2.5), 0.4)])
    texts = texts_of(found)
    assert best(found) == "4"
    assert "11" in texts
    assert all(texts.get(text, 0) < 0.002 for text in ("14", "41", "141", "411", "114"))


def test_slanted_digits_may_overlap() -> None:
    """The boxes overlap by a millimetre without ink."""
    found = read([stroke(3), stroke(9)], [("7", box(2, 5), 0.97), ("2", box(6, 5), 0.97)])
    assert best(found) == "72"


def test_a_doubtful_detection_may_be_left_out() -> None:
    found = read([stroke(4)], [("1", box(2), 0.97), ("9", box(20), 0.3)])
    assert {"1", "19"} <= set(texts_of(found))


@pytest.mark.parametrize(("presence", "is_kept"), [(0.5, False), (0.97, True)])
def test_a_sure_digit_is_not_left_out_without_a_trace(presence: float, is_kept: bool) -> None:
    found = read([stroke(4), stroke(22)], [("1", box(2), 0.97), ("9", box(20), presence)])
    texts = texts_of(found)
    assert ("1" not in texts) == is_kept
    assert ("1" + UNREADABLE in texts) == is_kept


def test_a_sure_detection_without_ink_may_be_print() -> None:
    assert "1" in texts_of(read([stroke(4)], [("1", box(2), 0.97), ("9", box(20), 0.97)]))


@pytest.mark.parametrize(
    ("kind", "keys", "text"),
    [
        ("number", {}, "12"),
        ("number", {"signs": "-"}, "12"),
        ("decimal", {"signs": ".,"}, "1,2"),
        ("decimal", {"decimals": 1}, "12"),
        ("date", {"signs": "./-"}, "1,2"),
    ],
)
def test_signs_are_read_where_they_may_be_written(kind: str, keys: dict[str, object], text: str) -> None:
    """A decimal with a printed point and a number have no comma."""
    found: list[Found] = [("1", box(2), 0.97), (",", box(7, 1.5, 5.5, 2), 0.9), ("2", box(10), 0.97)]
    comma = stroke(7.5, 1.6, 5.7)
    field = free_field(kind=kind, **keys)  # type: ignore[arg-type]
    assert best(read([stroke(4), comma, stroke(12)], found, field)) == text


def test_two_lines_are_marked() -> None:
    strokes = [stroke(4, 3, 0.3), stroke(4, 3, 4.5)]
    two: list[Found] = [("1", box(2, 4, 0.2, 3.4), 0.97), ("1", box(2, 4, 4.3, 3.4), 0.97)]
    assert read(strokes, two).marks == (TWO_LINES,)
    beside: list[Found] = [("1", box(2, 4, 0.2, 3.4), 0.97), ("1", box(12, 4, 4.3, 3.4), 0.97)]
    assert read([stroke(4, 3, 0.3), stroke(14, 3, 4.5)], beside).marks == ()
