"""`batchocr run`: a folder of scans in, results.csv out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchocr.cli.common import (
    Blank,
    Detector,
    Device,
    DeviceChoice,
    LogFormat,
    LogFormatChoice,
    MaxError,
    MaxMegapixels,
    MinConfidence,
    Model,
    PdfPassword,
    Printed,
    PrintedChoice,
    Quiet,
    ends_with_exit_code,
)
from batchocr.executors.local import PAGE_TIMEOUT
from batchocr.sources import MAX_MEGAPIXELS

if TYPE_CHECKING:
    from batchocr.cli.progress import Talk


class CsvDialectChoice(StrEnum):
    plain = "plain"
    excel = "excel"


def run(
    scans: Annotated[list[str] | None, typer.Argument(help="Folders, files or globs of pictures and PDFs.")] = None,
    out: Annotated[
        str,
        typer.Option(
            help="File of the results: .csv, .jsonl or .parquet (a file for each table), .xlsx (one workbook), .db or "
            "sqlite:///FILE.db (an SQLite database); - for the digits as CSV on standard output."
        ),
    ] = "results.csv",
    numbers_out: Annotated[
        Path | None,
        typer.Option(
            help="Write the numbers to this file too: .csv, .jsonl, .parquet or .xlsx; - for CSV on standard output.",
            show_default=False,
        ),
    ] = None,
    csv_dialect: Annotated[
        CsvDialectChoice,
        typer.Option(
            case_sensitive=False,
            help="Form of CSV files: plain, or excel with a byte-order mark, semicolons and decimal commas.",
        ),
    ] = CsvDialectChoice.plain,
    delta: Annotated[
        bool,
        typer.Option("--delta", help="Write the pages that are new, changed or removed to OUT.delta.csv too."),
    ] = False,
    recursive: Annotated[bool, typer.Option(help="Look into folders within folders.")] = True,
    files_from: Annotated[
        str | None, typer.Option(help="Read the names of scans from this file, one a line; - for standard input.")
    ] = None,
    model: Model = None,
    detector: Detector = None,
    device: Device = DeviceChoice.auto,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, max=1 << 16, help="Digits classified at once.", show_default="256; 4096 on a GPU"),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes that decode and segment.", show_default="one a core")
    ] = None,
    min_confidence: MinConfidence = None,
    max_error: MaxError = None,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
    pages: Annotated[
        str | None,
        typer.Option(help="Read only these pages of each TIFF and PDF, as in 1,3-5.", show_default="all"),
    ] = None,
    pdf_password: PdfPassword = None,
    printed: Printed = PrintedChoice.keep,
    blank: Blank = None,
    page_timeout: Annotated[
        float,
        typer.Option(min=0.1, max=86400, help="Seconds that a page may take before it is tried once more alone."),
    ] = PAGE_TIMEOUT,
    max_failures: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="After so many failed pages, read no more: what was not read are failed pages too, for the next run.",
            show_default="none",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Folder of the journal, by which a run goes on.", show_default="OUT.journal beside it"),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh/--resume", help="Read all again, or only what earlier runs into this output have not."),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Read again what failed in earlier runs.")
    ] = False,
    quiet: Quiet = False,
    log_format: LogFormat = LogFormatChoice.text,
) -> None:
    """Read all digits on all pages and write a row for each.

    Beside results.csv stand results.numbers.csv (a row a number), results.pages.csv (a row a page, also where it
    failed), results.run.json (what was run) and results.csv.journal (the pages that are done: whatever stops a run, the
    same command goes on with the rest; a later one reads what is new or changed).

    Ends with 0 where all pages were read, 3 where some failed (the rest is written), 4 where there was nothing to
    read; 2 wrong usage, 5 the model, 6 the device, 7 the output, 9 another run is at work on it, 130 or 143 stopped by
    a signal.
    """
    with ends_with_exit_code(log_format, quiet=quiet):
        from batchocr.batch.job import outputs_of
        from batchocr.batch.job import run as run_job
        from batchocr.cli.progress import JsonTalk, TextTalk
        from batchocr.cli.signals import Stopping
        from batchocr.errors import UsageError
        from batchocr.output.outputs import as_path
        from batchocr.settings import Settings
        from batchocr.sources import parse_pages, read_files_from

        listed = read_files_from(files_from) if files_from else []
        if not scans and not files_from:
            raise UsageError("no scans were given: name a folder, files or globs, or use --files-from")
        settings = Settings(
            recursive=recursive,
            model=model,
            detector=detector,
            device=device.value,
            batch_size=batch_size,
            jobs=jobs,
            min_confidence=min_confidence,
            max_error=max_error,
            max_megapixels=max_megapixels,
            pages=parse_pages(pages) if pages else (),
            pdf_password=pdf_password,
            printed=printed.value,
            blank=tuple(blank or ()),
            numbers_out=numbers_out,
            csv_dialect=csv_dialect.value,
            delta=delta,
            page_timeout=page_timeout,
            max_failures=max_failures,
            state=state,
            fresh=fresh,
            retry_failed=retry_failed,
        )
        as_json = log_format == LogFormatChoice.json
        outputs = outputs_of(as_path(out), settings)
        talk: Talk = JsonTalk() if as_json else TextTalk(quiet=quiet, to_stderr=outputs.to_stdout)
        with Stopping(say=not quiet and not as_json) as stopping:
            with talk:
                summary = run_job(
                    scans or [],
                    out,
                    settings,
                    listed=listed,
                    on_total=talk.total,
                    on_page=talk.page,
                    should_stop=stopping,
                )
            talk.done(summary, outputs.files)
    raise typer.Exit(summary.exit_code)
