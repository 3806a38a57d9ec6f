"""Connected components: labels and statistics."""

import cv2
import numpy as np
import pytest

from batchocr.vision.geometry.connected import connected


def test_pixels_that_touch_at_a_corner_are_connected() -> None:
    mask = np.zeros((40, 60), np.uint8)
    mask[5:9, 10:13] = 255
    mask[9, 13] = 255
    mask[20:22, 30:50] = 255
    labels, stats = connected(mask)
    assert stats.tolist()[1:] == [[10, 5, 4, 5, 13], [30, 20, 20, 2, 40]]
    assert labels[5, 10] == labels[9, 13] == 1
    assert labels[21, 49] == 2
    assert np.count_nonzero(labels) == 53


def test_components_do_not_continue_from_the_right_side_to_the_left() -> None:
    mask = np.zeros((4, 10), np.uint8)
    mask[1, 7:] = 255
    mask[2, :2] = 255
    _, stats = connected(mask)
    assert stats.tolist()[1:] == [[7, 1, 3, 1, 3], [0, 2, 2, 1, 2]]


@pytest.mark.parametrize("neighbours", [4, 8])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_labels_and_statistics_are_those_of_opencv(neighbours: int, share: float) -> None:
    mask = np.where(np.random.default_rng(1).random((37, 53)) < share, 255, 0).astype(np.uint8)
    labels, stats = connected(mask, neighbours)
    _, expected, of_each, _ = cv2.connectedComponentsWithStats(mask, connectivity=neighbours)
    assert np.array_equal(labels, expected)
    assert np.array_equal(stats[1:], of_each[1:])
    assert stats[0, cv2.CC_STAT_AREA] == of_each[0, cv2.CC_STAT_AREA]
