"""What synthetic pages are made of: digits of many writers, signs, letters, and fonts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from batchocr.datasets.held_out import kept_out
from batchocr.errors import UsageError
from batchocr.records import Pixels
from batchocr.training.synthesis.digit_forms import DIGIT_FORMS, OLD_STYLE_FORMS, DigitForm
from batchocr.training.synthesis.ink_files import InkFile
from batchocr.training.synthesis.pen import Strokes, based
from batchocr.training.synthesis.stroke_digits import draw_strokes

SIGNS = ".,/-:+"
BITMAP_PX = 52
"""Height at which images of digits are kept, in pixels."""
FORM_WRITERS, OLD_WRITERS = 80, 80
"""Number of writers that are drawn by the forms of `stroke_digits`, today's and those of the 19th century."""
FILES = (
    "mnist.npz",
    "semeion.npz",
    "optdigits.npz",
    "qmnist-writers/mnist_writers.npz",
    "numbers-ch/numbers_ch.npz",
    "bhmsds/bhmsds.npz",
    "unipen/digits.npz",
    "unipen/numbers.npz",
    "unipen/negatives.npz",
    "pendigits/digits.npz",
    "orand-car-a/train/truth.json",
    "no-digit-pages",
)
"""The required files of the folder of public data."""
ALIKE = frozenset(["O", "o", "l", "I", "|", "i", "1", ""])
"""Letters that look like digits; without their word they may be either."""
MARK_OF = {"dot": ".", "slash": "/", "minus": "-", "plus": "+"}


@dataclass(frozen=True)
class Glyph:
    """A handwritten digit: strokes, or an image BITMAP_PX high."""

    strokes: Strokes | None = None
    image: Pixels | None = None


@dataclass(frozen=True)
class Writer:
    """Glyphs of one writer, by digit."""

    name: str
    digits: tuple[tuple[Glyph, ...], ...]


@dataclass(frozen=True)
class Line:
    """A number or a line with numbers as its writer wrote it, scaled so that its digits are about 1 high."""

    strokes: Strokes
    boxes: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    """(n, 6): class, left, top, width, height, kind."""


@dataclass(frozen=True)
class HandwritingSources:
    """All handwriting and fonts that pages are made of."""

    by_strokes: tuple[Writer, ...]
    by_images: tuple[Writer, ...]
    """MNIST by writer, semeion and optdigits in blocks, numbers-ch by writer."""
    by_forms: tuple[Writer, ...]
    """Drawn by the forms of many countries."""
    by_old: tuple[Writer, ...]
    """Drawn by the forms of the 19th century, one form per digit."""
    letters: tuple[tuple[Strokes, str], ...]
    """Letters, words and signs without digits: strokes of height 1, and their text."""
    words: tuple[tuple[Strokes, str], ...]
    """Those of the letters with three characters and more."""
    signs: tuple[tuple[Strokes, ...], ...]
    """Strokes by the index in SIGNS; their size is set when they are drawn."""
    sign_images: tuple[tuple[Pixels, ...], ...]
    fonts: tuple[Path, ...]
    lines: tuple[Line, ...] = ()
    """Whole numbers and lines as their writers wrote them."""

    @classmethod
    def load(
        cls, data: Path, fonts: Sequence[Path], labels: Path | None = None, *, held_out: bool = False
    ) -> HandwritingSources:
        """Load the folder of public data.

        Args:
            data: Folder of public data.
            fonts: Folders of font files.
            labels: Boxes of the digits of whole lines; see `batchocr.training.pseudo_labels`.
            held_out: Whether only held-out writers are loaded; otherwise all others.

        Raises:
            UsageError: The data lacks a file.
        """
        check_data(data)
        letters, signs = _letters(data / "unipen" / "negatives.npz", held_out)
        return cls(
            by_strokes=tuple(
                writer
                for name in ("unipen/digits.npz", "pendigits/digits.npz")
                for writer in stroke_writers(data / name)
                if kept_out(writer.name) == held_out
            ),
            by_images=tuple(image_writers(data, held_out)),
            by_forms=form_writers(FORM_WRITERS),
            by_old=old_writers(OLD_WRITERS),
            letters=letters,
            words=tuple(letter for letter in letters if len(letter[1]) > 2),
            signs=signs,
            sign_images=_sign_images(data / "bhmsds" / "bhmsds.npz"),
            fonts=font_files(fonts),
            lines=() if labels is None else whole_lines(data / "unipen" / "numbers.npz", labels),
        )


def check_data(data: Path) -> None:
    """Check that the folder of public data has all required files.

    Args:
        data: The folder.

    Raises:
        UsageError: A file is missing.
    """
    for name in FILES:
        if not (data / name).exists():
            raise UsageError(f"{data / name}: is missing; give the folder of public data, as docs/models.md lists it")


def stroke_writers(path: Path) -> list[Writer]:
    """Return the writers of a file of single digits who wrote at least seven of the ten digits."""
    file = InkFile.load(path)
    suspect = file.columns.get("suspect", np.zeros(len(file), bool))
    found: dict[str, list[list[Glyph]]] = {}
    for i in range(len(file)):
        strokes = None if suspect[i] else file.strokes(i)
        glyph = based(strokes) if strokes else None
        if glyph is not None:
            name = f"{path.parent.name} {file.text('writer', i)}"
            found.setdefault(name, [[] for _ in range(10)])[int(file.text("label", i))].append(Glyph(glyph))
    return [Writer(name, tuple(map(tuple, digits))) for name, digits in sorted(found.items()) if _complete(digits)]


def _complete(digits: Sequence[Sequence[Glyph]]) -> bool:
    return sum(bool(glyphs) for glyphs in digits) >= 7


def whole_lines(path: Path, labels: Path) -> tuple[Line, ...]:
    """Return the lines with known boxes, scaled so that digits are 1 high and their base line is about y = 0.

    Args:
        path: The file of pen strokes.
        labels: The JSON of the labels.
    """
    file = InkFile.load(path)
    found = []
    for place, item in json.loads(labels.read_text())["lines"].items():
        boxes = np.array(item["boxes"], np.float32).reshape(-1, 6)
        digits = boxes[boxes[:, 5] == 0]
        unit = float(np.median(digits[:, 4]))
        corner = np.array([boxes[:, 1].min(), np.median(digits[:, 2] + digits[:, 4])], np.float32)
        boxes[:, 1:3] -= corner
        boxes[:, 1:5] /= unit
        strokes = [np.asarray((stroke - corner) / unit, np.float32) for stroke in file.strokes(int(place))]
        found.append(Line(strokes, boxes))
    return tuple(found)


def image_writers(data: Path, held_out: bool = False) -> list[Writer]:
    """Return the writers of MNIST's train split, of semeion and optdigits (in blocks), and of numbers-ch.

    Args:
        data: Folder of public data.
        held_out: Whether the held-out writers are returned; otherwise all others.
    """
    found: dict[str, list[list[Glyph]]] = {}

    def add(name: str, digit: int, image: Pixels) -> None:
        if kept_out(name) != held_out:
            return
        left, top, width, height = cv2.boundingRect((image > 80).view(np.uint8))
        if width < 2 or height < 6:
            return
        image = image[max(0, top - 1) : top + height + 1, max(0, left - 1) : left + width + 1]
        size = max(2, round(image.shape[1] * BITMAP_PX / image.shape[0])), BITMAP_PX
        image = cv2.GaussianBlur(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), (0, 0), 0.8)
        found.setdefault(name, [[] for _ in range(10)])[digit].append(Glyph(image=image))

    with np.load(data / "mnist.npz") as file, np.load(data / "qmnist-writers" / "mnist_writers.npz") as writers:
        names = writers["train_writer"]
        for x, y, writer in zip(file["x_train"], file["y_train"], names, strict=True):
            add(f"mnist {writer}", int(y), x)
    for name in ("semeion", "optdigits"):
        with np.load(data / f"{name}.npz") as file:
            for i, (x, y) in enumerate(zip(file["x"], file["y"], strict=True)):
                add(f"{name} {i // 60}", int(y), x)
    with np.load(data / "numbers-ch" / "numbers_ch.npz") as file:
        for x, y, writer in zip(file["x"], file["y"], file["writer"], strict=True):
            paper, darkest = np.percentile(x, 85), float(x.min())
            if paper - darkest >= 40:
                ink = np.clip((0.97 * paper - x.astype(np.float32)) / (paper - darkest) * 1.15, 0, 1)
                add(f"numbers-ch {writer}", int(y), (ink * 255).astype(np.uint8))
    return [Writer(name, tuple(map(tuple, digits))) for name, digits in sorted(found.items()) if _complete(digits)]


def form_writers(count: int) -> tuple[Writer, ...]:
    """Return writers drawn by the forms of many countries; the weight of a form is its relative frequency."""
    rng = np.random.default_rng(count)
    writers = []
    for i in range(count):
        digits = []
        for digit in range(10):
            forms = [form for form in DIGIT_FORMS if form.digit == digit]
            weights = np.array([form.weight for form in forms])
            chosen = rng.choice(len(forms), 6, p=weights / weights.sum())
            digits.append(_drawn([forms[at] for at in chosen], rng))
        writers.append(Writer(f"forms {i}", tuple(digits)))
    return tuple(writers)


def old_writers(count: int) -> tuple[Writer, ...]:
    """Return writers of the 19th century: each writes a digit always by the same form."""
    rng = np.random.default_rng(count)
    by_name = {(form.digit, form.name): form for form in DIGIT_FORMS}
    writers = []
    for i in range(count):
        forms = [by_name[digit, str(rng.choice(names))] for digit, names in OLD_STYLE_FORMS]
        writers.append(Writer(f"old {i}", tuple(_drawn([form] * 5, rng) for form in forms)))
    return tuple(writers)


def _drawn(forms: Sequence[DigitForm], rng: np.random.Generator) -> tuple[Glyph, ...]:
    """Draw each form once."""
    drawn = [based([np.asarray(path, np.float32) for path in draw_strokes(form, rng)]) for form in forms]
    return tuple(Glyph(strokes) for strokes in drawn if strokes is not None)


def _letters(path: Path, held_out: bool) -> tuple[tuple[tuple[Strokes, str], ...], tuple[tuple[Strokes, ...], ...]]:
    """Return letters and words, and signs by their index in SIGNS, of the held-out writers or of all others."""
    file = InkFile.load(path)
    letters: list[tuple[Strokes, str]] = []
    signs: list[list[Strokes]] = [[] for _ in SIGNS]
    for i in range(len(file)):
        label = file.text("label", i).strip()
        other = kept_out(f"unipen {file.text('writer', i)}") != held_out
        if other or any(c.isdigit() for c in label) or label in ALIKE:
            continue
        strokes = file.strokes(i)
        if not strokes:
            continue
        every = np.concatenate(strokes)
        lower, upper = every.min(axis=0), every.max(axis=0)
        width, height = (upper - lower).tolist()
        unit = height if height > 0.25 * width else 0.5 * width
        if max(width, height) < 5 or width > 14 * max(height, 1):
            if label in (".", ":"):
                unit = max(width, height, 1.0)
            else:
                continue
        shape = [np.asarray((stroke - (lower[0], upper[1])) / unit, np.float32) for stroke in strokes]
        if len(label) == 1 and label in SIGNS:
            signs[SIGNS.index(label)].append(shape)
        else:
            letters.append((shape, label))
    return tuple(letters), tuple(map(tuple, signs))


def _sign_images(path: Path) -> tuple[tuple[Pixels, ...], ...]:
    """Return images of signs (28×28, 255 is ink) by their index in SIGNS."""
    with np.load(path) as file:
        labels = file["y"].astype(str)
        return tuple(
            tuple(x for name, own in MARK_OF.items() if own == sign for x in file["x"][labels == name][:1200])
            for sign in SIGNS
        )


def font_files(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Return the font files anywhere below the folders, sorted by name."""
    found = (
        path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in (".ttf", ".otf", ".ttc")
    )
    return tuple(sorted(set(found), key=lambda path: (path.name, str(path))))
