"""The strip below a drawn page that explains its colours and labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from batchocr.output.drawing.canvas import TEXT, WHITE, Canvas, Colour, Text, draw_texts, text_width
from batchocr.records import Box

Swatch = Callable[[Canvas, Box], None]
"""Draws a sample into a box of an image, in place."""

_SWATCH_RATIO = 1.9  # width of a sample per font size
_LINE_RATIO = 1.6  # height of a line per font size
_RULE: Colour = (200, 200, 200)


@dataclass(frozen=True)
class Entry:
    """One explanation: a sample, and the words beside it."""

    words: str
    swatch: Swatch | None = None
    bold: bool = False
    new_line: bool = False


def with_legend(canvas: Canvas, entries: Sequence[Entry]) -> Canvas:
    """Return the image with the entries in a white strip below it, side by side where there is room."""
    width = canvas.shape[1]
    size = min(20, max(13, width // 80))
    line, margin = round(size * _LINE_RATIO), size
    texts: list[Text] = []
    swatches: list[tuple[Swatch, Box]] = []
    left, top = margin, round(margin * 0.6)
    for entry in entries:
        indent = round(size * (_SWATCH_RATIO + 0.5)) if entry.swatch else 0
        needed = indent + text_width(entry.words, size, bold=entry.bold)
        if left > margin and (entry.new_line or left + needed > width - margin):
            left, top = margin, top + line
        if entry.swatch:
            height = round(size * 1.1)
            swatches.append((entry.swatch, Box(left, top + (line - height) // 2, round(size * _SWATCH_RATIO), height)))
        for words in _wrapped(entry.words, width - 2 * margin, width - margin - left - indent, size, entry.bold):
            if words is None:
                left, indent, top = margin, 0, top + line
                continue
            texts.append(Text(words, left + indent, top + round(line * 0.72), size, TEXT, entry.bold))
            end = left + indent + text_width(words, size, bold=entry.bold)
        left = end + round(1.6 * size)
    strip = np.full((top + line + round(margin * 0.6), width, 3), WHITE, np.uint8)
    strip[:1] = _RULE
    draw_texts(strip, texts)
    for swatch, box in swatches:
        swatch(strip, box)
    return np.concatenate([canvas, strip])


def _wrapped(words: str, full_px: int, first_px: int, size: int, bold: bool) -> list[str | None]:
    """The words in lines, None between two; the first line may be shorter than the others."""
    lines: list[str | None] = []
    line, room = "", first_px
    for word in words.split():
        longer = f"{line} {word}".strip()
        if line and text_width(longer, size, bold=bold) > room:
            lines += [line, None]
            line, room = word, full_px
        else:
            line = longer
    return [*lines, line]
