"""The named systems: networks from 28×28 pictures to the probabilities of ten digits.

Every network takes uint8 pictures and scales them inside the graph, and is built of Keras's own layers only,
so that its file loads under any of Keras's backends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

DEFAULT = "default"


def _convolution(x: Any, filters: int, size: int = 3, stride: int = 1, padding: str = "same") -> Any:
    x = layers.Conv2D(filters, size, strides=stride, padding=padding, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x)


def default() -> keras.Model:
    """The shipped network: five convolutions, 177,000 parameters, 8 million multiplications a digit."""
    pictures = layers.Input((28, 28), dtype="uint8", name="crops")
    x = layers.Rescaling(1 / 255)(pictures)
    x = layers.Reshape((28, 28, 1))(x)
    x = _convolution(x, 32, size=5, stride=2)
    x = _convolution(x, 40)
    x = _convolution(x, 64, stride=2)
    x = _convolution(x, 80)
    x = _convolution(x, 128, padding="valid")
    x = layers.Flatten()(layers.MaxPooling2D(2, padding="same")(x))
    x = layers.Dropout(0.4)(x)
    digits = layers.Dense(10, activation="softmax", dtype="float32", name="digits")(x)
    return keras.Model(pictures, digits, name="default")


SYSTEMS: dict[str, Callable[[], keras.Model]] = {DEFAULT: default}
