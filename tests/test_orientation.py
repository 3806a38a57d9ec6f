"""Pages on their side or upside down: how they are recognised, and that boxes are those of the page as given."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from command import here, rows
from layouts import detected, row_of_boxes
from strokes import page

from batchocr.decoding.digits.orientation import Evidence, Orientation, evidence, find_orientation, is_upright
from batchocr.vision.geometry.quarter_turns import rotate

UPRIGHT = Evidence(60, 0.95, 0.92)
UPSIDE_DOWN = Evidence(55, 0.55, 0.85)
ON_ITS_SIDE = Evidence(4, 0.2, 0.35)
NOTHING = Evidence(0, 0.0, 0.0)


def test_strong_digits_of_a_sure_class_are_upright() -> None:
    sure, unsure = (
        detected(row_of_boxes(100, 150, 8), "12345678", score=0.95, sure=probability) for probability in (0.99, 0.7)
    )
    result = evidence(sure)
    assert (result.strong, result.sure_share) == (8, 1.0)
    assert result.strength == pytest.approx(0.95 * 0.99, abs=0.01)
    assert is_upright(evidence(sure))
    assert evidence(unsure).sure_share == 0
    assert not is_upright(evidence(unsure))


@pytest.mark.parametrize(
    "turns, turn",
    [
        ((UPRIGHT, ON_ITS_SIDE, UPSIDE_DOWN, ON_ITS_SIDE), Orientation(0, True)),
        ((UPSIDE_DOWN, ON_ITS_SIDE, UPRIGHT, ON_ITS_SIDE), Orientation(2, True)),
        ((ON_ITS_SIDE, UPRIGHT, ON_ITS_SIDE, UPSIDE_DOWN), Orientation(1, True)),
        ((ON_ITS_SIDE, UPSIDE_DOWN, ON_ITS_SIDE, UPRIGHT), Orientation(3, True)),
        ((ON_ITS_SIDE, ON_ITS_SIDE, ON_ITS_SIDE, ON_ITS_SIDE), Orientation(0, True)),  # a drawing, or an empty page
        ((NOTHING, NOTHING, NOTHING, NOTHING), Orientation(0, True)),
        ((UPRIGHT, UPRIGHT, ON_ITS_SIDE, UPSIDE_DOWN), Orientation(0, False)),  # writing in two directions
        ((UPSIDE_DOWN, UPRIGHT, ON_ITS_SIDE, UPRIGHT), Orientation(0, False)),
        ((NOTHING, Evidence(3, 1.0, 0.9), NOTHING, NOTHING), Orientation(0, True)),  # too few digits
        ((NOTHING, NOTHING, Evidence(173, 0.05, 0.69), NOTHING), Orientation(0, True)),  # words upside down
        ((NOTHING, Evidence(34, 0.3, 0.6), NOTHING, NOTHING), Orientation(0, False)),
    ],
)
def test_the_orientation_of_a_page(turns: tuple[Evidence, ...], turn: Orientation) -> None:
    assert find_orientation(turns) == turn


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_points_of_a_turned_page_are_found_on_the_page_as_given(quarters: int) -> None:
    given = np.zeros((90, 160), np.uint8)
    given[20:24, 100:108] = 255
    to_page = np.diag([2.0, 2.0, 1.0])  # the page as given is twice as large
    pixels, back = rotate(given, to_page, quarters)
    assert pixels.shape == ((160, 90) if quarters % 2 else (90, 160))
    y, x = np.nonzero(pixels)
    corners = np.array([(x.min(), y.min(), 1), (x.max() + 1, y.max() + 1, 1)], float) @ back.T
    assert sorted(corners[:, 0].tolist()) == [200, 216]
    assert sorted(corners[:, 1].tolist()) == [40, 48]
    assert np.array_equal(np.rot90(pixels, -quarters), given)


def test_a_page_on_its_side_is_read_as_the_upright_one(tmp_path: Path) -> None:
    """The command with the shipped models gives the same digits, with boxes of the page as given."""
    upright = page(["4725", "3594", "2754", "45237", "5742"], width=900)
    (tmp_path / "scans").mkdir()
    for quarters in range(4):
        cv2.imwrite(str(tmp_path / "scans" / f"{quarters}.png"), np.rot90(upright, -quarters))
    assert here("run", tmp_path / "scans", "--out", tmp_path / "results.csv", "--device", "cpu").code == 0
    pages, numbers = (rows(tmp_path / f"results.{name}.csv") for name in ("pages", "numbers"))
    angles = {row["file"]: round(float(row["angle"]) / 90) * 90 for row in pages}
    assert angles == {"0.png": 0, "1.png": 90, "2.png": 180, "3.png": -90}
    read = {row["file"]: [n["digits"] for n in numbers if n["file"] == row["file"]] for row in pages}
    assert read["0.png"] == read["1.png"] == read["2.png"] == read["3.png"] != []
    height, width = upright.shape
    first = {row["file"]: [int(row[side]) for side in ("left", "top", "width", "height")] for row in reversed(numbers)}
    left, top, wide, high = first["0.png"]
    assert first["1.png"] == pytest.approx([height - top - high, left, high, wide], abs=5)
    assert first["2.png"] == pytest.approx([width - left - wide, height - top - high, wide, high], abs=5)
    assert first["3.png"] == pytest.approx([top, width - left - wide, high, wide], abs=5)
