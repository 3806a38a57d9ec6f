"""Crops and true digits of what persons have settled, for trainings and measurements."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchocr.batch.journal import Journal
from batchocr.datasets.corrected_crops import TRUTH, CorrectedCrops, save_corrected_crops
from batchocr.datasets.digits import Digits
from batchocr.errors import OutputError, UsageError
from batchocr.executors.page_task import prepare_pages
from batchocr.records import Box, Crops, DigitRow, LevelPage, PageResult, Scan
from batchocr.review.corrections.apply import Applied, apply_each
from batchocr.review.corrections.layout import box_of
from batchocr.review.corrections.lines import write_csv
from batchocr.review.corrections.of_run import Corrections
from batchocr.stores import is_url

MAX_ANGLE_DEG = 45.0
"""Pages that were turned further were read lying or upside down: their crops would lie too."""
NOT_A_DIGIT = "x"
"""What the true digits have in place of a digit that is none."""
_EMPTY = np.empty((0, 28, 28), np.uint8)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SavedCrops:
    """What was saved."""

    digits: int
    others: int
    """Crops that are not digits."""
    files: tuple[str, ...]
    left_out: int
    """Pages with decisions whose scans could not be read, or were turned."""


@dataclass(frozen=True)
class _Settled:
    """What persons have settled on a page."""

    digits: tuple[DigitRow, ...]
    """Digits with boxes that were read or pointed at, not boxes that were made up between two digits."""
    others: tuple[DigitRow, ...]
    """What was read as a digit and is none."""


def save(journal: Journal, corrections: Corrections, folder: Path, max_megapixels: float) -> SavedCrops:
    """Save the crops of all digits that are corrected or confirmed, cut as those of a run are, and their truth.

    A scan that is gone or has changed is left out with a warning.

    Args:
        journal: The journal of the run, which has the places of the scans.
        corrections: Its corrections.
        folder: Where the files are written.
        max_megapixels: Larger pages are left out.

    Raises:
        OutputError: The folder cannot be written.
        UsageError: There is no crop of a digit.
    """
    digit_crops, other_crops, labels = [_EMPTY], [_EMPTY], []
    truth: list[tuple[object, ...]] = []
    left_out = 0
    for place, result, applied in _corrected_pages(journal, corrections):
        settled = _settled(result, applied)
        rows = (*settled.digits, *settled.others)
        level = _level_page(place, result, max_megapixels) if rows else None
        if level is None:
            left_out += bool(rows)
            continue
        crops = _crops(level, [box_of(row) for row in rows])
        digit_crops.append(crops[: len(settled.digits)])
        other_crops.append(crops[len(settled.digits) :])
        labels += [row.digit for row in settled.digits]
        truth += _truth(result, settled)
    digits = Digits(np.concatenate(digit_crops), np.array(labels, np.int64))
    others = np.concatenate(other_crops)
    if not len(digits):
        raise UsageError(
            "--save-crops: no digit is corrected or confirmed on a scan that can be read: nothing is saved"
        )
    path = save_corrected_crops(folder, CorrectedCrops(digits, others))
    try:
        write_csv(folder / TRUTH, [field.name for field in fields(DigitRow)], truth)
    except OSError as fault:
        raise OutputError(f"{folder / TRUTH}: cannot be written ({fault.strerror}): give another folder") from fault
    return SavedCrops(len(digits), len(others), (str(path), str(folder / TRUTH)), left_out)


def _corrected_pages(journal: Journal, corrections: Corrections) -> Iterator[tuple[str, PageResult, Applied]]:
    """Yield place, rows before and after, of each page that has decisions."""
    for place, result in journal.placed_results():
        own = [
            stored.decision
            for stored in corrections.stored
            if (stored.decision.sha256, stored.decision.page) == (result.page.sha256, result.page.page)
            and stored.decision.file == result.page.file
        ]
        if own:
            yield place, result, apply_each(result, own, corrections.fields)


def _settled(before: PageResult, applied: Applied) -> _Settled:
    known = {box_of(row) for row in before.digits}
    known |= {
        Box(d.left, d.top, d.width, d.height) for d in applied.decisions if (d.kind, d.decision) == ("digit", "add")
    }
    now = {box_of(row) for row in applied.result.digits}
    return _Settled(
        tuple(row for row in applied.result.digits if box_of(row) in applied.settled & known),
        tuple(row for row in before.digits if box_of(row) not in now),
    )


def _truth(before: PageResult, settled: _Settled) -> Iterator[tuple[object, ...]]:
    """Yield rows of a corrected `results.csv`: those of the numbers of which every digit is settled."""
    answers = {box_of(row): str(row.digit) for row in settled.digits}
    answers |= {box_of(row): NOT_A_DIGIT for row in settled.others}
    column = [field.name for field in fields(DigitRow)].index("digit")
    for number in before.numbers:
        own = [row for row in before.digits if (row.line, row.number) == (number.line, number.number)]
        if all(box_of(row) in answers for row in own):
            for row in own:
                values = list(astuple(replace(row, review="")))
                values[column] = answers[box_of(row)]
                yield tuple(values)


def _level_page(place: str, result: PageResult, max_megapixels: float) -> LevelPage | None:
    """Read a page again; None with a warning if that is not possible."""
    page = result.page
    number = page.page or 1
    if abs(page.angle or 0.0) > MAX_ANGLE_DEG:
        log.warning("%s, page %d: was turned, so its crops are left out", page.file, number)
        return None
    path = Path(place.rpartition("/")[2]) if is_url(place) else Path(place)
    scan = Scan(path, page.file, url=place) if is_url(place) else Scan(path, page.file)
    prepared = next(prepare_pages(scan, max_megapixels, number, number), None)
    if prepared is None or prepared.level is None:
        why = prepared.row.message if prepared else "the page is gone"
        log.warning("%s, page %d: its crops are left out: %s", page.file, number, why)
        return None
    if prepared.row.sha256 != page.sha256:
        log.warning("%s, page %d: the scan has changed, so its crops are left out", page.file, number)
        return None
    return prepared.level


def _crops(level: LevelPage, boxes: Sequence[Box]) -> Crops:
    """Return crops (n, 28, 28) of boxes in pixels of the page as given."""
    from batchocr.vision.crops import make_crops  # imports OpenCV

    return make_crops(level.pixels, level_boxes(boxes, level.to_page))


def level_boxes(boxes: Sequence[Box], to_page: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the boxes on the level page whose outlines on the page as given are these.

    Near a box the homography is taken as linear. Its outline is then |J| times its size, with the Jacobian J.

    Args:
        boxes: n boxes in pixels of the page as given.
        to_page: (3, 3) homography from points of the level page to points of the page as given.

    Returns:
        (n, 4) float32: left, top, width and height in pixels of the level page.
    """
    back = np.linalg.inv(to_page)
    found = np.empty((len(boxes), 4), np.float32)
    for i, box in enumerate(boxes):
        x, y, w = back @ (box.left + box.width / 2, box.top + box.height / 2, 1.0)
        centre = np.array([x / w, y / w])
        u, v, scale = to_page @ (*centre, 1.0)
        jacobian = (to_page[:2, :2] - np.outer((u / scale, v / scale), to_page[2, :2])) / scale
        size = np.maximum(np.linalg.solve(np.abs(jacobian), (box.width, box.height)), 1.0)
        found[i] = (*(centre - size / 2), *size)
    return found
