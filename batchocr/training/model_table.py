"""The systems and the shipped models as lines of text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from batchocr.recognition.model_file import (
    CLASSIFIER_FILE,
    DETECTOR_FILE,
    read_detector,
    read_model,
    read_sidecar,
    shipped_detector,
    shipped_model,
)
from batchocr.training.catalogue import SYSTEMS, Recipe

MEASURED = "systems"
"""Folder beside the shipped model that holds NAME-RECIPE/metrics.json of our own trainings."""
NOTES = (
    "published   what the tutorial reports",
    "measured    our training with seed 2017, after its last epoch; share of the digits read right",
    "test        MNIST's test split, 10,000 digits, used for nothing but this figure",
    "validation  the last digits of MNIST's train split, kept out of the training",
)
"""What the columns of the table are."""
GROUPS = {
    "hand": "handwritten digits on drawn pages",
    "print": "printed digits on drawn pages",
    "real pages": "digits on scanned pages",
    "none near": "boxes beside digits or around two of them, which are not a digit",
    "none marks": "signs and other ink, which are not a digit",
    "none paper": "blank paper, which is not a digit",
    "none found": "false detections on drawn pages, which are not a digit",
    "none on pages": "false detections on scanned pages, which are not a digit",
}
"""What the groups of crops are; other groups are public collections."""
FIGURES = {
    "held_out_accuracy": "of the digits of all held-out crops, share read right",
    "held_out_calibration_error": "mean difference between the confidence and the share read right, held-out crops",
    "held_out_digits": "digits among the held-out crops",
    "held_out_others": "held-out crops that are not a digit",
    "held_out_others_read": "of these, those that were read as a digit",
    "test_accuracy": "MNIST's test split, 10,000 digits, share read right",
    "averaged": "detectors whose weights were averaged",
    "class_accuracy": "on the patches of the last epoch, share of the positions with the right class",
    "epochs": "epochs of the training",
    "loss": "mean loss of the last epoch",
    "heat_part": "of it for the positions",
    "box_part": "of it for the boxes",
}
"""What the figures of a sidecar are."""


def table_lines() -> Iterator[str]:
    """Yield a line for each recipe of each system, the meaning of the columns, and the shipped models."""
    folder = shipped_model().parent
    row = "{:<14}{:>12}  {:<11}{:<24}{}".format
    yield row("system", "parameters", "recipe", "published", "measured")
    for system in SYSTEMS.values():
        for name in system.recipe_names:
            recipe = system.recipes.get(name)
            published = f"{recipe.figure} {recipe.on}" if recipe else ""
            figures = measured(folder, system.name, name, recipe) if recipe else "see the shipped model"
            yield row(system.name, f"{system.parameters:,}", name, published, figures).rstrip()
    yield ""
    yield from NOTES
    for path, sidecar in (
        (shipped_model(), read_sidecar(shipped_model())),
        (shipped_detector(), read_detector(shipped_detector())[0]),
    ):
        yield ""
        yield f"shipped model {path.name}: system {sidecar.name}, {sidecar.parameters:,} parameters"
        yield f"  seed {sidecar.seed}"
        yield f"  trained on {sidecar.data}"
        for key, value in sidecar.metrics.items():
            yield f"  {value:<10} {figure_meaning(key)}".rstrip()


def figure_meaning(key: str) -> str:
    """Return in words what a figure of a sidecar is.

    Args:
        key: The figure's key, for example `held_out_none near_accuracy`.
    """
    if key in FIGURES:
        return FIGURES[key]
    group = key.removeprefix("held_out_").removesuffix("_accuracy")
    if group == key:
        return key.replace("_", " ")
    share = "share recognized as such" if group.startswith("none ") else "share read right"
    return f"held-out {GROUPS.get(group, f'digits of {group}')}, {share}"


def measured(folder: Path, system: str, name: str, recipe: Recipe) -> str:
    """Return the accuracies of our own training, for example `99.10% test, 98.90% validation`.

    Args:
        folder: The folder of the shipped models.
        system: Name of the system.
        name: Name of the recipe.
        recipe: The recipe; other epochs than its own are named.
    """
    path = folder / MEASURED / f"{system}-{name}" / "metrics.json"
    if not path.is_file():
        return ""
    metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    figures = ", ".join(f"{metrics[on]['accuracy']:.2%} {on}" for on in ("test", "validation") if on in metrics)
    epochs = metrics["epochs"]
    return figures if epochs == recipe.epochs else f"{figures}, after {epochs} of {recipe.epochs} epochs"


def summary(name: str) -> str:
    """Return the layers of a network with their shapes and parameters.

    Args:
        name: A system, or the file name of a shipped model.
    """
    from batchocr.training.networks import build

    if name == CLASSIFIER_FILE:
        model = read_model(shipped_model())[1].load()
    elif name == DETECTOR_FILE:
        model = read_detector(shipped_detector())[1].load()
    else:
        model = build(name)
    lines: list[str] = []
    model.summary(line_length=78, print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines)
