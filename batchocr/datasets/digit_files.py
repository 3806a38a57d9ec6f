"""Digits from MNIST's IDX files, and from folders of images per digit."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.digits import ACCEPTED_DATA, Digits, DigitSplits, check_digits
from batchocr.errors import ScanError, UsageError
from batchocr.records import Scan

TRUTH = "truth.json"
"""File whose presence makes a folder one of pages, not of digits."""
_GZIP = b"\x1f\x8b"
_IDX = b"\x00\x00"
_TRAIN, _TEST = ("train", "training"), ("test", "testing", "t10k")


def is_idx(path: Path) -> bool:
    """Return whether a path is an IDX file (gzipped or not) or a folder with such image files."""
    if path.is_dir():
        return any(_image_files(path))
    with path.open("rb") as file:
        return file.read(2) in (_GZIP, _IDX)


def _image_files(folder: Path) -> Iterator[Path]:
    return (each for each in sorted(folder.iterdir()) if each.is_file() and "images" in each.name)


def load_idx(path: Path) -> DigitSplits:
    """Load IDX files.

    The names are those of MNIST: `train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, with `.gz` or without.

    Args:
        path: A folder with both splits, or one file of images with its file of labels beside it. A file with
            another name is the whole set.

    Raises:
        UsageError: The files are missing, damaged or do not fit each other.
    """
    splits: dict[str, Digits] = {}
    for image_file in _image_files(path) if path.is_dir() else [path]:
        split = "test" if image_file.name.lower().startswith(_TEST) else "train"
        if split not in splits:
            labels = _labels_of(image_file)
            splits[split] = check_digits(
                _read_idx(image_file), _read_idx(labels), str(image_file), "its content", labels.name
            )
    return DigitSplits(str(path), splits.get("train"), splits.get("test"))


def _labels_of(image_file: Path) -> Path:
    name = image_file.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    for beside in (image_file.with_name(name), image_file.with_name(name + ".gz")):
        if beside != image_file and beside.is_file():
            return beside
    raise UsageError(f"{image_file}: its labels are missing; add {name} or {name}.gz to the same folder")


def _read_idx(path: Path) -> NDArray[Any]:
    """Return the array of an IDX file (http://yann.lecun.com/exdb/mnist): two zeros, type, dimensions, sizes,
    values.
    """
    try:
        content = path.read_bytes()
        if content[:2] == _GZIP:
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as fault:
        raise UsageError(f"{path}: cannot be read ({fault}); fetch it again") from fault
    if len(content) < 4 or content[:2] != _IDX or content[2] != 8 or not 1 <= content[3] <= 4:
        raise UsageError(f"{path}: is not an IDX file of bytes; {ACCEPTED_DATA}")
    dimensions = content[3]
    shape = np.frombuffer(content[4 : 4 + 4 * dimensions], ">u4").astype(np.int64)
    values = np.frombuffer(content, np.uint8, offset=min(len(content), 4 + 4 * dimensions))
    if len(shape) != dimensions or len(values) != shape.prod():
        raise UsageError(
            f"{path}: is cut off or damaged: {shape.tolist()} does not fit {len(values)} values; fetch it again"
        )
    return values.reshape(shape)


def load_folders(path: Path) -> DigitSplits:
    """Load the images in `path/0` to `path/9`, or in such folders below `path/train` and `path/test`.

    Args:
        path: The folder.

    Raises:
        UsageError: A folder or image does not fit.
    """
    if (path / TRUTH).exists():
        raise UsageError(f"{path}: has pages with a truth, which are for batchocr evaluate only; {ACCEPTED_DATA}")
    folders = {each.name.lower(): each for each in path.iterdir() if each.is_dir()}
    train = next((folders[name] for name in _TRAIN if name in folders), None)
    test = next((folders[name] for name in _TEST if name in folders), None)
    if train is None and test is None:
        return DigitSplits(str(path), _load_classes(path), None)
    return DigitSplits(str(path), _load_classes(train) if train else None, _load_classes(test) if test else None)


def _load_classes(path: Path) -> Digits:
    """Return the images in the folders `0` to `9` below `path`."""
    from batchocr.sources import SUFFIXES

    images, labels = [], []
    folders = sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))
    if not folders:
        raise UsageError(f"{path}: has no folders 0 to 9 of images; {ACCEPTED_DATA}")
    for folder in folders:
        if folder.name not in tuple("0123456789"):
            raise UsageError(
                f"{folder}: its name is not a digit 0 to 9; name it after the digit that it holds, or remove it"
            )
        files = sorted(each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES)
        if not files:
            raise UsageError(f"{folder}: holds no images; add images of the digit {folder.name}, or remove the folder")
        images += [_load_image(file) for file in files]
        labels += [int(folder.name)] * len(files)
    return check_digits(np.stack(images), np.array(labels), str(path), "its images")


def _load_image(path: Path) -> NDArray[np.uint8]:
    from batchocr.sources import BadPage, load_pages

    try:
        page = next(load_pages(Scan(path, str(path)), last=1))
    except ScanError as fault:
        raise UsageError(fault.message) from fault
    if isinstance(page, BadPage):
        raise UsageError(page.error.message)
    if page.pages > 1 or page.pixels.shape != (28, 28):
        height, width = page.pixels.shape
        raise UsageError(f"{path}: {width} x {height} pixels; one image of 28 x 28 is required; scale it as in MNIST")
    return page.pixels
