"""batchocr beside Tesseract and RapidOCR: the same pages, the same scorer, in one run, taking turns.

`python benchmarks/accuracy/rivals.py --data DATA --scorer SCORE.py --rapid-python VENV/bin/python` composes pages from
MNIST's test half and takes the real pages under DATA, has each reader read them, and scores the digits by lines: edit
distance over true digits, which needs no boxes. Tesseract comes with Debian (`tesseract-ocr`); RapidOCR lives in an
environment of its own (`pip install rapidocr onnxruntime`), for it brings another OpenCV.

The rivals find words, which are put together to lines here, with the true slope of the page: so that none loses by how
this is done. All that is no digit is left out of what they read. Each is loaded once; that is not timed.
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
    """A piece of text that a reader found: its left end, its middle, its height, in pixels."""

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
    high, wide = cv2.imread(path.strip()).shape[:2]
    # On a strip its search for lines finds nothing: it is told that there is one.
    whole_page = high > 200 and wide < 3 * high
    result = engine(path.strip(), use_det=whole_page, use_cls=whole_page, use_rec=True)
    texts = result.txts or ()
    whole = np.array([[(0, 0), (wide, 0), (wide, high), (0, high)]] * len(texts), float)
    words = [
        (float(b[:, 0].min()), *map(float, b.mean(axis=0)), float(np.hypot(*(b[3] - b[0]))), t)
        for b, t in zip(result.boxes if whole_page and texts else whole, texts)
    ]
    print("READ " + json.dumps(words), flush=True)
"""


def tesseract(page: Path) -> Words:
    """What Tesseract finds, told to look for digits only, in one block of lines or, on a strip, in one line."""
    picture = cv2.imread(str(page), cv2.IMREAD_GRAYSCALE)
    assert picture is not None, page
    strip = picture.shape[1] > 3 * picture.shape[0]
    command = ["tesseract", str(page), "stdout", "--psm", "7" if strip else "6"]
    command += ["-c", "tessedit_char_whitelist=0123456789", "tsv"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    words: Words = []
    for row in csv.DictReader(out.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] == "5" and row["text"].strip():
            left, top, wide, high = (int(row[side]) for side in ("left", "top", "width", "height"))
            words.append(Word(left, left + wide / 2, top + high / 2, high, row["text"]))
    return words


class Rapid:
    """One RapidOCR kept running for all pages."""

    def __init__(self, python: Path) -> None:
        command = [str(python), "-c", RAPID]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=-1, stdout=-1, stderr=quiet, text=True, bufsize=1)
        self._answer("READY")

    def _answer(self, begins: str) -> str:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith(begins):
                return line.removeprefix(begins)
        raise SystemExit("RapidOCR has ended")

    def __call__(self, page: Path) -> Words:
        assert self.process.stdin
        self.process.stdin.write(f"{page.resolve()}\n")
        self.process.stdin.flush()
        return [Word(*word) for word in json.loads(self._answer("READ "))]


def lines_of(words: Words, slope: float = 0.0) -> list[str]:
    """The digits of each line from the top: words whose middles lie within half a height of each other.

    `slope` is by how much lines fall to the right, pixels down for each across.
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
    """By how much the lines of a page fall to the right: the median over its longer numbers."""
    slopes = []
    for number in numbers:
        (_, x0, y0, w0, h0), (_, x1, y1, w1, h1) = number["digits"][0], number["digits"][-1]
        if len(number["digits"]) > 4:
            slopes.append((y1 + h1 / 2 - y0 - h0 / 2) / (x1 + w1 / 2 - x0 - w0 / 2))
    return float(np.median(slopes)) if len(slopes) > 4 else 0.0


def true_lines(numbers: Sequence[dict[str, Any]]) -> list[str]:
    """The rows of a page's truth, from the boxes of its digits."""
    words: Words = []
    for number in numbers:
        left, top, wide, high = np.array([digit[1:5] for digit in number["digits"]], float).T
        ends = left.min(), (left + wide).max()
        words.append(
            Word(ends[0], sum(ends) / 2, float(np.mean(top + high / 2)), float(np.median(high)), number["text"])
        )
    return lines_of(words, true_slope(numbers))


def write_rows(pages: Sequence[Path], found: Sequence[list[str]], out: Path) -> None:
    """Lines of digits as the scorer takes them."""
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "page", "line", "number", "position", "digit"])
        for page, lines in zip(pages, found, strict=True):
            for line, text in enumerate(lines, 1):
                writer.writerows([page.name, 1, line, 1, at, digit] for at, digit in enumerate(text, 1))


def ours(reader: Reader, page: Path) -> list[str]:
    """The lines of batchocr's own rows."""
    lines: dict[int, str] = {}
    for result in reader.pages(page):
        for row in result.digits:
            lines[row.line] = lines.get(row.line, "") + str(row.digit)
    return list(lines.values())


def figures(scorer: Path, truth: Path, rows: Path) -> dict[str, Any]:
    command = [sys.executable, str(scorer), "rows", str(truth), str(rows)]
    scored = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(scored.splitlines()[-1])
    return found


def main(
    data: Annotated[Path, typer.Option(help="A folder with mnist.npz and the real pages.")],
    scorer: Annotated[Path, typer.Option(help="The scorer.")],
    rapid_python: Annotated[Path | None, typer.Option(help="The Python of RapidOCR's environment.")] = None,
    pages: Annotated[int, typer.Option(help="Composed pages a kind; 0 for none.")] = 3,
    seed: Annotated[int, typer.Option(help="Of the composed pages.")] = 6000,
    cases: Annotated[Path | None, typer.Option(help="A folder of drawn cases, read as well.")] = None,
    reader: Annotated[list[str] | None, typer.Option(help="Only this one; may repeat.")] = None,
) -> None:
    """Print a table: digits wrong, rows exact, seconds a page, for each reader and kind of page."""
    readers: dict[str, Callable[[Path], Words]] = {}
    wanted_readers = reader or (OURS, "Tesseract", "RapidOCR")
    if "Tesseract" in wanted_readers and shutil.which("tesseract"):
        readers["Tesseract"] = tesseract
    if "RapidOCR" in wanted_readers and rapid_python:
        readers["RapidOCR"] = Rapid(rapid_python)
    own = Reader() if OURS in wanted_readers else None
    if own:
        own.read(np.full((200, 400), 255, np.uint8))
    pictures, labels = load(data / "mnist.npz", "test")
    typer.echo("| pages | reader | digits wrong | rows exact | extra digits a page | seconds a page |")
    typer.echo("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        known = write_pages(pictures, labels, list(KINDS), pages, seed, work / "composed")
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
