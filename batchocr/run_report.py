"""The report of a run: counts that are taken while the results are written, and pictures of the worst pages."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from batchocr.errors import ScanError, Stopped
from batchocr.executors.page_task import as_scan_error
from batchocr.output.report.figures import Figures, WorstPage
from batchocr.records import Page, PageResult, Scan
from batchocr.settings import Settings
from batchocr.sources import BadPage, load_pages

MAX_SIDE_PX = 1100
"""The longer side of a picture in pixels. With six pictures a report has a few megabytes at most."""
_JPEG_QUALITY = 80
_MEMORY_FIX = "lower --max-megapixels"


class RunReport:
    """Counts the pages of a run, and makes the report when all are counted."""

    def __init__(
        self,
        scans: Sequence[Scan],
        settings: Settings,
        files: Sequence[str],
        name: str,
        should_stop: Callable[[], bool],
    ) -> None:
        """Count no page yet.

        Args:
            scans: The scans of the run.
            settings: How they are read.
            files: All files that the run writes.
            name: The name of the results.
            should_stop: Called before each picture.
        """
        self._scans, self._settings, self._files, self._name = scans, settings, files, name
        self._should_stop = should_stop
        self._figures = Figures()

    def counting(self, results: Iterable[PageResult]) -> Iterator[PageResult]:
        """Yield all results, marked, and count them."""
        return self._figures.counting(results)

    def html(self, run: Mapping[str, Any]) -> bytes:
        """Return the report. The scans of the worst pages are read again for their pictures.

        Args:
            run: What `results.run.json` says.

        Raises:
            Stopped: `should_stop` returned True.
        """
        from batchocr.output.report.render import Picture, render

        worst = self._figures.worst()
        names = {page.result.page.file for page in worst}
        scans = [scan for scan in self._scans if scan.name in names]
        pictures: list[Picture] = []
        for page in worst:
            if self._should_stop():
                raise Stopped("stopped while the report was made; the same command resumes it")
            try:
                pictures.append(Picture(page, *self._drawn(page, scans)))
            except ScanError as fault:
                pictures.append(Picture(page, why_not=fault.message))
        return render(self._figures, run, pictures, files=self._files, name=self._name)

    def _drawn(self, page: WorstPage, scans: Sequence[Scan]) -> tuple[bytes, int, int]:
        """Return the picture of a page as JPEG, its width and its height. Raises ScanError."""
        from PIL import Image

        from batchocr.output.drawing.draw_marked import draw_marked

        row = page.result.page
        fault = ScanError("not-found", f"{row.file}: this scan is not among those of the run: run again with it")
        for scan in scans:
            if scan.name != row.file:
                continue
            try:
                found = self._load(scan, row.page or 1)
            except Exception as error:  # as in a worker: hostile bytes may cause any
                fault = as_scan_error(scan, error, _MEMORY_FIX)
                continue
            if found.sha256 != row.sha256:  # two scans may have the same name
                fault = ScanError("changed", f"{row.file}: the scan changed since it was read: run again")
                continue
            canvas = draw_marked(found.pixels, page.result, max_side_px=MAX_SIDE_PX)
            file = io.BytesIO()
            Image.fromarray(canvas).save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True)
            return file.getvalue(), canvas.shape[1], canvas.shape[0]
        raise fault

    def _load(self, scan: Scan, number: int) -> Page:
        """Return a page of a scan. Raises ScanError."""
        limit, password = self._settings.max_megapixels, self._settings.pdf_password
        for page in load_pages(scan, max_megapixels=limit, first=number, last=number, pdf_password=password):
            if isinstance(page, BadPage):
                raise page.error
            return page
        raise ScanError("no-page", f"{scan.name}: has no page {number} any more: run again")
