"""Pages are aligned with their blank form, and what is printed on the form is found."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from command import beside, rows
from drawing import Sheet
from strokes import save

from batchocr import Settings, run
from batchocr.decoding.digits.blank_form import blank_form, find_blank_form, is_on_blank
from batchocr.errors import UsageError
from batchocr.records import Pixels
from batchocr.vision.geometry.registration import page_features, register

LABELS = (
    "Weather station", "Name of observer", "Rain in mm", "Wind", "Pressure", "Remarks 1962", "Signature", "Telephone",
    "Hours of sunshine", "Snow", "Clouds 47", "Minimum", "Maximum", "District", "Officer", "Date",
)  # fmt: skip
BOXES = [(520, 100 + 70 * row) for row in range(len(LABELS))]


def form() -> Pixels:
    """Return a form with labels, some with printed digits, and three boxes beside each label."""
    sheet = Sheet(900, 1300)
    for label, (left, top) in zip(LABELS, BOXES, strict=True):
        cv2.putText(sheet.pixels, label, (60, top + 36), cv2.FONT_HERSHEY_COMPLEX, 1.0, 40, 2, cv2.LINE_AA)
        for at in range(3):
            sheet.frame(left + 60 * at, top, 50, 50)
    return sheet.pixels


def filled(text: str = "305") -> tuple[Pixels, list[tuple[int, int, int, int]]]:
    """Return the form with a number in the boxes of its first row, and the boxes of its digits."""
    sheet = Sheet(900, 1300)
    sheet.pixels[:] = form()
    written = [sheet.digit(c, BOXES[0][0] + 60 * at + 10, BOXES[0][1] + 6, 38) for at, c in enumerate(text)]
    return sheet.pixels, [(b.left, b.top, b.width, b.height) for b in written]


def photographed(pixels: Pixels) -> tuple[Pixels, np.ndarray]:
    """Return a photo of the page, seen at an angle on a grey desk, and the homography to it."""
    corners = np.array([(0, 0), (900, 0), (900, 1300), (0, 1300)], np.float32)
    there = np.array([(60, 40), (840, 20), (865, 1180), (35, 1150)], np.float32)
    homography = cv2.getPerspectiveTransform(corners, there)
    photo: Pixels = cv2.warpPerspective(pixels, homography, (900, 1200), flags=cv2.INTER_AREA, borderValue=190)
    return photo, homography


def moved(boxes: list[tuple[int, int, int, int]], homography: np.ndarray) -> np.ndarray:
    found = []
    for left, top, width, height in boxes:
        ends = np.array([[[left, top]], [[left + width, top + height]]], np.float64)
        (x0, y0), (x1, y1) = cv2.perspectiveTransform(ends, homography)[:, 0]
        found.append((x0, y0, x1 - x0, y1 - y0))
    return np.array(found)


def test_a_photographed_page_is_aligned_with_its_form_to_the_pixel() -> None:
    photo, true = photographed(filled()[0])
    found = register(page_features(photo), page_features(form()))
    assert found is not None
    corners = np.array([[[60, 100]], [[800, 100]], [[800, 1200]], [[60, 1200]]], np.float64)
    apart = cv2.perspectiveTransform(corners, found[0]) - cv2.perspectiveTransform(corners, true)
    assert np.abs(apart).max() < 2


def test_another_page_fits_no_form() -> None:
    other = Sheet(900, 1300)
    for row in range(12):
        other.number("2071", 80, 80 + 90 * row, 50)
    blank = blank_form(form())
    assert find_blank_form(other.pixels, [blank]) is None
    assert find_blank_form(np.full((1300, 900), 240, np.uint8), [blank]) is None


def test_of_several_forms_the_right_one_is_found() -> None:
    other = Sheet(900, 1300)
    for row, text in enumerate(("Invoice", "Delivery note", "Quantity", "Price", "Total", "Tax", "Customer", "Street")):
        cv2.putText(other.pixels, text, (120, 100 + 120 * row), cv2.FONT_HERSHEY_TRIPLEX, 1.4, 40, 2, cv2.LINE_AA)
    laid = find_blank_form(filled()[0], [blank_form(other.pixels), blank_form(form())])
    assert laid is not None and np.array_equal(laid.pixels, form())


@pytest.mark.parametrize("aslant", [False, True])
def test_print_is_distinguished_from_handwriting_beside_the_side_of_a_box(aslant: bool) -> None:
    pixels, written = filled("371")
    sheet = Sheet(900, 1300)
    sheet.pixels[:] = pixels
    one = sheet.digit("1", BOXES[1][0] + 4, BOXES[1][1] + 5, 40)  # 4 pixels beside the side
    printed = [(60 + 178, 100 + 70 * 5 + 12, 84, 26), (BOXES[2][0] - 4, BOXES[2][1] - 2, 9, 54)]  # 1962, a box's side
    boxes = np.array([*written, (one.left, one.top, one.width, one.height), *printed], float)
    photo, homography = photographed(sheet.pixels) if aslant else (sheet.pixels, np.eye(3))
    laid = find_blank_form(photo, [blank_form(form())])
    assert laid is not None
    on_blank = is_on_blank(photo, moved([tuple(b) for b in boxes.astype(int)], homography), laid)
    assert on_blank.tolist() == [False] * 4 + [True] * 2


def test_a_run_leaves_out_the_print_of_the_form_and_marks_other_pages(tmp_path: Path) -> None:
    save(tmp_path / "scans" / "blank.png", form())
    save(tmp_path / "scans" / "filled.png", filled()[0])
    other = Sheet(900, 1300)
    other.number("2071", 80, 80, 50)
    save(tmp_path / "scans" / "other.png", other.pixels)
    blank = save(tmp_path / "form.png", form())
    settings = Settings(device="cpu", jobs=1, blank=(blank,))
    run(tmp_path / "scans", tmp_path / "results.csv", settings)
    numbers: dict[str, list[str]] = {row["file"]: [] for row in rows(beside(tmp_path / "results.csv", "pages.csv"))}
    for row in rows(beside(tmp_path / "results.csv", "numbers.csv")):
        numbers[row["file"]].append(row["digits"])
    assert numbers == {"blank.png": [], "filled.png": ["305"], "other.png": ["2071"]}
    pages = {row["file"]: row for row in rows(beside(tmp_path / "results.csv", "pages.csv"))}
    assert int(pages["filled.png"]["printed"]) >= 6  # 1962 and 47
    assert (pages["filled.png"]["marks"], pages["other.png"]["marks"]) == ("", "other-form")
    again = run(tmp_path / "scans", tmp_path / "results.csv", Settings(device="cpu", jobs=1))
    assert again.kept == 0 and again.digits > 10  # without the form its print is read too


def test_a_form_that_cannot_be_read_is_reported_before_the_run(tmp_path: Path) -> None:
    save(tmp_path / "scans" / "a.png", form())
    for name, content in (("gone.png", None), ("broken.png", b"no picture")):
        if content:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=f"--blank .*{name}: cannot be read"):
            run(tmp_path / "scans", tmp_path / "out.csv", Settings(device="cpu", jobs=1, blank=(tmp_path / name,)))
