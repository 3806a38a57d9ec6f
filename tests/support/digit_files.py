"""Sets of digits as files, for tests of trainings and measurements."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from strokes import crops, save

from batchocr.datasets.digits import Digits


def digits(n: int, seed: int = 0) -> Digits:
    """Return `n` digits: 0 to 9, repeated."""
    labels = [i % 10 for i in range(n)]
    return Digits(crops(labels, seed), np.array(labels, np.int64))


def save_npz(path: Path, **arrays: Any) -> Path:
    """Write arrays as an npz file."""
    np.savez(path, **arrays)
    return path


def whole_npz(path: Path) -> Path:
    """Write 350 training digits and 100 test digits."""
    train_half, test_half = digits(350, 1), digits(100, 2)
    return save_npz(
        path,
        x_train=train_half.images,
        y_train=train_half.labels.astype(np.uint8),
        x_test=test_half.images,
        y_test=test_half.labels.astype(np.uint8),
    )


def save_idx(path: Path, array: NDArray[Any]) -> Path:
    """Write an array in the IDX format of MNIST: two zeros, 8 for bytes, number and sizes of dimensions, values."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content = header + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def save_folders(path: Path, given: Digits) -> Path:
    """A folder for each digit."""
    for i, (image, label) in enumerate(zip(given.images, given.labels, strict=True)):
        save(path / str(label) / f"{i}.png", image)
    return path
