"""How the default system is trained: digits drawn on sheets, cut out by vision, averaged weights."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from batchocr.errors import UsageError
from batchocr.records import Crops
from batchocr.training.catalogue import DEFAULT
from batchocr.training.datasets import Digits, Halves
from batchocr.training.fitted import Fitted
from batchocr.training.folder import Checkpoint, claim, make_repeatable, resumed
from batchocr.training.sheets import cut_many
from batchocr.training.zoo import build

HELD_OUT = 5000
"""Digits of the train half that are only measured on: the last ones, by other writers than the first."""
DROPOUT_STRIDE = 1
"""An epoch's dropout is that of the one before, a step later; so the shipped model was made."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SheetsRecipe:
    """How the default system is trained."""

    epochs: int = 40
    batch: int = 256
    rate: float = 2e-3
    decay: float = 1e-3
    drawings: int = 8
    """Times each digit is drawn anew and cut out by vision."""
    originals: float = 0.2
    """Share of each batch taken from the pictures as they came."""
    smoothing: float = 0.03
    average: float = 0.999
    """Momentum of the averaged weights that are kept in the end."""
    seed: int = 2017


class _Mixed(keras.utils.PyDataset):
    """Batches of drawn digits and originals, each moved by up to a pixel; the same batches for the same seed."""

    def __init__(self, drawn: Digits, originals: Digits, recipe: SheetsRecipe, classes: int, first_epoch: int) -> None:
        super().__init__()
        self.drawn, self.originals, self.recipe = drawn, originals, recipe
        self.classes, self.epoch = np.eye(classes, dtype=np.float32), first_epoch
        self.from_originals = round(recipe.batch * recipe.originals)

    def __len__(self) -> int:
        return len(self.originals) // (self.recipe.batch - self.from_originals)

    def __getitem__(self, index: int) -> tuple[Crops, NDArray[np.float32]]:
        rng = np.random.default_rng((self.recipe.seed, self.epoch, index))
        a = self.drawn.part(rng.integers(0, len(self.drawn), self.recipe.batch - self.from_originals))
        b = self.originals.part(rng.integers(0, len(self.originals), self.from_originals))
        pictures = np.concatenate([a.pictures, b.pictures])
        for i, (dy, dx) in enumerate(rng.integers(-1, 2, (len(pictures), 2))):
            pictures[i] = np.roll(pictures[i], (dy, dx), axis=(0, 1))
        return pictures, self.classes[np.concatenate([a.labels, b.labels])]

    def on_epoch_end(self) -> None:
        self.epoch += 1


def _compile(model: keras.Model, recipe: SheetsRecipe, steps: int) -> None:
    """AdamW down a cosine, with averaged weights."""
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.rate / 20, recipe.epochs * steps, warmup_target=recipe.rate, warmup_steps=steps // 2
    )
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=recipe.decay, use_ema=True, ema_momentum=recipe.average),
        keras.losses.CategoricalCrossentropy(label_smoothing=recipe.smoothing),
        metrics=["accuracy"],
        jit_compile=False,
    )


def _fit(drawn: Digits, originals: Digits, recipe: SheetsRecipe, out: Path, verbose: int) -> keras.Model:
    """Train, saving after each epoch; an interrupted training goes on. The averaged weights are in place in the end."""
    make_repeatable(recipe.seed)
    model, epochs = resumed(out)
    batches = _Mixed(drawn, originals, recipe, 10, len(epochs))
    if model is None:
        model = build(DEFAULT)
        _compile(model, recipe, len(batches))
    if len(epochs) < recipe.epochs:
        # one call: at its end, and only there, Keras puts the averaged weights in place
        model.fit(
            batches,
            initial_epoch=len(epochs),
            epochs=recipe.epochs,
            verbose=verbose,
            shuffle=False,
            callbacks=[Checkpoint(out, recipe.seed, epochs, stride=DROPOUT_STRIDE, tell=not verbose)],
        )
    else:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    _settle(model, batches)
    return model


def _settle(model: keras.Model, batches: _Mixed) -> None:
    """Batch normalisation's statistics anew for the averaged weights, which no batch has yet gone through."""
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momentum = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.95
    for index in range(100):
        model(batches[index % len(batches)][0], training=True)
    for layer, value in zip(norms, momentum, strict=True):
        layer.momentum = value


def fit_default(data: Halves, out: Path, recipe: SheetsRecipe, *, resume: bool, jobs: int, verbose: int) -> Fitted:
    """Train the default system; its averaged weights are in place in the end.

    The last 5,000 digits of the train half are kept out; drawn on sheets and cut out again they measure it.
    Raises UsageError for unfit data or another training's folder.
    """
    whole = data.to_train_on()
    data.half("test")  # which must be there
    if len(whole) <= 2 * HELD_OUT:
        raise UsageError(f"{data.name}: {len(whole)} digits to train on are too few; {2 * HELD_OUT} are needed")
    claim(out, {"system": DEFAULT, "data": data.sha256, **asdict(recipe)}, resume=resume)
    originals, held = whole.part(slice(None, -HELD_OUT)), whole.part(slice(-HELD_OUT, None))
    log.info("drawing %d digits %d times", len(originals), recipe.drawings)
    drawn = cut_many(originals, [recipe.seed + i for i in range(recipe.drawings)], jobs)
    held_drawn = cut_many(held, [recipe.seed + 1000 + i for i in range(4)], jobs)
    model = _fit(drawn, originals, recipe, out, verbose)
    clean = build(DEFAULT)
    clean.set_weights(model.get_weights())
    return Fitted(
        model=clean,
        seen=originals,
        held_out=held_drawn,
        held_out_name="held_out_sheets",
        also={"held_out_accuracy": held},
        data=f"train half of MNIST less its last {HELD_OUT}, drawn {recipe.drawings} times and cut out by vision",
    )
