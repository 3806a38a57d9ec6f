"""Digits of a few straight strokes, for tests that need writing but no handwriting."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from batchocr.records import Crops, Pixels
from batchocr.training.synthesis.digit_forms import PLAIN_FORMS, parse_strokes

STROKES: dict[int, list[tuple[float, float]]] = {
    digit: [(float(x), float(y)) for x, y in parse_strokes(text)[0][0]] for digit, text in enumerate(PLAIN_FORMS)
}
"""The pen's way for each digit in a square from 0 to 1, y down."""

FINE = 16
"""OpenCV draws between pixels in steps of a sixteenth."""


def write(pixels: Pixels, digit: int, left: float, top: float, height: float, pen: int = 3, ink: int = 30) -> None:
    """Draw `digit`, `height` pixels high and 0.6 of it wide, with its box's corner at `left`, `top`."""
    way = np.array(STROKES[digit]) * (0.6 * height, height) + (left, top)
    points = np.rint(way * FINE).astype(np.int32)
    cv2.polylines(pixels, [points], False, ink, pen, cv2.LINE_AA, FINE.bit_length() - 1)


def page(rows: list[str], height: int = 48, width: int = 900) -> Pixels:
    """White paper with a line of writing for each of `rows`; blanks part the numbers."""
    pixels = np.full((max(120, 3 * height * (len(rows) + 1)), width), 250, np.uint8)
    for line, row in enumerate(rows):
        for place, character in enumerate(row):
            if character != " ":
                write(pixels, int(character), 60 + place * height * 0.9, (3 * line + 1.5) * height, height, 4)
    return pixels


def save(path: Path, pixels: Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
    return path


def crops(labels: list[int], seed: int = 0) -> Crops:
    """Pictures (n, 28, 28) the way MNIST has them, each by a pen of another width and a little elsewhere."""
    rng = np.random.default_rng(seed)
    pictures = np.zeros((len(labels), 28, 28), np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        dx, dy, height = rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5), rng.uniform(18, 20)
        write(picture, label, 14 - 0.3 * height + dx, 14 - height / 2 + dy, height, int(rng.integers(2, 4)), 255)
    return pictures
