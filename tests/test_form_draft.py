"""Drafts of form files: the fields that are found on drawn blanks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawing import Sheet, noisy, shaded
from PIL import Image

from batchocr import Form, FormError, UsageError
from batchocr.forms.draft import draft_form
from batchocr.forms.form import Field
from batchocr.records import Pixels

PX = 8
"""Pixels for each millimetre."""
DPI = PX * 25.4
WIDTH, HEIGHT = 210, 297


def paper(angle: float = 0.0) -> Sheet:
    """Return white A4 paper."""
    return Sheet(WIDTH * PX, HEIGHT * PX, 250, angle)


def box(sheet: Sheet, left: float, top: float, width: float, height: float, grey: int = 60) -> None:
    sheet.frame(left * PX, top * PX, width * PX, height * PX, 2, grey)


def cells(sheet: Sheet, left: float, top: float, count: int, side: float = 7, gap: float = 0, grey: int = 60) -> None:
    """Draw square cells: contiguous, or with gaps."""
    for at in range(count):
        box(sheet, left + at * (side + gap), top, side, side, grey)


def label(sheet: Sheet, text: str, left: float, baseline: float) -> None:
    cv2.putText(sheet.pixels, text, (round(left * PX), round(baseline * PX)), 0, 0.8, 20, 2, cv2.LINE_AA)


def dots(sheet: Sheet, left: float, right: float, y: float, step: float = 1.0, grey: int = 30) -> None:
    for x in np.arange(left, right, step):
        cv2.circle(sheet.pixels, (round(x * PX), round(y * PX)), 2 if step >= 1 else 1, grey, -1, cv2.LINE_AA)


def saved(path: Path, pixels: Pixels, dpi: float | None = DPI) -> Path:
    image = Image.fromarray(pixels)
    image.save(path, dpi=(dpi, dpi)) if dpi else image.save(path)
    return path


def drafted(folder: Path, sheet: Sheet) -> dict[str, Field]:
    """Return the fields of the draft by their names."""
    form = draft_form(saved(folder / "blank.png", sheet.pixels), folder / "form.toml").write()
    return {field.name: field for field in form.fields}


def is_at(field: Field, left: float, top: float, width: float, height: float, within: float = 0.6) -> bool:
    place = field.place
    return bool(
        np.abs(np.subtract((place.left, place.top, place.width, place.height), (left, top, width, height))).max()
        <= within
    )


def kinds(fields: Iterable[Field]) -> list[tuple[str, int]]:
    return [(field.kind, len(field.cells)) for field in fields]


def test_a_box_and_a_row_of_cells_with_labels(tmp_path: Path) -> None:
    sheet = paper()
    label(sheet, "Customer", 20, 38)
    box(sheet, 20, 40, 60, 9)
    label(sheet, "Meter", 110, 38)
    cells(sheet, 110, 40, 8)
    fields = drafted(tmp_path, sheet)
    assert kinds(fields.values()) == [("number", 0), ("cells", 8)]
    assert is_at(fields["field-1"], 20, 40, 60, 9)
    assert is_at(fields["field-2"], 110, 40, 56, 7)


def test_fields_are_named_in_reading_order(tmp_path: Path) -> None:
    sheet = paper()
    for left, top in ((110, 40), (20, 41), (20, 70), (110, 70)):
        box(sheet, left, top, 60, 9)
    fields = drafted(tmp_path, sheet)
    assert list(fields) == ["field-1", "field-2", "field-3", "field-4"]
    assert is_at(fields["field-1"], 20, 41, 60, 9)
    assert is_at(fields["field-2"], 110, 40, 60, 9)
    assert is_at(fields["field-3"], 20, 70, 60, 9)


def test_a_comb_with_short_ticks(tmp_path: Path) -> None:
    sheet = paper()
    box(sheet, 20, 40, 60, 8)
    for at in range(1, 10):
        sheet.rule((20 + 6 * at) * PX, 46 * PX, (20 + 6 * at) * PX, 48 * PX, 2, 60)
    (field,) = drafted(tmp_path, sheet).values()
    assert kinds([field]) == [("cells", 10)]
    assert is_at(field, 20, 40, 60, 8)


def test_a_comb_without_upper_side(tmp_path: Path) -> None:
    sheet = paper()
    sheet.rule(20 * PX, 48 * PX, 56 * PX, 48 * PX, 2, 60)
    for at in range(7):
        sheet.rule((20 + 6 * at) * PX, 45 * PX, (20 + 6 * at) * PX, 48 * PX, 2, 60)
    (field,) = drafted(tmp_path, sheet).values()
    assert kinds([field]) == [("cells", 6)]
    assert field.place.left == pytest.approx(20, abs=0.5)
    assert field.place.width == pytest.approx(36, abs=0.6)


def test_separate_pale_cells_with_dotted_guides(tmp_path: Path) -> None:
    sheet = paper()
    label(sheet, "Votes of all people", 20, 30)
    cells(sheet, 20, 40, 3, side=6, gap=1.5, grey=200)
    for at in range(3):
        left = 20 + 7.5 * at + 1.8
        for y in (41, 43, 45):
            dots(sheet, left, left + 2.5, y, 0.6, 200)
        for x in (left, left + 2.4):
            for at_y in range(7):
                cv2.circle(sheet.pixels, (round(x * PX), round((41 + 0.6 * at_y) * PX)), 1, 200, -1)
    (field,) = drafted(tmp_path, sheet).values()
    assert kinds([field]) == [("cells", 3)]
    assert is_at(field, 20, 40, 21, 6, within=1.1)


@pytest.mark.parametrize(
    ("groups", "kind", "order"), [((2, 2, 4), "date", "dmy"), ((4, 2, 2), "date", "ymd"), ((3, 3, 2), "cells", None)]
)
def test_groups_of_cells_are_a_date(tmp_path: Path, groups: tuple[int, ...], kind: str, order: str | None) -> None:
    sheet = paper()
    left = 30.0
    for count in groups:
        cells(sheet, left, 50, count)
        left += 7 * count + 4
    fields = list(drafted(tmp_path, sheet).values())
    assert {field.kind for field in fields} == {kind}
    if order:
        assert kinds(fields) == [("date", 8)]
        assert fields[0].order == order
        assert fields[0].cells[0].left == pytest.approx(30, abs=0.5)
        assert fields[0].cells[7].right == pytest.approx(30 + 64, abs=0.5)


def test_cells_with_a_printed_point_are_a_decimal(tmp_path: Path) -> None:
    sheet = paper()
    cells(sheet, 30, 50, 4)
    cv2.circle(sheet.pixels, (60 * PX, round(56.5 * PX)), 5, 20, -1)
    cells(sheet, 62, 50, 2)
    (field,) = drafted(tmp_path, sheet).values()
    assert kinds([field]) == [("decimal", 6)]
    assert field.decimals == 2


def test_a_table_without_its_headers(tmp_path: Path) -> None:
    sheet = paper()
    box(sheet, 20, 50, 120, 8)  # a merged header
    label(sheet, "Votes of all people", 50, 56)
    for row in range(4):
        for column, left in enumerate((20, 60, 100)):
            box(sheet, left, 58 + 9 * row, 40, 9)
            if row == 0 or column == 0:
                label(sheet, "Title" if row else "Total", left + 10, 58 + 9 * row + 6)
    fields = drafted(tmp_path, sheet)
    assert list(fields) == [f"table-1.r{row}.c{column}" for row in (1, 2, 3) for column in (1, 2)]
    assert is_at(fields["table-1.r1.c1"], 60, 67, 40, 9)
    assert is_at(fields["table-1.r3.c2"], 100, 85, 40, 9)
    assert {field.kind for field in fields.values()} == {"number"}


def test_tick_boxes_and_bubbles(tmp_path: Path) -> None:
    sheet = paper()
    for at in range(3):
        box(sheet, 20, 40 + 8 * at, 4, 4)
        label(sheet, "Gas", 27, 43.5 + 8 * at)
        cv2.circle(sheet.pixels, (102 * PX, (42 + 8 * at) * PX), 2 * PX, 60, 2, cv2.LINE_AA)
        label(sheet, "Oil", 107, 43.5 + 8 * at)
    fields = drafted(tmp_path, sheet)
    assert kinds(fields.values()) == [("mark", 0)] * 6
    assert is_at(fields["field-1"], 20, 40, 4, 4)
    assert is_at(fields["field-2"], 100, 40, 4, 4)


def test_letters_are_not_fields(tmp_path: Path) -> None:
    sheet = paper()
    box(sheet, 20, 20, 60, 9)
    for at, words in enumerate(("BOOKING OFFICE 1000", "DO HELLO HOOD", "EHLH EFEL TLHI")):
        place = (20 * PX, (60 + 25 * at) * PX)
        cv2.putText(sheet.pixels, words, place, cv2.FONT_HERSHEY_TRIPLEX, 1.0 + 0.7 * at, 20, 2 + at, cv2.LINE_AA)
    assert kinds(drafted(tmp_path, sheet).values()) == [("number", 0)]


def test_lines_after_a_label(tmp_path: Path) -> None:
    sheet = paper()
    label(sheet, "Name", 20, 60)
    dots(sheet, 40, 90, 60)
    label(sheet, "Total", 20, 80)
    sheet.rule(40 * PX, 80 * PX, 90 * PX, 80 * PX, 2, 60)
    sheet.rule(15 * PX, 100 * PX, 195 * PX, 100 * PX, 2, 60)  # separates parts of the form
    fields = drafted(tmp_path, sheet)
    assert kinds(fields.values()) == [("number", 0)] * 2
    for name, bottom in (("field-1", 60), ("field-2", 80)):
        place = fields[name].place
        assert (place.left, place.right, place.bottom) == pytest.approx((40, 90, bottom), abs=1.2)
        assert 5 <= place.height <= 9


def test_a_signature_is_a_comment_in_the_file(tmp_path: Path) -> None:
    sheet = paper()
    box(sheet, 20, 40, 60, 9)
    box(sheet, 20, 80, 90, 30)
    sheet.rule(20 * PX, 150 * PX, 90 * PX, 150 * PX, 2, 60)
    label(sheet, "Signature", 20, 154)
    draft = draft_form(saved(tmp_path / "blank.png", sheet.pixels), tmp_path / "form.toml")
    assert [field.name for field in draft.write().fields] == ["field-1"]
    assert draft.text.count('# name = "comment-') == 2
    commented = draft.text.replace("\n# [[", "\n[[").replace("\n# name", "\nname").replace("\n# kind", "\nkind")
    (tmp_path / "form.toml").write_text(commented.replace("\n# place", "\nplace"), encoding="utf-8")
    assert [field.name for field in Form.load(tmp_path / "form.toml").fields] == ["field-1", "comment-1", "comment-2"]


def test_a_label_in_the_box_leaves_the_rest_of_the_box(tmp_path: Path) -> None:
    sheet = paper()
    box(sheet, 20, 40, 70, 12)
    label(sheet, "Tax no.", 21, 44)
    (field,) = drafted(tmp_path, sheet).values()
    assert field.place.top > 44
    assert field.place.bottom == pytest.approx(52, abs=0.5)


def test_a_qr_code(tmp_path: Path) -> None:
    sheet = paper()
    code = cv2.resize(cv2.QRCodeEncoder.create().encode("FORM-27"), (20 * PX, 20 * PX), interpolation=cv2.INTER_NEAREST)
    sheet.pixels[20 * PX : 40 * PX, 160 * PX : 180 * PX] = code
    box(sheet, 20, 60, 60, 9)
    fields = list(drafted(tmp_path, sheet).values())
    assert kinds(fields) == [("code", 0), ("number", 0)]
    assert fields[0].place.left < 163
    assert fields[0].place.right > 177


def test_a_skewed_scan_is_levelled_and_saved(tmp_path: Path) -> None:
    sheet = paper(angle=1.0)
    label(sheet, "Customer", 20, 38)
    for at in range(5):
        cells(sheet, 30, 50 + 30 * at, 8)
        box(sheet, 120, 50 + 30 * at, 50, 8)
    source = saved(tmp_path / "scan.png", noisy(sheet.pixels, 3))
    draft = draft_form(source, tmp_path / "form.toml")
    form = draft.write()
    assert kinds(form.fields) == [("cells", 8), ("number", 0)] * 5
    assert 'image = "form-blank.png"' in draft.text
    assert form.image is not None
    assert form.fields[0].place.top == pytest.approx(form.fields[1].place.top, abs=0.8)
    assert form.fields[0].place.width == pytest.approx(56, abs=0.8)


def test_a_photo_of_a_blank_is_rectified(tmp_path: Path) -> None:
    sheet = paper()
    for at in range(6):
        label(sheet, "Some label of the form", 20, 38 + 30 * at)
        cells(sheet, 20, 40 + 30 * at, 8)
        box(sheet, 110, 40 + 30 * at, 60, 9)
    corners = np.array([[0, 0], [WIDTH * PX, 0], [WIDTH * PX, HEIGHT * PX], [0, HEIGHT * PX]], np.float32)
    there = np.array([[160, 120], [1730, 90], [1790, 2330], [110, 2380]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, there)
    photo = cv2.warpPerspective(sheet.pixels, matrix, (1900, 2500), borderValue=70, flags=cv2.INTER_AREA)
    source = saved(tmp_path / "photo.jpg", noisy(shaded(photo, 0.7), 2), None)
    form = draft_form(source, tmp_path / "form.toml", size_mm=(210, 297)).write()
    assert kinds(form.fields) == [("cells", 8), ("number", 0)] * 6
    assert all(
        is_at(field, *place, within=2.0)
        for field, place in zip(form.fields[:2], ((20, 40, 56, 7), (110, 40, 60, 9)), strict=True)
    )


@pytest.mark.parametrize(("size", "name"), [((1680, 2376), "A4"), ((1700, 2200), "Letter"), ((2376, 1680), "A4")])
def test_without_resolution_the_paper_is_taken_by_its_proportions(
    tmp_path: Path, size: tuple[int, int], name: str
) -> None:
    sheet = Sheet(*size, 250)
    sheet.frame(200, 300, 500, 70)
    draft = draft_form(saved(tmp_path / "blank.png", sheet.pixels, None), tmp_path / "form.toml")
    form = draft.write()
    assert f"# {name}, by the proportions" in draft.text
    assert sorted((form.width_mm, form.height_mm)) == [210, 297] if name == "A4" else [215.9, 279.4]
    assert form.fields[0].place.width == pytest.approx(500 * form.width_mm / size[0], abs=0.8)


def test_the_blank_may_be_in_another_folder(tmp_path: Path) -> None:
    sheet = paper()
    box(sheet, 20, 40, 60, 9)
    (tmp_path / "forms").mkdir()
    draft = draft_form(saved(tmp_path / "blank.png", sheet.pixels), tmp_path / "forms" / "member.toml")
    assert draft.write().name == "member"
    assert 'image = "../blank.png"' in draft.text


def test_draft_from_python(tmp_path: Path) -> None:
    sheet = paper()
    box(sheet, 20, 40, 60, 9)
    blank = saved(tmp_path / "member.png", sheet.pixels)
    form = Form.draft(blank)
    assert form.name == "member"
    assert kinds(form.fields) == [("number", 0)]
    assert [path.name for path in tmp_path.iterdir()] == ["member.png"]


def test_a_filled_page_stands_for_its_blank(tmp_path: Path) -> None:
    sheet = paper()
    for at in range(3):
        box(sheet, 30, 40 + 25 * at, 60, 10)
        sheet.number("40927", 36 * PX, (42 + 25 * at) * PX, 45)
    source = saved(tmp_path / "filled.png", sheet.pixels)
    with pytest.raises(FormError, match="has no boxes"):
        draft_form(source, tmp_path / "form.toml")
    draft = draft_form(source, tmp_path / "form.toml", is_filled=True)
    assert kinds(draft.write().fields) == [("number", 0)] * 3
    assert "filled = true" in draft.text


def test_wrong_calls(tmp_path: Path) -> None:
    sheet = paper()
    box(sheet, 20, 40, 60, 9)
    blank = saved(tmp_path / "blank.png", sheet.pixels)
    with pytest.raises(FormError, match=r"missing\.png"):
        draft_form(tmp_path / "missing.png")
    with pytest.raises(UsageError, match="has no page 2"):
        draft_form(blank, page=2)
    with pytest.raises(UsageError, match="other proportions"):
        draft_form(blank, size_mm=(100, 100))
    draft = draft_form(blank, tmp_path / "form.toml")
    draft.write()
    with pytest.raises(UsageError, match="exists already"):
        draft.write()
