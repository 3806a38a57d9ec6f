"""Layouts that are printed in one font: tables, lists, calendars, answer sheets; handwriting is rare there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from batchocr.training.detection.cells import UNKNOWN
from batchocr.training.synthesis import surroundings as around
from batchocr.training.synthesis.layouts.base import Layout
from batchocr.training.synthesis.number_texts import number_text as written_text
from batchocr.training.synthesis.printing import draw_printed_number, number_text, set_number


class PrintLayouts(Layout):
    """Printed layouts."""

    def _font(self) -> Path:
        return self.bank.fonts[int(self.rng.integers(len(self.bank.fonts)))]

    def _set(self, font: Path, text: str, x: float, base: float, height: float, opacity: float) -> float:
        """Draw a printed text with digits; return its right end."""
        number = set_number(font, text, self.rng)
        return x if number is None else draw_printed_number(self.canvas, number, x, base, height, opacity)

    def typed(self) -> None:
        """Draw a table, with or without rules, with printed numbers in one font; sometimes one column is
        handwritten.
        """
        rng, h, side = self.rng, self._h, self.canvas.side
        font, ink, size = self._font(), self.canvas.ink * float(rng.uniform(0.6, 1)), h * float(rng.uniform(0.6, 1.0))
        pitch = size * float(rng.uniform(1.25, 3.2))
        ys = np.arange(rng.uniform(-1, 0.3) * pitch, side + pitch, pitch).tolist()
        xs = [float(rng.uniform(-1, 0.2)) * h]
        while xs[-1] < side:
            xs.append(xs[-1] + size * float(rng.uniform(1.1, 7)))
        handwritten_column = int(rng.integers(len(xs))) if rng.random() < 0.3 else -1
        words = {int(rng.integers(len(xs)))} if rng.random() < 0.5 else set()
        handwriting, fill, baseline_shift = (
            self.writing.new_handwriting(),
            rng.uniform(0.6, 1),
            float(rng.uniform(0.0, 0.3)),
        )
        listed = rng.random() < 0.2  # the first column numbers the rows
        for row, top in enumerate(ys):
            base = top + pitch * (0.5 + baseline_shift / 2) + size * 0.5
            for column, (left, right) in enumerate(pairwise(xs)):
                max_digits = max(1, int((right - left) / (0.62 * size)))
                x = left + size * float(rng.uniform(0.1, 0.3))
                if rng.random() > fill:
                    continue
                if column == handwritten_column:
                    self.writing.number(written_text(rng, max_digits), x, base, h, handwriting, right - 0.1 * h)
                elif column in words:
                    self._print(x, base, 0.0)
                elif listed and column == 0:
                    self._set(font, f"{row + 1}{rng.choice(['', '.', ')'])}", x, base, size, ink)
                else:
                    text = number_text(rng)
                    digits = "".join(c for c in text if c.isdigit())[:max_digits]
                    self._set(font, text if len(text) <= max_digits else digits, x, base, size, ink)
        style = around.rule_style(self.canvas, 3)
        if rng.random() < 0.75:
            self.canvas.draw_lines([(0, y, side, y) for y in ys], **style)
        if rng.random() < 0.6:
            self.canvas.draw_lines([(x, 0, x, side) for x in xs], **style)

    def counted(self) -> None:
        """Draw cells numbered in order, as in calendars, table headings, scales and rulers; some have handwriting."""
        rng, h, side = self.rng, self._h, self.canvas.side
        font, ink, size = self._font(), self.canvas.ink * float(rng.uniform(0.5, 1)), h * float(rng.uniform(0.4, 0.9))
        cell_width, cell_height = size * float(rng.uniform(1.6, 4)), size * float(rng.uniform(1.4, 5))
        handwriting, used, number = (
            self.writing.new_handwriting(),
            float(rng.choice([0, 0, 0.1, 0.4])),
            int(rng.integers(0, 32)),
        )
        step = int(rng.choice([1, 1, 1, 5, 10]))
        style, corner = around.rule_style(self.canvas, 3), rng.random() < 0.5
        y = float(rng.uniform(-0.5, 0.5)) * cell_height
        while y < side:
            if rng.random() < 0.3:  # a row without numbers
                number, y = int(rng.integers(0, 32)), y + cell_height
                continue
            x = float(rng.uniform(-0.5, 0.5)) * cell_width
            boxes = []
            while x < side:
                at = (
                    (x + 0.1 * size, y + 1.15 * size)
                    if corner
                    else (x + cell_width * 0.5 - 0.4 * size, y + cell_height * 0.5 + size * 0.5)
                )
                self._set(font, str(number), *at, size, ink)
                if cell_height > 2.4 * size and rng.random() < used:
                    self.writing.number(
                        str(rng.integers(0, 100)),
                        x + 0.3 * cell_width,
                        y + cell_height - 0.1 * size,
                        size * 1.1,
                        handwriting,
                    )
                boxes += around.box_sides(x, y, cell_width, cell_height)
                number, x = number + step, x + cell_width
            if rng.random() < 0.8:
                self.canvas.draw_lines(boxes, **style)
            y += cell_height

    def answers(self) -> None:
        """Draw an answer sheet: bubbles with and without printed digits or letters, some filled or crossed."""
        rng, h, side = self.rng, self._h, self.canvas.side
        font, size = self._font(), h * float(rng.uniform(0.4, 0.8))
        radius, square = size * float(rng.uniform(0.75, 1.1)), rng.random() < 0.3
        step, pitch = radius * float(rng.uniform(2.1, 4)), radius * float(rng.uniform(2.2, 4))
        inside, filled = rng.random() < 0.75, float(rng.uniform(0.05, 0.35))
        names = str(rng.choice(["12345", "0123456789", "1234", "ABCDE", "1234567890"]))
        ink, row, y = (
            self.canvas.ink * float(rng.uniform(0.5, 1)),
            int(rng.integers(1, 90)),
            float(rng.uniform(0, pitch)),
        )
        across = rng.random() < 0.25 and names[0].isdigit()  # columns of ten bubbles, a digit per row
        while y < side + h:
            x = float(rng.uniform(-1, 1)) * h
            if not across:
                x = self._set(font, f"{row}{rng.choice(['', '.', ':'])}", x, y + 0.5 * size, size, ink) + 1.5 * radius
            for at in self._places(x, step, side, 40 if across else len(names)):
                marked, before = rng.random() < filled, len(self.canvas.boxes)
                name = names[(row if across else at) % len(names)]
                middle = x + at * step
                if inside and name.isdigit():
                    self._set(font, name, middle - 0.35 * size, y + 0.5 * size, size, ink)
                elif inside:
                    self._print(middle - 0.3 * size, y + 0.4 * size, 0.0)
                if marked:
                    for box in self.canvas.boxes[before:]:
                        box[5] = UNKNOWN
                around.bubble(self.canvas, middle, y, radius, marked, square)
            row, y = row + 1, y + pitch

    @staticmethod
    def _places(x: float, step: float, side: int, count: int) -> Iterator[int]:
        return (at for at in range(count) if x + at * step < side)
