"""Digits a second of each system that classifies crops, as ratios to one of them: the table of docs/models.md.

Speed does not depend on what a network has learned, so fresh ones serve. They take turns, batch after batch, so that
whatever else the machine does is shared by all; the median of the rounds' ratios is told.
"""

from __future__ import annotations

import time
from typing import Annotated

import keras
import numpy as np
import typer

from batchocr.recognition.classifier import PARAMETERS
from batchocr.recognition.network import open_device
from batchocr.records import Crops
from batchocr.training.catalogue import DETECTOR, SYSTEMS
from batchocr.training.networks import build

MEASURE = 0.25
"""Seconds that a network computes at a turn, at the least."""


def seconds_a_digit(model: keras.Model, batch: Crops) -> float:
    """Of as many batches as fill a turn."""
    clock, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - clock) < MEASURE or not count:
        model.predict_on_batch(batch)
        count += len(batch)
    return passed / count


def main(
    to: Annotated[str, typer.Option(help="The system that the others are compared with.")] = "cnn-tutorial",
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each system.")] = 15,
    device: Annotated[str, typer.Option(help="cpu or gpu.")] = "cpu",
    batch_size: Annotated[int | None, typer.Option(help="Digits at once.", show_default="as in a run")] = None,
) -> None:
    """Print a table: digits a second, and the ratio to one system with the range of its middle half."""
    found = open_device(device)
    network = PARAMETERS.network
    size = batch_size or (network.cpu_batch_size if found == "cpu" else network.gpu_batch_size)
    batch = np.random.default_rng(0).integers(0, 256, (size, 28, 28)).astype(np.uint8)
    models = {name: build(name) for name in SYSTEMS if name != DETECTOR}
    for model in models.values():
        model.compile(jit_compile=found == "gpu")  # as a run does
        model.predict_on_batch(batch)
    turns = [{name: seconds_a_digit(model, batch) for name, model in models.items()} for _ in range(rounds)]
    typer.echo(f"{rounds} rounds, batches of {size} on the {found}, Keras {keras.__version__}\n")
    typer.echo(f"| system | parameters | digits a second | ratio to {to} | middle half |\n|---|---|---|---|---|")
    for name in models:
        ratios = np.array([turn[to] / turn[name] for turn in turns])
        speed = 1 / np.median([turn[name] for turn in turns])
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        typer.echo(f"| {name} | {SYSTEMS[name].parameters:,} | {speed:,.0f} | {middle:.3g} | {low:.3g}-{high:.3g} |")


if __name__ == "__main__":
    typer.run(main)
