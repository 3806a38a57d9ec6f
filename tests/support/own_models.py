"""Users' models for tests: the shipped network with another sidecar or another reading file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import keras
from keras import layers

from batchocr.reading_file import NAME, OWN, read_reading
from batchocr.recognition.calibration import Level
from batchocr.recognition.model_file import (
    DIGITS,
    NOT_A_DIGIT_CLASS,
    Calibration,
    read_sidecar,
    sha256,
    shipped_detector,
    shipped_model,
    sidecar_path,
)
from batchocr.shipped import shipped


def copy_model(path: Path, **changes: Any) -> Path:
    """Copy the shipped classifier to `path` and change fields of its sidecar."""
    shutil.copy(shipped_model(), path)
    read_sidecar(shipped_model()).model_copy(update=changes).write(sidecar_path(path))
    return path


def own_reading(model: Path, **changes: Any) -> Path:
    """Write a reading file for a classifier and the shipped detector, with changed fields."""
    sidecar, path = read_sidecar(model), model.with_suffix(OWN)
    fitted = {
        "detector": sha256(shipped_detector()), "classifier": sidecar.sha256, "temperature": sidecar.temperature,
    }  # fmt: skip
    read_reading(shipped(NAME))[0].model_copy(update=fitted | changes).write(path)
    return path


def eleven_classes(path: Path) -> Path:
    """Write a network with 11 classes; its "not a digit" is 1 minus the shipped network's highest probability."""
    shipped = keras.saving.load_model(shipped_model(), compile=False)
    kernel, bias = shipped.layers[-1].get_weights()
    ten = layers.Dense(10, activation="softmax")
    digits = ten(shipped.layers[-2].output)
    ten.set_weights([kernel[:, :10], bias[:10]])
    highest = layers.Flatten()(layers.GlobalMaxPooling2D()(layers.Reshape((10, 1, 1))(digits)))
    none = layers.Rescaling(-1, offset=1, name="none")(
        highest
    )  # a fixed name, because Keras numbers default names per process
    keras.Model(shipped.input, layers.Concatenate()([layers.Multiply()([digits, highest]), none])).save(path)
    changes = {"classes": (*DIGITS, NOT_A_DIGIT_CLASS), "sha256": sha256(path), "temperature": 1.0, "calibration": None}
    read_sidecar(shipped_model()).model_copy(update=changes).write(sidecar_path(path))
    return path


def table(*highs: tuple[float, float]) -> Calibration:
    """Return a made-up error table from confidences and upper bounds of their errors."""
    levels = [
        Level(confidence=least, accepted=1000, share=0.5, wrong=1, error=0.001, low=0, high=high)
        for least, high in highs
    ]
    return Calibration(data="a made-up table", candidates=2000, rows=2000, levels=tuple(levels))
