"""Which writers and which whole pages of the public sets are kept out of training, said in one place.

Training that reads `lectaurep/pages`, `lectaurep/train` or `sudoku-scanner/pages` leaves these out; the benches measure
on these and no others. The rules work on sorted file names alone, so that they hold for any copy of the data.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from pathlib import PurePath

REGISTER_PAGES = 6
"""Of the register pages, the last by name: no opening is split between training and measuring."""
SHEETS_STEP = 6
"""Of the photographed sheets, every sixth: of all three booklets, filled ones and nearly empty ones."""

KEPT_OUT = 10
"""Of so many writers one is kept out of training, to measure on."""


def kept_out(writer: str) -> bool:
    """Whether a writer is kept out of training."""
    return zlib.crc32(writer.encode()) % KEPT_OUT == 0


def register_pages(names: Iterable[str]) -> list[str]:
    """Of the pages of `lectaurep/pages`, those held out."""
    return sorted(names)[-REGISTER_PAGES:]


def strip_is_held_out(page: str, held_out: Iterable[str]) -> bool:
    """Whether a strip of `lectaurep/train` was cut from a page held out; `page` is the strip's entry in truth.json."""
    return any(PurePath(name).stem.endswith(page) for name in held_out)


def sudoku_photos(names: Iterable[str]) -> list[str]:
    """Of the photos of `sudoku-scanner/pages`, those held out: both of a sheet, `01_08_*`, or none."""
    photos = sorted(names)
    sheets = sorted({name[:5] for name in photos})
    chosen = set(sheets[SHEETS_STEP - 1 :: SHEETS_STEP])
    return [name for name in photos if name[:5] in chosen]


HELD_OUT_PAGES: dict[str, Callable[[Iterable[str]], list[str]]] = {
    "lectaurep/pages": register_pages,
    "sudoku-scanner/pages": sudoku_photos,
}
"""The rule of each set, from all its file names."""
