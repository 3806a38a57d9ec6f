"""Draw handwritten digits from strokes in a unit box.

A digit is a few strokes. A stroke is a list of points, which a smooth curve connects. y is 0 at the top and 1 at the
base line; x has the same unit.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Ink = NDArray[np.float32]  # the part of each pixel that is covered with ink, 0 to 1
Stroke = list[tuple[float, float]]

SUPERSAMPLING = 4  # pixels of the drawing per pixel of the result
SUBPIXEL_BITS = 4  # fractional bits of OpenCV's coordinates

# A point that is there twice is a corner: the pen stops and continues in another direction.
GLYPHS: dict[int, list[list[Stroke]]] = {
    0: [
        [[(0.40, 0.03), (0.20, 0.10), (0.05, 0.38), (0.05, 0.68), (0.19, 0.95), (0.38, 0.97), (0.55, 0.76),
          (0.59, 0.42), (0.50, 0.12), (0.37, 0.04)]],
        [[(0.30, 0.05), (0.12, 0.20), (0.03, 0.50), (0.10, 0.82), (0.30, 0.99), (0.52, 0.85), (0.62, 0.52),
          (0.54, 0.18), (0.36, 0.01), (0.18, 0.10)]],
        [[(0.52, 0.12), (0.36, 0.00), (0.16, 0.12), (0.04, 0.45), (0.09, 0.83), (0.28, 1.00), (0.48, 0.86),
          (0.58, 0.50), (0.51, 0.15), (0.40, 0.06)]],
    ],
    1: [
        [[(0.20, 0.00), (0.17, 0.35), (0.15, 0.70), (0.14, 1.00)]],
        [[(0.15, 0.00), (0.16, 0.30), (0.15, 0.68), (0.17, 1.00)]],
        [[(0.11, 0.15), (0.17, 0.09), (0.23, 0.00), (0.23, 0.00), (0.22, 0.35), (0.20, 0.70), (0.20, 1.00)]],
    ],
    2: [
        [[(0.06, 0.24), (0.13, 0.07), (0.33, 0.00), (0.52, 0.10), (0.54, 0.32), (0.38, 0.60), (0.05, 0.95),
          (0.05, 0.95), (0.30, 0.92), (0.64, 0.96)]],
        [[(0.07, 0.20), (0.18, 0.04), (0.38, 0.01), (0.53, 0.15), (0.50, 0.40), (0.33, 0.74), (0.14, 0.95),
          (0.03, 0.93), (0.05, 0.81), (0.20, 0.79), (0.38, 0.92), (0.54, 0.99), (0.70, 0.92)]],
        [[(0.04, 0.17), (0.22, 0.02), (0.44, 0.04), (0.54, 0.22), (0.45, 0.48), (0.26, 0.76), (0.06, 0.97),
          (0.06, 0.97), (0.22, 0.91), (0.42, 0.96), (0.62, 0.93)]],
    ],
    3: [
        [[(0.06, 0.14), (0.20, 0.02), (0.40, 0.01), (0.52, 0.15), (0.44, 0.34), (0.22, 0.46), (0.22, 0.46),
          (0.45, 0.50), (0.57, 0.68), (0.48, 0.90), (0.25, 1.00), (0.03, 0.92)]],
        [[(0.08, 0.10), (0.28, 0.00), (0.48, 0.09), (0.46, 0.30), (0.28, 0.43), (0.19, 0.48), (0.28, 0.50),
          (0.48, 0.57), (0.55, 0.76), (0.40, 0.95), (0.18, 1.00), (0.01, 0.88)]],
    ],
    4: [
        [[(0.12, 0.02), (0.08, 0.30), (0.03, 0.53), (0.03, 0.53), (0.30, 0.55), (0.64, 0.51)],
         [(0.51, 0.08), (0.49, 0.40), (0.45, 0.72), (0.43, 1.00)]],
        [[(0.45, 0.00), (0.28, 0.28), (0.03, 0.62), (0.03, 0.62), (0.32, 0.63), (0.68, 0.60)],
         [(0.46, 0.01), (0.45, 0.40), (0.43, 0.72), (0.42, 1.00)]],
        [[(0.09, 0.03), (0.04, 0.28), (0.06, 0.46), (0.22, 0.54), (0.40, 0.50), (0.53, 0.40)],
         [(0.54, 0.02), (0.52, 0.40), (0.50, 0.70), (0.47, 1.00)]],
    ],
    5: [
        [[(0.15, 0.04), (0.13, 0.22), (0.09, 0.45), (0.09, 0.45), (0.29, 0.39), (0.49, 0.49), (0.54, 0.70),
          (0.43, 0.92), (0.22, 1.00), (0.01, 0.92)],
         [(0.14, 0.04), (0.34, 0.04), (0.58, 0.00)]],
        [[(0.56, 0.01), (0.38, 0.03), (0.17, 0.04), (0.17, 0.04), (0.14, 0.22), (0.09, 0.43), (0.09, 0.43),
          (0.32, 0.42), (0.49, 0.56), (0.49, 0.80), (0.31, 0.97), (0.04, 0.97)]],
    ],
    6: [
        [[(0.44, 0.00), (0.25, 0.17), (0.10, 0.45), (0.05, 0.74), (0.16, 0.96), (0.35, 0.98), (0.50, 0.80),
          (0.45, 0.60), (0.28, 0.55), (0.12, 0.68), (0.07, 0.80)]],
        [[(0.26, 0.00), (0.14, 0.24), (0.06, 0.52), (0.06, 0.82), (0.22, 1.00), (0.43, 0.93), (0.52, 0.73),
          (0.40, 0.57), (0.20, 0.62), (0.08, 0.77)]],
    ],
    7: [
        [[(0.03, 0.07), (0.25, 0.06), (0.56, 0.02), (0.56, 0.02), (0.45, 0.30), (0.32, 0.64), (0.24, 1.00)]],
        [[(0.04, 0.19), (0.06, 0.06), (0.06, 0.06), (0.28, 0.07), (0.54, 0.03), (0.54, 0.03), (0.46, 0.33),
          (0.36, 0.66), (0.31, 1.00)]],
        [[(0.02, 0.10), (0.20, 0.04), (0.42, 0.03), (0.55, 0.07), (0.51, 0.24), (0.36, 0.60), (0.25, 1.00)]],
    ],
    8: [
        [[(0.50, 0.14), (0.34, 0.00), (0.14, 0.06), (0.09, 0.24), (0.24, 0.43), (0.42, 0.60), (0.46, 0.84),
          (0.27, 1.00), (0.07, 0.90), (0.09, 0.68), (0.28, 0.47), (0.47, 0.27), (0.49, 0.11)]],
        [[(0.44, 0.07), (0.24, 0.01), (0.08, 0.14), (0.15, 0.36), (0.37, 0.52), (0.51, 0.72), (0.42, 0.94),
          (0.20, 0.99), (0.06, 0.84), (0.15, 0.62), (0.37, 0.44), (0.51, 0.22), (0.42, 0.05)]],
    ],
    9: [
        [[(0.50, 0.13), (0.35, 0.00), (0.14, 0.09), (0.04, 0.30), (0.13, 0.47), (0.32, 0.45), (0.47, 0.26),
          (0.52, 0.07), (0.52, 0.07), (0.49, 0.38), (0.45, 0.70), (0.42, 1.00)]],
        [[(0.48, 0.16), (0.32, 0.01), (0.12, 0.10), (0.06, 0.32), (0.20, 0.46), (0.39, 0.38), (0.51, 0.14),
          (0.53, 0.36), (0.51, 0.66), (0.39, 0.93), (0.19, 1.00), (0.06, 0.92)]],
        [[(0.47, 0.10), (0.27, 0.02), (0.08, 0.18), (0.08, 0.40), (0.26, 0.46), (0.43, 0.32), (0.50, 0.12),
          (0.50, 0.12), (0.43, 0.42), (0.34, 0.70), (0.27, 1.00)]],
    ],
}  # fmt: skip


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
    pen = hand.pen * height
    runs = shake(hand.choose_form(digit, rng), hand, rng)
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
