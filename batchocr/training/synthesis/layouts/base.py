"""What all layouts have in common: a canvas, handwriting, and print."""

from __future__ import annotations

from batchocr.training.synthesis.canvas import Canvas
from batchocr.training.synthesis.printing import PrintBank, draw_printed_number, draw_printed_word
from batchocr.training.synthesis.writing import Writing


class Layout:
    """A canvas to be filled."""

    def __init__(self, canvas: Canvas, writing: Writing, bank: PrintBank) -> None:
        self.canvas, self.writing, self.bank, self.rng = canvas, writing, bank, canvas.rng

    @property
    def _h(self) -> float:
        return self.canvas.height

    def _print(self, x: float, base: float, share: float = 0.3) -> float:
        """Draw a printed word, or with the given probability a printed number; return its right end."""
        height = self._h * float(self.rng.uniform(0.4, 1.0))
        if self.canvas.chance(share):
            number = self.bank.numbers[int(self.rng.integers(len(self.bank.numbers)))]
            return draw_printed_number(self.canvas, number, x, base, height, self.canvas.ink)
        return draw_printed_word(self.canvas, self.bank, x, base, height * 1.4, self.canvas.ink)
