"""Crops of many pages in full batches, and every page's probabilities back to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import pytest

from batchocr.recognition.batches import classified
from batchocr.recognition.calibration import NONE, Floats
from batchocr.recognition.classifier import Classifier
from batchocr.records import Box, Candidate, Crops, Layout, Line, Number, PageRow, SeenPage


class Reader:
    """Stands in for a classifier: what it says of a crop is written in the crop itself."""

    def __init__(self, batch_size: int, room_for: int | None = None, together: int = 1) -> None:
        self.batch_size, self.together = batch_size, together
        self.room_for = room_for
        self.given: list[int] = []

    def classify(self, crops: Crops) -> Floats:
        self.given.append(len(crops))
        if self.room_for is not None:
            self.batch_size = min(self.batch_size, self.room_for)  # as after running out of memory
        return np.repeat(crops[:, 0, 0].astype(np.float64)[:, None], 11, axis=1)


def pages(counts: Sequence[int | None]) -> list[SeenPage]:
    """Pages with so many crops each, numbered through; None is a page that failed."""
    found, start = [], 0
    for number, count in enumerate(counts, 1):
        layout = None
        if count is not None:
            crops = np.zeros((count, 28, 28), np.uint8)
            crops[:, 0, 0] = np.arange(start, start + count) % 251
            layout, start = Layout((), crops, 0.0), start + count
        found.append(SeenPage(PageRow(f"{number}.png", 1, "failed" if layout is None else "read"), layout))
    return found


def through(given: Iterator[SeenPage] | Sequence[SeenPage], reader: Reader) -> Iterator[tuple[SeenPage, Floats]]:
    return classified(given, cast(Classifier, reader))


COUNTS = [3, 0, None, 1, 40, None, 0, 7, 7, 0, 100, 2, None, 0]


@pytest.mark.parametrize("batch_size", [1, 2, 7, 16, 160, 512])
@pytest.mark.parametrize("room_for", [None, 4])
def test_all_pages_come_back_in_order_each_with_its_own(batch_size: int, room_for: int | None) -> None:
    given = pages(COUNTS)
    result = list(through(given, Reader(batch_size, room_for)))
    assert [page for page, _ in result] == given
    for page, probabilities in result:
        crops = np.empty((0, 28, 28), np.uint8) if page.layout is None else page.layout.crops
        assert probabilities.shape == (len(crops), 11)
        assert np.array_equal(probabilities[:, 0], crops[:, 0, 0])


@pytest.mark.parametrize("batch_size", [2, 7, 16, 160])
def test_only_the_last_batch_is_not_full(batch_size: int) -> None:
    reader = Reader(batch_size)
    list(through(pages(COUNTS), reader))
    assert sum(reader.given) == 160
    assert all(count % batch_size == 0 for count in reader.given[:-1])


@pytest.mark.parametrize("together", [2, 3])
def test_several_devices_get_a_full_batch_each(together: int) -> None:
    given, reader = pages(COUNTS), Reader(16, together=together)
    result = list(through(given, reader))
    assert [page for page, _ in result] == given
    assert sum(reader.given) == 160
    assert all(count % (16 * together) == 0 for count in reader.given[:-1])


@pytest.mark.parametrize("counts", [[], [None], [0, 0], [None, 0, None]])
def test_where_there_is_nothing_to_classify(counts: list[int | None]) -> None:
    given = pages(counts)
    result = list(through(given, Reader(4)))
    assert [page for page, _ in result] == given
    assert all(len(probabilities) == 0 for _, probabilities in result)


def test_pages_are_handed_on_as_soon_as_their_batches_are_full() -> None:
    taken = 0

    def coming() -> Iterator[SeenPage]:
        nonlocal taken
        for page in pages([4] * 50):
            taken += 1
            yield page

    results = through(coming(), Reader(8))
    next(results)
    assert taken == 2
    next(results)
    next(results)
    assert taken == 4


def in_places(*spans: tuple[int, int], first_crop: int) -> SeenPage:
    """A page of one number; crops are numbered on from `first_crop`, and what spans one place of several is cut."""
    widest = max(stop - start for start, stop in spans)
    box = Box(0, 0, 9, 30)
    number = Number(tuple(Candidate(box, start=a, stop=b, cut=b - a < widest) for a, b in spans))
    crops = np.zeros((len(spans), 28, 28), np.uint8)
    crops[:, 0, 0] = first_crop + np.arange(len(spans))
    return SeenPage(PageRow("a.png", 1, "read"), Layout((Line((number,)),), crops, 0.0))


class Chooser:
    """Stands in for a classifier: crops below 100 are digits, others are none; remembers which it was given."""

    batch_size, together = 4, 1

    def __init__(self) -> None:
        self.given: list[int] = []

    def classify(self, crops: Crops) -> Floats:
        self.given += crops[:, 0, 0].tolist()
        answer = np.zeros((len(crops), NONE + 1))
        answer[np.arange(len(crops)), np.where(crops[:, 0, 0] < 100, 3, NONE)] = 1
        return answer


@pytest.mark.parametrize("every", [False, True])
def test_cuts_are_classified_only_where_the_whole_is_no_digit(every: bool) -> None:
    chooser = Chooser()
    given = [in_places((0, 2), (0, 1), (1, 2), first_crop=start) for start in (10, 110, 20, 120)]
    results = list(classified(given, cast(Classifier, chooser), every=every))
    assert [page for page, _ in results] == given
    needless = {11, 12, 21, 22}
    assert sorted(chooser.given) == [
        crop for start in (10, 20, 110, 120) for crop in range(start, start + 3) if every or crop not in needless
    ]
    for page, probabilities in results:
        assert page.layout is not None
        for crop, chances in zip(page.layout.crops[:, 0, 0].tolist(), probabilities, strict=True):
            assert chances.argmax() == (3 if crop < 100 and (every or crop not in needless) else NONE)
