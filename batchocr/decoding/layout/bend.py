"""The slope and the bend of the writing on a level page, measured by the centres of its digits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BendParameters:
    """How slope and bend of the writing are measured; lengths in heights of digits.

    Basis of all: tried on composed and drawn pages.
    """

    max_slope_ratio: float = 0.09
    """Maximum slope that is tried, in pixels down per pixel to the right; the page was turned level before."""
    slope_steps: int = 61
    """Number of slopes that are tried, from the most negative one to the most positive one."""
    bin_heights: float = 0.25
    """Height of a bin of the profile of centres."""
    min_bin_px: float = 1.0
    """Minimum height of such a bin."""
    neighbour_bin_weight: float = 0.5
    """Weight of the two neighbouring bins when the profile is smoothed; a bin itself has the weight 1."""
    slope_doubt_digits: float = 20.0
    """Number of digits at which a slope costs twice as much sharpness as on a page full of digits."""
    min_slope_digits: int = 16
    """Minimum number of digits for which a slope is measured; fewer do not determine it."""
    min_bend_digits: int = 40
    """Minimum number of digits for which a bend is measured, and of pairs of neighbours by which it is fitted."""
    max_fit_digits: int = 400
    """Maximum number of digits whose neighbours are used for the fit of the bend."""
    first_reach_heights: float = 2.5
    """Maximum distance of neighbours in the first fit of the bend."""
    reach_heights: float = 5.0
    """Maximum distance of neighbours in the second fit of the bend."""
    min_neighbour_heights: float = 0.4
    """Minimum horizontal distance of neighbours; closer ones may be above each other."""
    max_offset_heights: float = 0.6
    """Maximum vertical distance of neighbours; others are on other lines."""
    outlier_heights: float = 0.5
    """Residual at which a pair of neighbours has no weight any more (Tukey's biweight)."""
    ridge: float = 1e-4
    """Weight of the ridge penalty on the coefficients of the bend, per pair of neighbours and digit."""
    fit_steps: int = 4
    """Number of steps of the reweighted least squares."""
    min_sharper_ratio: float = 1.03
    """Minimum ratio by which a bend makes the profile of centres sharper; else the slope alone is used."""


PARAMETERS = BendParameters()


def vertical_offsets(x: Floats, y: Floats, heights: Floats, parameters: BendParameters = PARAMETERS) -> Floats:
    """Measure by how many pixels the writing at each centre is lower than on a level page.

    The bend is a polynomial: of the third degree along the lines, and changing down the page. It is fitted to the
    vertical distances of neighbouring digits. It is used if it makes the profile of centres sharper.

    Args:
        x: (n,) horizontal centres of the digits in pixels.
        y: (n,) vertical centres of the digits in pixels.
        heights: (n,) heights of the digits in pixels.
        parameters: how slope and bend are measured.

    Returns:
        (n,) offsets in pixels; all 0 if there are too few digits.
    """
    if len(x) < parameters.min_slope_digits:
        return np.zeros(len(x))
    height = float(np.median(heights))
    slope, sharpness = _best_slope(x, y, height, parameters)
    if len(x) < parameters.min_bend_digits:
        return slope * x
    bend = _fitted_bend(x, y, height, parameters)
    remaining_slope, bent_sharpness = _best_slope(x, y - bend, height, parameters)
    if bent_sharpness > sharpness * parameters.min_sharper_ratio:
        return bend + remaining_slope * x
    return slope * x


def _best_slope(x: Floats, y: Floats, height: float, p: BendParameters) -> tuple[float, float]:
    """Return the slope at which the profile of centres is sharpest, and its sharpness."""
    step = max(p.min_bin_px, p.bin_heights * height)
    kernel = (p.neighbour_bin_weight, 1.0, p.neighbour_bin_weight)
    best_slope, best_sharpness = 0.0, -1.0
    for slope in np.linspace(-p.max_slope_ratio, p.max_slope_ratio, p.slope_steps):
        bins = (y - slope * x) / step
        counts = np.bincount((bins - bins.min()).astype(np.int64))
        penalty = 1 - abs(slope) * (1 + p.slope_doubt_digits / len(x))
        sharpness = float((np.convolve(counts, kernel) ** 2).sum()) * penalty
        if sharpness > best_sharpness * (1 + 1e-9):  # rounding errors do not decide between equal slopes
            best_slope, best_sharpness = float(slope), sharpness
    return best_slope, best_sharpness


def _fitted_bend(x: Floats, y: Floats, height: float, p: BendParameters) -> Floats:
    """Return the value of the fitted polynomial at each centre, (n,)."""
    size = max(float(np.ptp(x)), float(np.ptp(y)), height)
    u, v = (x - x.mean()) / size, (y - y.mean()) / size
    basis = np.stack([u, u * u, u**3, u * v, u * u * v], axis=1)
    bend = np.zeros(len(x))
    sampled = np.unique(np.linspace(0, len(x) - 1, min(len(x), p.max_fit_digits)).astype(np.intp))
    for reach in (p.first_reach_heights, p.reach_heights):
        right = x - x[sampled, None]
        down = (y - bend) - (y - bend)[sampled, None]
        i, j = np.nonzero(
            (right > p.min_neighbour_heights * height)
            & (right < reach * height)
            & (np.abs(down) < p.max_offset_heights * height)
        )
        if len(i) < p.min_bend_digits:
            return bend
        inputs, outputs = basis[j] - basis[sampled[i]], y[j] - y[sampled[i]]
        ridge = np.eye(basis.shape[1]) * p.ridge * len(i) / len(x)
        weights = np.ones(len(i))
        coefficients = np.zeros(basis.shape[1])
        for _ in range(p.fit_steps):
            weighted = inputs * weights[:, None]
            coefficients = np.linalg.solve(weighted.T @ inputs + ridge, weighted.T @ outputs)
            residuals = (outputs - inputs @ coefficients) / (p.outlier_heights * height)
            weights = np.clip(1 - residuals * residuals, 0, None) ** 2  # Tukey's biweight
        bend = basis @ coefficients
    return bend
