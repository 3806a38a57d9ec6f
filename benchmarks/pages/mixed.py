"""Compose A4 pages with handwriting, print and other marks, with the truth about the digits to be read.

The truth has printed digits that are alone on a line, but not those in lines of printed words, as for `--printed keep`.
Run `python benchmarks/pages/mixed.py --digits digits.npz --out DIR`, then `batchocr run DIR`, and score with
DIR/truth.json.
"""

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from compose import load, new_sheet, scan
from page_kinds import phrase
from PIL import Image, ImageDraw, ImageFont
from sheet import FONTS, HEIGHT, MM, WIDTH, WORDS, Alpha, Array, Glyph, Labels, Sheet, TrueNumber, extent, font_named

HANDS: list[Path] = []
"""Paths of script fonts, if any are given."""
MARGIN = 18 * MM
DARK = (40.0, 40.0, 40.0)


def figures(rng: np.random.Generator) -> str:
    """Return a number as in printed text: a year, a price, a section or a page."""
    small, large = int(rng.integers(1, 10)), int(rng.integers(10, 10_000))
    return str(
        rng.choice(
            [f"{small}", f"{large}", f"{large}.{small}0", f"({small})", f"{small}.{large % 10}", f"19{10 + large % 90}"]
        )
    )


def sentence(rng: np.random.Generator, words: int) -> str:
    """Return words mixed with numbers."""
    return " ".join(figures(rng) if rng.random() < 0.25 else str(rng.choice(WORDS)) for _ in range(words))


def type_digits(sheet: Sheet, text: str, left: float, base: float, face: ImageFont.FreeTypeFont) -> float:
    """Print a number that is part of the truth and return its right edge."""
    glyphs = []
    for place, digit in enumerate(text):
        box = face.getbbox(digit, anchor="ls")
        image = Image.new("L", (int(box[2] - box[0]), int(box[3] - box[1])))
        ImageDraw.Draw(image).text((-box[0], -box[1]), digit, fill=255, font=face, anchor="ls")
        x = left + face.getlength(text[:place]) + box[0]
        alpha = np.asarray(image, np.float32) / 255
        glyphs.append(Glyph(int(digit), alpha, round(x), round(base + box[1])))
    for glyph in glyphs:
        sheet.stain(glyph.alpha, glyph.left, glyph.top, DARK)
    sheet.written.append(glyphs)
    return left + face.getlength(text)


def face_of(rng: np.random.Generator) -> tuple[str, float]:
    """Return the name of a font and a size in mm of ordinary print."""
    return str(rng.choice(FONTS)), float(rng.uniform(2.6, 4.6))


def a_number(rng: np.random.Generator, max_digits: int = 6) -> str:
    """Return a random number."""
    return "".join(map(str, rng.integers(0, 10, int(rng.integers(1, max_digits + 1)))))


def sentences(sheet: Sheet) -> None:
    """Print words mixed with numbers from edge to edge; no digit is in the truth."""
    font, size = face_of(sheet.rng)
    for y in np.arange(MARGIN, HEIGHT - MARGIN, 1.7 * size * MM):
        words = sentence(sheet.rng, int(sheet.rng.integers(2, 9)))
        if font_named(font, round(size * MM)).getlength(words) < WIDTH - 2 * MARGIN:
            sheet.text(words, MARGIN, y, size, font, DARK)


def labels(sheet: Sheet) -> None:
    """Write numbers beside printed labels with numbers; some handwriting is as small as the print."""
    rng = sheet.rng
    font, size = face_of(rng)
    height = rng.uniform(0.6, 1.6) * size * MM
    for y in np.arange(MARGIN, HEIGHT - MARGIN, max(3.2 * size * MM, 1.9 * height)):
        x = MARGIN
        while True:
            label = rng.choice(
                [
                    phrase(rng, 2),
                    sentence(rng, 3),
                    f"{figures(rng)} {phrase(rng, 1)}",
                    f"{rng.choice(WORDS)} {figures(rng)}",
                ]
            )
            end = sheet.text(str(label), x, y, size, font, DARK) + rng.uniform(0.3, 1.2) * height
            number = sheet.number(int(rng.integers(1, 7)), height)
            sheet.write([glyph.moved(end, y + rng.uniform(-0.1, 0.1) * height) for glyph in number])
            x = end + extent(number) + rng.uniform(1.5, 4) * height
            if x > 0.45 * WIDTH:
                break


def alone(sheet: Sheet) -> None:
    """Print one number on each line."""
    rng = sheet.rng
    font, size = face_of(rng)
    face = font_named(font, round(size * MM))
    for y in np.arange(MARGIN, HEIGHT - MARGIN, 3.5 * size * MM):
        type_digits(sheet, a_number(rng), rng.uniform(MARGIN, WIDTH / 2), y, face)


def tables(sheet: Sheet) -> None:
    """Print tables of numbers."""
    rng = sheet.rng
    font, size = face_of(rng)
    face = font_named(font, round(size * MM))
    for y in np.arange(MARGIN, HEIGHT - MARGIN, rng.uniform(1.7, 2.5) * size * MM):
        for x in np.linspace(MARGIN, WIDTH - MARGIN, 6)[:-1]:
            type_digits(sheet, a_number(rng), x, y, face)


def numbered(sheet: Sheet) -> None:
    """Write numbers into the cells of a table with printed row numbers; all digits are in the truth."""
    rng = sheet.rng
    font, size = face_of(rng)
    face, height = font_named(font, round(size * MM)), rng.uniform(4.5, 7) * MM
    for row, y in enumerate(np.arange(MARGIN, HEIGHT - MARGIN, 2 * height), 1):
        sheet.bar(MARGIN, y - 1.5 * height, WIDTH - MARGIN, y - 1.5 * height + 3, DARK)
        type_digits(sheet, str(row), MARGIN + 20, y, face)
        for x in np.linspace(MARGIN + 3 * height, WIDTH - MARGIN, 4)[:-1]:
            number = sheet.number(int(rng.integers(1, 6)), height)
            sheet.write([glyph.moved(x + height, y) for glyph in number])


def words_by_hand(sheet: Sheet) -> None:
    """Write words in a script font with numbers beside them; every number is in the truth."""
    rng = sheet.rng
    height = rng.uniform(4.5, 7) * MM
    pen, hand = max(0, round(rng.uniform(0.01, 0.05) * height)), str(HANDS[int(rng.integers(len(HANDS)))])
    for y in np.arange(MARGIN, HEIGHT - MARGIN, 2.4 * height):
        x = MARGIN
        for _ in range(int(rng.integers(1, 3))):
            for letter in phrase(rng, 2):
                face = font_named(hand, round(height * rng.uniform(1.1, 1.3)))
                box = face.getbbox(letter, anchor="ls", stroke_width=pen)
                image = Image.new("L", (max(1, int(box[2] - box[0])), max(1, int(box[3] - box[1]))))
                draw = ImageDraw.Draw(image)
                draw.text((-box[0], -box[1]), letter, fill=255, font=face, anchor="ls", stroke_width=pen)
                top = y + box[1] + rng.uniform(-0.07, 0.07) * height
                sheet.stain(np.asarray(image, np.float32) / 255, round(x + box[0]), round(top), sheet.ink)
                x += face.getlength(letter) + rng.uniform(-0.02, 0.08) * height
            number = sheet.number(int(rng.integers(1, 7)), height * 0.9)
            x += rng.uniform(0.4, 1) * height
            sheet.write([glyph.moved(x, y) for glyph in number])
            x += extent(number) + 1.5 * height


def code(rng: np.random.Generator, side: int) -> Alpha:
    """Return a QR code with `side` pixels on each side."""
    image = cv2.QRCodeEncoder.create().encode(f"https://example.org/{rng.integers(1 << 40)}")
    return cv2.resize((255 - image).astype(np.float32) / 255, (side, side), interpolation=cv2.INTER_NEAREST)


def stamp(rng: np.random.Generator, side: int) -> Alpha:
    """Return a round stamp with words."""
    image = np.zeros((side, side), np.uint8)
    middle, thick = (side // 2, side // 2), max(3, side // 60)
    for share in (0.48, 0.38):
        cv2.circle(image, middle, round(share * side), 255, thick, cv2.LINE_AA)
    for line, word in enumerate(rng.choice(WORDS, 2)):
        at = (round(0.16 * side), round((0.45 + 0.15 * line) * side))
        cv2.putText(image, str(word).upper()[:8], at, cv2.FONT_HERSHEY_SIMPLEX, side / 250, 255, thick, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D(middle, float(rng.uniform(-20, 20)), 1)
    worn = np.asarray(rng.random((side // 4, side // 4)) < 0.85, np.float32)
    return cv2.warpAffine(image, turn, (side, side)) / np.float32(255) * cv2.resize(worn, (side, side))


def signature(rng: np.random.Generator, height: int) -> Alpha:
    """Return a scrawl from left to right."""
    t = np.linspace(0, rng.uniform(3, 6), 300)
    x = height * (0.5 + 0.6 * t + 0.25 * np.sin(5 * t + rng.uniform(0, 6)))
    y = height * (0.5 + 0.38 * np.sin(7 * t + rng.uniform(0, 6)) * np.exp(-0.2 * t))
    image = np.zeros((height, round(5 * height)), np.uint8)
    cv2.polylines(image, [np.stack([x, y], 1).round().astype(np.int32)], False, 255, max(3, height // 25), cv2.LINE_AA)
    return image / np.float32(255)


def stroke_mark(rng: np.random.Generator, height: int, kind: str) -> Alpha:
    """Return a handwritten tick, cross, dash or plus."""
    image = np.zeros((height, height), np.uint8)
    lines = {
        "tick": [[(0.15, 0.55), (0.4, 0.85), (0.9, 0.1)]],
        "cross": [[(0.12, 0.1), (0.9, 0.9)], [(0.88, 0.12), (0.1, 0.9)]],
        "dash": [[(0.1, 0.5), (0.9, 0.48)]],
        "plus": [[(0.5, 0.1), (0.5, 0.9)], [(0.1, 0.5), (0.9, 0.5)]],
    }[kind]
    for line in lines:
        points = (np.array(line) + rng.normal(0, 0.03, (len(line), 2))) * height
        cv2.polylines(image, [points.round().astype(np.int32)], False, 255, max(3, height // 9), cv2.LINE_AA)
    return image / np.float32(255)


def marks(sheet: Sheet) -> None:
    """Draw codes, stamps, signatures and pen marks, and write numbers with a minus, a point or a comma."""
    rng = sheet.rng
    height = rng.uniform(5, 7) * MM
    sheet.stain(code(rng, round(rng.uniform(14, 30) * MM)), round(WIDTH - 60 * MM), round(MARGIN), DARK)
    sheet.stain(
        stamp(rng, round(rng.uniform(25, 40) * MM)),
        round(WIDTH - 70 * MM),
        round(HEIGHT - 70 * MM),
        (150.0, 60.0, 60.0),
    )
    for i in range(3):
        y = HEIGHT - 75 * MM + i * 22 * MM
        sheet.stain(signature(rng, round(rng.uniform(10, 16) * MM)), round(MARGIN), round(y), sheet.ink)
    for y in np.arange(MARGIN + height, HEIGHT - 85 * MM, 2.2 * height):
        x, kind = MARGIN, str(rng.choice(["tick", "cross", "dash", "plus"]))
        for _ in range(int(rng.integers(1, 4))):
            sheet.stain(stroke_mark(rng, round(height * 0.8), kind), round(x), round(y - 0.8 * height), sheet.ink)
            x += rng.uniform(1.3, 3) * height
        x += 2 * height
        whole = sheet.number(int(rng.integers(1, 5)), height)
        number = whole
        if rng.random() < 0.5:
            sheet.stain(
                stroke_mark(rng, round(0.45 * height), "dash"),
                round(x - 0.55 * height),
                round(y - 0.7 * height),
                sheet.ink,
            )
        if rng.random() < 0.7:
            end, pen, length = x + extent(whole) + 0.15 * height, max(4, round(0.09 * height)), rng.choice([0, 1, 3])
            dot = np.zeros((pen * 6, pen * 3), np.uint8)
            cv2.line(
                dot, (2 * pen, pen), (2 * pen - int(length) * pen // 3, pen + int(length) * pen), 255, pen, cv2.LINE_AA
            )
            sheet.stain(dot / np.float32(255), round(end - pen), round(y - pen), sheet.ink)
            more = sheet.number(2, height)
            number = whole + [glyph.moved(extent(whole) + 0.4 * height, 0) for glyph in more]
        sheet.write([glyph.moved(x, y) for glyph in number])


MAKERS: dict[str, Callable[[Sheet], None]] = {
    "sentences": sentences,
    "labels": labels,
    "alone": alone,
    "tables": tables,
    "numbered": numbered,
    "marks": marks,
    "words": words_by_hand,
}


def compose(kind: str, digits: Array, labels: Labels, rng: np.random.Generator) -> tuple[Array, list[TrueNumber]]:
    """Compose one page of a kind from white-on-black digits; return its image (grey or BGR) and its true numbers."""
    sheet = new_sheet(kind, digits, labels, rng)
    MAKERS[kind](sheet)
    return scan(sheet, "photo" if rng.random() < 0.25 else kind)


def main(
    digits: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="npz file of white-on-black digits.")],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the pages and truth.json.")],
    split: Annotated[str, typer.Option(help="Split of the npz file: train or test.")] = "test",
    hand: Annotated[list[Path] | None, typer.Option(help="Script font for handwritten words. May repeat.")] = None,
    pages: Annotated[int, typer.Option(min=1, max=1000, help="Pages of each kind.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same pages.")] = 1000,
) -> None:
    """Compose pages of print and handwriting and write their truth."""
    HANDS[:] = hand or []
    out.mkdir(parents=True, exist_ok=True)
    images, classes = load(digits, split)
    truth: dict[str, list[TrueNumber]] = {}
    for kind in (kind for kind in MAKERS if hand or kind != "words"):
        for index in range(pages):
            rng = np.random.default_rng([seed, zlib.crc32(kind.encode()), index])
            image, truth[f"{kind}-{index:03d}.png"] = compose(kind, images, classes, rng)
            cv2.imwrite(str(out / f"{kind}-{index:03d}.png"), image)
    (out / "truth.json").write_text(json.dumps(truth), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
