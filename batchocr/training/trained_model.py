"""The result of a training: a network, and the digits it is measured on."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.digits import Digits
from batchocr.records import Crops

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedModel:
    """A trained network, what it was trained on, and the sets it is measured on."""

    model: keras.Model
    trained_on: Digits
    """Digits that it was trained on, before augmentation; of the default system one group of them."""
    count: int
    """Number of all images that it was trained on, images that are not digits included."""
    held_out: Digits
    """Digits that it was not trained on. They give temperature and threshold; their figures have the name
    `held_out_name`."""
    held_out_name: str
    held_out_description: str
    """What the held-out digits are, in words."""
    other_sets: dict[str, Digits]
    """Further sets whose accuracy is in the sidecar, by the name of the figure. The test split is always there."""
    data: str
    """What it was trained on, in words."""


def probabilities(model: keras.Model, images: Crops) -> NDArray[np.float32]:
    """Return the probabilities of a network for crops, not calibrated.

    Args:
        model: The network.
        images: Crops (n, 28, 28) uint8.

    Returns:
        Probabilities (n, classes). If a training diverged and the network answers NaN, all classes have the same
        probability.
    """
    found = np.asarray(model.predict(images, batch_size=500, verbose=0))
    if np.isnan(found).any():
        log.warning("%s: the training diverged; what it answers is no number", model.name)
    return np.where(np.isnan(found), np.float32(1 / found.shape[1]), found)
