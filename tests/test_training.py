"""From an .npz of digits to a model that can be used: data that does not fit, drawn sheets, a very small training."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from command import here
from strokes import crops

from batchocr.errors import ExitCode, UsageError
from batchocr.recognition.calibration import Floats
from batchocr.recognition.classifier import Classifier, open_device
from batchocr.recognition.model import read_sidecar
from batchocr.training import train as training
from batchocr.training.datasets import Digits, load_npz
from batchocr.training.sheets import SHEET, cut, cut_many, draw, sheet
from batchocr.training.train import Recipe, train
from batchocr.training.zoo import SYSTEMS

TINY = Recipe(epochs=2, drawings=1, batch=32, average=0.8)
HELD_OUT = 50


def digits(n: int, seed: int = 0) -> Digits:
    labels = [i % 10 for i in range(n)]
    return Digits(crops(labels, seed), np.array(labels, np.int64))


def save_npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def whole_npz(path: Path) -> Path:
    train_half, test_half = digits(350, 1), digits(100, 2)
    return save_npz(
        path,
        x_train=train_half.pictures,
        y_train=train_half.labels.astype(np.uint8),
        x_test=test_half.pictures,
        y_test=test_half.labels.astype(np.uint8),
    )


# Data


def test_both_halves_are_loaded(tmp_path: Path) -> None:
    path = whole_npz(tmp_path / "digits.npz")
    train_half, test_half = load_npz(path), load_npz(path, "test")
    assert (len(train_half), len(test_half)) == (350, 100)
    assert train_half.pictures.shape == (350, 28, 28) and train_half.pictures.dtype == np.uint8
    assert train_half.labels.dtype == np.int64
    assert np.array_equal(test_half.labels, np.arange(100) % 10)


PICTURES, LABELS = np.zeros((20, 28, 28), np.uint8), np.arange(20) % 10
UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "no pictures": ({"y_train": LABELS}, "it needs x_train and y_train"),
    "no labels": ({"x_train": PICTURES}, "it needs x_train and y_train"),
    "flat pictures": ({"x_train": PICTURES.reshape(20, 784), "y_train": LABELS}, r"\(n, 28, 28\) uint8 is needed"),
    "larger pictures": ({"x_train": np.zeros((20, 32, 32), np.uint8), "y_train": LABELS}, r"\(20, 32, 32\) uint8"),
    "fractions": ({"x_train": PICTURES / 255, "y_train": LABELS}, "float64; .* uint8 is needed"),
    "too few labels": ({"x_train": PICTURES, "y_train": LABELS[:19]}, "one label 0-9 for each of the 20 pictures"),
    "letters": ({"x_train": PICTURES, "y_train": LABELS.astype(str)}, "y_train must hold one label 0-9"),
    "labels from 1": ({"x_train": PICTURES, "y_train": LABELS + 1}, "y_train must hold one label 0-9"),
    "a column a class": ({"x_train": PICTURES, "y_train": np.eye(10)[LABELS]}, "y_train must hold one label 0-9"),
    "objects": ({"x_train": np.array([None, "a"], dtype=object), "y_train": LABELS}, "no .npz of digits"),
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
    with pytest.raises(UsageError, match=r"no \.npz of digits") as caught:
        load_npz(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.npz: there is no such file; give an .npz with x_train"):
        load_npz(tmp_path / "none.npz")


# Sheets


@pytest.mark.parametrize("height", [17.0, 40.0, 64.0])
def test_a_digit_is_drawn_about_as_high_as_asked_and_tight(height: float) -> None:
    for i, picture in enumerate(digits(10).pictures):
        drawn = draw(picture, height, np.random.default_rng(i))
        assert 0.6 * height < drawn.shape[0] < 1.5 * height
        assert drawn.min() >= 0 and drawn.max() <= 1
        ink = drawn > 0.3
        assert ink[0].any() and ink[-1].any() and ink[:, 0].any() and ink[:, -1].any()


def test_a_sheet_says_which_digit_stands_in_each_cell() -> None:
    page, placed, cell = sheet(digits(60), np.random.default_rng(5))
    assert page.shape == (SHEET, SHEET) and page.dtype == np.uint8
    there = placed[placed >= 0]
    assert len(set(there.tolist())) == len(there) >= 55
    assert there.max() < 60
    paper = float(np.median(page))
    for row, column in np.argwhere(placed >= 0)[:20]:
        assert page[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell].min() < paper - 40


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cut_digits_come_back_with_their_labels(seed: int, classifier: Classifier) -> None:
    given = digits(300, seed)
    back = cut(given, seed)
    assert back.pictures.shape == (len(back), 28, 28) and back.pictures.dtype == np.uint8
    assert len(back) >= 0.9 * len(given)
    assert np.bincount(back.labels, minlength=10).min() >= 20
    # labels that had slipped by one cell would be right one time in ten
    assert (classifier.classify(back.pictures).argmax(axis=1) == back.labels).mean() >= 0.7


def test_the_same_seed_cuts_the_same_and_another_one_other_digits() -> None:
    given = digits(80)
    once, again, other = cut(given, 7), cut(given, 7), cut(given, 8)
    assert np.array_equal(once.pictures, again.pictures) and np.array_equal(once.labels, again.labels)
    assert not np.array_equal(once.pictures[:50], other.pictures[:50])


def test_the_number_of_processes_changes_nothing() -> None:
    given = digits(60)
    one, two = cut_many(given, [1, 2, 3], jobs=1), cut_many(given, [1, 2, 3], jobs=2)
    assert len(one) > 120
    assert np.array_equal(one.pictures, two.pictures) and np.array_equal(one.labels, two.labels)


# Training


@contextmanager
def stopped_after_an_epoch() -> Iterator[None]:
    """Ctrl-C as soon as an epoch is told of in the log; expected to come, unless the call ends otherwise before."""

    def stop(record: logging.LogRecord) -> bool:
        if record.getMessage().startswith("epoch "):
            raise KeyboardInterrupt
        return True

    before = training.log.level
    training.log.setLevel(logging.INFO)
    training.log.addFilter(stop)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        training.log.removeFilter(stop)
        training.log.setLevel(before)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_npz(tmp_path_factory.mktemp("data") / "digits.npz")


@pytest.fixture(scope="module", autouse=True)
def small_and_on_the_cpu() -> Iterator[None]:
    open_device("cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "HELD_OUT", HELD_OUT)
        yield


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train("default", data, tmp_path_factory.mktemp("model"), TINY, verbose=0)


def history(folder: Path) -> list[dict[str, float]]:
    epochs: list[dict[str, float]] = json.loads((folder / "history.json").read_text())
    return epochs


def probabilities(model: Path) -> Floats:
    return Classifier(model, device="cpu", batch_size=64).classify(digits(60, 9).pictures)


def test_a_trained_model_can_be_used(trained: Path) -> None:
    assert trained.name == "digits.keras"
    classifier = Classifier(trained, device="cpu", batch_size=64)
    given = digits(60, 9)
    read = classifier.classify(given.pictures)
    assert np.allclose(read.sum(axis=1), 1)
    assert (read.argmax(axis=1) == given.labels).mean() > 0.2  # two epochs of a few digits: better than by chance


def test_its_sidecar_says_how_it_was_made(trained: Path) -> None:
    sidecar = read_sidecar(trained)
    assert (sidecar.name, sidecar.seed, sidecar.keras) == ("default", TINY.seed, keras.__version__)
    assert (sidecar.input_shape, sidecar.input_dtype) == ((28, 28), "uint8")
    assert 0.25 <= sidecar.temperature <= 8
    assert sidecar.parameters == SYSTEMS["default"]().count_params()
    assert f"less its last {HELD_OUT}, drawn {TINY.drawings} times" in sidecar.data
    for name in ("held_out_accuracy", "held_out_sheets_accuracy", "test_accuracy"):
        assert 0 <= sidecar.metrics[name] <= 1


def test_the_model_is_saved_without_its_optimiser(trained: Path) -> None:
    assert getattr(keras.saving.load_model(trained), "optimizer", None) is None


@pytest.fixture(scope="module")
def interrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, float]], bool, Path]:
    """What the first epoch left, whether that was a model, and the model after the same call was made again."""
    folder = tmp_path_factory.mktemp("interrupted")
    with stopped_after_an_epoch():
        train("default", data, folder, TINY, verbose=0)
    first, was_whole = history(folder), (folder / "digits.keras").exists()
    return first, was_whole, train("default", data, folder, TINY, verbose=0)


def test_an_interrupted_training_goes_on_where_it_was(
    interrupted: tuple[list[dict[str, float]], bool, Path], trained: Path
) -> None:
    first, was_whole, model = interrupted
    assert len(first) == 1 and not was_whole
    before, after = history(model.parent)
    assert before == first[0] == pytest.approx(history(trained.parent)[0], abs=1e-3)
    assert after["loss"] < before["loss"]
    steps = [
        keras.saving.load_model(path.with_name("epoch-002.keras")).optimizer.iterations for path in (model, trained)
    ]
    assert int(steps[0]) == int(steps[1]) > 0
    assert Classifier(model, device="cpu", batch_size=64).sidecar.seed == TINY.seed


def test_an_interrupted_training_ends_in_the_same_model(
    interrupted: tuple[list[dict[str, float]], bool, Path], trained: Path
) -> None:
    assert history(interrupted[2].parent)[1] == pytest.approx(history(trained.parent)[1], abs=1e-3)
    assert np.allclose(probabilities(interrupted[2]), probabilities(trained), atol=1e-3)


@pytest.mark.parametrize("change", [{"seed": 5}, {"epochs": 9}])
def test_the_folder_of_another_training_is_refused(change: dict[str, Any], trained: Path, data: Path) -> None:
    before = history(trained.parent)
    with pytest.raises(UsageError, match="holds another training"):
        train("default", data, trained.parent, replace(TINY, **change), verbose=0)
    assert history(trained.parent) == before


def test_data_without_its_test_half_is_refused_before_the_work(tmp_path: Path) -> None:
    half = digits(150)
    path = save_npz(tmp_path / "half.npz", x_train=half.pictures, y_train=half.labels)
    with pytest.raises(UsageError, match="x_test"):
        train("default", path, tmp_path / "model", TINY, verbose=0)
    assert not (tmp_path / "model").exists()


def test_too_few_digits_are_refused(tmp_path: Path) -> None:
    few = digits(2 * HELD_OUT)
    path = save_npz(tmp_path / "few.npz", x_train=few.pictures, y_train=few.labels)
    with pytest.raises(UsageError, match=r"few.npz: 100 digits to train on are too few; 100 are needed"):
        train("default", path, tmp_path / "model", TINY)
    assert not (tmp_path / "model").exists()


def test_wrong_usage_of_the_command_ends_with_2(data: Path, tmp_path: Path) -> None:
    ended = here("train", "--data", data, "--out", tmp_path, "--system", "oracle")
    assert ended.code == 2
    assert "there is no system oracle; choose one of default" in ended.err
    ended = here("train", "--data", tmp_path / "none.npz", "--out", tmp_path)
    assert ended.code == 2
    assert "none.npz: there is no such file" in ended.err
    assert here("train", "--out", tmp_path).code == 2


# Systems


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_takes_bytes_and_gives_ten_probabilities(name: str) -> None:
    model = SYSTEMS[name]()
    (entry,) = model.inputs
    assert (entry.dtype, tuple(entry.shape)) == ("uint8", (None, 28, 28))
    given = np.asarray(model(digits(10).pictures, training=False))
    assert given.shape == (10, 10)
    assert np.allclose(given.sum(axis=1), 1, atol=1e-5)
