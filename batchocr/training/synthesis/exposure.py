"""Turn an image of paper into a scan: tilt, light, blur, noise, JPEG, few tones, both polarities."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.records import Pixels
from batchocr.training.detection.cells import UNKNOWN

Boxes = NDArray[np.float32]
"""(n, 7): class, left, top, width, height, kind, opacity."""


@dataclass(frozen=True)
class Exposed:
    """A patch as scanned."""

    pixels: Pixels
    boxes: Boxes
    noise: float
    """Standard deviation of its noise, in grey levels."""


def tilt(paper: NDArray[np.float32], boxes: Boxes, rng: np.random.Generator) -> tuple[NDArray[np.float32], Boxes]:
    """Turn the image by a few degrees, rarely up to 10, and scale it a little; the boxes stay upright.

    Args:
        paper: The image (side, side).
        boxes: Its boxes (n, 7).
        rng: Source of random numbers.

    Returns:
        The image and its boxes.
    """
    side = paper.shape[0]
    deviation, max_angle = (1.6, 4.0) if rng.random() < 0.9 else (5.0, 10.0)
    angle, factor = float(np.clip(rng.normal(0, deviation), -max_angle, max_angle)), float(np.exp(rng.normal(0, 0.08)))
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), angle, factor)
    matrix[:, 2] += rng.uniform(-8, 8, 2)
    paper = cv2.warpAffine(paper, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    if len(boxes):
        boxes = boxes.copy()
        middles = boxes[:, 1:3] + boxes[:, 3:5] / 2
        size = boxes[:, 3:5] * factor
        boxes[:, 1:3] = middles @ matrix[:, :2].T + matrix[:, 2] - size / 2
        boxes[:, 3:5] = size
    return paper, boxes


def expose(paper: NDArray[np.float32], boxes: Boxes, height: float, real: bool, rng: np.random.Generator) -> Exposed:
    """Scan an image.

    Args:
        paper: The image (side, side).
        boxes: Its boxes (n, 7).
        height: Approximate height of its digits, in pixels.
        real: Whether the image shows real paper.
        rng: Source of random numbers.

    Returns:
        The scan with its boxes.
    """
    side = paper.shape[0]
    if rng.random() < 0.35:
        paper = _add_light(paper, side, rng)
    paper = _blur(paper, height, rng)
    noise = 0.0
    if rng.random() < (0.25 if real else 0.6):
        noise = float(rng.uniform(0.5, 9) if rng.random() < 0.9 else rng.uniform(9, 22))
        grain = np.empty((side, side), np.float32)
        cv2.setRNGSeed(int(noise * 1e7))  # OpenCV draws from its own state
        cv2.randn(grain, 0, noise)
        if rng.random() < 0.3:
            grain = cv2.GaussianBlur(grain, (0, 0), 1.2) * 3
        paper = paper + grain
    pixels = np.clip(paper, 0, 255).astype(np.uint8)
    faint = bool(len(boxes)) and float(boxes[:, 6].min()) < 0.45
    roll = rng.random()
    if roll < 0.1 and not faint and not real:
        pixels = _two_tones(pixels, rng)
    elif roll < 0.15:
        darkest, brightest = np.percentile(pixels, [1, 60])
        pixels = np.clip((pixels.astype(np.float32) - darkest) * 255 / max(20, brightest - darkest), 0, 255).astype(
            np.uint8
        )
    elif roll < 0.19:
        pixels = np.clip(pixels * rng.uniform(0.35, 0.8), 0, 255).astype(np.uint8)
    if rng.random() < 0.04:
        spots = rng.random((side, side))
        share = rng.uniform(0.0005, 0.006)
        pixels = np.where(spots < share, 0, np.where(spots > 1 - share, 255, pixels)).astype(np.uint8)
    if rng.random() < 0.4:
        quality = int(rng.integers(20, 95))
        coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    if rng.random() < 0.05 and not real:
        pixels = _chalk(pixels, rng)
    return Exposed(pixels, mark_invisible_unknown(pixels, boxes, noise), noise)


def _add_light(paper: NDArray[np.float32], side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Add light that decreases to one side, and perhaps a shadow."""
    u = np.linspace(-1, 1, side, dtype=np.float32)
    down, across = rng.uniform(-0.3, 0.3, 2)
    paper = paper * (0.9 + down * u[:, None] * 0.5 + across * u[None] * 0.5).astype(np.float32)
    if rng.random() < 0.4:
        turn, at, sharp = rng.uniform(0, 2 * np.pi), rng.uniform(-1, 1), rng.uniform(2, 60)
        along = u[None] * np.float32(np.cos(turn)) + u[:, None] * np.float32(np.sin(turn)) + np.float32(at)
        paper = paper * (1 - np.float32(rng.uniform(0.1, 0.55)) / (1 + np.exp(np.clip(-along * sharp, -30, 30))))
    return np.asarray(paper, np.float32)


def _blur(paper: NDArray[np.float32], height: float, rng: np.random.Generator) -> NDArray[np.float32]:
    roll, side = rng.random(), paper.shape[0]
    if roll < 0.5:
        return cv2.GaussianBlur(paper, (0, 0), rng.uniform(0.3, 1.1) * (1 if height < 22 else rng.uniform(1, 1.8)))
    if roll < 0.62 and height > 20:
        factor = rng.uniform(0.4, 0.8)
        small = cv2.resize(paper, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)
    if roll < 0.67:
        length = int(rng.integers(2, 4))
        return cv2.blur(paper, (length, 1) if rng.random() < 0.5 else (1, length))
    return paper


def _two_tones(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Reduce to one bit per pixel: by a local or a global threshold, or by ordered dithering."""
    roll = rng.random()
    if roll < 0.45:
        return cv2.adaptiveThreshold(pixels, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 31, rng.uniform(6, 20))
    light = np.median(pixels)
    if roll < 0.85:
        return np.where(pixels > light * rng.uniform(0.55, 0.85), 255, 0).astype(np.uint8)
    side = pixels.shape[0]
    steps = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32)
    pattern = np.tile((steps + 0.5) / 16 * max(60.0, float(light) * 0.95), (side // 4 + 1, side // 4 + 1))[:side, :side]
    return np.where(pixels > pattern, 255, 0).astype(np.uint8)


def _chalk(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Make the image light on dark."""
    dark, light = rng.uniform(0, 60), rng.uniform(130, 255)
    return (light - pixels.astype(np.float32) * ((light - dark) / 255)).clip(0, 255).astype(np.uint8)


def cut_out(pixels: Pixels, boxes: Boxes, height: float, rng: np.random.Generator) -> tuple[Pixels, Boxes]:
    """Keep only a strip or a cell of the image and repeat its sides around it, as tiles of small images have it.

    Digits that are cut off are unknown, and what remains of those mostly cut off is not a digit.

    Args:
        pixels: The image (side, side).
        boxes: Its boxes (n, 7).
        height: Approximate height of its digits, in pixels.
        rng: Source of random numbers.

    Returns:
        The image and its boxes.
    """
    side = pixels.shape[0]
    cut_height = int(np.clip(height * rng.uniform(1.1, 3.5), 16, side))
    cut_width = side if rng.random() < 0.5 else int(np.clip(height * rng.uniform(1.0, 7), 16, side))
    top, left = int(rng.integers(0, side - cut_height + 1)), int(rng.integers(0, side - cut_width + 1))
    part = pixels[top : top + cut_height, left : left + cut_width]
    around = top, side - cut_height - top, left, side - cut_width - left
    pixels = cv2.copyMakeBorder(part, *around, cv2.BORDER_REPLICATE)
    if not len(boxes):
        return pixels, boxes
    ends = np.concatenate([boxes[:, 1:3], boxes[:, 1:3] + boxes[:, 3:5]], axis=1)
    inner = np.clip(
        ends, (left, top, left, top), (left + cut_width, top + cut_height, left + cut_width, top + cut_height)
    )
    shared = (inner[:, 2] - inner[:, 0]) * (inner[:, 3] - inner[:, 1])
    share = shared / np.maximum(1e-3, boxes[:, 3] * boxes[:, 4])
    boxes = boxes.copy()
    boxes[:, 5] = np.where(share < 0.75, UNKNOWN, boxes[:, 5])
    boxes[:, 1:3], boxes[:, 3:5] = inner[:, :2], np.maximum(1, inner[:, 2:] - inner[:, :2])
    return pixels, boxes[share > 0.4]


def mark_invisible_unknown(pixels: Pixels, boxes: Boxes, noise: float) -> Boxes:
    """Mark boxes as unknown whose ink cannot be seen; otherwise the network would learn to find digits on blank paper.

    Args:
        pixels: The scan (side, side).
        boxes: Its boxes (n, 7).
        noise: Standard deviation of its noise, in grey levels.

    Returns:
        The boxes.
    """
    boxes = boxes.copy()
    side = pixels.shape[0]
    light = float(np.median(pixels))
    for box in boxes:
        x0, y0 = max(0, int(box[1])), max(0, int(box[2]))
        x1, y1 = min(side, int(box[1] + box[3]) + 1), min(side, int(box[2] + box[4]) + 1)
        if x1 - x0 < 1 or y1 - y0 < 1 or box[5] >= UNKNOWN:
            continue
        part = pixels[y0:y1:2, x0:x1:2] if (x1 - x0) > 8 else pixels[y0:y1, x0:x1]
        spread = float(part.max()) - float(part.min())
        contrast = box[6] * light
        if spread < max(14.0, 3 * noise) or contrast < max(10.0, 1.8 * noise):
            box[5] = UNKNOWN
    return boxes
