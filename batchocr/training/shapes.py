"""Drawn shapes that are no digits: ticks, crosses, arrows, scribbles, curls, blots, pieces of rules and boxes.

Each shape is made about `height` pixels high as a picture (h, w), ink 255 on 0. The ways of the pen are
(n, 2) points x, y in heights of the writing, y down.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels

Way = NDArray[np.float64]

FINE = 16
"""OpenCV draws between pixels in steps of a sixteenth."""
FLATTEST, STEEPEST = 5.0, 42.0
"""Degrees from level between which slashes are drawn: what is steeper is a slanted 1."""


def strokes(ways: Sequence[Way], height: float, pen: float) -> Pixels:
    """The ways drawn by a round pen `pen` pixels broad, 1 at least."""
    scaled = [way * height for way in ways]
    every = np.concatenate(scaled)
    corner = every.min(axis=0) - pen - 1
    width, tall = (np.ceil(every.max(axis=0) - corner + pen + 1)).astype(int).tolist()
    picture = np.zeros((tall, width), np.uint8)
    points = [np.rint((way - corner) * FINE).astype(np.int32) for way in scaled]
    cv2.polylines(picture, points, False, 255, max(1, round(pen)), cv2.LINE_AA, FINE.bit_length() - 1)
    return picture


def pen_width(height: float, rng: np.random.Generator) -> float:
    """Pixels: from a ball pen to a felt pen, not so fine that `draw` may take it away."""
    return max(1.5 if height <= 34 else 3.2, height * rng.uniform(0.05, 0.14))


def smooth(points: Sequence[Sequence[float]] | Way, steps: int = 8) -> Way:
    """A curve through all points (Catmull-Rom), `steps` pieces between two of them."""
    p = np.asarray(points, np.float64)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    a, b, c, d = p[:-3], p[1:-2], p[2:-1], p[3:]
    curve = b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.concatenate([curve.transpose(1, 0, 2).reshape(-1, 2), p[-2:-1]])


def _shaken(points: Sequence[Sequence[float]], rng: np.random.Generator, by: float = 0.06) -> Way:
    """The points moved a little, each for itself."""
    return np.asarray(points, np.float64) + rng.normal(0, by, (len(points), 2))


def _moved(way: Way, x: float, y: float) -> Way:
    return way + np.array([x, y])


def _written(ways: Sequence[Way], height: float, rng: np.random.Generator) -> Pixels:
    return strokes(ways, height, pen_width(height, rng))


def tick(height: float, rng: np.random.Generator) -> Pixels:
    """A check mark: angular, round, with a long swing, or with two right ends."""
    low = rng.uniform(0.3, 0.6)
    way = _shaken([(0, rng.uniform(0.45, 0.75)), (low, 1), (low + rng.uniform(0.5, 1.3), 0)], rng, 0.04)
    ways = [smooth(way) if rng.random() < 0.5 else way]
    if rng.random() < 0.1:
        ways.append(_moved(ways[0], 0.3, 0))
    return _written(ways, height, rng)


def cross(height: float, rng: np.random.Generator) -> Pixels:
    """An x for a choice made, now and then a plus or a star."""
    wide = rng.uniform(0.7, 1.2)
    ways = [_shaken([(0, 0), (wide, 1)], rng), _shaken([(wide, 0), (0, 1)], rng)]
    kind = rng.random()
    if kind < 0.25:
        ways = [_shaken([(wide / 2, 0), (wide / 2, 1)], rng), _shaken([(0, 0.5), (wide, 0.5)], rng)]
    elif kind < 0.4:
        ways.append(_shaken([(0, 0.5), (wide, 0.5)], rng))
    if rng.random() < 0.3:
        ways = [smooth(np.stack([way[0], way.mean(axis=0) + rng.normal(0, 0.08, 2), way[1]])) for way in ways]
    return _written(ways, height, rng)


def dash(height: float, rng: np.random.Generator) -> Pixels:
    """A dash, a swung one, or two or three over each other."""
    length = rng.uniform(0.3, 1.3)
    swing = rng.normal(0, 0.1) if rng.random() < 0.4 else 0.0
    way = _shaken([(0, 0), (length / 3, -swing), (length * 2 / 3, swing), (length, 0)], rng, 0.012)
    count = int(rng.choice([1, 2, 3], p=[0.75, 0.2, 0.05]))
    apart = rng.uniform(0.2, 0.4)
    return _written([_moved(smooth(way), rng.normal(0, 0.03), i * apart) for i in range(count)], height, rng)


def dots(height: float, rng: np.random.Generator) -> Pixels:
    """A full stop, a colon, three dots, or commas."""
    count = int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))
    apart = rng.uniform(0.3, 0.6)
    way: Way = np.zeros((2, 2))
    if rng.random() < 0.4:
        # a comma is bent and leans, unlike a 1
        tail = rng.uniform(0.12, 0.3)
        way = smooth([(0, 0), (0.25 * tail, 0.45 * tail), (-0.7 * tail, tail)])
    across = np.array([apart, 0]) if rng.random() < 0.6 else np.array([0, apart])
    pen = max(2.0, height * rng.uniform(0.08, 0.2))
    return strokes([way + i * across for i in range(count)], height, pen)


def bracket(height: float, rng: np.random.Generator) -> Pixels:
    """One of ( ) [ ] { } < >, bent enough to be no 1; seldom > , which is a hasty 7."""
    deep, tall = rng.uniform(0.3, 0.5), rng.uniform(1, 1.3)
    bow = np.sin(np.linspace(0, np.pi, 13)), np.linspace(0, 1, 13)
    brace = np.array([0, 1, 1, 2, 1, 1, 0]) / 2, np.array([0, 0.15, 0.35, 0.5, 0.65, 0.85, 1])
    square, angle = (np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1])), (np.array([0, 2, 0]), np.array([0, 0.5, 1]))
    kind = int(rng.integers(4))
    x, y = (bow, brace, square, angle)[kind]
    way = np.stack([rng.choice([-deep, deep], p=[0.8, 0.2] if kind == 3 else [0.5, 0.5]) * x, tall * y], axis=1)
    return _written([smooth(way) if kind == 1 else way], height, rng)


def slash(height: float, rng: np.random.Generator) -> Pixels:
    """A stroke between two fields, never so steep that it may be a 1."""
    angle = np.deg2rad(rng.uniform(FLATTEST, STEEPEST))
    end = rng.uniform(0.7, 1.3) * np.array([np.cos(angle), rng.choice([-1, 1]) * np.sin(angle)])
    return _written([smooth(np.stack([0 * end, end / 2 + rng.normal(0, 0.03, 2), end]))], height, rng)


def arrow(height: float, rng: np.random.Generator) -> Pixels:
    """An arrow in any direction, long or short."""
    length, barb = rng.uniform(0.8, 1.6), rng.uniform(0.25, 0.45)
    ways = [_shaken([(0, 0), (length, 0)], rng, 0.03), _shaken([(length - barb, -barb), (length, 0)], rng, 0.03)]
    ways.append(_shaken([(length - barb, barb), (length, 0)], rng, 0.03))
    turn = np.deg2rad(rng.choice([0, 180, 90, 270, rng.uniform(0, 360)], p=[0.4, 0.15, 0.1, 0.1, 0.25]))
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return _written([way @ matrix for way in ways], height, rng)


def circled(height: float, rng: np.random.Generator) -> Pixels:
    """A ring drawn around a cross, a tick, a dot or a stroke that meets it: an empty one would be a 0."""
    angle = np.linspace(0, 2 * np.pi * rng.uniform(0.9, 1.2), 40) + rng.uniform(0, 6)
    ring = np.stack([rng.uniform(0.5, 0.9) * np.cos(angle), 0.5 * np.sin(angle)], axis=1)
    ring = ring * np.linspace(1, rng.uniform(0.9, 1.1), 40)[:, None]
    reach = rng.uniform(0.45, 0.7)
    inside = (
        [_shaken([(-reach, -reach), (reach, reach)], rng), _shaken([(reach, -reach), (-reach, reach)], rng)],
        [_shaken([(-0.5, -0.1), (-0.05, 0.5), (reach, -reach)], rng, 0.03)],
        [smooth(_shaken([(x, (-1) ** i * 0.35) for i, x in enumerate(np.linspace(-reach, reach, 6))], rng))],
        [_shaken([(-reach, 0), (reach, 0)], rng), _shaken([(0, -reach), (0, reach)], rng)],
    )
    return _written([ring, *inside[int(rng.integers(len(inside)))]], height, rng)


def scribble(height: float, rng: np.random.Generator) -> Pixels:
    """Many strokes to and fro, or round and round."""
    turns = int(rng.integers(5, 14))
    wide = rng.uniform(0.9, 2.2)
    if rng.random() < 0.6:
        x = np.linspace(0, wide, turns) + rng.normal(0, 0.08, turns)
        way = np.stack([x, np.arange(turns) % 2 + rng.normal(0, 0.12, turns)], axis=1)
        if rng.random() < 0.3:
            way = way[:, ::-1]
    else:
        angle = np.linspace(0, rng.uniform(5, 9) * np.pi, 6 * turns)
        round_ = np.stack([0.5 * np.cos(angle), 0.5 * np.sin(angle)], axis=1) * rng.uniform(0.6, 1.1, (6 * turns, 1))
        way = round_ + np.stack([np.linspace(0, wide - 0.7, 6 * turns), np.zeros(6 * turns)], axis=1)
    return _written([smooth(way, 5) if rng.random() < 0.7 else way], height, rng)


def curl(height: float, rng: np.random.Generator) -> Pixels:
    """A piece of a signature: loops and waves that run to the right."""
    n = int(rng.integers(8, 18))
    y = np.where(np.arange(n) % 2, rng.uniform(-0.1, 0.5, n), rng.uniform(0.5, 1.1, n))
    # the pen goes back by more than it went on where it makes a loop
    x = np.cumsum(rng.normal(0.15, 0.15, n)) + rng.uniform(0.05, 0.5) * np.where(np.arange(n) // 2 % 2, 0.5, -0.5)
    way = np.stack([x * max(1.0, 1.2 / max(0.3, float(np.ptp(x)))), y], axis=1)
    ways = [smooth(way)]
    if rng.random() < 0.3:
        ways.append(smooth([(x.min() - 0.2, 1.15), (x.mean(), 1.1 + rng.normal(0, 0.1)), (x.max() + 0.4, 0.95)]))
    return strokes(ways, height, 0.8 * pen_width(height, rng))


def blot(height: float, rng: np.random.Generator) -> Pixels:
    """A filled spot of ragged outline, or a mark filled in to choose it."""
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    radius = rng.uniform(0.2, 0.55) * (1 + rng.normal(0, rng.uniform(0.02, 0.25), 14))
    ring = np.stack([rng.uniform(1, 1.6) * radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    outline = smooth(np.concatenate([ring, ring[:1]])) * height
    outline -= outline.min(axis=0) - 1
    width, tall = (np.ceil(outline.max(axis=0)) + 2).astype(int).tolist()
    picture = np.zeros((tall, width), np.uint8)
    cv2.fillPoly(picture, [np.rint(outline * FINE).astype(np.int32)], 255, cv2.LINE_AA, FINE.bit_length() - 1)
    return picture


def rules(height: float, rng: np.random.Generator) -> Pixels:
    """What is left of ruled lines and boxes: corners, T, crossings, dashes, combs, boxes and halves of them, bars."""
    wide, tall = rng.uniform(0.5, 1.5, 2)
    pen = max(1.0, height * rng.uniform(0.03, 0.1))
    kind = int(rng.choice(8, p=[0.15, 0.15, 0.1, 0.1, 0.15, 0.15, 0.15, 0.05]))
    level, upright = np.array([(0, 0), (wide, 0)]), np.array([(0, 0), (0, tall)])
    if kind == 0:
        return strokes([_moved(level, 0, rng.choice([0, tall])), upright], height, pen)  # never as a 7 has it
    if kind == 1:
        down = upright * rng.choice([-1, 1]) * rng.uniform(0.3, 1)
        return strokes([level, _moved(down, wide * rng.uniform(0.1, 0.7), 0)], height, pen)
    if kind == 2:
        return strokes([_moved(level, 0, tall * rng.uniform(0.2, 0.8)), _moved(upright, wide / 2, 0)], height, pen)
    if kind == 3:
        return strokes([level * rng.uniform(1, 2)], height, pen)
    if kind == 4:
        teeth, apart = int(rng.integers(2, 5)), rng.uniform(0.6, 1.1)
        comb = [_moved(upright * -rng.uniform(0.3, 0.6), i * apart, 0) for i in range(teeth)]
        return strokes([np.array([(-0.3, 0), ((teeth - 1) * apart + 0.3, 0)]), *comb], height, pen)
    if kind == 5:
        side = rng.uniform(0.5, 1.1)
        box = np.array([(0, 0), (side * rng.uniform(0.8, 1.3), 0)])
        box = np.concatenate([box, _moved(box[::-1], 0, side), box[:1]])
        return strokes([box], height, pen)
    if kind == 6:
        half = np.array([(0, 0), (0, tall), (wide, tall), (wide, 0)])
        return strokes([(half if rng.random() < 0.5 else half[:, ::-1]) * rng.choice([-1, 1], 2)], height, pen)
    return np.full((max(3, int(height * rng.uniform(0.2, 0.5))), int(height * rng.uniform(0.8, 1.8))), 255, np.uint8)


def logo(height: float, rng: np.random.Generator) -> Pixels:
    """Solid shapes with holes and ragged edges, as of a photograph, a logo or a seal."""
    tall = int(max(12, height * rng.uniform(0.6, 1.3)))
    wide = int(tall * rng.uniform(0.8, 1.8))
    coarse = int(rng.integers(3, 8))
    noise = cv2.resize(rng.random((coarse, coarse)).astype(np.float32), (wide, tall), interpolation=cv2.INTER_CUBIC)
    picture = np.where(noise > np.quantile(noise, rng.uniform(0.25, 0.6)), np.uint8(255), np.uint8(0))
    if rng.random() < 0.5:
        frame = np.zeros_like(picture)
        cv2.ellipse(frame, (wide // 2, tall // 2), (wide // 2, tall // 2), 0, 0, 360, 255, -1)
        picture &= frame
    return picture


def checker(height: float, rng: np.random.Generator) -> Pixels:
    """A piece of a two-dimensional code."""
    rows, columns = (int(n) for n in rng.integers(4, 10, 2))
    bits = (rng.random((rows, columns)) < 0.55).astype(np.uint8) * np.uint8(255)
    tall = max(12, height * rng.uniform(0.8, 1.4))
    return cv2.resize(bits, (int(tall * columns / rows), int(tall)), interpolation=cv2.INTER_NEAREST)
