"""`batchocr doctor`: whether the main job would run here."""

from __future__ import annotations

from typing import Annotated

import typer

from batchocr.cli.common import Detector, Device, DeviceChoice, Model, ends_with_exit_code
from batchocr.errors import ExitCode


def doctor(
    model: Model = None,
    detector: Detector = None,
    device: Device = DeviceChoice.auto,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell only what is at fault.")] = False,
) -> None:
    """Look at everything that a run needs, read a built-in page, and say what is missing and how to fix it.

    Ends with 0 only where the main job would run, else with the code that it would end with.
    """
    faults: list[int] = []
    with ends_with_exit_code():
        from batchocr.doctor import examine, tell

        for finding in examine(model, device.value, detector):
            faults += [finding.code] if finding.state == "fault" else []
            if finding.state == "fault" or not quiet:
                typer.echo(tell(finding))
        if not quiet:
            typer.echo("The main job does not run here: see above." if faults else "The main job runs here.")
    raise typer.Exit(faults[0] if faults else ExitCode.OK)
