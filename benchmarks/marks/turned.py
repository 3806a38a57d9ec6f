"""Measure whether pages turned by quarter turns are read upright or marked, and whether upright pages stay upright.

`python benchmarks/marks/turned.py --data DATA` reads composed pages and the held-out public pages, each upright and
turned by 90, 180 and 270 degrees.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from reading import read_files

from batchocr.datasets.held_out import HELD_OUT_PAGES

sys.path.append(str(Path(__file__).parents[1] / "pages"))
from compose import KINDS, load, write_pages

TURNS = (0, 90, 180, 270)


def main(
    data: Annotated[Path, typer.Option(help="Folder of the public data.")],
    pages: Annotated[int, typer.Option(help="Composed pages of each kind that are turned.")] = 1,
    upright: Annotated[int, typer.Option(help="Further composed pages of each kind that stay upright.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the composed pages.")] = 9400,
) -> None:
    """Print one row for each turn."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        digits, labels = load(data / "mnist.npz", "test")
        names = write_pages(digits, labels, list(KINDS), pages + upright, seed, work / "composed")
        count_of_kind = Counter[str]()
        inputs: list[tuple[Path, bool]] = []
        for name in sorted(names):
            kind = name.rsplit("-", 1)[0]
            inputs.append((work / "composed" / name, count_of_kind[kind] < pages))
            count_of_kind[kind] += 1
        for folder, held_out in HELD_OUT_PAGES.items():
            truth = next((data / folder).glob("*.json"))
            inputs += [(data / folder / name, True) for name in held_out(json.loads(truth.read_text(encoding="utf-8")))]
        inputs += [(path, True) for path in sorted((data / "tally-forms").glob("*_sample_*"))]
        (work / "turned").mkdir()
        for at, (path, is_turned) in enumerate(inputs):
            image = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)
            for turn in TURNS if is_turned else TURNS[:1]:
                turned = np.ascontiguousarray(np.rot90(image, -turn // 90))
                cv2.imwrite(str(work / "turned" / f"{turn:03}-{at:04}.jpg"), turned, [cv2.IMWRITE_JPEG_QUALITY, 90])
        read = read_files(work / "turned", work / "results.csv")
    counts: Counter[tuple[int, str]] = Counter()
    for name, file in read.items():
        turn, (page,) = int(name[:3]), file.pages
        angle = float(page["angle"] or 0) % 360
        upright_again = abs((angle - turn + 180) % 360 - 180) < 45
        counts[turn, "pages"] += 1
        counts[turn, "right"] += upright_again
        counts[turn, "marked"] += not upright_again and "orientation" in page["marks"]
        counts[turn, "wrong, not marked"] += not upright_again and "orientation" not in page["marks"]
        counts[turn, "right, marked"] += upright_again and "orientation" in page["marks"]
    typer.echo(
        "| turned by | pages | upright | of these marked | wrong, marked | wrong, not marked |\n" + "|---" * 6 + "|"
    )
    for turn in TURNS:
        cells = (counts[turn, what] for what in ("pages", "right", "right, marked", "marked", "wrong, not marked"))
        typer.echo(f"| {turn}° | {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    typer.run(main)
