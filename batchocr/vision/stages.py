"""All that is made of a page on its way to its layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.vision.binarize import Contrast, Mask
from batchocr.vision.fields import Fields
from batchocr.vision.geometry.deskew import Turn
from batchocr.vision.geometry.sheet import Sheet
from batchocr.vision.ink import Piece
from batchocr.vision.normalize import Normal


@dataclass(frozen=True)
class Stages:
    """A page on its way, each picture (height, width) at the working resolution, turned level."""

    contrast: Contrast
    rules: Mask
    ink: Mask
    labels: NDArray[np.int32]
    """Which connected component a pixel belongs to; 0 for paper."""
    rows: list[list[Piece]]
    """Lines from the top, each a row of pieces that may be digits, from the left."""
    normal: Mapping[Piece, Normal]
    """How wide pieces look, as far as they were asked whether they are one digit."""
    parts: Mapping[Piece, tuple[Piece, ...]]
    """Into which of them may be cut."""
    small: list[Piece]
    """Points, commas and dirt."""
    turn: Turn
    sheet: Sheet
    """Where on the page the sheet lies that these are pictures of."""
    fields: Fields | None = None
    """Boxes and combs; None where there are none."""
