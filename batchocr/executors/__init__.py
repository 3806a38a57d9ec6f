"""Where pages are prepared for the networks: on this machine, in worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from batchocr.records import PreparedPage


class Executor(AbstractContextManager["Executor"], Protocol):
    """Prepares the pages of a run: decodes them, levels them, and cuts them into tiles."""

    def pages(self) -> Iterator[PreparedPage]:
        """Yield every page of the given parts once, also pages that failed, each as soon as it is prepared."""
        ...
