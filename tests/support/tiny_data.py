"""A small drawn copy of the training data's folder, for tests of the page maker and of trainings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from digit_files import digits, save_npz, whole_npz
from numpy.typing import NDArray
from strokes import page, save

from batchocr.datasets.held_out import kept_out
from batchocr.records import Pixels
from batchocr.training.synthesis.digit_forms import DIGIT_FORMS
from batchocr.training.synthesis.stroke_digits import draw_strokes
from batchocr.training.synthesis.writing_sources import SIGNS

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
Sample = Sequence[NDArray[np.floating]]


def writers(name: Callable[[str], str], known: int = 3) -> list[str]:
    """Return the names of `known` writers to train on and of one who is held out."""
    names = [str(i) for i in range(100)]
    held = [each for each in names if kept_out(name(each))]
    return [*(each for each in names if each not in held)][:known] + held[:1]


def save_ink(path: Path, samples: Sequence[Sample], **columns: Sequence[str] | Sequence[int]) -> None:
    """Write samples of pen strokes in units of a tablet."""
    paths = [np.asarray(path) * 100 for sample in samples for path in sample]
    path.parent.mkdir(parents=True, exist_ok=True)
    save_npz(
        path,
        xy=np.concatenate(paths).astype(np.float32),
        stroke=np.cumsum([0, *map(len, paths)]),
        sample=np.cumsum([0, *map(len, samples)]),
        **{name: np.array(column) for name, column in columns.items()},
    )


def _digit_strokes(path: Path, seed: int) -> None:
    """Write ten digits by each writer."""
    rng = np.random.default_rng(seed)
    names = writers(lambda name: f"{path.parent.name} {name}")
    samples, labels = [], []
    for _ in names:
        for digit in range(10):
            samples.append(draw_strokes(next(form for form in DIGIT_FORMS if form.digit == digit), rng))
            labels.append(str(digit))
    save_ink(path, samples, label=labels, writer=[name for name in names for _ in range(10)])


def _negatives(path: Path) -> None:
    """Write zigzags labelled as letters or signs."""
    rng = np.random.default_rng(5)
    names = writers(lambda name: f"unipen {name}")
    labels = ["A", "word", "kg", "x", *SIGNS]
    samples = [[rng.uniform(0, 1, (6, 2)) * (len(label), 1)] for _ in names for label in labels]
    save_ink(path, samples, label=labels * len(names), writer=[name for name in names for _ in labels])


def _blocks(path: Path, side: int) -> None:
    """Write digits in blocks of 60 by one writer; one block is held out."""
    count = next(i for i in range(1, 200) if kept_out(f"{path.stem} {i - 1}"))
    given = digits(60 * max(2, count), 4)
    images = np.stack([cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA) for each in given.images])
    save_npz(path, x=images, y=given.labels.astype(np.uint8))


def _strip(number: int) -> tuple[Pixels, list[list[int]]]:
    """Draw two digits on a strip of paper; return it with the box of each."""
    given = digits(20, number)
    paper = np.full((44, 80), 230, np.uint8)
    boxes = []
    for at, i in enumerate((number % 10, (number // 10) % 10)):
        ink = given.images[i]
        left, top, width, height = cv2.boundingRect((ink > 100).view(np.uint8))
        x, y = 8 + 36 * at, 8
        paper[y : y + 28, x : x + 28] = np.minimum(paper[y : y + 28, x : x + 28], 255 - ink // 4 * 3)
        boxes.append([int(given.labels[i]), x + left, y + top, width, height])
    return paper, boxes


def tiny_data(path: Path) -> Path:
    """Write the folder."""
    for name in ("qmnist-writers", "numbers-ch", "bhmsds", "no-digit-pages", "orand-car-a/train"):
        (path / name).mkdir(parents=True)
    whole_npz(path / "mnist.npz")
    names = writers(lambda name: f"mnist {name}", 6)
    save_npz(path / "qmnist-writers" / "mnist_writers.npz", train_writer=np.repeat(names, 50).astype(np.int64))
    _blocks(path / "semeion.npz", 16)
    _blocks(path / "optdigits.npz", 32)
    swiss = digits(80, 6)
    names = writers(lambda name: f"numbers-ch {name}")
    save_npz(
        path / "numbers-ch" / "numbers_ch.npz",
        x=np.pad(230 - swiss.images // 4 * 3, ((0, 0), (10, 10), (10, 10)), constant_values=230),
        y=swiss.labels,
        writer=np.repeat(names, 20),
    )
    some = digits(40, 7)
    named = np.where(some.labels == 9, "plus", some.labels.astype("<U5"))
    save_npz(path / "bhmsds" / "bhmsds.npz", x=some.images, y=named)
    _digit_strokes(path / "unipen" / "digits.npz", 1)
    _digit_strokes(path / "pendigits" / "digits.npz", 2)
    _digit_strokes(path / "unipen" / "numbers.npz", 3)
    _negatives(path / "unipen" / "negatives.npz")
    save(path / "no-digit-pages" / "a.jpg", page(["", ""]))
    truth = {}
    for number in range(110):  # 100 are held out
        paper, boxes = _strip(number)
        truth[f"{number:03}.png"] = [{"text": "".join(str(box[0]) for box in boxes), "digits": boxes}]
        save(path / "orand-car-a" / "train" / f"{number:03}.png", paper)
    (path / "orand-car-a" / "train" / "truth.json").write_text(json.dumps(truth))
    return path
