"""Layouts of free writing: lines of numbers and words, sentences, strips, rings, printed text."""

from __future__ import annotations

from batchocr.training.synthesis import paper
from batchocr.training.synthesis import surroundings as around
from batchocr.training.synthesis.handwriting import Handwriting
from batchocr.training.synthesis.layouts.base import Layout
from batchocr.training.synthesis.number_texts import number_text
from batchocr.training.synthesis.printing import draw_printed_number, draw_printed_word, draw_word_image


class TextLayouts(Layout):
    """Layouts without cells."""

    def _free_line(self, y: float, handwriting: Handwriting, words: float) -> None:
        rng, h, side = self.rng, self._h, self.canvas.side
        x = rng.uniform(-1, 2) * h
        while x < side:
            roll = rng.random()
            if roll < words:
                x = self.writing.word(x, y, h, handwriting)
            elif roll < words + 0.06:
                x = self._print(x, y)
            else:
                start = x
                x = self.writing.number(number_text(rng), x, y, h * float(rng.uniform(0.85, 1.15)), handwriting)
                if rng.random() < 0.03:
                    self.writing.strike(start, y - h, x - start, h, handwriting)
                after = rng.random()
                if after < 0.08:
                    x = self.writing.word(x + h * float(rng.uniform(0.0, 0.3)), y, h, handwriting)
                elif after < 0.16:
                    x = self.writing.any_mark(x + h * float(rng.uniform(0.05, 0.3)), y, h, handwriting)
            x += h * float(rng.uniform(0.35, 2.5))

    def free(self) -> None:
        """Draw lines of numbers with some words, sometimes on ruled paper."""
        rng, h, side = self.rng, self._h, self.canvas.side
        handwriting = self.writing.new_handwriting()
        words, pitch, y = float(rng.choice([0, 0, 0.15, 0.4])), h * rng.uniform(1.2, 2.4), rng.uniform(0.3, 1.6) * h
        baselines = []
        slope = float(rng.normal(0, 0.02))
        while y < side + h:
            self._free_line(y, handwriting if rng.random() < 0.85 else self.writing.new_handwriting(), words)
            baselines.append(y + h * float(rng.normal(0.05, 0.05)))
            y += pitch
        if rng.random() < 0.35:
            self.canvas.draw_lines(
                [(0, f, side, f + slope * side * 0.2) for f in baselines], **around.rule_style(self.canvas)
            )

    def words(self) -> None:
        """Draw handwritten words and letters, few digits, and sometimes a signature."""
        rng, h, side = self.rng, self._h, self.canvas.side
        handwriting = self.writing.new_handwriting()
        y, pitch = h, h * rng.uniform(1.3, 2.3)
        baselines = []
        while y < side + h:
            x = rng.uniform(-h, h)
            baselines.append(y + 0.05 * h)
            while x < side:
                own = handwriting if rng.random() < 0.8 else self.writing.new_handwriting()
                if rng.random() < 0.2 and self.bank.written:
                    written = self.bank.written[int(rng.integers(len(self.bank.written)))]
                    x = draw_word_image(self.canvas, written, x, y, h * float(rng.uniform(0.9, 1.6)), own.pen.opacity)
                elif rng.random() < 0.9:
                    x = self.writing.word(x, y, h * float(rng.uniform(0.7, 1.3)), own)
                else:
                    x = self.writing.number(number_text(rng, 4), x, y, h, own)
                x += h * float(rng.uniform(0, 0.7))
            y += pitch
        if rng.random() < 0.3:
            around.signature(self.canvas, rng.uniform(0, side / 2), rng.uniform(h, side))
        if rng.random() < 0.5:
            self.canvas.draw_lines([(0, f, side, f) for f in baselines], **around.rule_style(self.canvas))

    def sentences(self) -> None:
        """Draw handwritten text with dates, years and amounts: few digits among many letters."""
        rng, h, side = self.rng, self._h, self.canvas.side
        handwriting, numbers = self.writing.new_handwriting(), float(rng.choice([0.08, 0.2, 0.35]))
        y, pitch, baselines = rng.uniform(0.6, 1.3) * h, h * rng.uniform(1.5, 2.8), []
        while y < side + h:
            x = rng.uniform(-3, 1) * h
            baselines.append(y + float(rng.uniform(0, 0.1)) * h)
            while x < side:
                if rng.random() > numbers:
                    x = self.writing.text(x, y, h, handwriting)
                    if rng.random() < 0.1:
                        x = self.writing.sign(
                            str(rng.choice(list(".,-"))), x + 0.05 * h, y, h, handwriting, known=False
                        )
                    elif rng.random() < 0.05:
                        x = self.writing.any_mark(x + 0.1 * h, y, h, handwriting)
                else:
                    x = self._in_text(x, y, handwriting)
                x += h * float(rng.uniform(0.25, 0.8))
            y += pitch
        if rng.random() < 0.5:
            self.canvas.draw_lines([(0, f, side, f) for f in baselines], **around.rule_style(self.canvas))

    def _in_text(self, x: float, y: float, handwriting: Handwriting) -> float:
        """Draw a number as it occurs in sentences, sometimes in brackets; return its right end."""
        rng, h = self.rng, self._h * float(self.rng.uniform(0.85, 1.1))
        roll = rng.random()
        year = str(rng.integers(1500, 2030))
        if roll < 0.32:
            text = year if rng.random() < 0.75 else f"{year}-{rng.integers(1500, 2030)}"
        elif roll < 0.5:
            text = str(rng.integers(0, 100))
        elif roll < 0.75:  # days, many of them single strokes
            text = str(rng.choice(["1", "11", str(rng.integers(1, 32)), str(rng.integers(10, 20))]))
        else:
            text = number_text(rng, 6)
        brackets = rng.random()
        if brackets < 0.25:
            x = self.writing.mark('(["'[int(rng.integers(3))], x, y, h, handwriting) + 0.1 * h
        x = self.writing.number(text, x, y, h, handwriting)
        if brackets < 0.25:
            x = self.writing.mark(')]"'[int(rng.integers(3))], x + 0.1 * h, y, h, handwriting)
        elif brackets < 0.4:
            x = self.writing.any_mark(x + 0.1 * h, y, h, handwriting)
        if rng.random() < 0.3:
            x = self.writing.sign(str(rng.choice(list(".,"))), x + 0.1 * h, y, h, handwriting, known=False)
        return x

    def lines(self) -> None:
        """Draw numbers and lines as their writers wrote them, and words; free lines if the sources have none."""
        if not self.writing.sources.lines:
            self.free()
            return
        rng, h, side = self.rng, self._h, self.canvas.side
        handwriting, y, numbers = self.writing.new_handwriting(), rng.uniform(0.6, 1.6) * h, rng.uniform(0.3, 0.9)
        pitch, baselines = h * rng.uniform(1.6, 2.8), []
        while y < side + h:
            x = rng.uniform(-1, 1) * h
            baselines.append(y + 0.1 * h)
            while x < side:
                line_height = h * float(rng.uniform(0.85, 1.15))
                write = self.writing.line if rng.random() < numbers else self.writing.word
                x = write(x, y, line_height, handwriting) + h * float(rng.uniform(0.25, 1.6))
            y += pitch
        if rng.random() < 0.4:
            self.canvas.draw_lines([(0, f, side, f) for f in baselines], **around.rule_style(self.canvas))

    def strip(self) -> None:
        """Draw one or two numbers, as cut from a cheque or a register, on all kinds of paper."""
        rng, h, side = self.rng, self._h, self.canvas.side
        handwriting = self.writing.new_handwriting()
        y = h * rng.uniform(1.0, 1.6)
        while y < side + 0.5 * h:
            x = rng.uniform(-1.5, 1.2) * h
            while x < side:
                if rng.random() < 0.2:
                    x = self._print(x, y, 0.0) + 0.2 * h
                start = x
                x = self.writing.number(number_text(rng, 8), x, y, h, handwriting)
                if rng.random() < 0.25:
                    x = self.writing.sign(str(rng.choice(list("-/.,"))), x + 0.1 * h, y, h, handwriting, known=False)
                if rng.random() < 0.3:
                    self.canvas.draw_lines(
                        [(start - h, y + 0.12 * h, x + h, y + 0.12 * h)], **around.rule_style(self.canvas)
                    )
                x += h * float(rng.uniform(0.8, 3))
            y += h * rng.uniform(1.5, 3.5)

    def squared(self) -> None:
        """Draw numbers on squared paper, freely or one digit per square."""
        rng, h, side = self.rng, self._h, self.canvas.side
        cell, x0, _ = paper.squares(self.canvas)
        if rng.random() < 0.6:
            self.free()
            return
        handwriting, y = self.writing.new_handwriting(), rng.uniform(0, 1.5) * h
        step, pitch = cell * max(1, round(h * 0.8 / cell)), cell * max(1, round(h * 1.25 / cell))
        while y < side + h:
            x = x0 + cell * int(rng.integers(0, 4))
            while x < side:
                if rng.random() < 0.75:
                    at = x + float(rng.normal(0.08, 0.06)) * h
                    self.writing.digit(int(rng.integers(10)), at, y + float(rng.normal(0, 0.06)) * h, h, handwriting)
                x += step * (1 if rng.random() < 0.88 else int(rng.integers(2, 4)))
            y += pitch * (1 if rng.random() < 0.6 else 2)

    def printed(self) -> None:
        """Draw printed text with printed numbers, and sometimes a handwritten number."""
        rng, h, side = self.rng, self._h, self.canvas.side
        small = h * float(rng.uniform(0.5, 1.1))
        y, pitch, numbers = small, small * rng.uniform(1.2, 2.2), float(rng.choice([0.05, 0.2, 0.6]))
        handwriting = self.writing.new_handwriting()
        by_hand = rng.random() < 0.35
        while y < side + small:
            x = rng.uniform(-2, 1) * small
            while x < side:
                if by_hand and rng.random() < 0.1:
                    x = self.writing.number(number_text(rng, 5), x, y, h, handwriting)
                elif self.canvas.chance(numbers):
                    number = self.bank.numbers[int(rng.integers(len(self.bank.numbers)))]
                    x = draw_printed_number(self.canvas, number, x, y, small * 0.75, self.canvas.ink)
                else:
                    x = draw_printed_word(self.canvas, self.bank, x, y, small, self.canvas.ink)
                x += small * float(rng.uniform(0.25, 0.6))
            y += pitch

    def ringed(self) -> None:
        """Draw numbers in hand-drawn rings and boxes, and empty rings."""
        rng, h, side = self.rng, self._h, self.canvas.side
        y = h * 1.3
        while y < side + h:
            x, handwriting = rng.uniform(0, 2) * h, self.writing.new_handwriting()
            while x < side:
                count = int(rng.choice([0, 1, 1, 2, 2, 3, 4, 5, 6]))
                text = "".join(map(str, rng.integers(0, 10, count)))
                end = self.writing.number(text, x, y, h, handwriting) if count else x + h * float(rng.uniform(0.5, 1))
                if rng.random() < 0.65:
                    line = handwriting.pen.width_ratio * h * float(rng.uniform(0.7, 1.3))
                    around.ring(self.canvas, x, end, y, line, handwriting.pen.opacity)
                x = end + h * float(rng.uniform(1, 3))
            y += h * rng.uniform(2, 3.2)

    def sparse(self) -> None:
        """Draw almost blank paper: a number, a word, or nothing."""
        rng, h, side = self.rng, self._h, self.canvas.side
        for _ in range(int(rng.integers(0, 3))):
            x, y = rng.uniform(-h, side), rng.uniform(0.5 * h, side)
            if rng.random() < 0.5:
                self.writing.number(number_text(rng, 4), x, y, h, self.writing.new_handwriting())
            else:
                self._print(x, y, 0.3)

    def photo(self) -> None:
        """Draw a photo without paper."""
        paper.no_paper(self.canvas)
        self.canvas.real = True
