"""Crops are changed at random for training."""

import cv2
import numpy as np

from batchocr.training.crop_augmentation import augment


def _crops(count: int) -> np.ndarray:
    crop = np.zeros((28, 28), np.uint8)
    cv2.line(crop, (9, 5), (18, 22), 255, 2)
    return np.repeat(crop[None], count, axis=0)


def test_a_changed_crop_keeps_its_ink_near_its_place() -> None:
    crops = _crops(101)
    out = augment(crops, np.random.default_rng(3))
    assert out.shape == crops.shape and out.dtype == np.uint8
    assert abs(out.sum(axis=(1, 2)).mean() / crops[0].sum() - 1) < 0.05
    rows, columns = np.indices((28, 28))
    mass = out.sum(axis=(1, 2))
    for places, middle in ((rows, 13.5), (columns, 13.5)):
        means = (out * places).sum(axis=(1, 2)) / mass
        assert abs(means.mean() - middle) < 0.5 and means.std() < 2


def test_some_crops_are_unchanged_and_all_others_differ() -> None:
    out = augment(_crops(200), np.random.default_rng(3))
    same = (out == _crops(1)[0]).all(axis=(1, 2))
    assert 20 < same.sum() < 80
    assert len(np.unique(out[~same], axis=0)) == (~same).sum()


def test_the_same_seed_gives_the_same_result() -> None:
    crops = _crops(7)
    assert np.array_equal(augment(crops, np.random.default_rng(5)), augment(crops, np.random.default_rng(5)))
    assert np.array_equal(crops, _crops(7))
