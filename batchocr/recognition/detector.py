"""The detector: raw detections of digits and signs on tiles, and the detections of a page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from batchocr.recognition.inference_graph import InferenceFunction, compile_model, set_policy
from batchocr.recognition.model_file import STRIDES, read_detector
from batchocr.recognition.network import Network, NetworkParameters
from batchocr.records import CLASSES, HAND, PRINT, SIGN, TILE, Detections, Tiles, no_detections

RawDetections = NDArray[np.float32]
"""(n, 7 + CLASSES): tile, kind, score, left, top, right and bottom in pixels of the tile, class probabilities."""
CHANNELS = 3 + 4 + CLASSES
"""Channels of a cell in the network's output: heat of each kind, distances to the four sides, class logits."""
FLOAT32_PREFIXES = ("heat_", "boxes_")
"""Prefixes of the layers that stay in 32 bits: in 16 bits, the sides of boxes are wrong by half a pixel."""
_SUPPRESSED_HEAT = -1e4
"""Heat of a cell that is not a local maximum; its score is 0."""


NETWORK = NetworkParameters(cpu_batch_size=16, gpu_batch_size=64)


@dataclass(frozen=True)
class DetectorParameters:
    """Which outputs of the detector count as detections."""

    min_score: tuple[float, float] = (0.3, 0.3)
    """Lowest scores of digits and of signs after non-maximum suppression. Basis: chosen by eye; a run uses the scores
    of `reading.json`, which are fitted for its two models."""
    weak_ratio: float = 0.5
    """Share of the lowest scores down to which weaker detections are kept on a page with digits. They do not count as
    digits, but show that a digit may be missed; a weak slash may be the same ink as a digit. Basis: chosen by eye."""
    min_part_score: float = 0.06
    """Lowest score of a digit as handwritten, or as printed, alone. The final score is the sum of both scores, and
    their ratio gives the origin, so the weaker one must be kept too. Basis: chosen by eye."""
    max_in_tile: int = 400
    """Largest number of detections on a tile; those of the highest scores are kept. Basis: geometry: a tile full of
    digits of 16 px has 400. Security print gives more."""
    seam_px: float = 8.0
    """Distance beyond its own half of an overlap up to which a tile's detections count. Basis: two tiles give a digit
    slightly different centres; the value is chosen by eye."""
    network: NetworkParameters = NETWORK
    """Batch sizes for tiles. Basis: chosen by eye."""


PARAMETERS = DetectorParameters()


class Detector(Network):
    """A detector on one device. Loading takes seconds, so keep the object."""

    def __init__(
        self,
        model: Path,
        *,
        device: str = "auto",
        batch_size: int | None = None,
        parameters: DetectorParameters = PARAMETERS,
    ) -> None:
        """Load and compile a model.

        Args:
            model: Path of the `.keras` file; its sidecar is beside it.
            device: `auto`, `cpu` or `gpu`.
            batch_size: Tiles in a batch; None for the default of the device.
            parameters: Which outputs count as detections, and default batch sizes.

        Raises:
            ModelError: The model cannot be used.
            DeviceError: The device is not available.
        """
        self.sidecar, file = read_detector(model)
        self.parameters = parameters
        shapes = (None, *self.sidecar.input_shape), (None, None, CHANNELS)
        super().__init__(
            model,
            file,
            shapes,
            device=device,
            batch_size=batch_size,
            input_shape=(TILE, TILE, 2),
            parameters=parameters.network,
        )

    def _compile(self, network: Any, *, xla: bool, policy: str | None) -> InferenceFunction:
        """Compile the network for tiles of one size, followed by the suppression of non-maximum heat."""
        import keras

        set_policy(network, policy, FLOAT32_PREFIXES)
        tiles = keras.Input((TILE, TILE, 2), dtype="uint8")
        model = keras.Model(tiles, _keep_local_maxima(network(tiles)))
        return compile_model(model, xla=xla, parameters=self.parameters.network.graph)

    def detect(self, tiles: NDArray[np.uint8]) -> RawDetections:
        """Detect digits and signs on tiles.

        Args:
            tiles: Tiles (n, TILE, TILE, 2), uint8.

        Returns:
            Raw detections (m, 7 + CLASSES), by rising index of the tile, which counts from 0.
        """
        parts, first_tile = [], 0
        for output in self.predict_batches(tiles):
            part = decode_output(output, self.parameters)
            part[:, 0] += first_tile
            parts.append(part)
            first_tile += len(output)
        return np.concatenate(parts) if parts else np.empty((0, 7 + CLASSES), np.float32)


def _keep_local_maxima(output: Any) -> Any:
    """Suppress the heat of each cell of an output (n, cells, CHANNELS) if one of its eight neighbours has more."""
    from keras import ops

    levels, start = [], 0
    for side in (TILE // stride for stride in STRIDES):
        heat = ops.reshape(output[:, start : start + side * side, :3], (-1, side, side, 3))
        maximum = ops.max_pool(heat, 3, strides=1, padding="same")
        levels.append(ops.reshape(ops.where(heat >= maximum, heat, _SUPPRESSED_HEAT), (-1, side * side, 3)))
        start += side * side
    return ops.concatenate([ops.concatenate(levels, axis=1), output[:, :, 3:]], axis=2)


def _cell_centres() -> NDArray[np.float32]:
    """Return x and y of each cell's centre in pixels of the tile, and its stride: (cells, 3)."""
    levels = []
    for stride in STRIDES:
        centres = (np.arange(TILE // stride, dtype=np.float32) + 0.5) * stride
        y, x = np.meshgrid(centres, centres, indexing="ij")
        levels.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, stride, np.float32)], axis=1))
    return np.concatenate(levels)


CELL_CENTRES = _cell_centres()


def decode_output(output: NDArray[np.floating], parameters: DetectorParameters = PARAMETERS) -> RawDetections:
    """Convert the network's output into raw detections.

    Args:
        output: Output (n, cells, CHANNELS) of n tiles, with suppressed heat outside the local maxima.
        parameters: Lowest scores, and the largest number of detections on a tile.

    Returns:
        Raw detections (m, 7 + CLASSES), by rising index of the tile.
    """
    min_digit_score, min_sign_score = parameters.min_score
    min_part_score = min(parameters.min_part_score, min_digit_score / 2)
    min_scores = np.array([min_part_score, min_part_score, min_sign_score * parameters.weak_ratio])
    min_heat = np.log(min_scores / (1 - min_scores)).astype(np.float32)
    tile, cell, kind = np.nonzero(output[:, :, :3] >= min_heat)
    heat = output[tile, cell, kind]
    if len(heat) > parameters.max_in_tile:
        order = np.lexsort((-heat, tile))
        rank = np.arange(len(order)) - np.searchsorted(tile[order], tile[order])
        kept = np.sort(order[rank < parameters.max_in_tile])
        tile, cell, kind, heat = tile[kept], cell[kept], kind[kept], heat[kept]
    cells = output[tile, cell].astype(np.float32)
    x, y, stride = CELL_CENTRES[cell].T
    left, top, right, bottom = (np.logaddexp(0, cells[:, 3:7]) * (2 * stride)[:, None]).T
    probabilities = np.exp(cells[:, 7:] - cells[:, 7:].max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    score = 1 / (1 + np.exp(-heat))
    columns = (tile, kind, score, x - left, y - top, x + right, y + bottom)
    return np.concatenate([np.stack(columns, axis=1), probabilities], axis=1).astype(np.float32)


def filter_by_score(found: Detections, parameters: DetectorParameters = PARAMETERS) -> Detections:
    """Keep the detections whose score is high enough.

    Args:
        found: Detections of a page after non-maximum suppression.
        parameters: Lowest scores of digits and of signs.

    Returns:
        The kept detections, in the same order.
    """
    min_digit_score, min_sign_score = parameters.min_score
    min_scores = np.where(found.kinds == SIGN, min_sign_score, min_digit_score)
    return found.take(np.flatnonzero(found.scores >= min_scores))


def filter_with_weak(found: Detections, parameters: DetectorParameters = PARAMETERS) -> Detections:
    """Keep the detections whose score is high enough and, if a digit is among them, weaker detections too.

    Args:
        found: Detections of a page after non-maximum suppression.
        parameters: Lowest scores of digits and of signs, and the share of them for weaker detections.

    Returns:
        The kept detections, in the same order.
    """
    strong = filter_by_score(found, parameters)
    if not (strong.kinds != SIGN).any():
        return strong
    min_digit_score, min_sign_score = (score * parameters.weak_ratio for score in parameters.min_score)
    return filter_by_score(found, replace(parameters, min_score=(min_digit_score, min_sign_score)))


def merge_tiles(raw: RawDetections, tiles: Tiles, parameters: DetectorParameters = PARAMETERS) -> Detections:
    """Convert the raw detections on the tiles of a page into detections of the page.

    Each tile counts only for its own half of an overlap with the next tile, so that few digits are detected twice.

    Args:
        raw: Raw detections (n, 7 + CLASSES).
        tiles: The tiles of the page; their pixels are not needed.
        parameters: Distance beyond its own half up to which a tile counts.

    Returns:
        Detections with boxes in pixels of the level page.
    """
    if not len(raw):
        return no_detections()
    corners = tiles.corners[raw[:, 0].astype(np.intp)].astype(np.float32)
    kinds = raw[:, 1].astype(np.int8)
    sides = raw[:, 3:7] + np.tile(corners, 2)
    centres = (sides[:, :2] + sides[:, 2:]) / 2
    is_own = np.ones(len(raw), np.bool_)
    for axis in (0, 1):
        starts = np.unique(tiles.corners[:, axis])
        seams = (starts[:-1] + TILE + starts[1:]) / 2
        lower = np.concatenate([[-np.inf], seams - parameters.seam_px])
        upper = np.concatenate([seams + parameters.seam_px, [np.inf]])
        place = np.searchsorted(starts, corners[:, axis])
        is_own &= (centres[:, axis] >= lower[place]) & (centres[:, axis] < upper[place])
    boxes = np.concatenate([sides[:, :2], sides[:, 2:] - sides[:, :2]], axis=1) / tiles.scale
    print_shares = (kinds == PRINT).astype(np.float32)
    return Detections(boxes.astype(np.float32), raw[:, 2], kinds, raw[:, 7:], print_shares).take(is_own)


def digit_heights(found: Detections) -> NDArray[np.float32]:
    """Return the heights of the handwritten digits, or of the printed ones if there are no handwritten ones.

    Args:
        found: Detections of a page.

    Returns:
        Heights (m,) in pixels of the level page.
    """
    kind = HAND if (found.kinds == HAND).any() else PRINT
    return found.boxes[found.kinds == kind, 3]
