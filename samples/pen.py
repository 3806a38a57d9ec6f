"""Draw handwritten digits from strokes in a unit box.

A digit is a few strokes. A stroke is a list of points, which a smooth curve connects. y is 0 at the top and 1 at the
base line; x has the same unit.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.training.synthesis.digit_forms import SAMPLE_FORMS, parse_strokes

FloatArray = NDArray[np.float64]
Ink = NDArray[np.float32]  # the part of each pixel that is covered with ink, 0 to 1
Stroke = list[tuple[float, float]]

SUPERSAMPLING = 4  # pixels of the drawing per pixel of the result
SUBPIXEL_BITS = 4  # fractional bits of OpenCV's coordinates


def read_glyphs() -> dict[int, list[list[Stroke]]]:
    """Return the forms of each digit, each a list of strokes; a point given twice is a corner."""
    glyphs: dict[int, list[list[Stroke]]] = {digit: [] for digit in range(10)}
    for digit, text in SAMPLE_FORMS:
        strokes = []
        for points, corners in parse_strokes(text):
            repeated = np.repeat(points, np.where(corners, 2, 1), axis=0)
            strokes.append([(float(x), float(y)) for x, y in repeated])
        glyphs[digit].append(strokes)
    return glyphs


GLYPHS = read_glyphs()


@dataclass(frozen=True)
class Hand:
    """A handwriting style; `pen` and `wobble` are relative to the digit height."""

    pen: float = 0.105
    slant: float = 0.12
    width: float = 1.0
    wobble: float = 0.012
    habits: dict[int, int] = field(default_factory=dict)  # by digit: the form that it always has

    def choose_form(self, digit: int, rng: np.random.Generator) -> list[Stroke]:
        """Return the strokes of a digit: its habitual form, or a random one."""
        forms = GLYPHS[digit]
        return forms[self.habits.get(digit, int(rng.integers(len(forms))))]


def split_at_corners(points: FloatArray) -> list[FloatArray]:
    """Split a stroke into smooth parts at its corners, which are points that are there twice."""
    repeats = np.flatnonzero(np.all(points[1:] == points[:-1], axis=1)) + 1
    return np.split(points, repeats)


def smooth_curve(points: FloatArray, steps: int = 24) -> FloatArray:
    """Return a centripetal Catmull-Rom spline through the points; it has no loops between two points."""
    if len(points) == 2:
        return np.linspace(points[0], points[1], steps)
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    pieces = []
    for p0, p1, p2, p3 in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        t1 = np.sqrt(np.linalg.norm(p1 - p0))
        t2 = t1 + np.sqrt(np.linalg.norm(p2 - p1))
        t3 = t2 + np.sqrt(np.linalg.norm(p3 - p2))
        t = np.linspace(t1, t2, steps)[:, None]
        a1 = p0 + (p1 - p0) * t / t1
        a2 = p1 + (p2 - p1) * (t - t1) / (t2 - t1)
        a3 = p2 + (p3 - p2) * (t - t2) / (t3 - t2)
        b1 = a1 + (a2 - a1) * t / t2
        b2 = a2 + (a3 - a2) * (t - t1) / (t3 - t1)
        pieces.append(b1 + (b2 - b1) * (t - t1) / (t2 - t1))
    return round_off(np.vstack(pieces), steps)


def round_off(path: FloatArray, window: int) -> FloatArray:
    """Return the moving average of a path, which has no sharp bends. The ends stay in place."""
    half = window // 2
    start = 2 * path[0] - path[half:0:-1]
    end = 2 * path[-1] - path[-2 : -half - 2 : -1]
    padded = np.vstack([start, path, end])
    kernel = np.full(2 * half + 1, 1 / (2 * half + 1))
    return np.column_stack([np.convolve(column, kernel, mode="valid") for column in padded.T])


def shake(strokes: list[Stroke], hand: Hand, rng: np.random.Generator) -> list[list[FloatArray]]:
    """Return the strokes with random changes, each as a list of parts between corners."""
    slant = hand.slant + rng.normal(0, 0.03)
    width = hand.width * rng.uniform(0.9, 1.1)
    bend = rng.normal(0, 0.02)
    # The drift depends only on the place, so that strokes that touch still touch.
    phase = rng.uniform(0, 2 * np.pi, size=2)
    shaken = []
    for stroke in strokes:
        points = np.array(stroke)
        corners = [len(run) for run in split_at_corners(points)]
        noise = rng.normal(0, hand.wobble, size=points.shape)
        for corner in np.cumsum(corners)[:-1]:
            noise[corner] = noise[corner - 1]
        drift = 2.0 * hand.wobble * np.sin(5.0 * points[:, ::-1] + phase)
        points = points + noise + drift
        x = width * points[:, 0] + slant * (1 - points[:, 1]) + bend * np.sin(np.pi * points[:, 1])
        shaken.append(split_at_corners(np.column_stack([x, points[:, 1]])))
    return shaken


def pen_pressure(count: int, rng: np.random.Generator) -> FloatArray:
    """Return the relative pen width along a stroke: it changes slowly, and is smaller at the end."""
    along = np.linspace(0, 1, count)
    swell = 1 + 0.08 * np.sin(2 * np.pi * (rng.uniform(0.6, 1.6) * along + rng.uniform()))
    lift = 1 - rng.uniform(0.1, 0.35) * np.clip((along - 0.8) / 0.2, 0, 1) ** 2
    return swell * lift


def draw_stroke(canvas: NDArray[np.uint8], path: FloatArray, widths: FloatArray) -> None:
    """Draw one stroke with a round pen; all lengths are in pixels of the fine canvas."""
    unit = 1 << SUBPIXEL_BITS
    # Discs at a distance of half a pixel make a smooth edge.
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    stops = np.arange(0, length[-1] + 0.5, 0.5)
    columns = [np.interp(stops, length, values) for values in (path[:, 0], path[:, 1], widths / 2)]
    for x, y, radius in zip(*columns, strict=True):
        center = (round(x * unit), round(y * unit))
        cv2.circle(canvas, center, round(radius * unit), 255, cv2.FILLED, cv2.LINE_8, SUBPIXEL_BITS)


def write_digit(digit: int, height: float, hand: Hand, rng: np.random.Generator) -> Ink:
    """Draw one digit with a height of about `height` pixels, cropped to its ink."""
    return write_strokes(hand.choose_form(digit, rng), height, hand, rng)


def write_strokes(strokes: list[Stroke], height: float, hand: Hand, rng: np.random.Generator) -> Ink:
    """Draw strokes of a digit or another sign, with a height of about `height` pixels, cropped to their ink."""
    pen = hand.pen * height
    runs = shake(strokes, hand, rng)
    paths = [np.vstack([smooth_curve(run) for run in stroke]) for stroke in runs]
    everything = np.vstack(paths)
    scale, margin = height - pen, pen + 2
    lower, upper = everything.min(axis=0), everything.max(axis=0)
    size = np.ceil((upper - lower) * scale + 2 * margin).astype(int) * SUPERSAMPLING
    canvas = np.zeros((size[1], size[0]), np.uint8)
    for path in paths:
        widths = pen * pen_pressure(len(path), rng)
        draw_stroke(canvas, ((path - lower) * scale + margin) * SUPERSAMPLING, widths * SUPERSAMPLING)
    small = cv2.resize(canvas, None, fx=1 / SUPERSAMPLING, fy=1 / SUPERSAMPLING, interpolation=cv2.INTER_AREA)
    return crop_to_ink(np.divide(small, 255, dtype=np.float32))


def crop_to_ink(ink: Ink) -> Ink:
    """Remove the empty border."""
    rows, columns = np.flatnonzero(ink.max(axis=1) > 0), np.flatnonzero(ink.max(axis=0) > 0)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
