"""Crosses: two strokes along both diagonals, by which people cross out a cell that stays empty."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchocr.forms.reading.parameters import CrossParameters


def is_cross(crop: NDArray[np.uint8], parameters: CrossParameters) -> bool:
    """Return whether a crop shows a cross.

    Args:
        crop: (28, 28), ink 255 on 0.
        parameters: what a cross is.

    Returns:
        True if nearly all ink is near the diagonals of its box, and both diagonals are ink along their whole length.
    """
    p = parameters
    rows, columns = np.nonzero(crop >= p.min_ink)
    if len(rows) < p.min_pixels:
        return False
    height, width = rows.max() - rows.min(), columns.max() - columns.min()
    if min(height, width) < p.min_side_ratio * max(height, width):
        return False
    u = 2 * (columns - columns.min()) / width - 1
    v = 2 * (rows - rows.min()) / height - 1
    falling, rising = np.abs(u - v) / np.sqrt(2), np.abs(u + v) / np.sqrt(2)
    near = np.minimum(falling, rising) <= p.max_distance_ratio
    if near.mean() < p.min_near_share:
        return False
    return all(
        _covered(along[distance <= p.max_distance_ratio], p) >= p.min_covered_share
        for distance, along in ((falling, (u + v) / 2), (rising, (u - v) / 2))
    )


def _covered(along: NDArray[np.float64], p: CrossParameters) -> float:
    """Return the share of a diagonal, from -1 to 1, that is ink."""
    found, _ = np.histogram(along, bins=p.parts, range=(-p.length_ratio, p.length_ratio))
    return float((found > 0).mean())
