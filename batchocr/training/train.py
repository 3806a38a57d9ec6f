"""From data to a folder with a model that can be used: training, calibration, sidecar, figures, plots."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.digits import Digits, Halves, load
from batchocr.errors import UsageError
from batchocr.evaluation.figures import figures
from batchocr.recognition.calibration import (
    NOT_A_DIGIT,
    Floats,
    apply_temperature,
    default_threshold,
    digit_confidences,
    fit_temperature,
    levels,
)
from batchocr.recognition.model_file import DIGITS, NOT_A_DIGIT_CLASS, Calibration, Sidecar, sha256, sidecar_path
from batchocr.training.catalogue import DEFAULT, DETECTOR, System, system_named
from batchocr.training.crop_collection import CropSources
from batchocr.training.default import DefaultRecipe, fit_default
from batchocr.training.detection.fit import DetectorRecipe, fit_detector, write_sidecar
from batchocr.training.fitted import Fitted, probabilities
from batchocr.training.run_folder import HISTORY, read_history
from batchocr.training.synthesis.sources import check_data
from batchocr.training.tutorials import fit_tutorial

MODEL, METRICS = "model.keras", "metrics.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Material:
    """What the two shipped models are made from besides the folder of public data."""

    fonts: Path | None = None
    """A folder of fonts; it must be given."""
    labels: Path | None = None
    """Boxes of known texts; see `batchocr.training.pseudo_labels`."""
    detector: Path | None = None
    """For the default system: a detector, what it falsely finds being no digit."""
    start: Path | None = None
    """For the detector: another one whose weights it begins with."""
    more: tuple[Path, ...] = ()
    """For the default system: one's own digits, or pages with their boxes."""


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
    material: Material | None = None,
    default: DefaultRecipe | None = None,
    detector: DetectorRecipe | None = None,
) -> Path:
    """Make a model from `data`, and put it with all that tells of it into the folder `out`; returns its path.

    `data` is a set of digits, of which the train half is learned; for the default system and the detector it is the
    folder of public data, and `material` the rest. `default` and `detector` are their recipes. The folder then holds
    `model.keras` with its sidecar `model.json` and `history.csv`; of digits also `metrics.json` and plots. Digits kept
    out of the training give temperature and threshold; the test half, where there is one, is only measured on. `resume`
    goes on with the training in `out` from its last epoch.

    Raises UsageError for an unknown system or recipe, unfit data, or a folder that holds something else, and ModelError
    for a detector that cannot be used.
    """
    entry = system_named(system)
    name = entry.recipe_name(recipe)
    if system not in (DEFAULT, DETECTOR):
        halves = load(data)
        fitted = fit_tutorial(entry, name, halves, out, epochs=epochs, seed=seed, resume=resume, verbose=verbose)
        return _write(fitted, entry, name, seed, halves, out)
    given = material or Material()
    check_data(Path(data))
    if given.fonts is None:
        raise UsageError(f"{system}: is trained on print too; give a folder of fonts as --fonts")
    if system == DETECTOR:
        how = replace(detector or DetectorRecipe(), seed=seed)
        how = replace(how, epochs=epochs or how.epochs)
        path = fit_detector(
            Path(data),
            given.fonts,
            out,
            how,
            start=given.start,
            labels=given.labels,
            resume=resume,
            jobs=jobs,
            verbose=verbose,
        )
        write_sidecar(path, seed)
        return path
    own = replace(default or DefaultRecipe(), seed=seed)
    own = replace(own, epochs=epochs or own.epochs)
    halves = load(Path(data) / "mnist.npz")
    sources = CropSources(Path(data), given.fonts, given.labels, given.detector, given.more)
    fitted = fit_default(halves, sources, out, own, resume=resume, jobs=jobs, verbose=verbose)
    return _write(fitted, entry, name, seed, halves, out)


def _write(fitted: Fitted, system: System, recipe: str, seed: int, data: Halves, out: Path) -> Path:
    """The finished folder; returns the model's path."""
    path = out / MODEL
    fitted.model.save(path)
    raw = probabilities(fitted.model, fitted.held_out.pictures)
    temperature = fit_temperature(raw, fitted.held_out.labels)
    calibrated = apply_temperature(raw, temperature)
    confidence, right = digit_confidences(calibrated, fitted.held_out.labels)
    table = levels(confidence, right)
    measured = {fitted.held_out_name: (fitted.held_out, calibrated)}
    accuracies = {
        name: _accuracy(probabilities(fitted.model, digits.pictures), digits) for name, digits in fitted.also.items()
    }
    if data.test is not None:
        measured["test"] = (data.test, apply_temperature(probabilities(fitted.model, data.test.pictures), temperature))
        accuracies["test_accuracy"] = _accuracy(measured["test"][1], data.test)
    told = {name: figures(found, digits.labels) for name, (digits, found) in measured.items()}
    held_out = told[fitted.held_out_name]
    sidecar = Sidecar(
        name=system.name,
        classes=DIGITS if raw.shape[1] == NOT_A_DIGIT else (*DIGITS, NOT_A_DIGIT_CLASS),
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
    digit = shown.labels < NOT_A_DIGIT
    _plot(fitted, history, shown.part(np.flatnonzero(digit)), found[digit], out, data)
    return path


def _plot(
    fitted: Fitted, history: list[dict[str, float]], digits: Digits, found: Floats, out: Path, data: Halves
) -> None:
    from batchocr.evaluation import plots

    plots.examples(fitted.seen, out / "examples.png")
    counts = {"trained on": fitted.seen.labels, **({} if data.test is None else {"test": data.test.labels})}
    plots.label_histogram(counts, out / "labels.png")
    plots.history(history, out / "history.png")
    plots.evaluation(digits, found, out)


def _accuracy(found: NDArray[np.floating], digits: Digits) -> float:
    return round(float((found.argmax(1) == digits.labels).mean()), 5)
