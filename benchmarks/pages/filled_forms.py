"""Fill in a form with digits of real writers, one writer a page, and write the truth.

    python benchmarks/pages/filled_forms.py --form samples/forms/form.toml --digits mnist.npz \\
        --writers mnist_writers.npz --out DIR --pages 40
    batchocr run DIR/pages --form samples/forms/form.toml --out results.csv
    python benchmarks/accuracy/forms.py DIR/truth.csv results.fields.csv

With `--ids N` the form is a sheet of ID numbers with a check digit, half of them in cells and half in boxes without
cells. The folder then also has the form files `ids.toml` and `ids-without-rules.toml`.

`truth.csv` has the columns `file,page,field,kind,text,note`. The note is `wrong-sum` for a total that is written wrong,
and `crossed-out` for a field in which something is crossed out. The name of a page begins with the way it was taken:
`scan`, `skewed`, `fax` or `photo`. Lengths are pixels at 300 dpi.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from desk import DESKS, photograph
from form_values import Habits, answers
from form_writing import CAREFUL, POOR, Pen, write_form
from id_sheet import write_id_forms
from sheet import MM, Array, Labels, Sheet

from batchocr.forms.form import Form
from batchocr.forms.load import load_form

TAKEN = ("scan", "fax", "photo", "skewed", "scan")
"""The ways in which pages are taken, in turn."""
COLUMNS = ("file", "page", "field", "kind", "text", "note")
IDS_ON_A_PAGE = 20
MIN_DARKNESS_OF_FAX = 0.8
MAX_EMPTY = 0.02
"""Ink of a digit, as a mean over its image, below which the image is empty."""


def load_writers(path: Path, writers: Path | None, split: str) -> list[tuple[Array, Labels]]:
    """Load digits and return images and labels of each writer who wrote all ten digits.

    Args:
        path: npz file of white-on-black digits: x_<split> and y_<split>, or x, y and perhaps writer.
        writers: npz file with <split>_writer, the writer of each digit, for digits without writers.
        split: train or test.
    """
    with np.load(path, allow_pickle=False) as data:
        names = (f"x_{split}", f"y_{split}") if f"x_{split}" in data else ("x", "y")
        if not set(names) <= set(data):
            raise typer.BadParameter(f"{path.name} has neither x_{split} and y_{split} nor x and y")
        digits, labels = data[names[0]], data[names[1]].ravel()
        owner = data.get("writer")
    if writers:
        with np.load(writers, allow_pickle=False) as data:
            owner = data[f"{split}_writer"]
    if owner is None or len(owner) != len(digits):
        raise typer.BadParameter(f"the writers of the digits in {path.name} are not known: give them with --writers")
    inked = digits.reshape(len(digits), -1).mean(axis=1) > MAX_EMPTY * 255
    found = []
    for writer in np.unique(owner):
        own = inked & (owner == writer)
        if len(np.unique(labels[own])) == 10:
            found.append((digits[own], labels[own].astype(np.int64)))
    if not found:
        raise typer.BadParameter(f"no writer of {path.name} wrote all ten digits")
    return found


def printed_sheet(form: Form, poor: bool, rng: np.random.Generator) -> Sheet:
    """Return a printed sheet of paper and a pen: black or blue ink, or pencil."""
    size = (round(form.width_mm * MM), round(form.height_mm * MM))
    blank = np.full(size[::-1], 255, np.uint8)
    if form.image is not None:
        if form.image.is_filled:
            raise typer.BadParameter(f"the image of {form.name} is filled in: a blank form is needed")
        blank = np.asarray(cv2.resize(form.image.pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    kind = str(rng.choice(["black", "blue", "pencil"], p=[0.4, 0.4, 0.2]))
    grey = rng.uniform(100, 150) if kind == "pencil" else rng.uniform(10, 80)
    ink = (rng.uniform(120, 190), rng.uniform(40, 90), rng.uniform(15, 70)) if kind == "blue" else (grey,) * 3
    paper = rng.uniform(235, 255) - np.array([rng.uniform(0, 8), rng.uniform(0, 3), 0])
    canvas = np.asarray((blank[..., None] / 255.0 * paper).round(), np.uint8)
    threshold, grain = rng.uniform(0.36, 0.5), rng.uniform(0.1, 0.4) if kind == "pencil" or poor else 0.0
    none = np.zeros((0, 28, 28), np.uint8)
    return Sheet(canvas, rng, none, np.zeros(0, np.int64), ink, threshold, grain)


def scanned(sheet: Sheet, skewed: bool, dpi: int) -> Array:
    """Scan a sheet that is not quite straight on the glass, in grey or in colour."""
    rng, scale = sheet.rng, dpi / 300
    height, width = sheet.canvas.shape[:2]
    angle = rng.uniform(2, 5) * rng.choice([-1, 1]) if skewed else rng.uniform(-0.8, 0.8)
    size = (round(width * scale), round(height * scale))
    turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), float(angle), scale), np.float64)
    turn[:, 2] += (np.array(size) - (width, height)) / 2 + rng.uniform(-2, 2, 2) * MM * scale
    paper = np.median(sheet.canvas[::50, ::50], axis=(0, 1)).tolist()
    image = cv2.warpAffine(sheet.canvas, turn, size, flags=cv2.INTER_AREA, borderValue=paper)
    if scale < 1:
        image = cv2.GaussianBlur(image, (0, 0), 0.4)
    for _ in range(int(rng.integers(0, 80))):
        x, y, side = int(rng.integers(size[0])), int(rng.integers(size[1])), int(rng.integers(1, 4))
        image[y : y + side, x : x + int(rng.integers(1, 4))] = int(rng.uniform(60, 190))
    if rng.random() < 0.5:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    noise = rng.uniform(1, 5) * rng.standard_normal(image.shape, dtype=np.float32)
    return np.asarray((image + noise).round().clip(0, 255), np.uint8)


def faxed(sheet: Sheet) -> Array:
    """Send a sheet by fax: black and white at 200 dpi."""
    image = scanned(sheet, False, 200)
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return np.where(grey > sheet.rng.uniform(140, 185), 255, 0).astype(np.uint8)


def take(sheet: Sheet, how: str) -> Array:
    """Return the image of a sheet, taken in one of the ways of TAKEN."""
    if how == "fax":
        return faxed(sheet)
    if how == "photo":
        return photograph(sheet, str(sheet.rng.choice(DESKS)))[0]
    return scanned(sheet, how == "skewed", int(sheet.rng.choice([150, 200, 300])))


def write_pages(
    form: Form, writers: list[tuple[Array, Labels]], pages: int, seed: int, poor: bool, habits: Habits, out: Path
) -> int:
    """Write filled pages to out/pages and their truth to out/truth.csv; return the number of fields."""
    (out / "pages").mkdir(parents=True, exist_ok=True)
    kinds = {
        field.name: field.kind if field.cells or field.kind == "mark" else f"{field.kind} in a box"
        for field in form.fields
    }
    rows = []
    for index in range(pages):
        # A page depends only on the seed and its index, not on the number of pages.
        rng = np.random.default_rng([seed, index])
        digits, labels = writers[int(rng.integers(len(writers)))]
        how, care = TAKEN[index % len(TAKEN)], POOR if poor else CAREFUL
        sheet = printed_sheet(form, poor, rng)
        darkness = float(rng.uniform(*care.darkness))
        if how == "fax":  # pale ink does not come through a fax
            darkness = max(darkness, MIN_DARKNESS_OF_FAX)
        pen = Pen(digits, labels, care, sheet.threshold, float(rng.normal(0.03, 0.08)), darkness, rng)
        written = answers(form, habits, rng)
        write_form(sheet, pen, form, written)
        name = f"{how}-{index:03d}.{'jpg' if how == 'photo' else 'png'}"
        options = [cv2.IMWRITE_JPEG_QUALITY, 85] if how == "photo" else []
        if not cv2.imwrite(str(out / "pages" / name), take(sheet, how), options):
            raise typer.BadParameter(f"cannot write {name} to {out}")
        rows += [(name, 1, field, kinds[field], each.text, each.note) for field, each in written.items()]
    with (out / "truth.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(rows)
    return len(rows)


def main(
    digits: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="npz file of white-on-black digits.")],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the pages and truth.csv.")],
    form: Annotated[Path | None, typer.Option(exists=True, help="Form file; not needed with --ids.")] = None,
    writers: Annotated[Path | None, typer.Option(exists=True, help="npz file with the writer of each digit.")] = None,
    split: Annotated[str, typer.Option(help="Split of the npz files: train or test.")] = "test",
    pages: Annotated[int, typer.Option(min=1, max=100_000, help="Number of pages.")] = 40,
    ids: Annotated[int, typer.Option(min=0, max=100_000, help="Number of ID numbers, 20 on a page.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same pages.")] = 1900,
    poor: Annotated[bool, typer.Option("--poor", help="Pale, touching and cut digits.")] = False,
) -> None:
    """Fill in a form and write the truth."""
    habits = Habits()
    if ids:
        out.mkdir(parents=True, exist_ok=True)
        form, pages = write_id_forms(out), -(-ids // IDS_ON_A_PAGE)
        habits = Habits(empty_share=0, crossed_out_share=0)
    if form is None:
        raise typer.BadParameter("give a form file with --form, or --ids")
    count = write_pages(load_form(form), load_writers(digits, writers, split), pages, seed, poor, habits, out)
    typer.echo(f"{pages} pages, {count} fields in {out}")


if __name__ == "__main__":
    typer.run(main)
