"""Layouts with cells: tables, boxes and combs, forms, tallies."""

from __future__ import annotations

import itertools
from itertools import pairwise

import numpy as np

from batchocr.training.synthesis import surroundings as around
from batchocr.training.synthesis.canvas import DOTTED, SOLID, Segment
from batchocr.training.synthesis.layouts.base import Layout
from batchocr.training.synthesis.number_texts import number_text
from batchocr.training.synthesis.printing import draw_printed_number


class CellLayouts(Layout):
    """Layouts with cells."""

    def _printed_digit(self, x: float, base: float, height: float) -> None:
        """Draw a printed number of one digit, as dark as other print or as the pen."""
        singles = self.bank.single_digits
        if singles:
            number = singles[int(self.rng.integers(len(singles)))]
            draw_printed_number(self.canvas, number, x, base, height, self.canvas.ink * float(self.rng.uniform(0.7, 1)))

    def table(self) -> None:
        """Draw a table with numbers in its cells, which may fill, touch and cross its rules."""
        rng, h, side = self.rng, self._h, self.canvas.side
        pitch = h * rng.uniform(1.0, 2.3)
        ys = list(np.arange(rng.uniform(-1, 0.3) * pitch, side + pitch, pitch))
        xs = [rng.uniform(-1, 0.2) * h]
        while xs[-1] < side:
            xs.append(xs[-1] + h * rng.uniform(1.0, 6.5))
        style = around.rule_style(self.canvas, 4)
        fill, handwriting = rng.uniform(0.3, 1), self.writing.new_handwriting()
        rowwise = rng.random() < 0.2
        baseline_deviation = rng.uniform(0.0, 0.18)
        printed = int(rng.integers(len(xs))) if rng.random() < 0.3 else -1  # a column of printed numbers
        for top in ys:
            own = self.writing.new_handwriting() if rowwise else handwriting
            for column, (left, right) in enumerate(pairwise(xs)):
                if rng.random() > fill:
                    continue
                base = top + pitch * 0.5 + h * 0.5 + float(rng.normal(0, baseline_deviation)) * h
                x = left + h * float(rng.uniform(-0.1, 0.5))
                roll = rng.random()
                if roll < 0.08 or column == printed:
                    self._print(x, base, 0.9 if column == printed else 0.5)
                elif roll < 0.14:
                    self.writing.word(x, base, h, own)
                elif roll < 0.155:
                    self.writing.tally(x, base, h, own)
                elif roll < 0.17:
                    self.writing.cross_out(left, top, right - left, pitch, own)
                elif roll < 0.19:
                    self.writing.sign("-", x + 0.5 * h, base, h, own, known=False)  # a dash alone
                else:
                    max_digits = max(1, int((right - left) / (0.6 * h)))
                    self.writing.number(number_text(rng, max_digits), x, base, h, own, right - 0.1 * h)
        self.canvas.draw_lines([(0, y, side, y) for y in ys], **style)
        if rng.random() < 0.85:
            self.canvas.draw_lines(
                [(x, 0, x, side) for x in xs], **(style if rng.random() < 0.7 else around.rule_style(self.canvas))
            )

    def dense(self) -> None:
        """Draw a grid of cells of equal size with one or two digits in each."""
        rng, h, side = self.rng, self._h, self.canvas.side
        cell_width = h * float(rng.uniform(0.85, 2.2))
        pitch = h * float(rng.uniform(0.95, 1.7))
        handwriting, fill, baseline_deviation = (
            self.writing.new_handwriting(),
            rng.uniform(0.55, 1),
            rng.uniform(0.02, 0.16),
        )
        printed = float(rng.uniform(0.1, 0.6)) if rng.random() < 0.25 else 0.0
        xs = list(np.arange(rng.uniform(-0.9, 0.2) * cell_width, side + cell_width, cell_width))
        ys = list(np.arange(rng.uniform(-0.8, 0.2) * pitch, side + pitch, pitch))
        for top in ys:
            for left in xs:
                if rng.random() > fill:
                    continue
                base = top + pitch * 0.5 + h * 0.5 + float(rng.normal(0, baseline_deviation)) * h
                own = handwriting if rng.random() < 0.85 else self.writing.new_handwriting()
                if cell_width < 1.3 * h:
                    x = left + cell_width * 0.5 - h * 0.27 + float(rng.normal(0, baseline_deviation)) * h
                    if rng.random() < printed:
                        self._printed_digit(x, base, h * float(rng.uniform(0.7, 0.95)))
                        continue
                    self.writing.digit(int(rng.integers(10)), x, base, h * float(rng.uniform(0.8, 1.12)), own)
                else:
                    count = max(1, int(cell_width / (0.6 * h)))
                    text = "".join(map(str, rng.integers(0, 10, int(rng.integers(1, count + 1)))))
                    self.writing.number(text, left + float(rng.uniform(0, 0.25)) * h, base, h, own, left + cell_width)
        style = around.rule_style(self.canvas, 5)
        self.canvas.draw_lines([(0, y, side, y) for y in ys], **style)
        if rng.random() < 0.85:
            self.canvas.draw_lines([(x, 0, x, side) for x in xs], **style)

    def boxes(self) -> None:
        """Draw printed labels with boxes or combs, a digit per cell; some cells are empty, some too full."""
        rng, h, side = self.rng, self._h, self.canvas.side
        y = rng.uniform(-0.3, 1) * h
        style = around.rule_style(self.canvas, 4)
        while y < side + h:
            x = rng.uniform(-2, 1.5) * h
            cell_width, cell_height = h * float(rng.uniform(0.8, 1.7)), h * float(rng.uniform(1.02, 1.8))
            gap = h * float(rng.choice([0, 0, 0, rng.uniform(0.1, 0.6)]))
            handwriting = self.writing.new_handwriting()
            comb = rng.random() < 0.35
            while x < side:
                if rng.random() < 0.4:
                    x = self._print(x, y + cell_height * 0.75, 0.15) + h * float(rng.uniform(0.1, 0.8))
                count = int(rng.integers(1, 11))
                segments = []
                filled, letters, printed = rng.random() < 0.85, rng.random() < 0.35, rng.random() < 0.12
                crossed = float(rng.choice([0, 0, 0, 0.3, 0.9], p=[0.4, 0.3, 0.1, 0.12, 0.08]))
                for i in range(count):
                    left = x + i * (cell_width + gap)
                    top = y + cell_height * (0.6 if comb else 0)
                    segments += [
                        (left, y + cell_height, left + cell_width, y + cell_height),
                        (left, top, left, y + cell_height),
                        (left + cell_width, top, left + cell_width, y + cell_height),
                    ]
                    if not comb:
                        segments.append((left, y, left + cell_width, y))
                    baseline = y + cell_height * 0.5 + h * 0.5 + float(rng.normal(0, 0.07)) * h
                    at = left + cell_width * 0.5 - 0.3 * h + float(rng.normal(0, 0.06)) * h
                    if rng.random() < crossed:
                        self.writing.cross_out(left, y, cell_width, cell_height, handwriting)
                    elif filled and printed:
                        self._printed_digit(at, baseline, h * float(rng.uniform(0.75, 0.95)))
                    elif filled and letters:
                        self.writing.letter(at, baseline, h * float(rng.uniform(0.7, 1.0)), handwriting)
                    elif filled and rng.random() < 0.9:
                        self.writing.digit(
                            int(rng.integers(10)), at, baseline, h * float(rng.uniform(0.82, 1.15)), handwriting
                        )
                self.canvas.draw_lines(segments, **style)
                x += count * (cell_width + gap) + h * float(rng.uniform(0.4, 3))
            y += cell_height + h * float(rng.uniform(0.1, 1.6))

    def guided(self) -> None:
        """Draw boxes with a printed figure of eight as a guide for each digit; some are empty or crossed out."""
        rng, h, side = self.rng, self._h, self.canvas.side
        cell_width, cell_height = h * float(rng.uniform(1.1, 1.9)), h * float(rng.uniform(1.05, 1.7))
        gap, pitch = h * float(rng.choice([0, rng.uniform(0.1, 0.6)])), cell_height * float(rng.uniform(1.05, 2.2))
        style = around.rule_style(self.canvas, 4) | {"opacity": self.canvas.ink * float(rng.uniform(0.12, 0.9))}
        guide_style = style | ({"opacity": style["opacity"] * float(rng.uniform(0.5, 1))} if rng.random() < 0.5 else {})
        inset = float(rng.uniform(0.15, 0.36)), float(rng.uniform(0.08, 0.3))
        handwriting, label = self.writing.new_handwriting(), rng.random() < 0.4
        filled, crossed = float(rng.uniform(0.3, 1)), float(rng.choice([0, 0, 0.1, 0.5]))
        y = float(rng.uniform(-0.5, 1)) * h
        while y < side:
            x = float(rng.uniform(-1, 1)) * h
            if label:
                x = self._print(x, y + cell_height * 0.7, 0.15) + h * float(rng.uniform(0.2, 3))
            while x < side:
                count = int(rng.integers(2, 9))
                boxes: list[Segment] = []
                guides: list[Segment] = []
                for left in (x + i * (cell_width + gap) for i in range(count)):
                    boxes += around.box_sides(left, y, cell_width, cell_height)
                    guides += around.guide_marks(left, y, cell_width, cell_height, inset)
                    roll = float(rng.random())
                    baseline = y + cell_height * (1 - inset[1]) + float(rng.normal(0, 0.07)) * h
                    size = cell_height * (1 - 2 * inset[1]) * float(rng.uniform(0.85, 1.2))
                    if roll < crossed:
                        self.writing.cross_out(left, y, cell_width, cell_height, handwriting)
                    elif rng.random() > filled:
                        continue
                    elif rng.random() < 0.3:  # a 1 is on one side of its guide, or between both
                        at = left + cell_width * float(rng.uniform(inset[0] - 0.08, 0.92 - inset[0]))
                        self.writing.digit(1, at, baseline, size, handwriting)
                    else:
                        at = left + cell_width * float(inset[0] + rng.normal(0, 0.06))
                        self.writing.digit(int(rng.integers(10)), at, baseline, size, handwriting)
                self.canvas.draw_lines(boxes, **style)
                self.canvas.draw_lines(guides, **guide_style)
                x += count * (cell_width + gap) + h * float(rng.uniform(0.4, 4))
            y += pitch

    def tallies(self) -> None:
        """Draw rows of cells with tally strokes, and sometimes their sum at the end."""
        rng, h, side = self.rng, self._h, self.canvas.side
        handwriting, pitch, cell_width = (
            self.writing.new_handwriting(),
            h * rng.uniform(1.0, 1.7),
            h * rng.uniform(0.9, 2.0),
        )
        ruled, style, fill = rng.random() < 0.7, around.rule_style(self.canvas, 3), rng.uniform(0.4, 1.0)
        y = rng.uniform(-0.5, 0.5) * pitch
        while y < side:
            x, count = rng.uniform(-1, 1) * h, int(rng.integers(2, 12))
            baseline = y + pitch * 0.5 + h * 0.45
            for i in range(count):
                left = x + i * cell_width
                if rng.random() < fill:
                    self.writing.tally(left + 0.15 * h, baseline, h * float(rng.uniform(0.7, 0.95)), handwriting, 1)
                if ruled:
                    self.canvas.draw_lines([(left, y, left, y + pitch), (left, y, left + cell_width, y)], **style)
            if rng.random() < 0.4:
                self.writing.number(
                    str(rng.integers(0, 1000)), x + (count + 0.3) * cell_width, baseline, h, handwriting
                )
            y += pitch if rng.random() < 0.7 else pitch * rng.uniform(1.2, 3)

    def form(self) -> None:
        """Draw printed labels with dots or lines after them, and a number on each."""
        rng, h, side = self.rng, self._h, self.canvas.side
        y = rng.uniform(0.5, 1.6) * h
        handwriting = self.writing.new_handwriting()
        while y < side + h:
            x = rng.uniform(-3, 1) * h
            if rng.random() < 0.3:  # the printed number of a question
                x = self._print(max(0.2, rng.uniform(0, 1)) * h, y, 1.0) + 0.3 * h
            x = self._print(x, y, 0.2) + h * 0.2
            while x < side:
                width = h * float(rng.uniform(2, 8))
                style = around.rule_style(self.canvas, 2) | (
                    {"style": DOTTED} if rng.random() < 0.5 else {"style": SOLID}
                )
                if rng.random() < 0.35:  # a box for the whole number
                    top, bottom = y - h * float(rng.uniform(1.05, 1.5)), y + h * float(rng.uniform(0.1, 0.5))
                    ends = [(x, top), (x + width, top), (x + width, bottom), (x, bottom), (x, top)]
                    sides = [(*a, *b) for a, b in itertools.pairwise(ends)]
                    self.canvas.draw_lines(sides, **around.rule_style(self.canvas, 4))
                else:
                    self.canvas.draw_lines([(x, y + 0.1 * h, x + width, y + 0.1 * h)], **style)
                if rng.random() < 0.75:
                    self.writing.number(
                        number_text(rng), x + 0.2 * h, y + float(rng.normal(0, 0.08)) * h, h, handwriting, x + width
                    )
                x = self._print(x + width + 0.2 * h, y, 0.2) + h * float(rng.uniform(0.2, 2))
            y += h * rng.uniform(1.4, 2.6)
