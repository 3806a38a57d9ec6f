"""What a training hands over: a network, and the digits it has not seen."""

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
    """A trained network, and on what it was trained and is to be measured."""

    model: keras.Model
    trained_on: Digits
    """Digits that it was trained on, before augmentation; of the default system one group of them."""
    count: int
    """Number of all images that it was trained on, images that are not digits included."""
    held_out: Digits
    """Not trained on: they give temperature and threshold, and figures under the name `held_out_name`."""
    held_out_name: str
    held_out_description: str
    """What they are, in words."""
    other_sets: dict[str, Digits]
    """Others whose accuracy the sidecar tells, by the figure's name; that of the test half is told anyway."""
    data: str
    """What it was trained on, in words."""


def probabilities(model: keras.Model, images: Crops) -> NDArray[np.float32]:
    """(n, 10) of pictures (n, 28, 28) uint8, as the network gives them, not calibrated.

    A training that diverged leaves a network that answers NaN; it knows nothing, so each digit gets a tenth.
    """
    found = np.asarray(model.predict(images, batch_size=500, verbose=0))
    if np.isnan(found).any():
        log.warning("%s: the training diverged; what it answers is no number", model.name)
    return np.where(np.isnan(found), np.float32(1 / found.shape[1]), found)
