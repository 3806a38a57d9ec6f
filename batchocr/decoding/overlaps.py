"""What boxes have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shared_areas(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.floating]:
    """Areas (n, m) that boxes (n, 4) and (m, 4) share; each is left, top, width and height."""
    ends, others = first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:]
    sides = np.minimum(ends[:, None], others[None]) - np.maximum(first[:, None, :2], second[None, :, :2])
    return np.asarray(np.clip(sides, 0, None).prod(axis=2))
