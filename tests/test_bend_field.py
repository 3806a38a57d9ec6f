"""The bend of paper: a known displacement is found, and its deviation says where it is not known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from batchocr.vision.geometry.bend_field import BendField, fit_bend_field
from batchocr.vision.geometry.laying import grid_points

Floats = NDArray[np.float64]
SIZE = 200.0, 280.0


def wave(points: Floats, amount_mm: float) -> Floats:
    """A smooth displacement: perspective, and a wave of this height down the page."""
    x, y = points[:, 0] / SIZE[1], points[:, 1] / SIZE[1]
    return np.stack([0.3 + 0.5 * x - 0.4 * y, 0.2 * x + amount_mm * np.sin(4 * y + 1)], axis=1)


def fitted(points: Floats, displacements: Floats, weights: Floats | None = None) -> BendField:
    return fit_bend_field(points, displacements, np.ones_like(points) if weights is None else weights, SIZE)


def measured(amount_mm: float, seed: int = 0) -> tuple[Floats, Floats]:
    points = grid_points(SIZE, 12, 16)
    noise = np.random.default_rng(seed).normal(0, 0.05, points.shape)
    return points, wave(points, amount_mm) + noise


@pytest.mark.parametrize("amount_mm", [0.0, 0.5, 1.5])
def test_a_known_bend_is_found(amount_mm: float) -> None:
    between = grid_points((SIZE[0] - 20, SIZE[1] - 20), 9, 11) + 10
    error = fitted(*measured(amount_mm)).at(between) - wave(between, amount_mm)
    assert np.abs(error).max() < 0.12


def test_outliers_do_not_count() -> None:
    points, displacements = measured(0.5)
    displacements[::9] += 3.0
    between = grid_points((SIZE[0] - 20, SIZE[1] - 20), 9, 11) + 10
    assert np.abs(fitted(points, displacements).at(between) - wave(between, 0.5)).max() < 0.15


def test_an_unknown_direction_does_not_count() -> None:
    points, displacements = measured(0.5)
    weights = np.ones_like(points)
    unknown = points[:, 0] > 120
    weights[unknown, 0] = 0
    displacements[unknown, 0] = 7.0
    assert np.abs(fitted(points, displacements, weights).at(points) - wave(points, 0.5)).max() < 0.25


def test_the_deviation_covers_the_error_far_from_measurements() -> None:
    points, displacements = measured(1.0)
    upper = points[:, 1] < 140
    field = fitted(points[upper], displacements[upper])
    lower = grid_points((SIZE[0], 100), 5, 5) + np.array([0, 180])
    error = np.linalg.norm(field.at(lower) - wave(lower, 1.0), axis=1)
    deviation = field.deviation_at(lower)
    assert (error < 3 * deviation).all()
    assert deviation.max() > 0.5 > 0.1 > field.deviation_at(points[upper]).max()


def test_flat_paper_is_known_far_from_measurements() -> None:
    points, displacements = measured(0.0)
    upper = points[:, 1] < 200
    field = fitted(points[upper], displacements[upper])
    far = np.array([[100.0, 260.0]])
    assert field.deviation_at(far)[0] < 0.15
    assert np.abs(field.at(far) - wave(far, 0.0)).max() < 0.3


def test_a_part_that_was_moved_is_no_bend() -> None:
    points, displacements = measured(0.0)
    moved = (points[:, 0] > 90) & (points[:, 1] > 60) & (points[:, 1] < 160)
    displacements[moved] += (0.0, 3.0)
    rest = np.linalg.norm(displacements - fitted(points, displacements).at(points), axis=1)
    assert np.sort(rest[moved])[-5:].min() > 0.6
