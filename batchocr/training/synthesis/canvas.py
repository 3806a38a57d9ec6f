"""The image that is drawn: brightness of the paper, the ink on it, and the boxes that must be found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.training.detection.cells import UNKNOWN

T = TypeVar("T")

SOLID, DOTTED, DASHED = "solid", "dotted", "dashed"
Segment = tuple[float, float, float, float]
"""x and y of both ends of a line, in pixels."""


@dataclass
class Canvas:
    """A square of paper, larger than the patch that is cut out of it."""

    side: int
    paper: NDArray[np.float32]
    """(side, side): brightness, 0 to 255."""
    rng: np.random.Generator
    height: float
    """Height of the digits, in pixels."""
    ink: float
    """Opacity of print, 0 to 1."""
    boxes: list[list[float]] = field(default_factory=list)
    """Class, left, top, width, height, kind and opacity of each box."""
    real: bool = False
    """Whether it shows real paper, which has been scanned already."""

    def put_ink(self, mask: Pixels, left: float, top: float, opacity: float) -> None:
        """Draw ink over what is there.

        Args:
            mask: Ink, uint8, 255 is full ink.
            left: Left side of the mask on the canvas, in pixels.
            top: Top side of the mask on the canvas, in pixels.
            opacity: Opacity of full ink, 0 to 1.
        """
        x, y = int(left), int(top)
        height, width = mask.shape
        x0, y0, x1, y1 = max(0, x), max(0, y), min(self.side, x + width), min(self.side, y + height)
        if x1 <= x0 or y1 <= y0:
            return
        keep = mask[y0 - y : y1 - y, x0 - x : x1 - x].astype(np.float32) * (-opacity / 255) + 1
        self.paper[y0:y1, x0:x1] *= keep

    def add_box(
        self, label: int, left: float, top: float, width: float, height: float, kind: int, opacity: float
    ) -> None:
        """Add a box that must be found, or that is unknown. Boxes outside the canvas are ignored."""
        if left < self.side and top < self.side and left + width > 0 and top + height > 0:
            self.boxes.append([label, left, top, width, height, kind, opacity])

    def mark_unknown(self, left: float, top: float, width: float, height: float) -> None:
        """Mark a part as unknown: the network learns nothing there."""
        self.add_box(0, left, top, width, height, UNKNOWN, 1.0)

    def draw_lines(self, segments: Iterable[Segment], opacity: float, width: int = 1, style: str = SOLID) -> None:
        """Draw straight lines as one mask, so that ink counts once where they cross.

        Args:
            segments: The lines.
            opacity: Opacity of the ink, 0 to 1.
            width: Width in pixels.
            style: SOLID, DOTTED or DASHED.
        """
        mask = np.zeros((self.side, self.side), np.uint8)
        for segment in segments:
            for x0, y0, x1, y1 in [segment] if style == SOLID else self._dashes(segment, style):
                ends = [round(16 * value) for value in (x0, y0, x1, y1)]
                cv2.line(mask, ends[:2], ends[2:], 255, width, cv2.LINE_AA, 4)
        self.put_ink(mask, 0, 0, opacity)

    def _dashes(self, segment: Segment, style: str) -> list[Segment]:
        x0, y0, x1, y1 = segment
        length = float(np.hypot(x1 - x0, y1 - y0))
        if length < 2:
            return []
        on, off = (
            (1, self.rng.integers(2, 6)) if style == DOTTED else (self.rng.integers(3, 12), self.rng.integers(2, 7))
        )
        starts = np.arange(0, length, on + off) / length
        stops = np.minimum(1, starts + (on - 1) / length)
        return [
            (x0 + a * (x1 - x0), y0 + a * (y1 - y0), x0 + b * (x1 - x0), y0 + b * (y1 - y0))
            for a, b in zip(starts.tolist(), stops.tolist(), strict=True)
        ]

    def empty_mask(self) -> Pixels:
        """Return an empty mask of the size of the canvas."""
        return np.zeros((self.side, self.side), np.uint8)

    def ink_box(self, mask: Pixels, left: int, top: int) -> tuple[float, float, float, float] | None:
        """Return left, top, width and height of the ink of a mask at a place; None if it has no ink."""
        x, y, width, height = cv2.boundingRect((mask > 80).view(np.uint8))
        return (left + x, top + y, width, height) if width and height else None

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def choose(self, items: Sequence[T], shares: Sequence[float] | None = None) -> T:
        """Return a random item; the shares sum to 1."""
        return items[int(self.rng.choice(len(items), p=shares))]
