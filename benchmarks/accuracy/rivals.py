"""Compare batchocr with Tesseract and RapidOCR on the same pages with the same scorer.

`python benchmarks/accuracy/rivals.py --data DATA --scorer SCORE.py --rapid-python VENV/bin/python` composes pages from
MNIST's test half and takes the real pages in DATA. Each program reads them in turn. The digits are scored by lines:
edit distance divided by the number of true digits, which needs no boxes. Tesseract is a Debian package
(`tesseract-ocr`). RapidOCR needs its own environment (`pip install rapidocr onnxruntime`), because it installs another
OpenCV.

The other programs find words. They are joined into lines with the true slope of the page, so that no program is at a
disadvantage. Characters other than digits are removed. Each program is loaded once, which is not timed.
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
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
import typer

sys.path.append(str(Path(__file__).parents[1] / "pages"))
from compose import load, write_pages
from page_kinds import KINDS

from batchocr import Reader

REAL = ("orand-car-a/val", "lectaurep/val", "copiste/val", "tally-forms", "nist-form")
OURS = "batchocr"


class Word(NamedTuple):
    """A piece of text: left edge, centre and height in pixels, and its content."""

    left: float
    x: float
    y: float
    height: float
    text: str


Words = list[Word]

RAPID = """
import json, sys
import cv2
import numpy as np
from rapidocr import RapidOCR
engine = RapidOCR()
print("READY", flush=True)
for path in sys.stdin:
    height, width = cv2.imread(path.strip()).shape[:2]
    # Its text detection finds nothing on a strip, so a strip is passed as one line.
    whole_page = height > 200 and width < 3 * height
    result = engine(path.strip(), use_det=whole_page, use_cls=whole_page, use_rec=True)
    texts = result.txts or ()
    whole = np.array([[(0, 0), (width, 0), (width, height), (0, height)]] * len(texts), float)
    words = [
        (float(b[:, 0].min()), *map(float, b.mean(axis=0)), float(np.hypot(*(b[3] - b[0]))), t)
        for b, t in zip(result.boxes if whole_page and texts else whole, texts)
    ]
    print("READ " + json.dumps(words), flush=True)
"""


def tesseract(page: Path) -> Words:
    """Read a page with Tesseract, limited to digits, as one block of lines, or as one line if it is a strip."""
    image = cv2.imread(str(page), cv2.IMREAD_GRAYSCALE)
    assert image is not None, page
    strip = image.shape[1] > 3 * image.shape[0]
    command = ["tesseract", str(page), "stdout", "--psm", "7" if strip else "6"]
    command += ["-c", "tessedit_char_whitelist=0123456789", "tsv"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    words: Words = []
    for row in csv.DictReader(out.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] == "5" and row["text"].strip():
            left, top, width, height = (int(row[side]) for side in ("left", "top", "width", "height"))
            words.append(Word(left, left + width / 2, top + height / 2, height, row["text"]))
    return words


class Rapid:
    """A RapidOCR process that reads all pages."""

    def __init__(self, python: Path) -> None:
        command = [str(python), "-c", RAPID]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=-1, stdout=-1, stderr=quiet, text=True, bufsize=1)
        self._reply("READY")

    def _reply(self, prefix: str) -> str:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith(prefix):
                return line.removeprefix(prefix)
        raise SystemExit("RapidOCR ended")

    def __call__(self, page: Path) -> Words:
        assert self.process.stdin
        self.process.stdin.write(f"{page.resolve()}\n")
        self.process.stdin.flush()
        return [Word(*word) for word in json.loads(self._reply("READ "))]


def lines_of(words: Words, slope: float = 0.0) -> list[str]:
    """Return the digits of each line from the top. Words of a line have centres within half a height of each other.

    `slope` is the slope of the lines: pixels downwards per pixel to the right.
    """
    level = sorted((word._replace(y=word.y - slope * word.x) for word in words), key=lambda word: word.y)
    rows: list[Words] = []
    for word in level:
        if rows and word.y - np.mean([w.y for w in rows[-1]]) < 0.5 * min(word.height, rows[-1][-1].height):
            rows[-1].append(word)
        else:
            rows.append([word])
    return ["".join(c for word in sorted(row) for c in word.text if c.isascii() and c.isdigit()) for row in rows]


def true_slope(numbers: Sequence[dict[str, Any]]) -> float:
    """Return the slope of the lines of a page: the median over its longer numbers."""
    slopes = []
    for number in numbers:
        (_, x0, y0, w0, h0), (_, x1, y1, w1, h1) = number["digits"][0], number["digits"][-1]
        if len(number["digits"]) > 4:
            slopes.append((y1 + h1 / 2 - y0 - h0 / 2) / (x1 + w1 / 2 - x0 - w0 / 2))
    return float(np.median(slopes)) if len(slopes) > 4 else 0.0


def true_lines(numbers: Sequence[dict[str, Any]]) -> list[str]:
    """Return the true lines of a page from the boxes of its digits."""
    words: Words = []
    for number in numbers:
        left, top, width, height = np.array([digit[1:5] for digit in number["digits"]], float).T
        ends = left.min(), (left + width).max()
        words.append(
            Word(ends[0], sum(ends) / 2, float(np.mean(top + height / 2)), float(np.median(height)), number["text"])
        )
    return lines_of(words, true_slope(numbers))


def write_rows(pages: Sequence[Path], found: Sequence[list[str]], out: Path) -> None:
    """Write lines of digits in the format of the scorer."""
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "page", "line", "number", "position", "digit"])
        for page, lines in zip(pages, found, strict=True):
            for line, text in enumerate(lines, 1):
                writer.writerows([page.name, 1, line, 1, at, digit] for at, digit in enumerate(text, 1))


def ours(reader: Reader, page: Path) -> list[str]:
    """Read a page with batchocr and return its lines of digits."""
    lines: dict[int, str] = {}
    for result in reader.pages(page):
        for row in result.digits:
            lines[row.line] = lines.get(row.line, "") + str(row.digit)
    return list(lines.values())


def figures(scorer: Path, truth: Path, rows: Path) -> dict[str, Any]:
    """Return the figures of the scorer."""
    command = [sys.executable, str(scorer), "rows", str(truth), str(rows)]
    scored = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(scored.splitlines()[-1])
    return found


def main(
    data: Annotated[Path, typer.Option(help="Folder with mnist.npz and the real pages.")],
    scorer: Annotated[Path, typer.Option(help="Program that scores results against a truth.")],
    rapid_python: Annotated[Path | None, typer.Option(help="Python of RapidOCR's environment.")] = None,
    pages: Annotated[int, typer.Option(help="Composed pages of each kind; 0 for none.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the composed pages.")] = 6000,
    cases: Annotated[Path | None, typer.Option(help="Folder of drawn cases, to be read too.")] = None,
    reader: Annotated[list[str] | None, typer.Option(help="Use only this program. May repeat.")] = None,
) -> None:
    """Print a table of errors and times for each program and kind of page."""
    readers: dict[str, Callable[[Path], Words]] = {}
    wanted_readers = reader or (OURS, "Tesseract", "RapidOCR")
    if "Tesseract" in wanted_readers and shutil.which("tesseract"):
        readers["Tesseract"] = tesseract
    if "RapidOCR" in wanted_readers and rapid_python:
        readers["RapidOCR"] = Rapid(rapid_python)
    own = Reader() if OURS in wanted_readers else None
    if own:
        own.read(np.full((200, 400), 255, np.uint8))
    images, labels = load(data / "mnist.npz", "test")
    typer.echo("| pages | program | wrong digits | exact rows | extra digits per page | seconds per page |")
    typer.echo("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        known = write_pages(images, labels, list(KINDS), pages, seed, work / "composed")
        real = {name: data / name for name in REAL} | ({"cases": cases} if cases else {})
        sets = {
            name: (scans, sorted(json.loads((scans / "truth.json").read_text("utf-8")))) for name, scans in real.items()
        }
        for kind in KINDS:
            of_kind = [name for name in known if name.rsplit("-", 1)[0] == kind]
            if of_kind:
                sets[f"composed, {kind}"] = (work / "composed", of_kind)
        for what, (where, names) in sets.items():
            full = json.loads((where / "truth.json").read_text(encoding="utf-8"))
            truth, rows = work / "truth.json", work / "rows.csv"
            wanted = {n: full[n] if isinstance(full[n], dict) else {"rows": true_lines(full[n])} for n in names}
            truth.write_text(json.dumps(wanted), encoding="utf-8")
            files = [where / name for name in names]
            slopes = [true_slope(full[n]) if isinstance(full[n], list) else 0.0 for n in names]
            for name in (*([OURS] if own else []), *readers):
                start = time.perf_counter()
                if own and name == OURS:
                    found = [ours(own, file) for file in files]
                else:
                    words = [readers[name](file) for file in files]
                    found = [lines_of(of_page, slope) for of_page, slope in zip(words, slopes, strict=True)]
                spent = (time.perf_counter() - start) / len(files)
                write_rows(files, found, rows)
                f = figures(scorer, truth, rows)
                typer.echo(
                    f"| {what} | {name} | {f['digit_error']:.1%} | {f['rows_exact']:.1%} | "
                    f"{f['extra_digits_a_page']} | {spent:.2f} |"
                )


if __name__ == "__main__":
    typer.run(main)
