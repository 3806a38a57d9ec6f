"""Four straight sides around something bright: by a Hough transform for each side, and the best four together.

The way of most that look for a document in a photograph (Hough, 1962; Zhang and He, Whiteboard scanning and image
enhancement, 2007), with sides of the picture itself where the sheet goes on beyond them.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

Points = NDArray[np.float64]
"""(n, 2) x, y in pixels; the picture's own corners are at 0, 0 and width, height."""
Floats = NDArray[np.float64]

STEP = 14
"""Sobel's answer to the faintest side of a sheet: some 4 grey levels."""
SLOPES = np.arange(-0.5, 0.5001, 0.02)
"""Pixels a pixel by which a side may stray from the picture's: 26°."""
BIN = 3
"""Pixels a bin of the Hough transform."""
AT_ONCE = 250
"""Edge pixels up to which all slopes are looked at in one go; more would be slower, as they leave the cache."""
LINES = 7
"""Lines looked at for each of the four sides, besides the picture's own side."""
FEWEST = 0.15
"""Share of the picture's side that must be seen of a line."""
NEAR = 2.0
"""Pixels from a line at which an edge lies on it."""
SUPPORT = 0.6
"""Share of a side of the sheet that must be seen."""
AREA = 0.18
"""Share of the picture that the least sheet covers."""
BEYOND = 0.1
"""Share of the picture by which a corner may lie outside of it."""
UNSEEN = 0.5
"""What a side that is the picture's own counts for: better than a poor line, worse than a good one."""
ROOMY = 0.3
"""What the area counts for, so that a frame within the sheet is not taken for the sheet."""


class _Lines(NamedTuple):
    """Lines y = middle + slope · (x − width / 2) that may be one side of a sheet; the first is the picture's side."""

    middle: Floats
    slope: Floats
    seen: Floats
    """(lines, width + 1): at how many x before this one an edge lies on the line."""


def _lines(rise: NDArray[np.int16], side: float) -> _Lines:
    """Lines along which it gets brighter downwards and that are nearly level; `side` as in `_Lines`.

    `rise` (height, width) is by how much it does. It counts where it is largest of those above and below.
    """
    height, width = rise.shape
    y, x = np.divmod(np.flatnonzero(rise >= STEP), width)
    above, below = rise[np.maximum(y - 1, 0), x], rise[np.minimum(y + 1, height - 1), x]
    ridge = (rise[y, x] >= above) & ((rise[y, x] > below) | (y == height - 1))
    y, x = y[ridge], x[ridge]
    across, down = x + 0.5 - width / 2, y + 0.5
    weight = np.sqrt(rise[y, x].astype(np.float64))  # grain of wood is many weak edges
    reach = width // 4 + 1  # so far outside does a line's middle lie at most
    bins = (height + 2 * reach) // BIN + 2
    votes, count = np.empty((2, len(SLOPES), bins))
    for part in np.array_split(np.arange(len(SLOPES)), 1 + len(y) // AT_ONCE):
        bin_of = ((down - SLOPES[part, None] * across + reach) / BIN).astype(np.int64)
        bin_of += bins * np.arange(len(part))[:, None]
        votes[part] = np.bincount(bin_of.ravel(), np.tile(weight, len(part)), len(part) * bins).reshape(-1, bins)
        count[part] = np.bincount(bin_of.ravel(), minlength=len(part) * bins).reshape(-1, bins)
    for table in (votes, count):
        table[:, 1:] += table[:, :-1].copy()
    votes[count < FEWEST * width] = 0
    middles, slopes = [side], [0.0]
    while len(middles) <= LINES:
        i, j = divmod(int(votes.argmax()), votes.shape[1])
        if votes[i, j] <= 0:
            break
        slope, middle = float(SLOPES[i]), float(BIN * j - reach)
        for tolerance in (2 * NEAR, NEAR, NEAR):
            on = np.abs(down - middle - slope * across) <= tolerance
            if np.count_nonzero(on) < 8 or np.ptp(across[on]) < 8:
                break
            slope, middle = np.polyfit(across[on], down[on], 1).tolist()
        if not any(abs(middle - m) < NEAR and abs(slope - s) < 0.02 for m, s in zip(middles, slopes, strict=True)):
            middles.append(middle)
            slopes.append(slope)
        votes[max(0, i - 3) : i + 4, max(0, j - 3) : j + 4] = 0
    seen = np.zeros((len(middles), width + 1))
    for k, (middle, slope) in enumerate(zip(middles, slopes, strict=True)):
        on = np.abs(down - middle - slope * across) <= NEAR
        seen[k, 1:] = np.minimum(np.bincount(x[on], minlength=width), 1).cumsum()
    return _Lines(np.array(middles), np.array(slopes), seen)


def _candidates(bare: Pixels) -> tuple[_Lines, _Lines, _Lines, _Lines]:
    """Lines that may be the top, right, bottom and left side of something brighter than what is around it."""
    height, width = bare.shape
    right, down = cv2.Sobel(bare, cv2.CV_16S, 1, 0), cv2.Sobel(bare, cv2.CV_16S, 0, 1)
    level = np.abs(down) >= np.abs(right)
    down, right = down * level, cv2.transpose(right * ~level)
    return _lines(down, 0.0), _lines(-right, float(width)), _lines(-down, float(height)), _lines(right, 0.0)


def _meet(level: Floats, upright: Floats, width: int, height: int) -> Points:
    """Where nearly level lines meet as many nearly upright ones, both (2, n) middle and slope: (n, 2) x, y."""
    (a, p), (b, q) = level, upright
    y = (a - height / 2 + p * (b - width / 2)) / (1 - p * q)
    return np.stack([b + q * y, y + height / 2], axis=1)


def _share(side: _Lines, which: NDArray[np.int64], start: Floats, stop: Floats) -> tuple[Floats, Floats]:
    """Length within the picture, and the share of it that is seen, of lines from start to stop."""
    last = side.seen.shape[1] - 1
    low, high = (np.clip(ends.round(), 0, last).astype(np.int64) for ends in (start, stop))
    length = np.maximum(high - low, 1).astype(np.float64)
    share = (side.seen[which, high] - side.seen[which, low]) / length
    return length, np.where(which == 0, UNSEEN, np.where(share < SUPPORT, -np.inf, share))


def outline(bare: Pixels) -> tuple[Points, tuple[bool, bool, bool, bool]]:
    """The best four sides around something bright in a small picture (height, width), less its writing.

    Returns the corners, (4, 2) from the top left clockwise, and of which of top, right, bottom and left an edge is
    seen; the others are the picture's own sides, all four where nothing is found.
    """
    height, width = bare.shape
    sides = _candidates(bare)
    if all(len(side.middle) == 1 for side in sides):
        return np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]]), (False, False, False, False)
    which = np.indices([len(side.middle) for side in sides]).reshape(4, -1)
    top, right, bottom, left = (np.stack([s.middle[i], s.slope[i]]) for s, i in zip(sides, which, strict=True))
    a, b = _meet(top, left, width, height), _meet(top, right, width, height)
    d, c = _meet(bottom, left, width, height), _meet(bottom, right, width, height)
    corners = np.stack([a, b, c, d], axis=1)
    x, y = corners[..., 0], corners[..., 1]
    spans = ((x[:, 0], x[:, 1]), (y[:, 1], y[:, 2]), (x[:, 3], x[:, 2]), (y[:, 0], y[:, 3]))
    length, share = np.stack(
        [_share(side, i, *span) for side, i, span in zip(sides, which, spans, strict=True)], axis=1
    )
    area = 0.5 * (x * np.roll(y, -1, 1) - np.roll(x, -1, 1) * y).sum(axis=1) / (width * height)
    score = (length * share).sum(axis=0) / length.sum(axis=0) + ROOMY * area
    slack = BEYOND * max(width, height)
    within = (corners >= -slack) & (corners <= np.array([width, height]) + slack)
    least = 0.25 * min(width, height)
    long = np.all([stop - start > least for start, stop in spans], axis=0)
    score[~(within.all(axis=(1, 2)) & long & (area >= AREA))] = -np.inf
    best = int(score.argmax())
    own = [bool(i[best]) for i in which]
    return corners[best], (own[0], own[1], own[2], own[3])
