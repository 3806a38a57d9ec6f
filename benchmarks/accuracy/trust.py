"""Whether confidences can be trusted: what `batchocr run --max-error` accepts, and how much of that is wrong.

`python benchmarks/accuracy/trust.py --digits mnist.npz` composes pages from MNIST's test half, reads them with the
command, and counts from results.csv: digits accepted are those that are not marked `low-confidence`; wrong are those
whose digit is another, and those where no digit stands.
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
    """The rows of each file, as they stand in the CSV that the command wrote."""
    out = folder / "results.csv"
    command = [sys.executable, "-m", "batchocr", "run", str(folder), "--out", str(out), "--quiet", "--fresh"]
    given = ["--model", str(model)] if model else []
    subprocess.run([*command, "--max-error", str(max_error), *given], check=True)
    rows: dict[str, list[DigitRow]] = {}
    for record in pd.read_csv(out, keep_default_na=False).to_dict("records"):
        row = DigitRow(**{str(name): value for name, value in record.items()})
        rows.setdefault(row.file, []).append(row)
    return rows


def main(
    digits: Annotated[Path, typer.Option(help="MNIST as an .npz.")],
    seed: Annotated[int, typer.Option(help="Of the composed pages.")] = 5000,
    pages: Annotated[int, typer.Option(help="Pages a kind.")] = 5,
    max_error: Annotated[float, typer.Option(help="As `batchocr run` takes it.")] = 0.001,
    model: Annotated[Path | None, typer.Option(help="Another model than the shipped one.")] = None,
) -> None:
    """Print a table."""
    pictures, labels = load(digits, "test")
    head = "| pages | digits read | calibration error | accepted | wrong among them |"
    typer.echo(f"{head}\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        write_pages(pictures, labels, list(KINDS), pages, seed, folder)
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        rows = read(folder, max_error, model)
        for kind in KINDS:
            known = {name: numbers for name, numbers in truth.items() if name.rsplit("-", 1)[0] == kind}
            figures, pairs = score_boxes(known, rows)
            # in the same order as the pairs: one and the same call on the accepted rows alone
            sure = {name: [row for row in rows.get(name, []) if "low-confidence" not in row.review] for name in known}
            _, accepted = score_boxes(known, sure)
            count, wrong = len(accepted.true), int((~accepted.right).sum())
            share, error = count / max(1, len(pairs.true)), wrong / max(1, count)
            ece = figures["expected_calibration_error"]
            typer.echo(f"| {kind} | {len(pairs.true)} | {ece:.2%} | {share:.1%} | {wrong} ({error:.2%}) |")


if __name__ == "__main__":
    typer.run(main)
