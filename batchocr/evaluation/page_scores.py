"""Comparison of the rows that a run gives with the ground truth of pages.

The truth has one of four forms. Three of them are in a `truth.json` beside the pages:

- boxes: `{file: [{"text": "2017", "digits": [[digit, left, top, width, height], ...]}, ...]}`
- rows: `{file: {"rows": ["2017", ...]}}`, rows of digits from the top
- crops: `{file: {"rows": ["7"]}}`, one digit in each file

The fourth, corrected, is a table of results that a person has corrected (`corrected_results`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from batchocr.evaluation.corrected_results import CorrectedNumber
from batchocr.evaluation.figures import confusions, trust
from batchocr.recognition.calibration import NOT_A_DIGIT, Floats
from batchocr.records import Box, DigitRow


@dataclass(frozen=True)
class ScoringParameters:
    """When a digit or row that was read matches a true one."""

    min_overlap_ratio: float = 0.3
    """Intersection over union of a found and a true box from which on they may be the same digit. Boxes around ink and
    boxes that a person draws differ by this much."""
    min_width_ratio: float = 0.3
    """Width of a box, in its heights, to which narrower boxes are widened. The ink of a 1 is a few pixels wide, and a
    found box may be several times as wide."""
    surplus_cost: float = 0.02
    """Cost of a surplus digit on a line, in edits: of two lines that contain a row, the shorter one is taken."""


PARAMETERS = ScoringParameters()

RowsByFile = Mapping[str, Sequence[DigitRow]]
"""The digits read, by the name of their file or by the key of their page."""


class TrueNumber(TypedDict):
    """A number on a page."""

    text: str
    digits: list[list[int]]
    """[digit, left, top, width, height] of each digit."""


@dataclass
class DigitPairs:
    """Digits with known truth, for confusion matrices and reliability diagrams."""

    true: list[int] = field(default_factory=list)
    """True digits; −1 if the row is not on a digit."""
    predicted: list[int] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    """File and page of each digit."""

    def add(self, true: int, row: DigitRow) -> None:
        self.true.append(true)
        self.predicted.append(row.digit)
        self.confidence.append(row.confidence)
        self.pages.append(f"{row.file} {row.page}")

    @property
    def right(self) -> NDArray[np.bool_]:
        return np.array(self.true, int) == np.array(self.predicted, int)

    def figures(self) -> dict[str, Any]:
        """Return calibration, coverage and confusions; rows that are not on a digit count as wrong."""
        if not self.true:
            return {"expected_calibration_error": None, "confusions": []}
        mixed = Counter((t, p) for t, p in zip(self.true, self.predicted, strict=True) if t not in (p, -1))
        return {**trust(np.array(self.confidence), self.right), "confusions": confusions(mixed)}


def score_boxes(truth: Mapping[str, Sequence[TrueNumber]], read: RowsByFile) -> tuple[dict[str, Any], DigitPairs]:
    """Compare rows with a truth of boxes.

    A row matches the true digit whose box it overlaps most, one to one. A number is right if all its digits, and no
    others, were read as one number.

    Args:
        truth: The true numbers by file.
        read: The rows by file.

    Returns:
        Recall, precision, accuracies, calibration and coverage; and the pairs of true and read digits behind them.
    """
    count: Counter[str] = Counter()
    pairs = DigitPairs()
    for name, numbers in truth.items():
        found = read.get(name, [])
        flat = [digit for number in numbers for digit in number["digits"]]
        match = match_digits(flat, found)
        count.update(true=len(flat), found=len(found), matched=len(match), numbers=len(numbers))
        for at, index in match.items():
            pairs.add(flat[at][0], found[index])
            count["right"] += flat[at][0] == found[index].digit
        for index in set(range(len(found))) - set(match.values()):
            pairs.add(-1, found[index])
        texts = _texts(found)
        first = 0
        for number in numbers:
            count["numbers_right"] += first in match and texts[_place(found[match[first]])] == number["text"]
            first += len(number["digits"])
    return {
        "accuracy": _share(count["right"], count["true"]),
        "errors": count["true"] - count["right"],
        "count": count["true"],
        **pairs.figures(),
        "recall": _share(count["matched"], count["true"]),
        "precision": _share(count["matched"], count["found"]),
        "accuracy_where_found": _share(count["right"], count["matched"]),
        "number_accuracy": _share(count["numbers_right"], count["numbers"]),
        "numbers": count["numbers"],
        "pages": len(truth),
    }, pairs


def score_corrected(
    truth: Mapping[str, Sequence[CorrectedNumber]], read: RowsByFile
) -> tuple[dict[str, Any], DigitPairs]:
    """Compare rows with corrected results.

    Corrected results know only what the corrected run found. So digits that this run missed are not counted, and rows
    whose box matches no corrected box are ignored: a person has not checked them.

    Args:
        truth: The corrected numbers by page.
        read: The rows by page.

    Returns:
        The figures, and the pairs of true and read digits behind them.
    """
    count: Counter[str] = Counter()
    pairs = DigitPairs()
    for name, numbers in truth.items():
        found = read.get(name, [])
        flat = [digit for number in numbers for digit in number.digits]
        match = match_digits(flat, found)
        for at, (label, *_) in enumerate(flat):
            is_digit, is_read = 0 <= label < NOT_A_DIGIT, at in match
            count.update(true=is_digit, matched=is_digit and is_read, others=label == NOT_A_DIGIT)
            if is_read and is_digit:
                pairs.add(label, found[match[at]])
                count["right"] += label == found[match[at]].digit
            elif is_read and label == NOT_A_DIGIT:
                pairs.add(-1, found[match[at]])
                count["others_read"] += 1
        texts = _texts(found)
        first = 0
        for number in numbers:
            own = [at for at in range(first, first + len(number.digits)) if flat[at][0] < NOT_A_DIGIT and at in match]
            first += len(number.digits)
            if number.is_known:
                count["numbers"] += 1
                count["numbers_right"] += bool(own) and texts[_place(found[match[own[0]]])] == number.text
    others = {"others": count["others"], "others_read": count["others_read"]} if count["others"] else {}
    return {
        "accuracy": _share(count["right"], count["true"]),
        "errors": count["true"] - count["right"],
        "count": count["true"],
        **others,
        **pairs.figures(),
        "found_again": _share(count["matched"], count["true"]),
        "accuracy_where_found": _share(count["right"], count["matched"]),
        "number_accuracy": _share(count["numbers_right"], count["numbers"]),
        "numbers": count["numbers"],
        "pages": len(truth),
    }, pairs


def match_digits(true: Sequence[Sequence[int]], found: Sequence[DigitRow | Box]) -> dict[int, int]:
    """Match true digits with found boxes, one to one, the greatest overlaps first.

    Args:
        true: [digit, left, top, width, height] of each true digit.
        found: The found boxes or rows.

    Returns:
        The index of the found box by the index of the true digit.
    """
    if not true or not found:
        return {}
    overlap = _overlap(
        np.array([digit[1:5] for digit in true], float),
        np.array([(each.left, each.top, each.width, each.height) for each in found], float),
    )
    match: dict[int, int] = {}
    taken: set[int] = set()
    at, index = np.nonzero(overlap >= PARAMETERS.min_overlap_ratio)
    order = np.argsort(-overlap[at, index], kind="stable")
    for t, f in zip(at[order].tolist(), index[order].tolist(), strict=True):
        if t not in match and f not in taken:
            match[t] = f
            taken.add(f)
    return match


def _overlap(a: Floats, b: Floats) -> Floats:
    """Return the intersection over union (n, m) of boxes (n, 4) and (m, 4): left, top, width, height."""
    a, b = _widen_narrow(a), _widen_narrow(b)
    lower = np.maximum(a[:, None, :2], b[None, :, :2])
    upper = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    common = np.clip(upper - lower, 0, None).prod(axis=2)
    return np.asarray(common / (a[:, None, 2:].prod(axis=2) + b[None, :, 2:].prod(axis=2) - common + 1e-9))


def _widen_narrow(boxes: Floats) -> Floats:
    """Widen boxes (n, 4) that are narrower than the minimum, about their centre."""
    width = np.maximum(boxes[:, 2], PARAMETERS.min_width_ratio * boxes[:, 3])
    return np.stack([boxes[:, 0] + (boxes[:, 2] - width) / 2, boxes[:, 1], width, boxes[:, 3]], axis=1)


def _place(row: DigitRow) -> tuple[int, int, int]:
    return row.page, row.line, row.number


def _texts(found: Sequence[DigitRow]) -> dict[tuple[int, int, int], str]:
    texts: defaultdict[tuple[int, int, int], str] = defaultdict(str)
    for row in sorted(found, key=lambda row: row.position):
        texts[_place(row)] += str(row.digit)
    return texts


def score_rows(truth: Mapping[str, Mapping[str, Sequence[str]]], read: RowsByFile) -> dict[str, Any]:
    """Compare rows of digits with a truth of rows.

    The rows are aligned with the found lines in order. The ends of a line are free; a missed row costs all its digits.
    Boxes are not known, so confidences cannot be measured.

    Args:
        truth: The true rows by file.
        read: The digits read by file.

    Returns:
        Edit distance per true digit, share of rows without an edit, surplus digits.
    """
    errors = exact = 0
    for name, page in truth.items():
        lines: defaultdict[tuple[int, int], str] = defaultdict(str)
        for row in sorted(read.get(name, []), key=lambda row: (*_place(row), row.position)):
            lines[row.page, row.line] += str(row.digit)
        costs = _aligned(page["rows"], [lines[key] for key in sorted(lines)])
        errors += sum(costs)
        exact += costs.count(0)
    rows = [row for page in truth.values() for row in page["rows"]]
    count = sum(map(len, rows))
    surplus = sum(max(0, len(read.get(name, [])) - sum(map(len, page["rows"]))) for name, page in truth.items())
    return {
        "accuracy": round(1 - errors / max(1, count), 4),
        "errors": errors,
        "count": count,
        "expected_calibration_error": None,
        "digit_error": _share(errors, count),
        "rows_exact": _share(exact, len(rows)),
        "rows": len(rows),
        "extra_digits_a_page": round(surplus / max(1, len(truth)), 1),
        "pages": len(truth),
    }


def _distance(row: str, line: str) -> int:
    """Return the edit distance of `row` to the part of `line` that fits it best (Sellers, 1980)."""
    before = [0] * (len(line) + 1)
    for i, true_digit in enumerate(row, 1):
        now = [i]
        for j, found in enumerate(line, 1):
            now.append(min(before[j] + 1, now[j - 1] + 1, before[j - 1] + (true_digit != found)))
        before = now
    return min(before)


def _aligned(rows: Sequence[str], lines: Sequence[str]) -> list[int]:
    """Return the cost of each row if rows are assigned to lines of their own, both in order, at the lowest total
    cost.
    """
    # best[i][j]: cost of the first i rows on the first j lines, and the costs of each row
    none: tuple[int, ...] = ()
    best = [(0.0, none)] * (len(lines) + 1)
    for row in rows:
        now = [(best[0][0] + len(row), (*best[0][1], len(row)))]
        for j, line in enumerate(lines):
            distance = _distance(row, line)
            surplus = PARAMETERS.surplus_cost * max(0, len(line) - len(row))
            now.append(
                min(
                    now[j],
                    (best[j][0] + distance + surplus, (*best[j][1], min(distance, len(row)))),
                    (best[j + 1][0] + len(row), (*best[j + 1][1], len(row))),
                    key=lambda way: round(way[0], 9),
                )
            )
        best = now
    return list(best[-1][1])


def score_crops(
    truth: Mapping[str, Mapping[str, Sequence[str]]], read: RowsByFile
) -> tuple[dict[str, Any], DigitPairs]:
    """Compare files of one digit with their truth.

    Args:
        truth: The true digit by file.
        read: The digits read by file.

    Returns:
        Share of the files in which exactly the true digit was read, or it was the largest; and the pairs of the files
        with one digit read.
    """
    count: Counter[str] = Counter()
    pairs = DigitPairs()
    for name, page in truth.items():
        found, (true_digit,) = read.get(name, []), page["rows"]
        if not found:
            continue
        count["largest"] += max((row.width * row.height, str(row.digit)) for row in found)[1] == true_digit
        if len(found) == 1:
            pairs.add(int(true_digit), found[0])
            count["right"] += str(found[0].digit) == true_digit
    return {
        "accuracy": _share(count["right"], len(truth)),
        "errors": len(truth) - count["right"],
        "count": len(truth),
        **pairs.figures(),
        "read_as_one_digit": _share(len(pairs.true), len(truth)),
        "largest_right": _share(count["largest"], len(truth)),
    }, pairs


def _share(part: int, whole: int) -> float:
    return round(part / max(1, whole), 4)
