"""Synthetic patches to train the detector on: square images with their boxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from batchocr.records import Pixels
from batchocr.training.detection.cells import Boxes
from batchocr.training.synthesis import paper
from batchocr.training.synthesis import surroundings as around
from batchocr.training.synthesis.canvas import Canvas
from batchocr.training.synthesis.exposure import cut_out, expose, tilt
from batchocr.training.synthesis.layouts.mixture import LAYOUT_SHARES, PageLayouts
from batchocr.training.synthesis.printing import PrintBank, turned
from batchocr.training.synthesis.real_paper import RealPaper
from batchocr.training.synthesis.writing import Writing
from batchocr.training.synthesis.writing_sources import HandwritingSources


@dataclass(frozen=True)
class PatchParameters:
    """How patches are made. The shares were chosen in the training rounds (docs/training-rounds.md).

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    margin_px: int = 24
    """Pixels around a patch that are drawn and cut away, so that the page can be tilted."""
    cut_out_share: float = 0.12
    """Share of patches that show a strip or a cell alone."""
    security_print_share: float = 0.25
    """Share of pages with security print."""
    back_share: float = 0.09
    """Share of pages on which the back of the sheet shines through."""
    bare_front_share: float = 0.4
    """Share of these whose front is nearly empty, so that nothing stronger shows how faint the back is."""
    decoration_share: float = 0.1
    """Share of pages with holes, filled shapes and scrawls."""
    alignment_mark_share: float = 0.06
    """Share of pages with alignment marks."""
    page_line_share: float = 0.08
    """Share of pages with lines across all of it."""
    long_stroke_share: float = 0.06
    """Share of pages with a pen stroke across all of it."""
    sheet_edge_share: float = 0.04
    """Share of pages that show the edge of the sheet."""
    tilted_share: float = 0.7
    """Share of pages that are tilted."""
    turned_print_share: float = 0.3
    """Share of printed pages without handwriting that are turned by quarters."""


PARAMETERS = PatchParameters()


@dataclass(frozen=True)
class Patch:
    """A synthetic patch."""

    pixels: Pixels
    """(side, side) uint8."""
    boxes: Boxes
    layout: str


@dataclass(frozen=True)
class PatchMaker:
    """Makes patches from sources of handwriting, print and real paper."""

    sources: HandwritingSources
    bank: PrintBank
    real: Sequence[RealPaper] = ()
    """Collections of real paper, each with its share of the patches."""
    side: int = 256

    def make(self, rng: np.random.Generator) -> Patch:
        """Make the next patch; the same for the same state of `rng`."""
        shares = np.array([piece.share for piece in self.real])
        at = rng.random()
        if at < shares.sum():
            piece = self.real[int(np.searchsorted(np.cumsum(shares), at, side="right"))]
            return self._expose(piece.cut(self._canvas(rng)), piece.name, rng)
        canvas = self._canvas(rng)
        paper.tint(canvas)
        if canvas.chance(PARAMETERS.security_print_share):
            paper.security(canvas, self.bank)
        bare = False
        if canvas.chance(PARAMETERS.back_share):
            back = replace(canvas, paper=np.full_like(canvas.paper, 255.0), boxes=[])
            self._fill(back)
            if not back.real:
                paper.show_through(canvas, back.paper)
                bare = canvas.chance(PARAMETERS.bare_front_share)  # nothing stronger beside it shows that it is faint
        layout = self._write(canvas, PageLayouts.sparse) if bare else self._fill(canvas)
        if not canvas.real:
            self._add_overlays(canvas)
        return self._expose(canvas, layout, rng)

    def _fill(self, canvas: Canvas) -> str:
        """Draw one of the layouts; return its name."""
        kinds, weights = zip(*LAYOUT_SHARES, strict=True)
        return self._write(canvas, kinds[int(canvas.rng.choice(len(kinds), p=np.array(weights) / sum(weights)))])

    def _write(self, canvas: Canvas, layout: Callable[[PageLayouts], None]) -> str:
        layout(PageLayouts(canvas, Writing(canvas, self.sources), self.bank))
        return layout.__name__

    def _canvas(self, rng: np.random.Generator) -> Canvas:
        side = self.side + 2 * PARAMETERS.margin_px
        roll = rng.random()
        min_height, max_height = (
            (14, 50) if roll < 0.66 else (9.5, 16) if roll < 0.8 else (45, 85) if roll < 0.93 else (80, 130)
        )
        height = float(np.exp(rng.uniform(np.log(min_height), np.log(max_height))))
        ink = rng.uniform(0.5, 0.97) if rng.random() < 0.7 else rng.uniform(0.15, 0.5)
        return Canvas(side, paper.blank(side, rng), rng, height, float(ink))

    def _add_overlays(self, canvas: Canvas) -> None:
        """Draw what may be over everything else."""
        if canvas.chance(PARAMETERS.decoration_share):
            around.decorations(canvas)
        if canvas.chance(PARAMETERS.alignment_mark_share):
            around.alignment_marks(canvas)
        if canvas.chance(PARAMETERS.page_line_share):
            around.cross_out_lines(canvas)
        if canvas.chance(PARAMETERS.long_stroke_share):
            around.long_stroke(canvas)
        if canvas.chance(PARAMETERS.sheet_edge_share):
            paper.edge(canvas)

    def _expose(self, canvas: Canvas, name: str, rng: np.random.Generator) -> Patch:
        boxes = np.array(canvas.boxes, np.float32).reshape(-1, 7)
        image = canvas.paper
        if rng.random() < PARAMETERS.tilted_share:
            image, boxes = tilt(image, boxes, rng)
        margin = PARAMETERS.margin_px
        image = np.ascontiguousarray(image[margin : margin + self.side, margin : margin + self.side])
        boxes[:, 1:3] -= margin
        exposed = expose(image, boxes, canvas.height, canvas.real, rng)
        pixels, known = exposed.pixels, exposed.boxes
        if rng.random() < PARAMETERS.cut_out_share and not canvas.real:
            pixels, known = cut_out(pixels, known, canvas.height, rng)
        if name == "printed" and rng.random() < PARAMETERS.turned_print_share and not (known[:, 5] == 0).any():
            pixels, known = turned(
                pixels, known, int(rng.integers(1, 4))
            )  # a page that lies on its side has no handwritten digits
            known[:, 5] = np.where(known[:, 5] == 1, 3, known[:, 5])
        return Patch(pixels, known[:, :6], name)


def contact_sheet(patches: Sequence[Patch], columns: int = 6) -> Pixels:
    """Draw patches side by side with their boxes.

    Args:
        patches: The patches.
        columns: Patches in a row.

    Returns:
        A BGR image: handwritten digits red, printed ones blue, signs green, unknown boxes grey.
    """
    colours = ((0, 0, 255), (255, 128, 0), (0, 170, 0), (160, 160, 160))
    tiles = []
    for patch in patches:
        tile = cv2.cvtColor(patch.pixels, cv2.COLOR_GRAY2BGR)
        for label, left, top, width, height, kind in patch.boxes[patch.boxes[:, 5] <= 3].tolist():
            colour = colours[int(kind)]
            cv2.rectangle(tile, (int(left), int(top)), (int(left + width), int(top + height)), colour, 1)
            if kind < 3:
                name = "0123456789.,/-:+"[int(label)]
                cv2.putText(tile, name, (int(left), max(8, int(top) - 1)), 0, 0.35, colour, 1, cv2.LINE_AA)
        tiles.append(cv2.copyMakeBorder(tile, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255)))
    while len(tiles) % columns:
        tiles.append(np.full_like(tiles[0], 255))
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])
