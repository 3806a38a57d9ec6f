"""What a run says while it goes on and in the end: for people, or a line of JSON an event."""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from batchocr.cli.common import counted, printable, say
from batchocr.output.outputs import STDOUT
from batchocr.records import PageResult

if TYPE_CHECKING:
    from batchocr.batch.job import Summary

EVERY = 30.0
"""Seconds between two lines of progress where there is no terminal for a bar."""

log = logging.getLogger("batchocr.run")


class Talk(AbstractContextManager["Talk"], Protocol):
    """Is told what happens."""

    def total(self, pages: int) -> None:
        """So many pages are to be read, as far as is known now."""

    def page(self, result: PageResult) -> None:
        """A page is done."""

    def done(self, summary: Summary, files: list[Path]) -> None:
        """All is written."""


class TextTalk:
    """For people: failed pages as they come, a bar or now and then a line, in the end what was read and is to do."""

    def __init__(self, *, quiet: bool, to_stderr: bool = False) -> None:
        from tqdm import tqdm

        self._quiet = quiet
        self._to_stderr = to_stderr  # because a table goes to standard output
        lines = not quiet and not sys.stderr.isatty()
        self._bar = tqdm(unit="page", disable=quiet or lines, leave=False, dynamic_ncols=True)
        self._total = self._pages = self._failed = 0
        self._ended = threading.Event()
        self._lines = threading.Thread(target=self._say_now_and_then, daemon=True) if lines else None

    def total(self, pages: int) -> None:
        self._total = self._bar.total = pages
        with suppress(OSError):
            self._bar.refresh()

    def page(self, result: PageResult) -> None:
        failed = result.page.status == "failed"
        self._pages += 1
        self._failed += failed
        with suppress(OSError):  # as in `say`
            self._bar.update()
            if failed:
                self._bar.write(f"failed: {printable(result.page.message)}", file=sys.stderr)

    def done(self, summary: Summary, files: list[Path]) -> None:
        if self._quiet:
            return
        where = ", ".join(printable(str(path)) for path in files) or "standard output"
        passed_over = f" ({summary.passed_over} other files passed over)" if summary.passed_over else ""
        kept = f" ({summary.kept} of them before)" if summary.kept else ""
        say(
            f"{counted(summary.pages, 'page')}{kept}{passed_over}, {counted(summary.digits, 'digit')} in "
            f"{counted(summary.numbers, 'number')}, {summary.seconds:.1f} s"
            f"{f' on the {summary.device}' if summary.device else ''}: {where}",
            err=self._to_stderr or summary.out == STDOUT,
        )
        if todo := _to_do(summary):
            say(f"to do: {todo}", err=self._to_stderr or summary.out == STDOUT)

    def _say_now_and_then(self) -> None:
        while not self._ended.wait(EVERY):
            said = f"{self._pages} of {counted(self._total, 'page')}, {self._failed} failed"
            say(said if self._total else "starting")

    def __enter__(self) -> Self:
        if self._lines:
            self._lines.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        with suppress(OSError):
            self._bar.close()


def _to_do(summary: Summary) -> str:
    """What a person should do after a run; empty where that is nothing."""
    todo = []
    if summary.review or summary.review_numbers:
        digits, numbers = counted(summary.review, "digit"), counted(summary.review_numbers, "number")
        todo.append(f"{digits} and {numbers} to review")
    if summary.marked:
        todo.append(f"{counted(summary.marked, 'page')} to look at as a whole")
    if summary.failed:
        named = "; ".join(printable(page) for page in summary.failed_pages)
        more = "; ..." if summary.failed > len(summary.failed_pages) else ""
        todo.append(f"{counted(summary.failed, 'page')} failed ({named}{more})")
    if todo and summary.out != STDOUT:
        todo.append(f"batchocr status {printable(str(summary.out))} tells which and why")
    return ", ".join(todo)


class JsonTalk:
    """For programs: events with the same keys, through the log."""

    def total(self, pages: int) -> None:
        log.info("total", extra={"stage": "plan", "pages": pages})

    def page(self, result: PageResult) -> None:
        row = result.page
        told: dict[str, Any] = {"scan": row.file, "page": row.page, "stage": "read", "seconds": round(row.seconds, 3)}
        if row.status == "failed":
            log.error("failed", extra={**told, "error": row.error, "why": row.message})
        else:
            log.info("page", extra={**told, "status": row.status, "digits": row.digits, "review": row.review})

    def done(self, summary: Summary, files: list[Path]) -> None:
        counts = {
            k: getattr(summary, k)
            for k in ("scans", "pages", "kept", "failed", "numbers", "digits", "review", "review_numbers", "marked")
        }
        named = [str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for path in files]
        log.info("done", extra={"stage": "write", "seconds": round(summary.seconds, 3), **counts, "files": named})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
