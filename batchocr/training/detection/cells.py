"""Training targets of the detector's cells, for a tile with known boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STRIDES = (4, 8, 16)
CLASSES = 16
"""The ten digits, then the signs . , / - : +"""
CHANNELS = 3 + 4 + CLASSES
HAND, PRINT, SIGN, UNKNOWN, UNKNOWN_SIGNS = range(5)
"""Kinds of a box. Where UNKNOWN is, the network learns nothing; where UNKNOWN_SIGNS is, it learns nothing about
signs."""

Boxes = NDArray[np.float32]
"""(n, 6): class, left, top, width, height, kind."""


@dataclass(frozen=True)
class CellParameters:
    """Which cells answer for a box, and how near to its centre they must be.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    sizes_px: tuple[tuple[float, float], ...] = ((0.0, 26.0), (20.0, 58.0), (48.0, 150.0))
    """Range of the longer side of a box, in pixels, by level; in the overlap both levels answer."""
    min_height_px: float = 7.0
    """Minimum height of a digit, in pixels."""
    min_visible_ratio: float = 0.75
    """Minimum share of a box on the tile for the network to learn it."""
    max_non_digit_visible_ratio: float = 0.45
    """Up to this share a box cut by the tile's side is not a digit: its centre is on the next tile, or it belongs to
    another line. Between both shares the network learns nothing."""
    spread_ratio: float = 0.13
    """Standard deviation of the heat around a centre, as a share of the box's sides (CenterNet: Zhou and others,
    2019)."""
    spread_cells: tuple[float, float] = (0.5, 1.6)
    """Minimum and maximum standard deviation, in cells."""
    min_learning_heat: float = 0.3
    """Minimum heat of a cell that also learns the box and the class."""


PARAMETERS = CellParameters()


@dataclass(frozen=True)
class Target:
    """What the cells of one tile should answer."""

    heat: NDArray[np.float32]
    """(cells, 3): heat; -1 where the network learns nothing."""
    sides: NDArray[np.float32]
    """(cells, 4): distances from the cell's centre to the left, top, right and bottom side, in pixels."""
    classes: NDArray[np.int32]
    """(cells,): classes."""
    weight: NDArray[np.float32]
    """(cells,): weight of sides and class."""


def target(boxes: Boxes, side: int, parameters: CellParameters = PARAMETERS) -> Target:
    """Return the target of a square tile.

    Args:
        boxes: Boxes (n, 6): class, left, top, width, height, kind.
        side: Side of the tile in pixels.
        parameters: Parameters.
    """
    levels = [
        _level(boxes, side, stride, min_size, max_size, parameters)
        for stride, (min_size, max_size) in zip(STRIDES, parameters.sizes_px, strict=True)
    ]
    return Target(*(np.concatenate(parts) for parts in zip(*levels, strict=True)))


def _level(
    boxes: Boxes, side: int, stride: int, min_size: float, max_size: float, p: CellParameters
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    n = side // stride
    heat = np.zeros((n, n, 3), np.float32)
    sides = np.zeros((n, n, 4), np.float32)
    classes = np.zeros((n, n), np.int32)
    weight = np.zeros((n, n), np.float32)
    if len(boxes):
        left, top, width, height, kind = boxes[:, 1:].T
        x, y, size = left + width / 2, top + height / 2, np.maximum(width, height)
        across = np.minimum(side, left + width) - np.maximum(0, left)
        down = np.minimum(side, top + height) - np.maximum(0, top)
        visible = np.clip(across, 0, None) * np.clip(down, 0, None) / np.maximum(1e-3, width * height)
        on = (visible >= p.min_visible_ratio) & (x >= 0) & (x < side) & (y >= 0) & (y < side)
        is_high = (height >= p.min_height_px) | (kind == SIGN)
        known = kind < UNKNOWN
        expected = on & is_high & known & (size >= min_size) & (size < max_size)
        for i in np.flatnonzero(
            known & ~(on & is_high) & (visible > p.max_non_digit_visible_ratio) | (kind >= UNKNOWN)
        ):
            _mask_unknown(heat, boxes[i], stride)
        order = np.flatnonzero(expected)
        for i in order[np.argsort(-size[order], kind="stable")]:  # the smaller box wins
            _set_box(heat, sides, classes, weight, boxes[i], stride, p)
    flat = n * n
    return heat.reshape(flat, 3), sides.reshape(flat, 4), classes.reshape(flat), weight.reshape(flat)


def _mask_unknown(heat: NDArray[np.float32], box: NDArray[np.float32], stride: int) -> None:
    """Set the heat to -1 where an unknown box is."""
    _, left, top, width, height, kind = box
    rows = slice(max(0, int(top // stride)), max(0, int((top + height) // stride + 1)))
    columns = slice(max(0, int(left // stride)), max(0, int((left + width) // stride + 1)))
    part = heat[rows, columns, SIGN:] if kind == UNKNOWN_SIGNS else heat[rows, columns]
    part[part < 0.3] = -1


def _set_box(
    heat: NDArray[np.float32],
    sides: NDArray[np.float32],
    classes: NDArray[np.int32],
    weight: NDArray[np.float32],
    box: NDArray[np.float32],
    stride: int,
    p: CellParameters,
) -> None:
    """Set the heat around the centre of a box, and sides and class of the cells near it."""
    label, left, top, width, height, kind = box
    n = len(heat)
    x, y = left + width / 2, top + height / 2
    spread_x, spread_y = np.clip((p.spread_ratio / stride) * np.array([width, height]), *p.spread_cells)
    column, row = int(x // stride), int(y // stride)
    reach_x, reach_y = int(np.ceil(2.8 * spread_x)), int(np.ceil(2.8 * spread_y))
    columns = np.arange(max(0, column - reach_x), min(n, column + reach_x + 1))
    rows = np.arange(max(0, row - reach_y), min(n, row + reach_y + 1))
    middle_x, middle_y = (columns + 0.5) * stride, (rows + 0.5) * stride
    gauss_x = np.exp(-(((middle_x - x) / stride) ** 2) / (2 * spread_x**2))
    gauss_y = np.exp(-(((middle_y - y) / stride) ** 2) / (2 * spread_y**2))
    own_heat = np.outer(gauss_y, gauss_x).astype(np.float32)
    own_heat[row - rows[0], column - columns[0]] = 1
    part = heat[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1, int(kind)]
    np.maximum(part, np.where(own_heat > 0.02, own_heat, part), out=part)
    learns = own_heat > p.min_learning_heat
    at = np.ix_(rows, columns)
    weight[at] = np.where(learns, own_heat, weight[at])
    classes[at] = np.where(learns, int(label), classes[at])
    ends = np.empty((len(rows), len(columns), 4), np.float32)
    ends[..., 0], ends[..., 2] = middle_x - left, left + width - middle_x
    ends[..., 1], ends[..., 3] = (middle_y - top)[:, None], (top + height - middle_y)[:, None]
    sides[at] = np.where(learns[..., None], ends, sides[at])
