"""The report of `batchocr run --dry-run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from batchocr.cli.common import counted, printable

if TYPE_CHECKING:
    from batchocr.batch.dry_run_report import DryRun


def print_dry_run(planned: DryRun, *, quiet: bool) -> None:
    """Print a line for each file, unless `quiet`, and a line with the counts, to standard output."""
    if not quiet:
        for step in planned.steps:
            pages = f", {counted(step.pages, 'page')}" if step.pages else ""
            typer.echo(f"{step.action:9}  {printable(step.name)}{pages} ({step.reason})")
    at_least = "" if planned.is_exact else "at least "
    left = f"leave {at_least}{counted(planned.left, 'page')}, " if planned.left else ""
    typer.echo(
        f"{counted(planned.scans, 'scan')}: would read {at_least}{counted(planned.to_read, 'page')}, "
        f"keep {counted(planned.kept, 'page')}, {left}pass over {counted(planned.passed_over, 'file')}"
    )
