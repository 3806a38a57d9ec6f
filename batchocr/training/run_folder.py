"""The folder of a training: which training it belongs to, what is saved after each epoch, and how it is resumed."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from batchocr.errors import OutputError, UsageError
from batchocr.recognition.keras_archive_check import KerasFile

ACCOUNT, HISTORY, METRICS = "training.json", "history.csv", "metrics.json"
"""Files of a training: its options, the figures of each epoch, and the figures of the finished model."""

Epoch = dict[str, float]
"""`accuracy`, `loss` and `seconds`, and with the prefix `val_` those of the validation digits if there are any."""


def claim(out: Path, account: dict[str, Any], *, resume: bool) -> None:
    """Reserve a folder for a training.

    Args:
        out: The folder; it is made if needed.
        account: The options of the training; a resumed training must have the same.
        resume: Whether a training in the folder is resumed.

    Raises:
        UsageError: The folder holds a training and `resume` is False, another training, or other files.
        OutputError: The folder cannot be made.
    """
    known = out / ACCOUNT
    try:
        if known.exists():
            if not resume:
                raise UsageError(f"{out}: holds a training; resume it with --resume, or give another --out")
            if json.loads(known.read_text(encoding="utf-8")) != account:
                raise UsageError(
                    f"{out}: holds another training (see {ACCOUNT}); give another --out, or the same options"
                )
        elif out.exists() and any(out.iterdir()):
            raise UsageError(f"{out}: holds other files; give a new folder as --out")
        else:
            out.mkdir(parents=True, exist_ok=True)
            known.write_text(json.dumps(account, indent=1) + "\n", encoding="utf-8")
    except OSError as fault:
        raise OutputError(f"{out}: cannot be written ({fault.strerror}); give another --out") from fault


def make_repeatable(seed: int, *, xla: bool = False) -> None:
    """Make all random draws depend on the seed, and make sums run in a fixed order.

    Args:
        seed: The seed.
        xla: Whether XLA compiles the training. On a CPU its order is fixed anyway, and Keras does not allow
            deterministic operations together with XLA.
    """
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow" and not xla:
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def resumed(out: Path) -> tuple[keras.Model | None, list[Epoch]]:
    """Load what an interrupted training saved.

    Args:
        out: Folder of the training.

    Returns:
        The model after its last epoch, None if there is none, and the figures of its epochs.

    Raises:
        UsageError: The saved model cannot be used.
    """
    last = max(out.glob("epoch-[0-9][0-9][0-9].keras"), default=None)
    if last is None:
        return None, []
    try:
        model = KerasFile.read(last, compiled=True).load()
        epochs = read_history(out / HISTORY)
    except (OSError, ValueError) as fault:
        raise UsageError(f"{last}: cannot be resumed ({fault}); remove {out} and train again") from fault
    return model, epochs[: int(last.stem.removeprefix("epoch-"))]


def read_history(path: Path) -> list[Epoch]:
    """Return the epochs of a `history.csv`, from the first."""
    with path.open(newline="", encoding="utf-8") as file:
        return [{k: float(v) for k, v in row.items() if k != "epoch"} for row in csv.DictReader(file)]


def write_history(path: Path, epochs: list[Epoch]) -> None:
    """Write the epochs to a `history.csv`; the file appears whole."""
    fresh = path.with_suffix(".part.csv")
    with fresh.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["epoch", *epochs[0]], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"epoch": number, **epoch} for number, epoch in enumerate(epochs, 1))
    fresh.replace(path)


class Checkpoint(keras.callbacks.Callback):
    """Saves after each epoch what is needed to resume: weights, state of the optimizer, and the figures of the
    epochs.
    """

    def __init__(self, out: Path, seed: int, epochs: list[Epoch], *, stride: int) -> None:
        """Create the callback.

        Args:
            out: The training's folder.
            seed: The training's seed.
            epochs: The figures of the epochs before; each new epoch is appended.
            stride: By how much the state of dropout's generator grows in an epoch. It grows by one in a step, so a
                stride below the number of steps would repeat some draws.
        """
        super().__init__()
        self.out, self.seed, self.epochs, self.stride = out, seed, epochs, stride
        self.clock = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.clock = time.perf_counter()
        # the draws of dropout depend on the epoch alone, so that an interrupted training ends in the same model
        dropouts = [layer for layer in self.model.layers if isinstance(layer, keras.layers.Dropout)]
        for place, layer in enumerate(dropouts):
            layer.seed_generator.state.assign(np.array([self.seed + place, epoch * self.stride], np.uint32))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        figures = {name: round(float(value), 6) for name, value in (logs or {}).items()}
        self.epochs.append({**figures, "seconds": round(time.perf_counter() - self.clock, 1)})
        fresh = self.out / f"epoch-{epoch + 1:03}.part.keras"
        self.model.save(fresh)
        write_history(self.out / HISTORY, self.epochs)
        fresh.replace(self.out / f"epoch-{epoch + 1:03}.keras")
        (self.out / f"epoch-{epoch:03}.keras").unlink(missing_ok=True)
