"""What is around the writing: rules, holes, stamps, bars, rings, blots, signatures."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from batchocr.records import Pixels
from batchocr.training.synthesis.canvas import DASHED, DOTTED, SOLID, Canvas, Segment


def rule_style(canvas: Canvas, thick: int = 3) -> dict[str, Any]:
    """Return opacity, width and style of printed lines, as `Canvas.draw_lines` takes them."""
    rng = canvas.rng
    widths = [1, 1, 1, 2, 2, 3, 4, 5]
    width = min(int(rng.choice(widths)), thick if canvas.height > 20 else 2)
    style = str(rng.choice([SOLID, DOTTED, DASHED], p=[0.8, 0.12, 0.08]))
    return {"opacity": canvas.ink * rng.uniform(0.3, 1), "width": width, "style": style}


def decorations(canvas: Canvas) -> None:
    """Draw punched holes, filled shapes, rings and scrawls anywhere but over digits."""
    rng = canvas.rng
    mask = canvas.empty_mask()
    for _ in range(int(rng.integers(1, 4))):
        _shape(mask, canvas)
    for _, left, top, width, height, *_ in canvas.boxes:
        x0, y0, x1, y1 = max(0, int(left)), max(0, int(top)), int(left + width) + 1, int(top + height) + 1
        if x1 > 0 and y1 > 0:
            mask[y0:y1, x0:x1] = 0
    if canvas.chance(0.3):
        mask = cv2.GaussianBlur(mask, (0, 0), 1.5)
    canvas.put_ink(mask, 0, 0, canvas.ink if canvas.chance(0.5) else rng.uniform(0.2, 0.97))


def _shape(mask: Pixels, canvas: Canvas) -> None:
    rng, side = canvas.rng, canvas.side
    roll = rng.random()
    middle = int(rng.integers(0, side)), int(rng.integers(0, side))
    size = int(np.exp(rng.uniform(np.log(4), np.log(60))))
    if roll < 0.2:
        cv2.circle(mask, middle, size // 2 + 3, 255, -1, cv2.LINE_AA)
    elif roll < 0.3:
        _punched_holes(mask, canvas, middle)
    elif roll < 0.42:
        axes = size, max(2, int(size * rng.uniform(0.4, 1)))
        cv2.ellipse(mask, middle, axes, rng.uniform(0, 180), 0, 360, 255, int(rng.integers(1, 5)), cv2.LINE_AA)
    elif roll < 0.55:
        corner = middle[0] + size, middle[1] + int(size * rng.uniform(0.1, 2))
        cv2.rectangle(mask, middle, corner, 255, -1 if rng.random() < 0.6 else int(rng.integers(1, 6)))
    elif roll < 0.68:
        points = (np.array(middle) + rng.normal(0, size, (int(rng.integers(3, 7)), 2))).round().astype(np.int32)
        cv2.fillPoly(mask, [points], 255, cv2.LINE_AA)
    elif roll < 0.85:
        steps = np.cumsum(rng.normal(0, size * 0.4, (int(rng.integers(4, 30)), 2)), axis=0)
        points = (np.array(middle) + steps).round().astype(np.int32)
        cv2.polylines(mask, [points], False, 255, int(rng.integers(1, 5)), cv2.LINE_AA)
    else:
        bars(mask, canvas, middle)


def _punched_holes(mask: Pixels, canvas: Canvas, first: tuple[int, int]) -> None:
    """Draw the rims of punched holes below each other, which are not a 0."""
    rng = canvas.rng
    radius = max(3, round(canvas.height * rng.uniform(0.3, 1.1)))
    step, line = round(radius * rng.uniform(3, 14)), int(rng.integers(1, 5))
    for y in range(first[1] % step, canvas.side, step):
        cv2.circle(mask, (first[0], y), radius, 255, line, cv2.LINE_AA)


def bars(mask: Pixels, canvas: Canvas, corner: tuple[int, int]) -> None:
    """Draw a bar code or a square code into a mask."""
    rng, (x, y) = canvas.rng, corner
    if rng.random() < 0.5:
        bar_height, widths = int(rng.integers(20, 70)), rng.integers(1, 5, 60)
        for i, width in enumerate(widths.tolist()):
            if i % 2:
                cv2.rectangle(mask, (x, y), (x + width - 1, y + bar_height), 255, -1)
            x += width
    else:
        cell, count = int(rng.integers(2, 6)), int(rng.integers(12, 26))
        code = (rng.random((count, count)) < 0.5).astype(np.uint8) * 255
        code = cv2.resize(code, None, fx=cell, fy=cell, interpolation=cv2.INTER_NEAREST)
        part = mask[max(0, y) : y + len(code), max(0, x) : x + len(code)]
        part[:] = np.maximum(part, code[: part.shape[0], : part.shape[1]])


def cross_out_lines(canvas: Canvas) -> None:
    """Draw a few long lines across the whole canvas: margins, folds, scratches."""
    side, rng = canvas.side, canvas.rng
    ends = [
        (0.0, float(y), float(side), float(y + rng.normal(0, 3))) for y in rng.uniform(0, side, int(rng.integers(1, 5)))
    ]
    if canvas.chance(0.5):
        ends = [(y0, x0, y1, x1) for x0, y0, x1, y1 in ends]
    canvas.draw_lines(ends, **rule_style(canvas))


def long_stroke(canvas: Canvas) -> None:
    """Draw a pen stroke across the whole canvas, as of a signature or a bracket."""
    rng, side = canvas.rng, canvas.side
    points = rng.uniform(-0.2 * side, 1.2 * side, (4, 2))
    t = np.linspace(0, 1, 40)[:, None]
    a, b, c, d = points
    path = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d
    mask = canvas.empty_mask()
    cv2.polylines(mask, [path.round().astype(np.int32)], False, 255, int(rng.integers(1, 4)), cv2.LINE_AA)
    canvas.put_ink(mask, 0, 0, rng.uniform(0.3, 0.9))


def signature(canvas: Canvas, x: float, base: float) -> None:
    """Draw the loops of a fast pen."""
    rng, h = canvas.rng, canvas.height
    count = int(rng.integers(8, 26))
    steps = np.stack([rng.uniform(0.05, 0.5, count) * h, rng.normal(0, 0.7, count) * h], axis=1)
    points = np.stack([x + np.cumsum(steps[:, 0]), base - 0.4 * h + steps[:, 1]], axis=1)
    fine = np.stack([np.convolve(np.repeat(points[:, i], 6), np.ones(9) / 9, "valid") for i in (0, 1)], axis=1)
    mask = canvas.empty_mask()
    cv2.polylines(
        mask, [fine.round().astype(np.int32)], False, 255, max(1, round(h * rng.uniform(0.04, 0.1))), cv2.LINE_AA
    )
    canvas.put_ink(mask, 0, 0, rng.uniform(0.4, 0.95))


def ring(canvas: Canvas, left: float, right: float, base: float, line: float, opacity: float) -> None:
    """Draw a ring or a box around what is between `left` and `right`, as by a person."""
    rng, h = canvas.rng, canvas.height
    mask = canvas.empty_mask()
    middle = int((left + right) / 2), int(base - h * 0.5)
    axes = int((right - left) * 0.5 + h * rng.uniform(0.2, 0.8)), int(h * rng.uniform(0.65, 1.1))
    width = max(1, round(line))
    if canvas.chance(0.75):
        start = float(rng.uniform(0, 360))
        stop = start + float(rng.uniform(300, 400))
        cv2.ellipse(mask, middle, axes, rng.normal(0, 8), start, stop, 255, width, cv2.LINE_AA)
    else:
        low = middle[0] - axes[0], middle[1] - axes[1]
        cv2.rectangle(mask, low, (middle[0] + axes[0], middle[1] + axes[1]), 255, width)
    canvas.put_ink(mask, 0, 0, opacity)


def box_sides(left: float, top: float, width: float, height: float) -> list[Segment]:
    """Return the sides of a box as lines."""
    right, bottom = left + width, top + height
    return [
        (left, top, right, top),
        (left, bottom, right, bottom),
        (left, top, left, bottom),
        (right, top, right, bottom),
    ]


def guide_marks(left: float, top: float, width: float, height: float, inset: tuple[float, float]) -> list[Segment]:
    """Return the lines of the seven strokes that are printed in a cell to guide the writer.

    Args:
        left: Left side of the cell, in pixels.
        top: Top side of the cell, in pixels.
        width: Width of the cell, in pixels.
        height: Height of the cell, in pixels.
        inset: Distance of the strokes from the sides of the cell, as shares of its width and height.
    """
    x0, x1 = left + inset[0] * width, left + (1 - inset[0]) * width
    y0, y1, y2 = top + inset[1] * height, top + 0.5 * height, top + (1 - inset[1]) * height
    return [(x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y2, x1, y2), (x0, y0, x0, y2), (x1, y0, x1, y2)]


def alignment_marks(canvas: Canvas) -> None:
    """Draw filled squares and triangles, as forms have them for alignment."""
    rng, side = canvas.rng, canvas.side
    mask = canvas.empty_mask()
    for _ in range(int(rng.integers(1, 6))):
        size = max(3, int(canvas.height * rng.uniform(0.25, 1.1)))
        x, y = (int(v) for v in rng.integers(0, side, 2))
        steps = ((0, 0), (1, 1)) if rng.random() < 0.4 else ((0, 0), (1.4, 0)) if rng.random() < 0.4 else ((0, 0),)
        for right, down in steps:
            left, top = x + int(right * size), y + int(down * size)
            corners = np.array([(left, top), (left + size, top), (left + size, top + size), (left, top + size)])
            if rng.random() < 0.3:
                corners = np.delete(corners, int(rng.integers(4)), axis=0)
            if not _on_boxes(canvas, left, top, size):
                cv2.fillPoly(mask, [corners.astype(np.int32)], 255)
    canvas.put_ink(mask, 0, 0, canvas.ink)


def _on_boxes(canvas: Canvas, left: float, top: float, size: float) -> bool:
    """Return whether a square covers a box that must be found."""
    return any(
        left < x + box_width and x < left + size and top < y + bar_height and y < top + size
        for _, x, y, box_width, bar_height, *_ in canvas.boxes
    )


def bubble(canvas: Canvas, x: float, y: float, radius: float, filled: bool, square: bool) -> None:
    """Draw a bubble or box to be ticked, and perhaps the tick."""
    rng = canvas.rng
    mask = canvas.empty_mask()
    r, middle = max(3, round(radius)), (round(x), round(y))
    if square:
        cv2.rectangle(mask, (middle[0] - r, middle[1] - r), (middle[0] + r, middle[1] + r), 255, 1)
    else:
        cv2.ellipse(mask, middle, (r, max(3, round(r * rng.uniform(0.7, 1)))), 0, 0, 360, 255, 1, cv2.LINE_AA)
    canvas.put_ink(mask, 0, 0, canvas.ink * rng.uniform(0.4, 1))
    if filled:
        mask = canvas.empty_mask()
        roll = rng.random()
        if roll < 0.5:
            cv2.ellipse(mask, middle, (r, r), 0, 0, 360, 255, -1, cv2.LINE_AA)
        elif roll < 0.8:
            line = max(1, r // 4)
            cv2.line(mask, (middle[0] - r, middle[1] - r), (middle[0] + r, middle[1] + r), 255, line, cv2.LINE_AA)
            cv2.line(mask, (middle[0] - r, middle[1] + r), (middle[0] + r, middle[1] - r), 255, line, cv2.LINE_AA)
        else:
            ticks = np.array([(-0.7, 0), (-0.1, 0.7), (1.2, -1.2)]) * r + middle
            cv2.polylines(mask, [ticks.round().astype(np.int32)], False, 255, max(1, r // 4), cv2.LINE_AA)
        canvas.put_ink(mask, 0, 0, rng.uniform(0.4, 0.95))
