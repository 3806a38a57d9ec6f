"""Measure the speed of each system that classifies crops, relative to one of them: the table of docs/models.md.

Speed does not depend on the weights, so untrained networks are used. The networks take turns, so that other load of the
machine affects all of them. The median of the ratios of all rounds is printed.
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

MIN_TURN_S = 0.25
"""Minimum time that a network computes in a turn, in seconds."""


def seconds_per_digit(model: keras.Model, batch: Crops) -> float:
    """Compute batches for one turn and return the time per digit."""
    clock, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - clock) < MIN_TURN_S or not count:
        model.predict_on_batch(batch)
        count += len(batch)
    return passed / count


def main(
    to: Annotated[str, typer.Option(help="System to compare the others with.")] = "cnn-tutorial",
    rounds: Annotated[int, typer.Option(min=1, help="Number of turns of each system.")] = 15,
    device: Annotated[str, typer.Option(help="Device: cpu or gpu.")] = "cpu",
    batch_size: Annotated[int | None, typer.Option(help="Crops in a batch.", show_default="as in a run")] = None,
) -> None:
    """Print digits per second of each system, and the ratio to one system with its interquartile range."""
    used = open_device(device)
    network = PARAMETERS.network
    size = batch_size or (network.cpu_batch_size if used == "cpu" else network.gpu_batch_size)
    batch = np.random.default_rng(0).integers(0, 256, (size, 28, 28)).astype(np.uint8)
    models = {name: build(name) for name in SYSTEMS if name != DETECTOR}
    for model in models.values():
        model.compile(jit_compile=used == "gpu")  # as a run does
        model.predict_on_batch(batch)
    turns = [{name: seconds_per_digit(model, batch) for name, model in models.items()} for _ in range(rounds)]
    typer.echo(f"{rounds} rounds, batches of {size} on the {used}, Keras {keras.__version__}\n")
    typer.echo(f"| system | parameters | digits per second | ratio to {to} | middle half |\n|---|---|---|---|---|")
    for name in models:
        ratios = np.array([turn[to] / turn[name] for turn in turns])
        speed = 1 / np.median([turn[name] for turn in turns])
        lower, median, upper = np.percentile(ratios, [25, 50, 75])
        typer.echo(f"| {name} | {SYSTEMS[name].parameters:,} | {speed:,.0f} | {median:.3g} | {lower:.3g}-{upper:.3g} |")


if __name__ == "__main__":
    typer.run(main)
