"""Progress of a training for people: one plain line per epoch, and a bar within the epoch on a terminal."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from tqdm import tqdm

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProgressOptions:
    """How a training reports its progress."""

    write: Callable[[str], None] = log.info
    """Receives the line of each epoch."""
    bar: bool = False
    """Whether a bar on standard error shows the batches of the current epoch; for terminals only."""


class EpochProgress(keras.callbacks.Callback):
    """Keras callback that reports each finished epoch.

    It comes after the callback that saves the epoch, which adds the figures of the epoch to `epochs`. So a line is
    written only for an epoch that `--resume` can continue from.
    """

    def __init__(self, epochs: list[dict[str, float]], total: int, steps: int, options: ProgressOptions) -> None:
        """Create the callback.

        Args:
            epochs: The figures of all finished epochs; the checkpoint callback appends to this list.
            total: Number of epochs of the whole training.
            steps: Number of batches in an epoch.
            options: Where the lines go.
        """
        super().__init__()
        self._epochs, self._total, self._steps, self._options = epochs, total, steps, options
        self._first = len(epochs)
        self._bar: tqdm[Any] | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._options.bar:
            description = f"epoch {epoch + 1} of {self._total}"
            self._bar = tqdm(total=self._steps, desc=description, unit="batch", leave=False, dynamic_ncols=True)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._bar is not None:
            self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._close_bar()
        timed = [each["seconds"] for each in self._epochs[self._first :]]
        left_s = (self._total - epoch - 1) * sum(timed) / len(timed)
        self._options.write(epoch_line(epoch + 1, self._total, self._epochs[-1], left_s))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._close_bar()

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def epoch_line(number: int, total: int, figures: Mapping[str, float], left_s: float) -> str:
    """Return the line of a finished epoch.

    Args:
        number: The epoch, from 1.
        total: Number of epochs of the whole training.
        figures: The epoch's row of `history.csv`: `loss` and `seconds`, and `accuracy`, `val_accuracy` of digits or
            `heat_part`, `box_part`, `class_accuracy` of the detector.
        left_s: Estimated seconds until the training ends; it is left out for the last epoch.

    Returns:
        For example `epoch 3 of 10: loss 0.081, accuracy 97.5%, validation 98.1%, 42 s, about 5 min left`.
    """
    parts = [f"loss {_number(figures['loss'])}"]
    if "heat_part" in figures:
        parts[0] += f" (heat {_number(figures['heat_part'])}, boxes {_number(figures['box_part'])})"
    for key, name in (("accuracy", "accuracy"), ("class_accuracy", "class accuracy"), ("val_accuracy", "validation")):
        if key in figures:
            parts.append(f"{name} {figures[key]:.1%}")
    parts.append(duration(figures["seconds"]))
    if number < total:
        parts.append(f"about {duration(left_s)} left")
    return f"epoch {number} of {total}: {', '.join(parts)}"


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "not a number (the training diverged)"


def duration(seconds: float) -> str:
    """Return a duration as `42 s`, `5 min` or `1 h 20 min`, rounded to the last unit shown."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
