"""Many pages through both networks: batches are filled with the tiles, and then with the crops, of many pages."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from batchocr.forms.form import Form
from batchocr.forms.ink.filled_in import filled_in
from batchocr.pipeline.batching import InputQueue
from batchocr.pipeline.passes import PARAMETERS, Passes, PipelineParameters, passes_of, without_tiles
from batchocr.recognition.calibration import NOT_A_DIGIT, Floats
from batchocr.recognition.detector import RawDetections, merge_tiles
from batchocr.recognition.networks import Networks
from batchocr.records import SIGN, Detections, PreparedPage, Tiles, no_detections
from batchocr.vision.crops import make_crops

MAX_WAITING = 24
"""Pages that wait for a full batch, on the processor. Each holds its pixels, and its result is not yet in the journal.
"""
MAX_WAITING_ON_GPU = 96
"""The same on a GPU, whose batches are larger."""


class Read(NamedTuple):
    """The results of both networks for a page."""

    page: PreparedPage
    detections: Detections
    probabilities: Floats
    """(n, 11) of the crops: the ten digits, and not a digit; zeros for signs."""
    cell_probabilities: Floats | None = None
    """(k, 11) of the crops of cells, for a page that was placed on a form."""


@dataclass
class Seconds:
    """Time spent between the networks, in the process that runs them."""

    tiles: float = 0.0
    crops: float = 0.0


def read_pages(
    pages: Iterable[PreparedPage],
    networks: Networks,
    *,
    forms: Sequence[Form] = (),
    parameters: PipelineParameters = PARAMETERS,
    seconds: Seconds | None = None,
) -> Iterator[Read]:
    """Run both networks on pages.

    A page waits until batches are full, or until too many pages wait. A page without a level page has no detections.

    Args:
        pages: The pages.
        networks: The loaded networks.
        forms: The forms on which pages were placed.
        parameters: See the class.
        seconds: Time spent between the networks is added to it.

    Yields:
        The result of each page, in the given order.
    """
    work = _Work(networks, forms, parameters, seconds or Seconds())
    waiting: deque[_Page] = deque()
    max_waiting = MAX_WAITING_ON_GPU if networks.device == "gpu" else MAX_WAITING
    for prepared in pages:
        waiting.append(work.start(prepared))
        work.run_full_batches()
        while len(waiting) >= max_waiting and not waiting[0].done:
            work.run_next()
        while waiting and waiting[0].done:
            yield waiting.popleft().result()
    while work.run_next():
        pass
    for page in waiting:
        yield page.result()


@dataclass(eq=False)
class _Page:
    """A page on its way through both networks."""

    prepared: PreparedPage
    passes: Passes | None = None
    tiles: Tiles | None = None
    """Those of the current pass, without their pixels."""
    outputs: list[RawDetections] = field(default_factory=list)
    """The detector's outputs of the current pass."""
    detections: Detections = field(default_factory=no_detections)
    """Those of all passes."""
    probabilities: list[Floats] = field(default_factory=list)
    """The classifier's outputs."""
    pending: int = 0
    """Number of its tiles, and then crops, that wait for a network."""

    @property
    def done(self) -> bool:
        return self.pending == 0

    def result(self) -> Read:
        probabilities = np.zeros((len(self.detections), NOT_A_DIGIT + 1))
        is_digit = self.detections.kinds != SIGN
        answers = np.concatenate([np.empty((0, NOT_A_DIGIT + 1)), *self.probabilities])
        count = np.count_nonzero(is_digit)
        probabilities[is_digit] = answers[:count]
        has_form = self.prepared.level is not None and self.prepared.level.filled_in is not None
        return Read(self.prepared, self.detections, probabilities, answers[count:] if has_form else None)


class _Work:
    """The queues of both networks, and the steps between them."""

    def __init__(
        self, networks: Networks, forms: Sequence[Form], parameters: PipelineParameters, seconds: Seconds
    ) -> None:
        self._networks, self._forms, self._parameters, self._seconds = networks, forms, parameters, seconds
        self._tiles: InputQueue[_Page] = InputQueue()
        self._crops: InputQueue[_Page] = InputQueue()

    def start(self, prepared: PreparedPage) -> _Page:
        """Put the tiles of a page's first pass into the queue."""
        page = _Page(prepared)
        if prepared.level:
            page.prepared = replace(prepared, level=without_tiles(prepared.level))
            page.passes = passes_of(prepared, self._networks.detector.parameters, self._parameters)
            self._start_pass(page, next(page.passes))
        return page

    def run_full_batches(self) -> None:
        """Run the networks on all inputs that make full batches."""
        while True:
            networks = self._networks
            tiles, crops = (
                network.batch_size * networks.device_count for network in (networks.detector, networks.classifier)
            )
            if self._tiles.count >= tiles:
                self._detect(self._tiles.count // tiles * tiles)
            elif self._crops.count >= crops:
                self._classify(self._crops.count // crops * crops)
            else:
                return

    def run_next(self) -> bool:
        """Run one network on all of its inputs, also in a batch that is not full; return False if there are none."""
        if self._tiles.count:
            self._detect(self._tiles.count)
        elif self._crops.count:
            self._classify(self._crops.count)
        else:
            return False
        return True

    def _detect(self, count: int) -> None:
        shares = self._tiles.take(count)
        output = self._networks.detect(np.concatenate([share.inputs for share in shares]))
        ends = np.cumsum([len(share.inputs) for share in shares])
        parts = np.split(output, np.searchsorted(output[:, 0], ends[:-1]))
        for share, end, part in zip(shares, ends.tolist(), parts, strict=True):
            part[:, 0] += share.start - (end - len(share.inputs))  # the first column is the index of the tile
            share.owner.outputs.append(part)
            if share.owner.done:
                self._end_pass(share.owner)

    def _classify(self, count: int) -> None:
        shares = self._crops.take(count)
        output = self._networks.classify(np.concatenate([share.inputs for share in shares]))
        ends = np.cumsum([len(share.inputs) for share in shares])
        for share, part in zip(shares, np.split(output, ends[:-1]), strict=True):
            share.owner.probabilities.append(part)

    def _start_pass(self, page: _Page, tiles: Tiles) -> None:
        page.tiles, page.outputs = replace(tiles, pixels=tiles.pixels[:0]), []
        self._tiles.put(page, tiles.pixels)
        if page.done:  # no tile has ink
            self._end_pass(page)

    def _end_pass(self, page: _Page) -> None:
        """Start the next pass, or put the crops of what was found into the queue."""
        assert page.passes is not None and page.tiles is not None
        clock = time.perf_counter()
        found = no_detections()
        if page.outputs:
            found = merge_tiles(np.concatenate(page.outputs), page.tiles, self._networks.detector.parameters)
        try:
            tiles = page.passes.send(found)
        except StopIteration as end:
            page.prepared, page.detections = end.value
        else:
            self._seconds.tiles += time.perf_counter() - clock
            self._start_pass(page, tiles)
            return
        assert page.prepared.level is not None
        level, boxes = page.prepared.level, page.detections.boxes[page.detections.kinds != SIGN]
        crops = make_crops(level.pixels, boxes, self._parameters.crops)
        if level.placement is not None and level.filled_in is None:  # the page was turned since it was prepared
            ink = filled_in(level.pixels, self._forms[level.placement.form], level.placement)
            level = replace(level, filled_in=ink)
            page.prepared = replace(page.prepared, level=level)
        if level.filled_in is not None:
            crops = np.concatenate([crops, level.filled_in.crops])
        self._crops.put(page, crops)
        self._seconds.crops += time.perf_counter() - clock
