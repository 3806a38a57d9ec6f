"""Letters and figures of the fonts at hand, as pictures, and as the line a pen would have taken."""

from __future__ import annotations

import io
import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from batchocr.records import Pixels

EM = 64
"""Pixels of the em at which all is rendered; it is brought to its size afterwards."""
WRITTEN = ("hand", "script", "comic", "cursive", "writ", "humor", "ecolier", "femke", "tomson", "rufs", "lobster")
"""In a family's name: it looks written rather than printed."""
OFTENER = 3.0
"""How much oftener such a family is taken: it is most like the writing on forms."""
MISSING = "\uffff"
"""A character that no font has: how a font shows what it lacks."""
CASES_APART = 40
"""Different pictures among the 52 letters, at least: letters of the segments of a display are those of its figures."""


@dataclass(frozen=True)
class Fonts:
    """Font files by family, and how often a family is taken."""

    families: tuple[tuple[Path, ...], ...]
    """Those of one design lie together, so that a family of twenty weights counts no more than one of two."""
    shares: tuple[float, ...]
    """One for each family, their sum 1."""

    @classmethod
    def load(cls, folders: Sequence[Path], without: Sequence[str] = ()) -> Fonts:
        """The fonts (.ttf, .otf) anywhere below `folders`, and matplotlib's.

        Left out are those with a part of `without` in their path, whatever the case, and those that lack
        Latin letters or figures.
        """
        # matplotlib's Computer Modern has other characters in the places of many signs
        own = sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("[!c]*.ttf"))
        # by file name, so that the folders in which they lie change nothing
        found = [*own, *(p for folder in folders for p in sorted(folder.rglob("*"), key=lambda p: (p.name, str(p))))]
        families: dict[str, list[Path]] = {}
        for path in found:
            unwanted = any(word.lower() in str(path).lower() for word in without)
            if path.suffix.lower() in (".ttf", ".otf") and not unwanted and _can_write(path):
                name = str(_font(path).getname()[0] or path.stem)
                families.setdefault(name.split()[0].split("-")[0].lower() + _manner(name), []).append(path)
        names = sorted(families)
        shares = np.array([OFTENER if _manner(name) else 1.0 for name in names])
        return cls(tuple(tuple(families[name]) for name in names), tuple((shares / shares.sum()).tolist()))

    def any(self, rng: np.random.Generator) -> Path:
        """A font file: the family by its share, then one of its files."""
        family = self.families[int(rng.choice(len(self.families), p=self.shares))]
        return family[int(rng.integers(len(family)))]


def _manner(family: str) -> str:
    return " written" if any(word in family.lower() for word in WRITTEN) else ""


@lru_cache(maxsize=512)
def _font(path: Path) -> ImageFont.FreeTypeFont:
    # from memory: an open file for each font would be more than a process may have
    return ImageFont.truetype(io.BytesIO(path.read_bytes()), EM, layout_engine=ImageFont.Layout.BASIC)


def _can_write(path: Path) -> bool:
    """Whether the font can be read and has the Latin letters and the figures, each with a picture of its own."""
    try:
        missing = _render(path, MISSING)[0].tobytes()
        letters = {_render(path, letter)[0].tobytes() for letter in string.ascii_letters}
        figures = {_render(path, figure)[0].tobytes() for figure in string.digits}
    except (OSError, ValueError):
        return False
    if len(letters) < CASES_APART or len(figures) < len(string.digits) or {missing, b""} & (letters | figures):
        return False
    # else every character comes on printed lines
    return _render(path, ".")[0].shape[0] < 0.6 * _render(path, "M")[0].shape[0]


def _render(path: Path, text: str) -> tuple[Pixels, int]:
    """The text (h, w), ink 255 on 0, cut tight, and by how many pixels its top lies above the base line."""
    canvas = Image.new("L", (EM * (len(text) + 2), 3 * EM))
    ImageDraw.Draw(canvas).text((EM, 2 * EM), text, fill=255, font=_font(path), anchor="ls")
    pixels = np.asarray(canvas, np.uint8)
    left, top, width, height = cv2.boundingRect(pixels)
    return pixels[top : top + height, left : left + width], 2 * EM - top


@lru_cache(maxsize=16384)
def glyph(path: Path, character: str) -> tuple[Pixels, int]:
    """One character as `_render` has it; (0, 0) where the font lacks it."""
    picture, above = _render(path, character)
    if np.array_equal(picture, _render(path, MISSING)[0]):
        return np.empty((0, 0), np.uint8), 0
    return picture, above


@lru_cache(maxsize=8192)
def pen_line(path: Path, character: str) -> tuple[Pixels, int]:
    """The line in the middle of its strokes, one pixel broad, as `glyph` otherwise."""
    picture, above = glyph(path, character)
    return thin(picture), above


def text(path: Path, characters: str) -> Pixels:
    """A word (h, w) as the font sets it, ink 255 on 0, cut tight."""
    return _render(path, characters)[0]


def together(glyphs: Sequence[tuple[Pixels, int]], overlap: int) -> Pixels:
    """Characters (see `glyph`) on one base line (h, w): each lies over the next by `overlap` pixels at their nearest.

    With a negative overlap they stand apart. (0, 0) without glyphs.
    """
    glyphs = [(picture, above) for picture, above in glyphs if picture.size]
    if not glyphs:
        return np.empty((0, 0), np.uint8)
    top = max(above for _, above in glyphs)
    high = top + max(picture.shape[0] - above for picture, above in glyphs)
    room = abs(overlap) + 1
    word: Pixels = np.zeros((high, sum(picture.shape[1] + room for picture, _ in glyphs)), np.uint8)
    end = 0
    for picture, above in glyphs:
        rows = slice(top - above, top - above + picture.shape[0])
        meet = int((_ends(word[rows]) - _starts(picture)).max()) + 1
        left = max(0, (meet if meet > 0 else end) - (overlap if end else 0))
        cell = word[rows, left : left + picture.shape[1]]
        np.maximum(cell, picture, out=cell)
        end = max(end, left + picture.shape[1])
    return word[:, :end]


def _starts(picture: Pixels) -> NDArray[np.intp]:
    """(h,) the first column with ink of each row, and one beyond all where there is none."""
    ink = picture > 127
    return np.where(ink.any(axis=1), ink.argmax(axis=1), 10_000)


def _ends(picture: Pixels) -> NDArray[np.intp]:
    """(h,) the last column with ink of each row, and one before all where there is none."""
    return picture.shape[1] - 1 - _starts(picture[:, ::-1])


def _thinning() -> tuple[Pixels, Pixels]:
    """For each of 256 neighbourhoods whether its pixel goes (0) or stays (1), in the odd and in the even rounds."""
    tables = np.ones((2, 256), np.uint8)
    for code in range(256):
        n, _, e, _, s, _, w, _ = ring = [code >> i & 1 for i in range(8)]
        rises = sum(a < b for a, b in zip(ring, ring[1:] + ring[:1], strict=True))
        if 2 <= sum(ring) <= 6 and rises == 1:
            tables[0, code] = bool(n and e and s) or bool(e and s and w)
            tables[1, code] = bool(n and e and w) or bool(n and s and w)
    return tables[0], tables[1]


_TABLES = _thinning()
_NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)
"""The weights of the eight neighbours, clockwise from the north, which make the code of a neighbourhood."""


def thin(picture: Pixels) -> Pixels:
    """Strokes (h, w), ink 255 on 0, thinned to lines of one pixel that hang together as before.

    Zhang, Suen, A fast parallel algorithm for thinning digital patterns, 1984.
    """
    if not picture.size:
        return picture
    ink = cv2.copyMakeBorder((picture > 127).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    left = -1
    while left != (left := cv2.countNonZero(ink)):
        for table in _TABLES:
            ink &= cv2.LUT(cv2.filter2D(ink, cv2.CV_8U, _NEIGHBOURS), table)
    return ink[1:-1, 1:-1] * np.uint8(255)
