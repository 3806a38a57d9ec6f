"""Paper: brightness, tints, stains, folds, security print, squares; and surfaces that are not paper."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.training.synthesis.canvas import DOTTED, SOLID, Canvas
from batchocr.training.synthesis.printing import PrintBank, scaled


def blank(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return blank paper (side, side), light or grey."""
    light = rng.uniform(205, 255) if rng.random() < 0.62 else rng.uniform(120, 255)
    return np.full((side, side), light, np.float32)


def tint(canvas: Canvas) -> None:
    """Add shaded rows or columns, a highlighter, stains, uneven paper and folds."""
    rng, side, paper = canvas.rng, canvas.side, canvas.paper
    if canvas.chance(0.1):
        for _ in range(int(rng.integers(1, 4))):
            shade = rng.uniform(0.5, 0.92)
            first, last = sorted(rng.integers(0, side, 2).tolist())
            if canvas.chance(0.5):
                paper[first:last] *= shade
            else:
                paper[:, first:last] *= shade
    if canvas.chance(0.05):
        for _ in range(int(rng.integers(1, 5))):
            mask = canvas.empty_mask()
            x, y, width = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(2, 12) * canvas.height
            stop = int(x + width), int(y + rng.normal(0, 0.1) * canvas.height)
            cv2.line(mask, (int(x), int(y)), stop, 255, max(2, int(canvas.height * rng.uniform(0.8, 1.8))), cv2.LINE_AA)
            canvas.put_ink(mask, 0, 0, rng.uniform(0.08, 0.4))
    if canvas.chance(0.06):
        small = np.zeros((side // 4, side // 4), np.float32)
        for _ in range(int(rng.integers(1, 4))):
            middle = tuple(int(v) for v in rng.integers(0, side // 4, 2))
            axes = tuple(int(v) for v in rng.integers(3, 24, 2))
            cv2.ellipse(small, middle, axes, rng.uniform(0, 180), 0, 360, float(rng.uniform(0.1, 0.5)), -1)
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.6, 5))
        paper *= 1 - cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    if canvas.chance(0.12):
        coarse = rng.normal(0, 1, (int(rng.integers(3, 24)),) * 2).astype(np.float32)
        paper *= 1 + cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC) * rng.uniform(0.01, 0.07)
    if canvas.chance(0.05):
        for _ in range(int(rng.integers(1, 3))):
            mask = canvas.empty_mask()
            first, last = rng.integers(0, side, 2), rng.integers(0, side, 2)
            long = (last - first) * 3
            cv2.line(mask, tuple((first - long).tolist()), tuple((last + long).tolist()), 255, int(rng.integers(1, 6)))
            canvas.put_ink(cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.6, 3)), 0, 0, rng.uniform(0.05, 0.4))


def security(canvas: Canvas, bank: PrintBank) -> None:
    """Draw faint print under the writing: small words, waves, hatching, dots."""
    rng, side, paper = canvas.rng, canvas.side, canvas.paper
    roll, opacity = rng.random(), rng.uniform(0.04, 0.24)
    if roll < 0.35:
        word = scaled(bank.words[int(rng.integers(len(bank.words)))], rng.uniform(0.2, 0.5))
        down, across = word.shape[0] + int(rng.integers(0, 8)), word.shape[1] + int(rng.integers(2, 20))
        for i, y in enumerate(range(0, side, max(5, down))):
            for x in range(-int(i * 7 % across), side, max(5, across)):
                canvas.put_ink(word, x, y, opacity)
    elif roll < 0.75:
        step, lean = rng.uniform(2.5, 12), rng.uniform(-1.2, 1.2)
        wave, length = rng.uniform(0, 6) * (rng.random() < 0.5), rng.uniform(20, 90)
        y, x = np.mgrid[0:side, 0:side].astype(np.float32)
        phase = (y + lean * x + wave * np.sin(x / length * 6.28)) / step
        lines = (np.cos(6.28 * phase) > np.cos(np.pi * rng.uniform(0.15, 0.5))).astype(np.float32)
        if canvas.chance(0.25):
            phase = (y - lean * x + wave * np.cos(x / length * 6.28)) / step
            lines = np.maximum(lines, (np.cos(6.28 * phase) > 0.7).astype(np.float32))
        paper *= 1 - cv2.GaussianBlur(lines, (0, 0), 0.6) * opacity
    else:
        step = int(rng.integers(3, 9))
        dots = np.zeros((side, side), np.float32)
        dots[::step, ::step] = 1
        dots[step // 2 :: step, step // 2 :: step] = 1
        paper *= 1 - np.clip(cv2.GaussianBlur(dots, (0, 0), rng.uniform(0.6, 1.2)) * 4, 0, 1) * opacity


def show_through(canvas: Canvas, back: NDArray[np.float32]) -> None:
    """Let the back of the sheet shine through: mirrored, blurred and faint, without boxes.

    Args:
        canvas: The canvas.
        back: The back of the sheet (side, side).
    """
    rng = canvas.rng
    ink = 1 - back[:, ::-1] / max(1.0, float(back.max()))
    ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.5, 0.09 * canvas.height))
    canvas.paper *= 1 - ink * rng.uniform(0.08, 0.5)


def squares(canvas: Canvas) -> tuple[float, float, float]:
    """Draw squared paper; return the side of a square, and x and y of the first one."""
    rng, side = canvas.rng, canvas.side
    cell = canvas.height * rng.uniform(0.28, 1.15)
    x0, y0 = rng.uniform(0, cell), rng.uniform(0, cell)
    style = DOTTED if canvas.chance(0.25) and cell > 8 else SOLID
    rows = [(0.0, float(y), float(side), float(y)) for y in np.arange(y0, side, cell)]
    columns = [(float(x), 0.0, float(x), float(side)) for x in np.arange(x0, side, cell)]
    width = 1 if canvas.height < 30 else int(rng.choice([1, 1, 2]))
    canvas.draw_lines([*rows, *columns], canvas.ink * rng.uniform(0.15, 0.7), width, style)
    return cell, x0, y0


def no_paper(canvas: Canvas) -> None:
    """Draw a surface that is not paper: wood, cloth, skin, keys, gradients, clutter."""
    rng, side = canvas.rng, canvas.side
    paper = np.full((side, side), rng.uniform(30, 200), np.float32)
    for cells, strength in ((rng.integers(2, 6), 40), (rng.integers(6, 20), 25), (rng.integers(20, 90), 14)):
        shape = (int(cells), max(2, int(cells * rng.uniform(0.1, 1))))
        coarse = rng.normal(0, rng.uniform(0, strength), shape if rng.random() < 0.5 else shape[::-1])
        paper += cv2.resize(coarse.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        paper += grain(side, rng)
    for _ in range(int(rng.integers(0, 14))):
        points = (rng.uniform(0, side, 2) + rng.normal(0, rng.uniform(4, 90), (int(rng.integers(3, 7)), 2))).round()
        shade = float(rng.uniform(10, 250))
        if rng.random() < 0.5:
            cv2.fillPoly(paper, [points.astype(np.int32)], shade)
        else:
            cv2.polylines(paper, [points.astype(np.int32)], bool(rng.random() < 0.5), shade, int(rng.integers(1, 7)))
    canvas.paper[:] = np.clip(cv2.GaussianBlur(paper, (0, 0), rng.uniform(0.4, 2.5)), 2, 255)


def grain(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a texture (side, side) of carpet, cloth, stone and the like, in grey levels."""
    noise = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), rng.uniform(0.7, 5))
    if rng.random() < 0.4:
        y, x = np.mgrid[0:side, 0:side].astype(np.float32)
        step = rng.uniform(4, 20)
        noise = noise / noise.std() + np.cos(6.28 * x / step) * np.cos(6.28 * y / (step * rng.uniform(0.6, 1.6)))
    return (noise / noise.std() * rng.uniform(3, 60)).astype(np.float32)


def edge(canvas: Canvas) -> None:
    """Draw the edge of the sheet, with a desk or a dark margin beyond it; boxes there are removed or unknown."""
    rng, side = canvas.rng, canvas.side
    keep = canvas.paper.copy()
    no_paper(canvas)
    at, lean = rng.uniform(0.55, 0.95) * side, rng.normal(0, 0.06)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    turn = int(rng.integers(4))
    outside = np.rot90((x - lean * (y - side / 2)) > at, turn)
    soft = cv2.GaussianBlur(outside.astype(np.float32), (0, 0), rng.uniform(0.5, 2))
    canvas.paper[:] = keep * (1 - soft) + canvas.paper * soft
    for box in canvas.boxes:
        rows = slice(max(0, int(box[2])), max(0, int(box[2] + box[4])) + 1)
        columns = slice(max(0, int(box[1])), max(0, int(box[1] + box[3])) + 1)
        part = outside[rows, columns]
        if part.size and part.mean() > 0.1:
            box[5] = 3 if part.mean() < 0.8 else -1
    canvas.boxes = [box for box in canvas.boxes if box[5] >= 0]
