"""Which pieces need not be cut: drawn digits by themselves and touching, and the small network's training."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from drawing import Sheet
from numpy.typing import NDArray

from batchocr.records import Crops
from batchocr.training.single import distil, save, wide
from batchocr.vision import single
from batchocr.vision.find import find, stages
from batchocr.vision.single import surely_one

HEIGHT = 40


def page(texts: list[str], apart: float) -> Sheet:
    """A line of each text, its digits so far from each other in heights; one may touch the next."""
    sheet = Sheet(900, 140 * len(texts) + 60)
    for row, text in enumerate(texts):
        for at, digit in enumerate(text):
            sheet.digit(digit, 60 + at * apart * HEIGHT, 60 + 140 * row, HEIGHT, 4)
    return sheet


def test_digits_apart_are_surely_one_and_are_not_cut() -> None:
    pixels = cv2.resize(page(["0235", "6890", "3052"], 1.5).pixels, None, fx=1.3, fy=1, interpolation=cv2.INTER_LINEAR)
    plain, cut = find(pixels), find(pixels, every_cut=True)
    assert len(plain.candidates) == 12
    assert not any(candidate.cut for candidate in plain.candidates)
    assert sum(candidate.cut for candidate in cut.candidates) > 12
    wholes = [crop for crop, candidate in zip(cut.crops, cut.candidates, strict=True) if not candidate.cut]
    assert np.array_equal(wholes, plain.crops)


@pytest.mark.parametrize("pair", ["00", "38", "60", "25", "89"])
def test_touching_digits_are_cut(pair: str) -> None:
    pixels = page(["0235", pair, "6890"], 0.52 if pair == "00" else 0.5).pixels
    seen = stages(page(["0235" * 3], 1.5).pixels)
    assert not seen.parts
    line = find(pixels).lines[1]
    (number,) = line.numbers
    assert any(candidate.cut for candidate in number.candidates)


def test_what_is_shown_to_the_network_is_as_wide_as_what_it_is_asked() -> None:
    crops = np.zeros((3, 28, 28), np.uint8)
    crops[0, 4:24, 12:16] = crops[1, 4:24, 8:20] = crops[2, 12:16, 4:24] = 255
    assert wide(crops).tolist() == [False, True, True]


def drawn(count: int) -> tuple[Crops, NDArray[np.float32]]:
    """Rings by themselves, which are no none, and two side by side, which are."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:28, :28]
    crops, none = np.zeros((count, 28, 28), np.uint8), rng.random(count) < 0.5
    for crop, two in zip(crops, none, strict=True):
        for middle in (9, 19) if two else (14,):
            away = np.hypot((x - middle - rng.normal(0, 0.5)) / (5 if two else 7), (y - 14) / 8)
            crop[np.abs(away - 1) < 0.25] = 255
    return crops, none.astype(np.float32)


def test_a_network_learns_what_a_teacher_says_and_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crops, none = drawn(2000)
    model = distil(crops, none, epochs=20)
    others, truth = drawn(300)
    chance = model.predict(others.reshape(-1, 784), verbose=0)[:, 0]
    save(model, tmp_path / "single.npz")
    monkeypatch.setattr(single, "shipped", lambda name: tmp_path / name)
    single._layers.cache_clear()
    try:
        sure = surely_one(others)
    finally:
        single._layers.cache_clear()
    assert not sure[truth > 0].any()
    assert sure[truth == 0].mean() > 0.9
    near = np.abs(chance - single.UNSURE) < 0.005  # half precision may tip these
    assert np.array_equal(sure[~near], (chance < single.UNSURE)[~near])


def test_no_crop_is_no_question() -> None:
    assert surely_one(np.empty((0, 28, 28), np.uint8)).shape == (0,)
