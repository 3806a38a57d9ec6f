"""From digits to a folder with a model that can be used: training, calibration, sidecar, figures, plots."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from batchocr.recognition.calibration import (
    NONE,
    Floats,
    default_threshold,
    fit_temperature,
    levels,
    rows_of,
    scale,
)
from batchocr.recognition.model import DIGITS, NO_DIGIT, Calibration, Sidecar, sha256, sidecar_path
from batchocr.training.catalogue import DEFAULT, System, system_named
from batchocr.training.datasets import Digits, Halves, load
from batchocr.training.default import DefaultRecipe, fit_default
from batchocr.training.evaluate import figures
from batchocr.training.fitted import Fitted, probabilities
from batchocr.training.folder import HISTORY, read_history
from batchocr.training.gather import Others
from batchocr.training.tutorials import fit_tutorial

MODEL, METRICS = "model.keras", "metrics.json"

log = logging.getLogger(__name__)


def train(
    system: str,
    data: str | Path,
    out: Path,
    *,
    recipe: str | None = None,
    epochs: int | None = None,
    seed: int = 2017,
    resume: bool = False,
    jobs: int = 2,
    verbose: int = 0,
    others: Others | None = None,
    default: DefaultRecipe | None = None,
) -> Path:
    """Make a model from the train half of `data`, and put it with all that tells of it into the folder `out`.

    The folder then holds `model.keras` with its sidecar `model.json`, `history.csv`, `metrics.json` and plots. Digits
    kept out of the training give temperature and threshold; the test half, where there is one, is only measured on.
    `resume` goes on with the training in `out` from its last epoch. `others` and `default` are what the default system
    is trained on besides, and its recipe.

    Raises UsageError for an unknown system or recipe, unfit data, or a folder that holds something else.
    """
    entry = system_named(system)
    name = entry.recipe_name(recipe)
    halves = load(data)
    if system == DEFAULT:
        own = replace(default or DefaultRecipe(), seed=seed)
        own = replace(own, epochs=epochs or own.epochs)
        fitted = fit_default(halves, others or Others(), out, own, resume=resume, jobs=jobs, verbose=verbose)
    else:
        fitted = fit_tutorial(entry, name, halves, out, epochs=epochs, seed=seed, resume=resume, verbose=verbose)
    return _write(fitted, entry, name, seed, halves, out)


def _write(fitted: Fitted, system: System, recipe: str, seed: int, data: Halves, out: Path) -> Path:
    """The finished folder; returns the model's path."""
    path = out / MODEL
    fitted.model.save(path)
    raw = probabilities(fitted.model, fitted.held_out.pictures)
    temperature = fit_temperature(raw, fitted.held_out.labels)
    calibrated = scale(raw, temperature)
    confidence, right = rows_of(calibrated, fitted.held_out.labels)
    table = levels(confidence, right)
    measured = {fitted.held_out_name: (fitted.held_out, calibrated)}
    accuracies = {
        name: _accuracy(probabilities(fitted.model, digits.pictures), digits) for name, digits in fitted.also.items()
    }
    if data.test is not None:
        measured["test"] = (data.test, scale(probabilities(fitted.model, data.test.pictures), temperature))
        accuracies["test_accuracy"] = _accuracy(measured["test"][1], data.test)
    told = {name: figures(found, digits.labels) for name, (digits, found) in measured.items()}
    held_out = told[fitted.held_out_name]
    sidecar = Sidecar(
        name=system.name,
        classes=DIGITS if raw.shape[1] == NONE else (*DIGITS, NO_DIGIT),
        input_shape=(28, 28),
        input_dtype="uint8",
        keras=keras.__version__,
        data=fitted.data,
        seed=seed,
        temperature=temperature,
        min_confidence=default_threshold(confidence, right),
        calibration=Calibration(
            data=fitted.held_out_said,
            candidates=len(fitted.held_out),
            rows=len(confidence),
            levels=table,
        )
        if table
        else None,
        sha256=sha256(path),
        parameters=fitted.model.count_params(),
        metrics={
            f"{fitted.held_out_name}_accuracy": held_out["accuracy"],
            f"{fitted.held_out_name}_calibration_error": held_out["expected_calibration_error"],
            f"{fitted.held_out_name}_digits": held_out["count"],
            **{f"{fitted.held_out_name}_{key}": held_out[key] for key in ("others", "others_read") if key in held_out},
            **accuracies,
        },
    )
    sidecar.write(sidecar_path(path))
    history = read_history(out / HISTORY)
    metrics: dict[str, Any] = {
        "system": system.name,
        "recipe": recipe,
        "epochs": len(history),
        "seed": seed,
        "data": fitted.data,
        "data_sha256": data.sha256,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "parameters": sidecar.parameters,
        "temperature": temperature,
        "min_confidence": sidecar.min_confidence,
        **told,
    }
    (out / METRICS).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    shown, found = list(measured.values())[-1]
    digit = shown.labels < NONE
    _plot(fitted, history, shown.part(np.flatnonzero(digit)), found[digit], out, data)
    return path


def _plot(
    fitted: Fitted, history: list[dict[str, float]], digits: Digits, found: Floats, out: Path, data: Halves
) -> None:
    from batchocr.training import plots

    plots.examples(fitted.seen, out / "examples.png")
    counts = {"trained on": fitted.seen.labels, **({} if data.test is None else {"test": data.test.labels})}
    plots.label_histogram(counts, out / "labels.png")
    plots.history(history, out / "history.png")
    plots.evaluation(digits, found, out)


def _accuracy(found: NDArray[np.floating], digits: Digits) -> float:
    return round(float((found.argmax(1) == digits.labels).mean()), 5)
