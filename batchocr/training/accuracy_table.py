"""The accuracies of a finished training in words: what each was measured on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from batchocr.training.run_folder import HISTORY, METRICS, read_history

TRAINING = "the digits that the network learned from, averaged over the last epoch while it still learned"
SETS = {
    "validation": "digits kept out of the training; temperature and threshold are fitted on them",
    "held_out": "crops of writers and pages kept out of the training; temperature and threshold are fitted on them",
    "test": "the test split; used for nothing but this figure",
}
"""What the sets of digits in `metrics.json` are, by their names."""
CLASSES = "the class at the positions of digits and signs, on the patches of the last epoch"
NO_DETECTOR_TEST = (
    "A training measures the detector on no other data. Measure pages with known text: batchocr evaluate --detector"
)


def accuracy_lines(folder: Path) -> Iterator[str]:
    """Yield the lines of a table: set, number of digits, accuracy, and what the set is.

    Args:
        folder: The folder of a finished training, with `history.csv` and, unless it is the detector's, `metrics.json`.
    """
    last = read_history(folder / HISTORY)[-1]
    row = "{:<12}{:>10}{:>11}   {}".format
    yield row("accuracy on", "digits", "accuracy", "what it is measured on")
    if not (folder / METRICS).exists():
        yield row("classes", "", f"{last['class_accuracy']:.2%}", CLASSES)
        yield NO_DETECTOR_TEST
        return
    metrics: dict[str, Any] = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    yield row("training", f"{metrics['digits_trained_on']:,}", f"{last['accuracy']:.2%}", TRAINING)
    for name, meaning in SETS.items():
        if name in metrics:
            figures = metrics[name]
            yield row(name.replace("_", " "), f"{figures['count']:,}", f"{figures['accuracy']:.2%}", meaning)
