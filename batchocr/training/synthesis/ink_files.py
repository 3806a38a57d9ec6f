"""Files of pen strokes, as UNIPEN and pendigits are given, and strokes drawn as an image."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from batchocr.records import Pixels
from batchocr.training.synthesis.pen import Stroke, Strokes, thinned


@dataclass(frozen=True)
class InkFile:
    """Samples of pen strokes. The format is described in docs/models.md (the folder of public data)."""

    points: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    stroke_ends: np.ndarray[tuple[int], np.dtype[np.int64]]
    sample_ends: np.ndarray[tuple[int], np.dtype[np.int64]]
    columns: dict[str, np.ndarray[tuple[int], np.dtype[np.generic]]]

    @classmethod
    def load(cls, path: Path) -> InkFile:
        with np.load(path) as file:
            known = ("xy", "stroke", "sample")
            columns = {key: file[key] for key in file.files if key not in known}
            return cls(file["xy"].astype(np.float32), file["stroke"], file["sample"], columns)

    def __len__(self) -> int:
        return len(self.sample_ends) - 1

    def text(self, column: str, i: int) -> str:
        return str(self.columns[column][i])

    def strokes(self, i: int) -> list[Stroke]:
        """Return the strokes of a sample with fewer points, in the tablet's units."""
        ends = self.stroke_ends[self.sample_ends[i] : self.sample_ends[i + 1] + 1].tolist()
        return [thinned(self.points[start:stop]) for start, stop in pairwise(ends) if stop > start]


def line_image(strokes: Strokes, height_px: float) -> tuple[Pixels, float, np.ndarray] | None:
    """Draw a line of strokes, black on white.

    Args:
        strokes: The strokes.
        height_px: Height of all ink, in pixels.

    Returns:
        The image, pixels per unit of the strokes, and the left top corner of the image in these units; None if the line
        is too long.
    """
    every = np.concatenate(list(strokes))
    lower, upper = every.min(axis=0), every.max(axis=0)
    scale = height_px / max(
        1.0, float(upper[1] - lower[1]), 0.5 * float(upper[0] - lower[0]) if len(strokes) < 3 else 0
    )
    width, height = ((upper - lower) * scale + 40).astype(int).tolist()
    if width > 3000:
        return None
    image = np.full((height, width), 255, np.uint8)
    for stroke in strokes:
        points = (((stroke - lower) * scale + 20) * 16).round().astype(np.int32)
        cv2.polylines(image, [points], False, 20, 2, cv2.LINE_AA, 4)
    return image, scale, lower - 20 / scale
