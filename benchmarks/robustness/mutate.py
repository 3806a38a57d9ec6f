"""Read broken files of all formats in one run: every file must give a row, and nothing may crash.

`python benchmarks/robustness/mutate.py --files 6000` makes the files from those of the tests and the smaller samples,
and prints the figures of docs/reliability.md. It ends with 1 if a file has no row, a page is larger than allowed, a
worker crashed, or the run ends with a code other than 0 and 3. The mutations are those of tests/support/mutations.py.
"""

from __future__ import annotations

import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Annotated

import typer

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from mutations import mutations, seeds  # noqa: E402

MAX_SAMPLE_BYTES = 100_000  # reading the intact parts of larger samples would take most of the time
MEGAPIXELS = 250.0


def write_files(folder: Path, files: int, seed: int) -> set[str]:
    """Write mutated files, equally many from each intact file, and return their names."""
    rng, intact = Random(seed), seeds(MAX_SAMPLE_BYTES)
    names = set()
    for number in range(files):
        suffix, content = intact[number % len(intact)]
        data, done = bytearray(content), []
        for _ in range(rng.randint(1, 3)):
            mutation = rng.choice(mutations(suffix))
            if data:
                mutation(data, rng)
                done.append(mutation.__name__)
        name = f"{number:06d}-{'-'.join(done)}{suffix}"
        (folder / name).write_bytes(data)
        names.add(name)
    return names


def main(
    files: Annotated[int, typer.Option(help="Number of mutated files.", min=1)] = 6000,
    seed: Annotated[int, typer.Option(help="Seed of the mutations.")] = 1,
    limit: Annotated[float, typer.Option(help="Maximum time of the run in seconds.")] = 3600,
    keep: Annotated[Path | None, typer.Option(help="Folder for files and results; else a temporary one.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Passed to batchocr run.")] = None,
) -> None:
    """Make the files, read them, and print the figures."""
    with tempfile.TemporaryDirectory() as temporary:
        work = keep or Path(temporary)
        scans = work / "scans"
        scans.mkdir(parents=True)
        names = write_files(scans, files, seed)
        command = [sys.executable, "-c", "from batchocr.cli import app; app()", "run", str(scans), "--device", "cpu"]
        command += ["--out", str(work / "results.csv"), "--quiet", *(["--jobs", str(jobs)] if jobs else [])]
        started = time.monotonic()
        try:
            ended = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=limit)
        except subprocess.TimeoutExpired:
            typer.echo(f"the run did not end within {limit:g} s", err=True)
            raise typer.Exit(1) from None
        seconds = time.monotonic() - started
        if ended.returncode not in (0, 3):
            typer.echo(f"the run ended with exit code {ended.returncode}: {ended.stderr[-2000:]}", err=True)
            raise typer.Exit(1)
        with (work / "results.pages.csv").open(newline="", encoding="utf-8") as file:
            pages = list(csv.DictReader(file))
    missing = names - {page["file"] for page in pages}
    outcomes = Counter(page["error"] or page["status"] for page in pages)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    slowest = max(pages, key=lambda page: float(page["seconds"]))
    typer.echo(f"{len(names)} files, {len(pages)} pages, exit code {ended.returncode} after {seconds:.0f} s")
    typer.echo(f"largest process {peak:.0f} MB; slowest page {float(slowest['seconds']):.1f} s ({slowest['file']})")
    typer.echo(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))
    large = [page["file"] for page in pages if int(page["width"] or 0) * int(page["height"] or 0) > MEGAPIXELS * 1e6]
    internal = [page["file"] for page in pages if page["error"] in ("internal", "crashed")]
    for what, names_of in (
        ("without a row", sorted(missing)),
        ("with a page too large", large),
        ("with an internal error", internal),
    ):
        typer.echo(f"files {what}: {len(names_of)} {names_of[:5]}")
    raise typer.Exit(bool(missing or large or internal))


if __name__ == "__main__":
    typer.run(main)
