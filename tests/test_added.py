"""`batchocr train --add`: training goes on with corrected crops, and keeps what the model knew."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from command import here
from digit_files import digits, whole_npz

from batchocr.datasets.corrected_crops import CorrectedCrops, load_corrected_crops, save_corrected_crops
from batchocr.datasets.digits import Digits, load
from batchocr.errors import ModelError, UsageError
from batchocr.recognition.model_file import read_sidecar, shipped_model
from batchocr.training.added import AddedRecipe, continued, fit_added, load_start
from batchocr.training.epoch_progress import ProgressOptions
from batchocr.training.trained_model import probabilities

RECIPE = AddedRecipe(epochs=2, steps=8, batch=40, rate=1e-3, average=0.5)
QUIET = ProgressOptions(write=lambda line: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of corrected crops: upside-down digits that no model knows, and some that are no digits."""
    folder = tmp_path_factory.mktemp("crops")
    given = digits(60, 3)
    turned = Digits(given.images[:, ::-1].copy(), given.labels)
    save_corrected_crops(folder, CorrectedCrops(turned, given.images[:6].transpose(0, 2, 1).copy()))
    return folder


def right(model: keras.Model, some: Digits) -> float:
    return float((probabilities(model, some.images).argmax(axis=1) == some.labels).mean())


def test_crops_are_kept_with_their_labels(folder: Path) -> None:
    crops = load_corrected_crops(folder)
    assert (len(crops.digits), len(crops.others)) == (60, 6)
    assert crops.all().labels.tolist()[-7:] == [int(crops.digits.labels[-1]), *[10] * 6]
    assert len(load(folder / "digits.npz").select(None)) == 60


def test_it_learns_what_was_corrected_and_forgets_nothing(folder: Path, tmp_path: Path) -> None:
    start, known = load_start(shipped_model()), digits(350, 1)
    added = load_corrected_crops(folder).all()
    before = right(start, added)
    model = continued(start, known, added, RECIPE, tmp_path / "run", QUIET)
    assert right(model, added) > before + 0.2
    assert right(model, digits(100, 2)) >= right(start, digits(100, 2)) - 0.02
    assert right(start, added) == before
    again = continued(start, known, added, RECIPE, tmp_path / "again", QUIET)
    assert np.array_equal(probabilities(model, added.images), probabilities(again, added.images))


def test_the_model_that_it_started_with_answers_for_crops_between_digits(folder: Path, tmp_path: Path) -> None:
    data = load(whole_npz(tmp_path / "known.npz"))
    trained = fit_added(data, (folder,), shipped_model(), tmp_path / "run", RECIPE, resume=False, progress=QUIET)
    assert len(trained.other_sets["held_out_added_accuracy"]) == 6
    assert "digits.keras, and then 60 crops that a person corrected" in trained.data
    with pytest.raises(UsageError, match="holds a training"):
        fit_added(data, (folder,), shipped_model(), tmp_path / "run", RECIPE, resume=False, progress=QUIET)


def test_the_command_writes_a_model_for_a_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batchocr.training.train.AddedRecipe", lambda seed: RECIPE)
    data = whole_npz(tmp_path / "known.npz")
    ended = here("train", "--data", data, "--add", folder, "--out", tmp_path / "own", "--epochs", "1")
    assert ended.code == 0, ended.err
    model = tmp_path / "own" / "model.keras"
    assert len(read_sidecar(model).classes) == 11
    assert json.loads((tmp_path / "own" / "metrics.json").read_text())["recipe"] == "added"


def test_what_does_not_fit_is_refused(folder: Path, tmp_path: Path) -> None:
    data = whole_npz(tmp_path / "known.npz")
    given = ("train", "--data", data, "--out", tmp_path / "own")
    ended = here(*given, "--add", folder, "--system", "mlp-512")
    assert ended.code == 2 and "--add: continues the training of a classifier" in ended.err
    assert here(*given, "--add", tmp_path / "none").code == 2
    few = tmp_path / "few"
    save_corrected_crops(few, CorrectedCrops(digits(3, 1), np.empty((0, 28, 28), np.uint8)))
    with pytest.raises(UsageError, match="3 crops; give at least 10"):
        fit_added(load(data), (few,), shipped_model(), tmp_path / "own", RECIPE, resume=False, progress=QUIET)
    other = tmp_path / "other.keras"
    inputs = keras.layers.Input((28, 28))
    keras.Model(inputs, keras.layers.Dense(10)(keras.layers.Flatten()(inputs))).save(other)
    with pytest.raises(ModelError, match="has another input or other classes"):
        load_start(other)
