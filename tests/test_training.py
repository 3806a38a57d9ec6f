"""A very small training of the default system: its folder, and its resumption after an interruption."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from digit_files import digits, save_npz
from tiny_data import FONTS, tiny_data

from batchocr.errors import UsageError
from batchocr.recognition.calibration import Floats
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.model_file import read_detector, read_sidecar, shipped_model
from batchocr.recognition.network import open_device
from batchocr.training import epoch_progress
from batchocr.training import run_folder as folder
from batchocr.training.catalogue import SYSTEMS
from batchocr.training.crop_collection import CropAmounts, load_crops
from batchocr.training.default import DefaultRecipe
from batchocr.training.detection.fit import DetectorRecipe, compile_detector, load_weights
from batchocr.training.train import Material
from batchocr.training.train import train as train_any

TINY = DefaultRecipe(epochs=2, steps=12, batch=32, average=0.8, precision="float32", amounts=CropAmounts(12, 6))
TINY_DETECTOR = DetectorRecipe(epochs=1, steps=1)


def train(data: Path, out: Path, recipe: DefaultRecipe = TINY, *, resume: bool = False) -> Path:
    more = (data / "more.npz",) if (data / "more.npz").exists() else ()
    material = Material(FONTS, more=more)
    return train_any("default", data, out, material=material, default=recipe, seed=recipe.seed, resume=resume, jobs=0)


# Training


@contextmanager
def stopped_after_an_epoch() -> Iterator[None]:
    """Raise KeyboardInterrupt when the log has the line of an epoch, and suppress it outside of the block."""

    def stop(record: logging.LogRecord) -> bool:
        if record.getMessage().startswith("epoch "):
            raise KeyboardInterrupt
        return True

    before = epoch_progress.log.level
    epoch_progress.log.setLevel(logging.INFO)
    epoch_progress.log.addFilter(stop)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        epoch_progress.log.removeFilter(stop)
        epoch_progress.log.setLevel(before)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_data(tmp_path_factory.mktemp("data"))
    more = digits(80, 3)
    save_npz(folder / "more.npz", x=more.images[:, 4:24, 4:24], y=more.labels)
    return folder


@pytest.fixture(scope="module", autouse=True)
def on_the_cpu() -> None:
    open_device("cpu")


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(data, tmp_path_factory.mktemp("model"))


def history(out: Path) -> list[dict[str, float]]:
    """Return the figures of each epoch, without its seconds."""
    return [{k: v for k, v in e.items() if k != "seconds"} for e in folder.read_history(out / "history.csv")]


def probabilities(model: Path) -> Floats:
    return Classifier(model, device="cpu", batch_size=64).classify(digits(60, 9).images)


def test_a_trained_model_can_be_used(trained: Path) -> None:
    assert trained.name == "model.keras"
    classifier = Classifier(trained, device="cpu", batch_size=64)
    given = digits(60, 9)
    read = classifier.classify(given.images)
    assert np.allclose(read.sum(axis=1), 1)
    assert (read.argmax(axis=1) == given.labels).mean() > 0.2  # two epochs of a few digits: better than chance


def test_its_sidecar_describes_the_training(trained: Path) -> None:
    sidecar = read_sidecar(trained)
    assert (sidecar.name, sidecar.seed, sidecar.keras) == ("default", TINY.seed, keras.__version__)
    assert (sidecar.input_shape, sidecar.input_dtype) == ((28, 28), "uint8")
    assert 0.25 <= sidecar.temperature <= 8
    assert sidecar.parameters == SYSTEMS["default"].parameters
    assert sidecar.classes == (*"0123456789", "none")
    assert "without held-out writers and pages, more.npz (without its last eighth)" in sidecar.data
    for name in ("held_out_hand_accuracy", "held_out_more_accuracy", "held_out_none near_accuracy", "test_accuracy"):
        assert 0 <= sidecar.metrics[name] <= 1


def test_its_crops_are_kept_by_group(trained: Path) -> None:
    collections = load_crops(trained.with_name("crops.npz"))
    assert {"mnist", "semeion", "numbers-ch", "more", "hand", "real pages", "none near"} <= set(collections.groups)
    assert {"mnist", "more", "hand", "real pages"} <= set(collections.held_out)
    assert len(collections.groups["mnist"]) == 300 and len(collections.held_out["mnist"]) == 50
    assert (len(collections.groups["more"]), len(collections.held_out["more"])) == (70, 10)


def test_the_model_is_saved_without_its_optimiser(trained: Path) -> None:
    assert getattr(keras.saving.load_model(trained), "optimizer", None) is None


@pytest.fixture(scope="module")
def interrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, float]], bool, Path]:
    """Return the history after one epoch, whether a model existed then, and the model after resuming."""
    out = tmp_path_factory.mktemp("interrupted")
    with stopped_after_an_epoch():
        train(data, out)
    first, was_whole = history(out), (out / "model.keras").exists()
    return first, was_whole, train(data, out, resume=True)


def test_an_interrupted_training_resumes_after_the_last_epoch(
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


def test_an_interrupted_training_gives_the_same_model(
    interrupted: tuple[list[dict[str, float]], bool, Path], trained: Path
) -> None:
    assert history(interrupted[2].parent)[1] == pytest.approx(history(trained.parent)[1], abs=1e-3)
    assert np.allclose(probabilities(interrupted[2]), probabilities(trained), atol=1e-3)


@pytest.mark.parametrize("change", [{"seed": 5}, {"epochs": 9}])
def test_the_folder_of_another_training_is_refused(change: dict[str, Any], trained: Path, data: Path) -> None:
    before = history(trained.parent)
    with pytest.raises(UsageError, match="holds another training"):
        train(data, trained.parent, replace(TINY, **change), resume=True)
    assert history(trained.parent) == before


def test_without_resume_a_training_is_not_changed(trained: Path, data: Path) -> None:
    before = trained.read_bytes()
    with pytest.raises(UsageError, match=r"holds a training; resume it with --resume, or give another --out"):
        train(data, trained.parent)
    assert trained.read_bytes() == before


def test_data_without_a_test_split_are_refused_before_any_work(data: Path, tmp_path: Path) -> None:
    for path in data.iterdir():
        (tmp_path / path.name).symlink_to(path)
    half = digits(150)
    (tmp_path / "mnist.npz").unlink()
    save_npz(tmp_path / "mnist.npz", x_train=half.images, y_train=half.labels)
    with pytest.raises(UsageError, match="has no test split"):
        train(tmp_path, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_fonts_must_be_given(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give a folder of fonts as --fonts"):
        train_any("default", data, tmp_path / "model")


# The detector


def train_detector(data: Path, out: Path, **options: Any) -> Path:
    return train_any("detector", data, out, material=Material(FONTS, **options), detector=TINY_DETECTOR, jobs=1)


def test_a_trained_detector_can_be_used_and_trained_further(data: Path, tmp_path: Path) -> None:
    before = multiprocessing.active_children()
    path = train_detector(data, tmp_path / "first")
    assert set(multiprocessing.active_children()) <= set(before)  # the processes that make patches have ended
    sidecar, file = read_detector(path)
    assert (sidecar.name, sidecar.parameters) == ("detector", SYSTEMS["detector"].parameters)
    assert sidecar.metrics["epochs"] == 1
    network = file.load()
    assert network(np.zeros((1, 64, 64, 2), np.uint8)).shape == (1, 16 * 16 + 8 * 8 + 4 * 4, 23)
    for mine, other in zip(
        compile_detector(TINY_DETECTOR, load_weights(path)).variables, network.variables, strict=True
    ):
        assert np.array_equal(mine, other)


def test_another_model_is_refused_as_a_start(data: Path, tmp_path: Path) -> None:
    for start, says in ((shipped_model(), "is not a detector"), (tmp_path / "none.keras", "cannot be used")):
        with pytest.raises(UsageError, match=rf"{start.name}: {says}.*; give another --start"):
            train_detector(data, tmp_path / "run", start=start)
    (tmp_path / "some.keras").write_bytes(b"no network")
    with pytest.raises(UsageError, match="give another --start"):
        train_detector(data, tmp_path / "run", start=tmp_path / "some.keras")
    assert not (tmp_path / "run").exists()
