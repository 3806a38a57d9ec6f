"""Write a folder of results from parts, in tasks that may run on many machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from batchocr.batch.summary import Counts, counted
from batchocr.decoding.marking import Marking
from batchocr.distributed.results import results_of
from batchocr.output.table_folder import TableFolder, write_files
from batchocr.stores import open_store

PARTS_PER_FILE = 512
"""Parts whose rows are in one file of a table. Basis: some ten thousand pages, and files of tens of megabytes, as
readers of Parquet prefer."""


@dataclass(frozen=True)
class TableJob:
    """What all tasks know."""

    journal: str | Path
    """Path or URL of the store that has the parts."""
    folder: TableFolder
    marking: Marking


@dataclass(frozen=True)
class TableTask:
    """One file of each table."""

    number: int
    """From 0, in the order of the results."""
    parts: tuple[str | None, ...]
    """Paths of the parts in order; None for one that is missing, which is an error."""


TableWriter = Callable[[TableJob, Iterable[TableTask]], Iterator[Counts]]
"""Does all tasks, and yields the counts of each."""


def table_tasks(parts: Iterator[str | None]) -> Iterator[TableTask]:
    """Yield the tasks for these parts; at least one, so that tables without rows have columns."""
    number = 0
    while (some := tuple(islice(parts, PARTS_PER_FILE))) or number == 0:
        yield TableTask(number, some)
        number += 1


def do_task(job: TableJob, task: TableTask) -> Counts:
    """Write the files of one task, and count what they have.

    Raises:
        OutputError: A part is missing or damaged, or a file cannot be written.
    """
    counts = Counts()
    results = results_of(task.parts, open_store(job.journal))
    write_files(job.folder, task.number, counted(results, job.marking, counts, lambda: False))
    return counts


def write_here(job: TableJob, tasks: Iterable[TableTask]) -> Iterator[Counts]:
    """Do all tasks in this process."""
    return (do_task(job, task) for task in tasks)
