"""`batchocr run`: read scans and write results.csv."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from batchocr.cli.common import (
    Blank,
    CsvDialect,
    CsvDialectChoice,
    Delta,
    Detector,
    Device,
    DeviceChoice,
    FilesFrom,
    Form,
    LogFormat,
    LogFormatChoice,
    MaxError,
    MaxMegapixels,
    MinConfidence,
    Model,
    NumbersOut,
    Pages,
    PdfPassword,
    Printed,
    PrintedChoice,
    Quiet,
    Recursive,
    Report,
    State,
    ends_with_exit_code,
)
from batchocr.executors.local import PAGE_TIMEOUT
from batchocr.sources import MAX_MEGAPIXELS

if TYPE_CHECKING:
    from batchocr.cli.progress import Progress


class EngineChoice(StrEnum):
    local = "local"
    ray = "ray"


def run(
    scans: Annotated[
        list[str] | None, typer.Argument(metavar="SCANS", help="Folders, files or globs of images and PDFs.")
    ] = None,
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="File for the results: .csv, .jsonl or .parquet (one file for each table), .xlsx (one workbook), .db "
            "or sqlite:///FILE.db (an SQLite database); - writes the digits as CSV to standard output. Missing folders "
            "are created.",
        ),
    ] = "results.csv",
    numbers_out: NumbersOut = None,
    csv_dialect: CsvDialect = CsvDialectChoice.plain,
    delta: Delta = False,
    report: Report = None,
    recursive: Recursive = True,
    files_from: FilesFrom = None,
    model: Model = None,
    detector: Detector = None,
    device: Device = DeviceChoice.auto,
    batch_size: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=1 << 16, help="Digits classified at once.", show_default="256; 4096 on a GPU"
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            min=1,
            help="Worker processes that decode and level pages.",
            show_default="one per core",
        ),
    ] = None,
    min_confidence: MinConfidence = None,
    max_error: MaxError = None,
    certificate: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Use the threshold of a certificate, the file of `batchocr certify`. It is revoked, and the default "
            "threshold used, if models, forms or settings are others, or the scores of the pages drift.",
            show_default="none",
        ),
    ] = None,
    max_megapixels: MaxMegapixels = MAX_MEGAPIXELS,
    pages: Pages = None,
    pdf_password: PdfPassword = None,
    printed: Printed = PrintedChoice.keep,
    blank: Blank = None,
    form: Form = None,
    page_timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0.1,
            max=86400,
            help="Time after which a page is interrupted. It is tried once more, alone.",
        ),
    ] = PAGE_TIMEOUT,
    max_failures: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Stop reading after this many failed pages. The pages that were not read become failed pages too; the "
            "next run reads them.",
            show_default="no limit",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Read at most this many pages in this run. The pages that are left have no rows; the next run reads "
            "them.",
            show_default="no limit",
        ),
    ] = None,
    state: State = None,
    engine: Annotated[
        EngineChoice,
        typer.Option(
            case_sensitive=False,
            help="What reads the pages: local uses this machine; ray uses a cluster of Ray (docs/cluster.md).",
        ),
    ] = EngineChoice.local,
    ray_address: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address of the cluster, for example auto on one of its machines, or host:6379.",
            show_default="that of RAY_ADDRESS; else a cluster on this machine alone",
        ),
    ] = None,
    ray_actors: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Processes of the cluster that hold the networks.",
            show_default="one for each GPU, or one for each machine without a GPU",
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="N/COUNT",
            help="Read only one share of the scans, for example 3/16. `batchocr merge` writes the results of all.",
            show_default="no shards",
        ),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh/--resume", help="Read all pages again, or only those that earlier runs did not read."),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Read pages again that failed in earlier runs.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Read and write nothing: list which scans a run would read, take from the journal or pass over, and "
            "why. With --quiet, print only the counts.",
        ),
    ] = False,
    quiet: Quiet = False,
    log_format: LogFormat = LogFormatChoice.text,
) -> None:
    """Read all digits on all pages and write a row for each.

    These files are written beside results.csv: results.numbers.csv (a row for each number), results.pages.csv (a row
    for each page, also if it failed), results.run.json (what was run) and results.csv.journal (the finished pages).
    With --form, there are also results.fields.csv (a row for each field of a form) and results.forms.csv (a row for
    each page, with a column for each field). A workbook or a database has all tables in one file.

    The same command resumes an interrupted run. A later run reads only what is new or changed.

    Exit codes: 0 all pages were read; 3 some pages failed and the rest is written; 4 there is nothing to read; 2 wrong
    usage; 5 model; 6 device; 7 output; 8 a form file is wrong; 9 another run uses this output; 130 or 143 stopped by a
    signal.
    """
    with ends_with_exit_code(log_format, quiet=quiet):
        from batchocr.cli.progress import JsonProgress, TextProgress
        from batchocr.cli.signals import Stopping
        from batchocr.distributed.shards import parse_shard
        from batchocr.errors import UsageError
        from batchocr.runs import run as run_job
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
            certificate=Path(certificate) if certificate else None,
            max_megapixels=max_megapixels,
            pages=parse_pages(pages) if pages else (),
            pdf_password=pdf_password,
            printed=printed.value,
            blank=tuple(blank or ()),
            form=tuple(form or ()),
            numbers_out=numbers_out,
            csv_dialect=csv_dialect.value,
            delta=delta,
            report=report,
            page_timeout=page_timeout,
            max_failures=max_failures,
            limit=limit,
            state=state,
            engine=engine.value,
            ray_address=ray_address,
            ray_actors=ray_actors,
            shard=parse_shard(shard) if shard else None,
            fresh=fresh,
            retry_failed=retry_failed,
        )
        if dry_run:
            from batchocr.cli.dry_run import print_dry_run
            from batchocr.runs import dry_run as find_out

            print_dry_run(find_out(scans or [], out, settings, listed=listed), quiet=quiet)
            raise typer.Exit
        as_json = log_format == LogFormatChoice.json
        to_stderr = "-" in (out, numbers_out)
        progress: Progress = JsonProgress(quiet=quiet) if as_json else TextProgress(quiet=quiet, to_stderr=to_stderr)
        with Stopping(say=not quiet and not as_json) as stopping:
            with progress:
                summary = run_job(
                    scans or [],
                    out,
                    settings,
                    listed=listed,
                    on_start=progress.start,
                    on_total=progress.total,
                    on_page=progress.page,
                    should_stop=stopping,
                )
            progress.done(summary)
            if summary.certificate and not as_json:
                typer.echo(summary.certificate, err=True)
    raise typer.Exit(summary.exit_code)
