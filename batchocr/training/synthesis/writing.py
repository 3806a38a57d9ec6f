"""Draw handwriting on a canvas: numbers, words, letters, tallies, and strokes through them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.training.detection.cells import UNKNOWN
from batchocr.training.synthesis.handwriting import Handwriting
from batchocr.training.synthesis.number_writing import NumberWriting
from batchocr.training.synthesis.pen import Strokes, render


@dataclass(frozen=True)
class LetterParameters:
    """Which letters and words are written.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    word_share: float = 0.5
    """Share of whole words; the data has four times as many single letters as words."""
    sentence_word_share: float = 0.8
    """The same share in sentences."""
    digit_like_share: float = 0.04
    """Share of letters like O and I, which look like a digit, among single letters."""


PARAMETERS = LetterParameters()


class Writing(NumberWriting):
    """Draws all kinds of handwriting of the sources on a canvas."""

    def text(self, x: float, base: float, height: float, handwriting: Handwriting) -> float:
        """Draw a word whose size fits digits of that height; return its right end."""
        rng = self.rng
        pool = self.sources.words if rng.random() < PARAMETERS.sentence_word_share else self.sources.letters
        shape, word = pool[int(rng.integers(len(pool)))]
        above = any(c.isupper() or c in "bdfhklt" for c in word)
        below = any(c in "gjpqyQ" for c in word)
        drop = float(rng.uniform(0.3, 0.5)) if below else 0.0
        word_height = float(rng.uniform(0.9, 1.3) if above else rng.uniform(0.4, 0.75)) + drop
        extent = float(np.ptp(np.concatenate(list(shape))[:, 1]))  # below 1 for long words
        return self._word(shape, x, base + drop * height, word_height * height / max(0.15, extent), height, handwriting)

    def word(self, x: float, base: float, height: float, handwriting: Handwriting, unknown: bool = False) -> float:
        """Draw a letter, a word or another sign, which is not a digit; return its right end."""
        rng = self.rng
        pool = self.sources.words if rng.random() < PARAMETERS.word_share else self.sources.letters
        shape, text = pool[int(rng.integers(len(pool)))]
        word_height = height * float(rng.uniform(0.8, 1.5) if len(text) > 1 else rng.uniform(0.6, 1.15))
        base += float(rng.uniform(-0.05, 0.25)) * height
        return self._word(shape, x, base, word_height, height, handwriting, unknown)

    def _word(
        self,
        shape: Strokes,
        x: float,
        base: float,
        word_height: float,
        height: float,
        handwriting: Handwriting,
        unknown: bool = False,
    ) -> float:
        pen = replace(handwriting.pen, stretch=1.0)
        drawn = render(shape, word_height, pen, max(0.8, pen.width_ratio * height))
        if drawn is None:
            return x + height
        mask, left, top = drawn
        place = self._lay(mask, x + left - min(0, left), base + top, pen)
        box = self.canvas.ink_box(mask, *place)
        if box is None:
            return x + height
        if unknown:
            self.canvas.add_box(0, *box, UNKNOWN, 1.0)
        return box[0] + box[2]

    def line(self, x: float, base: float, height: float, handwriting: Handwriting) -> float:
        """Draw a number or line as its writer wrote it, or the part of it that fits; return its right end."""
        rng, side = self.rng, self.canvas.side
        line = self.sources.lines[int(rng.integers(len(self.sources.lines)))]
        boxes, strokes = line.boxes, list(line.strokes)
        room = (side - x) / height
        first = 0.0
        if float(boxes[:, 1].max()) > room:  # a long line: start at a random digit
            first = max(0.0, float(boxes[int(rng.integers(len(boxes))), 1]) - float(rng.uniform(0, 0.7 * room)))
            strokes = [s for s in strokes if s[:, 0].max() > first - 1 and s[:, 0].min() < first + room + 1]
            if not strokes:
                return x + height
        moved = [s - np.array([first, 0], np.float32) for s in strokes]
        pen = replace(handwriting.pen, slant=0.0, stretch=1.0)
        width = max(0.8, pen.width_ratio * height)
        drawn = render(moved, height, pen, width)
        if drawn is None:
            return x + height
        mask, left, top = drawn
        place = self._lay(mask, x + left, base + top, pen)
        origin = place[0] - left, place[1] - top
        for label, box_x, box_y, box_width, box_height, kind in boxes.tolist():
            self.canvas.add_box(
                int(label),
                origin[0] + (box_x - first) * height,
                origin[1] + box_y * height,
                box_width * height,
                box_height * height,
                int(kind),
                pen.opacity,
            )
        return float(place[0] + mask.shape[1])

    def letter(self, x: float, base: float, height: float, handwriting: Handwriting) -> None:
        """Draw one letter, mostly a capital, as in the cells of a comb; it is not a digit, though O and I look like
        digits.
        """
        rng = self.rng
        if rng.random() < PARAMETERS.digit_like_share:
            before = len(self.canvas.boxes)
            self.digit(int(rng.choice([0, 1])), x, base, height, handwriting)
            del self.canvas.boxes[before:]
            return
        for _ in range(12):
            shape, text = self.sources.letters[int(rng.integers(len(self.sources.letters)))]
            if len(text) == 1 and text.isalpha() and (text.isupper() or rng.random() < 0.25):
                drawn = render(
                    shape, height, replace(handwriting.pen, stretch=1.0), max(0.8, handwriting.pen.width_ratio * height)
                )
                if drawn is not None:
                    mask, left, top = drawn
                    self._lay(mask, x + left, base + top, handwriting.pen)
                return

    def tally(self, x: float, base: float, height: float, handwriting: Handwriting, most: int = 4) -> float:
        """Draw at most `most` groups of five tally strokes, which are not a digit; return their right end."""
        rng = self.rng
        paths: list[NDArray[np.float32]] = []
        step, at = rng.uniform(0.14, 0.28), 0.0
        for _ in range(int(rng.integers(1, most + 1))):
            count = 4 if rng.random() < 0.75 else int(rng.integers(2, 4))
            first = at
            for _ in range(count):
                lean = rng.normal(0, 0.05)
                paths.append(
                    np.array([(at + lean, -rng.uniform(0.85, 1.05)), (at - lean, rng.uniform(-0.1, 0.05))], np.float32)
                )
                at += step * rng.uniform(0.8, 1.2)
            if count == 4:
                ends = [(first - step, -rng.uniform(0.2, 0.5)), (at, -rng.uniform(0.4, 0.8))]
                paths.append(np.array(ends, np.float32))
            at += step * 2
        drawn = render(
            paths,
            height,
            replace(handwriting.pen, stretch=1.0, slant=0.0),
            max(0.8, handwriting.pen.width_ratio * height),
        )
        if drawn is None:
            return x
        mask, left, top = drawn
        self._lay(mask, x + left, base + top, handwriting.pen)
        return x + left + mask.shape[1]

    def cross_out(self, left: float, top: float, width: float, height: float, handwriting: Handwriting) -> None:
        """Cross out a cell or draw a dash in it, so that it has no digit."""
        rng = self.rng
        mask = self.canvas.empty_mask()
        line = max(1, round(handwriting.pen.width_ratio * self.canvas.height))
        lower, upper = rng.uniform(-0.05, 0.2, 4), rng.uniform(0.8, 1.05, 4)
        corners = [
            (left + a * width, top + b * height)
            for a, b in ((lower[0], lower[1]), (upper[0], upper[1]), (lower[2], upper[2]), (upper[3], lower[3]))
        ]
        paths = [corners[:2], corners[2:]]
        roll = rng.random()
        if roll < 0.2:
            paths = paths[:1]
        elif roll < 0.4:
            y = top + height * rng.uniform(0.35, 0.65)
            paths = [[(left + lower[0] * width, y), (left + upper[0] * width, y + rng.normal(0, 0.05) * height)]]
        for path in paths:
            start, stop = [(round(x), round(y)) for x, y in path]
            cv2.line(mask, start, stop, 255, line, cv2.LINE_AA)
        self.canvas.put_ink(mask, 0, 0, handwriting.pen.opacity)

    def strike(self, left: float, top: float, width: float, height: float, handwriting: Handwriting) -> None:
        """Draw strokes through what is there; it becomes unknown."""
        rng = self.rng
        mask = self.canvas.empty_mask()
        line = max(1, round(handwriting.pen.width_ratio * height))
        middle = top + height / 2
        for _ in range(int(rng.integers(1, 4))):
            ends = [(left - rng.uniform(0, 0.4) * height, middle + rng.normal(0, 0.15) * height),
                    (left + width + rng.uniform(0, 0.4) * height, middle + rng.normal(0, 0.2) * height)]  # fmt: skip
            start, stop = [(int(x), int(y)) for x, y in ends]
            cv2.line(mask, start, stop, 255, line, cv2.LINE_AA)
        self.canvas.put_ink(mask, 0, 0, handwriting.pen.opacity)
        self.canvas.mark_unknown(left - 0.1 * height, top - 0.1 * height, width + 0.2 * height, height * 1.2)
