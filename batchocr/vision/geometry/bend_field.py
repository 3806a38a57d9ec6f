"""A smooth displacement over a page: how print is displaced by perspective and by the bend of the paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class BendFieldParameters:
    """How a smooth field is fitted to displacements that are measured at points of a page."""

    knot_mm: float = 30.0
    """Distance of the knots of the spline. Basis: paper on a desk or wall bends over longer distances."""
    stiffness: float = 0.3
    """Weight of a squared second difference of neighbouring knots, in measurements. Basis: tried on a bent photo, and
    on pages with a table that was moved by 3 mm, which must not count as a bend."""
    min_scale_mm: float = 0.08
    """Minimum of the robust standard deviation of the residuals. Basis: the noise of a measurement on a sharp page."""
    tukey: float = 4.685
    """Residual at which a measurement loses its weight, in standard deviations. Basis: Tukey's biweight with an
    efficiency of 95% on normal noise."""
    steps: int = 5
    """Number of steps of the reweighted least squares. Basis: chosen by eye."""


PARAMETERS = BendFieldParameters()


@dataclass(frozen=True)
class BendField:
    """A displacement in mm at each point of a page: a projective part, and a cubic spline."""

    width_mm: float
    height_mm: float
    projective: Floats
    """(8,): the coefficients of `_projective_basis`."""
    knots: Floats
    """(rows, columns, 2): coefficients of the cubic B-splines in mm."""

    def at(self, points: Floats) -> Floats:
        """Return the displacement at points.

        Args:
            points: (n, 2) x and y in mm.

        Returns:
            (n, 2) in mm.
        """
        rows, columns, _ = self.knots.shape
        down = _spline_basis(points[:, 1] / self.height_mm, rows)
        across = _spline_basis(points[:, 0] / self.width_mm, columns)
        spline = ((down @ self.knots.reshape(rows, -1)).reshape(-1, columns, 2) * across[..., None]).sum(axis=1)
        return np.asarray(_projective_part(points, self.projective, self.width_mm, self.height_mm) + spline)


def fit_bend_field(
    points: Floats,
    displacements: Floats,
    weights: Floats,
    size_mm: tuple[float, float],
    parameters: BendFieldParameters = PARAMETERS,
) -> BendField:
    """Fit a smooth field to displacements by robust penalized least squares (P-splines, Eilers and Marx 1996).

    Args:
        points: (n, 2) x and y in mm.
        displacements: (n, 2) in mm.
        weights: (n, 2) 0 or more; 0 if the displacement in this direction is not known.
        size_mm: Width and height of the page.
        parameters: See the class.

    Returns:
        The field.
    """
    p = parameters
    width, height = size_mm
    projective = _robust_projective(points, displacements, weights, size_mm, p)
    rest = displacements - _projective_part(points, projective, width, height)
    columns, rows = (max(4, round(size / p.knot_mm) + 3) for size in size_mm)
    down, across = _spline_basis(points[:, 1] / height, rows), _spline_basis(points[:, 0] / width, columns)
    basis = (down[:, :, None] * across[:, None, :]).reshape(len(points), rows * columns)
    penalty = p.stiffness * _penalty(rows, columns) + 1e-6 * np.eye(rows * columns)
    knots = np.empty((rows, columns, 2))
    robust = _tukey_weights(np.where(weights > 0, rest, 0.0), weights, p)
    for axis in (0, 1):
        for _ in range(p.steps):
            weighted = basis * (weights[:, axis] * robust[:, axis])[:, None]
            solution = np.linalg.solve(weighted.T @ basis + penalty, weighted.T @ rest[:, axis])
            residuals = rest[:, [axis]] - (basis @ solution)[:, None]
            robust[:, [axis]] = _tukey_weights(residuals, weights[:, [axis]], p)
        knots[..., axis] = solution.reshape(rows, columns)
    return BendField(width, height, projective, knots)


def _robust_projective(
    points: Floats, displacements: Floats, weights: Floats, size: tuple[float, float], p: BendFieldParameters
) -> Floats:
    """Fit the projective part alone; the first steps minimize absolute values, so that outliers do not count."""
    basis = _projective_basis(points, *size)
    inputs = basis.reshape(-1, basis.shape[2])
    outputs, given = displacements.reshape(-1), weights.reshape(-1)
    robust = np.ones(len(outputs))
    solution: Floats = np.zeros(inputs.shape[1])
    for step in range(2 * p.steps):
        weighted = inputs * (given * robust)[:, None]
        solution = np.asarray(
            np.linalg.solve(weighted.T @ inputs + 1e-6 * np.eye(len(solution)), weighted.T @ outputs), np.float64
        )
        residuals = outputs - inputs @ solution
        if step < p.steps:
            robust = 1 / np.maximum(np.abs(residuals), p.min_scale_mm)
        else:
            robust = _tukey_weights(residuals[:, None], given[:, None], p)[:, 0]
    return np.asarray(solution)


def _tukey_weights(residuals: Floats, weights: Floats, p: BendFieldParameters) -> Floats:
    """Return Tukey's biweight of residuals (n, k); the scale is that of the residuals with a weight."""
    known = np.abs(residuals[weights > 0])
    scale = max(p.min_scale_mm, 1.4826 * float(np.median(known))) if len(known) else p.min_scale_mm
    return np.asarray(np.clip(1 - (residuals / (p.tukey * scale)) ** 2, 0, None) ** 2)


def _projective_basis(points: Floats, width: float, height: float) -> Floats:
    """Return (n, 2, 8): the derivatives of a homography near the identity, for both coordinates of each point."""
    size = max(width, height)
    x, y = (points[:, 0] - width / 2) / size, (points[:, 1] - height / 2) / size
    zero, one = np.zeros_like(x), np.ones_like(x)
    across = np.stack([one, x, y, zero, zero, zero, x * x, x * y], axis=1)
    down = np.stack([zero, zero, zero, one, x, y, x * y, y * y], axis=1)
    return np.stack([across, down], axis=1)


def _projective_part(points: Floats, coefficients: Floats, width: float, height: float) -> Floats:
    """Return the displacement (n, 2) by the projective part."""
    return np.asarray(_projective_basis(points, width, height) @ coefficients)


def _spline_basis(places: Floats, count: int) -> Floats:
    """Return (n, count): uniform cubic B-splines at places from 0 to 1; beyond the ends the end is continued."""
    position = np.clip(places, 0, 1) * (count - 3)
    first = np.minimum(position.astype(np.intp), count - 4)
    t = position - first
    values = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
    basis = np.zeros((len(places), count))
    np.put_along_axis(basis, first[:, None] + np.arange(4), values, axis=1)
    return basis


def _penalty(rows: int, columns: int) -> Floats:
    """Return the matrix of the sum of squared second differences of knots, the mixed ones included."""
    terms = []
    for down, across in (((2, 0)), ((0, 2)), ((1, 1))):
        differences = np.kron(_differences(rows, down), _differences(columns, across))
        terms.append((2 if down == across else 1) * differences.T @ differences)
    return np.asarray(sum(terms))


def _differences(count: int, order: int) -> Floats:
    """Return the matrix (count - order, count) of differences of this order."""
    return np.asarray(np.diff(np.eye(count), order, axis=0)) if order else np.eye(count)
