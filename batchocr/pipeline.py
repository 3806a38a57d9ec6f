"""Prepared pages → detections and the probabilities of their crops: both networks get the work of many pages at once.

The one place that knows both `vision` and `recognition`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from batchocr.decoding.marks import ORIENTATION
from batchocr.decoding.orientation import Turn, evidence, find_turn, is_upright
from batchocr.decoding.suppression import suppressed
from batchocr.recognition.calibration import NONE, Floats
from batchocr.recognition.detector import Raw, believed, digit_heights, of_page, with_weak
from batchocr.recognition.networks import Networks
from batchocr.records import SIGN, Detections, LevelPage, PreparedPage, Tiles, no_detections
from batchocr.vision.crops import cut_crops
from batchocr.vision.geometry.quarter_turns import turned
from batchocr.vision.tiles import PARAMETERS as TILES
from batchocr.vision.tiles import (
    TileParameters,
    far_scale,
    first_scale,
    is_whole_page,
    make_tiles,
    second_scale,
)

WAITING = 24
"""Pages that wait for a batch to fill, at most: each holds its pixels, and what is known of them is not lost for long.
"""
WAITING_ON_GPU = 96


class Read(NamedTuple):
    """What both networks say of a page."""

    page: PreparedPage
    detections: Detections
    probabilities: Floats
    """(n, 11) of the detections' crops: the ten digits, and none of them; zeros for signs."""


@dataclass
class Seconds:
    """Spent between the networks, in the process that runs them."""

    tiles: float = 0.0
    crops: float = 0.0


def read_pages(
    pages: Iterable[PreparedPage],
    networks: Networks,
    *,
    tiles: TileParameters = TILES,
    seconds: Seconds | None = None,
) -> Iterator[Read]:
    """Each page, in the order given, with what both networks say of it.

    A page waits until batches are full, or until too many others wait too. Without a level page it has no detections.
    """
    work = _Work(networks, tiles, seconds or Seconds())
    waiting: deque[_Page] = deque()
    most = WAITING_ON_GPU if networks.device == "gpu" else WAITING
    for prepared in pages:
        waiting.append(work.begin(prepared))
        work.fill()
        while len(waiting) >= most and not waiting[0].done:
            work.flush()
        while waiting and waiting[0].done:
            yield waiting.popleft().result()
    while work.flush():
        pass
    for page in waiting:
        yield page.result()


Passes = Generator[Tiles, Detections, None]
"""The passes over a page: it is given the tiles' detections, and asks for other tiles until all is found."""


@dataclass(eq=False)
class _Page:
    """A page on its way through both networks."""

    prepared: PreparedPage
    passes: Passes | None = None
    tiles: Tiles | None = None
    """Those of the pass that waits for its answers, without their pixels."""
    answers: list[Raw] = field(default_factory=list)
    """What was found on them so far."""
    found: Detections = field(default_factory=no_detections)
    known: list[Floats] = field(default_factory=list)
    """Probabilities of the crops so far."""
    left: int = 0
    """Tiles, and then crops, whose answer is not there yet."""

    @property
    def done(self) -> bool:
        return self.left == 0

    def result(self) -> Read:
        probabilities = np.zeros((len(self.found), NONE + 1))
        if self.known:
            probabilities[self.found.kinds != SIGN] = np.concatenate(self.known)
        return Read(self.prepared, self.found, probabilities)


@dataclass(frozen=True)
class _Share:
    """Inputs of a page that go into a batch."""

    page: _Page
    inputs: NDArray[np.uint8]
    start: int
    """Place of the first among those of its page and pass."""


class _Queue:
    """Inputs of many pages that wait for a network."""

    def __init__(self) -> None:
        self._waiting: deque[_Share] = deque()
        self.held = 0

    def put(self, page: _Page, inputs: NDArray[np.uint8]) -> None:
        if len(inputs):
            self._waiting.append(_Share(page, inputs, 0))
            self.held += len(inputs)
            page.left += len(inputs)

    def take(self, count: int) -> list[_Share]:
        """The next so many, which count as answered."""
        self.held -= count
        taken = []
        while count:
            share = self._waiting.popleft()
            if len(share.inputs) > count:
                rest = _Share(share.page, share.inputs[count:], share.start + count)
                self._waiting.appendleft(rest)
                share = _Share(share.page, share.inputs[:count], share.start)
            taken.append(share)
            share.page.left -= len(share.inputs)
            count -= len(share.inputs)
        return taken


class _Work:
    """What waits for each network, and what comes between them."""

    def __init__(self, networks: Networks, tiles: TileParameters, seconds: Seconds) -> None:
        self._networks, self._parameters, self._seconds = networks, tiles, seconds
        self._tiles, self._crops = _Queue(), _Queue()

    def begin(self, prepared: PreparedPage) -> _Page:
        """A page whose tiles wait from now on."""
        page = _Page(prepared)
        if prepared.level:
            page.passes = self._passes(page, prepared.level)
            page.prepared = replace(prepared, level=replace(prepared.level, tiles=_bare(prepared.level.tiles)))
            self._look(page, next(page.passes))
        return page

    def fill(self) -> None:
        """Answer all that makes whole batches."""
        while True:
            networks = self._networks
            tiles, crops = (each.batch_size * networks.together for each in (networks.detector, networks.classifier))
            if self._tiles.held >= tiles:
                self._detect(self._tiles.held // tiles * tiles)
            elif self._crops.held >= crops:
                self._classify(self._crops.held // crops * crops)
            else:
                return

    def flush(self) -> bool:
        """Answer what waits for one network, in whole batches or not; False where nothing does."""
        if self._tiles.held:
            self._detect(self._tiles.held)
        elif self._crops.held:
            self._classify(self._crops.held)
        else:
            return False
        return True

    def _detect(self, count: int) -> None:
        shares = self._tiles.take(count)
        raw = self._networks.detect(np.concatenate([share.inputs for share in shares]))
        ends = np.cumsum([len(share.inputs) for share in shares])
        for share, end, found in zip(
            shares, ends.tolist(), np.split(raw, np.searchsorted(raw[:, 0], ends[:-1])), strict=True
        ):
            found[:, 0] += share.start - (end - len(share.inputs))
            share.page.answers.append(found)
            if share.page.done:
                self._after_pass(share.page)

    def _classify(self, count: int) -> None:
        shares = self._crops.take(count)
        known = self._networks.classify(np.concatenate([share.inputs for share in shares]))
        ends = np.cumsum([len(share.inputs) for share in shares])
        for share, answer in zip(shares, np.split(known, ends[:-1]), strict=True):
            share.page.known.append(answer)

    def _look(self, page: _Page, tiles: Tiles) -> None:
        """One pass over a page."""
        page.tiles, page.answers = _bare(tiles), []
        self._tiles.put(page, tiles.pixels)
        if page.done:
            self._after_pass(page)

    def _after_pass(self, page: _Page) -> None:
        """Another pass, or the crops of what was found."""
        assert page.passes is not None and page.tiles is not None
        clock = time.perf_counter()
        found = of_page(np.concatenate(page.answers), page.tiles) if page.answers else no_detections()
        tiles = _next_of(page.passes, found)
        if tiles is not None:
            self._seconds.tiles += time.perf_counter() - clock
            self._look(page, tiles)
            return
        assert page.prepared.level is not None
        crops = cut_crops(page.prepared.level.pixels, page.found.boxes[page.found.kinds != SIGN])
        self._crops.put(page, crops)
        self._seconds.crops += time.perf_counter() - clock

    def _passes(self, page: _Page, level: LevelPage) -> Passes:
        """First as it lies, then in other turns where it may be on its side or head, then at other scales."""
        tiles, level = level.tiles, replace(level, tiles=_bare(level.tiles))  # pixels are held by the queue alone
        first = yield tiles
        del tiles
        level, first = yield from self._upright(level, first, page)
        passes, scales = [first], [level.tiles.scale]
        while (scale := self._next_scale(level.pixels.shape, passes, scales)) is not None:
            scales.append(scale)
            passes.append((yield make_tiles(level.pixels, scale, self._parameters)))
        found = suppressed(_together(passes, scales, self._parameters))
        page.found = with_weak(found, self._networks.detector.parameters)
        if max(level.pixels.shape) <= self._parameters.strip_height_px and not (page.found.kinds != SIGN).any():
            page.found = _strongest_digit(found)  # a picture of one digit, of which the detector is not sure

    def _upright(
        self, level: LevelPage, first: Detections, page: _Page
    ) -> Generator[Tiles, Detections, tuple[LevelPage, Detections]]:
        """The page as it is to be read, and what the first pass found on it in that turn."""
        if is_whole_page(level.pixels.shape, level.tiles.scale) and not is_upright(evidence(suppressed(first))):
            found = [first]
            for quarters in (1, 2, 3):
                found.append((yield self._turned(level, quarters).tiles))
            turn = find_turn([evidence(suppressed(each)) for each in found])
            page.prepared = _lying(page.prepared, turn)
            if turn.quarters:
                level, first = self._turned(level, turn.quarters), found[turn.quarters]
        level = replace(level, tiles=_bare(level.tiles))
        page.prepared = replace(page.prepared, level=level)
        return level, first

    def _turned(self, level: LevelPage, quarters: int) -> LevelPage:
        """The page after so many quarter turns to the left, with the tiles of its first pass."""
        pixels, to_page = turned(level.pixels, level.to_page, quarters)
        scale = first_scale(pixels.shape, self._parameters)
        return LevelPage(pixels, to_page, make_tiles(pixels, scale, self._parameters))

    def _next_scale(
        self, shape: tuple[int, ...], passes: Sequence[Detections], scales: Sequence[float]
    ) -> float | None:
        """That of another pass over a page; None where those made so far do."""
        heights = [digit_heights(believed(found)) for found in passes]  # by no fitted scores: more is worth a look
        if len(passes) == 1 and (scale := second_scale(shape, scales[0], heights[0], self._parameters)) is not None:
            return scale
        far = far_scale(shape, scales[0], self._parameters)
        nothing = not any(map(len, heights))
        return far if nothing and far not in scales else None


def _next_of(passes: Passes, found: Detections) -> Tiles | None:
    """The tiles of the next pass; None where all is found."""
    try:
        return passes.send(found)
    except StopIteration:
        return None


def _lying(prepared: PreparedPage, turn: Turn) -> PreparedPage:
    """The page with its angle, or with the mark that this is not told."""
    if not turn.certain:
        return replace(prepared, row=replace(prepared.row, marks=ORIENTATION))
    angle = (prepared.row.angle or 0.0) + 90.0 * turn.quarters
    return replace(prepared, row=replace(prepared.row, angle=round(angle - 360 * (angle > 180), 2)))


def _together(passes: Sequence[Detections], scales: Sequence[float], p: TileParameters) -> Detections:
    """What all passes found; of the first, where another was made for its sake, no more than it sees well."""
    kept = list(passes)
    if len(passes) > 1:
        height = passes[0].boxes[:, 3] * scales[0]
        larger = scales[1] > scales[0]
        kept[0] = passes[0].take(height >= p.min_small_px if larger else height <= p.max_median_px)
    return Detections.together(kept)


def _strongest_digit(found: Detections) -> Detections:
    """The digit of the highest score alone; none where there is none."""
    digits = found.take(found.kinds != SIGN)
    return digits.take(np.argsort(-digits.scores, kind="stable")[:1])


def _bare(tiles: Tiles) -> Tiles:
    """Where the tiles lie, without their pixels."""
    return replace(tiles, pixels=tiles.pixels[:0])
