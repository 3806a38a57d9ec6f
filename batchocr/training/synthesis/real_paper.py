"""Images of real paper: strips and pages with known digits, and pages without digits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from batchocr.records import Pixels
from batchocr.training.detection.cells import HAND, UNKNOWN, UNKNOWN_SIGNS, Boxes
from batchocr.training.synthesis.canvas import Canvas

MAX_SIDE = 2400
"""Larger images are reduced to this longer side, in pixels."""


@dataclass(frozen=True)
class PaperImage:
    """An image, its known boxes (n, 6), and the height of its digits in pixels."""

    pixels: Pixels
    known: Boxes
    height: float


@dataclass(frozen=True)
class RealPaper:
    """Images of one collection, and how patches are cut out of them."""

    name: str
    share: float
    """Share of all patches."""
    images: Sequence[PaperImage]

    def cut(self, canvas: Canvas) -> Canvas:
        """Fill the canvas with a part of an image, scaled so that its digits have the canvas's height.

        Several strips are drawn below each other.

        Args:
            canvas: The canvas to fill.

        Returns:
            The same canvas.
        """
        rng = canvas.rng
        top = 0
        while top < canvas.side:
            image = self.images[int(rng.integers(len(self.images)))]
            wanted = float(np.clip(canvas.height, 14, 60)) * float(np.exp(rng.normal(0, 0.1)))
            factor = float(np.clip(wanted / image.height, 0.15, 2.5))
            strip_height = round(image.pixels.shape[0] * factor)
            band = canvas.side if strip_height > canvas.side / 2 else strip_height + int(rng.integers(0, 24))
            reach = canvas.side / 2 / factor
            _fill(canvas, image, factor, _middle(image, reach, rng), (top, min(canvas.side, top + band)))
            top += band
        canvas.real = True
        return canvas


def _middle(image: PaperImage, reach: float, rng: np.random.Generator) -> tuple[float, float]:
    """Return the point of an image that comes into the centre, mostly near a digit; `reach` pixels are visible to
    each side.
    """
    height, width = image.pixels.shape
    digits = image.known[image.known[:, 5] < UNKNOWN]
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    if len(digits) and rng.random() < 0.8:
        _, left, top, digit_width, strip_height, _ = digits[int(rng.integers(len(digits)))].tolist()
        x, y = (
            left + digit_width / 2 + rng.uniform(-0.5, 0.5) * reach,
            top + strip_height / 2 + rng.uniform(-0.5, 0.5) * reach,
        )
    x = float(np.clip(x, min(reach, width / 2), max(width - reach, width / 2)))
    return x, float(np.clip(y, min(reach, height / 2), max(height - reach, height / 2)))


def _fill(canvas: Canvas, image: PaperImage, factor: float, centre: tuple[float, float], band: tuple[int, int]) -> None:
    """Fill the rows of a band with the image around a point; beyond the image its sides are repeated."""
    top, bottom = band
    (x, y), half, middle = centre, canvas.side / 2, (bottom - top) / 2
    pixels, part_corner = image.pixels, np.zeros(2)
    scale = np.array([factor, factor])
    if factor < 0.8:
        reach = half / factor + 4
        x0, y0 = max(0, int(x - reach)), max(0, int(y - reach))
        part = pixels[y0 : int(y + reach) + 1, x0 : int(x + reach) + 1]
        size = max(1, round(part.shape[1] * factor)), max(1, round(part.shape[0] * factor))
        scale = np.array([size[0] / part.shape[1], size[1] / part.shape[0]])
        pixels = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        part_corner = np.array([x0, y0]) * scale
    offset = np.array([half, middle]) - np.array([x, y]) * scale
    drawn = scale if factor >= 0.8 else np.ones(2)
    matrix = np.array([[drawn[0], 0, offset[0] + part_corner[0]], [0, drawn[1], offset[1] + part_corner[1]]])
    flags = cv2.INTER_LINEAR if factor < 1.2 else cv2.INTER_CUBIC
    size = canvas.side, bottom - top
    canvas.paper[top:bottom] = cv2.warpAffine(pixels, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    for label, left, own_top, width, height, kind in image.known.tolist():
        own = left * scale[0] + offset[0], own_top * scale[1] + offset[1], width * scale[0], height * scale[1]
        if own[1] < bottom - top and own[1] + own[3] > 0:
            canvas.add_box(int(label), own[0], own[1] + top, own[2], own[3], int(kind), 0.6)


def read_grey(path: Path) -> tuple[Pixels, float]:
    """Read an image in grey.

    Args:
        path: The file.

    Returns:
        The image, at most MAX_SIDE long, and the factor by which it was reduced.
    """
    pixels: Pixels = np.asarray(
        cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8
    )
    factor = min(1.0, MAX_SIDE / max(pixels.shape))
    if factor < 1:
        pixels = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return pixels, factor


def load_cheques(folder: Path, keep: slice = slice(None), without: Sequence[str] = ()) -> list[PaperImage]:
    """Load amounts of cheques with a box for every digit; their signs are unknown.

    Args:
        folder: Folder with the strips and their truth.json.
        keep: Which of the sorted names are loaded.
        without: Names that are left out.
    """
    truth = json.loads((folder / "truth.json").read_text())
    images = []
    for name in sorted(truth)[keep]:
        boxes = np.array([[*digit, HAND] for number in truth[name] for digit in number["digits"]], np.float32)
        if len(boxes) and name not in without:
            pixels = read_grey(folder / name)[0]
            signs = np.array([[0, 0, 0, pixels.shape[1], pixels.shape[0], UNKNOWN_SIGNS]], np.float32)
            images.append(PaperImage(pixels, np.concatenate([boxes, signs]), float(np.median(boxes[:, 4]))))
    return images


def load_pages_without_digits(paths: Sequence[Path], height: float = 26.0) -> list[PaperImage]:
    """Load pages without digits.

    Args:
        paths: The files.
        height: Height that their writing is taken to have at MAX_SIDE, in pixels.
    """
    return [PaperImage(read_grey(path)[0], np.empty((0, 6), np.float32), height) for path in paths]


def load_pseudo_labelled(labels: Path, data: Path, name: str) -> list[PaperImage]:
    """Load images of a collection whose boxes an earlier detector found by their known texts; see `pseudo_labels`.

    Args:
        labels: The JSON of the labels.
        data: Folder of public data.
        name: Name of the collection in the labels.
    """
    found = json.loads(labels.read_text())[name]
    images = []
    for path, item in sorted(found.items()):
        pixels, factor = read_grey(data / path)
        known = np.array(item["boxes"], np.float32).reshape(-1, 6)
        known[:, 1:5] *= factor
        images.append(PaperImage(pixels, known, max(6.0, item["height"] * factor)))
    return images
