"""Crops of the digits that a person has corrected or confirmed, in a folder that trainings and measurements take."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from batchocr.datasets.digits import Digits, concatenate, load_npz
from batchocr.errors import OutputError, UsageError
from batchocr.records import Crops

FILE = "digits.npz"
"""The crops: x and y of the digits, as `batchocr train` and `batchocr evaluate` take them; `others` are no digits."""
TRUTH = "truth.csv"
"""The true digits with their boxes, for `batchocr evaluate --truth`."""
NOT_A_DIGIT = 10
"""Label of a crop that is not a digit."""


@dataclass(frozen=True)
class CorrectedCrops:
    """Crops (n, 28, 28) uint8, ink 255 on paper 0."""

    digits: Digits
    """With labels 0 to 9."""
    others: Crops
    """What is not a digit."""

    @classmethod
    def together(cls, parts: Sequence[CorrectedCrops]) -> CorrectedCrops:
        """Return several sets as one."""
        return cls(concatenate([part.digits for part in parts]), np.concatenate([part.others for part in parts]))

    def all(self) -> Digits:
        """Return digits and others with their labels."""
        labels = np.full(len(self.others), NOT_A_DIGIT, np.int64)
        return concatenate([self.digits, Digits(self.others, labels)])

    @property
    def sha256(self) -> str:
        """Checksum of crops and labels."""
        every = self.all()
        return hashlib.sha256(every.images.tobytes() + every.labels.tobytes()).hexdigest()


def save_corrected_crops(folder: Path, crops: CorrectedCrops) -> Path:
    """Write crops to a folder, which is made if it is missing. Earlier crops there are replaced.

    Returns:
        The file.

    Raises:
        OutputError: It cannot be written.
    """
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez_compressed(part, x=crops.digits.images, y=crops.digits.labels, others=crops.others)
        part.replace(path)
    except OSError as fault:
        raise OutputError(f"{path}: cannot be written ({fault.strerror}); give another --save-crops") from fault
    return path


def load_corrected_crops(folder: Path) -> CorrectedCrops:
    """Read the crops of a folder that `batchocr correct --save-crops` wrote.

    Raises:
        UsageError: It has none.
    """
    path = folder / FILE
    digits = load_npz(path, None)
    try:
        with np.load(path, allow_pickle=False) as data:
            others = data["others"] if "others" in data.files else np.empty((0, 28, 28), np.uint8)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as fault:
        raise UsageError(f"{path}: cannot be read ({fault}); write it again with --save-crops") from fault
    if others.shape[1:] != (28, 28) or others.dtype != np.uint8 or digits.images.shape[1:] != (28, 28):
        raise UsageError(f"{path}: crops of 28 x 28 pixels are required; write it again with --save-crops")
    return CorrectedCrops(digits, others)
