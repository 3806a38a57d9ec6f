"""The stages of a work item on a cluster: prepare its pages, run the networks, decode.

Rows of a dataset are units: a few pages with all that the next stage needs, pickled. All stages report errors as failed
pages, never as exceptions, as an exception ends the whole dataset.
"""

from __future__ import annotations

import logging
import os
import pickle
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from batchocr.batch.parts import PageRecord, pack
from batchocr.decoding.digits.blank_form import BlankForm
from batchocr.decoding.marking import Marking, mark_rows
from batchocr.decoding.parameters import DecodingParameters
from batchocr.distributed.engines.local import page_record
from batchocr.distributed.old_pages import item_work
from batchocr.distributed.plan_database import ItemPlan
from batchocr.errors import BatchocrError
from batchocr.executors.local import MEMORY_RATIO, MIN_MEMORY, LocalExecutor, default_jobs
from batchocr.executors.page_task import as_scan_error, failed
from batchocr.executors.worker import Worker
from batchocr.forms.form import Form
from batchocr.forms.reading.page_result import page_result
from batchocr.pipeline import Read, Seconds, read_pages
from batchocr.pipeline.passes import without_tiles
from batchocr.process_setup import collect_garbage_less_often, keep_freed_memory
from batchocr.recognition.calibration import NOT_A_DIGIT
from batchocr.recognition.networks import Models, Networks
from batchocr.records import PreparedPage, no_detections
from batchocr.settings import Settings
from batchocr.stores import open_store
from batchocr.version import code_sha256

log = logging.getLogger(__name__)

Batch = dict[str, np.ndarray[Any, Any]]
"""A column of pickled objects for each name."""


@dataclass(frozen=True)
class UnitParameters:
    """How many pages go through the cluster together."""

    pages: int = 8
    """Pages of a unit at most. Basis: the tiles of eight pages fill batches of the detector to nine tenths or more."""
    bytes: int = 64 << 20
    """Bytes of the pixels of a unit, about. Basis: half of what Ray Data takes for a block; a page has 3 to 40 MB."""


PARAMETERS = UnitParameters()


@dataclass(frozen=True)
class Context:
    """What all stages know."""

    settings: Settings
    journal: str | Path
    decoding: DecodingParameters
    files: Mapping[str, bytes]
    """The models and what is beside them, by name of the file."""
    models: Models
    """Only the names of the files are used, and the parameters."""
    blanks: tuple[BlankForm, ...]
    forms: tuple[Form, ...]
    marking: Marking
    """How the pages are marked that the run shows while it continues."""
    code: str
    """Hash of the program of the driver."""
    unit: UnitParameters = PARAMETERS


@dataclass
class Unit:
    """Pages on their way through the cluster."""

    records: list[PageRecord] = field(default_factory=list)
    """Pages that earlier runs have read."""
    prepared: list[PreparedPage] = field(default_factory=list)
    read: list[Read] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """Seconds of each stage."""
    error: BatchocrError | None = None
    """Why the run cannot continue."""


@lru_cache(maxsize=1)
def _resolved(reference: Any) -> Context:
    """Return the object of a reference; it stays in this process. Set up the process too."""
    import ray

    collect_garbage_less_often()
    keep_freed_memory()

    context: Context = ray.get(reference)
    return context


def prepare(batch: Batch, reference: Any) -> Iterator[Batch]:
    """Yield the pages of work items in units, each as soon as it is full.

    Args:
        batch: Pickled `ItemPlan`s in `item`.
        reference: Ray's reference of the `Context`.
    """
    try:
        context = _resolved(reference)
        check_code(context)
        for packed in batch["item"]:
            for unit in _units(pickle.loads(packed), context):  # noqa: S301  from the driver
                yield _row("unit", unit)
    except BatchocrError as fault:  # of the run, not of a page: the driver raises it
        yield _row("unit", Unit(error=fault))


def _units(planned: ItemPlan, context: Context) -> Iterator[Unit]:
    settings = context.settings
    store = open_store(context.journal)
    work = item_work(store, planned, retry_failed=settings.retry_failed, pages=settings.pages)
    unit, size = Unit(list(work.kept)), 0
    if work.parts:
        with LocalExecutor(
            work.parts,
            jobs=1,
            max_megapixels=settings.max_megapixels,
            page_timeout=settings.page_timeout,
            pdf_password=settings.pdf_password,
            worker=_worker(settings.max_megapixels, settings.pdf_password, context.forms, os.getpid()),
        ) as executor:
            for page in executor.pages():
                unit.prepared.append(page)
                size += _size(page)
                if len(unit.prepared) >= context.unit.pages or size >= context.unit.bytes:
                    yield unit
                    unit, size = Unit(), 0
    if unit.prepared or unit.records:
        yield unit


@cache
def _worker(max_megapixels: float, pdf_password: str | None, forms: tuple[Form, ...], process: int) -> Worker:
    """Return the worker of this process, which lives as long as it does."""
    memory = max(MIN_MEMORY, int(MEMORY_RATIO * psutil.virtual_memory().total / default_jobs()))
    return Worker(max_megapixels, 1, memory, pdf_password, forms)


def _size(page: PreparedPage) -> int:
    return page.level.pixels.nbytes + page.level.tiles.pixels.nbytes if page.level else 0


class ReadUnits:
    """An actor that holds both networks."""

    def __init__(self, reference: Any) -> None:
        """Load the networks from the driver's files.

        Args:
            reference: Ray's reference of the `Context`.

        Raises:
            BatchocrError: This machine has another version of the program.
            DeviceError: The device is not available.
        """
        context = _resolved(reference)
        check_code(context)
        settings = context.settings
        with tempfile.TemporaryDirectory(prefix="batchocr-") as folder:
            for name, content in context.files.items():
                Path(folder, name).write_bytes(content)
            models = replace(
                context.models,
                detector=Path(folder, context.models.detector.name),
                classifier=Path(folder, context.models.classifier.name),
            )
            self._networks = Networks(models, device=settings.device, batch_size=settings.batch_size)

    def __call__(self, batch: Batch) -> Batch:
        """Run both networks on units.

        Args:
            batch: Pickled `Unit`s in `unit`.
        """
        units: list[Unit] = [pickle.loads(packed) for packed in batch["unit"]]  # noqa: S301  from `prepare`
        before, between = dict(self._networks.seconds), Seconds()
        read = self._read([page for unit in units for page in unit.prepared], between)
        for unit in units:
            count, unit.prepared = len(unit.prepared), []
            unit.read = [_without_tiles(each) for each in read[:count]]
            read = read[count:]
        now = self._networks.seconds
        units[0].seconds = {name: now[name] - before[name] for name in now}
        units[0].seconds |= {"crops": between.crops, "vision": between.tiles}
        return _rows("unit", units)

    def _read(self, pages: list[PreparedPage], between: Seconds) -> list[Read]:
        """Read pages together; if that fails, one by one, so that only the page at fault fails."""
        try:
            return list(read_pages(pages, self._networks, seconds=between))
        except Exception as fault:
            if len(pages) == 1:
                return [_failed(pages[0], fault)]
            log.warning("%s: %s; the pages of a unit are read one by one", type(fault).__name__, fault)
            return [read for page in pages for read in self._read([page], between)]


def _failed(page: PreparedPage, fault: Exception) -> Read:
    assert page.scan is not None
    row = failed(page.scan, page.row.page, as_scan_error(page.scan, fault)).row
    bad = replace(page, row=replace(row, sha256=page.row.sha256), level=None)
    return Read(bad, no_detections(), np.zeros((0, NOT_A_DIGIT + 1)))


def _without_tiles(read: Read) -> Read:
    page = read.page
    return read._replace(page=replace(page, level=without_tiles(page.level))) if page.level else read


def decode(batch: Batch, reference: Any) -> Batch:
    """Decode what the networks have read.

    Args:
        batch: Pickled `Unit`s in `unit`.
        reference: Ray's reference of the `Context`.

    Returns:
        The content of a part for each unit in `pages`. In `rest`, pickled: the seconds of each stage, the error, and
        the rows of the pages.
    """
    context = _resolved(reference)
    rows: dict[str, list[bytes]] = {"pages": [], "rest": []}
    for packed in batch["unit"]:
        unit: Unit = pickle.loads(packed)  # noqa: S301  from `ReadUnits`
        clock = time.perf_counter()
        records = [*unit.records, *(_record(read, context) for read in unit.read)]
        shown = [
            replace(mark_rows(record.result, context.marking), digits=(), numbers=(), fields=()) for record in records
        ]
        unit.seconds["decoding"] = time.perf_counter() - clock
        unit.seconds["vision"] = unit.seconds.get("vision", 0.0) + sum(read.page.row.seconds for read in unit.read)
        rows["pages"].append(pack(records))
        rows["rest"].append(pickle.dumps((unit.seconds, unit.error, shown)))
    return {name: np.array(values, dtype=object) for name, values in rows.items()}


def _record(read: Read, context: Context) -> PageRecord:
    page, has_selection = read.page, bool(context.settings.pages)
    try:
        result = page_result(*read, context.decoding, context.blanks, context.forms)
    except Exception as fault:
        bad = _failed(page, fault)
        result = page_result(*bad, context.decoding)
    return page_record(page, result, has_selection=has_selection)


def check_code(context: Context) -> None:
    """Raise BatchocrError if this machine has another program than the driver: its rows could differ."""
    if code_sha256() != context.code:
        raise BatchocrError(
            "a machine of the cluster has another version of batchocr than the driver: install the same one on all"
        )


def _row(name: str, value: Unit) -> Batch:
    return _rows(name, [value])


def _rows(name: str, values: list[Unit]) -> Batch:
    column = np.empty(len(values), dtype=object)
    column[:] = [pickle.dumps(value, protocol=5) for value in values]
    return {name: column}
