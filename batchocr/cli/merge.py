"""`batchocr merge`: write the results of all shards."""

from __future__ import annotations

from typing import Annotated

import typer

from batchocr.cli.common import (
    CsvDialect,
    CsvDialectChoice,
    Delta,
    LogFormat,
    LogFormatChoice,
    MinConfidence,
    NumbersOut,
    PrintedChoice,
    Quiet,
    State,
    ends_with_exit_code,
)


def merge(
    out: Annotated[str, typer.Argument(metavar="OUT", help="The results, as --out was given to the shards.")],
    numbers_out: NumbersOut = None,
    csv_dialect: CsvDialect = CsvDialectChoice.plain,
    delta: Delta = False,
    min_confidence: MinConfidence = None,
    printed: Annotated[
        PrintedChoice | None,
        typer.Option(
            case_sensitive=False,
            help="Printed digits: drop leaves them out, keep writes them too, only leaves all other digits out.",
            show_default="as the shards were run",
        ),
    ] = None,
    state: State = None,
    quiet: Quiet = False,
    log_format: LogFormat = LogFormatChoice.text,
) -> None:
    """Write the results of the shards of a run: `batchocr run --shard 1/16` to `16/16` with the same --out.

    If a shard has not finished, nothing is written, and the message says which.

    Exit codes: as for `run`; 4 no shard has finished; 7 a shard is missing, or the results cannot be written.
    """
    with ends_with_exit_code(log_format, quiet=quiet):
        from batchocr.cli.progress import JsonProgress, Progress, TextProgress
        from batchocr.cli.signals import Stopping
        from batchocr.distributed.merge import merge as merge_shards
        from batchocr.settings import Settings

        settings = Settings(
            numbers_out=numbers_out,
            csv_dialect=csv_dialect.value,
            delta=delta,
            min_confidence=min_confidence,
            state=state,
        )
        as_json = log_format == LogFormatChoice.json
        progress: Progress = (
            JsonProgress(quiet=quiet) if as_json else TextProgress(quiet=quiet, to_stderr=numbers_out == "-")
        )
        with Stopping(say=not quiet and not as_json) as stopping, progress:
            summary = merge_shards(out, settings, printed=printed.value if printed else None, should_stop=stopping)
        progress.done(summary)
    raise typer.Exit(summary.exit_code)
