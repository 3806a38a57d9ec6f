"""Read pages on this machine: worker processes prepare them, this process runs the networks and decodes."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import TYPE_CHECKING

from batchocr.batch.run_models import RunModels
from batchocr.executors import Executor
from batchocr.executors.local import LocalExecutor
from batchocr.records import PageResult, Part, PreparedPage
from batchocr.settings import Settings

if TYPE_CHECKING:
    from batchocr.recognition.networks import Networks

STAGES = ("start", "vision", "detector", "crops", "classifier", "decoding")
"""The stages whose seconds a run reports."""


def read_pages_locally(
    parts: Iterable[Part],
    settings: Settings,
    models: RunModels,
    batch_size: int | None,
    *,
    stages: dict[str, float],
    clock: float,
    on_ready: Callable[[Networks], None] = lambda networks: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[tuple[PreparedPage, PageResult]]:
    """Read pages, each as soon as it is finished.

    Args:
        parts: What is to be read; it is consumed as workers are free.
        settings: The settings of the run.
        models: The networks, their reading file, and the forms.
        batch_size: Crops that are classified at once; None for the default of the device.
        stages: Seconds by name in STAGES; what this takes is added.
        clock: Time at which the run started, of `time.perf_counter`.
        on_ready: Called once the networks are loaded, before the first page.
        should_stop: Called often. When it returns True, only pages in progress follow.

    Yields:
        The page as it was prepared, without results, and its result.

    Raises:
        BatchocrError: A worker or the networks cannot be started.
    """
    local: Executor = LocalExecutor(
        parts,
        jobs=settings.jobs,
        max_megapixels=settings.max_megapixels,
        page_timeout=settings.page_timeout,
        should_stop=should_stop,
        pdf_password=settings.pdf_password,
        forms=models.forms,
    )
    with local as executor:
        # imported here, so that the workers decode while Keras starts
        from batchocr.executors.blank_forms import load_blanks
        from batchocr.forms.reading.page_result import page_result
        from batchocr.pipeline import Seconds, read_pages
        from batchocr.recognition.multi_gpu import MultiGpuNetworks

        reading, forms = models.reading, models.forms
        decoding = reading.decoding()
        blanks = load_blanks(settings.blank, settings.max_megapixels, settings.pdf_password)
        with closing(
            MultiGpuNetworks(reading.models(models.models), device=settings.device, batch_size=batch_size)
        ) as networks:
            on_ready(networks)
            stages["start"] = time.perf_counter() - clock
            between = Seconds()
            try:
                for read in read_pages(executor.pages(), networks, seconds=between):
                    began = time.perf_counter()
                    result = page_result(*read, decoding, blanks, forms)
                    stages["decoding"] += time.perf_counter() - began
                    stages["vision"] += result.page.seconds
                    yield read.page, result
            finally:
                for name, seconds in (*networks.seconds.items(), ("crops", between.crops), ("vision", between.tiles)):
                    stages[name] += seconds
