"""Training of the five teaching systems, as their tutorials did it, without augmentation."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np

from batchocr.datasets.digits import Digits, DigitSplits, Labels
from batchocr.errors import UsageError
from batchocr.records import Crops
from batchocr.training.catalogue import Recipe, System
from batchocr.training.epoch_progress import EpochProgress, ProgressOptions
from batchocr.training.networks import build
from batchocr.training.run_folder import Checkpoint, claim, make_repeatable, resumed
from batchocr.training.trained_model import TrainedModel

MIN_HELD_OUT = 10
"""Minimum number of held-out digits; with fewer a temperature says nothing."""


class _Shuffled(keras.utils.PyDataset):
    """All digits once per epoch, in an order that depends on the seed and the epoch alone."""

    def __init__(self, digits: Digits, batch: int, seed: int, first_epoch: int) -> None:
        super().__init__()
        self.digits, self.batch, self.seed, self.epoch = digits, batch, seed, first_epoch
        self.order = self._shuffle()

    def _shuffle(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.random.default_rng((self.seed, self.epoch)).permutation(len(self.digits))

    def __len__(self) -> int:
        return -(-len(self.digits) // self.batch)

    def __getitem__(self, index: int) -> tuple[Crops, Labels]:
        batch = self.digits.take(self.order[index * self.batch : (index + 1) * self.batch])
        return batch.images, batch.labels

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self.order = self._shuffle()


def fit_tutorial(
    system: System,
    name: str,
    data: DigitSplits,
    out: Path,
    *,
    epochs: int | None,
    seed: int,
    resume: bool,
    progress: ProgressOptions,
) -> TrainedModel:
    """Train a teaching system by one of its recipes.

    Args:
        system: The system.
        name: Name of the recipe.
        data: The digits.
        out: Folder of the training.
        epochs: Number of epochs; the recipe's by default. A resumed training may have more than before.
        seed: Seed of all random draws.
        resume: Whether the training in `out` is resumed.
        progress: How progress is reported.

    Returns:
        The trained network and the sets it is measured on.

    Raises:
        UsageError: The data does not fit, or the folder holds another training.
    """
    recipe = system.recipes[name]
    recipe = replace(recipe, epochs=epochs or recipe.epochs)
    whole = data.train_split()
    held_out_count = round(len(whole) * recipe.held_out)
    if held_out_count < MIN_HELD_OUT:
        min_digits = round(MIN_HELD_OUT / recipe.held_out)
        raise UsageError(
            f"{data.name}: {len(whole)} digits to train on are too few; at least {min_digits} are required"
        )
    trained_on, held_out = whole.take(slice(None, -held_out_count)), whole.take(slice(-held_out_count, None))
    account = {"system": system.name, "recipe": name, "data": data.sha256, "seed": seed, **asdict(recipe)}
    claim(out, {k: v for k, v in account.items() if k != "epochs"}, resume=resume)
    return TrainedModel(
        model=_fit(system, recipe, trained_on, held_out, out, seed, progress),
        trained_on=trained_on,
        count=len(trained_on),
        held_out=held_out,
        held_out_name="validation",
        held_out_description="digits of the train split kept out of the training",
        other_sets={},
        data=f"train split of {Path(data.name).name} without its last {held_out_count}",
    )


def _fit(
    system: System,
    recipe: Recipe,
    trained_on: Digits,
    held_out: Digits,
    out: Path,
    seed: int,
    progress: ProgressOptions,
) -> keras.Model:
    make_repeatable(seed, xla=recipe.xla)
    model, done = resumed(out)
    if len(done) > recipe.epochs:
        raise UsageError(f"{out}: has {len(done)} epochs already; give at least as many as --epochs")
    if model is None:
        model = build(system.name, scaled=recipe.scaled)
        optimizer = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}[recipe.optimizer](recipe.rate)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=recipe.xla)
    if len(done) < recipe.epochs:
        batches = _Shuffled(trained_on, recipe.batch, seed, len(done))
        model.fit(
            batches,
            validation_data=(held_out.images, held_out.labels),
            validation_batch_size=500,
            initial_epoch=len(done),
            epochs=recipe.epochs,
            verbose=0,
            shuffle=False,
            callbacks=[
                Checkpoint(out, seed, done, stride=len(batches)),
                EpochProgress(done, recipe.epochs, len(batches), progress),
            ],
        )
    clean = build(system.name, scaled=recipe.scaled)
    clean.set_weights(model.get_weights())
    return clean
