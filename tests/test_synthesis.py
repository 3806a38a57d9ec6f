"""The page maker: boxes are on ink, labels are correct, seeds repeat patches, faint digits are unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tiny_data import FONTS, tiny_data

from batchocr.datasets.held_out import kept_out
from batchocr.errors import UsageError
from batchocr.records import HAND, PRINT, SIGN
from batchocr.training.detection.cells import UNKNOWN
from batchocr.training.synthesis.canvas import Canvas
from batchocr.training.synthesis.exposure import mark_invisible_unknown, tilt
from batchocr.training.synthesis.layouts.mixture import PageLayouts
from batchocr.training.synthesis.patches import PatchMaker, contact_sheet
from batchocr.training.synthesis.real_paper import PaperImage, RealPaper
from batchocr.training.synthesis.shipped_maker import patch_maker
from batchocr.training.synthesis.writing import Writing
from batchocr.training.synthesis.writing_sources import HandwritingSources

PATCHES = 24


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def maker(data: Path) -> PatchMaker:
    return patch_maker(data, FONTS)


def bare(seed: int, side: int = 220) -> Canvas:
    """Return white paper for writing of 40 px."""
    return Canvas(side, np.full((side, side), 250, np.float32), np.random.default_rng(seed), 40.0, 0.9)


def test_the_same_seed_makes_the_same_patch(maker: PatchMaker) -> None:
    for seed in range(PATCHES):
        first, second = (maker.make(np.random.default_rng(seed)) for _ in range(2))
        assert first.layout == second.layout
        assert np.array_equal(first.pixels, second.pixels) and np.array_equal(first.boxes, second.boxes)
        assert first.pixels.shape == (maker.side, maker.side) and first.pixels.dtype == np.uint8
        assert first.boxes.shape[1:] == (6,)


def test_patches_are_of_many_kinds(maker: PatchMaker) -> None:
    patches = [maker.make(np.random.default_rng((1, seed))) for seed in range(4 * PATCHES)]
    assert len({patch.layout for patch in patches}) > 6
    kinds = np.concatenate([patch.boxes[:, 5] for patch in patches])
    assert {HAND, PRINT, SIGN} <= set(kinds.astype(int).tolist())
    labels = np.concatenate([patch.boxes[patch.boxes[:, 5] < SIGN, 0] for patch in patches])
    assert set(labels.astype(int).tolist()) == set(range(10))
    sheet = contact_sheet(patches[:7], columns=3)
    assert sheet.shape == (3 * (maker.side + 4), 3 * (maker.side + 4), 3)


def test_the_boxes_have_the_labels_of_the_written_number(maker: PatchMaker) -> None:
    for seed in range(12):
        canvas = bare(seed)
        writing = Writing(canvas, maker.sources)
        writing.number("90,17", 8, 120, 40, writing.new_handwriting())
        digits = sorted((box for box in canvas.boxes if box[5] == HAND), key=lambda box: box[1] + box[3] / 2)
        assert sorted(int(box[0]) for box in digits) == [0, 1, 7, 9]
        assert [int(box[0]) for box in canvas.boxes if box[5] == SIGN] == [11]


@pytest.mark.parametrize("layout", [PageLayouts.typed, PageLayouts.counted, PageLayouts.answers])
def test_printed_pages_have_printed_digits_with_ink_in_their_boxes(
    maker: PatchMaker, layout: Callable[[PageLayouts], None]
) -> None:
    counts = {HAND: 0, PRINT: 0}
    for seed in range(8):
        canvas = replace(bare(seed, 400), height=24.0)
        layout(PageLayouts(canvas, Writing(canvas, maker.sources), maker.bank))
        for _, left, top, width, height, kind, *_ in canvas.boxes:
            if kind <= PRINT:
                counts[int(kind)] += 1
            inside = left >= 0 and top >= 0 and left + width < 400 and top + height < 400
            if kind == PRINT and inside:
                box = canvas.paper[int(top) : int(top + height) + 1, int(left) : int(left + width) + 1]
                assert box.min() < 200, (seed, left, top)
    assert counts[PRINT] > 40 and counts[HAND] < 0.5 * counts[PRINT]


def test_the_box_of_a_digit_is_that_of_its_ink(maker: PatchMaker) -> None:
    for seed in range(20):
        canvas = bare(seed)
        writing = Writing(canvas, maker.sources)
        writing.digit(seed % 10, 60, 120, 40, writing.new_handwriting())
        ((label, left, top, width, height, kind, _),) = canvas.boxes
        rows, columns = np.nonzero(canvas.paper < 249)
        assert (label, kind) == (seed % 10, HAND)
        ends = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert [left, top, left + width, top + height] == pytest.approx(ends, abs=2.5)
        assert 28 < height < 56


def test_each_zero_of_a_chain_has_a_box_on_its_ink(maker: PatchMaker) -> None:
    for seed in range(PATCHES):
        canvas = bare(seed, 420)
        writing = Writing(canvas, maker.sources)
        handwriting = replace(writing.new_handwriting(), chains=True)
        end = writing.number("7000", 20, 150, 40, handwriting)
        zeros = [box for box in canvas.boxes if box[0] == 0]
        assert len(zeros) == 3 and len(canvas.boxes) == 4
        ink = np.argwhere(canvas.paper < 200)
        top, bottom = min(box[2] for box in zeros), max(box[2] + box[4] for box in zeros)
        chain = ink[ink[:, 1] >= zeros[0][1]]
        assert abs(chain[:, 0].min() - top) < 8 and abs(chain[:, 0].max() - bottom) < 8
        assert all(left[1] < right[1] for left, right in pairwise(zeros))
        assert end >= zeros[-1][1] + zeros[-1][3] * 0.5


def test_a_struck_out_number_is_unknown(maker: PatchMaker) -> None:
    canvas = bare(3)
    writing = Writing(canvas, maker.sources)
    writing.strike(20, 60, 80, 40, writing.new_handwriting())
    assert canvas.boxes[-1][5] == UNKNOWN


def test_invisible_digits_are_unknown() -> None:
    pixels = np.full((60, 90), 220, np.uint8)
    pixels[15:35, 10:20], pixels[15:35, 40:50] = 90, 212
    boxes = np.array([(1, 10, 10, 12, 30, HAND, 0.6), (1, 40, 10, 12, 30, HAND, 0.04)], np.float32)
    assert mark_invisible_unknown(pixels, boxes, noise=1.0)[:, 5].tolist() == [HAND, UNKNOWN]
    assert mark_invisible_unknown(pixels, boxes, noise=80.0)[:, 5].tolist() == [UNKNOWN, UNKNOWN]


def test_boxes_turn_with_the_paper() -> None:
    for seed in range(10):
        paper = np.full((200, 200), 250, np.float32)
        paper[40:60, 130:150] = 0
        turned, boxes = tilt(paper, np.array([(8, 130, 40, 20, 20, HAND, 1)], np.float32), np.random.default_rng(seed))
        rows, columns = np.nonzero(turned < 125)
        middle = boxes[0, 1:3] + boxes[0, 3:5] / 2
        assert middle == pytest.approx([columns.mean() + 0.5, rows.mean() + 0.5], abs=1)


def test_real_paper_keeps_its_boxes_on_the_ink() -> None:
    pixels = np.full((300, 400), 240, np.uint8)
    pixels[100:130, 200:215] = 20
    paper = RealPaper("one digit", 1.0, [PaperImage(pixels, np.array([(4, 200, 100, 15, 30, HAND)], np.float32), 30.0)])
    for seed in range(10):
        canvas = paper.cut(bare(seed))
        shown = [box for box in canvas.boxes if box[5] == HAND]
        for _, left, top, width, height, *_ in shown:
            x, y = round(left + width / 2), round(top + height / 2)
            if 0 <= x < canvas.side and 0 <= y < canvas.side:
                assert canvas.paper[y, x] < 60
                assert height == pytest.approx(40, rel=0.35)


def test_held_out_writers_are_not_in_training_patches(data: Path, maker: PatchMaker) -> None:
    held = HandwritingSources.load(data, [FONTS], held_out=True)
    for own, other in ((maker.sources.by_strokes, held.by_strokes), (maker.sources.by_images, held.by_images)):
        assert own and other
        assert not any(kept_out(writer.name) for writer in own) and all(kept_out(writer.name) for writer in other)


def test_a_missing_file_is_named(data: Path, tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").write_bytes((data / "mnist.npz").read_bytes())
    with pytest.raises(UsageError, match=r"semeion.npz: is missing; give the folder of public data"):
        patch_maker(tmp_path, FONTS)
