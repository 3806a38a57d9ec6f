"""`batchocr doctor`: check whether a run would work on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from batchocr.cli.common import Detector, Device, DeviceChoice, Model, ends_with_exit_code
from batchocr.errors import ExitCode


def doctor(
    model: Model = None,
    detector: Detector = None,
    device: Device = DeviceChoice.auto,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only what is wrong.")] = False,
) -> None:
    """Check all that a run needs, read a built-in page, and report what is missing and how to fix it.

    Exit codes: 0 a run would work; else the code that a run would end with.
    """
    codes: list[int] = []
    with ends_with_exit_code():
        from batchocr.doctor import describe, examine

        for finding in examine(model, device.value, detector):
            codes += [finding.code] if finding.state == "fault" else []
            if finding.state == "fault" or not quiet:
                typer.echo(describe(finding))
        if not quiet:
            typer.echo("`batchocr run` does not work here: see above." if codes else "`batchocr run` works here.")
    raise typer.Exit(codes[0] if codes else ExitCode.OK)
