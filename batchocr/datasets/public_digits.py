"""The public collections of single digits as crops, by name: digits to train on, and held-out ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.digits import Digits, check_digits, load_npz, to_crops
from batchocr.datasets.held_out import kept_out
from batchocr.vision.crops import make_crops

MNIST = "mnist"
BLOCK = 60
"""Number of consecutive digits that count as one writer if the writers have no names; as in `image_writers`."""
MIN_CONTRAST = 40
"""Minimum difference between paper and ink of an image with a digit, in grey levels."""


def digit_sets(data: Path) -> tuple[dict[str, Digits], dict[str, Digits]]:
    """Load the public collections of digits.

    MNIST's train split is used as it is; the others are normalised to the same form.

    Args:
        data: Folder of public data.

    Returns:
        Digits to train on and held-out digits, by collection.

    Raises:
        UsageError: The data does not fit.
    """
    first: dict[str, Digits] = {}
    last: dict[str, Digits] = {}
    for name, digits, writers in _all(data):
        held = np.array([kept_out(writer) for writer in writers])
        for into, which in ((first, ~held), (last, held)):
            if which.any():
                into[name] = digits.take(np.flatnonzero(which))
    return first, last


def _all(data: Path) -> Iterator[tuple[str, Digits, Sequence[str]]]:
    """Yield name, crops, and the writer of each digit."""
    with np.load(data / "qmnist-writers" / "mnist_writers.npz") as file:
        writers = [f"mnist {writer}" for writer in file["train_writer"]]
    yield MNIST, load_npz(data / "mnist.npz"), writers
    for name in ("semeion", "optdigits"):
        digits = to_crops(load_npz(data / f"{name}.npz", None))
        yield name, digits, [f"{name} {i // BLOCK}" for i in range(len(digits))]
    yield "numbers-ch", *_swiss(data / "numbers-ch" / "numbers_ch.npz")
    hands = data / "hwd1000" / "hwd1000.npz"
    if hands.exists():
        digits = load_npz(hands, None)
        yield "hwd1000", digits, ["hwd1000"] * len(digits)
    with np.load(data / "bhmsds" / "bhmsds.npz") as file:
        is_digit = np.char.isdigit(file["y"].astype(str))
        digits = check_digits(file["x"][is_digit], file["y"][is_digit].astype(np.int64), "bhmsds.npz")
    yield "bhmsds", digits, ["bhmsds"] * len(digits)


def _swiss(path: Path) -> tuple[Digits, list[str]]:
    """Return digits on paper, cut as those of a page are, and their writers."""
    with np.load(path) as file:
        images, labels, writers = file["x"], file["y"].astype(np.int64), file["writer"]
    crops, kept = [], []
    for i, image in enumerate(images):
        paper, darkest = float(np.percentile(image, 85)), float(image.min())
        if paper - darkest >= MIN_CONTRAST:
            ink: NDArray[np.uint8] = (image < paper - 0.3 * (paper - darkest)).view(np.uint8)
            box = np.array([cv2.boundingRect(ink)], np.float32)
            crops.append(make_crops(image, box)[0])
            kept.append(i)
    return Digits(np.stack(crops), labels[kept]), [f"numbers-ch {writers[i]}" for i in kept]
