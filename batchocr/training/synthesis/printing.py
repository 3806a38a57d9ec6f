"""Print: words of many scripts and printed numbers, with a box for each printed digit."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from batchocr.records import Pixels
from batchocr.training.detection.cells import PRINT
from batchocr.training.synthesis.canvas import Canvas

EM_PX = 40
SCRIPTS = {
    "latin": string.ascii_letters + "äöüßéèêçñøåłőžşğ",
    "cyrillic": "".join(map(chr, range(0x410, 0x450))),
    "greek": "".join(map(chr, range(0x391, 0x3CA))).replace("\u03a2", ""),
    "arabic": "".join(map(chr, range(0x627, 0x64B))),
    "thai": "".join(map(chr, range(0xE01, 0xE2F))),
    "chinese": "".join(map(chr, range(0x4E00, 0x4F50))),
}
LABELS = (
    "Name Date Total No. Page Sum Amount Code Signature Address Year Month Day Room Seat Class Result Mark Reading "
    "Station Rain Wind Meter kWh Nr. Datum Betrag Ort Telefon Nom Prix Somme Fecha Importe Cognome Totale Data Kwota "
    "Suma Adres Remarks Candidate Votes Polling Count Index Zip Tel. Account Pay to the order of USD EUR CHF kg cm mm "
    "Hole Par Score Player Team Left Right Q1 Q2 Question Answer Grade Unit Qty Price Tax Balance Form Office use only"
).split()
HANDWRITING_FONTS = (
    "hand",
    "script",
    "comic",
    "cursive",
    "writ",
    "humor",
    "ecolier",
    "femke",
    "tomson",
    "rufs",
    "lobster",
    "kaushan",
    "dancing",
    "breip",
    "isabella",
    "klaudia",
    "essays",
    "dseg",
)
"""Parts of the paths of fonts whose digits are not plain print."""


@dataclass(frozen=True)
class PrintParameters:
    """How print is set.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    bold_share: float = 0.2
    """Share of words and numbers with broader strokes, as of a worn press, a copy or a bold font."""
    script_shares: tuple[float, ...] = (0.72, 0.08, 0.05, 0.05, 0.04, 0.06)
    """Share of words by script, in the order of SCRIPTS: most scans are in Latin script."""
    bank_size: int = 1500
    """Words and numbers that are set beforehand."""
    font_tries: int = 12
    """Fonts that are tried for a word until one has its script."""


PARAMETERS = PrintParameters()


@dataclass(frozen=True)
class PrintedNumber:
    """A number set in a font."""

    image: Pixels
    boxes: tuple[tuple[int, int, int, int, int], ...]
    """Digit, left, top, width and height of each digit."""
    height: int
    """Median height of its digits, in pixels."""


@dataclass(frozen=True)
class PrintBank:
    """Words and numbers set beforehand: setting one takes longer than drawing it."""

    words: tuple[Pixels, ...]
    numbers: tuple[PrintedNumber, ...]
    written: tuple[Pixels, ...]
    """Words in fonts that imitate handwriting."""
    fonts: tuple[Path, ...] = ()
    """Fonts with plain digits."""

    @cached_property
    def single_digits(self) -> tuple[PrintedNumber, ...]:
        """The numbers of one digit and nothing else."""
        return tuple(
            number
            for number in self.numbers
            if len(number.boxes) == 1 and number.boxes[0][3] + 8 > number.image.shape[1]
        )

    @classmethod
    def make(cls, fonts: Sequence[Path], rng: np.random.Generator, count: int = PARAMETERS.bank_size) -> PrintBank:
        plain = [path for path in fonts if not any(word in str(path).lower() for word in HANDWRITING_FONTS)]
        hands = [path for path in fonts if any(word in str(path).lower() for word in HANDWRITING_FONTS[:-1])]
        latin = [path for path in plain if _has(path, "0g8")]
        words = [word for _ in range(count) if (word := _word(plain, rng)) is not None]
        numbers = [n for _ in range(count) if (n := set_number(_any(latin, rng), number_text(rng), rng)) is not None]
        written = [
            w for _ in range(count // 4 if hands else 0) if (w := _set(_any(hands, rng), _words(rng))) is not None
        ]
        return cls(tuple(words), tuple(numbers), tuple(written), tuple(latin))


def _any(fonts: Sequence[Path], rng: np.random.Generator) -> Path:
    return fonts[int(rng.integers(len(fonts)))]


@lru_cache(maxsize=600)
def _font(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), EM_PX, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _has(path: Path, characters: str) -> bool:
    """Return whether a font has glyphs for all these characters."""
    try:
        font = _font(path)
        missing = bytes(font.getmask("\uffff"))
        images = [bytes(font.getmask(c)) for c in characters]
    except (OSError, ValueError):
        return False
    return missing not in images and b"" not in images and len(set(images)) == len(characters)


def _set(path: Path, text: str) -> Pixels | None:
    """Return a text as an image, uint8, 255 is ink, with 2 pixels of paper around it; None if the font fails."""
    try:
        font = _font(path)
        left, top, right, bottom = (int(v) for v in font.getbbox(text))
        if right - left < 3 or bottom - top < 4:
            return None
        canvas = Image.new("L", (right - left + 4, bottom - top + 4))
        ImageDraw.Draw(canvas).text((2 - left, 2 - top), text, 255, font=font)
    except (OSError, ValueError):
        return None
    return np.asarray(canvas, np.uint8)


def _spread(image: Pixels | None, rng: np.random.Generator) -> Pixels | None:
    """Return the image, for a share of the words with broader strokes."""
    if image is None or rng.random() >= PARAMETERS.bold_share:
        return image
    side = int(rng.integers(2, 6))
    return cv2.dilate(image, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))


def _words(rng: np.random.Generator) -> str:
    """Return some words of Latin letters, some of them labels of forms."""
    words = []
    for _ in range(int(rng.integers(1, 5))):
        if rng.random() < 0.4:
            words.append(LABELS[int(rng.integers(len(LABELS)))])
        else:
            letters = "".join(rng.choice(list("etaoinshrdlucmfwypvbgkqjxz"), int(rng.integers(1, 11)), p=_FREQUENT))
            words.append(letters)
    text = " ".join(words) + str(rng.choice(["", "", "", ":", ".", ",", "?", " -", "..."]))
    roll = rng.random()
    return text.upper() if roll < 0.25 else text.title() if roll < 0.45 else text


_FREQUENT = np.array([12.7, 9.1, 8.2, 7.5, 7, 6.7, 6.3, 6.1, 6, 4.3, 4, 2.8, 2.8, 2.4, 2.2, 2.4, 2, 1.9, 1, 1.5, 2, 0.8,
                      0.3, 0.3, 0.3, 0.2])  # fmt: skip
_FREQUENT = _FREQUENT / _FREQUENT.sum()


def _word(fonts: Sequence[Path], rng: np.random.Generator) -> Pixels | None:
    script = str(rng.choice(list(SCRIPTS), p=PARAMETERS.script_shares))
    other = script != "latin"
    text = "".join(rng.choice(list(SCRIPTS[script]), int(rng.integers(1, 12)))) if other else _words(rng)
    for _ in range(PARAMETERS.font_tries):
        path = _any(fonts, rng)
        if _has(path, SCRIPTS[script][:3]):
            return _spread(_set(path, text), rng)
    return None


def number_text(rng: np.random.Generator) -> str:
    """Return a printed number: a year, date, price, page number, line or seat number."""
    digits = "".join(map(str, rng.integers(0, 10, int(rng.choice([1, 1, 2, 2, 3, 4, 6, 8])))))
    roll = rng.random()
    if roll < 0.1:
        return str(rng.integers(1900, 2030))
    if roll < 0.4 and len(digits) > 2:
        at = int(rng.integers(1, len(digits)))
        digits = digits[:at] + str(rng.choice(list(".,/-: "))) + digits[at:]
    if roll > 0.75:
        before = str(rng.choice(["No. ", "$", "§ ", "p. ", "(", "Nr ", "#", "Q", "€ ", "Tel. "]))
        return before + digits + str(rng.choice(["", ".", ")", ":", " kg", "%", " cm"]))
    return digits


def set_number(path: Path, text: str, rng: np.random.Generator) -> PrintedNumber | None:
    """Set a number in a font.

    Args:
        path: The font.
        text: The number, with other characters around it.
        rng: Source of random numbers.

    Returns:
        The number with the boxes of its digits; None if the font fails.
    """
    image = _spread(_set(path, text), rng)
    if image is None:
        return None
    font = _font(path)
    left, top = font.getbbox(text)[:2]
    boxes = []
    for i, character in enumerate(text):
        if character.isdigit():
            x = 2 - left + font.getlength(text[:i])
            own = font.getbbox(character)
            boxes.append((int(character), round(x + own[0]), round(2 - top + own[1]), round(own[2] - own[0]),
                          round(own[3] - own[1])))  # fmt: skip
    if not boxes:
        return None
    height = int(np.median([box[4] for box in boxes]))
    return PrintedNumber(image, tuple(boxes), height) if height > 6 else None


def scaled(image: Pixels, factor: float) -> Pixels:
    size = max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)


def draw_printed_number(
    canvas: Canvas, number: PrintedNumber, x: float, base: float, height: float, opacity: float
) -> float:
    """Draw a printed number.

    Args:
        canvas: The canvas.
        number: The number.
        x: Left side, in pixels.
        base: Base line, in pixels.
        height: Height of its digits, in pixels.
        opacity: Opacity of the ink, 0 to 1.

    Returns:
        Its right end.
    """
    factor = height / number.height
    image = scaled(number.image, factor)
    bottom = max(top + digit_height for _, _, top, _, digit_height in number.boxes) * factor
    top = base - bottom
    canvas.put_ink(image, x, top, opacity)
    for digit, left, own_top, digit_width, digit_height in number.boxes:
        canvas.add_box(
            digit,
            int(x) + left * factor,
            int(top) + own_top * factor,
            digit_width * factor,
            digit_height * factor,
            PRINT,
            opacity,
        )
    return x + image.shape[1]


def draw_printed_word(canvas: Canvas, bank: PrintBank, x: float, base: float, height: float, opacity: float) -> float:
    """Draw a random printed word with an em of `height` pixels; return its right end."""
    words = bank.written if bank.written and canvas.chance(0.08) else bank.words
    word = words[int(canvas.rng.integers(len(words)))]
    return draw_word_image(canvas, word, x, base, height, opacity)


def draw_word_image(canvas: Canvas, word: Pixels, x: float, base: float, height: float, opacity: float) -> float:
    """Draw a word of the bank with an em of `height` pixels; return its right end."""
    image = scaled(word, height / EM_PX)
    canvas.put_ink(image, x, base - 0.8 * image.shape[0], opacity)
    return x + image.shape[1]


def turned(mask: Pixels, boxes: NDArray[np.float32], quarters: int) -> tuple[Pixels, NDArray[np.float32]]:
    """Turn a square image and its boxes by quarters, counter-clockwise.

    Args:
        mask: The image (side, side).
        boxes: Boxes (n, 5 or more): class, left, top, width, height.
        quarters: Number of quarter turns.
    """
    side = mask.shape[0]
    boxes = boxes.copy()
    for _ in range(quarters % 4):
        mask = np.rot90(mask)
        left, top, width, height = (boxes[:, i].copy() for i in range(1, 5))
        boxes[:, 1], boxes[:, 2], boxes[:, 3], boxes[:, 4] = top, side - left - width, height, width
    return np.ascontiguousarray(mask), boxes
