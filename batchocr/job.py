"""The run: scans → vision → recognition → output. Everything that `batchocr run` does."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batchocr.engines.local import LocalEngine
from batchocr.errors import ExitCode, NothingToRead
from batchocr.output.table import STDOUT, check_writable, output_paths, write_results
from batchocr.recognition.model import shipped_model, threshold
from batchocr.records import PageResult, Printed
from batchocr.sources import MAX_MEGAPIXELS, Found, find_scans, written_name
from batchocr.version import __version__

MOST_NAMES = 1000
"""Of files passed over that the account names; it counts all."""


@dataclass(frozen=True)
class Settings:
    """What can be chosen of a run; the names are the command's options."""

    recursive: bool = True
    model: Path | None = None
    """A `.keras` file; None for the one that comes with the package."""
    device: str = "auto"
    batch_size: int | None = None
    jobs: int | None = None
    min_confidence: float | None = None
    """Digits below are marked for review; None for the model's own, above which at most 1% were wrong when measured."""
    max_error: float | None = None
    """Instead of `min_confidence`: the lowest from which, with 95% certainty, no greater share of digits is wrong.

    By the model's own table, of what was measured when its confidences were calibrated.
    """
    max_megapixels: float = MAX_MEGAPIXELS
    printed: Printed = "keep"
    """What becomes of printed digits that stand alone; those on a line of printed words give no row either way."""


@dataclass(frozen=True)
class Summary:
    """What came of a run."""

    scans: int
    passed_over: int
    """Files in the folders that are no pictures."""
    pages: int
    failed: int
    numbers: int
    digits: int
    review: int
    """Digits that a person should look at."""
    seconds: float
    device: str
    out: Path

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.SOME_FAILED if self.failed else ExitCode.OK


def run(
    scans: str | Path | Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    *,
    on_total: Callable[[int], None] = lambda pages: None,
    on_page: Callable[[PageResult], None] = lambda result: None,
) -> Summary:
    """Read all `scans` (folders, files, globs) and write the results to `out` and beside it.

    `on_total` is told the number of pages: first one a scan, then more as scans turn out to have more.
    `on_page` is told each page as it is done, in order.
    Pages that cannot be read are rows that say so; `Summary.failed` counts them.
    Raises BatchocrError, whose `exit_code` tells its kind, where nothing can be read or written at all.
    """
    settings, out = settings or Settings(), Path(out)
    scans = [scans] if isinstance(scans, (str, Path)) else scans
    started, clock = datetime.now(UTC), time.perf_counter()
    check_writable(out)
    found = find_scans(scans, recursive=settings.recursive)
    if not found.scans:
        raise NothingToRead(
            f"no pictures or PDFs in {', '.join(found.roots) or 'the list given'} "
            f"({len(found.passed_over)} other files passed over); give a folder that holds some"
        )
    model = settings.model or shipped_model()
    least = threshold(model, settings.min_confidence, settings.max_error)  # before anything is waited for
    total = len(found.scans)
    on_total(total)
    results: list[PageResult] = []
    stages: dict[str, float] = {}
    with LocalEngine(found.scans, jobs=settings.jobs, max_megapixels=settings.max_megapixels) as engine:
        # imported here, so that the workers decode while Keras starts
        from batchocr.recognition.batches import classified
        from batchocr.recognition.classifier import Classifier
        from batchocr.recognition.reading import page_result

        classifier = Classifier(model, device=settings.device, batch_size=settings.batch_size)
        stages["start"] = time.perf_counter() - clock
        for seen, probabilities in classified(engine.pages(), classifier):
            if seen.row.page == 1 and seen.pages > 1:
                total += seen.pages - 1
                on_total(total)
            results.append(page_result(seen, probabilities, least, settings.printed))
            on_page(results[-1])
    stages["vision"] = sum(result.page.seconds for result in results)
    stages["recognition"] = classifier.seconds
    seconds = time.perf_counter() - clock
    summary = _sum_up(found, results, seconds, classifier.device, out)
    sidecar = classifier.sidecar
    calibration = sidecar.calibration and sidecar.calibration.model_dump(include={"data", "rows"})
    account: dict[str, Any] = {
        "run": str(uuid.uuid4()),
        "version": __version__,
        "started": started.isoformat(timespec="seconds"),
        "model": {
            "name": sidecar.name,
            "file": written_name(classifier.path.name),
            "sha256": sidecar.sha256,
            "calibration": calibration,
        },
        "settings": {
            **{k: v for k, v in asdict(settings).items() if k != "model"},
            "batch_size": classifier.batch_size,
            "jobs": engine.jobs,
            "min_confidence": least,
        },
        "device": classifier.device,
        "inputs": list(found.roots),
        "passed_over": list(found.passed_over[:MOST_NAMES]),
        "counts": {
            k: getattr(summary, k) for k in ("scans", "passed_over", "pages", "failed", "numbers", "digits", "review")
        },
        "seconds": {**{k: round(v, 3) for k, v in stages.items()}, "all": round(seconds, 3)},
    }
    write_results(out, results, account)
    return summary


def _sum_up(found: Found, results: Sequence[PageResult], seconds: float, device: str, out: Path) -> Summary:
    pages = [result.page for result in results]
    return Summary(
        scans=len(found.scans),
        passed_over=len(found.passed_over),
        pages=len(pages),
        failed=sum(page.status == "failed" for page in pages),
        numbers=sum(page.numbers for page in pages),
        digits=sum(page.digits for page in pages),
        review=sum(page.review for page in pages),
        seconds=seconds,
        device=device,
        out=out,
    )


def written_files(out: Path) -> Iterator[Path]:
    """The files that a run writes, the digits' first."""
    if out != STDOUT:
        outputs = output_paths(out)
        yield from (outputs.digits, outputs.numbers, outputs.pages, outputs.run)
