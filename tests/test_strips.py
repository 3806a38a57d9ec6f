"""Numbers drawn to train on: where their boxes lie, and the strokes that link digits."""

from __future__ import annotations

import numpy as np

from batchocr.records import Box
from batchocr.training.datasets import Digits
from batchocr.training.strips import link, strip


def ring(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A ring two pixels thick that fills its picture."""
    y, x = np.mgrid[:height, :width]
    away = np.hypot((y - (height - 1) / 2) / (height / 2), (x - (width - 1) / 2) / (width / 2))
    return ((away <= 1) & (away > 1 - 5 / height)).astype(np.float32)


def test_a_link_joins_two_digits_and_leaves_all_else() -> None:
    for seed in range(20):
        ink = np.zeros((60, 120), np.float32)
        before, after = Box(20, 16, 28, 32), Box(60, 16, 28, 32)
        for box in (before, after):
            ink[box.top : box.bottom, box.left : box.right] = ring(box.height, box.width)
        plain = ink.copy()
        link(ink, before, after, np.random.default_rng(seed))
        between = ink[:, before.right : after.left] > 0.3
        assert between.any(axis=0).all()
        assert np.array_equal(ink[:, : before.left], plain[:, : before.left])
        assert (ink >= plain).all()


def test_every_box_of_a_strip_holds_its_ink() -> None:
    pictures = np.zeros((10, 28, 28), np.uint8)
    pictures[:, 4:24, 8:20] = (ring(20, 12) * 255).astype(np.uint8)
    digits = Digits(pictures, np.arange(10) % 2)
    pixels, boxes = strip(digits, np.random.default_rng(3))
    assert len(boxes) >= 12
    for _, left, top, width, height in boxes.astype(int):
        inside = pixels[top : top + height, left : left + width]
        assert inside.min() < np.median(pixels) - 20


def test_linked_zeros_are_written_lower_and_broader() -> None:
    pictures = np.zeros((2, 28, 28), np.uint8)
    pictures[:, 4:24, 8:20] = (ring(20, 12) * 255).astype(np.uint8)
    digits = Digits(pictures, np.zeros(2, int))
    low, plain = [], []
    for seed in range(30):
        boxes = strip(digits, np.random.default_rng(seed))[1]
        is_low = boxes[:, 4] < 0.7 * boxes[:, 4].max()
        low += (boxes[is_low, 3] / boxes[is_low, 4]).tolist()
        plain += (boxes[~is_low, 3] / boxes[~is_low, 4]).tolist()
    assert len(low) > 0.03 * len(plain)
    assert np.mean(low) > 1.2 * np.mean(plain)
