"""A detector with fixed weights: it detects separate dark blobs of about 40 px as handwritten digits 7."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from batchocr.recognition.detector import CHANNELS
from batchocr.recognition.model_file import DIGITS, STRIDES, DetectorSidecar, sha256
from batchocr.records import SIGNS

WINDOW, HALF = 48, 24.0
"""Side of the square whose ink gives heat, and distance from the centre to each side of a box, in pixels."""
SEVEN = 7


def write_tiny_detector(path: Path) -> Path:
    """Write the network and its sidecar."""
    import keras
    from keras import layers

    tiles = layers.Input((None, None, 2), dtype="uint8")
    ink = layers.Rescaling(1 / 127.5, offset=-0.5)(tiles)
    parts = []
    for stride in STRIDES:
        window = WINDOW if stride == 16 else stride
        pooled = layers.AveragePooling2D(window, strides=stride, padding="same")(ink)
        cells = layers.Conv2D(CHANNELS, 1, name=f"boxes_{stride}")(pooled)
        parts.append(layers.Reshape((-1, CHANNELS))(cells))
    network = keras.Model(tiles, layers.Concatenate(axis=1)(parts))
    for stride in STRIDES:
        kernel, bias = np.zeros((1, 1, 2, CHANNELS), np.float32), np.zeros(CHANNELS, np.float32)
        bias[:3] = -20
        if stride == 16:
            kernel[0, 0, 0, 0] = 200  # a tenth of the window is ink: 20 - 8
            bias[0] = -8
        bias[3:7] = np.log(np.expm1(HALF / (2 * stride)))
        bias[7 + SEVEN] = 8
        network.get_layer(f"boxes_{stride}").set_weights([kernel, bias])
    network.save(path)
    DetectorSidecar(
        name="tiny",
        classes=(*DIGITS, *SIGNS),
        input_shape=(None, None, 2),
        input_dtype="uint8",
        strides=STRIDES,
        keras=keras.__version__,
        data="fixed weights",
        seed=0,
        sha256=sha256(path),
    ).write(path.with_suffix(".json"))
    return path
