"""The answers of both networks for digits with known truth, on material kept out of the trainings.

The material is synthetic patches, the held-out cheques and register strips. The detections are those of a run: the same
pages, tiles, crops and non-maximum suppression.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from batchocr.datasets.held_out import kept_out, register_pages, strip_is_held_out
from batchocr.decoding.digits.faint import ink_strengths
from batchocr.decoding.digits.joint import DIGITS, joint_probabilities
from batchocr.decoding.digits.neighbours import neighbour_scores
from batchocr.decoding.layout.sign_conflicts import resolve_sign_conflicts
from batchocr.decoding.marks.familiarity import page_medians
from batchocr.executors.page_task import prepare_page
from batchocr.pipeline import Read, read_pages
from batchocr.recognition.calibration import NOT_A_DIGIT, Floats
from batchocr.recognition.networks import Networks
from batchocr.records import SIGN, Detections, Page, Pixels, PreparedPage, Scan
from batchocr.training.detection.cells import UNKNOWN_SIGNS, Boxes
from batchocr.training.evidence_matching import (
    NO_MATCH,
    PARAMETERS,
    EvidenceParameters,
    Integers,
    boxes_on_page,
    expected_boxes,
    is_one_to_one,
    match_boxes,
)
from batchocr.training.synthesis.patches import PatchMaker
from batchocr.training.synthesis.real_paper import read_grey
from batchocr.training.synthesis.shipped_maker import held_out_papers


class LabelledPage(NamedTuple):
    """An image and what is known about it."""

    pixels: Pixels
    boxes: Boxes | None
    """(n, 6): class, left, top, width, height, kind; None if only the text is known."""
    digits: str = ""
    """The digits from left to right, if the boxes are not known."""


@dataclass(frozen=True)
class SignEvidence:
    """Detected signs on pages whose signs are all known."""

    scores: Floats
    """(n,): scores."""
    right: NDArray[np.bool_]
    """(n,): whether the detection is a true sign with the right class."""
    true: int
    """Number of true signs."""


@dataclass(frozen=True)
class Evidence:
    """Detections of digits in one collection, in the order of its pages."""

    name: str
    pages: int
    true: int
    """Number of true digits."""
    boxed: bool
    """Whether boxes are known; if only texts are known, non-digits are not known."""
    scores: Floats
    """(n,): the detector's scores."""
    detector: Floats
    """(n, CLASSES): the detector's probabilities."""
    classifier: Floats
    """(n, 11): the classifier's probabilities."""
    beside: Floats
    """(n, 2): scores of the neighbours to the left and to the right."""
    labels: Integers
    """(n,): true classes, 0 to 9, or 10 for not a digit."""
    page: Integers
    """(n,): index of the page."""
    on_empty: NDArray[np.bool_]
    """(n,): whether the page has no digits."""
    medians: Floats
    """(m, 3): medians of the pages with several digits; see `decoding.familiarity`."""
    empty: int
    """Number of pages without digits."""
    signs: SignEvidence

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, which: NDArray[np.bool_]) -> Evidence:
        """Return the evidence with the detections of a mask (n,) only."""
        columns = ("scores", "detector", "classifier", "beside", "labels", "page", "on_empty")
        return replace(self, **{name: getattr(self, name)[which] for name in columns})


def patches(maker: PatchMaker, count: int, seed: int, p: EvidenceParameters = PARAMETERS) -> Iterator[LabelledPage]:
    """Yield synthetic patches; the same for the same seed."""
    for number in range(count):
        sized = replace(maker, side=p.sides_px[number % len(p.sides_px)])
        patch = sized.make(np.random.default_rng((seed, number)))
        yield LabelledPage(patch.pixels, patch.boxes)


def cheques(data: Path) -> Iterator[LabelledPage]:
    """Yield the held-out cheques, with a box for every digit."""
    for paper in held_out_papers(data):
        for piece in paper.images:
            yield LabelledPage(piece.pixels, piece.known)


def register_strips(data: Path) -> Iterator[LabelledPage]:
    """Yield register strips with known text from pages that are neither trained on nor used in the benchmarks."""
    folder = data / "lectaurep" / "train"
    truth = json.loads((folder / "truth.json").read_text())
    held_out = register_pages(json.loads((data / "lectaurep" / "pages" / "lines.json").read_text()))
    for name in sorted(truth):
        page = truth[name]["page"]
        if kept_out(f"register {page}") and not strip_is_held_out(page, held_out):
            digits = "".join(c for c in truth[name]["text"] if c in "0123456789")
            yield LabelledPage(read_grey(folder / name)[0], None, digits)


def collect(
    name: str, known: Iterable[LabelledPage], networks: Networks, p: EvidenceParameters = PARAMETERS
) -> Evidence:
    """Collect the networks' answers for the images of one collection.

    Args:
        name: Name of the collection.
        known: The images with their truth.
        networks: Detector and classifier.
        p: Parameters.

    Returns:
        The evidence. Strips whose detections cannot be matched with the text are left out.
    """
    waiting: deque[LabelledPage] = deque()

    def pages() -> Iterator[PreparedPage]:
        for number, each in enumerate(known, 1):
            waiting.append(each)
            yield prepare_page(Page(Scan(Path(), name), number, each.pixels, ""))

    parts: list[_PageEvidence] = []
    boxed = True
    medians = []
    for read in read_pages(pages(), networks):
        truth = waiting.popleft()
        boxed &= truth.boxes is not None
        part = _by_text(read, truth.digits, p) if truth.boxes is None else _by_boxes(read, truth.boxes, p)
        if part is not None:
            parts.append(part)
            medians += [own for own in [_medians(read)] if own is not None]
    empty = [not part.true for part in parts]
    joined = [np.concatenate([getattr(part, column) for part in parts]) for column in _PageEvidence._fields[:7]]
    scores, detector, classifier, beside, labels, sign_scores, sign_right = joined
    return Evidence(
        name=name,
        pages=len(parts),
        true=sum(part.true for part in parts),
        boxed=boxed,
        scores=scores,
        detector=detector,
        classifier=classifier,
        beside=beside,
        labels=labels,
        page=np.repeat(np.arange(len(parts)), [len(part.scores) for part in parts]),
        on_empty=np.repeat(empty, [len(part.scores) for part in parts]),
        medians=np.array(medians, np.float64).reshape(-1, 3),
        empty=sum(empty),
        signs=SignEvidence(sign_scores, sign_right, sum(part.true_signs for part in parts)),
    )


def _medians(read: Read) -> Floats | None:
    if read.page.level is None:
        return None
    digits = read.detections.take(read.detections.kinds != SIGN)
    return page_medians(digits.boxes, digits.scores, ink_strengths(read.page.level.pixels, digits.boxes))


class _PageEvidence(NamedTuple):
    """The evidence of one image."""

    scores: Floats
    detector: Floats
    classifier: Floats
    beside: Floats
    labels: Integers
    sign_scores: Floats
    sign_right: NDArray[np.bool_]
    true: int
    true_signs: int


def _split(read: Read) -> tuple[Detections, Floats, Detections]:
    """Return the digits with the probabilities of their crops, and the signs, as decoding takes them."""
    kept, _ = resolve_sign_conflicts(read.detections)
    found, probabilities = read.detections.take(kept), read.probabilities[kept]
    is_sign = found.kinds == SIGN
    return found.take(~is_sign), probabilities[~is_sign], found.take(is_sign)


def _page_evidence(digits: Detections, crops: Floats, beside: Floats, labels: Integers, true: int) -> _PageEvidence:
    scores, probabilities = digits.scores.astype(np.float64), digits.probabilities.astype(np.float64)
    no_signs = np.empty(0), np.empty(0, np.bool_)
    return _PageEvidence(scores, probabilities, crops, beside, labels, *no_signs, true, 0)


def _by_text(read: Read, text: str, p: EvidenceParameters) -> _PageEvidence | None:
    digits, crops, _ = _split(read)
    beside = neighbour_scores(digits.boxes, digits.scores)
    sure = digits.scores >= p.sure_score
    if not text or np.count_nonzero(sure) != len(text):
        return None
    digits, crops, beside = digits.take(sure), crops[sure], beside[sure]
    order = np.argsort(digits.boxes[:, 0] + digits.boxes[:, 2] / 2, kind="stable")
    digits, crops, beside = digits.take(order), crops[order], beside[order]
    labels = np.array([int(c) for c in text], np.int64)
    joint_digits = joint_probabilities(digits.probabilities, crops).argmax(axis=1)
    return _page_evidence(digits, crops, beside, labels, len(text)) if is_one_to_one(joint_digits, labels) else None


def _by_boxes(read: Read, known: Boxes, p: EvidenceParameters) -> _PageEvidence | None:
    if read.page.level is None:
        return None
    row, to_page = read.page.row, read.page.level.to_page
    digits, crops, signs = _split(read)
    height, width = row.height or 0, row.width or 0
    true, unknown = expected_boxes(known, width, height, p)
    of_digits, of_signs = true[true[:, 5] != SIGN], true[true[:, 5] == SIGN]
    which, counts = match_boxes(boxes_on_page(digits.boxes, to_page), of_digits, unknown, p)
    labels = np.append(of_digits[:, 0], NOT_A_DIGIT).astype(np.int64)[which]
    if len(of_digits) > p.max_digits:
        rng = np.random.default_rng(row.page)
        chosen = np.append(rng.permutation(len(of_digits)) < p.max_digits, False)[which]
        counts &= chosen | ((which == NO_MATCH) & (rng.random(len(which)) < p.max_digits / len(of_digits)))
    false = np.flatnonzero(counts & (which == NO_MATCH))
    if len(false) > p.max_false:
        counts[np.random.default_rng(row.page).permutation(false)[p.max_false :]] = False
    beside = neighbour_scores(digits.boxes, digits.scores)[counts]
    part = _page_evidence(digits.take(counts), crops[counts], beside, labels[counts], min(len(of_digits), p.max_digits))
    if (known[:, 5] == UNKNOWN_SIGNS).any():
        return part
    which, counts = match_boxes(boxes_on_page(signs.boxes, to_page), of_signs, unknown, p)
    right = np.append(of_signs[:, 0], NO_MATCH)[which] == signs.probabilities[:, DIGITS:].argmax(axis=1) + DIGITS
    return part._replace(
        sign_scores=signs.scores[counts].astype(np.float64),
        sign_right=right[counts],
        true_signs=len(of_signs),
    )
