"""Vertical rules in the gap between two digits: sides of boxes, teeth of combs, sides of table cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from batchocr.records import Pixels


@dataclass(frozen=True)
class RuleParameters:
    """What a vertical rule in a gap between digits is; lengths in heights of the digits beside it.

    Basis of all: chosen by eye, except where a field names another basis.
    """

    search_heights: float = 1.3
    """A rule is followed this far above and below the digits."""
    blocks: float = 6.0
    """Number of blocks of rows in the height of a digit; the brightness is averaged over each block. Basis: it reduces
    noise."""
    min_dark_ratio: float = 0.035
    """Minimum share of the paper's brightness by which a rule is darker. Basis: pale rules of forms."""
    min_length_heights: float = 0.28
    """Minimum length of a rule. Basis: teeth of a comb are short."""
    max_thickness_heights: float = 0.22
    """Maximum thickness of a rule; thicker dark parts are ink."""
    min_thickness_limit_px: float = 4.0
    """The limit of the thickness is never lower than this. Basis: a thin rule of a small page, blurred by the
    scanner."""
    min_beyond_heights: float = 0.1
    """Minimum length by which a rule reaches above or below the digits. Basis: ink of the digits does not."""
    edge_heights: float = 0.1
    """Distance from a digit up to which the ink of the digit may reach out of its box."""
    min_beyond_at_edge_heights: float = 0.22
    """`min_beyond_heights` for rules within `edge_heights` of a digit."""
    min_overlap_heights: float = 0.1
    """A rule starts at least this far above the bottom of the digits."""
    paper_percentile: float = 70.0
    """Percentile of a row's pixels in the gap that is the brightness of the paper. Basis: horizontal rules that cross
    the gap change whole rows, so that the row's own paper is compared."""
    min_gap_px: int = 3
    """Minimum width of a gap in which a rule is searched. Basis: a rule and paper on both sides."""
    min_blocks: int = 2
    """Minimum number of blocks of rows in which a rule is searched."""


PARAMETERS = RuleParameters()


@dataclass(frozen=True)
class Rule:
    """A vertical rule in pixels of the page; a rule that is longer than the searched range ends at its border."""

    x: float
    top: float
    bottom: float


def rules_between(
    pixels: Pixels,
    left: float,
    right: float,
    top: float,
    bottom: float,
    height: float,
    parameters: RuleParameters = PARAMETERS,
) -> list[Rule]:
    """Find the vertical rules in the gap between two digits.

    Args:
        pixels: (height, width) uint8, the level page.
        left: left end of the gap in pixels.
        right: right end of the gap in pixels.
        top: top of the digits beside the gap in pixels.
        bottom: bottom of the digits beside the gap in pixels.
        height: height of the digits in pixels.
        parameters: what a rule is.

    Returns:
        The rules from the left.
    """
    p = parameters
    x0, x1 = max(0, int(left) + 1), min(pixels.shape[1], int(np.ceil(right)) - 1)
    y0 = max(0, int(top - p.search_heights * height))
    y1 = min(pixels.shape[0], int(np.ceil(bottom + p.search_heights * height)))
    block = max(1, round(height / p.blocks))
    count = (y1 - y0) // block
    if x1 - x0 < p.min_gap_px or count < p.min_blocks:
        return []
    strip = pixels[y0 : y0 + count * block, x0:x1].astype(np.float32)
    paper = np.sort(strip, axis=1)[:, min(strip.shape[1] - 1, int(strip.shape[1] * p.paper_percentile / 100))]
    darker = 1 - strip / np.maximum(paper, 1)[:, None]
    means = darker.reshape(count, block, -1).mean(axis=1)
    dark = means > p.min_dark_ratio
    widened = dark.copy()  # a rule may lean by one pixel from block to block
    widened[:, 1:] |= dark[:, :-1]
    widened[:, :-1] |= dark[:, 1:]
    run, longest, end = (np.zeros(widened.shape[1], np.int64) for _ in range(3))
    for i, row in enumerate(widened):
        run = np.where(row, run + 1, 0)
        longer = run > longest
        longest = np.where(longer, run, longest)
        end = np.where(longer, i + 1, end)
    run_bottom = y0 + end * block
    run_top = run_bottom - longest * block
    columns = np.arange(x1 - x0)
    at_edge = np.minimum(columns, columns[::-1]) < p.edge_heights * height
    beyond = np.where(at_edge, p.min_beyond_at_edge_heights, p.min_beyond_heights) * height
    is_rule = (longest * block >= p.min_length_heights * height) & (
        (run_top <= top - beyond) | (run_bottom >= bottom + beyond)
    )
    is_rule &= (run_bottom > (top + bottom) / 2) & (run_top < bottom - p.min_overlap_heights * height)
    found: list[Rule] = []
    edges = np.flatnonzero(np.diff(np.r_[False, is_rule, False]))
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if stop - start <= max(p.min_thickness_limit_px, p.max_thickness_heights * height):
            i = start + int((run_bottom[start:stop] - run_top[start:stop]).argmax())
            found.append(Rule(x0 + (start + stop) / 2, float(run_top[i]), float(run_bottom[i])))
    return found
