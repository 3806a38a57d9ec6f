"""Areas that boxes share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shared_areas(boxes: NDArray[np.floating], others: NDArray[np.floating]) -> NDArray[np.floating]:
    """Compute the area that each pair of boxes shares.

    Args:
        boxes: (n, 4) left, top, width and height.
        others: (m, 4) left, top, width and height, in the same unit.

    Returns:
        (n, m) areas; 0 where two boxes do not overlap.
    """
    ends, other_ends = boxes[:, :2] + boxes[:, 2:], others[:, :2] + others[:, 2:]
    sides = np.minimum(ends[:, None], other_ends[None]) - np.maximum(boxes[:, None, :2], others[None, :, :2])
    return np.asarray(np.clip(sides, 0, None).prod(axis=2))
