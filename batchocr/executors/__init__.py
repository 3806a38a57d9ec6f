"""Where pages are prepared for the networks: on this machine, in processes of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from batchocr.records import PreparedPage


class Executor(AbstractContextManager["Executor"], Protocol):
    """Prepares the pages of a run: decodes them, turns them level, and cuts them into tiles."""

    def pages(self) -> Iterator[PreparedPage]:
        """Every page that was asked for, in the order of the parts given; failed ones too, and none twice."""
        ...
