"""The networks of the named systems: classifiers of 28×28 crops, and the detector.

Each network takes uint8 images, scales them inside the graph and is built of Keras's own layers only. So its file loads
under any of Keras's backends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from batchocr.training.catalogue import DEFAULT, DETECTOR, system_named
from batchocr.training.detection.network import build_detector


def _convolution(x: Any, filters: int, size: int = 3, stride: int = 1, padding: str = "same") -> Any:
    x = layers.Conv2D(filters, size, strides=stride, padding=padding, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x)


def _default(x: Any) -> Any:
    """Build six convolutions, 17 million multiplications per digit."""
    x = layers.Reshape((28, 28, 1))(x)
    x = _convolution(x, 48, size=5, stride=2)
    x = _convolution(x, 48)
    x = _convolution(x, 96, stride=2)
    x = _convolution(x, 96)
    x = _convolution(x, 192, padding="valid")
    x = _convolution(x, 192, padding="valid")
    return layers.Dropout(0.4)(layers.Flatten()(x))


def _softmax_15(x: Any) -> Any:
    return layers.Dense(15)(layers.Flatten()(x))


def _mlp_784_32(x: Any) -> Any:
    x = layers.Dense(784, activation="relu")(layers.Flatten()(x))
    return layers.Dense(32, activation="relu")(x)


def _mlp_512(x: Any) -> Any:
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Dropout(0.2)(layers.Dense(512, activation="relu")(x))
    return x


def _cnn_tutorial(x: Any) -> Any:
    x = layers.Reshape((28, 28, 1))(x)
    for filters in (32, 64):
        x = layers.MaxPooling2D(2)(layers.Conv2D(filters, 5, activation="relu")(x))
    x = layers.Dense(1024)(layers.Flatten()(x))
    return layers.Dropout(0.4)(x)


def _cnn_all_conv(x: Any) -> Any:
    x = layers.Reshape((28, 28, 1))(x)
    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    for filters in (256, 512, 1024, 2048):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
    return layers.Flatten()(layers.Conv2D(10, 3)(x))


_BODIES: dict[str, Callable[[Any], Any]] = {
    "softmax-15": _softmax_15,
    "mlp-784-32": _mlp_784_32,
    "mlp-512": _mlp_512,
    "cnn-tutorial": _cnn_tutorial,
    "cnn-all-conv": _cnn_all_conv,
    DEFAULT: _default,
}


def build(name: str, *, scaled: bool = True) -> keras.Model:
    """Build a network with new weights.

    Args:
        name: The system; see `build_detector` for the detector's shapes.
        scaled: Whether the pixels are scaled to 0 to 1; otherwise they stay 0 to 255.

    Returns:
        A network from crops (n, 28, 28) uint8 to probabilities (n, 10) float32, (n, 11) of the default system.

    Raises:
        UsageError: There is no system of that name.
    """
    system = system_named(name)
    if name == DETECTOR:
        return build_detector()
    images = layers.Input((28, 28), dtype="uint8", name="crops")
    x = _BODIES[name](layers.Rescaling(1 / 255 if scaled else 1.0)(images))
    if name == "cnn-all-conv":  # its last convolution already has the ten outputs
        digits = layers.Activation("softmax", dtype="float32", name="digits")(x)
    else:
        digits = layers.Dense(system.answers, activation="softmax", dtype="float32", name="digits")(x)
    return keras.Model(images, digits, name=name)
