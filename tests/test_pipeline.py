"""Many pages through both networks: order, batches, second passes, and pages that failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawing import Sheet

from batchocr.errors import ScanError
from batchocr.executors.page_task import failed, prepare_page
from batchocr.pipeline import PipelineParameters, Read, read_pages
from batchocr.pipeline import pages as pipeline_pages
from batchocr.recognition.detector import Detector
from batchocr.recognition.model_file import shipped_model
from batchocr.recognition.networks import Models, Networks
from batchocr.records import Detections, Page, PreparedPage, Scan
from batchocr.vision.scales import PARAMETERS as SCALES
from batchocr.vision.scales import first_scale
from batchocr.vision.tiles import make_tiles


@pytest.fixture(scope="module")
def networks(tiny_detector: Detector) -> Networks:
    return Networks(Models(tiny_detector.path, shipped_model()), device="cpu", batch_size=64)


def page(number: int, digits: int) -> PreparedPage:
    """Return a page with this number of 8s, shifted to the right by 5 px for each page number."""
    sheet = Sheet(1000, 700)
    for i in range(digits):
        sheet.digit("8", 60 + 5 * number + 130 * (i % 6), 60 + 130 * (i // 6), 40, pen=6)
    return prepare_page(Page(Scan(Path("page.png"), "page.png"), number, sheet.pixels, ""))


def pages() -> Iterator[PreparedPage]:
    for number, digits in enumerate((0, 3, 30, 1, 12, 0, 24), 1):
        yield page(number, digits)
        if number == 3:
            yield failed(Scan(Path("bad.png"), "bad.png"), 1, ScanError("damaged", "bad.png: cut off"))


def same(one: Read, other: Read) -> bool:
    fields = Detections.__dataclass_fields__
    return (
        one.page.row == other.page.row
        and all(np.array_equal(getattr(one.detections, f), getattr(other.detections, f)) for f in fields)
        and np.array_equal(one.probabilities, other.probabilities)
    )


def test_each_page_has_its_own_digits_in_the_given_order(networks: Networks) -> None:
    found = list(read_pages(pages(), networks))
    assert [read.page.row.file for read in found] == ["page.png"] * 3 + ["bad.png"] + ["page.png"] * 4
    assert [len(read.detections) for read in found] == [0, 3, 30, 0, 1, 12, 0, 24]
    for read in found:
        assert read.probabilities.shape == (len(read.detections), 11)
        assert (read.probabilities.argmax(axis=1) == 8).all()


@pytest.mark.parametrize("waiting", [1, 2, 3])
@pytest.mark.parametrize("batch", [16, 64])
def test_the_batches_of_pages_do_not_change_the_result(
    waiting: int, batch: int, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [read for page in pages() for read in read_pages([page], networks)]
    monkeypatch.setattr(pipeline_pages, "MAX_WAITING", waiting)
    monkeypatch.setattr(networks.classifier, "batch_size", batch)
    for one, other in zip(read_pages(pages(), networks), alone, strict=True):
        assert same(one, replace_close(other, one))


def replace_close(read: Read, by: Read) -> Read:
    """Ignore rounding errors of probabilities: another batch shape adds them up in another order."""
    close = np.allclose(read.probabilities, by.probabilities, atol=1e-6)
    return read._replace(probabilities=by.probabilities) if close else read


def test_the_number_of_waiting_pages_is_limited(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_pages, "MAX_WAITING", 2)
    given = 0

    def counted() -> Iterator[PreparedPage]:
        nonlocal given
        for each in pages():
            given += 1
            yield each

    for count, _ in enumerate(read_pages(counted(), networks), 1):
        assert given <= count + 2


def test_a_page_with_small_digits_gets_a_second_pass(networks: Networks) -> None:
    """The tiny detector gives each digit a box of 48 px; at half the scale this is 96 px of the page."""
    large = replace(SCALES, min_small_px=60.0, small_target_px=96.0, first_megapixels=0.175)
    prepared = page(1, 6)
    assert prepared.level
    pixels = prepared.level.pixels
    first = make_tiles(pixels, first_scale(pixels.shape, large))
    assert first.scale == pytest.approx(0.5)
    prepared = replace(prepared, level=replace(prepared.level, tiles=first))
    (read,) = read_pages([prepared], networks, parameters=PipelineParameters(scales=large))
    assert len(read.detections) == 6
    assert np.allclose(read.detections.boxes[:, 2:], 48, atol=0.01)


def test_tiles_are_released_after_the_detection(networks: Networks) -> None:
    (read,) = read_pages([page(1, 6)], networks)
    assert read.page.level and len(read.page.level.tiles.pixels) == 0
    assert len(read.page.level.tiles.corners) > 0
