"""Training batches of patches made by worker processes; the same for the same seed, whatever the number of
processes.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.training.detection.cells import target
from batchocr.training.synthesis.patches import PatchMaker
from batchocr.training.synthesis.shipped_maker import patch_maker
from batchocr.vision.network_input import network_input

Batch = tuple[NDArray[np.uint8], NDArray[np.float16]]
"""Tiles (n, side, side, 2), and the targets of their cells (n, cells, 9)."""


@dataclass(frozen=True)
class StreamParameters:
    """How batches are put together.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    batch: int = 16
    """Patches of a batch."""
    new: int = 6
    """New patches of a batch; the others are repeated."""
    reusable: int = 2400
    """Number of patches that may be repeated. Making a patch takes as much time as learning from it."""
    prefetched: int = 12
    """Batches that are made ahead."""


def batches(
    data: Path,
    fonts: Path,
    labels: Path | None,
    seed: int,
    first: int,
    jobs: int,
    parameters: StreamParameters,
    without: Sequence[str] = (),
) -> Generator[Batch, None, None]:
    """Yield batches without end.

    Close the generator to end the worker processes.

    Args:
        data: Folder of public data.
        fonts: Folder of fonts.
        labels: Boxes of known texts, or None.
        seed: Seed of all random draws.
        first: Number of the first batch.
        jobs: Number of worker processes.
        parameters: Parameters.
        without: Collections of real paper that are left out.
    """
    p = parameters
    reusable: deque[tuple[NDArray[np.uint8], NDArray[np.float16]]] = deque(maxlen=p.reusable)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_initialize, initargs=(data, fonts, labels, without)) as pool:
        pending: deque[Future[Batch]] = deque()
        number = first
        while True:
            while len(pending) < p.prefetched:
                pending.append(pool.submit(_make_batch, seed, number + len(pending), p.new))
            tiles, targets = pending.popleft().result()
            rng = np.random.default_rng((seed, number, 1))
            number += 1
            reusable.extend(zip(tiles, targets, strict=True))
            if len(reusable) >= p.batch * 4:
                repeated = [reusable[int(i)] for i in rng.integers(0, len(reusable), p.batch - p.new)]
                tiles = np.concatenate([tiles, np.stack([x for x, _ in repeated])])
                targets = np.concatenate([targets, np.stack([y for _, y in repeated])])
            yield tiles, targets


_maker: PatchMaker | None = None
"""The patch maker of a worker process."""


def _initialize(data: Path, fonts: Path, labels: Path | None, without: Sequence[str]) -> None:
    global _maker
    cv2.setNumThreads(1)
    _maker = patch_maker(data, fonts, labels, without=without)


def _make_batch(seed: int, number: int, count: int) -> Batch:
    assert _maker is not None
    rng = np.random.default_rng((seed, number))
    return make_batch(_maker, rng, count)


def make_batch(maker: PatchMaker, rng: np.random.Generator, count: int) -> Batch:
    """Return new patches as a batch.

    Args:
        maker: The patch maker.
        rng: Source of random numbers.
        count: Number of patches.
    """
    tiles, targets = [], []
    for _ in range(count):
        patch = maker.make(rng)
        tiles.append(network_input(patch.pixels))
        cell_target = target(patch.boxes, maker.side)
        columns = (cell_target.heat, cell_target.sides, cell_target.classes[:, None], cell_target.weight[:, None])
        targets.append(np.concatenate(columns, axis=1).astype(np.float16))
    return np.stack(tiles), np.stack(targets)
