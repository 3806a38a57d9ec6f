"""The parts of the review page: the audit's sample, tables and scans of a run, words, images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import here
from drawing import Sheet

from batchocr.errors import OutputError, UsageError
from batchocr.records import Box
from batchocr.review.page.audit import draw_audit
from batchocr.review.page.images import (
    ImageParameters,
    as_webp,
    cut_square,
    cut_surroundings,
    reduce_page,
    sheet_of,
)
from batchocr.review.page.scans import scans_by_name
from batchocr.review.page.tables import read_tables
from batchocr.review.page.words import in_words, text_without_rules


def test_an_audit_takes_one_item_of_each_page_before_a_second() -> None:
    pages = [0] * 50 + [1] * 3 + [2] * 2
    drawn = draw_audit(range(55), pages, 7, seed=3)
    of_page = [pages[item] for item in drawn]
    assert sorted(of_page[:3]) == sorted(of_page[3:6]) == [0, 1, 2]
    assert len(set(drawn)) == 7


def test_an_audit_depends_on_its_seed_only_and_a_longer_one_goes_on() -> None:
    pages = [item // 5 for item in range(100)]
    longer = draw_audit(range(100), pages, 60, seed=1)
    assert draw_audit(range(100), pages, 25, seed=1) == longer[:25]
    assert draw_audit(range(100), pages, 60, seed=2) != longer
    assert sorted(draw_audit(range(100), pages, 1000, seed=1)) == list(range(100))
    assert draw_audit([], [], 5, seed=1) == []


def test_each_item_of_a_page_is_drawn_equally_often() -> None:
    counts = np.bincount([draw_audit(range(4), [0, 0, 0, 0], 1, seed=seed)[0] for seed in range(2000)], minlength=4)
    assert (abs(counts - 500) < 100).all()  # five standard deviations


def test_reasons_are_said_in_plain_words() -> None:
    reasons = "check-digit;without-rules=52309973:0.8717;total = a + b"
    assert in_words(reasons) == (
        "the check digit decided, or does not fit",
        "without the rule it would be 52309973 (87%)",
        "total = a + b",
    )
    assert text_without_rules(reasons) == "52309973"
    assert text_without_rules("gap") == ""
    assert in_words("") == ()


@pytest.mark.parametrize("left", [0, 150, 270])
def test_a_crop_has_its_digit_in_the_middle_also_at_the_edge(left: int) -> None:
    sheet = Sheet(300, 120)
    box = sheet.digit("8", left, 30, 50)
    crop = cut_square(sheet.pixels, box, ImageParameters())
    assert crop.shape == (64, 64)
    inside = np.argwhere(crop[:, 8:56] < 128)
    assert abs(inside[:, 0].mean() - 31.5) < 3


def test_surroundings_say_where_the_number_is() -> None:
    pixels = np.full((400, 800), 250, np.uint8)
    box = Box(300, 180, 120, 40)
    pixels[box.top : box.bottom, box.left : box.right] = 0
    image, place = cut_surroundings(pixels, box, ImageParameters())
    assert image.shape[1] <= 640 and image.shape[0] <= 200
    dark = np.argwhere(image < 128)
    assert np.abs(dark.min(axis=0) - (place.top, place.left)).max() <= 1
    assert np.abs(dark.max(axis=0) + 1 - (place.bottom, place.right)).max() <= 1


def test_pages_are_reduced_and_crops_are_put_on_sheets() -> None:
    assert reduce_page(np.zeros((3000, 1500), np.uint8), 1400).shape == (1400, 700)
    assert reduce_page(np.zeros((30, 15), np.uint8), 1400).shape == (30, 15)
    sheet = sheet_of([np.full((8, 8), value, np.uint8) for value in (1, 2, 3)], columns=2)
    assert sheet.shape == (16, 16)
    assert (sheet[0, 0], sheet[0, 15], sheet[15, 0], sheet[15, 15]) == (1, 2, 3, 255)
    assert as_webp(sheet, 60)[8:12] == b"WEBP"


@pytest.mark.parametrize("name", ["results.csv", "results.xlsx", "results.db"])
def test_tables_and_scans_of_a_run_are_found_in_every_format(tmp_path: Path, one_digit: Path, name: str) -> None:
    out = tmp_path / name
    assert here("run", one_digit, "--out", out, "--device", "cpu").code == 0
    tables = read_tables(out)
    assert [row["digit"] for row in tables.digits] == ["2"]
    assert list(tables.pages) == [("2.jpg", 1)] and tables.fields == ()
    assert scans_by_name(out)["2.jpg"].path == one_digit
    assert scans_by_name(out, [one_digit.parent])["2.jpg"].path == one_digit


def test_what_cannot_be_reviewed_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there are no results"):
        read_tables(tmp_path / "results.csv")
    with pytest.raises(OutputError, match="name them with --scans"):
        scans_by_name(tmp_path / "results.csv")
    with pytest.raises(UsageError, match="standard output"):
        read_tables("-")
