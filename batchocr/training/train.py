"""From digits to a model that can be shipped: drawn sheets, training, calibration, sidecar."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from batchocr.errors import UsageError
from batchocr.recognition.calibration import (
    expected_calibration_error,
    fit_temperature,
    scale,
    threshold_at,
)
from batchocr.recognition.model import DEFAULT as MODEL_FILE
from batchocr.recognition.model import Sidecar, sha256, sidecar_path
from batchocr.records import Crops
from batchocr.training.datasets import Digits, load_npz
from batchocr.training.sheets import cut_many
from batchocr.training.zoo import SYSTEMS

HELD_OUT = 5000
"""Digits of the train half that are only measured on: the last ones, by other writers than the first."""
ACCEPTED_ERROR = 0.01
"""Share of wrong digits among those at or above the default threshold."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
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

    def __init__(self, drawn: Digits, originals: Digits, recipe: Recipe, classes: int, first_epoch: int) -> None:
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


def _probabilities(model: keras.Model, pictures: Crops) -> NDArray[np.float32]:
    return np.asarray(model.predict(pictures, batch_size=500, verbose=0))


def _accuracy(model: keras.Model, digits: Digits) -> float:
    return round(float((_probabilities(model, digits.pictures).argmax(1) == digits.labels).mean()), 5)


class _Checkpoint(keras.callbacks.Callback):
    """After each epoch all that is needed to go on: weights, optimiser, and the epochs so far, as one file."""

    def __init__(self, out: Path, seed: int, epochs: list[dict[str, float]]) -> None:
        super().__init__()
        self.out, self.seed, self.epochs = out, seed, epochs

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # what dropout draws depends on the epoch alone, so that an interrupted training ends in the same model
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.seed_generator.state.assign(np.array([self.seed, epoch], np.uint32))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epochs.append({name: round(float(value), 6) for name, value in (logs or {}).items()})
        fresh = self.out / f"epoch-{epoch + 1:03}.part.keras"
        self.model.save(fresh)
        (self.out / "history.json").write_text(json.dumps(self.epochs, indent=1), encoding="utf-8")
        fresh.replace(self.out / f"epoch-{epoch + 1:03}.keras")
        (self.out / f"epoch-{epoch:03}.keras").unlink(missing_ok=True)
        log.info("epoch %d: %s", epoch + 1, self.epochs[-1])


def _claim(out: Path, account: dict[str, Any]) -> None:
    """Make the folder `out` that of this training; raises UsageError where it is that of another one."""
    out.mkdir(parents=True, exist_ok=True)
    known = out / "training.json"
    if not known.exists():
        known.write_text(json.dumps(account, indent=1), encoding="utf-8")
    elif json.loads(known.read_text(encoding="utf-8")) != account:
        raise UsageError(f"{out}: holds another training (see {known.name}); give another --out, or the same options")


def _resumed(out: Path) -> tuple[keras.Model | None, list[dict[str, float]]]:
    """What an interrupted training left in `out`: the model after its last epoch, and the figures of each."""
    last = max(out.glob("epoch-[0-9][0-9][0-9].keras"), default=None)
    if last is None:
        return None, []
    epochs = json.loads((out / "history.json").read_text(encoding="utf-8"))
    return keras.saving.load_model(last), epochs[: int(last.stem.removeprefix("epoch-"))]


def _compile(model: keras.Model, recipe: Recipe, steps: int) -> None:
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


def _fit(system: str, drawn: Digits, originals: Digits, recipe: Recipe, out: Path, verbose: int) -> keras.Model:
    """Train, saving after each epoch; an interrupted training goes on. The averaged weights are in place in the end."""
    keras.utils.set_random_seed(recipe.seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    model, epochs = _resumed(out)
    batches = _Mixed(drawn, originals, recipe, 10, len(epochs))
    if model is None:
        model = SYSTEMS[system]()
        _compile(model, recipe, len(batches))
    if len(epochs) < recipe.epochs:
        # one call: at its end, and only there, Keras puts the averaged weights in place
        model.fit(
            batches,
            initial_epoch=len(epochs),
            epochs=recipe.epochs,
            verbose=verbose,
            shuffle=False,
            callbacks=[_Checkpoint(out, recipe.seed, epochs)],
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


def train(
    system: str, data: Path, out: Path, recipe: Recipe, *, jobs: int = 2, verbose: int = 2, name: str = MODEL_FILE
) -> Path:
    """Make a model from the train half of `data` and put it, with its sidecar, into the folder `out`.

    The last 5,000 digits of the half are kept out; drawn on sheets and cut out again they give the temperature,
    the default threshold and the measured figures. Raises UsageError for an unknown system or unfit data.
    """
    if system not in SYSTEMS:
        raise UsageError(f"there is no system {system}; choose one of {', '.join(SYSTEMS)}")
    whole, test = load_npz(data), load_npz(data, "test")
    if len(whole) <= 2 * HELD_OUT:
        raise UsageError(f"{data}: {len(whole)} digits to train on are too few; {2 * HELD_OUT} are needed")
    _claim(out, {"system": system, "data": sha256(data), **asdict(recipe)})
    originals, held = whole.part(slice(None, -HELD_OUT)), whole.part(slice(-HELD_OUT, None))
    log.info("drawing %d digits %d times", len(originals), recipe.drawings)
    drawn = cut_many(originals, [recipe.seed + i for i in range(recipe.drawings)], jobs)
    held_drawn = cut_many(held, [recipe.seed + 1000 + i for i in range(4)], jobs)
    model = _fit(system, drawn, originals, recipe, out, verbose)

    raw = _probabilities(model, held_drawn.pictures)
    temperature = fit_temperature(raw, held_drawn.labels)
    calibrated = scale(raw, temperature)
    confidence, right = calibrated.max(1), calibrated.argmax(1) == held_drawn.labels
    clean = SYSTEMS[system]()
    clean.set_weights(model.get_weights())
    path = out / name
    clean.save(path)
    sidecar = Sidecar(
        name=system,
        classes=tuple("0123456789"),
        input_shape=(28, 28),
        input_dtype="uint8",
        keras=keras.__version__,
        data=f"train half of MNIST less its last {HELD_OUT}, drawn {recipe.drawings} times and cut out by vision",
        seed=recipe.seed,
        temperature=temperature,
        min_confidence=round(threshold_at(ACCEPTED_ERROR, confidence, right), 4),
        sha256=sha256(path),
        parameters=clean.count_params(),
        metrics={
            "held_out_accuracy": _accuracy(clean, held),
            "held_out_sheets_accuracy": round(float(right.mean()), 5),
            "held_out_sheets_calibration_error": round(expected_calibration_error(confidence, right), 5),
            "held_out_sheets_digits": len(held_drawn),
            "test_accuracy": _accuracy(clean, test),
        },
    )
    sidecar.write(sidecar_path(path))
    return path
