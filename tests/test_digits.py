"""Digits from all the forms in which they are kept, and what is said of files that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
from digit_files import digits, save_folders, save_idx, save_npz, whole_npz
from strokes import save

from batchocr.datasets.digits import Digits, DigitSplits, load, load_npz, load_unscaled
from batchocr.errors import ExitCode, UsageError


def test_both_halves_are_loaded(tmp_path: Path) -> None:
    path = whole_npz(tmp_path / "digits.npz")
    train_half, test_half = load_npz(path), load_npz(path, "test")
    assert (len(train_half), len(test_half)) == (350, 100)
    assert train_half.images.shape == (350, 28, 28) and train_half.images.dtype == np.uint8
    assert train_half.labels.dtype == np.int64
    assert np.array_equal(test_half.labels, np.arange(100) % 10)


PICTURES, LABELS = np.zeros((20, 28, 28), np.uint8), np.arange(20) % 10
UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "no pictures": ({"y_train": LABELS}, "it needs x_train and y_train"),
    "no labels": ({"x_train": PICTURES}, "it needs x_train and y_train"),
    "flat pictures": ({"x_train": PICTURES.reshape(20, 784), "y_train": LABELS}, r"\(n, 28, 28\) uint8 is required"),
    "larger pictures": ({"x_train": np.zeros((20, 132, 32), np.uint8), "y_train": LABELS}, r"\(20, 132, 32\) uint8"),
    "fractions": ({"x_train": PICTURES / 255, "y_train": LABELS}, "float64; .* uint8 is required"),
    "NaN": ({"x_train": np.full((20, 28, 28), np.nan), "y_train": LABELS}, "15680 values that are NaN"),
    "dark on light": ({"x_train": 255 - PICTURES, "y_train": LABELS}, "dark digits on light; invert them"),
    "none": ({"x_train": PICTURES[:0], "y_train": LABELS[:0]}, "x_train is empty"),
    "too few labels": ({"x_train": PICTURES, "y_train": LABELS[:19]}, "one label 0-9 for each of the 20 images"),
    "letters": ({"x_train": PICTURES, "y_train": LABELS.astype(str)}, "y_train must hold one label 0-9"),
    "labels from 1": ({"x_train": PICTURES, "y_train": LABELS + 1}, "y_train must hold one label 0-9"),
    "a column a class": ({"x_train": PICTURES, "y_train": np.eye(10)[LABELS]}, "y_train must hold one label 0-9"),
    "objects": ({"x_train": np.array([None, "a"], dtype=object), "y_train": LABELS}, "is not an .npz of digits"),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_unfit_data_is_named_with_what_is_needed(kind: str, tmp_path: Path) -> None:
    arrays, says = UNFIT[kind]
    path = save_npz(tmp_path / "unfit.npz", **arrays)
    with pytest.raises(UsageError, match=says) as caught:
        load_npz(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.exit_code == ExitCode.USAGE


def test_the_half_that_is_missing_is_named(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "half.npz", x_train=PICTURES, y_train=LABELS)
    assert len(load_npz(path)) == 20
    with pytest.raises(UsageError, match="it needs x_test and y_test"):
        load_npz(path, "test")


def cut_off(path: Path) -> None:
    whole_npz(path)
    path.write_bytes(path.read_bytes()[:-3000])


def single_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, PICTURES)


DAMAGED: dict[str, Any] = {
    "cut off": cut_off,
    "text": lambda path: path.write_bytes(b"5,0,4,1,9,2"),
    "a folder": lambda path: path.mkdir(),
    "an .npy": single_array,
    "empty": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_what_is_no_npz_is_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged.npz"
    DAMAGED[kind](path)
    with pytest.raises(UsageError, match=r"is not an \.npz of digits") as caught:
        load_npz(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.npz: there is no such file; give an .npz with x_train"):
        load_npz(tmp_path / "none.npz")


# Forms


def same(splits: DigitSplits, train: Digits, test: Digits | None) -> None:
    """The same digits, in any order."""

    def ordered(given: Digits | None) -> list[tuple[int, bytes]]:
        return sorted((int(y), x.tobytes()) for x, y in zip(given.images, given.labels, strict=True)) if given else []

    assert ordered(splits.train) == ordered(train)
    assert ordered(splits.test) == ordered(test)


TRAIN, TEST = digits(60, 1), digits(20, 2)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_files_in_a_folder(ending: str, tmp_path: Path) -> None:
    for half, given in (("train", TRAIN), ("t10k", TEST)):
        save_idx(tmp_path / f"{half}-images-idx3-ubyte{ending}", given.images)
        save_idx(tmp_path / f"{half}-labels-idx1-ubyte{ending}", given.labels)
    same(load(tmp_path), TRAIN, TEST)
    same(load(tmp_path / f"train-images-idx3-ubyte{ending}"), TRAIN, None)


def test_a_folder_for_each_digit_with_and_without_halves(tmp_path: Path) -> None:
    save_folders(tmp_path / "whole", TRAIN)
    save_folders(tmp_path / "halves" / "training", TRAIN)
    save_folders(tmp_path / "halves" / "testing", TEST)
    same(load(tmp_path / "whole"), TRAIN, None)
    same(load(tmp_path / "halves"), TRAIN, TEST)
    # any stretch of it holds all classes
    end = load(tmp_path / "whole").train_split().labels[-20:]
    assert len(set(end.tolist())) >= 7


def test_an_npz_without_halves(tmp_path: Path) -> None:
    splits = load(save_npz(tmp_path / "all.npz", x=TRAIN.images, y=TRAIN.labels))
    same(splits, TRAIN, None)
    assert len(splits.select(None)) == 60
    with pytest.raises(UsageError, match=r"all.npz: has no test split; leave out --split"):
        splits.select("test")


def test_the_same_digits_are_known_in_every_form(tmp_path: Path) -> None:
    npz = load(save_npz(tmp_path / "a.npz", x=TRAIN.images, y=TRAIN.labels))
    save_idx(tmp_path / "images.idx3", TRAIN.images)
    save_idx(tmp_path / "labels.idx1", TRAIN.labels)
    assert load(tmp_path / "images.idx3").sha256 == npz.sha256


def test_mnist_is_downloaded_or_the_fix_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = ((TRAIN.images, TRAIN.labels.astype(np.uint8)), (TEST.images, TEST.labels.astype(np.uint8)))
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: arrays)
    same(load("mnist"), TRAIN, TEST)

    def without_network() -> None:
        raise Exception("URL fetch failure on https://example.org/mnist.npz: None -- no route to host")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", without_network)
    with pytest.raises(UsageError, match=r"mnist: cannot be downloaded .*no route.* copy mnist.npz here"):
        load("mnist")


# Folders and IDX files that do not fit


def wrong_size(path: Path) -> Path:
    save_folders(path, TEST)
    return save(path / "3" / "large.png", np.zeros((32, 40), np.uint8))


def damaged_picture(path: Path) -> Path:
    save_folders(path, TEST)
    (path / "3" / "broken.png").write_bytes(b"no picture at all")
    return path / "3" / "broken.png"


def empty_class(path: Path) -> Path:
    save_folders(path, TEST)
    for each in (path / "3").iterdir():
        each.unlink()
    return path / "3"


def other_class(path: Path) -> Path:
    save_folders(path, TEST)
    (path / "3").rename(path / "10")
    return path / "10"


def nothing(path: Path) -> Path:
    path.mkdir()
    return path


def idx(path: Path, images: Any = TEST.images, labels: Any = TEST.labels) -> Path:
    path.mkdir()
    if labels is not None:
        save_idx(path / "train-labels-idx1-ubyte", labels)
    return save_idx(path / "train-images-idx3-ubyte", images)


def cut_idx(path: Path) -> Path:
    images = idx(path)
    images.write_bytes(images.read_bytes()[:-100])
    return images


def broken_gzip(path: Path) -> Path:
    path.mkdir()
    images = save_idx(path / "train-images-idx3-ubyte.gz", TEST.images)
    save_idx(path / "train-labels-idx1-ubyte", TEST.labels)
    images.write_bytes(images.read_bytes()[:-100])
    return images


BAD: dict[str, tuple[Any, str]] = {
    "another size": (wrong_size, "40 x 32 pixels; one image of 28 x 28 is required"),
    "a damaged picture": (damaged_picture, "not an image"),
    "an empty class": (empty_class, "holds no images; add images of the digit 3, or remove the folder"),
    "a class of no digit": (other_class, "its name is not a digit 0 to 9"),
    "an empty folder": (nothing, "has no folders 0 to 9 of images; give mnist"),
    "an IDX file cut off": (cut_idx, "cut off or damaged"),
    "a gzip file cut off": (broken_gzip, "cannot be read"),
    "no labels": (lambda path: idx(path, labels=None), "its labels are missing; add train-labels-idx1-ubyte"),
    "mismatched lengths": (lambda path: idx(path, labels=TEST.labels[:9]), "one label 0-9 for each of the 20 images"),
    "labels past 9": (lambda path: idx(path, labels=TEST.labels + 1), "one label 0-9"),
    "IDX of another size": (lambda path: idx(path, np.zeros((20, 130, 30))), r"is \(20, 130, 30\) uint8"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_does_not_fit_is_named_with_the_fix(kind: str, tmp_path: Path) -> None:
    make, says = BAD[kind]
    named = make(tmp_path / "bad")
    with pytest.raises(UsageError, match=says) as caught:
        load(tmp_path / "bad")
    assert str(caught.value).startswith(f"{named}: ")


def test_a_digit_that_is_missing_is_told_before_training() -> None:
    with pytest.raises(UsageError, match="some: holds no digit 8, 9 to train on"):
        DigitSplits("some", TRAIN.take(np.flatnonzero(TRAIN.labels < 8)), None).train_split()


@pytest.mark.parametrize(("side", "tones"), [(16, 2), (20, 256), (32, 2), (48, 256)])
def test_pictures_of_another_size_are_cut_out_and_normalised(side: int, tones: int, tmp_path: Path) -> None:
    given = digits(30, 4)
    small = np.stack([cv2.resize(p[3:25, 3:25], (side, side), interpolation=cv2.INTER_AREA) for p in given.images])
    if tones == 2:
        small = np.where(small > 90, np.uint8(255), np.uint8(0))
    path = save_npz(tmp_path / "other.npz", x=small, y=given.labels)
    back = load(path).select(None)
    assert back.images.shape == (30, 28, 28)
    assert sorted(back.labels.tolist()) == sorted(given.labels.tolist())
    assert load_unscaled(path).select(None).images.shape == (30, side, side)
    tall = [np.ptp(np.nonzero(p.max(axis=1) > 60)[0]) for p in back.images]
    assert 16 <= min(tall) <= max(tall) <= 21
