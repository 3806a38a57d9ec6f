"""A smooth displacement over a page: how print is displaced by perspective and by the bend of the paper."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class BendFieldParameters:
    """How a smooth field is fitted to displacements that are measured at points of a page."""

    knot_mm: float = 30.0
    """Distance of the knots of the spline. Basis: a third of the smallest length of a bend."""
    bends_mm: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4, 0.8)
    """Standard deviations of the bend from which the most likely one is taken. Basis: scans are flat up to 0.1 mm;
    paper on a desk is displaced by up to 2 mm."""
    lengths_mm: tuple[float, ...] = (100.0, 170.0)
    """Lengths over which the bend changes, from which the most likely one is taken. Basis: stiff paper has no shorter
    waves; a part of a table that was moved changes within less, and must not count as a bend."""
    usual_mm: tuple[float, float] = (0.8, 100.0)
    """Standard deviation and length of the bend that is assumed before. Basis: wide enough for each of the others."""
    perspective_mm: float = 10.0
    """Standard deviation of the displacements by perspective. Basis: the search by features is wrong by up to 10 mm."""
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
    precision: Floats
    """(n, n): inverse of the covariance of the projective coefficients, the knots in x and those in y."""

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
        projective = _projective_basis(points, self.width_mm, self.height_mm) @ self.projective
        return np.asarray(projective + spline)

    def deviation_at(self, points: Floats) -> Floats:
        """Return how sure the displacement is: its standard deviation (n,) in mm at points (n, 2) in mm."""
        basis = _basis(points, (self.width_mm, self.height_mm), self.knots.shape[:2])
        rows = basis.reshape(-1, basis.shape[2])
        variance = (rows * np.linalg.solve(self.precision, rows.T).T).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(variance, 0).reshape(-1, 2).sum(axis=1)))


def fit_bend_field(
    points: Floats,
    displacements: Floats,
    weights: Floats,
    size_mm: tuple[float, float],
    is_last: bool = True,
    parameters: BendFieldParameters = PARAMETERS,
) -> BendField:
    """Fit a smooth field to displacements.

    The bend is a Gaussian process (Rasmussen and Williams 2006) whose values at the knots of a spline are fitted. So it
    returns to the plain perspective far from all measurements, and its deviation is known everywhere. How far and over
    which length the paper bends is what makes the measurements most likely (section 5.4.1 there). Outliers lose their
    weight by Tukey's biweight.

    Args:
        points: (n, 2) x and y in mm.
        displacements: (n, 2) in mm.
        weights: (n, 2) 0 or more; 0 if the displacement in this direction is not known.
        size_mm: Width and height of the page.
        is_last: Whether the most likely bend is looked for. Else a usual one is assumed, in a quarter of the time.
        parameters: See the class.

    Returns:
        The field.
    """
    p = parameters
    columns, rows = (max(4, round(size / p.knot_mm) + 3) for size in size_mm)
    given = weights.reshape(-1)
    known = given > 0
    basis = _basis(points, size_mm, (rows, columns)).reshape(len(given), -1)[known]
    outputs, given = displacements.reshape(-1)[known], given[known]
    plain = _robust_projective(basis[:, :8], outputs, given, p)
    scale, robust = _tukey_weights(outputs - basis[:, :8] @ plain, p)
    prior = _precision(size_mm, rows, columns, *p.usual_mm, p)
    for step in range(p.steps):
        weighted = basis * (given * robust / scale**2)[:, None]
        squares, products = weighted.T @ basis, weighted.T @ outputs
        if is_last and step == p.steps - 1:
            pairs = itertools.product(p.bends_mm, p.lengths_mm)
            priors = [_precision(size_mm, rows, columns, bend, length, p) for bend, length in pairs]
            prior = max(priors, key=lambda one: _evidence(squares, products, one))
        total = squares + prior[0]
        solution = np.linalg.solve(total, products)
        scale, robust = _tukey_weights(outputs - basis @ solution, p)
    knots = np.stack([each.reshape(rows, columns) for each in np.split(solution[8:], 2)], axis=2)
    return BendField(*size_mm, np.asarray(solution[:8]), np.asarray(knots), np.asarray(total))


def _evidence(squares: Floats, products: Floats, prior: tuple[Floats, float]) -> float:
    """Return the logarithm of the likelihood of the measurements, up to a constant for all priors."""
    precision, log_determinant = prior
    factor = np.linalg.cholesky(squares + precision)
    half = np.linalg.solve(factor, products)
    return float(0.5 * half @ half - np.log(np.diag(factor)).sum() + 0.5 * log_determinant)


@lru_cache(maxsize=256)
def _precision(
    size_mm: tuple[float, float], rows: int, columns: int, bend_mm: float, length_mm: float, p: BendFieldParameters
) -> tuple[Floats, float]:
    """Return the precision matrix of the coefficients before the measurements, and the logarithm of its determinant."""
    y, x = np.meshgrid(np.arange(rows) / (rows - 3), np.arange(columns) / (columns - 3), indexing="ij")
    places = np.stack([x.ravel() * size_mm[0], y.ravel() * size_mm[1]], axis=1)
    distance = np.sqrt(5) / length_mm * np.linalg.norm(places[:, None] - places[None], axis=2)
    matern = (1 + distance + distance**2 / 3) * np.exp(-distance)  # of order 5/2, (4.17) in Rasmussen and Williams
    covariance = bend_mm**2 * (matern + 1e-6 * np.eye(len(places)))
    knots = np.linalg.inv(covariance)
    count = len(places)
    result = np.zeros((8 + 2 * count, 8 + 2 * count))
    result[:8, :8] = np.eye(8) / p.perspective_mm**2
    result[8 : 8 + count, 8 : 8 + count] = result[8 + count :, 8 + count :] = knots
    return result, float(-16 * np.log(p.perspective_mm) - 2 * np.linalg.slogdet(covariance)[1])


def _robust_projective(inputs: Floats, outputs: Floats, given: Floats, p: BendFieldParameters) -> Floats:
    """Fit the projective part alone; the first steps minimize absolute values, so that outliers do not count."""
    robust = np.ones(len(outputs))
    solution: Floats = np.zeros(inputs.shape[1])
    for step in range(2 * p.steps):
        weighted = inputs * (given * robust)[:, None]
        solution = np.asarray(
            np.linalg.solve(weighted.T @ inputs + 1e-6 * np.eye(len(solution)), weighted.T @ outputs), np.float64
        )
        residuals = outputs - inputs @ solution
        robust = (
            1 / np.maximum(np.abs(residuals), p.min_scale_mm) if step < p.steps else _tukey_weights(residuals, p)[1]
        )
    return np.asarray(solution)


def _tukey_weights(residuals: Floats, p: BendFieldParameters) -> tuple[float, Floats]:
    """Return the robust standard deviation of residuals (n,), and Tukey's biweight of each."""
    scale = max(p.min_scale_mm, 1.4826 * float(np.median(np.abs(residuals)))) if len(residuals) else p.min_scale_mm
    return scale, np.asarray(np.clip(1 - (residuals / (p.tukey * scale)) ** 2, 0, None) ** 2)


def _basis(points: Floats, size_mm: tuple[float, float], knots: tuple[int, ...]) -> Floats:
    """Return (n, 2, 8 + 2 * rows * columns): what each coefficient adds to the displacement of each point."""
    rows, columns = knots
    down, across = _spline_basis(points[:, 1] / size_mm[1], rows), _spline_basis(points[:, 0] / size_mm[0], columns)
    spline = (down[:, :, None] * across[:, None, :]).reshape(len(points), -1)
    zero = np.zeros_like(spline)
    splines = np.stack([np.hstack([spline, zero]), np.hstack([zero, spline])], axis=1)
    return np.concatenate([_projective_basis(points, *size_mm), splines], axis=2)


def _projective_basis(points: Floats, width: float, height: float) -> Floats:
    """Return (n, 2, 8): the derivatives of a homography near the identity, for both coordinates of each point."""
    size = max(width, height)
    x, y = (points[:, 0] - width / 2) / size, (points[:, 1] - height / 2) / size
    zero, one = np.zeros_like(x), np.ones_like(x)
    across = np.stack([one, x, y, zero, zero, zero, x * x, x * y], axis=1)
    down = np.stack([zero, zero, zero, one, x, y, x * y, y * y], axis=1)
    return np.stack([across, down], axis=1)


def _spline_basis(places: Floats, count: int) -> Floats:
    """Return (n, count): uniform cubic B-splines at places from 0 to 1; beyond the ends the end is continued."""
    position = np.clip(places, 0, 1) * (count - 3)
    first = np.minimum(position.astype(np.intp), count - 4)
    t = position - first
    values = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
    basis = np.zeros((len(places), count))
    np.put_along_axis(basis, first[:, None] + np.arange(4), values, axis=1)
    return basis
