"""Digits to train and measure on: MNIST itself, an .npz, IDX files, or a folder of images per digit."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchocr.errors import UsageError
from batchocr.records import Crops, Pixels
from batchocr.vision.normalize import SIDE

Labels = NDArray[np.int64]

MNIST = "mnist"
"""In place of a path: the set that `keras.datasets.mnist` downloads."""
MIN_SIDE_PX, MAX_SIDE_PX = 12, 128
"""Minimum and maximum side of an image, in pixels."""
ACCEPTED_DATA = (
    "give mnist, an .npz with x_train, y_train, x_test and y_test, MNIST's IDX files, "
    "or a folder with a folder of images for each digit"
)


@dataclass(frozen=True)
class CutOutParameters:
    """How an image of another size than 28 × 28 becomes a crop."""

    scaled_side_px: int = 40
    """Longer side to which the image is scaled before it is cut: about the height of a digit on a level page."""
    min_ink_level: int = 60
    """Grey level, 0 to 255, from which on a pixel counts as ink; the noise of the public collections is below it."""
    margin_px: int = 16
    """Pixels of paper that are added on each side, so that the crop has paper around its ink."""


PARAMETERS = CutOutParameters()


@dataclass(frozen=True)
class Digits:
    """Images (n, 28, 28) uint8, ink 255 on paper 0, and their labels (n,) int64, 0 to 9 or 10 for not a digit.

    Before `to_crops` the images may have another height and width.
    """

    images: Crops
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, which: slice | NDArray[np.intp]) -> Digits:
        return Digits(self.images[which], self.labels[which])


def concatenate(parts: Sequence[Digits]) -> Digits:
    """Return several sets as one."""
    return Digits(np.concatenate([p.images for p in parts]), np.concatenate([p.labels for p in parts]))


@dataclass(frozen=True)
class DigitSplits:
    """A set of digits and the name that messages give it. A set without splits is all `train`."""

    name: str
    train: Digits | None
    test: Digits | None

    def select(self, split: str | None) -> Digits:
        """Return one of the splits.

        Args:
            split: `train` or `test`; None for the test split if there is one.

        Raises:
            UsageError: There is no such split.
        """
        chosen = {"train": self.train, "test": self.test}.get(split or ("test" if self.test else "train"))
        if chosen is None:
            raise UsageError(f"{self.name}: has no {split} split; leave out --split to measure all its digits")
        return chosen

    def train_split(self) -> Digits:
        """Return the train split.

        Raises:
            UsageError: There is no train split, or a digit is missing in it.
        """
        if self.train is None:
            raise UsageError(f"{self.name}: has no train split; {ACCEPTED_DATA}")
        if len(missing := np.setdiff1d(np.arange(10), self.train.labels)):
            names = ", ".join(map(str, missing))
            raise UsageError(
                f"{self.name}: holds no digit {names} to train on; add images of it, because all ten are required"
            )
        return self.train

    @property
    def sha256(self) -> str:
        """Checksum of the images and labels, independent of the file format."""
        digest = hashlib.sha256()
        for split in (self.train, self.test):
            if split is not None:
                digest.update(np.ascontiguousarray(split.images).data)
                digest.update(split.labels.tobytes())
        return digest.hexdigest()


def load(data: str | Path) -> DigitSplits:
    """Load all digits of a data set as crops.

    Images of another size than 28×28 are cut out of their paper and normalised as those of a page are. If the digits
    are sorted by class they are shuffled, always in the same way, so that each part holds all classes.

    Args:
        data: `mnist`, or the path of an .npz, of IDX files or of a folder per digit.

    Raises:
        UsageError: The data does not fit a network; the message names the file and the fix.
    """
    splits = load_unscaled(data)
    return DigitSplits(splits.name, _prepare(splits.train), _prepare(splits.test))


def load_unscaled(data: str | Path) -> DigitSplits:
    """Load all digits of a data set in their own sizes and order.

    Args:
        data: As for `load`.

    Raises:
        UsageError: The data does not fit a network.
    """
    from batchocr.datasets.digit_files import is_idx, load_folders, load_idx

    path = Path(data)
    if str(data) == MNIST and not path.exists():
        return _download()
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder; {ACCEPTED_DATA}")
    if is_idx(path):
        return load_idx(path)
    if path.is_dir() and path.suffix != ".npz":
        return load_folders(path)
    return _load_npz_splits(path)


def to_crops(digits: Digits) -> Digits:
    """Return digits (n, 28, 28); images of another size are cut out of their paper and normalised as those of a page
    are.
    """
    if digits.images.shape[1:] == (SIDE, SIDE):
        return digits
    return Digits(np.concatenate([_cut_out(image) for image in digits.images]), digits.labels)


def _cut_out(image: Pixels) -> Crops:
    """Return the crop (1, 28, 28) of an image that holds one digit and nothing else."""
    import cv2

    from batchocr.vision.crops import make_crops

    scale = PARAMETERS.scaled_side_px / max(image.shape)
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    large = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    box = np.array([cv2.boundingRect((large > PARAMETERS.min_ink_level).view(np.uint8))], np.float32)
    box[:, :2] += PARAMETERS.margin_px
    return make_crops(255 - np.pad(large, PARAMETERS.margin_px), box)


def _prepare(digits: Digits | None) -> Digits | None:
    return None if digits is None else _shuffle_sorted(to_crops(digits))


def _shuffle_sorted(digits: Digits) -> Digits:
    if not len(digits) or (np.diff(digits.labels) < 0).any():
        return digits
    return digits.take(np.random.default_rng(2017).permutation(len(digits)))


def _download() -> DigitSplits:
    import keras

    try:
        (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as fault:  # Keras has no exception of its own for a failed download
        raise UsageError(
            f"{MNIST}: cannot be downloaded ({fault}); without a network, copy mnist.npz here "
            "and give its path as --data"
        ) from fault
    return DigitSplits(MNIST, check_digits(x, y, MNIST), check_digits(x_test, y_test, MNIST))


def _load_npz_splits(path: Path) -> DigitSplits:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = set(arrays.files)
    except (OSError, EOFError, ValueError, AttributeError, zipfile.BadZipFile) as fault:
        raise UsageError(f"{path}: is not an .npz of digits ({fault}); {ACCEPTED_DATA}") from fault
    if {"x", "y"} <= names:
        return DigitSplits(str(path), load_npz(path, None), None)
    train = load_npz(path) if "x_train" in names or "x_test" not in names else None
    return DigitSplits(str(path), train, load_npz(path, "test") if "x_test" in names else None)


def load_npz(path: Path, split: str | None = "train") -> Digits:
    """Load one split of an .npz in the format of `keras.datasets.mnist`: x_train, y_train, x_test, y_test.

    Args:
        path: The file.
        split: `train` or `test`; None for the arrays `x` and `y`.

    Raises:
        UsageError: The file is missing or holds something else.
    """
    x, y = (f"x_{split}", f"y_{split}") if split else ("x", "y")
    try:
        with np.load(path, allow_pickle=False) as data:
            images, labels = data[x], data[y]
    except FileNotFoundError:
        raise UsageError(
            f"{path}: there is no such file; give an .npz with x_train, y_train, x_test and y_test"
        ) from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as fault:
        raise UsageError(f"{path}: is not an .npz of digits ({fault}); it needs {x} and {y}") from fault
    return check_digits(images, labels, str(path), x, y)


def check_digits(
    images: NDArray[Any], labels: NDArray[Any], where: str, x: str = "images", y: str = "labels"
) -> Digits:
    """Return arrays as digits if a network can use them.

    Args:
        images: Images (n, height, width).
        labels: Labels (n,).
        where: Name of the file in messages.
        x: Name of the images in messages.
        y: Name of the labels in messages.

    Raises:
        UsageError: The arrays do not fit; the message names the file and the fix.
    """
    if images.dtype.kind == "f" and (bad := int((~np.isfinite(images)).sum())):
        raise UsageError(f"{where}: {x} holds {bad} values that are NaN or infinite; make the file again as uint8")
    sizes = set(images.shape[1:])
    if images.ndim != 3 or not sizes <= set(range(MIN_SIDE_PX, MAX_SIDE_PX + 1)) or images.dtype != np.uint8:
        raise UsageError(
            f"{where}: {x} is {images.shape} {images.dtype}; (n, 28, 28) uint8 is required, ink 255 on paper 0, "
            f"as in MNIST, or another height and width from {MIN_SIDE_PX} to {MAX_SIDE_PX}"
        )
    if labels.shape != images.shape[:1] or not np.isin(labels, np.arange(10)).all():
        raise UsageError(
            f"{where}: {y} is {labels.shape} {labels.dtype}; {y} must hold one label 0-9 for each of the "
            f"{len(images)} images"
        )
    if not len(images):
        raise UsageError(f"{where}: {x} is empty; {ACCEPTED_DATA}")
    if images.mean() > 127:
        raise UsageError(f"{where}: {x} are dark digits on light; invert them (255 minus each value), as in MNIST")
    return Digits(images, labels.astype(np.int64))
