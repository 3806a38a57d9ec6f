"""Compose A4 pages of handwritten digits from an npz file of digits, with a true box for every digit.

The pages imitate what real scans show (pens, paper, rules, forms, skew, shadows, noise) and do not depend on how a
reader works. The true box of a digit comes from its ink alone, after the same rotation, scaling and blur as the page.
Lengths are pixels at 300 dpi unless a name or docstring says otherwise.
"""

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from desk import SCENES, apply_scene
from page_kinds import KINDS as PLAIN_KINDS
from page_kinds import MAKERS
from sheet import (
    HEIGHT,
    JPEG_QUALITY,
    JPEG_SHARE,
    WIDTH,
    Alpha,
    Array,
    Labels,
    Sheet,
    TrueNumber,
    ink_box,
)

KINDS = (*PLAIN_KINDS, *SCENES)
SCENE_KINDS = ("plain", "ruled", "comb")
"""Kinds of writing on the sheets of scenes (on desks, folded and so on)."""


def new_sheet(kind: str, digits: Array, labels: Labels, rng: np.random.Generator) -> Sheet:
    """Make a sheet: white to greyish paper; black ink, blue ink or pencil; a colour scan or a grey scan."""
    paper, blue = rng.uniform(235, 255), kind != "pencil" and rng.random() < 0.45
    grey = rng.uniform(120, 165) if kind == "pencil" else rng.uniform(10, 80)
    ink = (rng.uniform(120, 190), rng.uniform(40, 90), rng.uniform(15, 70)) if blue else (grey,) * 3
    yellow = np.array([rng.uniform(0, 6), rng.uniform(0, 2), 0])
    colour = blue or rng.random() < 0.3
    shade = np.maximum(paper - yellow, 235) if colour else np.array([paper])
    canvas = np.tile(shade.round().astype(np.uint8), (HEIGHT, WIDTH, 1))
    threshold, grain = rng.uniform(0.36, 0.5), rng.uniform(0.1, 0.4) if kind == "pencil" else 0.0
    return Sheet(canvas if colour else canvas[..., 0], rng, digits, labels, ink, threshold, grain)


def shadow(shape: tuple[int, ...], rng: np.random.Generator) -> Alpha:
    """Return the light on a page, between 0.45 and 1: a slow gradient and the soft edge of a shadow."""
    ys, xs = np.mgrid[0:1:88j, 0:1:62j]
    turns = rng.uniform(0, 2 * np.pi, 2)
    across, edge = (np.cos(turn) * (xs - 0.5) + np.sin(turn) * (ys - 0.5) for turn in turns)
    dark = 0.6 * (across + 0.7) / 1.4 + 0.4 / (1 + np.exp(-(edge - rng.uniform(-0.2, 0.3)) / rng.uniform(0.02, 0.08)))
    dark = (dark - dark.min()) / np.ptp(dark)
    light = (1 - rng.uniform(0.35, 0.55) * dark).astype(np.float32)
    return cv2.resize(light, shape[1::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32)


def scan(sheet: Sheet, kind: str) -> tuple[Array, list[TrueNumber]]:
    """Make a scan of a written sheet; return its image and its true numbers."""
    rng = sheet.rng
    # No sheet is perfectly straight on the glass.
    angle = rng.uniform(2, 6) * rng.choice([-1, 1]) if kind == "skewed" else rng.uniform(-0.6, 0.6)
    scale = 0.5 if kind == "dpi150" else float(rng.choice([1.0, 2 / 3, 0.5])) if kind == "dotted" else 1.0
    blur = rng.uniform(0.8, 1.8) if kind == "photo" else 0.0
    width, height = round(WIDTH * scale), round(HEIGHT * scale)
    turn = np.asarray(cv2.getRotationMatrix2D(((WIDTH - 1) / 2, (HEIGHT - 1) / 2), float(angle), scale), np.float64)
    turn[:, 2] += np.array([width - WIDTH, height - HEIGHT]) / 2
    paper = np.atleast_1d(np.median(sheet.canvas[::50, ::50], axis=(0, 1))).tolist()
    image = cv2.warpAffine(sheet.canvas, turn, (width, height), borderValue=paper)
    for _ in range(int(rng.integers(0, 121))):
        x, y, side = int(rng.integers(width)), int(rng.integers(height)), int(rng.integers(1, 4))
        image[y : y + side, x : x + int(rng.integers(1, 4))] = int(rng.uniform(60, 190))
    light = shadow(image.shape, rng) if kind == "photo" else None
    image = cv2.GaussianBlur(image, (0, 0), blur) if blur else image
    noisy = np.asarray(rng.standard_normal(image.shape, dtype=np.float32))
    noisy *= rng.uniform(1, 5)
    noisy += image if light is None else image * (light[..., None] if image.ndim == 3 else light)
    numbers: list[TrueNumber] = [
        {"text": "".join(str(g.digit) for g in number), "digits": [ink_box(g, turn, blur) for g in number]}
        for number in sheet.written
    ]
    return np.asarray(noisy.round().clip(0, 255), np.uint8), numbers


def compose(kind: str, digits: Array, labels: Labels, rng: np.random.Generator) -> tuple[Array, list[TrueNumber]]:
    """Compose one page of a kind from white-on-black digits; return its image (grey or BGR) and its true numbers."""
    make = MAKERS[str(rng.choice(SCENE_KINDS)) if kind in SCENES else kind]
    sheet = new_sheet(kind, digits, labels, rng)
    make(sheet)
    return (apply_scene(sheet, kind, make) if kind in SCENES else None) or scan(sheet, kind)


def load(path: Path, split: str) -> tuple[Array, Labels]:
    """Load the digits of a split, or all digits of an npz without splits; blank images are left out."""
    with np.load(path, allow_pickle=False) as data:
        names = (f"x_{split}", f"y_{split}") if f"x_{split}" in data else ("x", "y")
        if not set(names) <= set(data):
            raise typer.BadParameter(f"{path.name} has neither x_{split} and y_{split} nor x and y")
        digits, labels = data[names[0]], data[names[1]].ravel()
    inked = digits.reshape(len(digits), -1).max(axis=1) > 0
    return digits[inked], labels[inked]


def write_pages(
    digits: Array, labels: Labels, kinds: Sequence[str], pages: int, seed: int, out: Path
) -> dict[str, list[TrueNumber]]:
    """Write `pages` composed pages of each kind and truth.json to the folder `out`; return the truth."""
    out.mkdir(parents=True, exist_ok=True)
    truth: dict[str, list[TrueNumber]] = {}
    for each in kinds:
        for index in range(pages):
            # A page depends only on the seed, its kind and its index, not on the other pages.
            rng = np.random.default_rng([seed, zlib.crc32(each.encode()), index])
            image, numbers = compose(each, digits, labels, rng)
            name = f"{each}-{index:03d}" + (".jpg" if rng.random() < JPEG_SHARE else ".png")
            options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if name.endswith("jpg") else []
            if not cv2.imwrite(str(out / name), image, options):
                raise typer.BadParameter(f"cannot write {name} to {out}")
            truth[name] = numbers
    (out / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    return truth


def main(
    digits: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="npz file of white-on-black digits.")],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the pages and truth.json.")],
    split: Annotated[str, typer.Option(help="Split of the npz file: train or test.")] = "test",
    kind: Annotated[list[str] | None, typer.Option(help=f"Kind of page: {', '.join(KINDS)}. May repeat.")] = None,
    pages: Annotated[int, typer.Option(min=1, max=1000, help="Pages of each kind.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same pages.")] = 1000,
) -> None:
    """Compose pages of handwritten digits and write their truth."""
    if unknown := set(kind or ()) - set(KINDS):
        raise typer.BadParameter(f"no such kind: {', '.join(sorted(unknown))}; choose from {', '.join(KINDS)}")
    images, labels = load(digits, split)
    truth = write_pages(images, labels, list(dict.fromkeys(kind or KINDS)), pages, seed, out)
    count = sum(len(number["digits"]) for numbers in truth.values() for number in numbers)
    typer.echo(f"{len(truth)} pages, {count} digits in {out}")


if __name__ == "__main__":
    typer.run(main)
