"""What the subcommands share: options, text for terminals, and how a command ends after an error."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from batchocr.cli.command import PREFIX, name_variables
from batchocr.cli.logs import log_error, logging_to_stderr
from batchocr.errors import BatchocrError, ExitCode
from batchocr.process_setup import check_working_folder


class DeviceChoice(StrEnum):
    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"


class PrintedChoice(StrEnum):
    drop = "drop"
    keep = "keep"
    only = "only"


class CsvDialectChoice(StrEnum):
    plain = "plain"
    excel = "excel"


class LogFormatChoice(StrEnum):
    text = "text"
    json = "json"


# Options of `run` that other commands share. They have the same environment variable in all commands.

Recursive = Annotated[bool, typer.Option(envvar=f"{PREFIX}_RECURSIVE", help="Read folders inside folders.")]
FilesFrom = Annotated[
    str | None,
    typer.Option(
        envvar=f"{PREFIX}_FILES_FROM",
        metavar="FILE",
        help="Read the names of scans from this file, one per line; - is standard input.",
    ),
]
Pages = Annotated[
    str | None,
    typer.Option(
        envvar=f"{PREFIX}_PAGES",
        metavar="PAGES",
        help="Read only these pages of each TIFF and PDF, for example 1,3-5.",
        show_default="all",
    ),
]
Model = Annotated[
    Path | None,
    typer.Option(
        envvar=f"{PREFIX}_MODEL",
        metavar="FILE",
        help="Classifier: a .keras file with its .json file beside it.",
        show_default="the shipped model",
    ),
]
Detector = Annotated[
    Path | None,
    typer.Option(
        envvar=f"{PREFIX}_DETECTOR",
        metavar="FILE",
        help="Detector: a .keras file with its .json file beside it.",
        show_default="the shipped model",
    ),
]
Device = Annotated[
    DeviceChoice,
    typer.Option(
        envvar=f"{PREFIX}_DEVICE",
        case_sensitive=False,
        help="Device that runs the networks. auto uses a GPU if there is one; gpu fails if there is none.",
    ),
]
MinConfidence = Annotated[
    float | None,
    typer.Option(
        envvar=f"{PREFIX}_MIN_CONFIDENCE",
        metavar="PROBABILITY",
        min=0,
        max=1,
        help="Mark digits with a lower confidence for review. No digit is dropped.",
        show_default="that of the models: at most 1% of the digits above it were wrong; at least 0.8",
    ),
]
MaxError = Annotated[
    float | None,
    typer.Option(
        envvar=f"{PREFIX}_MAX_ERROR",
        metavar="RATE",
        min=0,
        max=1,
        help="Mark digits for review so that at most this share of the other digits is wrong, with 95% certainty; for "
        "example 0.03. No digit is dropped. This replaces --min-confidence: the threshold is the lowest confidence in "
        "the models' table whose upper bound of the error is not greater. The table was measured on real pages that "
        "were not used for training. `batchocr evaluate --save-calibration` measures it on your own pages.",
    ),
]
MaxMegapixels = Annotated[
    float,
    typer.Option(
        envvar=f"{PREFIX}_MAX_MEGAPIXELS",
        metavar="N",
        min=0,
        max=1e6,
        help="Refuse larger images before they are decoded.",
    ),
]
PdfPassword = Annotated[
    str | None,
    typer.Option(
        envvar=f"{PREFIX}_PDF_PASSWORD",
        metavar="PASSWORD",
        help="Password that opens protected PDFs. Better set BATCHOCR_PDF_PASSWORD, because other users of the machine "
        "can see command lines.",
        show_default=False,
    ),
]
Printed = Annotated[
    PrintedChoice,
    typer.Option(
        envvar=f"{PREFIX}_PRINTED",
        case_sensitive=False,
        help="Printed digits: drop leaves them out, keep writes them too, only leaves all other digits out.",
    ),
]
Blank = Annotated[
    list[Path] | None,
    typer.Option(
        envvar=f"{PREFIX}_BLANK",
        metavar="FILE",
        help="Blank form, an image or a PDF: what is printed on it is left out. Can be given several times.",
        show_default=False,
    ),
]
Form = Annotated[
    list[Path] | None,
    typer.Option(
        envvar=f"{PREFIX}_FORM",
        metavar="FILE",
        help="Form file (.toml), or a folder of form files: each page is read as the form that fits it, and each field "
        "gets a row. Can be given several times.",
        show_default=False,
    ),
]
NumbersOut = Annotated[
    str | None,
    typer.Option(
        envvar=f"{PREFIX}_NUMBERS_OUT",
        metavar="FILE",
        help="Write the numbers to this file too: .csv, .jsonl, .parquet or .xlsx; - writes CSV to standard output.",
        show_default=False,
    ),
]
CsvDialect = Annotated[
    CsvDialectChoice,
    typer.Option(
        envvar=f"{PREFIX}_CSV_DIALECT",
        case_sensitive=False,
        help="Form of CSV files. excel has a byte-order mark, semicolons and decimal commas.",
    ),
]
Delta = Annotated[
    bool,
    typer.Option(
        "--delta",
        envvar=f"{PREFIX}_DELTA",
        help="Write the pages that are new, changed or removed to OUT.delta.csv too.",
    ),
]
Report = Annotated[
    str | None,
    typer.Option(
        envvar=f"{PREFIX}_REPORT",
        metavar="FILE",
        help="Write a report of the run too: one HTML file with counts, the reasons of marks, confidences, pictures of "
        "the pages with the most to check, failures with their fix, and speed.",
        show_default=False,
    ),
]
State = Annotated[
    str | None,
    typer.Option(
        envvar=f"{PREFIX}_STATE",
        metavar="FOLDER",
        help="Folder of the journal, a path or URL, from which a run resumes. It is created if it is missing.",
        show_default="OUT.journal, beside the output",
    ),
]
LogFormat = Annotated[
    LogFormatChoice,
    typer.Option(
        envvar=f"{PREFIX}_LOG_FORMAT",
        case_sensitive=False,
        help="Format of messages on standard error. json writes one line for each event.",
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        envvar=f"{PREFIX}_QUIET",
        help="Print only errors. Pages that failed in the same way in an earlier run are not reported again.",
    ),
]


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 page`, `2 pages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}".replace(",", " ")


def printable(text: str) -> str:
    """Return `text` on one line, with control characters escaped: file names can contain terminal codes."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape", "replace").decode() for each in text)


def say(text: str, *, err: bool = True) -> None:
    """Print a line. If the stream is closed or full, nothing happens: messages are not results."""
    with suppress(OSError):
        typer.echo(text, err=err)


def _discard_unwritten_output() -> None:
    """Discard what closed or full streams did not take. Otherwise Python tries again at exit and ends with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


def _open_closed_streams() -> None:
    """Open standard streams that the caller closed (`2>&-`), so that no other file gets their descriptors."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            while (opened := os.open(os.devnull, os.O_RDWR)) < number:
                pass
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, mode))


@contextmanager
def ends_with_exit_code(log_format: LogFormatChoice = LogFormatChoice.text, *, quiet: bool = True) -> Iterator[None]:
    """Turn our errors, and signals that end the command, into one line on standard error and an exit code.

    Args:
        log_format: Format of that line, and of everything that is logged within.
        quiet: Whether events that are not errors are left out of a JSON log.

    Raises:
        typer.Exit: The command ends with this code.
    """
    _open_closed_streams()
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    as_json = log_format == LogFormatChoice.json

    def explain(text: str, code: int) -> None:
        text = name_variables(text)
        if as_json:
            log_error(text, code)
        else:
            say(printable(f"batchocr: {text}"))

    with logging_to_stderr(as_json=as_json, quiet=quiet):
        try:
            check_working_folder()
            yield
        except BatchocrError as fault:
            explain(str(fault), fault.exit_code)
            raise typer.Exit(fault.exit_code) from fault
        except BrokenPipeError as fault:  # a reader such as `head` has read enough of a report
            raise typer.Exit(ExitCode.OUTPUT) from fault
        except ImportError as fault:
            from batchocr.doctor import missing_library

            if not (fix := missing_library(fault)):
                raise
            explain(f"{fault}; install it: {fix}", ExitCode.INTERNAL)
            raise typer.Exit(ExitCode.INTERNAL) from fault
        except KeyboardInterrupt:
            explain("stopped", 130)
            raise typer.Exit(130) from None
        finally:
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
            _discard_unwritten_output()
