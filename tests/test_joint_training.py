"""The evidence of the joint reading, and the values that are fitted to it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from drawing import Sheet
from numpy.typing import NDArray

from batchocr.recognition.calibration import NOT_A_DIGIT, levels
from batchocr.recognition.detector import Detector
from batchocr.recognition.model_file import shipped_model
from batchocr.recognition.networks import Models, Networks
from batchocr.records import HAND, PRINT, SIGN
from batchocr.training.detection.cells import UNKNOWN, UNKNOWN_SIGNS
from batchocr.training.evidence_matching import (
    NO_MATCH,
    EvidenceParameters,
    expected_boxes,
    is_one_to_one,
    match_boxes,
)
from batchocr.training.joint import write_run
from batchocr.training.joint_evidence import Evidence, LabelledPage, SignEvidence, collect
from batchocr.training.joint_fit import fit, worst_levels


def synthetic(name: str, count: int, seed: int, *, boxed: bool = True) -> Evidence:
    """Return evidence with a weak detector and a good classifier; a fifth are non-digits with low scores."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count)
    logits, own = rng.normal(0, 1, (count, 16)), rng.normal(0, 1, (count, 11))
    logits[np.arange(count), labels] += 1
    own[np.arange(count), labels] += rng.choice([2.0, 6.0], count)
    none = np.zeros(count, np.bool_) if not boxed else rng.random(count) < 0.2
    own[:, NOT_A_DIGIT] += np.where(none, 2, -4)
    detector, classifier = (np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) for x in (logits, own))
    scores = np.where(none, rng.uniform(0.12, 0.6, count), rng.uniform(0.4, 0.98, count))
    signs = SignEvidence(np.array([0.2, 0.9, 0.8]), np.array([False, True, True]), 2)
    return Evidence(
        name, 10, int((~none).sum()), boxed, scores, detector, classifier, np.zeros((count, 2)),
        np.where(none, NOT_A_DIGIT, labels), np.arange(count) // 4, none,
        np.tile([0.8, 40.0, 120.0], (10, 1)),        2 if boxed else 0, signs,
    )  # fmt: skip


def test_the_better_network_gets_the_greater_weight_and_confidences_are_calibrated(tmp_path: Path) -> None:
    evidence = [synthetic("patches", 6000, 0), synthetic("cheques", 1500, 1), synthetic("strips", 800, 2, boxed=False)]
    fitted = fit(evidence)
    assert fitted.joint.classifier_weight > fitted.joint.detector_weight
    score, joint, _, none, *_ = fitted.calibration.weights
    assert score > 0 and joint > 0 and none < 0
    assert 0.3 <= fitted.min_digit_probability <= 0.7
    assert fitted.min_score[0] < 0.45  # all digits have scores of 0.4 or more
    assert 0.2 < fitted.min_score[1] <= 0.8
    for each in fitted.sources[1:]:  # of real paper
        assert each.accepted_wrong <= 0.01 * each.accepted
    for confidence, right, _ in fitted.rows.values():
        assert confidence.mean() == pytest.approx(right.mean(), abs=0.05)
    again = fit(evidence)
    assert (again.joint, again.calibration, again.table) == (fitted.joint, fitted.calibration, fitted.table)
    write_run(fitted, tmp_path / "run")
    assert (tmp_path / "run" / "reliability-strips.png").stat().st_size > 1000
    with (tmp_path / "run" / "thresholds.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["what"] for row in rows} == {"score", "sign", "digit"}
    assert {row["source"] for row in rows} == {"patches", "cheques"}


def test_collections_have_the_same_weight_whatever_their_size() -> None:
    """Only the detector is good on a large collection, and only the classifier on a small one."""
    large, small = synthetic("large", 5000, 3), synthetic("small", 200, 4)
    large = Evidence(**{**vars(large), "detector": wide(large.classifier), "classifier": narrow(large.detector)})
    alike = fit([large, small]).joint
    assert 0.2 <= alike.detector_weight <= 0.8
    assert fit([large]).joint.detector_weight > alike.detector_weight


def wide(classifier: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([classifier[:, :10], np.zeros((len(classifier), 6))], axis=1)


def narrow(detector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([detector[:, :10], np.full((len(detector), 1), 0.05)], axis=1)


def test_the_worst_collection_counts_at_each_confidence() -> None:
    few, many = np.ones(20, np.bool_), np.ones(2000, np.bool_)
    few[0] = False
    worst = worst_levels([levels(np.full(20, 0.7), few), levels(np.full(2000, 0.9), many)])
    assert {level.accepted for level in worst if level.confidence <= 0.7} == {20}
    assert {level.accepted for level in worst if level.confidence > 0.71} == {2000}
    assert [level.confidence for level in worst] == sorted(level.confidence for level in worst)


def boxes(*rows: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 6)


def test_each_detection_matches_the_digit_with_the_greatest_overlap() -> None:
    true = boxes((3, 10, 10, 20, 30, HAND), (7, 40, 10, 20, 30, PRINT))
    found = np.array([[x, y, 20, 30] for x, y in ((11, 10), (12, 12), (41, 11), (100, 10), (200, 10))], float)
    which, counts = match_boxes(found, true, np.array([[195.0, 0, 50, 50]]))
    assert which.tolist() == [0, NO_MATCH, 1, NO_MATCH, NO_MATCH]
    assert counts.tolist() == [True, True, True, True, False]


def test_small_and_cut_off_digits_are_not_expected() -> None:
    known = boxes(
        (1, 10, 10, 20, 30, HAND), (2, 10, 50, 4, 6, HAND), (3, 90, 10, 20, 30, HAND), (4, 97, 60, 20, 30, HAND),
        (12, 50, 50, 3, 3, SIGN), (0, 0, 80, 30, 20, UNKNOWN), (0, 0, 0, 100, 100, UNKNOWN_SIGNS),
    )  # fmt: skip
    true, unknown = expected_boxes(known, 100, 100)
    assert true[:, 0].tolist() == [1, 12]
    assert unknown[:, 0].tolist() == [10, 90, 0]  # too small, half cut off, unknown; of the 4 too little is left


def test_a_text_does_not_match_if_one_digit_is_missed_and_another_is_extra() -> None:
    assert is_one_to_one(np.array([1, 2, 3, 4]), np.array([1, 2, 3, 4]))
    assert is_one_to_one(np.array([1, 2, 9, 4]), np.array([1, 2, 3, 4]))
    assert not is_one_to_one(np.array([2, 3, 4, 5]), np.array([1, 2, 3, 4]))


def test_the_evidence_is_that_of_a_run(tiny_detector: Detector) -> None:
    """The tiny detector reads each separate piece of ink as 7."""
    networks = Networks(Models(tiny_detector.path, shipped_model()), device="cpu", batch_size=64)
    sheet = Sheet(1000, 700)
    for i in range(3):
        sheet.digit("8", 60 + 130 * i, 60, 40, pen=6)
    pixels = sheet.pixels
    known = boxes(*((7, 55 + 130 * i, 55, 40, 50, HAND) for i in range(2)))
    empty = LabelledPage(Sheet(1000, 700).pixels, boxes())
    by_boxes = collect("blobs", [LabelledPage(pixels, known), empty], networks)
    assert (by_boxes.pages, by_boxes.true, by_boxes.empty, by_boxes.boxed) == (2, 2, 1, True)
    assert sorted(by_boxes.labels.tolist()) == [7, 7, NOT_A_DIGIT]
    assert not by_boxes.on_empty.any()
    by_text = collect("text", [LabelledPage(pixels, None, "777"), LabelledPage(pixels, None, "77")], networks)
    assert (by_text.pages, by_text.labels.tolist(), by_text.boxed) == (1, [7, 7, 7], False)
    few = collect("few", [LabelledPage(pixels, known)], networks, EvidenceParameters(max_digits=1))
    assert few.true == 1 and np.count_nonzero(few.labels == 7) == 1
