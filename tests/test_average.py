"""The mean of the weights of several detectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from batchocr.errors import UsageError
from batchocr.training.detection.average import average_weights
from batchocr.training.detection.network import build_detector


def test_the_weights_are_the_mean_of_the_given_ones(tmp_path: Path) -> None:
    first, second = build_detector(), build_detector()
    for name, model in (("a.keras", first), ("b.keras", second)):
        model.save(tmp_path / name)
    mean = average_weights([tmp_path / "a.keras", tmp_path / "b.keras"]).get_weights()
    for a, b, both in zip(first.get_weights(), second.get_weights(), mean, strict=True):
        assert np.allclose(both, (a + b) / 2, atol=1e-6)


def test_a_file_that_is_not_a_detector_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "c.keras").write_bytes(b"no zip")
    with pytest.raises(UsageError, match=r"c\.keras"):
        average_weights([tmp_path / "c.keras"])
