"""What the subcommands share: options, the end of a faulty run, and the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from batchocr.errors import BatchocrError


class DeviceChoice(StrEnum):
    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"


# BATCHOCR_DEVICE and the like, the same for every subcommand, as cron sets them
Model = Annotated[
    Path | None,
    typer.Option(envvar="BATCHOCR_MODEL", help="A .keras file with its .json beside it.", show_default="the shipped one"),
]
Device = Annotated[
    DeviceChoice, typer.Option(envvar="BATCHOCR_DEVICE", help="Where to classify; gpu fails where there is none.")
]
MinConfidence = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        envvar="BATCHOCR_MIN_CONFIDENCE",
        help="Mark digits below for review; none is dropped.",
        show_default="1% of those at or above it are wrong, as the model was measured",
    ),
]
MaxMegapixels = Annotated[
    float,
    typer.Option(min=0, envvar="BATCHOCR_MAX_MEGAPIXELS", help="Refuse larger pictures, before they are decoded."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", envvar="BATCHOCR_QUIET", help="Say nothing but errors.")]


@contextmanager
def ends_with_exit_code() -> Iterator[None]:
    """A fault of ours becomes one line on standard error and its exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        yield
    except BatchocrError as fault:
        typer.echo(f"batchocr: {fault}", err=True)
        raise typer.Exit(fault.exit_code) from fault
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
