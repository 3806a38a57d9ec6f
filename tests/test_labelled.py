"""Pages with truth: what vision finds there, labelled; small drawn pages with known answers."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from drawing import overlap
from strokes import save, write

from batchocr.errors import UsageError
from batchocr.recognition.calibration import NONE
from batchocr.records import Box, Pixels
from batchocr.training.labelled import LabelledPage, cut_pages, is_upright_bar, labelled
from batchocr.vision import find

TEXT = (2, 0, 3, 7, 5)


def amount(step: int = 50) -> tuple[Pixels, list[tuple[int, ...]]]:
    """A strip with some digits, and their boxes."""
    paper = np.full((80, 400), 245, np.uint8)
    boxes: list[tuple[int, ...]] = []
    for i, digit in enumerate(TEXT):
        write(paper, digit, 30 + step * i, 20, 40, pen=4)
        boxes.append((digit, 28 + step * i, 18, 28, 44))
    return paper, boxes


def test_found_digits_get_their_labels() -> None:
    paper, boxes = amount()
    assert labelled(paper, np.array(boxes, float)).labels.tolist() == list(TEXT)


def test_what_stands_beside_the_digits_is_none_and_so_is_what_it_may_be_cut_into() -> None:
    paper, boxes = amount()
    cv2.polylines(paper, [np.array([(300, 58), (300, 28), (320, 46), (340, 28), (340, 58)])], False, 20, 4)  # an M
    assert labelled(paper, np.array(boxes, float), every_cut=False).labels.tolist() == [*TEXT, NONE]
    with_cuts = labelled(paper, np.array(boxes, float)).labels.tolist()
    assert len(with_cuts) > len(TEXT) + 1 and with_cuts == [*TEXT, *[NONE] * (len(with_cuts) - len(TEXT))]


def test_digits_in_one_piece_are_none_and_are_found_by_cutting() -> None:
    paper, boxes = amount()
    cv2.line(paper, (50, 38), (85, 38), 20, 4)
    back = labelled(paper, np.array(boxes, float), every_cut=False)
    labels = back.labels.tolist()
    assert labels[-3:] == list(TEXT[2:]) and set(labels[:-3]) == {TEXT[0], NONE, TEXT[1]}
    # what is cut off holds little of the line that ties it to its neighbour
    alone = find(amount()[0]).crops[0]
    assert np.corrcoef(back.pictures[0].ravel(), alone.ravel())[0, 1] > 0.8


def test_a_page_without_digits_is_all_none_but_for_bars() -> None:
    paper, _ = amount()
    cv2.line(paper, (330, 20), (330, 60), 20, 4)
    back = labelled(paper, np.empty((0, 5)))
    assert back.labels.tolist() == [NONE] * len(TEXT)


@pytest.mark.parametrize(("angle", "bar"), [(0, False), (30, False), (60, True), (80, True), (90, True), (110, True)])
def test_an_upright_bar_is_known(angle: int, bar: bool) -> None:
    crop = np.zeros((28, 28), np.uint8)
    away = 9 * np.array([np.cos(np.deg2rad(angle)), -np.sin(np.deg2rad(angle))])
    ends = [tuple(int(v) for v in np.round((14, 14) + s * away)) for s in (1, -1)]
    cv2.line(crop, ends[0], ends[1], 255, 3)
    assert is_upright_bar(crop) is bar


def test_a_seven_is_no_bar() -> None:
    assert not any(is_upright_bar(crop) for crop in find(amount()[0]).crops)


def test_varied_pages_give_more_of_the_same_digits(tmp_path: Path) -> None:
    paper, boxes = amount()
    page = LabelledPage(save(tmp_path / "a.png", paper), tuple(boxes))
    back = cut_pages([page], 12, seed=1, jobs=1, scale=(0.7, 1.8))
    counts = np.bincount(back.labels, minlength=11)
    assert all(counts[digit] >= 9 for digit in TEXT)
    assert counts[list(TEXT)].sum() + counts[NONE] == len(back)
    assert len(np.unique(back.pictures.reshape(len(back), -1), axis=0)) > 40
    again = cut_pages([page], 12, seed=1, jobs=2, scale=(0.7, 1.8))
    assert np.array_equal(back.pictures, again.pictures)


def test_varied_boxes_stay_on_their_digits() -> None:
    from batchocr.training.labelled import _varied

    paper, boxes = amount()
    for seed in range(8):
        pixels, moved = _varied(paper, np.array(boxes, float), (0.8, 1.5), np.random.default_rng(seed))
        found = [c.box for line in find(pixels).lines for number in line.numbers for c in number.candidates]
        true = [Box(*(int(v) for v in row[1:])) for row in moved]
        assert all(max(overlap(box, other) for other in found) > 0.5 for box in true)


def test_a_page_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"a\.png"):
        cut_pages([LabelledPage(tmp_path / "a.png")], 1, seed=1, jobs=1, scale=(1, 1))
