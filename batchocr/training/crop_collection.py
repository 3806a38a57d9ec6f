"""Collect all crops that the classifier is trained on and measured with: of synthetic and real pages, and of
collections of digits.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.digits import Digits, load
from batchocr.datasets.public_digits import digit_sets
from batchocr.decoding.digits.suppression import non_maximum_suppression
from batchocr.errors import UsageError
from batchocr.evaluation.true_pages import read_truth, truth_file
from batchocr.recognition.detector import Detector, DetectorParameters, merge_tiles
from batchocr.records import TILE, Detections, Pixels
from batchocr.training.crops import FOUND, HANDWRITTEN, PRINTED, CropSampling, labelled_crops, merge_groups
from batchocr.training.detection.cells import HAND, Boxes
from batchocr.training.synthesis.patches import PatchMaker
from batchocr.training.synthesis.real_paper import PaperImage, read_grey
from batchocr.training.synthesis.shipped_maker import (
    held_out_papers,
    pages_without_digits,
    patch_maker,
    real_papers,
)
from batchocr.vision.binarize import is_white_on_black
from batchocr.vision.tiles import PARAMETERS as TILES
from batchocr.vision.tiles import make_tiles

CROPS_FILE = "crops.npz"
IMAGES_KEY, LABELS_KEY = "pictures", "labels"
"""Names of the arrays of each group in CROPS_FILE."""
REAL_PAGES, REAL_NON_DIGITS = "real pages", "none on pages"
"""Groups of real pages: digits with known boxes, and what is not a digit there."""
PATCH_SIDE = TILE - 2 * TILES.margin_px
"""Side of a patch in pixels: a tile of the detector shows all of it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CropSources:
    """What crops are made from."""

    data: Path
    """Folder of public data."""
    fonts: Path
    """Folder of fonts, for printed words and digits."""
    labels: Path | None = None
    """Boxes that a detector found for known texts; see `batchocr.training.pseudo_labels`."""
    detector: Path | None = None
    """Detector whose false detections are crops of the class not a digit."""
    more: tuple[Path, ...] = ()
    """Data of the user: digits as `datasets.load` takes them, or folders of pages with boxes in their `truth.json`."""


@dataclass(frozen=True)
class CropAmounts:
    """Number of pages from which crops are cut."""

    patches: int = 6000
    """Synthetic pages to train on, of one tile each."""
    held_out_patches: int = 300
    """Synthetic pages of held-out writers, to measure on."""


@dataclass(frozen=True)
class CollectionParameters:
    """How crops are collected.

    Basis of all: set in the training rounds (docs/training-rounds.md), not varied one by one.
    """

    held_out_divisor: int = 8
    """Of each collection of the user, the last of this many parts is held out."""
    min_false_score: float = 0.2
    """Score of a false detection from which on it is a training crop of the class not a digit."""
    task_patches: int = 8
    """Patches that a process makes in one task."""
    tasks_per_process: int = 6
    """Tasks that are submitted ahead for each process."""
    blank_page_scales: tuple[float, ...] = (0.5, 0.75, 1.0, 1.4)
    """Scales at which pages without digits are searched for false detections."""
    real_page_rounds: int = 2
    """How often the digits of real pages are cut, each time with other boxes and at another scale."""
    min_digit_px: float = 9.0
    """Height of digits, in pixels, below which real pages are not reduced."""
    detected_digit_px: float = 36.0
    """Height of digits, in pixels, at which the detector sees real pages."""
    real_sampling: CropSampling = field(
        default_factory=lambda: CropSampling(max_digits=200, max_near=8, max_marks=10, max_found=40)
    )
    """Crops of a real page."""
    blank_sampling: CropSampling = field(default_factory=lambda: CropSampling(max_found=400))
    """Crops of a page without digits."""


PARAMETERS = CollectionParameters()


@dataclass(frozen=True)
class CropCollections:
    """Crops by group."""

    groups: dict[str, Digits]
    """Crops to train on."""
    held_out: dict[str, Digits]
    """Crops of held-out writers and pages, to measure on."""


def collect_crops(sources: CropSources, amounts: CropAmounts, seed: int, jobs: int) -> CropCollections:
    """Make and cut all crops; the result depends on the seed alone.

    Args:
        sources: What crops are made from.
        amounts: Number of pages.
        seed: Seed of all random draws.
        jobs: Number of worker processes; with 0 everything runs in this process.

    Returns:
        Crops to train on and held-out crops.

    Raises:
        UsageError: The data does not fit.
        ModelError: The detector cannot be used.
    """
    own, own_held = _own_paper_images(sources.more)  # faults of the user's data are reported before the long work
    collected, collected_held = _own_digits(sources.more)
    detect = _OptionalDetector(sources.detector)
    groups, held_out = digit_sets(sources.data)
    made = _patches(sources, False, amounts.patches, seed, jobs)
    groups |= merge_groups([_cut_patch(*patch, detect) for patch in made])
    paper_images = [paper_image for paper in real_papers(sources.data, sources.labels) for paper_image in paper.images]
    on_paper = _cut_real_paper(
        [paper_image for paper_image in paper_images if len(paper_image.known)] + own,
        PARAMETERS.real_page_rounds,
        seed,
        detect,
    )
    groups |= merge_groups([on_paper, _false_on_pages(pages_without_digits(sources.data), detect)])
    made = _patches(sources, True, amounts.held_out_patches, seed + 1, min(1, jobs))
    held_out |= merge_groups([_cut_patch(*patch, detect) for patch in made])
    held = [paper_image for paper in held_out_papers(sources.data) for paper_image in paper.images]
    held_out |= _cut_real_paper(held + own_held, 1, seed + 1, detect)
    return CropCollections(groups | collected, held_out | collected_held)


class _OptionalDetector:
    """A detector, or a substitute that finds nothing if there is no model."""

    def __init__(self, model: Path | None) -> None:
        parameters = DetectorParameters(min_score=(PARAMETERS.min_false_score,) * 2)
        self._detector = None if model is None else Detector(model, batch_size=1, parameters=parameters)

    def __call__(self, pixels: Pixels, scale: float = 1.0) -> Detections | None:
        """Return the detections on an image (height, width), dark on light; None without a detector."""
        if self._detector is None:
            return None
        tiles = make_tiles(pixels, scale)
        return non_maximum_suppression(merge_tiles(self._detector.detect(tiles.pixels), tiles))


def _cut_patch(patch: _Patch, rng: np.random.Generator, detect: _OptionalDetector) -> dict[str, Digits]:
    """Return the crops of a synthetic page."""
    pixels, boxes = patch
    if is_white_on_black(pixels):
        pixels = cv2.bitwise_not(pixels)
    return labelled_crops(pixels, boxes, rng, detect(pixels))


_Patch = tuple[Pixels, Boxes]


def _patches(
    sources: CropSources, held_out: bool, count: int, seed: int, jobs: int
) -> Iterator[tuple[_Patch, np.random.Generator]]:
    """Yield synthetic pages in order, each with the random numbers for its crops."""
    for start, made in _make_in_order(sources, held_out, count, seed, jobs):
        for number, patch in enumerate(made, start):
            yield patch, np.random.default_rng((seed, number, 1))
        if start % (100 * PARAMETERS.task_patches) == 0:
            log.info("%d of %d patches made", start + len(made), count)


def _make_in_order(
    sources: CropSources, held_out: bool, count: int, seed: int, jobs: int
) -> Iterator[tuple[int, list[_Patch]]]:
    """Yield synthetic pages task by task, with the number of the first page of each task."""
    tasks = deque(
        (seed, start, min(PARAMETERS.task_patches, count - start)) for start in range(0, count, PARAMETERS.task_patches)
    )
    if not jobs:
        _initialize(sources, held_out)
        yield from ((task[1], _make(*task)) for task in tasks)
        return
    with ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), initializer=_initialize, initargs=(sources, held_out)
    ) as pool:
        coming: deque[tuple[int, Future[list[_Patch]]]] = deque()
        while tasks or coming:
            while tasks and len(coming) < PARAMETERS.tasks_per_process * jobs:
                task = tasks.popleft()
                coming.append((task[1], pool.submit(_make, *task)))
            start, made = coming.popleft()
            yield start, made.result()


_maker: PatchMaker | None = None
"""The patch maker of a worker process."""


def _initialize(sources: CropSources, held_out: bool) -> None:
    global _maker
    cv2.setNumThreads(1)
    labels = None if held_out else sources.labels
    _maker = replace(patch_maker(sources.data, sources.fonts, labels, held_out=held_out), side=PATCH_SIDE)


def _make(seed: int, first: int, count: int) -> list[_Patch]:
    assert _maker is not None
    patches = [_maker.make(np.random.default_rng((seed, number))) for number in range(first, first + count)]
    return [(patch.pixels, patch.boxes) for patch in patches]


def _cut_real_paper(
    paper_images: Sequence[PaperImage], rounds: int, seed: int, detect: _OptionalDetector
) -> dict[str, Digits]:
    """Return the crops of real paper with known boxes: handwritten and printed digits are one group, non-digits
    another.
    """
    parts = []
    for number, paper_image in enumerate(paper_images):
        for repeat in range(rounds):
            rng = np.random.default_rng((seed, number, repeat, 2))
            factor = float(np.exp(rng.uniform(-0.5, 0.3))) if repeat else 1.0
            factor = max(factor, min(1.0, PARAMETERS.min_digit_px / paper_image.height))
            interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
            pixels = cv2.resize(paper_image.pixels, None, fx=factor, fy=factor, interpolation=interpolation)
            known = paper_image.known.copy()
            known[:, 1:5] *= factor
            found = detect(pixels, min(2.0, PARAMETERS.detected_digit_px / (paper_image.height * factor)))
            cut = labelled_crops(pixels, known, rng, found, PARAMETERS.real_sampling)
            parts += [
                {REAL_PAGES if name in (HANDWRITTEN, PRINTED) else REAL_NON_DIGITS: own} for name, own in cut.items()
            ]
    return merge_groups(parts)


def _false_on_pages(paths: Sequence[Path], detect: _OptionalDetector) -> dict[str, Digits]:
    """Return crops of what a detector finds on pages without digits."""
    parts = []
    nothing = np.empty((0, 6), np.float32)
    for number, path in enumerate(paths):
        pixels, _ = read_grey(path)
        for repeat, scale in enumerate(PARAMETERS.blank_page_scales):
            rng = np.random.default_rng((number, repeat, 3))
            cut = labelled_crops(pixels, nothing, rng, detect(pixels, scale), PARAMETERS.blank_sampling)
            if FOUND in cut:
                parts.append({REAL_NON_DIGITS: cut[FOUND]})
    return merge_groups(parts)


def _own_paper_images(paths: Sequence[Path]) -> tuple[list[PaperImage], list[PaperImage]]:
    """Return the user's own pages: of each folder, by name, the first parts to train on and the last part. Raises
    UsageError.
    """
    first: list[PaperImage] = []
    last: list[PaperImage] = []
    for truth in filter(None, map(truth_file, paths)):
        form, known = read_truth(truth)
        if form != "boxes":
            raise UsageError(f"{truth}: has no boxes of digits; only pages with them can be trained on")
        paper_images = []
        for name in sorted(known):
            pixels, factor = read_grey(truth.parent / name)
            boxes = np.array([[*digit, HAND] for number in known[name] for digit in number["digits"]], np.float32)
            boxes[:, 1:5] *= factor
            paper_images.append(PaperImage(pixels, boxes, float(np.median(boxes[:, 4]))))
        at = len(paper_images) - len(paper_images) // PARAMETERS.held_out_divisor
        first, last = first + paper_images[:at], last + paper_images[at:]
    return first, last


def _own_digits(paths: Sequence[Path]) -> tuple[dict[str, Digits], dict[str, Digits]]:
    """Return the user's own digits by collection: the first parts to train on, and the last part. Raises UsageError."""
    first: dict[str, Digits] = {}
    last: dict[str, Digits] = {}
    for path in paths:
        if truth_file(path) is None:
            digits = load(path).train_split()
            at = len(digits) - len(digits) // PARAMETERS.held_out_divisor
            first[path.stem], last[path.stem] = digits.take(slice(None, at)), digits.take(slice(at, None))
    return first, last


def save_crops(collections: CropCollections, path: Path) -> None:
    """Write all crops to `path`, so that an interrupted training can be resumed."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for kind, groups in (("groups", collections.groups), ("held_out", collections.held_out)):
        for name, digits in groups.items():
            arrays[f"{kind}/{name}/{IMAGES_KEY}"] = digits.images
            arrays[f"{kind}/{name}/{LABELS_KEY}"] = digits.labels
    fresh = path.with_suffix(".part.npz")
    np.savez(fresh, allow_pickle=False, **arrays)
    fresh.replace(path)


def load_crops(path: Path) -> CropCollections:
    """Return what `save_crops` wrote to `path`."""
    found: dict[str, dict[str, Digits]] = {"groups": {}, "held_out": {}}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:
            kind, name, array = key.split("/")
            if array == IMAGES_KEY:
                found[kind][name] = Digits(arrays[key], arrays[f"{kind}/{name}/{LABELS_KEY}"])
    return CropCollections(found["groups"], found["held_out"])
