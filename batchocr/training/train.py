"""Train a system and write a folder with a usable model: training, calibration, sidecar, figures, plots."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.digits import Digits, DigitSplits, load
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
from batchocr.recognition.model_file import (
    DIGITS,
    NOT_A_DIGIT_CLASS,
    Calibration,
    Sidecar,
    sha256,
    shipped_model,
    sidecar_path,
)
from batchocr.training.added import AddedRecipe, fit_added
from batchocr.training.catalogue import DEFAULT, DETECTOR, System, system_named
from batchocr.training.crop_collection import CropSources
from batchocr.training.default import DefaultRecipe, fit_default
from batchocr.training.detection.fit import DetectorRecipe, fit_detector, write_sidecar
from batchocr.training.epoch_progress import ProgressOptions
from batchocr.training.run_folder import HISTORY, METRICS, read_history
from batchocr.training.synthesis.writing_sources import check_data
from batchocr.training.trained_model import TrainedModel, probabilities
from batchocr.training.tutorials import fit_tutorial

MODEL = "model.keras"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Material:
    """What the two shipped models are made from, in addition to the folder of public data."""

    fonts: Path | None = None
    """Folder of fonts; required."""
    labels: Path | None = None
    """Boxes of known texts; see `batchocr.training.pseudo_labels`."""
    detector: Path | None = None
    """Of the default system: detector whose false detections are crops of the class not a digit."""
    start: Path | None = None
    """Of the detector: model whose weights the training starts with."""
    more: tuple[Path, ...] = ()
    """Of the default system: digits of the user, or pages with their boxes."""


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
    progress: ProgressOptions | None = None,
    material: Material | None = None,
    default: DefaultRecipe | None = None,
    detector: DetectorRecipe | None = None,
) -> Path:
    """Train a model and write it with its sidecar, figures and plots.

    The folder then has `model.keras`, its sidecar `model.json` and `history.csv`; a classifier also has `metrics.json`
    and plots. Digits kept out of the training give temperature and threshold. The test split, if there is one, is only
    measured on.

    Args:
        system: Name of the system.
        data: A set of digits; of the default system and the detector the folder of public data.
        out: Folder of the training.
        recipe: Name of the recipe; the system's first by default.
        epochs: Number of epochs; the recipe's by default.
        seed: Seed of all random draws.
        resume: Whether the training in `out` is resumed after its last epoch.
        jobs: Number of worker processes that make pages.
        progress: How progress is reported; by default to the log.
        material: What the shipped models need in addition to `data`.
        default: Recipe of the default system.
        detector: Recipe of the detector.

    Returns:
        Path of the model.

    Raises:
        UsageError: The system or recipe is unknown, the data does not fit, or the folder holds something else.
        ModelError: The detector cannot be used.
    """
    entry = system_named(system)
    progress = progress or ProgressOptions()
    name = entry.recipe_name(recipe)
    if system not in (DEFAULT, DETECTOR):
        splits = load(data)
        trained = fit_tutorial(entry, name, splits, out, epochs=epochs, seed=seed, resume=resume, progress=progress)
        return _write(trained, entry, name, seed, splits, out)
    given = material or Material()
    check_data(Path(data))
    if given.fonts is None:
        raise UsageError(f"{system}: needs fonts for printed digits; give a folder of fonts as --fonts")
    if system == DETECTOR:
        detector_recipe = replace(detector or DetectorRecipe(), seed=seed)
        detector_recipe = replace(detector_recipe, epochs=epochs or detector_recipe.epochs)
        path = fit_detector(
            Path(data),
            given.fonts,
            out,
            detector_recipe,
            start=given.start,
            labels=given.labels,
            resume=resume,
            jobs=jobs,
            progress=progress,
        )
        write_sidecar(path, seed)
        return path
    default_recipe = replace(default or DefaultRecipe(), seed=seed)
    default_recipe = replace(default_recipe, epochs=epochs or default_recipe.epochs)
    splits = load(Path(data) / "mnist.npz")
    sources = CropSources(Path(data), given.fonts, given.labels, given.detector, given.more)
    trained = fit_default(splits, sources, out, default_recipe, resume=resume, jobs=jobs, progress=progress)
    return _write(trained, entry, name, seed, splits, out)


def train_added(
    data: str | Path,
    folders: tuple[Path, ...],
    out: Path,
    start: Path | None = None,
    *,
    epochs: int | None = None,
    seed: int = 2017,
    resume: bool = False,
    progress: ProgressOptions | None = None,
) -> Path:
    """Continue the training of a classifier with digits that a person has corrected; see `added`.

    Args:
        data: A set of digits that it must not forget.
        folders: What `batchocr correct --save-crops` wrote.
        out: Folder of the training.
        start: The classifier; None is the shipped one.
        epochs: Number of epochs; the recipe's by default.
        seed: Seed of all random draws.
        resume: Whether the training in `out` is resumed after its last epoch.
        progress: How progress is reported; by default to the log.

    Returns:
        Path of the model.

    Raises:
        ModelError: The classifier cannot be used.
        UsageError: The data does not fit, or the folder holds something else.
    """
    recipe = AddedRecipe(seed=seed)
    recipe = replace(recipe, epochs=epochs or recipe.epochs)
    splits = load(data)
    trained = fit_added(
        splits, folders, start or shipped_model(), out, recipe, resume=resume, progress=progress or ProgressOptions()
    )
    return _write(trained, system_named(DEFAULT), "added", seed, splits, out)


def _write(trained: TrainedModel, system: System, recipe: str, seed: int, data: DigitSplits, out: Path) -> Path:
    """Write the files of a finished training and return the model's path."""
    path = out / MODEL
    trained.model.save(path)
    raw = probabilities(trained.model, trained.held_out.images)
    temperature = fit_temperature(raw, trained.held_out.labels)
    calibrated = apply_temperature(raw, temperature)
    confidence, right = digit_confidences(calibrated, trained.held_out.labels)
    table = levels(confidence, right)
    measured = {trained.held_out_name: (trained.held_out, calibrated)}
    accuracies = {
        name: _accuracy(probabilities(trained.model, digits.images), digits)
        for name, digits in trained.other_sets.items()
    }
    if data.test is not None:
        measured["test"] = (data.test, apply_temperature(probabilities(trained.model, data.test.images), temperature))
        accuracies["test_accuracy"] = _accuracy(measured["test"][1], data.test)
    metrics_by_set = {name: figures(found, digits.labels) for name, (digits, found) in measured.items()}
    held_out = metrics_by_set[trained.held_out_name]
    sidecar = Sidecar(
        name=system.name,
        classes=DIGITS if raw.shape[1] == NOT_A_DIGIT else (*DIGITS, NOT_A_DIGIT_CLASS),
        input_shape=(28, 28),
        input_dtype="uint8",
        keras=keras.__version__,
        data=trained.data,
        seed=seed,
        temperature=temperature,
        min_confidence=default_threshold(confidence, right),
        calibration=Calibration(
            data=trained.held_out_description,
            candidates=len(trained.held_out),
            rows=len(confidence),
            levels=table,
        )
        if table
        else None,
        sha256=sha256(path),
        parameters=trained.model.count_params(),
        metrics={
            f"{trained.held_out_name}_accuracy": held_out["accuracy"],
            f"{trained.held_out_name}_calibration_error": held_out["expected_calibration_error"],
            f"{trained.held_out_name}_digits": held_out["count"],
            **{f"{trained.held_out_name}_{key}": held_out[key] for key in ("others", "others_read") if key in held_out},
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
        "data": trained.data,
        "data_sha256": data.sha256,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "parameters": sidecar.parameters,
        "digits_trained_on": trained.count,
        "temperature": temperature,
        "min_confidence": sidecar.min_confidence,
        **metrics_by_set,
    }
    (out / METRICS).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    shown, found = list(measured.values())[-1]
    digit = shown.labels < NOT_A_DIGIT
    _plot(trained, history, shown.take(np.flatnonzero(digit)), found[digit], out, data)
    return path


def _plot(
    trained: TrainedModel, history: list[dict[str, float]], digits: Digits, found: Floats, out: Path, data: DigitSplits
) -> None:
    from batchocr.evaluation import plots

    plots.examples(trained.trained_on, out / "examples.png")
    counts = {"trained on": trained.trained_on.labels, **({} if data.test is None else {"test": data.test.labels})}
    plots.label_histogram(counts, out / "labels.png")
    plots.history(history, out / "history.png")
    plots.evaluation(digits, found, out)


def _accuracy(found: NDArray[np.floating], digits: Digits) -> float:
    return round(float((found.argmax(1) == digits.labels).mean()), 5)
