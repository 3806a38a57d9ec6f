"""Measure how many digits are read on pages without handwritten digits, and how many of these rows have no mark.

`python benchmarks/marks/no_digits.py --data DATA --fonts FONTS` draws 200 pages: printed text, also turned, tables,
answer sheets, blank forms, cursive words by writers held out of every training, drawings, diagrams, and photos without
paper. It prints one row for each kind. Printed digits are left out, as a user of handwriting does (`--printed drop`).
"""

from __future__ import annotations

import string
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from reading import read_files

from batchocr.training.synthesis.pen import Strokes
from batchocr.training.synthesis.writing_sources import HandwritingSources, font_files

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 1240, 1754
"""A4 at 150 dpi."""
IMITATIONS = ("hand", "script", "comic", "humor", "ecolier", "femke", "tomson", "breip")
"""Words in the path of a font that imitates handwriting."""
WORDS = (
    "the of and register number date total amount name address please print clearly in block capitals your answer to "
    "each question below office use only signature witness district ward polling station returning officer candidate "
    "votes cast invalid ballot papers received issued spoilt mark one circle for every item do not write here form "
    "section part page weather rainfall temperature wind pressure observer remarks hours minutes litres kilograms"
).split()


class Maker:
    """Draws one page; the same state of `rng` gives the same page."""

    def __init__(self, rng: np.random.Generator, fonts: list[Path], words: list[Strokes]) -> None:
        self.rng, self.fonts, self.words = rng, fonts, words
        self.page = Image.new("L", (WIDTH, HEIGHT), int(rng.integers(228, 256)))
        self.draw = ImageDraw.Draw(self.page)
        self.path = fonts[int(rng.integers(len(fonts)))]

    def font(self, size: int) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(str(self.path), size)

    def token(self, digits: float) -> str:
        """Return a printed word, or with the probability `digits` a number."""
        rng = self.rng
        if rng.random() < digits:
            number = "".join(str(d) for d in rng.integers(0, 10, int(rng.integers(1, 6))))
            return str(rng.choice([number, f"{number}.", f"({number})", f"{number[:2]}/{number[2:]}", f"{number}.50"]))
        word = str(rng.choice(WORDS))
        return str(rng.choice([word, word.capitalize(), word.upper()], p=[0.7, 0.2, 0.1]))

    def paragraphs(self, digits: float, top: int = 90, bottom: int = HEIGHT - 90) -> None:
        rng, y = self.rng, top
        while y < bottom:
            size = int(rng.choice([18, 20, 22, 26, 34], p=[0.25, 0.3, 0.25, 0.15, 0.05]))
            font, ink = self.font(size), int(rng.integers(0, 90))
            for _ in range(int(rng.integers(2, 9))):
                x = 90.0
                while x < WIDTH - 160 and y < bottom:
                    word = self.token(digits)
                    self.draw.text((x, y), word, font=font, fill=ink)
                    x += font.getlength(word + " ")
                y += round(1.35 * size)
            y += size

    def rules(self, xs: list[int], ys: list[int]) -> None:
        ink, pen = int(self.rng.integers(0, 150)), int(self.rng.integers(1, 4))
        for x in xs:
            self.draw.line([(x, ys[0]), (x, ys[-1])], fill=ink, width=pen)
        for y in ys:
            self.draw.line([(xs[0], y), (xs[-1], y)], fill=ink, width=pen)

    def write(self, x: float, base: float, height: float) -> float:
        """Write a handwritten word that starts at `x`, and return where it ends."""
        rng = self.rng
        strokes = self.words[int(rng.integers(len(self.words)))]
        min_x = np.concatenate(strokes).min(axis=0)[0]
        right, pixels = x, np.array(self.page)
        ink, pen = int(rng.integers(20, 110)), int(rng.integers(2, 4))
        for stroke in strokes:
            points = np.asarray(stroke, np.float32) * height + (x - min_x * height, base)
            right = max(right, float(points[:, 0].max()))
            cv2.polylines(pixels, [(points * 16).round().astype(np.int32)], False, ink, pen, cv2.LINE_AA, 4)
        self.page = Image.fromarray(pixels)
        self.draw = ImageDraw.Draw(self.page)
        return right


def printed(m: Maker) -> None:
    m.paragraphs(0.12)


def turned(m: Maker) -> None:
    m.paragraphs(0.12)
    m.page = m.page.rotate(90 * int(m.rng.integers(1, 4)), expand=True)


def table(m: Maker) -> None:
    rng = m.rng
    m.paragraphs(0.05, bottom=260)
    xs = np.linspace(90, WIDTH - 90, int(rng.integers(4, 9))).astype(int).tolist()
    step = int(rng.integers(34, 60))
    ys = list(range(300, HEIGHT - 100, step))
    m.rules(xs, ys)
    font = m.font(round(0.5 * step))
    for y in ys[:-1]:
        for at, x in enumerate(xs[:-1]):
            text = m.token(0.0 if at == 0 else 0.95)
            m.draw.text((x + 8, y + 0.2 * step), text[: max(1, (xs[1] - xs[0]) // step)], font=font, fill=20)


def answer_sheet(m: Maker) -> None:
    """Draw bubbles with a letter or a digit in each; some are filled."""
    rng = m.rng
    m.paragraphs(0.05, bottom=220)
    names = str(rng.choice([string.ascii_uppercase[:5], "12345", "0123456789"]))
    size = int(rng.integers(13, 19))
    font = m.font(round(1.2 * size))
    for column in range(int(rng.integers(2, 4))):
        for row in range(30):
            x, y = 120.0 + column * 400, 300 + row * 2.8 * size
            m.draw.text((x - 40, y - 0.7 * size), str(column * 30 + row + 1), font=font, fill=60)
            chosen = int(rng.integers(len(names)))
            for at, name in enumerate(names):
                middle = x + 30 + at * 2.0 * size * (1 if len(names) == 10 else 1.4)
                box = (middle - 0.8 * size, y - 0.8 * size, middle + 0.8 * size, y + 0.8 * size)
                m.draw.ellipse(box, outline=70, width=2, fill=40 if at == chosen else None)
                m.draw.text((middle, y), name, font=m.font(size), fill=90, anchor="mm")


def blank_form(m: Maker) -> None:
    """Draw labels with empty boxes and combs."""
    rng = m.rng
    m.paragraphs(0.03, bottom=200)
    y = 250
    while y < HEIGHT - 200:
        m.draw.text((90, y), f"{m.token(0.0).capitalize()} {m.token(0.0)}", font=m.font(22), fill=20)
        x, count, side = int(rng.integers(380, 520)), int(rng.integers(1, 13)), int(rng.integers(36, 54))
        step = side if rng.random() < 0.6 else side + 10
        for at in range(count):
            m.draw.rectangle((x + at * step, y - 8, x + at * step + side, y - 8 + side), outline=90, width=2)
        y += side + int(rng.integers(20, 70))


def cursive(m: Maker) -> None:
    y = 150.0
    height = float(m.rng.uniform(26, 44))
    while y < HEIGHT - 100:
        x = 100.0
        while x < WIDTH - 250:
            x = m.write(x, y, height) + 0.6 * height
        y += 2.4 * height


def letter(m: Maker) -> None:
    """Draw printed text with handwritten words below it."""
    m.paragraphs(0.08, bottom=700)
    for row in range(int(m.rng.integers(2, 7))):
        x, height = 120.0, float(m.rng.uniform(28, 44))
        while x < WIDTH - 400:
            x = m.write(x, 850 + 120 * row, height) + 25


def drawing(m: Maker) -> None:
    """Draw long curves, loops and polygons with a pen."""
    rng, pixels = m.rng, np.array(m.page)
    for _ in range(int(rng.integers(8, 26))):
        start, count = rng.uniform((100, 100), (WIDTH - 100, HEIGHT - 100)), int(rng.integers(3, 9))
        knots = start + np.cumsum(rng.normal(0, rng.uniform(40, 220), (count, 2)), axis=0)
        at = np.linspace(0, count - 1, 40 * count)
        smooth = np.stack([np.interp(at, np.arange(count), knots[:, k]) for k in (0, 1)], axis=1)
        if rng.random() < 0.7:
            smooth = np.stack(
                [np.convolve(np.pad(smooth[:, k], 15, "edge"), np.ones(31) / 31, "valid") for k in (0, 1)]
            ).T
        ink, pen = int(rng.integers(10, 120)), int(rng.integers(2, 5))
        points = (smooth * 16).round().astype(np.int32)
        cv2.polylines(pixels, [points], bool(rng.random() < 0.3), ink, pen, cv2.LINE_AA, 4)
    m.page = Image.fromarray(pixels)


def diagram(m: Maker) -> None:
    """Draw axes with printed numbers, and curves."""
    rng, font = m.rng, m.font(20)
    for top in (150, 900):
        m.draw.line([(150, top), (150, top + 600), (WIDTH - 100, top + 600)], fill=0, width=3)
        for at in range(8):
            m.draw.text((90, top + 590 - 80 * at), str(10 * at), font=font, fill=0)
            m.draw.text((150 + 130 * at, top + 615), str(2000 + at), font=font, fill=0)
        for _ in range(3):
            ys = top + 300 + np.cumsum(rng.normal(0, 25, 40))
            line = [(150 + 25 * i, float(np.clip(y, top, top + 600))) for i, y in enumerate(ys)]
            m.draw.line(line, fill=int(rng.integers(0, 150)), width=3)


def no_paper(m: Maker) -> None:
    """Draw a photo of objects: shades, edges and noise."""
    rng = m.rng
    coarse = rng.normal(120, 45, (9, 7)).astype(np.float32)
    scene = np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC))
    for _ in range(int(rng.integers(10, 60))):
        corners = rng.uniform(0, 1, 2) * (WIDTH, HEIGHT) + rng.normal(0, 150, (int(rng.integers(3, 7)), 2))
        cv2.fillPoly(scene, [corners.astype(np.int32)], float(rng.uniform(10, 245)))
    scene = cv2.GaussianBlur(scene, (0, 0), float(rng.uniform(0.5, 2.5))) + rng.normal(
        0, rng.uniform(1, 9), scene.shape
    )
    m.page = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))


KINDS: tuple[Callable[[Maker], None], ...] = (
    printed, turned, table, answer_sheet, blank_form, cursive, letter, drawing, diagram, no_paper,
)  # fmt: skip


def latin(path: Path) -> bool:
    """Return whether a font has different glyphs for Latin letters and digits."""
    try:
        font = ImageFont.truetype(str(path), 24)
        return len({bytes(font.getmask(c)) for c in "aZ08é"[:4]}) == 4
    except OSError:
        return False


def imitates_writing(font: Path) -> bool:
    """Return whether a font imitates handwriting; its digits would rightly be read as handwritten."""
    return any(word in str(font).lower() for word in IMITATIONS)


def main(
    data: Annotated[Path, typer.Option(help="Folder of the public data.")],
    fonts: Annotated[Path, typer.Option(help="Folder of fonts.")],
    count: Annotated[int, typer.Option(help="Pages of each kind.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the pages.")] = 9100,
    keep: Annotated[Path | None, typer.Option(help="Folder in which pages and results are kept.")] = None,
) -> None:
    """Print a row a kind."""
    words = [strokes for strokes, _ in HandwritingSources.load(data, [fonts], held_out=True).words]
    usable = [path for path in font_files([fonts]) if latin(path) and not imitates_writing(path)]
    with tempfile.TemporaryDirectory() as temporary:
        work = keep or Path(temporary)
        (work / "pages").mkdir(parents=True, exist_ok=True)
        for k, kind in enumerate(KINDS):
            for at in range(count):
                rng = np.random.default_rng((seed, k, at))
                maker = Maker(rng, usable, words)
                kind(maker)
                noisy = np.asarray(maker.page, np.float32) + rng.normal(0, rng.uniform(0, 6), maker.page.size[::-1])
                image = np.clip(noisy, 0, 255).astype(np.uint8)
                path = work / "pages" / f"{kind.__name__}-{at:02}.jpg"
                cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 85])
        read = read_files(work / "pages", work / "results.csv", "--printed", "drop")
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for name, file in read.items():
        counts = found[name.rsplit("-", 1)[0]]
        counts.update(digits=len(file.digits), plain=len(file.unmarked), marked=bool(file.page_marks))
    typer.echo("| kind | pages | digits per page | without mark, per page | marked pages |\n|---|---|---|---|---|")
    for name in [*(kind.__name__ for kind in KINDS), "all"]:
        total = sum(found.values(), Counter()) if name == "all" else found[name]
        pages = count * (len(KINDS) if name == "all" else 1)
        plain = total["plain"] / pages
        typer.echo(f"| {name} | {pages} | {total['digits'] / pages:.2f} | {plain:.2f} | {total['marked']} |")


if __name__ == "__main__":
    typer.run(main)
