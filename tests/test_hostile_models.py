"""Model files made by an attacker, each with a matching sidecar: refused in one line, without running their code."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from command import Ended, here, rows
from digit_files import digits
from hostile_models import (
    ARCHIVES,
    HELD,
    NETWORKS,
    Prey,
    Touch,
    a_function_by_name,
    an_input_without_shape,
    code_of_a_function,
    kernel,
    packed,
)
from keras import layers

from batchocr.errors import ModelError
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.keras_archive_check import ALLOWED, PARAMETERS, KerasFile, Refused
from batchocr.recognition.model_file import DIGITS, read_model, read_sidecar, sha256, shipped_model, sidecar_path
from batchocr.training.catalogue import SYSTEMS
from batchocr.training.networks import build


def put(path: Path, content: bytes) -> Path:
    """Write a model and a sidecar with its sha256."""
    path.write_bytes(content)
    changes = {"sha256": sha256(path), "classes": DIGITS, "calibration": None}
    read_sidecar(shipped_model()).model_copy(update=changes).write(sidecar_path(path))
    return path


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("harmless") / "m.keras"
    images = [layers.Input((28, 28), dtype="uint8"), layers.Rescaling(1 / 255)]
    keras.Sequential([*images, layers.Flatten(), layers.Dense(10, activation="softmax")]).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def prey(harmless: dict[str, bytes], tmp_path: Path) -> Prey:
    return Prey(harmless, tmp_path / "marker")


def run(model: Path, one_digit: Path) -> Ended:
    return here("run", one_digit, "--model", model, "--device", "cpu", "--out", model.with_name("results.csv"))


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_with_other_than_plain_layers_is_refused(
    kind: str, prey: Prey, one_digit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, says = NETWORKS[kind]
    monkeypatch.syspath_prepend(prey.marker.parent)
    model = put(prey.marker.with_name("m.keras"), packed(make(prey)))
    refused(run(model, one_digit), model, says)
    assert not prey.marker.exists()


def refused(ended: Ended, model: Path, says: str) -> None:
    assert ended.code == 5, ended.err
    assert ended.err.startswith(f"batchocr: {model}: ") and says in ended.err
    assert ended.err.count("\n") == 1 and ended.err.removesuffix("\n").isprintable()
    assert not model.with_name("results.csv").exists()


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_with_other_than_its_three_files_is_refused(kind: str, prey: Prey, one_digit: Path) -> None:
    make, says = ARCHIVES[kind]
    model = put(prey.marker.with_name("m.keras"), make(prey))
    refused(run(model, one_digit), model, says)
    assert not prey.marker.exists()


@pytest.mark.parametrize("kind", HELD)
def test_weights_that_are_not_plain_numbers_in_the_file_are_refused(kind: str, prey: Prey, one_digit: Path) -> None:
    make, says = HELD[kind]
    model = put(prey.marker.with_name("m.keras"), packed(make(prey)))
    refused(run(model, one_digit), model, says)


# Sizes, and changes between check and use


def test_a_file_too_large_for_a_model_is_not_read(prey: Prey, one_digit: Path) -> None:
    model = put(prey.marker.with_name("m.keras"), packed(prey.members))
    os.truncate(model, PARAMETERS.max_file_bytes + 1)
    refused(run(model, one_digit), model, "has 536,870,913 bytes, more than the 536,870,912 that are read")


def test_a_sidecar_too_large_is_not_read(prey: Prey, one_digit: Path) -> None:
    model = put(prey.marker.with_name("m.keras"), packed(prey.members))
    os.truncate(sidecar_path(model), 2**30)
    refused(run(model, one_digit), model.with_suffix(".json"), "more than the 1,048,576 that are read")


def test_a_sidecar_that_is_a_pipe_is_not_opened(prey: Prey, one_digit: Path) -> None:
    model = put(prey.marker.with_name("m.keras"), packed(prey.members))
    sidecar_path(model).unlink()
    os.mkfifo(sidecar_path(model))
    refused(run(model, one_digit), model.with_suffix(".json"), "the model's sidecar is missing")


def test_the_checked_bytes_are_loaded(prey: Prey) -> None:
    model = put(prey.marker.with_name("m.keras"), packed(prey.members))
    _, file = read_model(model)
    model.write_bytes(packed(code_of_a_function(prey)))
    assert file.load().output_shape == (None, 10)


def test_no_copy_is_left_behind(prey: Prey, monkeypatch: pytest.MonkeyPatch) -> None:
    room = prey.marker.with_name("room")
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    Classifier(put(prey.marker.with_name("m.keras"), packed(prey.members)), device="cpu")
    assert not list(room.iterdir())


def test_if_no_copy_can_be_made_the_message_has_the_fix(prey: Prey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(prey.marker.with_name("none")))
    with pytest.raises(ModelError, match=r"no copy can be made .*No such file.*set TMPDIR to another folder"):
        Classifier(put(prey.marker.with_name("m.keras"), packed(prey.members)), device="cpu")


@pytest.mark.parametrize("make", [kernel(shape=(3, 4)), an_input_without_shape])
def test_an_error_in_keras_is_reported_in_one_line(make: Callable[[Prey], dict[str, bytes]], prey: Prey) -> None:
    model = put(prey.marker.with_name("m.keras"), packed(make(prey)))
    with pytest.raises(ModelError, match=r"m\.keras: Keras .* cannot load it \(.*\); choose another model$"):
        Classifier(model, device="cpu")


# Files that trainings read


def test_a_training_resumes_only_from_plain_layers(prey: Prey) -> None:
    data, out = prey.marker.with_name("digits.npz"), prey.marker.with_name("run")
    given = digits(600)
    np.savez(data, x_train=given.images, y_train=given.labels)
    train = ("train", "--system", "softmax-15", "--data", data, "--out", out)
    assert here(*train, "--epochs", "1").code == 0
    (out / "epoch-001.keras").write_bytes(packed(a_function_by_name("os", "system", command="touch MARKER")(prey)))
    ended = here(*train, "--epochs", "2", "--resume")
    assert ended.code == 2
    assert "epoch-001.keras: cannot be resumed (contains 'keras.layers.Lambda'" in ended.err
    assert not prey.marker.exists()


def test_digits_with_a_pickle_are_refused(prey: Prey) -> None:
    data = prey.marker.with_name("digits.npz")
    pickled: Any = {"x": np.array([Touch(prey.marker)], dtype=object), "y": np.zeros(1, np.uint8)}
    np.savez(data, **pickled)
    ended = here("evaluate", "--data", data)
    assert ended.code == 2 and str(data) in ended.err
    assert not prey.marker.exists()


# Accepted files


def test_the_harmless_model_is_read(prey: Prey, one_digit: Path) -> None:
    """Shows that the files above are refused because of the attack in them."""
    model = put(prey.marker.with_name("m.keras"), packed(prey.members))
    ended = run(model, one_digit)
    assert ended.code == 0, ended.err
    assert len(rows(model.with_name("results.csv"))) <= 1


def test_a_network_of_the_user_is_read(tmp_path: Path, one_digit: Path) -> None:
    """It has many kinds of layers, branches and a nested network, and is compiled with a function of the user."""
    images = layers.Input((28, 28), dtype="uint8")
    x = layers.Reshape((28, 28, 1))(layers.Rescaling(1 / 255)(images))
    x = layers.SeparableConv2D(8, 3, depthwise_initializer="he_normal")(layers.GaussianNoise(0.1)(x))
    x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    inner = keras.Sequential([layers.Conv2D(8, 3, padding="same", kernel_regularizer="l2"), layers.PReLU()])
    x = layers.Concatenate()([layers.Add()([x, inner(x)]), layers.SpatialDropout2D(0.2)(x)])
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(layers.Activation("gelu")(x)))
    x = layers.Dense(16, kernel_constraint=keras.constraints.MaxNorm(2))(layers.LayerNormalization()(x))
    model = keras.Model(images, layers.Softmax()(layers.Dense(10)(layers.Dropout(0.5)(x))))
    model.compile("rmsprop", loss=lambda true, found: keras.ops.mean(true - found))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "m.keras")
    path = put(tmp_path / "m.keras", (tmp_path / "m.keras").read_bytes())
    assert run(path, one_digit).code == 0
    given = digits(20).images
    assert np.allclose(np.asarray(read_model(path)[1].load()(given)), np.asarray(model(given)), atol=1e-6)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_has_only_plain_layers(name: str, tmp_path: Path) -> None:
    model = build(name)
    model.save(tmp_path / "m.keras")
    loaded = KerasFile((tmp_path / "m.keras").read_bytes()).load()
    shape = [side or 64 for side in model.input_shape[1:]]  # the detector takes tiles of any size
    given = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
    assert np.allclose(np.asarray(loaded(given)), np.asarray(model(given)), atol=1e-6)


def test_allowed_classes_are_of_keras_and_load_no_other_files() -> None:
    for name in ALLOWED - {"keras.src.models.functional.Functional"}:
        found: Any = keras
        for part in name.split(".")[1:]:
            found = getattr(found, part)
        assert isinstance(found, type) and found.__module__.startswith("keras.src."), name
        assert not hasattr(found, "load_assets"), name


def test_the_shipped_model_is_refused_with_another_file_in_its_archive() -> None:
    content = shipped_model().read_bytes()
    assert hashlib.sha256(KerasFile(content).content).hexdigest() == read_sidecar(shipped_model()).sha256
    held = io.BytesIO(content)
    with zipfile.ZipFile(held, "a") as archive:
        archive.writestr("x", b"")
    with pytest.raises(Refused, match="contains the file 'x'"):
        KerasFile(held.getvalue())
