import numpy as np

from batchocr.vision.connected import connected


def test_pixels_that_touch_at_a_corner_hang_together() -> None:
    mask = np.zeros((40, 60), np.uint8)
    mask[5:9, 10:13] = 255
    mask[9, 13] = 255
    mask[20:22, 30:50] = 255
    labels, stats = connected(mask)
    assert stats.tolist()[1:] == [[10, 5, 4, 5, 13], [30, 20, 20, 2, 40]]
    assert labels[5, 10] == labels[9, 13] == 1
    assert labels[21, 49] == 2
    assert np.count_nonzero(labels) == 53
