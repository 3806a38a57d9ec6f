"""Digits to train and measure on."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchocr.errors import UsageError
from batchocr.records import Crops

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Digits:
    """Pictures (n, 28, 28) uint8, ink 255 on 0, and which digits they are."""

    pictures: Crops
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, which: slice | NDArray[np.intp]) -> Digits:
        return Digits(self.pictures[which], self.labels[which])


def load_npz(path: Path, half: str = "train") -> Digits:
    """The `train` or `test` half of an .npz as `keras.datasets.mnist` has it: x_train, y_train, x_test, y_test.

    Raises UsageError where the file is missing or holds anything else.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            pictures, labels = data[f"x_{half}"], data[f"y_{half}"]
    except FileNotFoundError:
        raise UsageError(
            f"{path}: there is no such file; give an .npz with x_train, y_train, x_test and y_test"
        ) from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as fault:
        raise UsageError(f"{path}: no .npz of digits ({fault}); it needs x_{half} and y_{half}") from fault
    if pictures.ndim != 3 or pictures.shape[1:] != (28, 28) or pictures.dtype != np.uint8:
        raise UsageError(f"{path}: x_{half} is {pictures.shape} {pictures.dtype}; (n, 28, 28) uint8 is needed")
    if labels.shape != pictures.shape[:1] or not np.isin(labels, np.arange(10)).all():
        raise UsageError(f"{path}: y_{half} must hold one label 0-9 for each of the {len(pictures)} pictures")
    return Digits(pictures, labels.astype(np.int64))
