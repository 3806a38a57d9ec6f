"""Draw the forms of digits as pen strokes, as random writers follow them.

A writer follows a form with an own slant, proportions and bends, and with small errors at the points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from batchocr.training.synthesis.digit_forms import DigitForm, Points, parse_strokes

STEPS = 8
"""Straight pieces between two points of a stroke."""
ROUNDED_SHARE = 0.15
"""Share of digits whose corners are rounded, as in fast writing."""


def draw_strokes(form: DigitForm, rng: np.random.Generator) -> list[Points]:
    """Draw a form as a random writer follows it. A result that could be a 1 as well as a 7 is drawn again.

    Args:
        form: The form.
        rng: Source of random numbers.

    Returns:
        The strokes, each (n, 2) in heights of the digit.
    """
    while True:
        paths = _draw_once(form, rng)
        if _is_distinct(form, paths[0]):
            return paths


def _is_distinct(form: DigitForm, path: Points) -> bool:
    """Return whether the flag of a 1 rises or is short, and whether the bar of a 7 is almost level and long."""
    corners = STEPS * np.flatnonzero(parse_strokes(form.draw_strokes)[0][1])
    if form.digit not in (1, 7) or not len(corners):
        return True
    left = corners[0] if len(corners) > 1 else 0  # after the serif
    across, rise = (path[corners[-1]] - path[left]) * (1, -1)
    height = float(np.ptp(path[:, 1]))
    if form.digit == 1:
        return bool(rise > 0.7 * across or across < 0.15 * height)
    return bool(across > height / 3 and rise < 0.35 * across)


def _draw_once(form: DigitForm, rng: np.random.Generator) -> list[Points]:
    """Draw a form once, as some writer follows it: strokes (n, 2) in heights of the digit."""
    paths = parse_strokes(form.draw_strokes)
    others = parse_strokes(form.other or form.draw_strokes)
    careless = rng.uniform(0.4, 2)
    rounds_corners = rng.random() < ROUNDED_SHARE
    across = np.exp(np.clip(rng.normal(0, 0.18), -0.35, 0.35))
    slant = np.clip(rng.normal(0.08, 0.14), -0.2, 0.4)
    angle = np.deg2rad(np.clip(rng.normal(0, 3.5), -8, 8))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    own = turn @ np.array([[across, -slant], [0, 1]])
    bend = np.clip(rng.normal(0, 0.16 * careless, (3, 2)), -0.4, 0.4)
    result = []
    for (points, corners), (other, _) in zip(paths, others, strict=True):
        path = points + rng.uniform(-0.1, 1.1) * (other - points) - (0.3, 0.5)
        x, y = path.T
        path = path + np.stack([x * x, x * y, y * y], axis=1) @ bend
        path = path + rng.normal(0, 0.018 * careless, path.shape) + rng.normal(0, 0.018 * careless, 2)
        for end, inner in ((0, 1), (-1, -2)):
            along = path[end] - path[inner]
            path[end] += along / max(0.01, np.hypot(*along)) * rng.normal(0, 0.03 * careless)
        result.append(_smooth(path @ own.T, np.zeros_like(corners) if rounds_corners else corners))
    return result


def _smooth(points: Points, corners: NDArray[np.bool_]) -> Points:
    """Return a path through all points, smooth except at corners, with STEPS pieces between two points.

    It is a centripetal Catmull-Rom spline (Yuksel, Schaefer, Keyser, 2011), which makes no loops of its own.
    """
    pace = np.sqrt(np.maximum(1e-3, np.hypot(*np.diff(points, axis=0).T)))[:, None]
    speed = np.diff(points, axis=0) / pace
    # how the pen arrives at each point and how it leaves it: the same, except at corners and ends
    comes, leaves = np.vstack([speed[:1], speed]), np.vstack([speed, speed[-1:]])
    before, after = np.vstack([pace[:1], pace]), np.vstack([pace, pace[-1:]])
    mean = (comes * after + leaves * before) / (before + after)
    comes, leaves = (np.where(corners[:, None], own, mean) for own in (comes, leaves))
    t = (np.arange(STEPS) / STEPS)[None, :, None]
    start, stop = points[:-1, None], points[1:, None]
    away, to = (pace * leaves[:-1])[:, None], (pace * comes[1:])[:, None]
    path = start + t * away + t * t * (3 * (stop - start) - 2 * away - to) + t**3 * (2 * (start - stop) + away + to)
    return np.vstack([path.reshape(-1, 2), points[-1:]])
