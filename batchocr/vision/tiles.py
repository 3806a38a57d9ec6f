"""From the level page to tiles, at the scales at which the detector processes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np

from batchocr.records import TILE, Pixels, Tiles
from batchocr.vision.network_input import NetworkInputParameters, network_input


@dataclass(frozen=True)
class TileParameters:
    """How a page is cut into tiles, and which tiles are left out."""

    overlap_px: int = 48
    """Overlap of neighbouring tiles. Basis: a digit of the usual height on the seam is whole in one of them."""
    max_shrink_ratio: float = 0.07
    """A page may be made smaller than asked for by this share if that saves a row or column of tiles.
    Basis: chosen for speed."""
    min_saving_ratio: float = 0.12
    """Share of the tiles that must be saved by it. Basis: chosen for speed."""
    min_tiles_to_save: int = 9
    """Number of tiles from which tiles are saved. Basis: smaller pages take little time."""
    margin_px: int = 8
    """Replicated border around the page. Basis: the network sees where ink ends."""
    max_tiles: int = 160
    """Number of tiles of a page. Basis: four times A4's. A very long strip is scaled down to it."""
    min_darkness: int = 18
    """Darkness of faint ink in the second channel, of 255, as a mean of 3×3 pixels. Basis: 4 grey levels on paper
    without grain reach it, and grain of 2 grey levels does not."""
    min_dark_px: int = 4
    """Number of dark pixels in a tile that is kept. Basis: a digit has more."""
    own_margin_px: int = 16
    """Dark pixels count up to this distance outside of the tile's own part. Where tiles overlap, a detection counts for
    the tile whose middle is nearer. Basis: half of a digit's height."""
    network_input: NetworkInputParameters = field(default_factory=NetworkInputParameters)


PARAMETERS = TileParameters()
_PAPER = 85
"""Value of the second channel where a pixel is as dark as its surroundings."""


def bounded_scale(scale: float, shape: tuple[int, ...], parameters: TileParameters = PARAMETERS) -> float:
    """Lower a scale so that the page has few enough tiles, and few half empty ones.

    Args:
        scale: The scale that is wanted.
        shape: Height and width of the level page.
        parameters: See the class.
    """
    p = parameters
    while count_tiles(shape, scale, p) > p.max_tiles and max(_scaled(shape, scale)) > TILE:
        scale *= 0.9
    count = count_tiles(shape, scale, p)
    if count < p.min_tiles_to_save:
        return scale
    just_full = [
        (columns * (TILE - p.overlap_px) + p.overlap_px - 2 * p.margin_px) / size
        for size in shape
        for columns in range(1, len(_starts(round(size * scale), p)))
    ]
    possible = [each for each in just_full if (1 - p.max_shrink_ratio) * scale <= each < scale]
    tight = min(possible, key=lambda each: (count_tiles(shape, each, p), -each), default=scale)
    return tight if count_tiles(shape, tight, p) <= (1 - p.min_saving_ratio) * count else scale


def count_tiles(shape: tuple[int, ...], scale: float, parameters: TileParameters = PARAMETERS) -> int:
    """Return the number of tiles that cover a page of `shape` (height, width) at a scale."""
    columns, rows = (len(_starts(size, parameters)) for size in _scaled(shape, scale))
    return columns * rows


def make_tiles(level: Pixels, scale: float, parameters: TileParameters = PARAMETERS) -> Tiles:
    """Cut a level page into tiles. Tiles of bare paper are left out.

    Args:
        level: The level page (height, width), uint8, dark on light.
        scale: The factor by which the page is scaled first.
        parameters: See the class.
    """
    p = parameters
    width, height = _scaled(level.shape, scale)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = (
        level if (height, width) == level.shape else cv2.resize(level, (width, height), interpolation=interpolation)
    )
    lefts, tops = _starts(width, p), _starts(height, p)
    before = max(0, -tops[0]), max(0, -lefts[0])
    after = max(0, tops[-1] + TILE - height), max(0, lefts[-1] + TILE - width)
    padded = cv2.copyMakeBorder(scaled, before[0], after[0], before[1], after[1], cv2.BORDER_REPLICATE)
    channels = network_input(padded, p.network_input)
    dark = cv2.blur(channels[..., 1], (3, 3)) >= _PAPER + p.min_darkness
    pixels, corners = [], []
    for top, rows in zip(tops, _own_parts(tops, p), strict=True):
        for left, columns in zip(lefts, _own_parts(lefts, p), strict=True):
            y, x = top + before[0], left + before[1]
            tile = channels[y : y + TILE, x : x + TILE]
            own = dark[y + rows.start : y + rows.stop, x + columns.start : x + columns.stop]
            if np.count_nonzero(own) >= p.min_dark_px:
                pixels.append(tile)
                corners.append((left, top))
    return Tiles(
        np.array(pixels, np.uint8).reshape(-1, TILE, TILE, 2), np.array(corners, np.int32).reshape(-1, 2), scale
    )


def _own_parts(starts: list[int], p: TileParameters) -> list[slice]:
    """Return the part of each tile whose detections count for it, enlarged by a margin."""
    seams = [(before + TILE + after) // 2 for before, after in pairwise(starts)]
    ends = zip(starts, [starts[0], *seams], [*seams, starts[-1] + TILE], strict=True)
    return [
        slice(max(0, lower - start - p.own_margin_px), upper - start + p.own_margin_px) for start, lower, upper in ends
    ]


def _scaled(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    """Return the width and height of a page of `shape` (height, width), scaled."""
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def _starts(size: int, p: TileParameters) -> list[int]:
    """Return where tiles start that cover `size` pixels and the margin, evenly spaced."""
    whole = size + 2 * p.margin_px
    if whole <= TILE:
        return [-((TILE - size) // 2)]
    count = -(-(whole - p.overlap_px) // (TILE - p.overlap_px))
    starts: list[int] = np.linspace(-p.margin_px, size + p.margin_px - TILE, count).round().astype(int).tolist()
    return starts
