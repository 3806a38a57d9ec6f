"""All layouts, and how often each is drawn."""

from __future__ import annotations

from collections.abc import Callable

from batchocr.training.synthesis.layouts.cells import CellLayouts
from batchocr.training.synthesis.layouts.free_text import TextLayouts
from batchocr.training.synthesis.layouts.printed import PrintLayouts


class PageLayouts(TextLayouts, CellLayouts, PrintLayouts):
    """All layouts of one canvas."""


LAYOUT_SHARES: tuple[tuple[Callable[[PageLayouts], None], float], ...] = (
    (PageLayouts.free, 0.11),
    (PageLayouts.lines, 0.1),
    (PageLayouts.table, 0.16),
    (PageLayouts.boxes, 0.13),
    (PageLayouts.guided, 0.05),
    (PageLayouts.form, 0.06),
    (PageLayouts.strip, 0.13),
    (PageLayouts.dense, 0.09),
    (PageLayouts.tallies, 0.05),
    (PageLayouts.squared, 0.05),
    (PageLayouts.words, 0.05),
    (PageLayouts.sentences, 0.15),
    (PageLayouts.printed, 0.07),
    (PageLayouts.ringed, 0.035),
    (PageLayouts.answers, 0.06),
    (PageLayouts.typed, 0.12),
    (PageLayouts.counted, 0.04),
    (PageLayouts.sparse, 0.03),
    (PageLayouts.photo, 0.03),
)
"""Relative frequency of each layout. The frequencies were chosen in the training rounds (docs/training-rounds.md)."""
