"""Which pieces are one digit and nothing else, so that no cut of them need be looked for.

A network of three dense layers, small enough for numpy, that learned from the shipped model what that takes for none
(Hinton, Vinyals, Dean, 2015): see `batchocr.training.single`. Where it is not sure, pieces are cut, and the model says.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from batchocr.records import Crops
from batchocr.shipped import SINGLE, shipped
from batchocr.vision.normalize import SIDE

UNSURE = 0.01
"""Chance of being none from which on a piece is cut: of the pieces that ought to be, next to none lie below (see the
model's card)."""

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weights (inputs, outputs) and biases (outputs,)."""


def surely_one(crops: Crops) -> NDArray[np.bool_]:
    """Of each crop (n, 28, 28), whether it shows one digit for sure, (n,)."""
    *hidden, (weights, bias) = _layers()
    signal = crops.reshape(-1, SIDE * SIDE).astype(np.float32) / 255
    for inner, offset in hidden:
        signal = np.maximum(signal @ inner + offset, 0)
    return np.asarray((signal @ weights + bias)[:, 0] < np.log(UNSURE / (1 - UNSURE)))


@cache
def _layers() -> list[Layer]:
    """Those of the package, whose arrays are `weights_0`, `bias_0` and so on."""
    with np.load(shipped(SINGLE), allow_pickle=False) as arrays:
        count = len(arrays.files) // 2
        names = [(f"weights_{i}", f"bias_{i}") for i in range(count)]
        return [(arrays[inner].astype(np.float32), arrays[offset].astype(np.float32)) for inner, offset in names]
