"""Handwritten signs and other marks as strokes: points, dashes, brackets, units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIGN_HEIGHTS = {".": 0.08, ",": 0.3, "/": 1.4, "-": 0.35, ":": 0.5, "+": 0.5}
"""Longer side of a sign, in heights of the digits."""
SIGN_MIDDLES = {".": 0.04, ",": -0.03, "/": 0.45, "-": 0.45, ":": 0.3, "+": 0.45}
"""Distance of the centre of a sign above the base line, in heights of the digits."""


def sign_strokes(sign: str, rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """Return a sign as strokes, in heights of the digits; its base line is y = 0.

    Args:
        sign: One of the signs; anything else gives an apostrophe.
        rng: Source of random numbers.
    """

    def path(*points: tuple[float, float]) -> NDArray[np.float32]:
        return np.array(points, np.float32)

    def u(lower: float, upper: float) -> float:
        return float(rng.uniform(lower, upper))

    if sign == ".":
        return [path((0, -0.02), (u(0, 0.03), u(-0.03, 0.03)))]
    if sign == ",":
        return [path((0, -u(0.02, 0.15)), (0.03, 0.02), (-u(0, 0.16), u(0.08, 0.4)))]
    if sign == "/":
        return [
            path((0, u(0.05, 0.35)), (u(0.15, 0.75), -u(1.05, 1.4)))
        ]  # longer than a digit; otherwise it would be a 1
    if sign == "-":
        y = -u(0.3, 0.6)
        return [path((0, y), (u(0.12, 0.3), y + u(-0.05, 0.05)), (u(0.3, 0.75), y + u(-0.08, 0.08)))]
    if sign == ":":
        upper, lower = -u(0.45, 0.75), -u(0.02, 0.2)
        return [path((0, lower), (0.02, lower + 0.02)), path((u(-0.02, 0.1), upper), (0.05, upper + 0.02))]
    if sign == "+":
        y, r = -u(0.35, 0.55), u(0.15, 0.32)
        return [path((0, y), (2 * r, y)), path((r, y - r), (r + u(-0.05, 0.05), y + r))]
    return [path((0, -1), (u(-0.06, 0.02), -0.78))]  # an apostrophe


MARKS = '()[]=%*°"«»$x€#?!&~'
"""Other marks beside numbers, which are not a digit."""


def mark_strokes(mark: str, rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """Return one of MARKS as strokes, in heights of the digits; its base line is y = 0.

    Args:
        mark: One of MARKS.
        rng: Source of random numbers.
    """

    def u(lower: float, upper: float) -> float:
        return float(rng.uniform(lower, upper))

    def path(*points: tuple[float, float]) -> NDArray[np.float32]:
        return np.array(points, np.float32)

    def arc(x: float, y: float, across: float, down: float, start: float, stop: float) -> NDArray[np.float32]:
        turn = np.linspace(start, stop, 16)
        return np.stack([x + across * np.cos(turn), y + down * np.sin(turn)], axis=1).astype(np.float32)

    top, bottom, arc_width, pi = -u(0.95, 1.25), u(0.0, 0.25), u(0.15, 0.35), np.pi
    middle, half = (top + bottom) / 2, (bottom - top) / 2
    if mark in "()":
        turn = (0.62 * pi, 1.38 * pi) if mark == "(" else (-0.38 * pi, 0.38 * pi)
        return [arc(arc_width if mark == "(" else 0.0, middle, arc_width, half, *turn)]
    if mark in "[]":
        x, end = (0.0, arc_width * 0.7) if mark == "[" else (arc_width * 0.7, 0.0)
        return [path((end, top), (x, top), (x, bottom), (end, bottom))]
    if mark == "=":
        y, gap, end = -u(0.3, 0.5), u(0.12, 0.22), u(0.3, 0.6)
        return [path((0, y), (end, y + u(-0.04, 0.04))), path((0, y - gap), (end, y - gap + u(-0.04, 0.04)))]
    if mark == "%":
        r = u(0.1, 0.17)
        return [path((0, 0), (u(0.4, 0.6), -1)), arc(r, -0.8, r, r, 0, 2 * pi), arc(0.6, -0.2, r, r, 0, 2 * pi)]
    if mark == "*":
        r, turns = u(0.15, 0.3), (0.0, pi / 3, 2 * pi / 3)
        ends = [(r * np.cos(t), r * np.sin(t)) for t in turns]
        return [path((r - x, -0.6 - y), (r + x, -0.6 + y)) for x, y in ends]
    if mark == "°":
        r = u(0.08, 0.16)
        return [arc(r, -0.9, r, r, 0, 2 * pi)]
    if mark == '"':
        gap = u(0.1, 0.25)
        return [path((x, -1.0), (x - 0.05, -0.75)) for x in (0.0, gap)]
    if mark in "«»":
        tip, end, gap = (0.0, 0.2, 0.18) if mark == "«" else (0.2, 0.0, 0.18)
        return [path((end + x, -0.6), (tip + x, -0.35), (end + x, -0.1)) for x in (0.0, gap)]
    if mark == "$":
        s = [(0.4, -0.85), (0.15, -0.95), (0.02, -0.75), (0.2, -0.52), (0.42, -0.3), (0.25, -0.03), (0.0, -0.12)]
        return [path(*s), path((0.2, -1.1), (0.2, 0.15))]
    if mark == "x":
        r = u(0.3, 0.6)
        return [path((0, -r), (r, 0)), path((r, -r), (0, 0))]
    if mark == "€":
        return [arc(0.4, -0.5, 0.35, 0.5, 0.3 * pi, 1.7 * pi), path((-0.05, -0.6), (0.4, -0.6)),
                path((-0.05, -0.42), (0.35, -0.42))]  # fmt: skip
    if mark == "#":
        return [path((0.2, -1), (0.1, 0)), path((0.5, -1), (0.4, 0)), path((0, -0.7), (0.6, -0.7)),
                path((0, -0.35), (0.6, -0.35))]  # fmt: skip
    if mark == "?":
        return [
            path((0, -0.8), (0.1, -1), (0.35, -1), (0.4, -0.75), (0.2, -0.5), (0.2, -0.3)),
            path((0.2, -0.03), (0.2, 0)),
        ]
    if mark == "!":
        return [path((0.05, -1), (0, -0.3)), path((0, -0.03), (0, 0))]
    if mark == "&":
        return [path((0.5, 0), (0.1, -0.75), (0.2, -1), (0.35, -0.8), (0, -0.25), (0.2, 0), (0.5, -0.35))]
    return [path((0, -0.35), (0.15, -0.48), (0.35, -0.35), (0.5, -0.48))]  # a tilde
