"""Average the weights of detectors of several rounds into one detector.

`python -m batchocr.training.detection.average OUT MODEL MODEL...`. A later round starts from an earlier one, so their
weights may be averaged (Wortsman and others: *Model soups*, ICML 2022). OUT is a folder for `model.keras` and its
sidecar. The average costs no computing time in use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import keras
import numpy as np
import typer

from batchocr.training.detection.fit import MODEL, describe, load_weights
from batchocr.training.detection.network import build_detector


def average_weights(models: list[Path]) -> keras.Model:
    """Return a detector with the mean of the weights of several detectors.

    Args:
        models: `.keras` files.

    Raises:
        UsageError: A file is not a detector.
    """
    every = [load_weights(model) for model in models]
    model = build_detector()
    model.set_weights([np.mean(each, axis=0, dtype=np.float64).astype(np.float32) for each in zip(*every, strict=True)])
    return model


def main(
    out: Annotated[Path, typer.Argument(help="Folder for model.keras and model.json.")],
    models: Annotated[list[Path], typer.Argument(exists=True, help="Detectors, .keras files.")],
) -> None:
    """Average detectors."""
    out.mkdir(parents=True, exist_ok=True)
    average_weights(models).save(out / MODEL)
    describe(out / MODEL, seed=0, metrics={"averaged": len(models)})


if __name__ == "__main__":
    typer.run(main)
