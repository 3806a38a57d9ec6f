"""Train the detector: synthetic patches made during the training, averaged weights, a checkpoint after each epoch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from batchocr.errors import UsageError
from batchocr.recognition.keras_archive_check import KerasFile
from batchocr.recognition.model_file import DIGITS, STRIDES, DetectorSidecar, sha256, sidecar_path
from batchocr.records import SIGNS
from batchocr.training.detection.losses import box_part, class_accuracy, detection_loss, heat_part
from batchocr.training.detection.network import NAME, build_detector
from batchocr.training.detection.stream import StreamParameters, batches
from batchocr.training.epoch_progress import EpochProgress, ProgressOptions
from batchocr.training.run_folder import HISTORY, Epoch, claim, make_repeatable, read_history, write_history

MODEL, STATE = "model.keras", "state.npz"
"""The averaged network after the last epoch, and the state from which the training is resumed."""


@dataclass(frozen=True)
class DetectorRecipe:
    """Recipe of the detector."""

    epochs: int = 16
    steps: int = 250
    """Batches of an epoch."""
    rate: float = 2e-3
    start_rate: float = 1.3e-3
    """Highest learning rate of a training that starts with the weights of another one."""
    decay: float = 1e-3
    average: float = 0.998
    """Momentum of the averaged weights, which are the result of the training."""
    precision: str = "mixed_bfloat16"
    """Precision of the training: `mixed_bfloat16` takes two thirds of the time of `float32` on processors that
    support it. Files are float32."""
    seed: int = 2017


@dataclass(frozen=True)
class OptimizerParameters:
    """What is the same in all trainings of the detector.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    first_rate_divisor: float = 20
    """The highest learning rate divided by this is the rate of the first step."""
    last_rate_ratio: float = 0.02
    """Learning rate of the last step, as a share of the highest rate."""
    warmup_steps: int = 200
    """Steps until the highest rate."""
    max_gradient_norm: float = 5.0
    """Gradients with a larger norm are scaled down to it."""


PARAMETERS = OptimizerParameters()


def fit_detector(
    data: Path,
    fonts: Path,
    out: Path,
    recipe: DetectorRecipe,
    *,
    start: Path | None = None,
    labels: Path | None = None,
    without: Sequence[str] = (),
    resume: bool = False,
    jobs: int = 2,
    progress: ProgressOptions | None = None,
) -> Path:
    """Train the detector; each epoch is saved.

    Args:
        data: Folder of public data.
        fonts: Folder of fonts.
        out: Folder of the training.
        recipe: The recipe.
        start: Model whose weights the training starts with; None for new weights.
        labels: Boxes of known texts; see `batchocr.training.pseudo_labels`.
        without: Collections of real paper that are left out, to measure how the detector reads an unknown one.
        resume: Whether the training in `out` is resumed.
        jobs: Number of worker processes that make patches.
        progress: How progress is reported; by default to the log.

    Returns:
        Path of the model.

    Raises:
        UsageError: The folder holds another training, or `start` is not a detector.
    """
    weights = None if start is None else load_weights(start)
    account = {"system": NAME, **asdict(recipe), "start": str(start or ""), "labels": labels is not None}
    if without:
        account["without"] = sorted(without)
    claim(out, account, resume=resume)
    make_repeatable(recipe.seed)
    model = compile_detector(recipe, weights)
    epochs = _resume(model, out)
    if len(epochs) < recipe.epochs:
        first = len(epochs) * recipe.steps
        # must be closed: otherwise the processes that make patches outlive the training
        with closing(batches(data, fonts, labels, recipe.seed, first, jobs, StreamParameters(), without)) as stream:
            model.fit(
                stream,
                steps_per_epoch=recipe.steps,
                initial_epoch=len(epochs),
                epochs=recipe.epochs,
                verbose=0,
                callbacks=[
                    _Checkpoint(out, epochs),
                    EpochProgress(epochs, recipe.epochs, recipe.steps, progress or ProgressOptions()),
                ],
            )
    return out / MODEL


def load_weights(start: Path) -> list[NDArray[np.float32]]:
    """Return the weights of another detector.

    Raises:
        UsageError: The file is not a detector, or holds more than a network.
    """
    try:
        weights = KerasFile.read(start).load().get_weights()
    except (OSError, ValueError) as fault:
        raise UsageError(f"{start}: cannot be used ({fault}); give another --start") from fault
    if [each.shape for each in weights] != [each.shape for each in build_detector().get_weights()]:
        raise UsageError(f"{start}: is not a detector; give another --start")
    return list(weights)


def compile_detector(recipe: DetectorRecipe, weights: list[NDArray[np.float32]] | None) -> keras.Model:
    """Return a compiled network.

    Args:
        recipe: The recipe.
        weights: Weights to start with; None for new weights.
    """
    keras.mixed_precision.set_dtype_policy(recipe.precision)
    model = build_detector()
    keras.mixed_precision.set_dtype_policy("float32")
    if weights is not None:
        model.set_weights(weights)
    p = PARAMETERS
    peak = recipe.rate if weights is None else recipe.start_rate
    rate = keras.optimizers.schedules.CosineDecay(
        peak / p.first_rate_divisor,
        recipe.epochs * recipe.steps,
        warmup_target=peak,
        warmup_steps=p.warmup_steps,
        alpha=p.last_rate_ratio,
    )
    model.compile(
        keras.optimizers.AdamW(
            rate, weight_decay=recipe.decay, clipnorm=p.max_gradient_norm, use_ema=True, ema_momentum=recipe.average
        ),
        detection_loss,
        metrics=[heat_part, box_part, class_accuracy],
        jit_compile=False,
    )
    return model


def write_sidecar(model: Path, seed: int) -> None:
    """Write the sidecar of a finished training of the detector.

    Args:
        model: The model, in the folder of its training.
        seed: The training's seed.
    """
    history = read_history(model.parent / HISTORY)
    figures = {name: value for name, value in history[-1].items() if name != "seconds"}
    describe(model, seed, {"epochs": len(history), **figures})


def describe(model: Path, seed: int, metrics: dict[str, float]) -> None:
    """Write the sidecar of a detector beside its file.

    Args:
        model: The `.keras` file.
        seed: The training's seed.
        metrics: Figures for the sidecar.
    """
    network = keras.models.load_model(model, compile=False)
    DetectorSidecar(
        name=NAME,
        classes=(*DIGITS, *SIGNS),
        input_shape=(None, None, 2),
        input_dtype="uint8",
        strides=STRIDES,
        keras=keras.__version__,
        data="patches made of pen strokes, digits, letters, fonts and real pages, without held-out writers and pages",
        seed=seed,
        sha256=sha256(model),
        parameters=network.count_params(),
        metrics=metrics,
    ).write(sidecar_path(model))


def _resume(model: keras.Model, out: Path) -> list[Epoch]:
    """Restore the state of an interrupted training; return the figures of its epochs."""
    if not (out / STATE).exists():
        return []
    model.optimizer.build(model.trainable_variables)
    with np.load(out / STATE) as state:
        for i, variable in enumerate([*model.variables, *model.optimizer.variables]):
            variable.assign(state[f"v{i}"])
    return read_history(out / HISTORY)


class _Checkpoint(keras.callbacks.Callback):
    """Saves after each epoch the averaged network, the figures, and the state from which the training is resumed."""

    def __init__(self, out: Path, epochs: list[Epoch]) -> None:
        super().__init__()
        self.out, self.epochs, self.clock = out, epochs, 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.clock = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        model = self.model
        figures = {name: round(float(value), 5) for name, value in (logs or {}).items()}
        self.epochs.append({**figures, "seconds": round(time.perf_counter() - self.clock, 1)})
        state = {f"v{i}": np.asarray(v) for i, v in enumerate([*model.variables, *model.optimizer.variables])}
        own = model.get_weights()
        model.optimizer.finalize_variable_values(model.trainable_variables)
        clean = build_detector()
        clean.set_weights(model.get_weights())
        model.set_weights(own)
        fresh = self.out / f"part-{MODEL}"
        clean.save(fresh)
        fresh.replace(self.out / MODEL)
        np.savez(self.out / f"part-{STATE}", allow_pickle=False, **state)
        (self.out / f"part-{STATE}").replace(self.out / STATE)
        write_history(self.out / HISTORY, self.epochs)
