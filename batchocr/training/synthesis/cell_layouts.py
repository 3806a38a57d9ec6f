"""Layouts with cells: tables, boxes and combs, forms, tallies."""

from __future__ import annotations

import itertools
from itertools import pairwise

import numpy as np

from batchocr.training.synthesis import surroundings as around
from batchocr.training.synthesis.canvas import DOTTED, SOLID, Segment
from batchocr.training.synthesis.layout import Layout
from batchocr.training.synthesis.number_texts import number_text
from batchocr.training.synthesis.printing import lay_number


class CellLayouts(Layout):
    """Layouts with cells."""

    def _printed_digit(self, x: float, base: float, height: float) -> None:
        """A printed number of one digit, as dark as other print or as the pen."""
        singles = self.bank.single_digits
        if singles:
            number = singles[int(self.rng.integers(len(singles)))]
            lay_number(self.canvas, number, x, base, height, self.canvas.ink * float(self.rng.uniform(0.7, 1)))

    def table(self) -> None:
        """A table whose cells hold numbers, which may fill, touch and cross its rules."""
        rng, h, side = self.rng, self._h, self.canvas.side
        pitch = h * rng.uniform(1.0, 2.3)
        ys = list(np.arange(rng.uniform(-1, 0.3) * pitch, side + pitch, pitch))
        xs = [rng.uniform(-1, 0.2) * h]
        while xs[-1] < side:
            xs.append(xs[-1] + h * rng.uniform(1.0, 6.5))
        style = around.rule_style(self.canvas, 4)
        fill, hand = rng.uniform(0.3, 1), self.writing.hand()
        rowwise = rng.random() < 0.2
        low = rng.uniform(0.0, 0.18)
        printed = int(rng.integers(len(xs))) if rng.random() < 0.3 else -1  # a column of printed numbers
        for top in ys:
            own = self.writing.hand() if rowwise else hand
            for column, (left, right) in enumerate(pairwise(xs)):
                if rng.random() > fill:
                    continue
                base = top + pitch * 0.5 + h * 0.5 + float(rng.normal(0, low)) * h
                x = left + h * float(rng.uniform(-0.1, 0.5))
                how = rng.random()
                if how < 0.08 or column == printed:
                    self._print(x, base, 0.9 if column == printed else 0.5)
                elif how < 0.14:
                    self.writing.word(x, base, h, own)
                elif how < 0.155:
                    self.writing.tally(x, base, h, own)
                elif how < 0.17:
                    self.writing.cross_out(left, top, right - left, pitch, own)
                elif how < 0.19:
                    self.writing.sign("-", x + 0.5 * h, base, h, own, known=False)  # a dash alone
                else:
                    longest = max(1, int((right - left) / (0.6 * h)))
                    self.writing.number(number_text(rng, longest), x, base, h, own, right - 0.1 * h)
        self.canvas.lines([(0, y, side, y) for y in ys], **style)
        if rng.random() < 0.85:
            self.canvas.lines(
                [(x, 0, x, side) for x in xs], **(style if rng.random() < 0.7 else around.rule_style(self.canvas))
            )

    def dense(self) -> None:
        """A grid of cells of equal size with a digit or two in each."""
        rng, h, side = self.rng, self._h, self.canvas.side
        across = h * float(rng.uniform(0.85, 2.2))
        pitch = h * float(rng.uniform(0.95, 1.7))
        hand, fill, low = self.writing.hand(), rng.uniform(0.55, 1), rng.uniform(0.02, 0.16)
        printed = float(rng.uniform(0.1, 0.6)) if rng.random() < 0.25 else 0.0
        xs = list(np.arange(rng.uniform(-0.9, 0.2) * across, side + across, across))
        ys = list(np.arange(rng.uniform(-0.8, 0.2) * pitch, side + pitch, pitch))
        for top in ys:
            for left in xs:
                if rng.random() > fill:
                    continue
                base = top + pitch * 0.5 + h * 0.5 + float(rng.normal(0, low)) * h
                own = hand if rng.random() < 0.85 else self.writing.hand()
                if across < 1.3 * h:
                    x = left + across * 0.5 - h * 0.27 + float(rng.normal(0, low)) * h
                    if rng.random() < printed:
                        self._printed_digit(x, base, h * float(rng.uniform(0.7, 0.95)))
                        continue
                    self.writing.digit(int(rng.integers(10)), x, base, h * float(rng.uniform(0.8, 1.12)), own)
                else:
                    count = max(1, int(across / (0.6 * h)))
                    text = "".join(map(str, rng.integers(0, 10, int(rng.integers(1, count + 1)))))
                    self.writing.number(text, left + float(rng.uniform(0, 0.25)) * h, base, h, own, left + across)
        style = around.rule_style(self.canvas, 5)
        self.canvas.lines([(0, y, side, y) for y in ys], **style)
        if rng.random() < 0.85:
            self.canvas.lines([(x, 0, x, side) for x in xs], **style)

    def boxes(self) -> None:
        """Printed labels and boxes or combs, a digit a cell; some empty, some overfull."""
        rng, h, side = self.rng, self._h, self.canvas.side
        y = rng.uniform(-0.3, 1) * h
        style = around.rule_style(self.canvas, 4)
        while y < side + h:
            x = rng.uniform(-2, 1.5) * h
            cell, tall = h * float(rng.uniform(0.8, 1.7)), h * float(rng.uniform(1.02, 1.8))
            gap = h * float(rng.choice([0, 0, 0, rng.uniform(0.1, 0.6)]))
            hand = self.writing.hand()
            comb = rng.random() < 0.35
            while x < side:
                if rng.random() < 0.4:
                    x = self._print(x, y + tall * 0.75, 0.15) + h * float(rng.uniform(0.1, 0.8))
                count = int(rng.integers(1, 11))
                segments = []
                filled, letters, printed = rng.random() < 0.85, rng.random() < 0.35, rng.random() < 0.12
                crossed = float(rng.choice([0, 0, 0, 0.3, 0.9], p=[0.4, 0.3, 0.1, 0.12, 0.08]))
                for i in range(count):
                    left = x + i * (cell + gap)
                    top = y + tall * (0.6 if comb else 0)
                    segments += [(left, y + tall, left + cell, y + tall), (left, top, left, y + tall),
                                 (left + cell, top, left + cell, y + tall)]  # fmt: skip
                    if not comb:
                        segments.append((left, y, left + cell, y))
                    foot = y + tall * 0.5 + h * 0.5 + float(rng.normal(0, 0.07)) * h
                    at = left + cell * 0.5 - 0.3 * h + float(rng.normal(0, 0.06)) * h
                    if rng.random() < crossed:
                        self.writing.cross_out(left, y, cell, tall, hand)
                    elif filled and printed:
                        self._printed_digit(at, foot, h * float(rng.uniform(0.75, 0.95)))
                    elif filled and letters:
                        self.writing.letter(at, foot, h * float(rng.uniform(0.7, 1.0)), hand)
                    elif filled and rng.random() < 0.9:
                        self.writing.digit(int(rng.integers(10)), at, foot, h * float(rng.uniform(0.82, 1.15)), hand)
                self.canvas.lines(segments, **style)
                x += count * (cell + gap) + h * float(rng.uniform(0.4, 3))
            y += tall + h * float(rng.uniform(0.1, 1.6))

    def guided(self) -> None:
        """Boxes with a figure of eight printed in each, along which a digit is written; empty and crossed-out ones."""
        rng, h, side = self.rng, self._h, self.canvas.side
        cell, tall = h * float(rng.uniform(1.1, 1.9)), h * float(rng.uniform(1.05, 1.7))
        gap, pitch = h * float(rng.choice([0, rng.uniform(0.1, 0.6)])), tall * float(rng.uniform(1.05, 2.2))
        style = around.rule_style(self.canvas, 4) | {"opacity": self.canvas.ink * float(rng.uniform(0.12, 0.9))}
        guide_style = style | ({"opacity": style["opacity"] * float(rng.uniform(0.5, 1))} if rng.random() < 0.5 else {})
        inset = float(rng.uniform(0.15, 0.36)), float(rng.uniform(0.08, 0.3))
        hand, label = self.writing.hand(), rng.random() < 0.4
        filled, crossed = float(rng.uniform(0.3, 1)), float(rng.choice([0, 0, 0.1, 0.5]))
        y = float(rng.uniform(-0.5, 1)) * h
        while y < side:
            x = float(rng.uniform(-1, 1)) * h
            if label:
                x = self._print(x, y + tall * 0.7, 0.15) + h * float(rng.uniform(0.2, 3))
            while x < side:
                count = int(rng.integers(2, 9))
                boxes: list[Segment] = []
                guides: list[Segment] = []
                for left in (x + i * (cell + gap) for i in range(count)):
                    boxes += around.box_sides(left, y, cell, tall)
                    guides += around.guide_marks(left, y, cell, tall, inset)
                    how = float(rng.random())
                    foot = y + tall * (1 - inset[1]) + float(rng.normal(0, 0.07)) * h
                    size = tall * (1 - 2 * inset[1]) * float(rng.uniform(0.85, 1.2))
                    if how < crossed:
                        self.writing.cross_out(left, y, cell, tall, hand)
                    elif rng.random() > filled:
                        continue
                    elif rng.random() < 0.3:  # a 1 stands on a side of its guide, or between them
                        at = left + cell * float(rng.uniform(inset[0] - 0.08, 0.92 - inset[0]))
                        self.writing.digit(1, at, foot, size, hand)
                    else:
                        at = left + cell * float(inset[0] + rng.normal(0, 0.06))
                        self.writing.digit(int(rng.integers(10)), at, foot, size, hand)
                self.canvas.lines(boxes, **style)
                self.canvas.lines(guides, **guide_style)
                x += count * (cell + gap) + h * float(rng.uniform(0.4, 4))
            y += pitch

    def tallies(self) -> None:
        """Rows of cells with strokes counted in fives, and now and then the sum in boxes at their end."""
        rng, h, side = self.rng, self._h, self.canvas.side
        hand, pitch, cell = self.writing.hand(), h * rng.uniform(1.0, 1.7), h * rng.uniform(0.9, 2.0)
        ruled, style, fill = rng.random() < 0.7, around.rule_style(self.canvas, 3), rng.uniform(0.4, 1.0)
        y = rng.uniform(-0.5, 0.5) * pitch
        while y < side:
            x, count = rng.uniform(-1, 1) * h, int(rng.integers(2, 12))
            foot = y + pitch * 0.5 + h * 0.45
            for i in range(count):
                left = x + i * cell
                if rng.random() < fill:
                    self.writing.tally(left + 0.15 * h, foot, h * float(rng.uniform(0.7, 0.95)), hand, 1)
                if ruled:
                    self.canvas.lines([(left, y, left, y + pitch), (left, y, left + cell, y)], **style)
            if rng.random() < 0.4:
                self.writing.number(str(rng.integers(0, 1000)), x + (count + 0.3) * cell, foot, h, hand)
            y += pitch if rng.random() < 0.7 else pitch * rng.uniform(1.2, 3)

    def form(self) -> None:
        """Printed labels with leaders or lines, and a number on each."""
        rng, h, side = self.rng, self._h, self.canvas.side
        y = rng.uniform(0.5, 1.6) * h
        hand = self.writing.hand()
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
                    top, foot = y - h * float(rng.uniform(1.05, 1.5)), y + h * float(rng.uniform(0.1, 0.5))
                    ends = [(x, top), (x + width, top), (x + width, foot), (x, foot), (x, top)]
                    sides = [(*a, *b) for a, b in itertools.pairwise(ends)]
                    self.canvas.lines(sides, **around.rule_style(self.canvas, 4))
                else:
                    self.canvas.lines([(x, y + 0.1 * h, x + width, y + 0.1 * h)], **style)
                if rng.random() < 0.75:
                    self.writing.number(
                        number_text(rng), x + 0.2 * h, y + float(rng.normal(0, 0.08)) * h, h, hand, x + width
                    )
                x = self._print(x + width + 0.2 * h, y, 0.2) + h * float(rng.uniform(0.2, 2))
            y += h * rng.uniform(1.4, 2.6)
