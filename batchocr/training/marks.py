"""Pictures of what is no digit, to teach a network to say so: letters, words, signs, and all that else is on paper.

What nobody can tell from a digit is left out or rare: an upright bar is a 1 and a ring is a 0, whoever drew them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from batchocr.records import Pixels
from batchocr.training import shapes
from batchocr.training.draw import Ink, draw, tight
from batchocr.training.fonts import Fonts, glyph, pen_line, text, thin, together
from batchocr.training.spoilt import struck, without_digits

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ACCENTS = "äöüßÄÖÜéèêëàâîïôùûçñáíóúÉÈÀÂÇÑœæ"
SYMBOLS = "?!&@%#$€£§+=*()[]{}<>~^\"';:,.…«»¿¡-\u2013\u2014_†™®"
HARDLY, SELDOM, ACCENT = 0.05, 0.35, 0.2
"""How often what looks like a digit is taken, against any other letter: always, in many hands; and an accented one."""
CAUTION = {**dict.fromkeys("OoIlÖöÓóÔô", HARDLY), **dict.fromkeys("SsZzBgqbGDQyYTAß&§?<>()[]{}", SELDOM)}
"""Those that look like a digit."""

_Kind = Callable[[Fonts, float, np.random.Generator], Ink]


@dataclass(frozen=True)
class Marks:
    """What makes marks from the fonts at hand; a process makes it once."""

    fonts: Fonts

    @classmethod
    def load(cls, folders: Sequence[Path], without: Sequence[str] = ()) -> Marks:
        """With the fonts below `folders` and those of matplotlib; see `Fonts.load`."""
        return cls(Fonts.load(folders, without))

    def mark(self, height: float, rng: np.random.Generator) -> Ink:
        """Something that is no digit beside writing `height` pixels high, its kind by the shares of `KINDS`."""
        return self.of_kind(any_kind(rng), height, rng)

    def of_kind(self, kind: str, height: float, rng: np.random.Generator) -> Ink:
        """A mark of one of `KINDS`."""
        make = KINDS[kind][1]
        while True:
            made = make(self.fonts, height, rng)
            kept = without_digits(made, rings=kind != "letter")
            # what remains must be most of it: no dot of an i that has lost its stem
            if kept.size and kept.sum() > 0.4 * made.sum() and max(kept.shape) > 0.1 * height:
                return kept

    def printed_digit(self, height: float, rng: np.random.Generator) -> tuple[Ink, int]:
        """A digit of some font, `height` pixels high or a little less, and which it is."""
        digit = int(rng.integers(10))
        while True:
            ink = _printed(glyph(self.fonts.any(rng), str(digit))[0], height, rng)
            if ink.size:
                return ink, digit


def any_kind(rng: np.random.Generator) -> str:
    """One of `KINDS` by their shares."""
    names = list(KINDS)
    shares = np.array([share for share, _ in KINDS.values()])
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]


def _fitted(picture: Pixels, height: float) -> Pixels:
    """The picture `height` pixels high."""
    if not picture.size:
        return picture
    scale = height / picture.shape[0]
    size = max(1, round(picture.shape[1] * scale)), max(1, round(height))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _drawn(picture: Pixels, rng: np.random.Generator) -> Ink:
    """A shape drawn anew in its own size."""
    ink = draw(picture, max(picture.shape[0], picture.shape[1] / 3), rng)
    if ink.sum() * 255 < 0.6 * picture.sum() and picture.size:  # a fine pen has been lost to a finer one
        ink = draw(cv2.dilate(picture, np.ones((3, 3), np.uint8)), max(picture.shape[0], picture.shape[1] / 3), rng)
    return ink


def _printed(picture: Pixels, height: float, rng: np.random.Generator) -> Ink:
    """Print as a scanner has it, `height` pixels high: a little turned, slanted, stretched, heavier or lighter."""
    if not picture.size:
        return np.empty((0, 0), np.float32)
    picture = _fitted(picture, height * rng.uniform(0.85, 1.1))
    tall, wide = picture.shape
    angle, shear = np.deg2rad(rng.normal(0, 1.5)), rng.normal(0, 0.04)
    across = np.exp(rng.normal(0, 0.06))
    turn = np.array([[across * np.cos(angle), shear - np.sin(angle)], [across * np.sin(angle), np.cos(angle)]])
    pad = 4 + int(0.15 * max(tall, wide))
    size = int(wide * across) + 2 * pad, tall + 2 * pad
    move = np.array(size) / 2 - turn @ (wide / 2, tall / 2) + rng.uniform(-0.5, 0.5, 2)
    ink = cv2.warpAffine(picture.astype(np.float32) / 255, np.c_[turn, move], size, flags=cv2.INTER_LINEAR)
    return tight(np.minimum(cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 0.7)) / rng.uniform(0.35, 0.8), 1))


def _hand(picture: Pixels, line: Pixels, height: float, rng: np.random.Generator) -> Ink:
    """A glyph as a hand would write it: its strokes, or a pen along the `line` in their middle, drawn anew."""
    if rng.random() < 0.35:
        return _drawn(_fitted(picture, height), rng)
    tall = max(line.shape[0], 1)
    pen = max(1, round(shapes.pen_width(tall, rng)))
    margin = pen + 1
    drawn = cv2.copyMakeBorder(line, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    drawn = cv2.dilate(drawn, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pen, pen)))
    return _drawn(_fitted(drawn, height * drawn.shape[0] / tall), rng)


def _character(letters: str, rng: np.random.Generator) -> str:
    shares = np.array([CAUTION.get(letter, ACCENT if letter in ACCENTS else 1.0) for letter in letters])
    return letters[int(rng.choice(len(letters), p=shares / shares.sum()))]


def _letter(fonts: Fonts, height: float, rng: np.random.Generator) -> Ink:
    font, letter = fonts.any(rng), _character(ALPHABET + ACCENTS, rng)
    # some as low as small letters are beside figures, others as high, as in a field of capitals
    high = height * rng.uniform(0.65, 1.15)
    picture, line = glyph(font, letter)[0], pen_line(font, letter)[0]
    return _printed(picture, high, rng) if rng.random() < 0.35 or not picture.size else _hand(picture, line, high, rng)


def _word(fonts: Fonts, height: float, rng: np.random.Generator) -> Ink:
    """A piece of a word of 2 to 8 letters: as set, or so close that they touch."""
    font = fonts.any(rng)
    capitals = rng.random() < 0.3
    letters = ALPHABET[26:] if capitals else ALPHABET[:26]
    word = "".join(_character(letters, rng) for _ in range(int(2 + min(6, rng.geometric(0.35) - 1))))
    word = word.capitalize() if not capitals and rng.random() < 0.3 else word
    by_hand, touch, overlap = rng.random() < 0.6, rng.random() < 0.7, int(rng.integers(1, 6))
    picture = together([glyph(font, c) for c in word], overlap) if touch else text(font, word)
    if not picture.size or not by_hand:
        return _printed(picture, height * rng.uniform(0.6, 1.1), rng)
    line = together([pen_line(font, c) for c in word], overlap) if touch else thin(picture)
    return _hand(picture, line, height * rng.uniform(0.7, 1.2), rng)


def _symbol(fonts: Fonts, height: float, rng: np.random.Generator) -> Ink:
    font, symbol = fonts.any(rng), _character(SYMBOLS, rng)
    picture, line = glyph(font, symbol)[0], pen_line(font, symbol)[0]
    if not picture.size:
        return np.empty((0, 0), np.float32)
    # in proportion to the font's figures: a comma stays low
    high = max(2.0, height * min(1.3, picture.shape[0] / glyph(font, "8")[0].shape[0]))
    return _printed(picture, high, rng) if rng.random() < 0.5 else _hand(picture, line, high, rng)


def _struck(fonts: Fonts, height: float, rng: np.random.Generator) -> Ink:
    font, figure = fonts.any(rng), str(rng.integers(10))
    line = cv2.copyMakeBorder(pen_line(font, figure)[0], 4, 4, 4, 4, cv2.BORDER_CONSTANT)
    return struck(cv2.dilate(line, np.ones((3, 3), np.uint8), iterations=int(rng.integers(1, 3))), height, rng)


def _stamp(fonts: Fonts, height: float, rng: np.random.Generator) -> Ink:
    """A ring or a box with letters in it, or bold print, each worn."""
    font = fonts.any(rng)
    kind = rng.integers(3)
    count = int(rng.integers(2 if kind == 1 else 1, 4))
    inside = text(font, "".join(_character(ALPHABET[26:], rng) for _ in range(count)))
    tall = inside.shape[0]
    pad, thick = int(tall * rng.uniform(0.25, 0.6)), max(2, int(tall * rng.uniform(0.06, 0.16)))
    picture = cv2.copyMakeBorder(inside, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    if kind == 0:
        picture = cv2.copyMakeBorder(picture, thick, thick, thick, thick, cv2.BORDER_CONSTANT, value=255)
        if rng.random() < 0.5:  # the letters as high as the box
            picture = np.delete(picture, np.s_[thick : thick + pad], axis=0)
    elif kind == 1:
        # over the first letter and the last one: a ring by itself would be a 0
        size = (round(inside.shape[1] * rng.uniform(0.38, 0.48)), round(tall * rng.uniform(0.6, 0.75)))
        picture = cv2.copyMakeBorder(picture, tall, tall, tall, tall, cv2.BORDER_CONSTANT)
        middle = picture.shape[1] // 2, picture.shape[0] // 2
        cv2.ellipse(picture, middle, size, 0, 0, 360, 255, thick, cv2.LINE_AA)
    else:
        picture = cv2.dilate(picture, np.ones((thick, thick), np.uint8))
    worn = cv2.resize(rng.random((9, 9)).astype(np.float32), picture.shape[::-1], interpolation=cv2.INTER_CUBIC)
    picture = np.where(worn > rng.uniform(-0.1, 0.3), picture, np.uint8(0))
    left, top, width, tall = cv2.boundingRect(picture)
    picture = picture[top : top + tall, left : left + width]
    return _drawn(_fitted(picture, height * rng.uniform(0.9, 1.4)), rng)


def _shape(make: Callable[[float, np.random.Generator], Pixels], by_hand: bool = True) -> _Kind:
    """A kind that needs no fonts, about as high as the writing."""

    def made(fonts: Fonts, height: float, rng: np.random.Generator) -> Ink:
        picture = make(height * rng.uniform(0.7, 1.2), rng)
        return _drawn(picture, rng) if by_hand else _printed(picture, picture.shape[0], rng)

    return made


KINDS: dict[str, tuple[float, _Kind]] = {
    "letter": (0.4, _letter),
    "word": (0.16, _word),
    "symbol": (0.09, _symbol),
    "tick": (0.03, _shape(shapes.tick)),
    "cross": (0.04, _shape(shapes.cross)),
    "dash": (0.03, _shape(shapes.dash)),
    "dots": (0.02, _shape(shapes.dots)),
    "bracket": (0.015, _shape(shapes.bracket)),
    "slash": (0.015, _shape(shapes.slash)),
    "arrow": (0.02, _shape(shapes.arrow)),
    "circled": (0.02, _shape(shapes.circled)),
    "scribble": (0.03, _shape(shapes.scribble)),
    "struck": (0.03, _struck),
    "curl": (0.03, _shape(shapes.curl)),
    "blot": (0.02, _shape(shapes.blot)),
    "stamp": (0.02, _stamp),
    "rules": (0.04, _shape(shapes.rules, by_hand=False)),
    "logo": (0.015, _shape(shapes.logo, by_hand=False)),
    "checker": (0.015, _shape(shapes.checker, by_hand=False)),
}
"""How often each kind is drawn, as shares of their sum, and what makes it."""
