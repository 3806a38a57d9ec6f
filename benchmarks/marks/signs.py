"""Measure how many numbers with signs are read exactly, signs included.

`python benchmarks/marks/signs.py --data DATA` draws the dates, prices, times and phone numbers of UNIPEN's held-out
writers several times with different pens, sizes and papers. It prints how many `text` cells are exactly right.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from reading import read_files

from batchocr.datasets.held_out import kept_out
from batchocr.training.synthesis.ink_files import InkFile
from batchocr.training.synthesis.pen import Strokes

WRITTEN = re.compile(r"[0-9.,/:+\- ]*[0-9][0-9.,/:+\- ]*")
"""Matches lines that contain only digits, signs and spaces."""
WITH_SIGN = re.compile(r"[0-9] ?[.,/:-] ?[0-9]|^[-+]")
"""Matches a sign between digits or before them."""


def on_paper(strokes: Strokes, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw strokes in ink on plain or ruled paper."""
    points = np.concatenate(list(strokes))
    lower, upper = points.min(axis=0), points.max(axis=0)
    height = float(rng.uniform(40, 110))
    scale = height / max(1.0, float(upper[1] - lower[1]), 0.25 * float(upper[0] - lower[0]))
    margin = float(rng.uniform(0.5, 1.5)) * height
    paper_width, paper_height = ((upper - lower) * scale + 2 * margin).astype(int).tolist()
    paper = np.full((paper_height, paper_width), rng.uniform(215, 252), np.float32)
    if rng.random() < 0.5:
        bottom = round(margin + height + rng.uniform(-2, 6))
        cv2.line(paper, (0, bottom), (paper_width, bottom), float(rng.uniform(120, 200)), int(rng.integers(1, 4)))
    ink, pen = float(rng.uniform(20, 110)), max(1, round(height * rng.uniform(0.03, 0.09)))
    for stroke in strokes:
        scaled = (((stroke - lower) * scale + margin) * 16).round().astype(np.int32)
        cv2.polylines(paper, [scaled], False, ink, pen, cv2.LINE_AA, 4)
    paper = cv2.GaussianBlur(paper, (0, 0), float(rng.uniform(0.4, 1.2))) + rng.normal(
        0, rng.uniform(0, 6), paper.shape
    )
    return np.clip(paper, 0, 255).astype(np.uint8)


def main(
    data: Annotated[Path, typer.Option(help="Folder of the public data.")],
    times: Annotated[int, typer.Option(help="How often each line with signs is drawn.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the drawing.")] = 9200,
    keep: Annotated[Path | None, typer.Option(help="Folder in which strips and results are kept.")] = None,
) -> None:
    """Print one row for lines with signs and one for lines without."""
    file = InkFile.load(data / "unipen" / "numbers.npz")
    with tempfile.TemporaryDirectory() as temporary:
        work = keep or Path(temporary)
        (work / "strips").mkdir(parents=True, exist_ok=True)
        true: dict[str, str] = {}
        for i in range(len(file)):
            label = file.text("label", i)
            if int(file.text("lines", i)) != 1 or not kept_out(f"unipen {file.text('writer', i)}"):
                continue
            if not WRITTEN.fullmatch(label):
                continue
            for again in range(times if WITH_SIGN.search(label) else 1):
                name = f"{i:05}-{again}.png"
                image = on_paper(file.strokes(i), np.random.default_rng((seed, i, again)))
                cv2.imwrite(str(work / "strips" / name), image)
                true[name] = label.rstrip(".,:;-/ ").replace(" ", "")  # a sign after the last digit is not in `text`
        read = read_files(work / "strips", work / "results.csv")
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for name, label in sorted(true.items()):
        kind = "with signs" if WITH_SIGN.search(label) else "digits only"
        text = "".join(number["text"] for number in read[name].numbers)
        right = text == label
        marked = bool(read[name].page_marks) or any(number["review"] for number in read[name].numbers)
        counts.update([kind, f"{kind} right"] if right else [kind])
        counts[f"{kind} silent"] += not right and not marked
        if not right and kind == "with signs":
            wrong.append(f"{name}: {label} read as {text}")
    typer.echo("| lines | count | text exact | wrong without mark |\n|---|---|---|---|")
    for kind in ("with signs", "digits only"):
        count, right_share, silent = (counts[key] for key in (kind, f"{kind} right", f"{kind} silent"))
        typer.echo(f"| {kind} | {count} | {right_share / count:.1%} | {silent / count:.1%} |")
    for line in wrong[:40]:
        typer.echo(line)


if __name__ == "__main__":
    typer.run(main)
