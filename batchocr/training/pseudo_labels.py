"""Boxes for handwriting with known text but unknown boxes (pseudo-labels: Lee, 2013).

`python -m batchocr.training.pseudo_labels MODEL DATA OUT.json`. MODEL is the detector's `.keras` file, DATA the folder
of public data. The known text is aligned with the detections: each digit takes one detection whose class fits. So a
text also counts if the detector alone would misread it. If the alignment fails, numbers with separate digits get the
boxes of their ink.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from batchocr.datasets.held_out import kept_out, register_pages, strip_is_held_out, sudoku_photos
from batchocr.decoding.digits.suppression import SuppressionParameters, non_maximum_suppression
from batchocr.recognition.detector import Detector, DetectorParameters, merge_tiles
from batchocr.records import PRINT, SIGN, SIGNS, Detections, Pixels
from batchocr.training.component_labels import component_boxes
from batchocr.training.detection.cells import HAND, UNKNOWN
from batchocr.training.synthesis.ink_files import InkFile, line_image
from batchocr.training.synthesis.real_paper import read_grey
from batchocr.training.text_alignment import PARAMETERS as ALIGNMENT
from batchocr.training.text_alignment import (
    Alignment,
    AlignmentParameters,
    Box,
    align_text,
    align_text_with_gaps,
)
from batchocr.vision.tiles import make_tiles

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabellerParameters:
    """How known texts are searched with a detector.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    line_px: float = 46.0
    """Height in pixels at which lines of pen strokes are drawn, all of their ink."""
    batch: int = 2
    """Tiles of a batch: a strip has one or two."""
    min_scale: float = 0.2
    """Smallest scale at which a strip is searched."""
    max_scale: float = 2.0
    """Largest scale at which a strip or photo is searched."""
    cell_px: float = 44.0
    """Height in pixels to which the cells of a sudoku are scaled."""
    max_cell_height_ratio: float = 1.1
    """Height of a digit, in heights of its cell, above which a detection is not the digit of the cell."""
    min_cell_probability: float = 0.1
    """Score times probability of the known digit of a cell, above which the detection is that digit."""


PARAMETERS = LabellerParameters()


class Labeller:
    """Finds the boxes of known texts with a detector."""

    def __init__(self, model: Path, p: AlignmentParameters = ALIGNMENT) -> None:
        self._detector = Detector(
            model, batch_size=PARAMETERS.batch, parameters=DetectorParameters(min_score=(p.min_score,) * 2)
        )
        self._p = p

    def detections(self, pixels: Pixels, scale: float) -> Detections:
        """Return the detections on an image.

        Args:
            pixels: The image, (height, width) uint8.
            scale: Scale at which the image is searched.

        Returns:
            Detections after non-maximum suppression, in pixels of the image.
        """
        tiles = make_tiles(pixels, scale)
        return non_maximum_suppression(merge_tiles(self._detector.detect(tiles.pixels), tiles), SuppressionParameters())

    def strip(self, pixels: Pixels, text: str) -> Alignment | None:
        """Return the best alignment over some scales.

        Args:
            pixels: An image of one line, (height, width) uint8.
            text: Its known text.

        Returns:
            The alignment; None if the text fits at no scale.
        """
        alignments = [align_text(text, found) for found in self._at_scales(pixels)]
        return max(filter(None, alignments), key=lambda alignment: alignment.quality, default=None)

    def gaps(self, pixels: Pixels, text: str) -> list[Box] | None:
        """Return the boxes of a text of which some digits are not detected, at the first scale at which it fits.

        Args:
            pixels: An image of one line, (height, width) uint8.
            text: Its known text.

        Returns:
            The boxes; None if the text fits at no scale.
        """
        for found in self._at_scales(pixels):
            if (boxes := align_text_with_gaps(text, found, pixels, self._p)) is not None:
                return boxes
        return None

    def _at_scales(self, pixels: Pixels) -> Iterator[Detections]:
        """Yield the detections on a strip at each of the heights."""
        for height in self._p.heights_px:
            scale = float(np.clip(height / pixels.shape[0], PARAMETERS.min_scale, PARAMETERS.max_scale))
            yield self.detections(pixels, scale)


def registers(labeller: Labeller, folder: Path, held_out: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the register strips that can be read, without those of held-out pages and those kept for the calibration.

    Args:
        labeller: The labeller.
        folder: Folder of the strips.
        held_out: Names of the held-out pages.

    Yields:
        Name of the strip, and its boxes.
    """
    truth = json.loads((folder / "truth.json").read_text())
    for name in sorted(truth):
        page = truth[name]["page"]
        if strip_is_held_out(page, held_out) or kept_out(f"register {page}"):
            continue
        pixels, text = read_grey(folder / name)[0], truth[name]["text"]
        alignment = labeller.strip(pixels, text)
        if alignment is not None:
            yield name, _item(alignment.boxes)
        elif text.isdigit() and (own := component_boxes(pixels, len(text))) is not None:
            yield name, _item([[int(c), *box, HAND] for c, box in zip(text, own.tolist(), strict=True)])
        elif (boxes := labeller.gaps(pixels, text)) is not None:
            yield name, _item(boxes)


def register_page(labeller: Labeller, path: Path, pieces: Sequence[dict[str, Any]]) -> list[Box]:
    """Label a whole register page.

    Args:
        labeller: The labeller.
        path: The page.
        pieces: The known texts with their boxes.

    Returns:
        Boxes of the numbers that can be read. Numbers that cannot be read are unknown; everything else is not a digit.
    """
    pixels, factor = read_grey(path)
    found = labeller.detections(pixels, 1.0)
    boxes: list[Box] = []
    for piece in pieces:
        left, top, width, height = (value * factor for value in piece["box"])
        text = piece["text"]
        if not any(c.isdigit() for c in text):
            continue
        inside = found.take(_within(found, left, top, width, height))
        alignment = align_text(text, inside) if all(c.isdigit() or c in SIGNS or c.isspace() for c in text) else None
        if alignment is not None and piece.get("kind") != "printed":
            boxes += alignment.boxes
        else:
            boxes.append([0, left, top, width, height, UNKNOWN])
    return [[label, *(value / factor for value in box), kind] for label, *box, kind in boxes]


def _within(found: Detections, left: float, top: float, width: float, height: float) -> NDArray[np.intp]:
    x, y = found.boxes[:, 0] + found.boxes[:, 2] / 2, found.boxes[:, 1] + found.boxes[:, 3] / 2
    return np.flatnonzero((x >= left) & (x <= left + width) & (y >= top) & (y <= top + height))


def sudoku(labeller: Labeller, path: Path, cells: Sequence[dict[str, Any]]) -> list[Box]:
    """Label a photo of a sudoku.

    Args:
        labeller: The labeller.
        path: The photo.
        cells: The cells with box, text and kind.

    Returns:
        The box of the detected digit of each cell, handwritten or printed as known; the cell is unknown if no detection
        fits. Everything outside the cells is unknown.
    """
    pixels, factor = read_grey(path)
    side = float(np.median([cell["box"][3] for cell in cells])) * factor
    found = labeller.detections(pixels, min(PARAMETERS.max_scale, PARAMETERS.cell_px / side))
    ends = np.array([cell["box"] for cell in cells], float) * factor
    x0, y0 = ends[:, :2].min(axis=0)
    x1, y1 = (ends[:, :2] + ends[:, 2:]).max(axis=0)
    height_px, width_px = pixels.shape
    boxes: list[Box] = [
        [0, 0, 0, x0, height_px, UNKNOWN], [0, x1, 0, width_px - x1, height_px, UNKNOWN],
        [0, 0, 0, width_px, y0, UNKNOWN], [0, 0, y1, width_px, height_px - y1, UNKNOWN],
    ]  # fmt: skip
    for cell, (left, top, width, height) in zip(cells, ends.tolist(), strict=True):
        text, kind = cell.get("text") or "", cell["kind"]
        inside = found.take(_within(found, left, top, width, height))
        inside = inside.take(
            np.flatnonzero((inside.kinds != SIGN) & (inside.boxes[:, 3] < PARAMETERS.max_cell_height_ratio * height))
        )
        own = np.array([])
        if kind in ("hand", "print") and len(text) == 1 and text.isdigit():
            own = inside.scores * inside.probabilities[:, int(text)]
        if own.size and own.max() > PARAMETERS.min_cell_probability:
            box = inside.boxes[int(own.argmax())].astype(float).round(1).tolist()
            boxes.append([int(text), *box, HAND if kind == "hand" else PRINT])
        elif text or kind in ("unsure", "candidates"):
            boxes.append([0, left, top, width, height, UNKNOWN])
    return [[label, *(value / factor for value in box), kind] for label, *box, kind in boxes]


def lines(labeller: Labeller, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the numbers and lines of UNIPEN whose digits can be found.

    Args:
        labeller: The labeller.
        path: The file of pen strokes.

    Yields:
        Index of the line in the file, and its boxes in the tablet's units.
    """
    file = InkFile.load(path)
    for i in range(len(file)):
        label, writer = file.text("label", i), f"unipen {file.text('writer', i)}"
        if int(file.text("lines", i)) != 1 or kept_out(writer) or not any(c.isdigit() for c in label):
            continue
        drawn = line_image(file.strokes(i), PARAMETERS.line_px)
        if drawn is None:
            continue
        pixels, scale, corner = drawn
        alignment = align_text(label, labeller.detections(pixels, 1.0))
        if alignment is not None:
            yield (
                str(i),
                _item(
                    [
                        [place, x / scale + float(corner[0]), y / scale + float(corner[1]), w / scale, h / scale, kind]
                        for place, x, y, w, h, kind in alignment.boxes
                    ]
                ),
            )


def _item(boxes: list[Box]) -> dict[str, Any]:
    heights = [box[4] for box in boxes if box[5] == HAND]
    return {"boxes": boxes, "height": float(np.median(heights)) if heights else 26.0}


def main(
    model: Annotated[Path, typer.Argument(help="A trained detector.")],
    data: Annotated[Path, typer.Argument(help="The folder of public data.")],
    out: Annotated[Path, typer.Argument(help="The labels, JSON.")],
) -> None:
    """Find the boxes of known texts."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    labeller = Labeller(model)
    pages = json.loads((data / "lectaurep" / "pages" / "lines.json").read_text())
    held_out = register_pages(pages)
    photos = json.loads((data / "sudoku-scanner" / "pages" / "cells.json").read_text())
    measured = set(sudoku_photos(photos))
    strips = {f"lectaurep/train/{name}": item for name, item in registers(labeller, data / "lectaurep/train", held_out)}
    log.info("%d strips of registers", len(strips))
    found: dict[str, Any] = {"registers": strips}
    found["lines"] = dict(lines(labeller, data / "unipen" / "numbers.npz"))
    log.info("%d lines of UNIPEN", len(found["lines"]))
    found["register pages"] = {
        f"lectaurep/pages/{name}": _item(register_page(labeller, data / "lectaurep/pages" / name, pages[name]))
        for name in sorted(set(pages) - set(held_out))
    }
    found["sudokus"] = {
        f"sudoku-scanner/pages/{name}": _item(sudoku(labeller, data / "sudoku-scanner/pages" / name, photos[name]))
        for name in sorted(set(photos) - measured)
    }
    log.info("%d pages, %d photos", len(found["register pages"]), len(found["sudokus"]))
    out.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
