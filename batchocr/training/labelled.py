"""Crops of real pages whose truth is known: digits as people wrote them on paper, and what beside them is none."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.errors import ScanError, UsageError
from batchocr.recognition.calibration import NONE
from batchocr.records import Box, Crops, Pixels, Scan
from batchocr.sources import BadPage, load_pages
from batchocr.training.datasets import Digits
from batchocr.vision.candidates import layout
from batchocr.vision.find import stages
from batchocr.vision.normalize import SIDE, normalize
from batchocr.vision.stages import Stages

COVERED = 0.6
"""Share of a true digit's box within a candidate's from which the candidate holds it."""
SAME, OTHER = 0.75, 0.5
"""Intersection over union of both boxes from which a candidate is that digit and little else, and up to which it is
some of one, or one and more, and so none."""
TURN, SHEAR, NOISE = 3.0, 0.2, 6.0
"""Degrees, share, grey levels: by how much a page is varied at most."""
STRAY = 0.2
"""Share of the ink in a box up to which a piece at the box's side belongs to a neighbour."""

BAR = 0.26
"""Of its breadth to its length, up to which ink is a bar."""

Boxes = NDArray[np.float64]
"""(n, 5): digit, left, top, width, height."""


@dataclass(frozen=True)
class LabelledPage:
    """A page, and all digits on it."""

    path: Path
    digits: tuple[tuple[int, ...], ...] = ()
    """(digit, left, top, width, height) each; none where the page holds no digits."""


def cut_pages(
    pages: Sequence[LabelledPage],
    rounds: int,
    seed: int,
    jobs: int,
    scale: tuple[float, float],
    *,
    every_cut: bool = True,
) -> Digits:
    """The candidates of `pages`, each looked at once as it is and then varied, `rounds` times in all.

    Beside them the true digits that vision did not find by themselves, cut out by their boxes. A variation is scaled
    by `scale`, from and to; see `labelled` for `every_cut`. The number of processes, `jobs`, changes nothing.
    """
    tasks = [(page, seed, at, turn) for turn in range(rounds) for at, page in enumerate(pages)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=partial(cv2.setNumThreads, 1)) as pool:
        parts = list(pool.map(partial(_cut, scale=scale, every_cut=every_cut), tasks, chunksize=8))
    if not any(map(len, parts)):
        return Digits(np.empty((0, SIDE, SIDE), np.uint8), np.empty(0, np.int64))
    return Digits(np.concatenate([p.pictures for p in parts]), np.concatenate([p.labels for p in parts]))


def _cut(task: tuple[LabelledPage, int, int, int], scale: tuple[float, float], every_cut: bool) -> Digits:
    page, seed, at, turn = task
    pixels = _load(page.path)
    boxes = np.array(page.digits, float).reshape(-1, 5)
    if turn:
        pixels, boxes = _varied(pixels, boxes, scale, np.random.default_rng((seed, at, turn)))
    return labelled(pixels, boxes, every_cut=every_cut)


def is_upright_bar(crop: Pixels) -> bool:
    """Whether a crop (28, 28) shows an upright or slanted bar: what nobody can tell from a 1, wherever it is from."""
    moments = cv2.moments(crop)
    if not moments["m00"]:
        return False
    xx, yy, xy = moments["mu20"], moments["mu02"], moments["mu11"]
    spread = np.hypot(xx - yy, 2 * xy)
    long, short = xx + yy + spread, xx + yy - spread
    return bool(short <= BAR**2 * long and yy > 0.5 * xx)


def _load(path: Path) -> Pixels:
    try:
        page = next(load_pages(Scan(path, path.name), last=1))
    except ScanError as fault:
        raise UsageError(fault.message) from fault
    if isinstance(page, BadPage):
        raise UsageError(page.error.message)
    return page.pixels


def _varied(pixels: Pixels, boxes: Boxes, scale: tuple[float, float], rng: np.random.Generator) -> tuple[Pixels, Boxes]:
    """The page scaled, turned, slanted, blurred and soiled a little, and its boxes."""
    height, width = pixels.shape
    size = float(np.exp(rng.uniform(*np.log(scale))))
    angle = np.deg2rad(rng.uniform(-TURN, TURN)) * (rng.random() < 0.5)
    shear = rng.uniform(-SHEAR, SHEAR)
    stretch = size * rng.uniform(0.88, 1.14)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[stretch, shear * size], [0, size]])
    corners = np.array([(0, 0), (width, 0), (0, height), (width, height)]) @ matrix.T
    low, high = corners.min(0), corners.max(0)
    columns, rows = (int(v) for v in np.ceil(high - low))
    paper = float(np.percentile(pixels, 80))
    whole = np.hstack([matrix, -low[:, None]])
    flags = cv2.INTER_AREA if size < 1 else cv2.INTER_CUBIC
    moved = cv2.warpAffine(pixels, whole, (columns, rows), flags=flags, borderValue=paper).astype(np.float32)
    if rng.random() < 0.4:
        moved = cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.3, 0.9))
    contrast = rng.uniform(0.6, 1.2)
    moved = paper + (moved - paper) * contrast + rng.normal(0, rng.uniform(0, NOISE), moved.shape)
    found = boxes.copy()
    for box in found:
        left, top, wide, tall = box[1:]
        points = np.array([(left, top), (left + wide, top), (left, top + tall), (left + wide, top + tall)])
        points = points @ matrix.T - low
        # the corners of a slanted box hold no ink: it is as wide as its middle
        slack = abs(shear) * size * tall / 2
        box[1:3] = points.min(0) + np.array([slack, 0])
        box[3:] = np.maximum(1, np.ptp(points, axis=0) - np.array([2 * slack, 0]))
    return np.clip(moved, 0, 255).astype(np.uint8), found


def labelled(pixels: Pixels, boxes: Boxes, *, every_cut: bool = True) -> Digits:
    """What vision finds on a page (height, width), each labelled by the true `boxes`; what is not clear is left out.

    Of what vision proposes besides the pieces of ink, their parts and several together, reading takes few: a network
    learns from them, but is not to be measured on them. Without `every_cut` only the best for each digit is kept.
    """
    seen = stages(pixels, every_cut=True)
    found = layout(seen, pixels.shape)
    candidates = found.candidates
    labels = [_label(candidate.box, boxes) for candidate in candidates]
    best = {at: max(alike for _, other, alike in labels if other == at) for _, at, _ in labels if at is not None}
    crops: list[Pixels] = []
    known: list[int] = []
    for crop, candidate, (label, at, alike) in zip(found.crops, candidates, labels, strict=True):
        proposed = candidate.cut or candidate.across
        if label is None or (label == NONE and is_upright_bar(crop)):
            continue
        if every_cut or (not proposed if at is None else alike == best[at]):
            crops.append(crop)
            known.append(label)
    if not seen.turn.moves and not seen.sheet.whole:
        taken = {at for _, at, _ in labels}
        for at in (at for at in range(len(boxes)) if at not in taken):
            if (crop := _cut_by_box(seen, boxes[at, 1:], pixels.shape)) is not None:
                crops.append(crop)
                known.append(int(boxes[at, 0]))
    block: Crops = np.stack(crops) if crops else np.empty((0, SIDE, SIDE), np.uint8)
    return Digits(block, np.array(known, np.int64))


def _label(box: Box, boxes: Boxes) -> tuple[int | None, int | None, float]:
    """What a candidate is, None where that is not clear, which true digit alone it is, and how well that fits."""
    if not len(boxes):
        return NONE, None, 0.0
    width = np.minimum(box.right, boxes[:, 1] + boxes[:, 3]) - np.maximum(box.left, boxes[:, 1])
    height = np.minimum(box.bottom, boxes[:, 2] + boxes[:, 4]) - np.maximum(box.top, boxes[:, 2])
    shared = np.maximum(0, width) * np.maximum(0, height)
    area = boxes[:, 3] * boxes[:, 4]
    held = np.flatnonzero(shared >= COVERED * area)
    if len(held) > 1:
        return NONE, None, 0.0
    alike = shared / (area + box.width * box.height - shared)
    at = int(alike.argmax())
    if alike[at] >= SAME and at in held:
        return int(boxes[at, 0]), at, float(alike[at])
    return (NONE if alike[at] <= OTHER else None), None, 0.0


def _cut_by_box(seen: Stages, box: NDArray[np.float64], shape: tuple[int, ...]) -> Pixels | None:
    """The crop of the ink in a true digit's box, as a good cut would leave it; None where there is none."""
    down, across = seen.ink.shape[0] / shape[0], seen.ink.shape[1] / shape[1]
    left, top = max(0, round((box[0] - 1) * across)), max(0, round((box[1] - 1) * down))
    right, bottom = round((box[0] + box[2] + 1) * across), round((box[1] + box[3] + 1) * down)
    mask = seen.ink[top:bottom, left:right].copy()
    if min(mask.shape) < 4:
        return None
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    whole = stats[1:, cv2.CC_STAT_AREA].sum()
    for part, (x, _, wide, _, area) in enumerate(stats[1:].tolist(), 1):
        if area < STRAY * whole and (x == 0 or x + wide == mask.shape[1]):
            mask[parts == part] = 0
    if cv2.countNonZero(mask) < 8:
        return None
    contrast = np.where(mask > 0, seen.contrast[top:bottom, left:right], np.uint8(0))
    around = ((2, 2), (2, 2))
    return normalize(np.pad(contrast, around), np.pad(mask, around))
