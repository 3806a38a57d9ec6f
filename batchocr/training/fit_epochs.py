"""The epochs of a training that goes on where it was interrupted."""

from __future__ import annotations

from pathlib import Path

import keras

from batchocr.training.epoch_progress import EpochProgress, ProgressOptions
from batchocr.training.run_folder import Checkpoint, Epoch

STRIDE = 1_000_000
"""By how much the state of dropout's generator grows in an epoch; more than the steps of any."""


def fit_epochs(
    model: keras.Model,
    batches: keras.utils.PyDataset,
    done: list[Epoch],
    out: Path,
    *,
    seed: int,
    epochs: int,
    steps: int,
    progress: ProgressOptions,
) -> None:
    """Train the epochs that are missing, so that the model has its averaged weights.

    Args:
        model: The compiled model after the epochs that are done.
        batches: The batches of an epoch.
        done: The figures of the epochs that are done; each new one is appended.
        out: Folder of the training; each epoch is saved there.
        seed: Seed of the training.
        epochs: Number of epochs of the whole training.
        steps: Batches of an epoch.
        progress: How progress is reported.
    """
    if len(done) >= epochs:
        model.optimizer.finalize_variable_values(model.trainable_variables)
        return
    # one call, because Keras puts the averaged weights in place at its end only
    model.fit(
        batches,
        initial_epoch=len(done),
        epochs=epochs,
        verbose=0,
        shuffle=False,
        callbacks=[Checkpoint(out, seed, done, stride=STRIDE), EpochProgress(done, epochs, steps, progress)],
    )
