"""`batchocr doctor`: whether the main job would run here."""

from __future__ import annotations

from typing import Annotated

import typer

from batchocr.cli.common import Device, DeviceChoice, Model, ends_with_exit_code
from batchocr.errors import ExitCode


def doctor(
    model: Model = None,
    device: Device = DeviceChoice.auto,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell only what is at fault.")] = False,
) -> None:
    """Look at everything that a run needs, read a built-in page, and say what is missing and how to mend it.

    Ends with 0 only where the main job would run.
    """
    faults = 0
    with ends_with_exit_code():
        from batchocr.doctor import examine, tell

        for finding in examine(model, device.value):
            faults += finding.state == "fault"
            if finding.state == "fault" or not quiet:
                typer.echo(tell(finding))
        if not quiet:
            typer.echo("The main job runs here." if not faults else f"{faults} things keep the main job from running.")
    raise typer.Exit(ExitCode.INTERNAL if faults else ExitCode.OK)
