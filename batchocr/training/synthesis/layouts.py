"""What stands where: free writing, tables, boxes and combs, forms, strips, text. Each fills a canvas."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from batchocr.training.synthesis import around, paper
from batchocr.training.synthesis.canvas import DOTTED, SOLID, Canvas
from batchocr.training.synthesis.printing import PrintBank, lay_number, lay_picture, lay_word
from batchocr.training.synthesis.writing import Hand, Writing, number_text


class Layouts:
    """The layouts of one canvas."""

    def __init__(self, canvas: Canvas, writing: Writing, bank: PrintBank) -> None:
        self.canvas, self.writing, self.bank, self.rng = canvas, writing, bank, canvas.rng

    @property
    def _h(self) -> float:
        return self.canvas.height

    def _print(self, x: float, base: float, share: float = 0.3) -> float:
        """A printed word, or with that chance a printed number; returns its right end."""
        height = self._h * float(self.rng.uniform(0.4, 1.0))
        if self.canvas.chance(share):
            number = self.bank.numbers[int(self.rng.integers(len(self.bank.numbers)))]
            return lay_number(self.canvas, number, x, base, height, self.canvas.ink)
        return lay_word(self.canvas, self.bank, x, base, height * 1.4, self.canvas.ink)

    def _free_line(self, y: float, hand: Hand, words: float) -> None:
        rng, h, side = self.rng, self._h, self.canvas.side
        x = rng.uniform(-1, 2) * h
        while x < side:
            how = rng.random()
            if how < words:
                x = self.writing.word(x, y, h, hand)
            elif how < words + 0.06:
                x = self._print(x, y)
            else:
                start = x
                x = self.writing.number(number_text(rng), x, y, h * float(rng.uniform(0.85, 1.15)), hand)
                if rng.random() < 0.03:
                    self.writing.strike(start, y - h, x - start, h, hand)
                if rng.random() < 0.1:
                    x = self.writing.word(x + h * float(rng.uniform(0.0, 0.3)), y, h, hand)
            x += h * float(rng.uniform(0.35, 2.5))

    def free(self) -> None:
        """Lines of numbers, with some words; on ruled paper now and then."""
        rng, h, side = self.rng, self._h, self.canvas.side
        hand = self.writing.hand()
        words, pitch, y = float(rng.choice([0, 0, 0.15, 0.4])), h * rng.uniform(1.2, 2.4), rng.uniform(0.3, 1.6) * h
        feet = []
        slope = float(rng.normal(0, 0.02))
        while y < side + h:
            self._free_line(y, hand if rng.random() < 0.85 else self.writing.hand(), words)
            feet.append(y + h * float(rng.normal(0.05, 0.05)))
            y += pitch
        if rng.random() < 0.35:
            self.canvas.lines([(0, f, side, f + slope * side * 0.2) for f in feet], **around.rule_style(self.canvas))

    def words(self) -> None:
        """Words and letters by hand, few digits, now and then a signature."""
        rng, h, side = self.rng, self._h, self.canvas.side
        hand = self.writing.hand()
        y, pitch = h, h * rng.uniform(1.3, 2.3)
        feet = []
        while y < side + h:
            x = rng.uniform(-h, h)
            feet.append(y + 0.05 * h)
            while x < side:
                own = hand if rng.random() < 0.8 else self.writing.hand()
                if rng.random() < 0.2 and self.bank.written:
                    written = self.bank.written[int(rng.integers(len(self.bank.written)))]
                    x = lay_picture(self.canvas, written, x, y, h * float(rng.uniform(0.9, 1.6)), own.pen.opacity)
                elif rng.random() < 0.9:
                    x = self.writing.word(x, y, h * float(rng.uniform(0.7, 1.3)), own)
                else:
                    x = self.writing.number(number_text(rng, 4), x, y, h, own)
                x += h * float(rng.uniform(0, 0.7))
            y += pitch
        if rng.random() < 0.3:
            around.signature(self.canvas, rng.uniform(0, side / 2), rng.uniform(h, side))
        if rng.random() < 0.5:
            self.canvas.lines([(0, f, side, f) for f in feet], **around.rule_style(self.canvas))

    def lines(self) -> None:
        """Numbers and lines of text with numbers as they were written, and words; freely where there are none."""
        if not self.writing.sources.lines:
            self.free()
            return
        rng, h, side = self.rng, self._h, self.canvas.side
        hand, y, numbers = self.writing.hand(), rng.uniform(0.6, 1.6) * h, rng.uniform(0.3, 0.9)
        pitch, feet = h * rng.uniform(1.6, 2.8), []
        while y < side + h:
            x = rng.uniform(-1, 1) * h
            feet.append(y + 0.1 * h)
            while x < side:
                tall = h * float(rng.uniform(0.85, 1.15))
                write = self.writing.line if rng.random() < numbers else self.writing.word
                x = write(x, y, tall, hand) + h * float(rng.uniform(0.25, 1.6))
            y += pitch
        if rng.random() < 0.4:
            self.canvas.lines([(0, f, side, f) for f in feet], **around.rule_style(self.canvas))

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
        for top in ys:
            own = self.writing.hand() if rowwise else hand
            for left, right in pairwise(xs):
                if rng.random() > fill:
                    continue
                base = top + pitch * 0.5 + h * 0.5 + float(rng.normal(0, low)) * h
                x = left + h * float(rng.uniform(-0.1, 0.5))
                how = rng.random()
                if how < 0.08:
                    self._print(x, base, 0.5)
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
                filled, letters, guides = rng.random() < 0.85, rng.random() < 0.12, rng.random() < 0.1
                crossed = float(rng.choice([0, 0, 0, 0.3, 0.9], p=[0.4, 0.3, 0.1, 0.12, 0.08]))
                for i in range(count):
                    left = x + i * (cell + gap)
                    top = y + tall * (0.6 if comb else 0)
                    segments += [(left, y + tall, left + cell, y + tall), (left, top, left, y + tall),
                                 (left + cell, top, left + cell, y + tall)]  # fmt: skip
                    if not comb:
                        segments.append((left, y, left + cell, y))
                    if guides:
                        segments += around.guide_marks(left, y, cell, tall)
                    foot = y + tall * 0.5 + h * 0.5 + float(rng.normal(0, 0.07)) * h
                    at = left + cell * 0.5 - 0.3 * h + float(rng.normal(0, 0.06)) * h
                    if rng.random() < crossed:
                        self.writing.cross_out(left, y, cell, tall, hand)
                    elif filled and letters:
                        self.writing.letter(at, foot, h * float(rng.uniform(0.7, 1.0)), hand)
                    elif filled and rng.random() < 0.9:
                        self.writing.digit(int(rng.integers(10)), at, foot, h * float(rng.uniform(0.82, 1.15)), hand)
                self.canvas.lines(segments, **style)
                x += count * (cell + gap) + h * float(rng.uniform(0.4, 3))
            y += tall + h * float(rng.uniform(0.1, 1.6))

    def form(self) -> None:
        """Printed labels with leaders or lines, and a number on each."""
        rng, h, side = self.rng, self._h, self.canvas.side
        y = rng.uniform(0.5, 1.6) * h
        hand = self.writing.hand()
        while y < side + h:
            x = self._print(rng.uniform(-3, 1) * h, y, 0.2) + h * 0.2
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

    def strip(self) -> None:
        """One or two numbers, as cut from a cheque or a register, on all kinds of paper."""
        rng, h, side = self.rng, self._h, self.canvas.side
        hand = self.writing.hand()
        y = h * rng.uniform(1.0, 1.6)
        while y < side + 0.5 * h:
            x = rng.uniform(-1.5, 1.2) * h
            while x < side:
                if rng.random() < 0.2:
                    x = self._print(x, y, 0.0) + 0.2 * h
                start = x
                x = self.writing.number(number_text(rng, 8), x, y, h, hand)
                if rng.random() < 0.25:
                    x = self.writing.sign(str(rng.choice(list("-/.,"))), x + 0.1 * h, y, h, hand, known=False)
                if rng.random() < 0.3:
                    self.canvas.lines(
                        [(start - h, y + 0.12 * h, x + h, y + 0.12 * h)], **around.rule_style(self.canvas)
                    )
                x += h * float(rng.uniform(0.8, 3))
            y += h * rng.uniform(1.5, 3.5)

    def squared(self) -> None:
        """Numbers on squared paper, freely or a digit a square."""
        rng, h, side = self.rng, self._h, self.canvas.side
        cell, x0, _ = paper.squares(self.canvas)
        if rng.random() < 0.6:
            self.free()
            return
        hand, y = self.writing.hand(), rng.uniform(0, 1.5) * h
        step, pitch = cell * max(1, round(h * 0.8 / cell)), cell * max(1, round(h * 1.25 / cell))
        while y < side + h:
            x = x0 + cell * int(rng.integers(0, 4))
            while x < side:
                if rng.random() < 0.75:
                    at = x + float(rng.normal(0.08, 0.06)) * h
                    self.writing.digit(int(rng.integers(10)), at, y + float(rng.normal(0, 0.06)) * h, h, hand)
                x += step * (1 if rng.random() < 0.88 else int(rng.integers(2, 4)))
            y += pitch * (1 if rng.random() < 0.6 else 2)

    def printed(self) -> None:
        """A page of printed text with printed numbers, and a number by hand now and then."""
        rng, h, side = self.rng, self._h, self.canvas.side
        small = h * float(rng.uniform(0.5, 1.1))
        y, pitch, numbers = small, small * rng.uniform(1.2, 2.2), float(rng.choice([0.05, 0.2, 0.6]))
        hand = self.writing.hand()
        by_hand = rng.random() < 0.35
        while y < side + small:
            x = rng.uniform(-2, 1) * small
            while x < side:
                if by_hand and rng.random() < 0.1:
                    x = self.writing.number(number_text(rng, 5), x, y, h, hand)
                elif self.canvas.chance(numbers):
                    number = self.bank.numbers[int(rng.integers(len(self.bank.numbers)))]
                    x = lay_number(self.canvas, number, x, y, small * 0.75, self.canvas.ink)
                else:
                    x = lay_word(self.canvas, self.bank, x, y, small, self.canvas.ink)
                x += small * float(rng.uniform(0.25, 0.6))
            y += pitch

    def ringed(self) -> None:
        """Numbers in rings and boxes drawn by hand; rings around nothing."""
        rng, h, side = self.rng, self._h, self.canvas.side
        y = h * 1.3
        while y < side + h:
            x, hand = rng.uniform(0, 2) * h, self.writing.hand()
            while x < side:
                count = int(rng.choice([0, 1, 1, 2, 2, 3]))
                text = "".join(map(str, rng.integers(0, 10, count)))
                end = self.writing.number(text, x, y, h, hand) if count else x + h * float(rng.uniform(0.5, 1))
                if rng.random() < 0.65:
                    line = hand.pen.width_ratio * h * float(rng.uniform(0.7, 1.3))
                    around.ring(self.canvas, x, end, y, line, hand.pen.opacity)
                x = end + h * float(rng.uniform(1, 3))
            y += h * rng.uniform(2, 3.2)

    def answers(self) -> None:
        """An answer sheet: bubbles with and without printed figures, some filled or crossed."""
        rng, h, side = self.rng, self._h, self.canvas.side
        step, pitch = h * rng.uniform(1.1, 2), h * rng.uniform(1.1, 2.2)
        radius, square = h * rng.uniform(0.35, 0.6), rng.random() < 0.35
        inside, filled = rng.random() < 0.6, rng.uniform(0.05, 0.35)
        y = rng.uniform(0, pitch)
        while y < side + h:
            x = self._print(rng.uniform(-1, 1) * h, y + 0.3 * h, 0.8) + 0.6 * h
            count = int(rng.integers(3, 11))
            for _ in range(count):
                if x > side:
                    break
                marked = rng.random() < filled
                if inside:
                    number = self.bank.numbers[int(rng.integers(len(self.bank.numbers)))]
                    before = len(self.canvas.boxes)
                    if len(number.boxes) == 1 and number.picture.shape[1] < 1.2 * number.picture.shape[0]:
                        lay_number(self.canvas, number, x - 0.25 * h, y + 0.28 * h, 0.55 * h, self.canvas.ink)
                    if marked:
                        for box in self.canvas.boxes[before:]:
                            box[5] = 3
                around.bubble(self.canvas, x, y, radius, marked, square)
                x += step
            y += pitch

    def sparse(self) -> None:
        """Nearly bare paper: a number, a word, or nothing at all."""
        rng, h, side = self.rng, self._h, self.canvas.side
        for _ in range(int(rng.integers(0, 3))):
            x, y = rng.uniform(-h, side), rng.uniform(0.5 * h, side)
            if rng.random() < 0.5:
                self.writing.number(number_text(rng, 4), x, y, h, self.writing.hand())
            else:
                self._print(x, y, 0.3)

    def photo(self) -> None:
        """No paper at all."""
        paper.no_paper(self.canvas)
        self.canvas.real = True


SHARES: tuple[tuple[Callable[[Layouts], None], float], ...] = (
    (Layouts.free, 0.15),
    (Layouts.lines, 0.08),
    (Layouts.table, 0.16),
    (Layouts.boxes, 0.12),
    (Layouts.form, 0.06),
    (Layouts.strip, 0.15),
    (Layouts.dense, 0.1),
    (Layouts.squared, 0.05),
    (Layouts.words, 0.06),
    (Layouts.printed, 0.05),
    (Layouts.ringed, 0.02),
    (Layouts.answers, 0.02),
    (Layouts.sparse, 0.03),
    (Layouts.photo, 0.01),
)
"""How often each layout is drawn."""
