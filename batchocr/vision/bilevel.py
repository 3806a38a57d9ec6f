"""Whether a page is only black and white, as a fax."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from batchocr.records import Pixels


@dataclass(frozen=True)
class BilevelParameters:
    """When a page is only black and white."""

    max_black: int = 15
    """Largest value of black. Basis: JPEG changes the values of a fax by less."""
    min_white: int = 240
    """Smallest value of white. Basis: as `max_black`."""
    max_grey_share: float = 0.004
    """Share of pixels that may be neither. Basis: the edges of print and writing on a grey page are 2% or more."""
    step_px: int = 5
    """Only each such pixel across is counted. Basis: chosen for speed."""


PARAMETERS = BilevelParameters()


def is_bilevel(pixels: Pixels, parameters: BilevelParameters = PARAMETERS) -> bool:
    """Return whether a page (height, width) is only black and white."""
    p = parameters
    counts = np.bincount(pixels[:, :: p.step_px].ravel(), minlength=256)
    return bool(counts[p.max_black + 1 : p.min_white].sum() <= p.max_grey_share * counts.sum())
