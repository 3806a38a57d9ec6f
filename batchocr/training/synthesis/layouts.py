"""What stands where on a canvas, and how often: every layout fills one."""

from __future__ import annotations

from collections.abc import Callable

from batchocr.training.synthesis.cell_layouts import CellLayouts
from batchocr.training.synthesis.print_layouts import PrintLayouts
from batchocr.training.synthesis.text_layouts import TextLayouts


class Layouts(TextLayouts, CellLayouts, PrintLayouts):
    """All layouts of one canvas."""


SHARES: tuple[tuple[Callable[[Layouts], None], float], ...] = (
    (Layouts.free, 0.11),
    (Layouts.lines, 0.1),
    (Layouts.table, 0.16),
    (Layouts.boxes, 0.13),
    (Layouts.guided, 0.05),
    (Layouts.form, 0.06),
    (Layouts.strip, 0.13),
    (Layouts.dense, 0.09),
    (Layouts.tallies, 0.05),
    (Layouts.squared, 0.05),
    (Layouts.words, 0.05),
    (Layouts.sentences, 0.15),
    (Layouts.printed, 0.07),
    (Layouts.ringed, 0.035),
    (Layouts.answers, 0.06),
    (Layouts.typed, 0.12),
    (Layouts.counted, 0.04),
    (Layouts.sparse, 0.03),
    (Layouts.photo, 0.03),
)
"""How often each layout is drawn."""
