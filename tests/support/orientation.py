"""How images are stored under the orientation tags of EXIF and TIFF."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from batchocr.records import Pixels

STORED: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda p: p,
    2: np.fliplr,
    3: lambda p: np.rot90(p, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda p: np.rot90(p, 1),
    7: lambda p: np.rot90(p.T, 2),
    8: lambda p: np.rot90(p, -1),
}
"""What is stored under each orientation, as a function of the upright page."""
