"""Measure how many digits `batchocr run --max-error` accepts, and how many of these are wrong.

`python benchmarks/accuracy/trust.py --digits mnist.npz` composes pages from MNIST's test half, reads them with the
command, and counts the rows of results.csv. A digit is accepted if it is not marked `low-confidence`. It is wrong if
another digit, or no digit, is written there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

sys.path.append(str(Path(__file__).parents[1] / "pages"))
from compose import load, write_pages

from batchocr.evaluation.page_scores import score_boxes
from batchocr.records import DigitRow

KINDS = ("plain", "ruled", "pencil", "photo", "dpi150", "dense", "skewed")


def read(folder: Path, max_error: float, model: Path | None) -> dict[str, list[DigitRow]]:
    """Read the pages of a folder with the command and return the rows of each file from its CSV."""
    out = folder / "results.csv"
    command = [sys.executable, "-m", "batchocr", "run", str(folder), "--out", str(out), "--quiet", "--fresh"]
    options = ["--model", str(model)] if model else []
    subprocess.run([*command, "--max-error", str(max_error), *options], check=True)
    rows: dict[str, list[DigitRow]] = {}
    for record in pd.read_csv(out, keep_default_na=False).to_dict("records"):
        row = DigitRow(**{str(name): value for name, value in record.items()})
        rows.setdefault(row.file, []).append(row)
    return rows


def main(
    digits: Annotated[Path, typer.Option(help="MNIST as an .npz file.")],
    seed: Annotated[int, typer.Option(help="Seed of the composed pages.")] = 5000,
    pages: Annotated[int, typer.Option(help="Pages of each kind.")] = 5,
    max_error: Annotated[float, typer.Option(help="Passed to batchocr run.")] = 0.001,
    model: Annotated[Path | None, typer.Option(help="Classifier; the default is the shipped one.")] = None,
) -> None:
    """Print a row for each kind of page."""
    images, labels = load(digits, "test")
    head = "| pages | digits read | calibration error | accepted | wrong of these |"
    typer.echo(f"{head}\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        write_pages(images, labels, list(KINDS), pages, seed, folder)
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        rows = read(folder, max_error, model)
        for kind in KINDS:
            known = {name: numbers for name, numbers in truth.items() if name.rsplit("-", 1)[0] == kind}
            figures, pairs = score_boxes(known, rows)
            # score only the accepted rows
            sure = {name: [row for row in rows.get(name, []) if "low-confidence" not in row.review] for name in known}
            _, accepted = score_boxes(known, sure)
            count, wrong = len(accepted.true), int((~accepted.right).sum())
            share, error = count / max(1, len(pairs.true)), wrong / max(1, count)
            ece = figures["expected_calibration_error"]
            typer.echo(f"| {kind} | {len(pairs.true)} | {ece:.2%} | {share:.1%} | {wrong} ({error:.2%}) |")


if __name__ == "__main__":
    typer.run(main)
