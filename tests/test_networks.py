"""The named systems have the layers, parameters and recipes of the tutorials, and the command reports them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import here
from digit_files import digits

from batchocr.recognition.model_file import STRIDES, shipped_model
from batchocr.training.catalogue import DETECTOR, SYSTEMS
from batchocr.training.model_table import measured
from batchocr.training.networks import build

RELU_512, DROPOUT, POOL = ("Dense", 512, "relu"), ("Dropout", 0.2, ""), ("MaxPooling2D", 2, "")
TEN = ("Dense", 10, "softmax")
LAYERS: dict[str, list[tuple[str, float, str]]] = {
    "softmax-15": [("Dense", 15, "linear"), TEN],
    "mlp-784-32": [("Dense", 784, "relu"), ("Dense", 32, "relu"), TEN],
    "mlp-512": [RELU_512, DROPOUT, RELU_512, DROPOUT, TEN],
    "cnn-tutorial": [
        *[("Conv2D", 32, "relu"), POOL, ("Conv2D", 64, "relu"), POOL],
        *[("Dense", 1024, "linear"), ("Dropout", 0.4, ""), TEN],
    ],
    "cnn-all-conv": [
        *[("Conv2D", n, "relu") for n in (32, 64, 128)],
        POOL,
        *[("Conv2D", n, "relu") for n in (256, 512, 1024, 2048)],
        *[("Conv2D", 10, "linear"), ("Activation", 0, "softmax")],
    ],
}
PARAMETERS = {
    "softmax-15": 11_935,
    "mlp-784-32": 640_890,
    "mlp-512": 669_706,
    "cnn-tutorial": 1_111_946,
    "cnn-all-conv": 25_348_362,
    "default": 665_723,
}
RECIPES = {
    "softmax-15 published": ("sgd", 0.01, 128, 30),
    "mlp-784-32 scaled": ("sgd", 0.1, 500, 20),
    "mlp-784-32 literal": ("sgd", 0.01, 500, 20),
    "mlp-512 long": ("adam", 0.001, 200, 10),
    "mlp-512 short": ("adam", 0.001, 128, 4),
    "cnn-tutorial published": ("adam", 0.001, 200, 10),
    "cnn-all-conv published": ("adam", 0.001, 32, 10),
}


def test_the_detector_takes_tiles_and_has_an_output_for_each_cell() -> None:
    model = build(DETECTOR)
    (entry,) = model.inputs
    assert (entry.dtype, tuple(entry.shape)) == ("uint8", (None, None, None, 2))
    assert model.count_params() == SYSTEMS[DETECTOR].parameters
    given = np.asarray(model(np.zeros((2, 64, 96, 2), np.uint8), training=False))
    cells = sum(64 * 96 // stride**2 for stride in STRIDES)
    assert given.shape == (2, cells, SYSTEMS[DETECTOR].answers) and given.dtype == np.float32


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name != DETECTOR])
def test_every_system_takes_bytes_and_gives_probabilities(name: str) -> None:
    model = build(name)
    (entry,) = model.inputs
    assert (entry.dtype, tuple(entry.shape)) == ("uint8", (None, 28, 28))
    assert model.count_params() == SYSTEMS[name].parameters == PARAMETERS[name]
    given = np.asarray(model(digits(10).images, training=False))
    assert given.shape == (10, 11 if name == "default" else 10) and given.dtype == np.float32
    assert np.allclose(given.sum(axis=1), 1, atol=1e-5)
    if name in LAYERS:
        built = []
        for layer in model.layers:
            about = layer.get_config()
            size = next((about[key] for key in ("units", "filters", "rate") if key in about), 0)
            built.append((type(layer).__name__, size or about.get("pool_size", (0,))[0], about.get("activation", "")))
        assert [layer for layer in built if layer[0] not in ("InputLayer", "Rescaling", "Reshape", "Flatten")] == (
            LAYERS[name]
        )


def test_the_recipes_are_those_of_the_tutorials() -> None:
    recipes = {f"{s.name} {name}": recipe for s in SYSTEMS.values() for name, recipe in s.recipes.items()}
    assert {name: (r.optimizer, r.rate, r.batch, r.epochs) for name, r in recipes.items()} == RECIPES
    assert [name for name, r in recipes.items() if not r.scaled] == ["mlp-784-32 literal"]
    assert SYSTEMS["mlp-512"].recipe_name(None) == "long"


def test_pixels_are_unscaled_if_a_system_is_built_unscaled() -> None:
    scales = [build("mlp-784-32", scaled=scaled).layers[1].scale for scaled in (True, False)]
    assert scales == [1 / 255, 1.0]


def test_models_are_listed_with_published_and_measured_figures() -> None:
    ended = here("models")
    assert ended.code == 0
    lines = ended.out.splitlines()
    for name, system in SYSTEMS.items():
        (first, *_) = [line for line in lines if line.startswith(name)]
        assert f"{system.parameters:,}" in first
    assert any("long" in line and "98.39% test" in line for line in lines)
    sidecar = json.loads(shipped_model().with_suffix(".json").read_text("utf-8"))
    assert f"{sidecar['metrics']['test_accuracy']:<10} MNIST's test split, 10,000 digits" in ended.out
    assert any(line.startswith("validation ") and "kept out of the training" in line for line in lines)


def test_figures_after_fewer_epochs_are_labelled(tmp_path: Path) -> None:
    folder = tmp_path / "systems" / "mlp-512-long"
    folder.mkdir(parents=True)
    metrics = {"epochs": 3, "test": {"accuracy": 0.97}, "validation": {"accuracy": 0.98}}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    text = measured(tmp_path, "mlp-512", "long", SYSTEMS["mlp-512"].recipes["long"])
    assert text == "97.00% test, 98.00% validation, after 3 of 10 epochs"
    assert measured(tmp_path, "mlp-512", "short", SYSTEMS["mlp-512"].recipes["short"]) == ""


def test_a_summary_shows_layers_shapes_and_parameters() -> None:
    ended = here("models", "--summary", "cnn-tutorial")
    assert ended.code == 0
    for shown in ("Conv2D", "(None, 24, 24, 32)", "Dense", "1,049,600", "1,111,946"):
        assert shown in ended.out
    assert "665,723" in here("models", "--summary", "digits.keras").out
    wrong = here("models", "--summary", "oracle")
    assert wrong.code == 2 and "there is no system oracle; choose one of softmax-15" in wrong.err
