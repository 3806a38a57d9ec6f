"""What is no digit: how many rows come of pages of printed words, and of the letters of fonts.

`python benchmarks/words.py --font FONT.ttf --font ...` draws pages of printed words without a figure, and the letters
A to Z and a to z of each font, in words on a page and alone in a picture each; reads them with `batchocr run`, and
prints how many rows there are, and how many of them are not marked for review.
"""

from __future__ import annotations

import string
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from PIL import Image, ImageDraw, ImageFont
from sheet import FONTS, WORDS, font_named

import batchocr

WIDTH, HEIGHT, MARGIN = 2480, 3508, 250
"""Pixels of A4 at 300 dpi."""
TWINS = "OoIl"
"""Letters whose shape is that of a digit."""


def page(words: Iterator[str], font: ImageFont.FreeTypeFont, pitch: float) -> tuple[Image.Image, int]:
    """A page full of words, and how many letters it holds."""
    sheet = Image.new("L", (WIDTH, HEIGHT), 250)
    draw = ImageDraw.Draw(sheet)
    x, y, letters = MARGIN, MARGIN, 0
    for word in words:
        wide = draw.textlength(word + " ", font=font)
        if x + wide > WIDTH - MARGIN:
            x, y = MARGIN, y + round(pitch * font.size)
            if y > HEIGHT - MARGIN:
                break
        draw.text((x, y), word, fill=40, font=font)
        x, letters = x + round(wide), letters + len(word)
    return sheet, letters


def _printed(rng: np.random.Generator) -> Iterator[str]:
    while True:
        yield str(rng.choice(WORDS))


def _letters(rng: np.random.Generator, words: int) -> Iterator[str]:
    """Words of letters at random, each letter about as often as any other."""
    for _ in range(words):
        yield "".join(rng.choice(list(string.ascii_letters), int(rng.integers(3, 9))))


def main(
    font: Annotated[list[Path], typer.Option(help="A font whose letters are to be no digits.")],
    seed: Annotated[int, typer.Option(help="Of the words.")] = 5000,
    model: Annotated[Path | None, typer.Option(help="Another model than the shipped one.")] = None,
) -> None:
    """Print a table."""
    rng = np.random.default_rng(seed)
    held: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for number, name in enumerate(FONTS):
            sheet, letters = page(_printed(rng), font_named(name, 40 + 4 * number), 1.6)
            sheet.save(work / f"printed words, {name}.png")
            held[f"printed words, {name}"] = letters
        for path in font:
            face = ImageFont.truetype(path, 90)
            sheet, letters = page(_letters(rng, 120), face, 1.7)
            sheet.save(work / f"letters in words, {path.name}.png")
            held[f"letters in words, {path.name}"] = letters
            for letter in string.ascii_letters:
                alone = Image.new("L", (200, 220), 250)
                ImageDraw.Draw(alone).text((100, 110), letter, fill=40, font=face, anchor="mm")
                kind = "letters alone, twins of digits" if letter in TWINS else "letters alone"
                alone.save(work / f"{kind}, {path.name}, {ord(letter)}.png")
            held[f"letters alone, {path.name}"] = len(string.ascii_letters) - len(TWINS)
            held[f"letters alone, twins of digits, {path.name}"] = len(TWINS)
        batchocr.run(work, work / "results.csv", batchocr.Settings(model=model))
        rows = pd.read_csv(work / "results.csv", keep_default_na=False)
    group = rows.file.str.replace(r"(, \d+)?\.png$", "", regex=True)
    sure = ~rows.review.str.contains("low-confidence|not-a-digit")
    typer.echo("| what | letters | rows | not marked for review | share |\n|---|---|---|---|---|")
    for name, letters in sorted(held.items()):
        mine = group == name
        unmarked = (mine & sure).sum()
        typer.echo(f"| {name} | {letters} | {mine.sum()} | {unmarked} | {unmarked / letters:.1%} |")


if __name__ == "__main__":
    typer.run(main)
