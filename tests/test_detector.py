"""The detector: decoding of its output, merging of tiles, scores and batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from drawing import Sheet
from numpy.typing import NDArray
from tiny_detector import HALF, SEVEN

from batchocr.decoding.digits.suppression import non_maximum_suppression
from batchocr.errors import ModelError
from batchocr.recognition.detector import (
    CELL_CENTRES,
    CHANNELS,
    Detector,
    DetectorParameters,
    decode_output,
    digit_heights,
    filter_by_score,
    merge_tiles,
)
from batchocr.records import CLASSES, HAND, PRINT, SIGN, TILE, Detections, Pixels, Tiles
from batchocr.vision.tiles import make_tiles


def empty_output(tiles: int = 1) -> NDArray[np.float32]:
    """Return an output without detections."""
    output = np.zeros((tiles, len(CELL_CENTRES), CHANNELS), np.float32)
    output[:, :, :3] = -1e4
    return output


def add(output: NDArray[np.float32], cell: int, kind: int, heat: float, sides: tuple[float, ...], label: int) -> None:
    """Add a detection to the first tile of an output; `sides` are in strides."""
    output[0, cell, kind] = heat
    output[0, cell, 3:7] = np.log(np.expm1(np.array(sides) / 2))
    output[0, cell, 7 + label] = 5


def test_the_cells_of_a_tile() -> None:
    assert len(CELL_CENTRES) == 80 * 80 + 40 * 40 + 20 * 20
    assert CELL_CENTRES[[0, 1, 80, 6400, 8000]].tolist() == [[2, 2, 4], [6, 2, 4], [2, 6, 4], [4, 4, 8], [8, 8, 16]]
    assert CELL_CENTRES[-1].tolist() == [TILE - 8, TILE - 8, 16]


def test_an_output_is_decoded() -> None:
    output = empty_output(2)
    add(output, 81, HAND, 0.0, (1, 2, 3, 4), 7)
    add(output, 6400, SIGN, 3.0, (0.25, 0.25, 0.25, 0.25), 10)
    add(output, 8001, PRINT, -0.5, (2, 2, 2, 2), 3)
    raw = decode_output(output)
    assert raw.shape == (3, 7 + CLASSES)
    assert raw[:, 0].tolist() == [0, 0, 0]
    assert raw[:, 1].tolist() == [HAND, SIGN, PRINT]
    assert raw[:, 2] == pytest.approx([0.5, 0.9526, 0.3775], abs=1e-4)
    assert raw[0, 3:7] == pytest.approx([6 - 4, 6 - 8, 6 + 12, 6 + 16], abs=1e-3)
    assert raw[1, 3:7] == pytest.approx([2, 2, 6, 6], abs=1e-3)
    assert raw[2, 3:7] == pytest.approx([24 - 32, 8 - 32, 24 + 32, 8 + 32], abs=1e-3)
    assert raw[:, 7:].argmax(axis=1).tolist() == [7, 10, 3]
    assert raw[:, 7:].sum(axis=1) == pytest.approx(1)


def test_digits_and_signs_have_separate_minimum_scores() -> None:
    parameters = DetectorParameters(min_score=(0.4, 0.6))
    found = Detections(
        np.tile(np.array([0, 0, 10, 20], np.float32), (3, 1)),
        np.full(3, 0.5, np.float32),
        np.array([HAND, PRINT, SIGN], np.int8),
        np.zeros((3, CLASSES), np.float32),
        np.array([0, 1, 0], np.float32),
    )
    assert filter_by_score(found, parameters).kinds.tolist() == [HAND, PRINT]


def test_a_small_part_of_a_digits_score_is_kept() -> None:
    output = empty_output()
    for place, kind in enumerate((HAND, PRINT, SIGN)):
        add(output, 10 * place, kind, -2.5, (1, 1, 1, 1), 0)
    assert decode_output(output, DetectorParameters(min_score=(0.9, 0.3)))[:, 1].tolist() == [HAND, PRINT]
    assert len(decode_output(output, DetectorParameters(min_part_score=0.1))) == 0


def test_a_tile_of_noise_keeps_the_highest_scores() -> None:
    output = empty_output(2)
    output[:, :, HAND] = np.random.default_rng(1).uniform(1, 3, output.shape[:2])
    output[1, 100:, HAND] = -1e4
    raw = decode_output(output, DetectorParameters(max_in_tile=150))
    assert np.bincount(raw[:, 0].astype(int)).tolist() == [150, 100]
    min_heat = np.sort(output[0, :, HAND])[-150]
    assert raw[:150, 2].min() == pytest.approx(1 / (1 + np.exp(-min_heat)))


def raw_at(tile: int, x: float, y: float) -> list[float]:
    """Return a raw detection of 20 by 30 pixels with this centre."""
    return [tile, HAND, 0.9, x - 10, y - 15, x + 10, y + 15, *np.eye(CLASSES)[4].tolist()]


def test_each_tile_counts_for_its_half_of_an_overlap_plus_a_margin() -> None:
    corners = np.array([(0, 0), (240, 0), (0, 300)], np.int32)
    tiles = Tiles(np.empty((0, TILE, TILE, 2), np.uint8), corners, 0.5)
    seam = (TILE + 240) / 2
    raw = [
        raw_at(0, seam - 9, 100),
        raw_at(1, seam - 9 - 240, 100),
        raw_at(0, seam + 9, 100),
        raw_at(1, seam + 9 - 240, 100),
    ]
    raw += [raw_at(0, 50, 300), raw_at(0, 50, 319), raw_at(2, 50, 0), raw_at(2, 50, 20)]
    found = merge_tiles(np.array(raw, np.float32), tiles)
    centres = found.boxes[:, :2] + found.boxes[:, 2:] / 2
    assert centres.tolist() == [[2 * (seam - 9), 200], [2 * (seam + 9), 200], [100, 600], [100, 640]]
    assert found.boxes[:, 2:].tolist() == [[40, 60]] * 4
    assert digit_heights(found).tolist() == [60] * 4


def test_no_tiles_give_no_detections(tiny_detector: Detector) -> None:
    raw = tiny_detector.detect(np.empty((0, TILE, TILE, 2), np.uint8))
    assert raw.shape == (0, 7 + CLASSES)
    assert len(merge_tiles(raw, Tiles(np.empty((0, TILE, TILE, 2), np.uint8), np.empty((0, 2), np.int32), 1.0))) == 0


def page_of_digits() -> tuple[Pixels, list[tuple[float, float]]]:
    page = Sheet(1000, 700)
    boxes = [page.digit("8", x, y, 40, pen=6) for y in range(60, 640, 130) for x in range(60, 940, 130)]
    return page.pixels, [(box.left + box.width / 2, box.top + box.height / 2) for box in boxes]


def test_each_digit_on_a_page_is_found_once_at_its_place(tiny_detector: Detector) -> None:
    pixels, centres = page_of_digits()
    tiles = make_tiles(pixels, 1.0)
    found = merge_tiles(tiny_detector.detect(tiles.pixels), tiles)
    found_centres = found.boxes[:, :2] + found.boxes[:, 2:] / 2
    distance = np.abs(found_centres[:, None] - np.array(centres)).max(axis=2)
    assert distance.min(axis=1).max() <= 16
    assert distance.min(axis=0).max() <= 16
    assert len(non_maximum_suppression(found)) == len(centres)
    assert (found.kinds == HAND).all()
    assert np.allclose(found.boxes[:, 2:], 2 * HALF, atol=1e-3)
    assert (found.probabilities.argmax(axis=1) == SEVEN).all()


@pytest.mark.parametrize("size", [1, 3, 5, 100])
def test_the_fill_of_a_batch_changes_nothing(
    size: int, tiny_detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiles = make_tiles(page_of_digits()[0], 1.0)
    whole = tiny_detector.detect(tiles.pixels)
    assert len(tiles.pixels) > 5
    parts = [tiny_detector.detect(tiles.pixels[i : i + size]) for i in range(0, len(tiles.pixels), size)]
    for i, part in enumerate(parts):
        part[:, 0] += i * size
    assert np.array_equal(np.concatenate(parts), whole)


def test_a_classifier_is_not_a_detector(tiny_detector: Detector, tmp_path: Path) -> None:
    from batchocr.recognition.model_file import shipped_model

    with pytest.raises(ModelError, match="not a sidecar of batchocr"):
        Detector(shipped_model(), device="cpu")
    copy = tmp_path / "other.keras"
    copy.write_bytes(tiny_detector.path.read_bytes())
    text = tiny_detector.path.with_suffix(".json").read_text()
    copy.with_suffix(".json").write_text(text.replace('"uint8"', '"float32"'))
    with pytest.raises(ModelError, match="not for digits and signs"):
        Detector(copy, device="cpu")
