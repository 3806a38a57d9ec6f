"""A task of a worker, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace

from batchocr.errors import ScanError
from batchocr.records import Part, PreparedPage


@dataclass(frozen=True)
class Task:
    """Pages that one worker reads."""

    part: Part
    last: int
    """Last page of this task; the part may have more."""
    blamed: ScanError | None = None
    """The error with which a page failed twice: this task reads the next one, to learn whether the scan has others."""
    blamed_number: int = 1
    """The number of the page that failed."""

    def others(self) -> Part | None:
        """Return the pages of the part after its first page; None if there are none."""
        part = self.part
        if part.last is None or part.last > part.first:
            return replace(part, first=part.first + 1)
        if part.more:
            (first, last), *more = part.more
            return replace(part, first=first, last=last, more=tuple(more))
        return None


@dataclass(frozen=True)
class Ended:
    """The end of a task."""

    task: Task
    last_page: PreparedPage | None
    """The last page that it returned."""
    fault: Exception | None
    """ScanError if the page after that ended the worker."""
    is_complete: bool = True
    """False if it was interrupted because the run is asked to stop."""

    @property
    def pages(self) -> int | None:
        """Number of pages of the scan; None if it is not known."""
        return self.task.part.pages or (self.last_page.pages if self.last_page else None)

    @property
    def number(self) -> int:
        """The first page that it did not return."""
        first = self.task.part.first
        return (self.last_page.row.page or first) + 1 if self.last_page else first

    @property
    def last(self) -> int:
        """The last page that it should have returned."""
        return min(self.task.last, self.pages) if self.pages else self.task.last
