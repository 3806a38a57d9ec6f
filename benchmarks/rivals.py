"""batchocr beside Tesseract and RapidOCR: the same pages, the same scorer, in one run, taking turns.

`python benchmarks/rivals.py --data DATA --scorer SCORE.py --rapid-python VENV/bin/python` composes pages from MNIST's
test half and takes the real pages under DATA, has each reader read them, and scores the digits by lines: edit distance
over true digits, which needs no boxes. Tesseract comes with Debian (`tesseract-ocr`); RapidOCR lives in an environment
of its own (`pip install rapidocr onnxruntime`), for it brings another OpenCV.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pages import load, write_pages
from printed import KINDS

REAL = ("orand-car-a/val", "tally-forms", "nist-form")
Words = list[tuple[float, float, float, str]]
"""Left, middle and height in pixels, and the text, of each piece of text that a reader found."""

RAPID = """
import json, sys
from rapidocr import RapidOCR
engine = RapidOCR()
for path in sys.stdin:
    result = engine(path.strip())
    boxes = [] if result.boxes is None else result.boxes
    words = [
        (float(b[:, 0].min()), float(b[:, 1].mean()), float(b[:, 1].max() - b[:, 1].min()), t)
        for b, t in zip(boxes, result.txts or ())
    ]
    print("READ " + json.dumps(words), flush=True)
"""


def tesseract(pages: Sequence[Path]) -> list[Words]:
    """What Tesseract finds, told to look for digits only."""
    found = []
    for page in pages:
        command = ["tesseract", str(page), "stdout", "--psm", "6", "-c", "tessedit_char_whitelist=0123456789", "tsv"]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        words: Words = []
        for row in csv.DictReader(out.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["level"] == "5" and row["text"].strip():
                top, high = float(row["top"]), float(row["height"])
                words.append((float(row["left"]), top + high / 2, high, row["text"]))
        found.append(words)
    return found


def rapid(python: Path) -> Callable[[Sequence[Path]], list[Words]]:
    """A reader that keeps one RapidOCR running for all pages."""

    def read(pages: Sequence[Path]) -> list[Words]:
        text = "".join(f"{page}\n" for page in pages)
        out = subprocess.run([str(python), "-c", RAPID], input=text, check=True, capture_output=True, text=True).stdout
        return [json.loads(line.removeprefix("READ ")) for line in out.splitlines() if line.startswith("READ ")]

    return read


def lines_of(words: Words) -> list[str]:
    """The digits of each line from the top: words whose middles lie within half a height of each other."""
    rows: list[list[tuple[float, float, float, str]]] = []
    for word in sorted(words, key=lambda w: w[1]):
        if rows and word[1] - rows[-1][-1][1] < 0.5 * min(word[2], rows[-1][-1][2]):
            rows[-1].append(word)
        else:
            rows.append([word])
    return ["".join(c for word in sorted(row) for c in word[3] if c.isascii() and c.isdigit()) for row in rows]


def true_lines(numbers: Sequence[dict[str, Any]]) -> list[str]:
    """The rows of a page's truth, from the boxes of its digits."""
    words: Words = []
    for number in numbers:
        boxes = [digit[1:5] for digit in number["digits"]]
        top, bottom = min(b[1] for b in boxes), max(b[1] + b[3] for b in boxes)
        words.append((min(b[0] for b in boxes), (top + bottom) / 2, bottom - top, number["text"]))
    return lines_of(words)


def write_rows(pages: Sequence[Path], found: Sequence[list[str]], out: Path) -> None:
    """Lines of digits as the scorer takes them."""
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "page", "line", "number", "position", "digit"])
        for page, lines in zip(pages, found, strict=True):
            for line, text in enumerate(lines, 1):
                writer.writerows([page.name, 1, line, 1, at, digit] for at, digit in enumerate(text, 1))


def ours(pages: Sequence[Path], out: Path) -> None:
    command = [sys.executable, "-m", "batchocr", "run", *map(str, pages), "--out", str(out), "--quiet"]
    subprocess.run(command, check=True)


def figures(scorer: Path, truth: Path, rows: Path) -> dict[str, Any]:
    command = [sys.executable, str(scorer), "rows", str(truth), str(rows)]
    scored = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(scored.splitlines()[-1])
    return found


def main(
    data: Annotated[Path, typer.Option(help="A folder with mnist.npz and the real pages.")],
    scorer: Annotated[Path, typer.Option(help="The scorer.")],
    rapid_python: Annotated[Path | None, typer.Option(help="The Python of RapidOCR's environment.")] = None,
    pages: Annotated[int, typer.Option(help="Composed pages a kind.")] = 3,
    seed: Annotated[int, typer.Option(help="Of the composed pages.")] = 6000,
) -> None:
    """Print a table: digits wrong, rows exact, seconds a page, for each reader and kind of page."""
    readers: dict[str, Callable[[Sequence[Path]], list[Words]]] = {}
    if shutil.which("tesseract"):
        readers["Tesseract"] = tesseract
    if rapid_python:
        readers["RapidOCR"] = rapid(rapid_python)
    pictures, labels = load(data / "mnist.npz", "test")
    typer.echo("| pages | reader | digits wrong | rows exact | extra digits a page | seconds a page |")
    typer.echo("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_pages(pictures, labels, list(KINDS), pages, seed, work / "composed")
        known = json.loads((work / "composed" / "truth.json").read_text(encoding="utf-8"))
        sets = {
            f"composed, {kind}": (work / "composed", [name for name in known if name.rsplit("-", 1)[0] == kind])
            for kind in KINDS
        }
        for name in REAL:
            sets[name] = (data / name, sorted(json.loads((data / name / "truth.json").read_text(encoding="utf-8"))))
        for what, (where, names) in sets.items():
            full = json.loads((where / "truth.json").read_text(encoding="utf-8"))
            truth, rows = work / "truth.json", work / "rows.csv"
            wanted = {n: full[n] if isinstance(full[n], dict) else {"rows": true_lines(full[n])} for n in names}
            truth.write_text(json.dumps(wanted), encoding="utf-8")
            files = [where / name for name in names]
            for reader in ("batchocr", *readers):
                start = time.perf_counter()
                if reader == "batchocr":
                    ours(files, rows)
                else:
                    write_rows(files, [lines_of(words) for words in readers[reader](files)], rows)
                spent = (time.perf_counter() - start) / len(files)
                f = figures(scorer, truth, rows)
                typer.echo(
                    f"| {what} | {reader} | {f['digit_error']:.1%} | {f['rows_exact']:.1%} | "
                    f"{f['extra_digits_a_page']} | {spent:.2f} |"
                )


if __name__ == "__main__":
    typer.run(main)
