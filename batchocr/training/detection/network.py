"""The detector's network: fully convolutional, features of three strides, one answer per cell of each."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from batchocr.training.detection.cells import CHANNELS, STRIDES

NAME = "detector"
HEAT_BIAS = -4.0
"""Bias of the heat, so that at first almost no cell reports a digit (focal loss: Lin and others, 2017, 4.1)."""


def _channels() -> int:
    """Return the axis of the channels; Keras may have them first, in training only."""
    return 1 if keras.config.image_data_format() == "channels_first" else -1


def _convolution(x: Any, filters: int, stride: int = 1) -> Any:
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(axis=_channels())(x))


def _residual(x: Any, filters: int) -> Any:
    """Add two convolutions with a shortcut (He and others, 2016)."""
    y = _convolution(x, filters)
    y = layers.BatchNormalization(axis=_channels())(layers.Conv2D(filters, 3, padding="same", use_bias=False)(y))
    return layers.ReLU()(layers.Add()([x, y]))


def _merged(fine: Any, coarse: Any, filters: int) -> Any:
    """Merge features of a fine stride with those of the next coarser one (feature pyramids: Lin and others, 2017)."""
    narrowed = layers.Conv2D(fine.shape[_channels()], 1)(coarse)
    return _convolution(layers.Add()([fine, layers.UpSampling2D(2)(narrowed)]), filters)


def build_detector() -> keras.Model:
    """Build a detector with new weights.

    Returns:
        A network from tiles (n, height, width, 2) uint8, whose sides are multiples of 32, to logits (n, cells,
        CHANNELS) float32. The cells are those of STRIDES, each level row by row.
    """
    tiles = layers.Input((None, None, 2), dtype="uint8", name="tiles")
    x = layers.Rescaling(1 / 64, offset=-1.0)(tiles)
    if _channels() == 1:
        x = layers.Permute((3, 1, 2))(x)
    x = _convolution(x, 16, stride=2)
    at_4 = _residual(_convolution(x, 32, stride=2), 32)
    at_8 = _residual(_residual(_convolution(at_4, 64, stride=2), 64), 64)
    at_16 = _residual(_residual(_convolution(at_8, 96, stride=2), 96), 96)
    at_32 = _residual(_convolution(at_16, 128, stride=2), 128)
    merged_16 = _merged(at_16, at_32, 96)
    merged_8 = _merged(at_8, merged_16, 64)
    merged_4 = _merged(at_4, merged_8, 64)
    answers = []
    for stride, features in zip(STRIDES, (merged_4, merged_8, merged_16), strict=True):
        heat = layers.Conv2D(3, 1, bias_initializer=keras.initializers.Constant(HEAT_BIAS), name=f"heat_{stride}")
        rest = layers.Conv2D(CHANNELS - 3, 1, name=f"boxes_{stride}")
        answer = layers.Concatenate(axis=_channels())([heat(features), rest(features)])
        if _channels() == 1:
            answer = layers.Permute((2, 3, 1))(answer)
        answers.append(layers.Reshape((-1, CHANNELS), dtype="float32", name=f"cells_{stride}")(answer))
    return keras.Model(tiles, layers.Concatenate(axis=1, dtype="float32", name="cells")(answers), name=NAME)


def multiplications(model: keras.Model, side: int = 256) -> float:
    """Return the number of multiplications per pixel of a tile with that side."""
    total = 0
    probe = keras.Model(model.input, [layer.output for layer in model.layers if isinstance(layer, layers.Conv2D)])
    shapes = [answer.shape for answer in probe(keras.ops.zeros((1, side, side, 2), "uint8"))]
    for layer, shape in zip((c for c in model.layers if isinstance(c, layers.Conv2D)), shapes, strict=True):
        kernel = layer.kernel.shape
        total += shape[1] * shape[2] * kernel[0] * kernel[1] * kernel[2] * kernel[3]
    return total / side**2
