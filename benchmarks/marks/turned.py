"""Pages on their side and on their head: whether they are turned back, or marked; and upright ones that are turned.

`python benchmarks/marks/turned.py --data DATA` reads composed pages and the public pages that are measured on, as they
are and by 90, 180 and 270 degrees.
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
    data: Annotated[Path, typer.Option(help="The folder of public data.")],
    pages: Annotated[int, typer.Option(help="Composed pages a kind that are turned.")] = 1,
    upright: Annotated[int, typer.Option(help="More composed pages a kind that are not.")] = 0,
    seed: Annotated[int, typer.Option()] = 9400,
) -> None:
    """Print a row a turn."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        digits, labels = load(data / "mnist.npz", "test")
        names = write_pages(digits, labels, list(KINDS), pages + upright, seed, work / "composed")
        of_kind = Counter[str]()
        given: list[tuple[Path, bool]] = []
        for name in sorted(names):
            kind = name.rsplit("-", 1)[0]
            given.append((work / "composed" / name, of_kind[kind] < pages))
            of_kind[kind] += 1
        for folder, held_out in HELD_OUT_PAGES.items():
            truth = next((data / folder).glob("*.json"))
            given += [(data / folder / name, True) for name in held_out(json.loads(truth.read_text(encoding="utf-8")))]
        given += [(path, True) for path in sorted((data / "tally-forms").glob("*_sample_*"))]
        (work / "turned").mkdir()
        for at, (path, turn_too) in enumerate(given):
            picture = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)
            for turn in TURNS if turn_too else TURNS[:1]:
                turned = np.ascontiguousarray(np.rot90(picture, -turn // 90))
                cv2.imwrite(str(work / "turned" / f"{turn:03}-{at:04}.jpg"), turned, [cv2.IMWRITE_JPEG_QUALITY, 90])
        read = read_files(work / "turned", work / "results.csv")
    counts: Counter[tuple[int, str]] = Counter()
    for name, file in read.items():
        turn, (page,) = int(name[:3]), file.pages
        angle = float(page["angle"] or 0) % 360
        back = abs((angle - turn + 180) % 360 - 180) < 45
        counts[turn, "pages"] += 1
        counts[turn, "right"] += back
        counts[turn, "marked"] += not back and "orientation" in page["marks"]
        counts[turn, "silent"] += not back and "orientation" not in page["marks"]
        counts[turn, "doubted"] += back and "orientation" in page["marks"]
    typer.echo(
        "| turned by | pages | read upright | of these marked | else marked | wrong, not marked |\n" + "|---" * 6 + "|"
    )
    for turn in TURNS:
        cells = (counts[turn, what] for what in ("pages", "right", "doubted", "marked", "silent"))
        typer.echo(f"| {turn}° | {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    typer.run(main)
