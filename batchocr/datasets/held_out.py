"""Which writers and which whole pages of the public collections are kept out of training.

Trainings that read `lectaurep/pages`, `lectaurep/train` or `sudoku-scanner/pages` leave these pages out, and the
benchmarks measure on these alone. The rules use sorted file names only, so they hold for any copy of the data.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from pathlib import PurePath

REGISTER_PAGES = 6
"""Number of register pages that are held out, the last by name. No opening is split between training and measuring."""
SHEETS_STEP = 6
"""Every sixth photographed sheet is held out: sheets of all three booklets, filled and nearly empty ones."""

KEPT_OUT = 10
"""One writer out of this many is kept out of training, to measure on."""


def kept_out(writer: str) -> bool:
    """Return whether a writer is kept out of training."""
    return zlib.crc32(writer.encode()) % KEPT_OUT == 0


def register_pages(names: Iterable[str]) -> list[str]:
    """Return the held-out pages of `lectaurep/pages`."""
    return sorted(names)[-REGISTER_PAGES:]


def strip_is_held_out(page: str, held_out: Iterable[str]) -> bool:
    """Return whether a strip of `lectaurep/train` was cut from a held-out page.

    Args:
        page: The strip's entry in truth.json.
        held_out: Names of the held-out pages.
    """
    return any(PurePath(name).stem.endswith(page) for name in held_out)


def sudoku_photos(names: Iterable[str]) -> list[str]:
    """Return the held-out photos of `sudoku-scanner/pages`: both photos of a sheet, `01_08_*`, or none."""
    photos = sorted(names)
    sheets = sorted({name[:5] for name in photos})
    chosen = set(sheets[SHEETS_STEP - 1 :: SHEETS_STEP])
    return [name for name in photos if name[:5] in chosen]


HELD_OUT_PAGES: dict[str, Callable[[Iterable[str]], list[str]]] = {
    "lectaurep/pages": register_pages,
    "sudoku-scanner/pages": sudoku_photos,
}
"""The rule of each collection: from all its file names to those held out."""
