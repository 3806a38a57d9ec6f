"""One page, read and drawn on: to see what the job would make of it."""

from __future__ import annotations

from pathlib import Path

import cv2

from batchocr.errors import OutputError, UsageError
from batchocr.job import Settings
from batchocr.output.overlay import draw
from batchocr.recognition.classifier import Classifier
from batchocr.recognition.model import shipped_model
from batchocr.recognition.reading import page_result
from batchocr.records import PageResult, PageRow, SeenPage
from batchocr.sources import find_scans, load_pages
from batchocr.vision import find

SUFFIXES = (".png", ".jpg", ".jpeg")


def preview(page: str | Path, out: str | Path, settings: Settings | None = None) -> PageResult:
    """Read the first page of the scan `page` and write it, with boxes, digits and confidences drawn on it, to `out`.

    Raises ScanError where the page cannot be read, OutputError where the picture cannot be written.
    """
    settings, out = settings or Settings(), Path(out)
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--out {out}: the name must end with {', '.join(SUFFIXES)}")
    (scan,) = find_scans([page], recursive=False).scans[:1] or (None,)
    if scan is None:
        raise UsageError(f"{page}: no picture is there; give one PNG or JPEG file")
    loaded = next(load_pages(scan, max_megapixels=settings.max_megapixels))
    layout = find(loaded.pixels)
    classifier = Classifier(settings.model or shipped_model(), device=settings.device, batch_size=settings.batch_size)
    least = classifier.sidecar.min_confidence if settings.min_confidence is None else settings.min_confidence
    height, width = loaded.pixels.shape
    row = PageRow(
        file=scan.name, page=1, status="read", width=width, height=height, angle=layout.angle, sha256=loaded.sha256
    )
    result = page_result(SeenPage(row, layout), classifier.classify(layout.crops), least)
    _, coded = cv2.imencode(out.suffix, draw(loaded.pixels, result.digits))
    try:
        out.write_bytes(coded.tobytes())
    except OSError as fault:
        raise OutputError(
            f"{out}: cannot be written ({fault.strerror}): make its folder, or give --out another"
        ) from fault
    return result
