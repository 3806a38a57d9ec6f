"""What both networks say of digits whose truth is known, on material kept out of training: for the joint reading.

Of made-up patches, of the cheques to choose by and of register strips. Detections are those of a run: the same pages,
tiles, crops and non-maximum suppression.
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
from batchocr.decoding.faint import ink_strengths
from batchocr.decoding.familiarity import page_medians
from batchocr.decoding.joint import DIGITS, joint_probabilities
from batchocr.decoding.neighbours import neighbour_scores
from batchocr.decoding.overlaps import shared_areas
from batchocr.decoding.signs import contested
from batchocr.executors.page_task import look_at
from batchocr.pipeline import Read, read_pages
from batchocr.recognition.calibration import NONE as NOT_A_DIGIT
from batchocr.recognition.calibration import Floats
from batchocr.recognition.networks import Networks
from batchocr.records import SIGN, Detections, Page, Pixels, PreparedPage, Scan
from batchocr.training.detection.cells import UNKNOWN, UNKNOWN_SIGNS, Boxes
from batchocr.training.synthesis.patches import PatchMaker
from batchocr.training.synthesis.real_paper import read_grey
from batchocr.training.synthesis.shipped_maker import held_out_papers

Integers = NDArray[np.int64]

NO_MATCH = -1
"""The place of the true box that a box matches which matches none."""


@dataclass(frozen=True)
class EvidenceParameters:
    """What is looked at, and when a detection is a digit."""

    sides_px: tuple[int, ...] = (512, 960)
    """Of patches, in turn: a cutting, which is enlarged, and as much as half a page, which is not."""
    same_union_ratio: float = 0.3
    """Intersection over union from which on a detection is a true digit, one to one."""
    unknown_ratio: float = 0.3
    """Share of a detection's box that lies where nothing is known, from which on it counts for nothing."""
    min_visible_ratio: float = 0.75
    """Share of a digit's box on the picture from which on it is asked for..."""
    max_non_digit_visible_ratio: float = 0.45
    """...and up to which it is no digit, as the detector is trained; in between nothing is asked."""
    min_height_px: float = 7.0
    """Of a digit that is asked for."""
    max_digits: int = 60
    """Of a picture: of a page full of digits as many count, chosen at random, and of what is falsely found as large a
    share, so that single pages do not drown the others."""
    max_false: int = 25
    """Of a picture: so many of what is falsely found count, chosen at random. A page is marked where texture gives
    thousands, and one such would decide alone what all others cost."""
    floor_score: float = 0.12
    """Of the detector: lower ones are not looked at."""
    sure_score: float = 0.3
    """Where a text is known but no boxes: if so many detections have this score as it has digits, they are these."""


PARAMETERS = EvidenceParameters()


class LabelledPage(NamedTuple):
    """A picture, and what is known of it."""

    pixels: Pixels
    boxes: Boxes | None
    """(n, 6): class, left, top, width, height, kind; None where only the text is known."""
    digits: str = ""
    """From the left, where boxes are not known."""


@dataclass(frozen=True)
class SignEvidence:
    """Signs found where all signs are known."""

    scores: Floats
    """(n,)."""
    right: NDArray[np.bool_]
    """(n,): whether one stands there, and is that one."""
    true: int
    """Signs that stand there."""


@dataclass(frozen=True)
class Evidence:
    """Detections of digits in one collection, in the order of its pages."""

    name: str
    pages: int
    true: int
    """Digits that stand there and are asked for."""
    boxed: bool
    """False where only texts are known: nothing is told of what is no digit."""
    scores: Floats
    """(n,) of the detector."""
    detector: Floats
    """(n, CLASSES) probabilities."""
    classifier: Floats
    """(n, 11) probabilities."""
    beside: Floats
    """(n, 2) scores of the neighbours."""
    labels: Integers
    """(n,): what it is, 0 to 9, or 10 for no digit."""
    page: Integers
    """(n,): the place of its page."""
    on_empty: NDArray[np.bool_]
    """(n,): whether its page has no digits."""
    medians: Floats
    """(m, 3) of pages with several digits: `decoding.familiarity`."""
    empty: int
    """Pages without digits."""
    signs: SignEvidence

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, which: NDArray[np.bool_]) -> Evidence:
        """Of the detections of digits those where a mask (n,) holds."""
        columns = ("scores", "detector", "classifier", "beside", "labels", "page", "on_empty")
        return replace(self, **{name: getattr(self, name)[which] for name in columns})


def patches(maker: PatchMaker, count: int, seed: int, p: EvidenceParameters = PARAMETERS) -> Iterator[LabelledPage]:
    """Made-up patches; the same for the same seed."""
    for number in range(count):
        sized = replace(maker, side=p.sides_px[number % len(p.sides_px)])
        patch = sized.make(np.random.default_rng((seed, number)))
        yield LabelledPage(patch.pixels, patch.boxes)


def cheques(data: Path) -> Iterator[LabelledPage]:
    """The cheques to choose by, with a box for every digit."""
    for paper in held_out_papers(data):
        for piece in paper.images:
            yield LabelledPage(piece.pixels, piece.known)


def register_strips(data: Path) -> Iterator[LabelledPage]:
    """Strips of registers whose text is known; of no page that is trained on, nor of one that is measured on."""
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
    """What the networks say of the pictures of one collection. Strips whose digits cannot be told are left out."""
    waiting: deque[LabelledPage] = deque()

    def pages() -> Iterator[PreparedPage]:
        for number, each in enumerate(known, 1):
            waiting.append(each)
            yield look_at(Page(Scan(Path(), name), number, each.pixels, ""))

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
    """Of one picture."""

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
    """The digits with the probabilities of their crops, and the signs, as decoding takes them."""
    kept, _ = contested(read.detections)
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


def is_one_to_one(read: Integers, true: Integers) -> bool:
    """Whether digits read (n,) are those that stand there (n,) one for one.

    No other way to lay the one on the other, that leaves some out of both, has fewer edits (Levenshtein 1966): else one
    was missed and something else taken for a digit.
    """
    row = np.arange(len(true) + 1)
    for i, digit in enumerate(read, 1):
        below = np.empty_like(row)
        below[0] = i
        for j in range(1, len(row)):
            below[j] = min(row[j - 1] + (digit != true[j - 1]), row[j] + 1, below[j - 1] + 1)
        row = below
    return bool(row[-1] == np.count_nonzero(read != true))


def _by_boxes(read: Read, known: Boxes, p: EvidenceParameters) -> _PageEvidence | None:
    if read.page.level is None:
        return None
    row, to_page = read.page.row, read.page.level.to_page
    digits, crops, signs = _split(read)
    height, width = row.height or 0, row.width or 0
    true, unknown = expected_boxes(known, width, height, p)
    of_digits, of_signs = true[true[:, 5] != SIGN], true[true[:, 5] == SIGN]
    which, counts = match_boxes(_on_page(digits.boxes, to_page), of_digits, unknown, p)
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
    which, counts = match_boxes(_on_page(signs.boxes, to_page), of_signs, unknown, p)
    right = np.append(of_signs[:, 0], NO_MATCH)[which] == signs.probabilities[:, DIGITS:].argmax(axis=1) + DIGITS
    return part._replace(
        sign_scores=signs.scores[counts].astype(np.float64),
        sign_right=right[counts],
        true_signs=len(of_signs),
    )


def _on_page(boxes: NDArray[np.floating], to_page: Floats) -> Floats:
    """Boxes (n, 4) of the level page on the page as it was given."""
    left, top, width, height = boxes.astype(np.float64).T
    corners = np.stack([np.stack([x, y, np.ones_like(x)]) for x in (left, left + width) for y in (top, top + height)])
    page_points = np.einsum("ij,cjn->cin", to_page, corners)
    page_points = page_points[:, :2] / page_points[:, 2:]
    corner = page_points.min(axis=0)
    return np.concatenate([corner, page_points.max(axis=0) - corner]).T


def expected_boxes(known: Boxes, width: int, height: int, p: EvidenceParameters = PARAMETERS) -> tuple[Boxes, Floats]:
    """Boxes (n, 6) of what is asked for on a picture, and boxes (m, 4) where nothing is."""
    boxes = known[known[:, 5] != UNKNOWN_SIGNS].astype(np.float64)
    ends = np.clip(boxes[:, 1:3] + boxes[:, 3:5], 0, (width, height))
    corners = np.clip(boxes[:, 1:3], 0, (width, height))
    area = np.maximum(1e-6, boxes[:, 3:5].prod(axis=1))
    visible = np.clip(ends - corners, 0, None).prod(axis=1) / area
    small = (boxes[:, 4] < p.min_height_px) & (boxes[:, 5] < SIGN)
    whole = (boxes[:, 5] < UNKNOWN) & (visible >= p.min_visible_ratio) & ~small
    unknown = (boxes[:, 5] == UNKNOWN) | (~whole & (visible > p.max_non_digit_visible_ratio))
    return known[known[:, 5] != UNKNOWN_SIGNS][whole], boxes[unknown, 1:5]


def match_boxes(
    found: Floats, true: Boxes, unknown: Floats, p: EvidenceParameters = PARAMETERS
) -> tuple[Integers, NDArray[np.bool_]]:
    """Which true box each of the boxes (n, 4) found is, and whether it counts.

    That is the place of the true box (m, 6) that it overlaps most, one to one, the greatest overlaps first; NOTHING
    where there is none. Such a one does not count where nothing is known.
    """
    boxes, places = found, true[:, 1:5].astype(np.float64)
    which = np.full(len(boxes), NO_MATCH, np.int64)
    shared = shared_areas(boxes, places)
    areas = boxes[:, 2:].prod(axis=1)
    union = shared / np.maximum(1e-6, areas[:, None] + places[:, 2:].prod(axis=1) - shared)
    at, to = np.nonzero(union >= p.same_union_ratio)
    taken: set[int] = set()
    for place in np.argsort(-union[at, to], kind="stable").tolist():
        i, j = int(at[place]), int(to[place])
        if which[i] == NO_MATCH and j not in taken:
            taken.add(j)
            which[i] = j
    hidden = shared_areas(boxes, unknown).sum(axis=1) > p.unknown_ratio * areas
    return which, (which != NO_MATCH) | ~hidden
