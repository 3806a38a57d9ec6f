"""Digits as they come from paper: drawn anew on sheets in many pens and lights, and cut out again by our own vision.

So the network is trained on what it will be given: crops that were thresholded, cut and normalised
exactly as those of a scan.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.training.datasets import Digits
from batchocr.vision import find

SHEET = 1280
"""Pixels along each side of a sheet: looked at without reduction."""
ROTATION, SHEAR, STRETCH = 11.0, 0.35, 0.2
"""Degrees, share and share by which a digit is turned, slanted and squeezed at most."""
WAVE = 0.045
"""Share of the digit's size by which its strokes are bent (elastic distortion; Simard, Steinkraus, Platt, 2003)."""


def draw(digit: Pixels, height: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """One digit (28, 28) drawn anew about `height` pixels high: a tight picture of its ink, 0 to 1.

    Slant, turn, proportions, bends and pen width are drawn from `rng`.
    """
    ink = digit.astype(np.float32) / 255
    side = int(height * 1.9)
    scale = height / 20
    angle = np.deg2rad(np.clip(rng.normal(0, ROTATION / 2), -ROTATION, ROTATION))
    shear = np.clip(rng.normal(0, SHEAR / 2), -SHEAR, SHEAR)
    wide, high = scale * np.exp(rng.uniform(-STRETCH, STRETCH)), scale
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[wide, shear * wide], [0, high]])
    back = np.linalg.inv(matrix)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2) - (side - 1) / 2
    source = grid @ back.T + 13.5
    bend = rng.normal(0, WAVE * 20, (4, 4, 2)).astype(np.float32)
    source = source.reshape(side, side, 2) + cv2.resize(bend, (side, side), interpolation=cv2.INTER_CUBIC)
    drawn = cv2.remap(ink, source.astype(np.float32), None, cv2.INTER_CUBIC)
    drawn = cv2.GaussianBlur(drawn, (0, 0), 0.45 * scale)
    # where the edge of a blurred stroke is laid sets the pen's width
    edge = rng.uniform(0.25, 0.62)
    soft = min(edge, rng.uniform(0.05, 0.3))
    drawn = np.clip((drawn - edge + soft) / (2 * soft), 0, 1)
    pen = rng.integers(-2, 3) if height > 34 else rng.integers(0, 2)
    if pen:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(int(pen)) + 1, abs(int(pen)) + 1))
        drawn = cv2.dilate(drawn, kernel) if pen > 0 else cv2.erode(drawn, kernel)
    left, top, width, tall = cv2.boundingRect((drawn > 0.3).astype(np.uint8))
    return drawn[top : top + tall, left : left + width]


def sheet(digits: Digits, rng: np.random.Generator) -> tuple[Pixels, NDArray[np.int64], int]:
    """A sheet (SHEET, SHEET) grey with one digit in each cell of a grid.

    Returns it with the index of the digit in each cell, (rows, columns), −1 where there is none, and the cell's side.
    As many of the digits are used as there are cells.
    """
    height = float(np.exp(rng.uniform(np.log(17), np.log(64))))
    cell = int(height * 2.1)
    rows = SHEET // cell
    placed = np.full((rows, rows), -1, np.int64)
    ink = np.zeros((SHEET, SHEET), np.float32)
    for i in range(min(len(digits), rows * rows)):
        row, column = divmod(i, rows)
        drawn = draw(digits.pictures[i], height * rng.uniform(0.9, 1.1), rng)
        tall, wide = drawn.shape
        if not (0 < tall < cell - 3 and 0 < wide < cell - 3):
            continue
        top = row * cell + int(rng.integers(1, cell - tall - 1)) // 2 + (cell - tall) // 4
        left = column * cell + (cell - wide) // 2
        ink[top : top + tall, left : left + wide] = drawn * rng.uniform(0.75, 1)
        placed[row, column] = i
    return _expose(ink, rng), placed, cell


def _expose(ink: NDArray[np.float32], rng: np.random.Generator) -> Pixels:
    """Ink 0 to 1 on paper, as a scanner or a camera sees it: shade, blur, noise, JPEG, one bit."""
    paper, dark = rng.uniform(190, 255), rng.uniform(10, 160)
    page = paper - ink * (paper - min(dark, paper - 70))
    if rng.random() < 0.4:
        slope = rng.uniform(-0.25, 0.25, 2)
        ramp = np.linspace(-1, 1, SHEET, dtype=np.float32)
        page *= 1 - 0.25 + 0.5 * (slope[0] * ramp[:, None] + slope[1] * ramp[None, :])
    if rng.random() < 0.6:
        page = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.4, 1.1))
    page += rng.normal(0, rng.uniform(0, 7), page.shape).astype(np.float32)
    grey = np.clip(page, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        _, coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 90))])
        grey = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    elif rng.random() < 0.15:
        grey = np.where(grey > (int(grey.max()) + int(grey.min())) / 2, np.uint8(255), np.uint8(0))
    return grey


def cut(digits: Digits, seed: int) -> Digits:
    """All digits drawn once on sheets and cut out by vision; those that vision took apart or lost are left out."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    pictures, labels = [], []
    start = 0
    while start < len(digits):
        rest = digits.part(slice(start, None))
        page, placed, cell = sheet(rest, rng)
        start += min(len(rest), placed.size)
        layout = find(page)
        boxes = [c.box for line in layout.lines for number in line.numbers for c in number.candidates]
        cells = [((b.top + b.height // 2) // cell, (b.left + b.width // 2) // cell) for b in boxes]
        for where, crop in zip(cells, layout.crops, strict=True):
            if max(where) < len(placed) and placed[where] >= 0 and cells.count(where) == 1:
                pictures.append(crop)
                labels.append(rest.labels[placed[where]])
    return Digits(np.stack(pictures), np.array(labels, np.int64))


def cut_many(digits: Digits, seeds: list[int], jobs: int) -> Digits:
    """`cut` once a seed, the digits in another order each time, in `jobs` processes; their number changes nothing."""
    shuffled = [digits.part(np.random.default_rng(seed).permutation(len(digits))) for seed in seeds]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(partial(cut), shuffled, seeds))
    return Digits(np.concatenate([p.pictures for p in parts]), np.concatenate([p.labels for p in parts]))
