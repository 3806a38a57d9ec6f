"""Measure the speed of whole runs, of decoding alone, of the networks alone, of Tesseract and of RapidOCR.

`python benchmarks/speed/speed.py --digits mnist.npz --rapid-python VENV/bin/python` composes 40 mixed pages (A4, 300
dpi, PNG and JPEG) from MNIST's test half and prints the tables of docs/benchmarks.md. `--plot growth.png` draws the
last table.

The time of the start is removed by a difference: the time of a run over three copies of the pages, minus that of a run
over one copy, divided by the number of pages in two copies. The other programs are loaded before the time is measured.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

sys.path.append(str(Path(__file__).parents[1] / "pages"))
sys.path.append(str(Path(__file__).parents[1] / "accuracy"))
from compose import load, write_pages
from rivals import Rapid, tesseract
from watched import Run, links, run

from batchocr.executors.page_task import prepare_pages
from batchocr.pipeline import read_pages
from batchocr.recognition.model_file import shipped_detector, shipped_model
from batchocr.recognition.networks import Models, Networks
from batchocr.records import SIGN, Scan
from batchocr.sources import MAX_MEGAPIXELS, load_pages

MIXED = ("plain", "ruled", "comb", "form", "skewed", "photo", "pencil", "dpi150", "dense", "dense")
"""Kinds of pages in order; they have about 400 digits per page on average."""


def decode(scan: Scan) -> int:
    """Decode all pages of a scan and return their number of pixels."""
    return sum(page.pixels.size for page in load_pages(scan) if hasattr(page, "pixels"))


def decoding(scans: Sequence[Scan], jobs: int) -> float:
    """Return the seconds that `jobs` processes need to decode all scans and do nothing else."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        list(pool.map(decode, scans[: 4 * jobs]))  # start the processes and import everything
        started = time.perf_counter()
        list(pool.map(decode, scans))
        return time.perf_counter() - started


def both_networks(scans: Sequence[Scan], networks: Networks) -> tuple[float, int, int]:
    """Return the seconds that the networks alone need for all pages, and the numbers of tiles and crops."""
    before, tiles, crops = sum(networks.seconds.values()), 0, 0
    prepared = (page for scan in scans for page in prepare_pages(scan, MAX_MEGAPIXELS))
    for page, found, *_ in read_pages(prepared, networks):
        tiles += len(page.level.tiles.corners) if page.level else 0
        crops += int(np.count_nonzero(found.kinds != SIGN))
    return sum(networks.seconds.values()) - before, tiles, crops


def main(
    digits: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="npz file of white-on-black digits.")],
    rapid_python: Annotated[Path | None, typer.Option(help="Python of RapidOCR's environment.")] = None,
    with_tesseract: Annotated[bool, typer.Option(help="Measure Tesseract too.")] = True,
    pages: Annotated[int, typer.Option(min=10, help="Number of pages, a multiple of ten.")] = 40,
    grow: Annotated[
        str, typer.Option(help="Numbers of pages of further runs, separated by commas.")
    ] = "10,100,200,1000",
    rounds: Annotated[int, typer.Option(min=1, help="Number of repetitions; the median counts.")] = 3,
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes, of batchocr run and of decoding alone.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the pages.")] = 8000,
    plot: Annotated[Path | None, typer.Option(help="PNG file of a plot of time and memory by pages.")] = None,
) -> None:
    """Measure and print the tables."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        paths, written = workload(digits, pages, seed, work / "pages")
        count, scans = len(paths), [Scan(path, path.name) for path in paths]
        networks = Networks(Models(shipped_detector(), shipped_model()), device="cpu")
        _, tiles, crops = both_networks(scans, networks)
        per_page = f"{written / count:.0f} digits, {tiles / count:.0f} tiles and {crops / count:.0f} crops per page"
        typer.echo(f"{count} pages, {per_page}, {jobs} workers\n")
        once, thrice = links(paths, count, work / "once"), links(paths, 3 * count, work / "thrice")
        spent: dict[str, list[float]] = {"decoding alone": [], "the networks alone": [], "batchocr": []}
        started: list[float] = []
        for _ in range(rounds):
            spent["decoding alone"].append(decoding(scans, jobs) / count)
            spent["the networks alone"].append(both_networks(scans, networks)[0] / count)
            short, long = (run(pages_of, "--jobs", str(jobs)) for pages_of in (once, thrice))
            spent["batchocr"].append((long.seconds - short.seconds) / (2 * count))
            started.append(short.seconds / count)
        if with_tesseract:
            spent["Tesseract"] = [rival(tesseract, paths)]
        if rapid_python:
            reader = Rapid(rapid_python)
            reader(paths[0])
            spent["RapidOCR"] = [rival(reader, paths)]
        table(spent, statistics.median(started))
        typer.echo(f"Peak memory over {3 * count} pages: {long.megabytes:.0f} MB, all processes.\n")
        cold_start(paths[:1], work, rounds)
        growth([int(each) for each in grow.split(",") if each], paths[: len(MIXED)], work, jobs, plot)


def workload(digits: Path, pages: int, seed: int, folder: Path) -> tuple[list[Path], int]:
    """Compose the pages, every ten of them of all kinds; return their paths and the number of digits."""
    by_kind: dict[str, list[Path]] = {}
    written = 0
    for kind in dict.fromkeys(MIXED):
        truth = write_pages(*load(digits, "test"), [kind], MIXED.count(kind) * pages // len(MIXED), seed, folder)
        by_kind[kind] = [folder / name for name in sorted(truth)]
        written += sum(len(number["digits"]) for page in truth.values() for number in page)
    return [by_kind[kind].pop() for _ in range(pages // len(MIXED)) for kind in MIXED], written


def rival(reader: object, paths: Sequence[Path]) -> float:
    """Return the seconds per page of another program."""
    assert callable(reader)
    started = time.perf_counter()
    for path in paths:
        reader(path)
    return (time.perf_counter() - started) / len(paths)


def table(spent: dict[str, list[float]], with_start: float) -> None:
    """Print the table of times."""
    medians = {name: statistics.median(seconds) for name, seconds in spent.items()}
    ours = medians["batchocr"]
    typer.echo(
        "| without start-up | ms per page | range | pages per second | relative to batchocr |\n|---|---|---|---|---|"
    )
    for name, seconds in spent.items():
        spread = f"{1000 * min(seconds):.0f} to {1000 * max(seconds):.0f}"
        ratio = f"{medians[name] / ours:.2f}"
        typer.echo(f"| {name} | {1000 * medians[name]:.0f} | {spread} | {1 / medians[name]:.1f} | {ratio} |")
    both = medians["decoding alone"] + medians["the networks alone"]
    typer.echo(f"| decoding and the networks together | {1000 * both:.0f} | | {1 / both:.1f} | {both / ours:.2f} |")
    typer.echo(f"| batchocr, with its start | {1000 * with_start:.0f} | | {1 / with_start:.1f} | |\n")


def cold_start(one: Sequence[Path], work: Path, rounds: int) -> None:
    """Print the time of a run over one page, and that of importing TensorFlow."""
    page = links(one, 1, work / "one")
    ours, imports = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import tensorflow"], stderr=subprocess.DEVNULL, check=True)
        imports.append(time.perf_counter() - started)
        ours.append(run(page).seconds)
    whole, alone = statistics.median(ours), statistics.median(imports)
    typer.echo(f"Whole run over one page: {whole:.2f} s; `import tensorflow`: {alone:.2f} s; ratio ", nl=False)
    typer.echo(f"{whole / alone:.2f}\n")


def growth(counts: Sequence[int], ten: Sequence[Path], work: Path, jobs: int, plot: Path | None) -> None:
    """Print time and memory of runs over rising numbers of pages, which are links to the same ten pages."""
    runs = [run(links(ten, count, work / f"grow-{count}"), "--jobs", str(jobs)) for count in counts]
    stages = [name for name in runs[0].stages if name != "all"] if runs else []
    typer.echo(f"| pages | seconds | {' | '.join(stages)} | digits per second | MB |")
    typer.echo(f"|{'---|' * (len(stages) + 4)}")
    for count, each in zip(counts, runs, strict=True):
        cells = " | ".join(f"{each.stages[name]:.1f}" for name in stages)
        rate = f"{each.digits / each.seconds:.0f}"
        typer.echo(f"| {count:,} | {each.seconds:.1f} | {cells} | {rate} | {each.megabytes:.0f} |")
    seconds = dict(zip(counts, (each.seconds for each in runs), strict=True))
    if {
        100,
        200,
    } <= seconds.keys():  # a difference, because most of the first pages are prepared while the model is loaded
        page = (seconds[200] - seconds[100]) / 100
        start = seconds[100] - 100 * page
        for count in (count for count in counts if count > 200):
            share = (seconds[count] - start) / (page * count)
            typer.echo(f"\nA page takes {share:.2f} times as long with {count:,} pages as with 100, without start-up.")
    if plot and runs:
        draw(counts, runs, plot)


def draw(counts: Sequence[int], runs: Sequence[Run], path: Path) -> None:
    """Draw time and memory by number of pages."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    time_axes, memory_axes = figure.subplots(1, 2)
    time_axes.plot(counts, [each.seconds for each in runs], "o-")
    time_axes.set(xlabel="pages", ylabel="seconds, with start-up", xlim=(0, None), ylim=(0, None))
    memory_axes.plot(counts, [each.megabytes for each in runs], "o-")
    peak = max(each.megabytes for each in runs)
    memory_axes.set(xlabel="pages", ylabel="MB, all processes", xlim=(0, None), ylim=(0, 1.1 * peak))
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    typer.run(main)
