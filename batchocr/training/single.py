"""Trains the small network by which vision knows single digits (`batchocr.vision.single`) from a trained model.

`python -m batchocr.training.single RUN OUT.npz`: RUN is the folder of a training of the default system. The crops drawn
there are shown to its model, and what it takes for none is learned from them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import keras
import numpy as np
import typer
from numpy.typing import NDArray

from batchocr.recognition.calibration import NONE
from batchocr.recognition.classifier import Classifier
from batchocr.records import Crops
from batchocr.training.folder import make_repeatable
from batchocr.training.gather import KEPT, kept
from batchocr.training.train import MODEL
from batchocr.vision.normalize import SIDE

MOST = 150_000
"""Crops of each group, at most."""
WIDE = 0.42
"""Times its height that a crop's ink is wide at least; narrower pieces are never cut."""
HIDDEN = (128, 16)
EPOCHS, BATCH, RATE, DECAY, SEED = 24, 1024, 3e-3, 1e-3, 2017


def wide(crops: Crops) -> NDArray[np.bool_]:
    """Which crops (n, 28, 28) may be of several digits, (n,)."""
    across, down = (crops.any(axis=axis).sum(axis=1) for axis in (1, 2))
    return np.asarray(across >= WIDE * down)


def distil(crops: Crops, none: NDArray[np.floating], epochs: int = EPOCHS) -> keras.Model:
    """A network that gives how likely crops (n, 28, 28) are `none` (n,), as a teacher says it."""
    make_repeatable(SEED)
    dense = [keras.layers.Dense(units, activation="relu") for units in HIDDEN]
    last = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Sequential([keras.Input((SIDE * SIDE,)), keras.layers.Rescaling(1 / 255), *dense, last])
    rate = keras.optimizers.schedules.CosineDecay(RATE, epochs * -(-len(crops) // BATCH))
    model.compile(keras.optimizers.AdamW(rate, weight_decay=DECAY), "binary_crossentropy")
    order = np.random.default_rng(SEED).permutation(len(crops))
    model.fit(crops[order].reshape(-1, SIDE * SIDE), none[order], batch_size=BATCH, epochs=epochs, verbose=0)
    return model


def save(model: keras.Model, path: Path) -> None:
    """Its weights in half precision, as `batchocr.vision.single` reads them."""
    arrays = [each.astype(np.float16) for each in model.get_weights()]
    names = [f"{what}_{layer}" for layer in range(len(arrays) // 2) for what in ("weights", "bias")]
    np.savez_compressed(path, allow_pickle=False, **dict(zip(names, arrays, strict=True)))


def main(
    run: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder of a finished training.")],
    out: Annotated[Path, typer.Argument(dir_okay=False, help="The weights, an .npz.")],
) -> None:
    """Train, and write the weights."""
    rng = np.random.default_rng(SEED)
    chosen = []
    for digits in kept(run / KEPT).groups.values():
        some = np.sort(rng.choice(len(digits), min(len(digits), MOST), replace=False))
        chosen.append(digits.pictures[some])
    crops = np.concatenate([pictures[wide(pictures)] for pictures in chosen])
    none = Classifier(run / MODEL).classify(crops)[:, NONE]
    save(distil(crops, none.astype(np.float32)), out)


if __name__ == "__main__":
    typer.run(main)
