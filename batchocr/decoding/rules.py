"""Upright rules in the gap between two digits: sides of boxes, teeth of combs, sides of a table's cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from batchocr.records import Pixels


@dataclass(frozen=True)
class RuleParameters:
    """What an upright rule is in a gap between digits; lengths in heights of the digits beside it."""

    look_heights: float = 1.3
    """So far above and below the digits a rule is followed."""
    blocks: float = 6.0
    """Blocks of rows to a height: brightness is averaged over each, against noise."""
    dark_ratio: float = 0.035
    """Share of the paper's brightness by which a rule is darker, at least: pale ones of forms are."""
    least_heights: float = 0.28
    """Length of a rule, at least: teeth of a comb are short."""
    thick_heights: float = 0.22
    """Thickness, at most: what is thicker is ink."""
    beyond_heights: float = 0.1
    """A rule reaches so far above or below the digits, at least: ink of the digits does not."""
    edge_heights: float = 0.1
    """Near a digit by this, where its ink may reach out of its box..."""
    beyond_at_edge_heights: float = 0.22
    """...it reaches so far."""
    paper_percentile: float = 70.0
    """Of a row's pixels in the gap: the paper's brightness, whatever crosses it level."""


@dataclass(frozen=True)
class Rule:
    """An upright rule, in pixels of the page; an end where it was followed no further is so far away."""

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
    parameters: RuleParameters | None = None,
) -> list[Rule]:
    """Upright rules on a page (height, width) between `left` and `right`, from the left.

    `top` and `bottom` are those of the digits beside the gap, which are `height` pixels high.
    """
    how = parameters or RuleParameters()
    first, last = max(0, int(left) + 1), min(pixels.shape[1], int(np.ceil(right)) - 1)
    upper = max(0, int(top - how.look_heights * height))
    lower = min(pixels.shape[0], int(np.ceil(bottom + how.look_heights * height)))
    block = max(1, round(height / how.blocks))
    count = (lower - upper) // block
    if last - first < 3 or count < 2:
        return []
    strip = pixels[upper : upper + count * block, first:last].astype(np.float32)
    paper = np.sort(strip, axis=1)[:, min(strip.shape[1] - 1, int(strip.shape[1] * how.paper_percentile / 100))]
    darker = 1 - strip / np.maximum(paper, 1)[:, None]
    means = darker.reshape(count, block, -1).mean(axis=1)
    dark = means > how.dark_ratio
    wide = dark.copy()  # a rule may lean by a pixel from block to block
    wide[:, 1:] |= dark[:, :-1]
    wide[:, :-1] |= dark[:, 1:]
    run, longest, end = (np.zeros(wide.shape[1], np.int64) for _ in range(3))
    for at, row in enumerate(wide):
        run = np.where(row, run + 1, 0)
        longer = run > longest
        longest = np.where(longer, run, longest)
        end = np.where(longer, at + 1, end)
    ends_at = upper + end * block
    begins_at = ends_at - longest * block
    columns = np.arange(last - first)
    at_edge = np.minimum(columns, columns[::-1]) < how.edge_heights * height
    beyond = np.where(at_edge, how.beyond_at_edge_heights, how.beyond_heights) * height
    is_rule = (longest * block >= how.least_heights * height) & (
        (begins_at <= top - beyond) | (ends_at >= bottom + beyond)
    )
    is_rule &= (ends_at > (top + bottom) / 2) & (begins_at < bottom - 0.1 * height)
    found: list[Rule] = []
    edges = np.flatnonzero(np.diff(np.r_[False, is_rule, False]))
    for begin, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if stop - begin <= max(4, how.thick_heights * height):
            longest_at = begin + int((ends_at[begin:stop] - begins_at[begin:stop]).argmax())
            found.append(Rule(first + (begin + stop) / 2, float(begins_at[longest_at]), float(ends_at[longest_at])))
    return found
