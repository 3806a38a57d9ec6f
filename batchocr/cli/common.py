"""What the subcommands share: options, the end of a faulty run, and the log."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from batchocr.errors import BatchocrError, ExitCode


class DeviceChoice(StrEnum):
    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"


class PrintedChoice(StrEnum):
    drop = "drop"
    keep = "keep"
    only = "only"


class LogFormatChoice(StrEnum):
    text = "text"
    json = "json"


ENVIRONMENT = {"auto_envvar_prefix": "BATCHOCR"}
"""Every option also from the environment, as cron likes it: BATCHOCR_DEVICE=cpu."""

Model = Annotated[
    Path | None,
    typer.Option(help="The classifier: a .keras file with its .json beside it.", show_default="the shipped one"),
]
Detector = Annotated[
    Path | None,
    typer.Option(help="The detector: a .keras file with its .json beside it.", show_default="the shipped one"),
]
Device = Annotated[
    DeviceChoice, typer.Option(case_sensitive=False, help="Where the networks run; gpu fails where there is none.")
]
MinConfidence = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="Mark digits below for review; none is dropped.",
        show_default="the model's own: at most 3% of those above it were wrong, and no less than 0.5",
    ),
]
MaxError = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="Mark digits for review so that at most this share of the others is wrong, with 95% certainty, such as "
        "0.001; none is dropped. It takes the lowest confidence of the model's table whose upper bound of the error is "
        "no greater, instead of --min-confidence. The table was measured on digits drawn on pages and cut out again, "
        "none of them trained on: see the model's card. `batchocr evaluate` measures it on pages of your own.",
    ),
]
MaxMegapixels = Annotated[
    float,
    typer.Option(min=0, max=1e6, help="Refuse larger pictures, before they are decoded."),
]
PdfPassword = Annotated[
    str | None,
    typer.Option(
        help="Password that opens protected PDFs. Better set BATCHOCR_PDF_PASSWORD, because other users of the machine "
        "can see command lines.",
        show_default=False,
    ),
]
Printed = Annotated[
    PrintedChoice,
    typer.Option(
        case_sensitive=False,
        help="Printed digits: drop leaves them out, only leaves all others out.",
    ),
]
Blank = Annotated[
    list[Path] | None,
    typer.Option(
        help="The form as nobody has filled it in, a picture or PDF: what is printed there is left out. May be given "
        "several times.",
        show_default=False,
    ),
]
LogFormat = Annotated[
    LogFormatChoice,
    typer.Option(case_sensitive=False, help="How to tell of progress and faults; json is a line an event on stderr."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]


def counted(count: int, noun: str) -> str:
    """`1 page`, `2 pages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}".replace(",", " ")


def printable(text: str) -> str:
    """`text` on one line of a terminal: a file's name may hold line ends, and codes that steer a terminal."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape", "replace").decode() for each in text)


def say(text: str, *, err: bool = True) -> None:
    """A line to who listens. Where nobody does, or the disk is full, the run goes on: results are not told here."""
    with suppress(OSError):
        typer.echo(text, err=err)


def _drop_what_nobody_takes() -> None:
    """What is left for streams that take no more: Python would try once more as it ends, and end with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _open_closed_streams() -> None:
    """Standard streams that the caller closed (`2>&-`) lead nowhere, so that no file of ours takes their place."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            while (opened := os.open(os.devnull, os.O_RDWR)) < number:
                pass
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, mode))


@contextmanager
def _logging(form: LogFormatChoice, level: int) -> Iterator[None]:
    """Within, all that is logged has one form; a line of JSON has the same keys whatever it tells."""
    handler = logging.StreamHandler()
    if form == LogFormatChoice.json:
        from pythonjsonlogger.json import JsonFormatter

        keys = dict.fromkeys(("scan", "page", "stage", "seconds"))
        names = {"levelname": "level", "message": "event"}
        handler.setFormatter(
            JsonFormatter(
                "%(levelname)s %(message)s",
                rename_fields=names,
                timestamp="time",
                defaults=keys,
                json_ensure_ascii=False,
            )
        )
    else:
        handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    root, ours = logging.getLogger(), logging.getLogger("batchocr")
    before = ours.level
    root.addHandler(handler)
    ours.setLevel(level)
    try:
        yield
    finally:
        root.removeHandler(handler)
        ours.setLevel(before)


@contextmanager
def ends_with_exit_code(form: LogFormatChoice = LogFormatChoice.text, *, quiet: bool = True) -> Iterator[None]:
    """A fault of ours becomes one line on standard error and its exit code; so does a signal to stop."""
    _open_closed_streams()
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    as_json = form == LogFormatChoice.json
    level = (logging.ERROR if quiet else logging.INFO) if as_json else logging.WARNING

    def say_why(text: str, code: int) -> None:
        if as_json:
            logging.getLogger("batchocr").error("ended", extra={"why": text, "exit_code": code})
        else:
            say(printable(f"batchocr: {text}"))

    with _logging(form, level):
        try:
            yield
        except BatchocrError as fault:
            say_why(str(fault), fault.exit_code)
            raise typer.Exit(fault.exit_code) from fault
        except BrokenPipeError as fault:
            raise typer.Exit(ExitCode.OUTPUT) from fault
        except ImportError as fault:
            from batchocr.doctor import missing_library

            if not (fix := missing_library(fault)):
                raise
            say_why(f"{fault}; install it: {fix}", ExitCode.INTERNAL)
            raise typer.Exit(ExitCode.INTERNAL) from fault
        except KeyboardInterrupt:
            say_why("stopped", 130)
            raise typer.Exit(130) from None
        finally:
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
            _drop_what_nobody_takes()
