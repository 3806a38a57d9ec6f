"""The scales at which the detector processes a level page: of the first pass, and of a second one where it helps."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from batchocr.records import TILE
from batchocr.vision.tiles import TileParameters, bounded_scale, count_tiles


@dataclass(frozen=True)
class ScaleParameters:
    """How the scales are chosen. Pixels are those of the scaled page.

    Basis of all: tried on composed pages and public sets by digits read.
    """

    first_megapixels: float = 1.0
    """Size of a page in the first pass. Basis: A4 at 100 dpi; the usual digits are 14 to 40 px high there, and 150 dpi
    read no more on composed pages."""
    min_page_px: int = 900
    """Pages with a shorter longer side, in pixels of the level page, are enlarged to it."""
    max_strip_height_px: int = 100
    """A level page up to this height is a strip: one line of writing."""
    max_cutout_side_px: int = 400
    """A level page with a longer side up to this is a cut-out: it may be one digit that fills the image."""
    strip_height_px: float = 64.0
    """Height to which a strip is scaled, and shorter side to which a cut-out is scaled."""
    min_far_px: int = 200
    """Longer side of the smallest page in the far pass."""
    max_enlargement: float = 2.0
    """Largest scale. Basis: larger ones show no more detail."""
    small_quantile: float = 0.3
    """Quantile of the heights that is taken as the height of the smaller digits."""
    min_small_px: float = 20.0
    """A page whose smaller digits are lower than this in the first pass is enlarged for a second one."""
    small_target_px: float = 26.0
    """Height of the smaller digits in that second pass."""
    dense_small_target_px: float = 22.0
    """The same for a page of `dense_tiles` or more. Basis: larger ones read no better on dense pages, and cost 1.4
    times as much."""
    dense_tiles: int = 9
    """Number of tiles of the first pass from which a page is large."""
    min_cutout_small_px: float = 26.0
    """As `min_small_px`, for a cut-out. Basis: of registers 11.8% instead of 13.2% of digits are wrong; on whole lines
    of text it loses digits among letters."""
    cutout_target_px: float = 34.0
    """As `small_target_px`, for a cut-out."""
    max_median_px: float = 75.0
    """A page whose digits are higher than this in the first pass is reduced for a second one."""
    median_target_px: float = 45.0
    """Median height of the digits in that second pass."""
    blind_enlargement: float = 1.7
    """Factor by which a page without detections is enlarged for a second pass: its digits may be too small."""
    far_ratio: float = 0.35
    """Share of the first scale for the far pass over a page without detections: its digits may be too large."""
    min_change: float = 1.25
    """Factor by which a second pass changes the scale. Basis: smaller changes are not worth its time."""
    second_megapixels: float = 9.0
    """Size of the largest page in the second pass. Basis: A4 at 300 dpi."""
    tiles: TileParameters = field(default_factory=TileParameters)


PARAMETERS = ScaleParameters()


def first_scale(shape: tuple[int, ...], parameters: ScaleParameters = PARAMETERS) -> float:
    """Return the scale of the first pass over a level page of `shape` (height, width)."""
    p = parameters
    height, width = shape
    if height < p.max_strip_height_px <= width or max(height, width) <= p.max_strip_height_px:
        return bounded_scale(min(p.max_enlargement, p.strip_height_px / height), shape, p.tiles)
    if is_cutout(shape, p):
        return min(p.max_enlargement, p.strip_height_px / min(height, width))
    usual = (p.first_megapixels * 1e6 / (height * width)) ** 0.5
    return bounded_scale(min(_max_scale(shape, p), usual), shape, p.tiles)


def second_scale(
    shape: tuple[int, ...],
    first: float,
    heights: NDArray[np.floating],
    parameters: ScaleParameters = PARAMETERS,
) -> float | None:
    """Return the scale of a second pass over a level page.

    Args:
        shape: Height and width of the level page.
        first: The scale of the first pass.
        heights: (n,) heights of the digits that the first pass found, in pixels of the level page.
        parameters: See the class.

    Returns:
        The scale; None if the first pass is enough.
    """
    p = parameters
    area = shape[0] * shape[1]
    largest = _max_scale(shape, p)
    cutout = is_cutout(shape, p)
    if not len(heights):
        target = largest if cutout else min(largest, first * p.blind_enlargement)
        scale = bounded_scale(target, shape, p.tiles)
        return scale if scale / first >= p.min_change else None
    median = float(np.median(heights)) * first
    small = float(np.quantile(heights, p.small_quantile)) * first
    if small < (p.min_cutout_small_px if cutout else p.min_small_px) and first < largest:
        dense = count_tiles(shape, first, p.tiles) >= p.dense_tiles
        target = p.dense_small_target_px if dense else p.small_target_px
        target = p.cutout_target_px if cutout else target
        scale = min(largest, first * target / small, (p.second_megapixels * 1e6 / area) ** 0.5)
    elif median > p.max_median_px:
        scale = first * p.median_target_px / median
    else:
        return None
    scale = bounded_scale(scale, shape, p.tiles)
    return scale if max(scale / first, first / scale) >= p.min_change else None


def far_scale(shape: tuple[int, ...], first: float, parameters: ScaleParameters = PARAMETERS) -> float | None:
    """Return the scale of the far pass, which finds very large digits; None if the page is too small for them.

    Args:
        shape: Height and width of the level page.
        first: The scale of the first pass.
        parameters: See the class.
    """
    scale = first * parameters.far_ratio
    return scale if max(shape) * scale >= parameters.min_far_px else None


def is_cutout(shape: tuple[int, ...], parameters: ScaleParameters = PARAMETERS) -> bool:
    """Return whether a level page of `shape` (height, width) is so small that it may be one digit."""
    return max(shape) <= parameters.max_cutout_side_px


def is_whole_page(shape: tuple[int, ...], scale: float) -> bool:
    """Return whether a level page of `shape` (height, width) is more than a strip or a cut-out, at this scale."""
    return min(shape) * scale >= TILE


def _max_scale(shape: tuple[int, ...], p: ScaleParameters) -> float:
    """Return the largest useful scale: only small pages are enlarged."""
    return min(p.max_enlargement, max(1.0, p.min_page_px / max(shape)))
