"""What reads work items: this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from batchocr.batch.parts import PageRecord
from batchocr.batch.run_models import RunModels
from batchocr.batch.summary import Counts
from batchocr.decoding.marking import Marking
from batchocr.distributed.plan_database import ItemPlan
from batchocr.distributed.table_job import TableJob, TableTask
from batchocr.settings import Settings


@dataclass(frozen=True)
class Job:
    """What an engine must know of the run."""

    settings: Settings
    models: RunModels
    journal: str | Path
    """Path or URL of the store that has the parts of earlier runs."""
    marking: Marking
    """How the pages are marked that the run shows while it continues."""
    clock: float
    """Time at which the run started, of `time.perf_counter`."""
    should_stop: Callable[[], bool]


class Engine(Protocol):
    """Reads work items. Pages come in any order, and may come twice."""

    stages: dict[str, float]
    """Seconds of each stage."""
    device: str
    """The device of the networks; empty before the first page."""

    def read(self, planned: Iterator[ItemPlan], *, alone: bool) -> Generator[PageRecord]:
        """Yield the pages of these work items, also those that failed.

        Args:
            planned: The work items.
            alone: Whether each page is read alone, as one of them may end the process that reads it.
        """
        ...

    def write_tables(self, job: TableJob, tasks: Iterable[TableTask]) -> Iterator[Counts]:
        """Write the files of a folder of results, and yield the counts of each task."""
        ...

    def close(self) -> None:
        """End what was started."""
        ...
