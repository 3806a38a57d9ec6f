"""What a run prints while it reads and when it ends: text for people, or one line of JSON for each event.

All figures have one definition, that of `batch.summary.Summary`: they count the pages in the results, also those that
earlier runs read. A scan that cannot be opened, or that is not opened yet, counts as one page.
"""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from batchocr.batch.journal import Failure, failure
from batchocr.batch.outcome import NOT_READ
from batchocr.cli.common import counted, printable, say
from batchocr.forms.form_status import TO_CHECK
from batchocr.output.outputs import STDOUT
from batchocr.records import PageResult

if TYPE_CHECKING:
    from batchocr.batch.summary import Start, Summary

INTERVAL_S = 30.0
"""Seconds between two lines of progress if there is no terminal for a bar."""

log = logging.getLogger("batchocr.run")


class Progress(AbstractContextManager["Progress"], Protocol):
    """Receives what happens in a run."""

    def start(self, start: Start) -> None:
        """Report what is taken from the journal and what is to be read."""

    def total(self, pages: int) -> None:
        """Set the number of pages that the results will have, as far as is known."""

    def page(self, result: PageResult) -> None:
        """Report a page that was read."""

    def done(self, summary: Summary) -> None:
        """Report the end of the run: all files are written."""


class _Failures:
    """Distinguishes failures that are reported from failures that are only counted."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._earlier: frozenset[Failure] = frozenset()

    def start(self, start: Start) -> None:
        self._earlier = start.failures

    def is_reported(self, result: PageResult) -> bool:
        """Return whether to report this page: it failed, and for --quiet it did not fail in the same way before."""
        if result.page.status != "failed":
            return False
        return not (self._quiet and failure(result) in self._earlier)


class TextProgress:
    """For people: failed pages when they occur, a bar or regular lines, and at the end the counts and what to do."""

    def __init__(self, *, quiet: bool, to_stderr: bool = False) -> None:
        """Prepare the output.

        Args:
            quiet: Whether only errors are printed.
            to_stderr: Whether the counts go to standard error, because a table goes to standard output.
        """
        from tqdm import tqdm

        self._quiet = quiet
        self._to_stderr = to_stderr
        lines = not quiet and not sys.stderr.isatty()
        self._bar = tqdm(unit="page", disable=quiet or lines, leave=False, dynamic_ncols=True)
        self._failures = _Failures(quiet=quiet)
        self._total = self._pages = self._failed = self._not_read = 0
        self._ended = threading.Event()
        self._lines = threading.Thread(target=self._print_lines, daemon=True) if lines else None

    def start(self, start: Start) -> None:
        """Print how many pages are in the journal and how many are to be read; nothing if the journal is empty."""
        self._failures.start(start)
        self._pages, self._failed = start.kept, start.kept_failed
        self.total(start.kept + start.to_read)
        self._bar.initial = self._bar.n = start.kept  # the speed is that of the pages read now
        if start.kept and not self._quiet:
            to_read = f"{'' if start.is_exact else 'at least '}{counted(start.to_read, 'page')}"
            self._write(f"resuming: {counted(start.kept, 'page')} in the journal, {to_read} to read")

    def total(self, pages: int) -> None:
        """Set the total of the bar."""
        self._total = self._bar.total = pages
        with suppress(OSError):
            self._bar.refresh()

    def page(self, result: PageResult) -> None:
        """Advance the bar, and print why the page failed if it did."""
        failed = result.page.status == "failed"
        self._pages += 1
        self._failed += failed
        with suppress(OSError):  # as in `say`
            self._bar.update()
        if result.page.error == NOT_READ:
            self._not_read += 1  # reported together
        elif self._failures.is_reported(result):
            self._write(f"failed: {printable(result.page.message)}")

    def done(self, summary: Summary) -> None:
        """Print the counts, the files and what a person should do."""
        if self._not_read:
            say(f"stopped reading (--max-failures): {counted(self._not_read, 'page')} not read")
        if self._quiet:
            return
        where = ", ".join(map(printable, summary.files)) or "standard output"
        passed_over = f" ({counted(summary.passed_over, 'other file')} passed over)" if summary.passed_over else ""
        kept = f" ({summary.kept} of them from the journal)" if summary.kept else ""
        failed = f", {summary.failed} failed" if summary.failed else ""
        say(
            f"{counted(summary.pages, 'page')}{kept}{failed}{passed_over}, {counted(summary.digits, 'digit')} in "
            f"{counted(summary.numbers, 'number')}, {summary.seconds:.1f} s"
            f"{f' on the {summary.device}' if summary.device else ''}: {where}",
            err=self._to_stderr,
        )
        if summary.forms:
            say(_of_forms(summary), err=self._to_stderr)
        if todo := _to_do(summary):
            say(f"to do: {todo}", err=self._to_stderr)

    def _write(self, line: str) -> None:
        """Print a line on standard error, above the bar."""
        with suppress(OSError):
            self._bar.write(line, file=sys.stderr)

    def _print_lines(self) -> None:
        while not self._ended.wait(INTERVAL_S):
            line = f"{self._pages} of {counted(self._total, 'page')}, {self._failed} failed"
            say(line if self._total else "starting")

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


def _of_forms(summary: Summary) -> str:
    """Return how many pages each form has, and how many fields have each status."""
    pages = ", ".join(f"{printable(name)}: {counted(count, 'page')}" for name, count in summary.forms.items())
    statuses = ", ".join(f"{count} {status}" for status, count in summary.fields.items() if count)
    return f"{pages}; {counted(sum(summary.fields.values()), 'field')}{f' ({statuses})' if statuses else ''}"


def _to_do(summary: Summary) -> str:
    """Return what a person should do after a run; empty if that is nothing."""
    todo = []
    if summary.left:
        todo.append(f"{counted(summary.left, 'page')} left for the next run (--limit)")
    if summary.review or summary.review_numbers:
        digits, numbers = counted(summary.review, "digit"), counted(summary.review_numbers, "number")
        todo.append(f"{digits} and {numbers} to review")
    if fields := sum(summary.fields.get(status, 0) for status in TO_CHECK):
        todo.append(f"{counted(fields, 'field')} to check")
    if summary.marked:
        todo.append(f"{counted(summary.marked, 'page')} to check as a whole")
    if summary.failed:
        named = "; ".join(printable(page) for page in summary.failed_pages)
        more = "; ..." if summary.failed > len(summary.failed_pages) else ""
        todo.append(f"{counted(summary.failed, 'page')} failed ({named}{more})")
    if todo and summary.out != STDOUT:
        todo.append(f"`batchocr status {printable(str(summary.out))}` lists which and why")
    return ", ".join(todo)


class JsonProgress:
    """For programs: events with the same keys, through the log."""

    def __init__(self, *, quiet: bool) -> None:
        self._failures = _Failures(quiet=quiet)

    def start(self, start: Start) -> None:
        """Log the counts of the journal and of the pages to be read."""
        self._failures.start(start)
        counts = {"kept": start.kept, "kept_failed": start.kept_failed, "to_read": start.to_read}
        log.info("start", extra={"stage": "plan", **counts})

    def total(self, pages: int) -> None:
        """Log the number of pages that the results will have."""
        log.info("total", extra={"stage": "plan", "pages": pages})

    def page(self, result: PageResult) -> None:
        """Log the counts of a page, or why it failed."""
        row = result.page
        known: dict[str, Any] = {"scan": row.file, "page": row.page, "stage": "read", "seconds": round(row.seconds, 3)}
        if self._failures.is_reported(result):
            log.error("failed", extra={**known, "error": row.error, "why": row.message})
        elif row.status != "failed":
            log.info("page", extra={**known, "status": row.status, "digits": row.digits, "review": row.review})

    def done(self, summary: Summary) -> None:
        """Log the counts of the results and the names of the files."""
        names = "scans pages kept left failed numbers digits review review_numbers marked".split()
        counts: dict[str, Any] = {name: getattr(summary, name) for name in names}
        if summary.forms:
            counts |= {"forms": summary.forms, "fields": summary.fields}
        paths = [name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for name in summary.files]
        log.info("done", extra={"stage": "write", "seconds": round(summary.seconds, 3), **counts, "files": paths})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
