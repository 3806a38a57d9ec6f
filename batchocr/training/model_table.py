"""The systems and shipped models as lines of text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from batchocr.recognition.model_file import DEFAULT as SHIPPED
from batchocr.recognition.model_file import (
    DETECTOR,
    read_detector,
    read_model,
    read_sidecar,
    shipped_detector,
    shipped_model,
)
from batchocr.training.catalogue import SYSTEMS, Recipe

MEASURED = "systems"
"""The folder beside the shipped model with NAME-RECIPE/metrics.json of our own trainings."""


def table_lines() -> Iterator[str]:
    """A line for each recipe of each system, then the shipped models."""
    folder = shipped_model().parent
    row = "{:<14}{:>12}  {:<11}{:<24}{}".format
    yield row("system", "parameters", "recipe", "published", "measured")
    for system in SYSTEMS.values():
        for name in system.recipe_names:
            recipe = system.recipes.get(name)
            published = f"{recipe.figure} {recipe.on}" if recipe else ""
            measured_figures = measured(folder, system.name, name, recipe) if recipe else "see the shipped model"
            yield row(system.name, f"{system.parameters:,}", name, published, measured_figures).rstrip()
    for path, sidecar in (
        (shipped_model(), read_sidecar(shipped_model())),
        (shipped_detector(), read_detector(shipped_detector())[0]),
    ):
        figures = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in sidecar.metrics.items())
        yield ""
        yield f"shipped model {path.name}: system {sidecar.name}, {sidecar.parameters:,} parameters"
        yield f"  {sidecar.data}; seed {sidecar.seed}"
        yield f"  {figures}"


def measured(folder: Path, system: str, name: str, recipe: Recipe) -> str:
    """`99.10% test, 98.90% validation`, with the epochs where they were not the recipe's."""
    path = folder / MEASURED / f"{system}-{name}" / "metrics.json"
    if not path.is_file():
        return ""
    metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    measured_figures = ", ".join(
        f"{metrics[on]['accuracy']:.2%} {on}" for on in ("test", "validation") if on in metrics
    )
    epochs = metrics["epochs"]
    return (
        measured_figures if epochs == recipe.epochs else f"{measured_figures}, after {epochs} of {recipe.epochs} epochs"
    )


def summary(name: str) -> str:
    """The layers of a system, or of the shipped model by its file's name, with shapes and parameters."""
    from batchocr.training.networks import build

    if name == SHIPPED:
        model = read_model(shipped_model())[1].load()
    elif name == DETECTOR:
        model = read_detector(shipped_detector())[1].load()
    else:
        model = build(name)
    lines: list[str] = []
    model.summary(line_length=78, print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines)
