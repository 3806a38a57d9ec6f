"""Tiles → raw detections: where on each a digit or a sign stands, and which it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from batchocr.recognition.inference_graph import Answer, compiled, set_policy
from batchocr.recognition.model_file import STRIDES, read_detector
from batchocr.recognition.network import Network
from batchocr.records import CLASSES, HAND, PRINT, SIGN, TILE, Detections, Tiles, no_detections

RawDetections = NDArray[np.float32]
"""(n, 7 + CLASSES): tile, kind, score, left, top, right and bottom in pixels of the tile, probabilities of the classes.
"""
CHANNELS = 3 + 4 + CLASSES
"""Of a cell: heat of each kind, distances to the four sides, classes."""
EXACT = ("heat_", "boxes_")
"""Layers that give the answer, by the beginnings of their names: in 16 bits sides are half a pixel off."""
_LOW = -1e4
"""In the place of a heat that is no local maximum."""


@dataclass(frozen=True)
class DetectorParameters:
    """What counts as a detection."""

    min_score: tuple[float, float] = (0.3, 0.3)
    """Of digits and of signs; of a page's detections after non-maximum suppression."""
    weak_ratio: float = 0.5
    """Share of the least scores down to which weaker ones are kept where there are digits: weak digits give no rows,
    but mark a number beside them; a weak slash may be what looks like a digit."""
    min_part_score: float = 0.06
    """Of a digit's score as written by hand, or as printed, alone: in the end it is the sum of both, and their ratio
    tells which it is, so that the weaker part is not to be lost."""
    most_in_tile: int = 400
    """Of the highest scores: a tile full of 16 px digits has as many, and security print more."""
    seam_px: float = 8.0
    """By which what is found may lie beyond a tile's own half of an overlap: two tiles place a middle differently."""


PARAMETERS = DetectorParameters()


class Detector(Network):
    """A loaded detector on one device. Loading takes seconds; keep it."""

    BATCH: ClassVar[dict[str, int]] = {"cpu": 16, "gpu": 64}

    def __init__(
        self,
        model: Path,
        *,
        device: str = "auto",
        batch_size: int | None = None,
        parameters: DetectorParameters = PARAMETERS,
    ) -> None:
        """Load and compile `model`. Raises ModelError, DeviceError."""
        self.sidecar, file = read_detector(model)
        self.parameters = parameters
        shapes = (None, *self.sidecar.input_shape), (None, None, CHANNELS)
        super().__init__(model, file, shapes, device=device, batch_size=batch_size, input_shape=(TILE, TILE, 2))

    def _answering(self, network: Any, *, xla: bool, policy: str | None) -> Answer:
        """The network for tiles of one size, less heat beside a maximum."""
        import keras

        set_policy(network, policy, EXACT)
        tiles = keras.Input((TILE, TILE, 2), dtype="uint8")
        return compiled(keras.Model(tiles, _maxima(network(tiles))), xla=xla)

    def detect(self, tiles: NDArray[np.uint8]) -> RawDetections:
        """Raw detections on tiles (n, TILE, TILE, 2); their first column counts the tiles from 0."""
        found, first = [], 0
        for answer in self.batches(tiles):
            found.append(decode_output(answer, self.parameters))
            found[-1][:, 0] += first
            first += len(answer)
        return np.concatenate(found) if found else np.empty((0, 7 + CLASSES), np.float32)


def _maxima(answer: Any) -> Any:
    """An answer (n, cells, CHANNELS), its heat made low where one of the eight cells around has more."""
    from keras import ops

    parts, start = [], 0
    for side in (TILE // stride for stride in STRIDES):
        heat = ops.reshape(answer[:, start : start + side * side, :3], (-1, side, side, 3))
        highest = ops.max_pool(heat, 3, strides=1, padding="same")
        parts.append(ops.reshape(ops.where(heat >= highest, heat, _LOW), (-1, side * side, 3)))
        start += side * side
    return ops.concatenate([ops.concatenate(parts, axis=1), answer[:, :, 3:]], axis=2)


def _middles() -> NDArray[np.float32]:
    """(cells, 3): x and y of each cell's middle in pixels of the tile, and its stride."""
    levels = []
    for stride in STRIDES:
        at = (np.arange(TILE // stride, dtype=np.float32) + 0.5) * stride
        y, x = np.meshgrid(at, at, indexing="ij")
        levels.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, stride, np.float32)], axis=1))
    return np.concatenate(levels)


CELL_CENTRES = _middles()


def decode_output(answer: NDArray[np.floating], parameters: DetectorParameters = PARAMETERS) -> RawDetections:
    """Raw detections of tiles from an answer (n, cells, CHANNELS) whose heat is low beside its maxima."""
    digit, sign = parameters.min_score
    part = min(parameters.min_part_score, digit / 2)
    floor = np.array([part, part, sign * parameters.weak_ratio])
    limits = np.log(floor / (1 - floor)).astype(np.float32)
    tile, cell, kind = np.nonzero(answer[:, :, :3] >= limits)
    heat = answer[tile, cell, kind]
    if len(heat) > parameters.most_in_tile:
        order = np.lexsort((-heat, tile))
        rank = np.arange(len(order)) - np.searchsorted(tile[order], tile[order])
        kept = np.sort(order[rank < parameters.most_in_tile])
        tile, cell, kind, heat = tile[kept], cell[kept], kind[kept], heat[kept]
    cells = answer[tile, cell].astype(np.float32)
    x, y, stride = CELL_CENTRES[cell].T
    left, top, right, bottom = (np.logaddexp(0, cells[:, 3:7]) * (2 * stride)[:, None]).T
    classes = np.exp(cells[:, 7:] - cells[:, 7:].max(axis=1, keepdims=True))
    classes /= classes.sum(axis=1, keepdims=True)
    score = 1 / (1 + np.exp(-heat))
    columns = (tile, kind, score, x - left, y - top, x + right, y + bottom)
    return np.concatenate([np.stack(columns, axis=1), classes], axis=1).astype(np.float32)


def filter_by_score(found: Detections, parameters: DetectorParameters = PARAMETERS) -> Detections:
    """Of a page's detections, after non-maximum suppression, those with a sufficient score."""
    digit, sign = parameters.min_score
    return found.take(np.flatnonzero(found.scores >= np.where(found.kinds == SIGN, sign, digit)))


def filter_with_weak(found: Detections, parameters: DetectorParameters = PARAMETERS) -> Detections:
    """The same, and weaker digits where there are filter_by_score ones."""
    sure = filter_by_score(found, parameters)
    if not (sure.kinds != SIGN).any():
        return sure
    digit, sign = (score * parameters.weak_ratio for score in parameters.min_score)
    return filter_by_score(found, replace(parameters, min_score=(digit, sign)))


def merge_tiles(raw: RawDetections, tiles: Tiles, parameters: DetectorParameters = PARAMETERS) -> Detections:
    """The raw detections on a page's tiles as those of the page.

    Where tiles overlap, each counts for its own half, so that little is found twice.
    """
    if not len(raw):
        return no_detections()
    corner = tiles.corners[raw[:, 0].astype(np.intp)].astype(np.float32)
    kind = raw[:, 1].astype(np.int8)
    ends = raw[:, 3:7] + np.tile(corner, 2)
    middle = (ends[:, :2] + ends[:, 2:]) / 2
    own = np.ones(len(raw), np.bool_)
    for axis in (0, 1):
        starts = np.unique(tiles.corners[:, axis])
        seams = (starts[:-1] + TILE + starts[1:]) / 2
        low = np.concatenate([[-np.inf], seams - parameters.seam_px])
        high = np.concatenate([seams + parameters.seam_px, [np.inf]])
        place = np.searchsorted(starts, corner[:, axis])
        own &= (middle[:, axis] >= low[place]) & (middle[:, axis] < high[place])
    boxes = np.concatenate([ends[:, :2], ends[:, 2:] - ends[:, :2]], axis=1) / tiles.scale
    shares = (kind == PRINT).astype(np.float32)
    return Detections(boxes.astype(np.float32), raw[:, 2], kind, raw[:, 7:], shares).take(own)


def digit_heights(found: Detections) -> NDArray[np.float32]:
    """Heights of the digits by hand, in pixels of the level page; of printed ones where there are no others."""
    kind = HAND if (found.kinds == HAND).any() else PRINT
    return found.boxes[found.kinds == kind, 3]
