"""Digits to train and measure on: MNIST itself, an .npz, IDX files, or a folder of pictures for each digit."""

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
"""In place of a path: what `keras.datasets.mnist` downloads."""
SMALLEST, LARGEST = 12, 128
"""Pixels along a side of a picture."""
LARGE = 40
"""Pixels along the longer side of one that is cut out of its paper."""
INK, AROUND = 60, 16
"""Tone from which a pixel counts as written on, and pixels of paper around one that is cut out."""
FORMS = (
    "give mnist, an .npz with x_train, y_train, x_test and y_test, MNIST's IDX files, "
    "or a folder with a folder of pictures for each digit"
)


@dataclass(frozen=True)
class Digits:
    """Pictures (n, 28, 28) uint8, ink 255 on 0, and which digits they are, (n,) int64, 0 to 9 or NOT_A_DIGIT.

    What is to be drawn again may have any other height and width.
    """

    pictures: Crops
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, which: slice | NDArray[np.intp]) -> Digits:
        return Digits(self.pictures[which], self.labels[which])


def joined(parts: Sequence[Digits]) -> Digits:
    """Several sets as one."""
    return Digits(np.concatenate([p.pictures for p in parts]), np.concatenate([p.labels for p in parts]))


@dataclass(frozen=True)
class Halves:
    """What a set of digits holds, and what messages call it. Where it has no halves, all of it is `train`."""

    name: str
    train: Digits | None
    test: Digits | None

    def half(self, split: str | None) -> Digits:
        """The half asked for; without a wish the test half where there is one. Raises UsageError where it lacks."""
        wanted = {"train": self.train, "test": self.test}.get(split or ("test" if self.test else "train"))
        if wanted is None:
            raise UsageError(f"{self.name}: has no {split} half; leave out --split to measure on what there is")
        return wanted

    def to_train_on(self) -> Digits:
        """The train half. Raises UsageError where it lacks, or lacks a digit."""
        if self.train is None:
            raise UsageError(f"{self.name}: has no train half; {FORMS}")
        if len(missing := np.setdiff1d(np.arange(10), self.train.labels)):
            names = ", ".join(map(str, missing))
            raise UsageError(f"{self.name}: holds no digit {names} to train on; add some, for all ten are needed")
        return self.train

    @property
    def sha256(self) -> str:
        """Of the pictures and labels, however they are kept."""
        digest = hashlib.sha256()
        for half in (self.train, self.test):
            if half is not None:
                digest.update(np.ascontiguousarray(half.pictures).data)
                digest.update(half.labels.tobytes())
        return digest.hexdigest()


def load(data: str | Path) -> Halves:
    """All digits of `data`: `mnist`, or the path of an .npz, of IDX files or of a folder for each digit.

    Pictures of another size than 28×28 are cut out of their paper and normalised as those of a page are.
    Digits that are sorted by class are put into a random order, always the same, so that a part holds all classes.
    Raises UsageError, which names the file and the fix, where they are not what a network can be given.
    """
    halves = load_as_they_are(data)
    return Halves(halves.name, _ready(halves.train), _ready(halves.test))


def load_as_they_are(data: str | Path) -> Halves:
    """The same in the sizes and the order in which they came. Raises UsageError."""
    from batchocr.datasets.digit_files import is_idx, load_folders, load_idx

    path = Path(data)
    if str(data) == MNIST and not path.exists():
        return _download()
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder; {FORMS}")
    if is_idx(path):
        return load_idx(path)
    if path.is_dir() and path.suffix != ".npz":
        return load_folders(path)
    return _load_npz_halves(path)


def as_crops(digits: Digits) -> Digits:
    """Digits (n, 28, 28); those of another size are cut out of their paper and normalised as a page's are."""
    if digits.pictures.shape[1:] == (SIDE, SIDE):
        return digits
    return Digits(np.concatenate([_cut_out(picture) for picture in digits.pictures]), digits.labels)


def _cut_out(picture: Pixels) -> Crops:
    """The crop (1, 28, 28) of one digit of any size, from a picture that holds nothing else."""
    import cv2

    from batchocr.vision.crops import make_crops

    scale = LARGE / max(picture.shape)
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    large = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    box = np.array([cv2.boundingRect((large > INK).view(np.uint8))], np.float32)
    box[:, :2] += AROUND
    return make_crops(255 - np.pad(large, AROUND), box)


def _ready(digits: Digits | None) -> Digits | None:
    return None if digits is None else _mixed(as_crops(digits))


def _mixed(digits: Digits) -> Digits:
    if not len(digits) or (np.diff(digits.labels) < 0).any():
        return digits
    return digits.part(np.random.default_rng(2017).permutation(len(digits)))


def _download() -> Halves:
    import keras

    try:
        (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as fault:  # Keras has no class of its own for a failed download
        raise UsageError(
            f"{MNIST}: cannot be downloaded ({fault}); where there is no network, fetch mnist.npz elsewhere "
            "and give its path as --data"
        ) from fault
    return Halves(MNIST, checked(x, y, MNIST), checked(x_test, y_test, MNIST))


def _load_npz_halves(path: Path) -> Halves:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = set(arrays.files)
    except (OSError, EOFError, ValueError, AttributeError, zipfile.BadZipFile) as fault:
        raise UsageError(f"{path}: no .npz of digits ({fault}); {FORMS}") from fault
    if {"x", "y"} <= names:
        return Halves(str(path), load_npz(path, None), None)
    train = load_npz(path) if "x_train" in names or "x_test" not in names else None
    return Halves(str(path), train, load_npz(path, "test") if "x_test" in names else None)


def load_npz(path: Path, half: str | None = "train") -> Digits:
    """The `train` or `test` half of an .npz as `keras.datasets.mnist` has it: x_train, y_train, x_test, y_test.

    With None, `x` and `y`. Raises UsageError where the file is missing or holds anything else.
    """
    x, y = (f"x_{half}", f"y_{half}") if half else ("x", "y")
    try:
        with np.load(path, allow_pickle=False) as data:
            pictures, labels = data[x], data[y]
    except FileNotFoundError:
        raise UsageError(
            f"{path}: there is no such file; give an .npz with x_train, y_train, x_test and y_test"
        ) from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as fault:
        raise UsageError(f"{path}: no .npz of digits ({fault}); it needs {x} and {y}") from fault
    return checked(pictures, labels, str(path), x, y)


def checked(pictures: NDArray[Any], labels: NDArray[Any], where: str, x: str = "pictures", y: str = "labels") -> Digits:
    """Digits of arrays that a network can be given. Raises UsageError, which names `where`, for any others."""
    if pictures.dtype.kind == "f" and (bad := int((~np.isfinite(pictures)).sum())):
        raise UsageError(f"{where}: {x} holds {bad} values that are NaN or infinite; make the file again as uint8")
    sizes = set(pictures.shape[1:])
    if pictures.ndim != 3 or not sizes <= set(range(SMALLEST, LARGEST + 1)) or pictures.dtype != np.uint8:
        raise UsageError(
            f"{where}: {x} is {pictures.shape} {pictures.dtype}; (n, 28, 28) uint8 is needed, ink 255 on paper 0, "
            f"as MNIST has them, or another height and width from {SMALLEST} to {LARGEST}"
        )
    if labels.shape != pictures.shape[:1] or not np.isin(labels, np.arange(10)).all():
        raise UsageError(
            f"{where}: {y} is {labels.shape} {labels.dtype}; {y} must hold one label 0-9 for each of the "
            f"{len(pictures)} pictures"
        )
    if not len(pictures):
        raise UsageError(f"{where}: {x} is empty; {FORMS}")
    if pictures.mean() > 127:
        raise UsageError(f"{where}: {x} are dark digits on light; turn them round (255 minus each), as MNIST has them")
    return Digits(pictures, labels.astype(np.int64))
