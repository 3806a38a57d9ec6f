"""`batchocr run`: a folder of scans in, results.csv out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from batchocr.cli.common import (
    Device,
    DeviceChoice,
    MaxError,
    MaxMegapixels,
    MinConfidence,
    Model,
    Printed,
    PrintedChoice,
    Quiet,
    counted,
    ends_with_exit_code,
)
from batchocr.sources import MAX_MEGAPIXELS


def run(
    scans: Annotated[list[str] | None, typer.Argument(help="Folders, files or globs of pictures and PDFs.")] = None,
    out: Annotated[
        Path, typer.Option(help="Where the digits go: .csv, .jsonl or .parquet; - for CSV on standard output.")
    ] = Path("results.csv"),
    recursive: Annotated[bool, typer.Option(help="Look into folders within folders.")] = True,
    files_from: Annotated[
        str | None, typer.Option(help="Read the names of scans from this file, one a line; - for standard input.")
    ] = None,
    model: Model = None,
    device: Device = DeviceChoice.auto,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, max=1 << 16, help="Digits classified at once.", show_default="512; 4096 on a GPU"),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes that decode and segment.", show_default="one a core")
    ] = None,
    min_confidence: MinConfidence = None,
    max_error: MaxError = None,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
    printed: Printed = PrintedChoice.keep,
    quiet: Quiet = False,
) -> None:
    """Read all digits on all pages and write a row for each.

    Beside results.csv stand results.numbers.csv (a row a number), results.pages.csv (a row a page, also where it
    failed) and results.run.json (what was run).

    Ends with 0 where all pages were read, 3 where some failed (the rest is written), 4 where there was nothing to
    read; 2 wrong usage, 5 the model, 6 the device, 7 the output.
    """
    with ends_with_exit_code():
        from tqdm import tqdm

        from batchocr.errors import UsageError
        from batchocr.job import Settings, written_files
        from batchocr.job import run as run_job
        from batchocr.output.table import STDOUT
        from batchocr.records import PageResult
        from batchocr.sources import read_files_from

        given: list[str | Path] = [*(scans or []), *(read_files_from(files_from) if files_from else [])]
        if not given and not files_from:
            raise UsageError("no scans were given: name a folder, files or globs, or use --files-from")
        settings = Settings(
            recursive=recursive,
            model=model,
            device=device.value,
            batch_size=batch_size,
            jobs=jobs,
            min_confidence=min_confidence,
            max_error=max_error,
            max_megapixels=max_megapixels,
            printed=printed.value,
        )
        # tqdm's None: no bar where standard error is no terminal
        with tqdm(unit="page", disable=True if quiet else None, leave=False, dynamic_ncols=True) as bar:

            def total(pages: int) -> None:
                bar.total = pages
                bar.refresh()

            def page(result: PageResult) -> None:
                bar.update()
                if result.page.status == "failed":
                    bar.write(f"failed: {result.page.message}", file=sys.stderr)

            summary = run_job(given, out, settings, on_total=total, on_page=page)
        if not quiet:
            files = ", ".join(str(path) for path in written_files(out)) or "standard output"
            to_review = counted(summary.review, "digit")
            passed_over = f" ({summary.passed_over} other files passed over)" if summary.passed_over else ""
            typer.echo(
                f"{counted(summary.pages, 'page')}{passed_over}, {counted(summary.digits, 'digit')} in "
                f"{counted(summary.numbers, 'number')}, {summary.failed} failed, "
                f"{to_review} to review, {summary.seconds:.1f} s on the {summary.device}: {files}",
                err=out == STDOUT,
            )
    raise typer.Exit(summary.exit_code)
