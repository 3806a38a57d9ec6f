"""Writing drawn on sheets and cut out again: it comes back with its labels, and what is no digit as none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
import pytest
from digit_files import digits

from batchocr.recognition.calibration import NONE
from batchocr.recognition.classifier import Classifier
from batchocr.training.draw import Ink, draw
from batchocr.training.marks import Marks
from batchocr.training.sheets import SHEET, cut, cut_many, sheet
from batchocr.training.writers import Collected, NoDigit, Touching, Writer

ALL = np.array([1.0])


@dataclass(frozen=True)
class Plus:
    """Writes a plus, aslant: upright ones at equal distances on a line would be a comb."""

    whole: ClassVar[bool] = False

    def __call__(self, height: float, rng: np.random.Generator) -> tuple[Ink, int]:
        side, pen = int(height), max(2, int(height / 8))
        ink = np.zeros((side, side), np.float32)
        cv2.line(ink, (0, side // 3), (side, side - side // 3), 1, pen)
        cv2.line(ink, (side // 3, side), (side - side // 3, 0), 1, pen)
        return ink, NONE


@pytest.mark.parametrize("height", [17.0, 40.0, 64.0])
@pytest.mark.parametrize("part", [slice(None), slice(5, 23)], ids=["28 pixels", "18 pixels"])
def test_a_digit_is_drawn_about_as_high_as_asked_and_tight(height: float, part: slice) -> None:
    for i, picture in enumerate(digits(10).pictures):
        drawn = draw(picture[part, part], height, np.random.default_rng(i))
        assert 0.6 * height < drawn.shape[0] < 1.5 * height
        assert drawn.min() >= 0 and drawn.max() <= 1
        ink = drawn > 0.3
        assert ink[0].any() and ink[-1].any() and ink[:, 0].any() and ink[:, -1].any()


def test_a_sheet_says_what_stands_where() -> None:
    writers: list[Writer] = [Collected(digits(60)), Plus()]
    page, placed = sheet(writers, np.array([0.7, 0.3]), np.random.default_rng(5))
    assert page.shape == (SHEET, SHEET) and page.dtype == np.uint8
    assert {each.writer for each in placed} == {0, 1}
    assert {each.label for each in placed if each.writer == 0} == set(range(10))
    assert {each.label for each in placed if each.writer == 1} == {NONE}
    paper = float(np.median(page))
    for each in placed[:20]:
        box = each.box
        assert page[box.top : box.bottom, box.left : box.right].min() < paper - 40


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cut_digits_come_back_with_their_labels(seed: int, classifier: Classifier) -> None:
    back = cut([Collected(digits(300, seed))], ALL, 400, np.random.default_rng(seed))
    assert back.pictures.shape == (len(back), 28, 28) and back.pictures.dtype == np.uint8
    assert len(back) >= 340
    found = back.labels != NONE
    assert found.mean() > 0.9
    assert np.bincount(back.labels[found], minlength=10).min() >= 15
    # labels that had slipped by one place would be right one time in ten
    assert (classifier.classify(back.pictures[found])[:, :10].argmax(axis=1) == back.labels[found]).mean() >= 0.7


def test_what_is_no_digit_comes_back_as_none() -> None:
    for writer in (Plus(), NoDigit(Marks.load([]))):
        back = cut([writer], ALL, 200, np.random.default_rng(3))
        assert len(back) >= 100
        assert (back.labels == NONE).all()


def test_touching_digits_are_none_only_in_one_piece() -> None:
    back = cut([Touching(digits(100))], ALL, 200, np.random.default_rng(3))
    assert len(back) >= 50 and (back.labels == NONE).all()
    # a lone digit would be higher than wide
    wide = np.array(
        [np.ptp(np.nonzero(p.max(0) > 100)[0]) >= 0.8 * np.ptp(np.nonzero(p.max(1) > 100)[0]) for p in back.pictures]
    )
    assert wide.mean() > 0.9


def test_writers_write_by_their_shares_and_are_told_apart() -> None:
    back = cut([Collected(digits(100)), Plus()], np.array([0.25, 0.75]), 600, np.random.default_rng(4))
    assert (back.labels[back.writers == 1] == NONE).all()
    collected, pluses = (int(((back.writers == writer) & ~back.cuts).sum()) for writer in (0, 1))
    assert 0.6 < pluses / (collected + pluses) < 0.9
    assert (back.cuts & (back.labels == NONE)).sum() > pluses


def test_the_same_seed_cuts_the_same_and_another_one_other_digits() -> None:
    writers = [Collected(digits(80))]
    once, again, other = (cut(writers, ALL, 80, np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert np.array_equal(once.pictures, again.pictures) and np.array_equal(once.labels, again.labels)
    assert not np.array_equal(once.pictures[:50], other.pictures[:50])


def test_the_number_of_processes_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchocr.training.sheets.TASK", 100)
    writers: dict[str, Writer] = {"digits": Collected(digits(60)), "pluses": Plus()}
    one, two = (cut_many(writers, {"digits": 200, "pluses": 100}, 3, jobs) for jobs in (1, 2))
    assert len(one) > 200
    assert np.array_equal(one.pictures, two.pictures) and np.array_equal(one.labels, two.labels)
