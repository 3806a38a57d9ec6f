"""The level page → tiles at the scale at which the detector sees it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import TILE, Pixels, Tiles
from batchocr.vision.network_input import network_input


@dataclass(frozen=True)
class TileParameters:
    """At which scales a page is looked at, and how it is cut into tiles."""

    first_megapixels: float = 1.0
    """A4 at 100 dpi: usual writing is 14 to 40 px high there. At 150 dpi no more was read on composed pages."""
    small_side_px: int = 900
    """Pages with a shorter longer side are enlarged to it: a cutting of few pixels has small digits."""
    strip_height_px: int = 100
    """What is lower is one line of writing..."""
    picture_side_px: int = 400
    """...and what is smaller may be one digit that fills it..."""
    strip_scaled_px: float = 64.0
    """...so that it is made so high, or its shorter side so long."""
    min_far_px: int = 200
    """Longer side of a page at that scale, at least."""
    max_enlargement: float = 2.0
    """More shows nothing new."""
    min_small_px: float = 20.0
    """Height of the smaller digits found below which a page is looked at enlarged: they are read less well."""
    small_quantile: float = 0.3
    """Which of the heights is taken for that of the smaller digits."""
    max_median_px: float = 75.0
    """The same above which it is looked at reduced."""
    blind_ratio: float = 1.7
    """By how much a page is enlarged on which nothing was found: its digits may have been too small..."""
    far_ratio: float = 0.35
    """...or too large: if again nothing is found, it is looked at once more at this share of the first scale."""
    wanted_small_px: float = 26.0
    """What an enlarged page brings it to..."""
    wanted_on_page_px: float = 22.0
    """...and where the first pass has many tiles: on dense pages more is read no better, and costs 1.4 times as much.
    """
    min_in_cutting_px: float = 26.0
    """Both again, of a picture no larger than `picture_side_px`: it costs little, and of registers 11.8% instead
    of 13.2% of digits are wrong. On whole lines of text it loses digits among letters."""
    wanted_in_cutting_px: float = 34.0
    reduced_median_px: float = 45.0
    """What a reduced page brings the median to."""
    least_change_ratio: float = 1.25
    """A second pass changes the scale by so much at least, or is not worth its time."""
    second_megapixels: float = 9.0
    """Bound of the second pass: A4 at 300 dpi."""
    overlap_px: int = 48
    """By which neighbouring tiles share the page at least: a usual digit on the seam is whole in one of them."""
    max_shrink: float = 0.07
    """By how much a page is made smaller than asked for where that saves a row or a column of tiles..."""
    min_saving: float = 0.12
    """...and with it such a share of all tiles..."""
    many_tiles: int = 9
    """...of so many at least: a small page costs little."""
    margin_px: int = 8
    """Of replicated border around the page, so that the network sees where ink ends."""
    max_tiles: int = 160
    """Of a page: four times A4's. A very long strip is scaled down to it."""
    min_darkness: int = 18
    """Of the second channel, in 255ths, averaged over 3 x 3 px: by so much faint writing stands out (4 grey levels on
    paper without grain), and grain of 2 grey levels does not."""
    min_dark_px: int = 4
    """Pixels so dark that make a tile worth looking at, where they lie in its own part..."""
    own_margin_px: int = 16
    """...or so near to it: where tiles overlap, what is found counts for the tile whose middle is nearer."""


PARAMETERS = TileParameters()
_PAPER = 85
"""Of the second channel: as dark as the surroundings."""


def first_scale(shape: tuple[int, ...], parameters: TileParameters = PARAMETERS) -> float:
    """By how much a level page of `shape` (height, width) is scaled for the first pass."""
    p = parameters
    height, width = shape
    if height < p.strip_height_px <= width or max(height, width) <= p.strip_height_px:
        return _bounded(min(p.max_enlargement, p.strip_scaled_px / height), shape, p)
    if max(height, width) <= p.picture_side_px:
        return min(p.max_enlargement, p.strip_scaled_px / min(height, width))
    return _bounded(min(_largest(shape, p), (p.first_megapixels * 1e6 / (height * width)) ** 0.5), shape, p)


def _largest(shape: tuple[int, ...], p: TileParameters) -> float:
    """The largest scale that shows more of a page: only small ones are enlarged."""
    return min(p.max_enlargement, max(1.0, p.small_side_px / max(shape)))


def is_whole_page(shape: tuple[int, ...], scale: float) -> bool:
    """Whether a level page of `shape` (height, width) is more than a strip or a cutting, at that scale."""
    return min(shape) * scale >= TILE


def second_scale(
    shape: tuple[int, ...],
    first: float,
    heights: NDArray[np.floating],
    parameters: TileParameters = PARAMETERS,
) -> float | None:
    """The scale of another pass over a level page of `shape`; None where the first pass did.

    `heights` (n,) are those of the digits that the first pass found, in pixels of the level page.
    """
    p = parameters
    area = shape[0] * shape[1]
    largest = _largest(shape, p)
    if not len(heights):
        wanted = largest if max(shape) <= p.picture_side_px else min(largest, first * p.blind_ratio)
        scale = _bounded(wanted, shape, p)
        return scale if scale / first >= p.least_change_ratio else None
    median = float(np.median(heights)) * first
    small = float(np.quantile(heights, p.small_quantile)) * first
    cutting = max(shape) <= p.picture_side_px
    if small < (p.min_in_cutting_px if cutting else p.min_small_px) and first < largest:
        wanted = p.wanted_small_px if _tiles(shape, first, p) < p.many_tiles else p.wanted_on_page_px
        wanted = p.wanted_in_cutting_px if cutting else wanted
        scale = min(largest, first * wanted / small, (p.second_megapixels * 1e6 / area) ** 0.5)
    elif median > p.max_median_px:
        scale = first * p.reduced_median_px / median
    else:
        return None
    scale = _bounded(scale, shape, p)
    return scale if max(scale / first, first / scale) >= p.least_change_ratio else None


def far_scale(shape: tuple[int, ...], first: float, parameters: TileParameters = PARAMETERS) -> float | None:
    """The scale of the last pass over a page on which nothing was found: very large digits are seen there.

    None where the page is too small for them.
    """
    scale = first * parameters.far_ratio
    return scale if max(shape) * scale >= parameters.min_far_px else None


def _bounded(scale: float, shape: tuple[int, ...], p: TileParameters) -> float:
    """That scale, or a lower one at which the page has no more tiles than are allowed, and few that are half empty."""
    while _tiles(shape, scale, p) > p.max_tiles and max(_scaled(shape, scale)) > TILE:
        scale *= 0.9
    count = _tiles(shape, scale, p)
    if count < p.many_tiles:
        return scale
    just_full = [
        (columns * (TILE - p.overlap_px) + p.overlap_px - 2 * p.margin_px) / size
        for size in shape
        for columns in range(1, len(_starts(round(size * scale), p)))
    ]
    possible = [each for each in just_full if (1 - p.max_shrink) * scale <= each < scale]
    tight = min(possible, key=lambda each: (_tiles(shape, each, p), -each), default=scale)
    return tight if _tiles(shape, tight, p) <= (1 - p.min_saving) * count else scale


def _tiles(shape: tuple[int, ...], scale: float, p: TileParameters) -> int:
    """How many tiles cover a page of `shape` (height, width) at that scale."""
    columns, rows = (len(_starts(size, p)) for size in _scaled(shape, scale))
    return columns * rows


def make_tiles(level: Pixels, scale: float, parameters: TileParameters = PARAMETERS) -> Tiles:
    """The tiles of a level page (height, width) at that scale, those of bare paper left out."""
    p = parameters
    width, height = _scaled(level.shape, scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = level if (height, width) == level.shape else cv2.resize(level, (width, height), interpolation=how)
    lefts, tops = _starts(width, p), _starts(height, p)
    before = max(0, -tops[0]), max(0, -lefts[0])
    after = max(0, tops[-1] + TILE - height), max(0, lefts[-1] + TILE - width)
    padded = cv2.copyMakeBorder(scaled, before[0], after[0], before[1], after[1], cv2.BORDER_REPLICATE)
    channels = network_input(padded)
    dark = cv2.blur(channels[..., 1], (3, 3)) >= _PAPER + p.min_darkness
    pixels, corners = [], []
    for top, down in zip(tops, _own(tops, p), strict=True):
        for left, across in zip(lefts, _own(lefts, p), strict=True):
            y, x = top + before[0], left + before[1]
            part = channels[y : y + TILE, x : x + TILE]
            own = dark[y + down.start : y + down.stop, x + across.start : x + across.stop]
            if np.count_nonzero(own) >= p.min_dark_px:
                pixels.append(part)
                corners.append((left, top))
    return Tiles(
        np.array(pixels, np.uint8).reshape(-1, TILE, TILE, 2), np.array(corners, np.int32).reshape(-1, 2), scale
    )


def _own(starts: list[int], p: TileParameters) -> list[slice]:
    """The part of each tile in which a digit's middle counts as that tile's, and some more around it."""
    seams = [(before + TILE + after) // 2 for before, after in pairwise(starts)]
    ends = zip(starts, [starts[0], *seams], [*seams, starts[-1] + TILE], strict=True)
    return [slice(max(0, low - start - p.own_margin_px), high - start + p.own_margin_px) for start, low, high in ends]


def _scaled(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    """Width and height of a page of `shape` (height, width), scaled."""
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def _starts(size: int, p: TileParameters) -> list[int]:
    """Where tiles begin that cover so many pixels and the margin, evenly spaced."""
    whole = size + 2 * p.margin_px
    if whole <= TILE:
        return [-((TILE - size) // 2)]
    count = -(-(whole - p.overlap_px) // (TILE - p.overlap_px))
    starts: list[int] = np.linspace(-p.margin_px, size + p.margin_px - TILE, count).round().astype(int).tolist()
    return starts
