"""How both networks are read jointly, and how sure that is, fitted on material kept out of training: `reading.json`.

`python -m batchocr.training.joint DATA --fonts FONTS --run RUN`. DATA is the folder of public data, FONTS a folder of
fonts, RUN a folder for curves and diagrams. `reading.json` is written beside the detector. Each collection of the
evidence counts alike, however many digits it has.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from batchocr.decoding.familiarity import Familiar, familiar_range
from batchocr.decoding.joint import (
    Calibration,
    JointParameters,
    JointReading,
    features,
    fit_calibration,
    fit_weights,
    joint_probabilities,
    read_jointly,
)
from batchocr.reading_file import NAME, Measured, ReadingFile
from batchocr.recognition.calibration import DECIMALS, Floats, Level, levels, threshold_at
from batchocr.recognition.calibration import NONE as NOT_A_DIGIT
from batchocr.recognition.detector import DetectorParameters
from batchocr.recognition.model_file import shipped_detector, shipped_model
from batchocr.recognition.networks import Models, Networks
from batchocr.training.joint_evidence import (
    PARAMETERS,
    Evidence,
    cheques,
    collect,
    patches,
    register_strips,
)
from batchocr.training.synthesis.shipped_maker import patch_maker

log = logging.getLogger(__name__)

SYNTHETIC = "patches"
"""The collection that is no real paper."""
NETWORKS = ("detector", "classifier")
"""Fields of the evidence with the networks' probabilities."""
FALSE_COST = 0.25
"""Of a digit falsely found, in digits lost."""
DEFAULT_ERROR = 0.01
"""Share of wrong ones among the digits that are not marked unless asked otherwise, in the worst collection."""
MIN_CONFIDENCE = 0.8
"""Of a digit that is not marked, and of a number: below it silent errors are frequent on strange pages. On strips of
registers 0.56 left 7.3% of the rows wrong without a mark and marked 14.5% of the right ones, 0.8 leaves 2.0% and marks
26%; of composed pages it marks 1.0% of the digits instead of 0.3%."""
PATCHES = 120
"""Made-up patches looked at."""
SEED = 4141
SCORES = tuple(round(0.12 + 0.02 * step, 2) for step in range(20))
"""Thresholds of the detector's scores that are tried."""
CHANCES = tuple(round(0.05 * step, 2) for step in range(1, 19))
"""The same of the probability that a detection is a digit."""
DATA = "material kept out of training: "


class Point(NamedTuple):
    """What a threshold costs in a collection."""

    what: str
    source: str
    threshold: float
    lost: float
    """Share of what stands there that is not found."""
    false: float
    """What is falsely found, as a share of what stands there."""
    false_on_empty: float
    """Digits found a page that has none; not a number where there is no such page."""


class ReadDigits(NamedTuple):
    """Digits that are read."""

    confidence: Floats
    """(n,), as it is written down."""
    right: NDArray[np.bool_]
    """(n,)."""
    page: NDArray[np.int64]
    """(n,): the place of its page."""


@dataclass(frozen=True)
class FittedReading:
    """All that was fitted, and what it rests on."""

    joint: JointParameters
    calibration: Calibration
    min_score: tuple[float, float]
    least_digit: float
    min_confidence: float
    familiar: Familiar
    table: tuple[Level, ...]
    sources: tuple[Measured, ...]
    curves: tuple[Point, ...]
    rows: dict[str, ReadDigits]
    """By collection."""


def fit(evidence: Sequence[Evidence]) -> FittedReading:
    """Weights, calibration, thresholds and table from the evidence.

    The detector's thresholds are chosen by all that was looked at; then all is fitted once more to what is left.
    Threshold and table are of real paper, the worst collection: made-up patches are much harder than pages.
    """
    joint, calibration = fit_reading(evidence)
    threshold, _ = choose_min_digit_probability(evidence, joint, calibration)
    min_score, curves = choose_min_score(evidence, joint, calibration, threshold)
    kept = [each.take(each.scores >= min_score[0]) for each in evidence]
    joint, calibration = fit_reading(kept)
    threshold, curve = choose_min_digit_probability(kept, joint, calibration)
    rows = {each.name: rows_of(each, joint, calibration, threshold) for each in kept}
    real = [own for name, own in rows.items() if name != SYNTHETIC] or list(rows.values())
    min_confidence = max(MIN_CONFIDENCE, *(threshold_at(DEFAULT_ERROR, own.confidence, own.right) for own in real))
    return FittedReading(
        joint,
        calibration,
        min_score,
        threshold,
        min_confidence,
        _familiar(evidence),
        worst_levels([levels(*own) for own in real if len(own.right)]),
        tuple(_measured(each, rows[each.name], min_confidence) for each in kept),
        (*curves, *curve),
        rows,
    )


def fit_reading(evidence: Sequence[Evidence]) -> tuple[JointParameters, Calibration]:
    """The weights of both networks, and the calibration of what they say together; every collection counts alike.

    The weights are those of real paper: the detector learned from the very maker of the made-up patches.
    """
    real = [e for e in evidence if e.name != SYNTHETIC] or evidence
    real_arrays = [
        np.concatenate([getattr(e, name)[e.labels < NOT_A_DIGIT] for e in real]) for name in (*NETWORKS, "labels")
    ]
    joint = fit_weights(
        real_arrays[0],
        real_arrays[1],
        real_arrays[2],
        _balanced_weights([int((e.labels < NOT_A_DIGIT).sum()) for e in real]),
    )
    detector, classifier = (np.concatenate([getattr(e, name) for e in evidence]) for name in NETWORKS)
    labels, scores = (np.concatenate([getattr(e, name) for e in evidence]) for name in ("labels", "scores"))
    is_digit = labels < NOT_A_DIGIT
    probabilities = joint_probabilities(detector, classifier, joint)
    all_weights = _balanced_weights([len(e) for e in evidence])
    boxed_weights = _balanced_weights([len(e) for e in evidence], [e.boxed for e in evidence])
    beside = np.concatenate([e.beside for e in evidence])
    inputs = features(scores, detector, classifier, probabilities, beside)
    right = probabilities.argmax(axis=1) == labels
    return joint, fit_calibration(inputs, right, is_digit, all_weights, boxed_weights)


def _balanced_weights(sizes: Sequence[int], counted: Sequence[bool] | None = None) -> Floats:
    """What each observation counts so that collections of such sizes count alike, all together as many as they are.

    Those that are not `counted` count for nothing.
    """
    which = [size > 0 and (counted is None or counted[at]) for at, size in enumerate(sizes)]
    total = sum(size for size, counts in zip(sizes, which, strict=True) if counts)
    each = [total / sum(which) / size if counts else 0.0 for size, counts in zip(sizes, which, strict=True)]
    return np.repeat(each, sizes)


def reading_of(evidence: Evidence, joint: JointParameters, calibration: Calibration) -> JointReading:
    """What is read of the detections."""
    e = evidence
    return read_jointly(e.scores, e.detector, e.classifier, e.beside, joint, calibration)


def rows_of(evidence: Evidence, joint: JointParameters, calibration: Calibration, least_digit: float) -> ReadDigits:
    """The digits that are read."""
    read = reading_of(evidence, joint, calibration)
    which = read.is_digit >= least_digit
    return ReadDigits(
        read.confidences[which].round(DECIMALS), (read.digits == evidence.labels)[which], evidence.page[which]
    )


def choose_min_digit_probability(
    evidence: Sequence[Evidence], joint: JointParameters, calibration: Calibration
) -> tuple[float, list[Point]]:
    """The probability to be a digit from which on least is lost and falsely found together, and the curve."""
    curve = []
    for each in (e for e in evidence if e.boxed and e.true):
        chances = reading_of(each, joint, calibration).is_digit
        curve += [_point("digit", each, threshold, chances >= threshold) for threshold in CHANCES]
    return _cheapest_threshold(curve), curve


def choose_min_score(
    evidence: Sequence[Evidence], joint: JointParameters, calibration: Calibration, least_digit: float
) -> tuple[tuple[float, float], list[Point]]:
    """The detector's least score of digits, the greatest of the best, and of signs; and the curves.

    Of digits with what the joint reading takes for none left out already: both networks know better than one.
    """
    of_digits, of_signs = [], []
    for each in (e for e in evidence if e.boxed and e.true):
        taken = reading_of(each, joint, calibration).is_digit >= least_digit
        of_digits += [_point("score", each, threshold, taken & (each.scores >= threshold)) for threshold in SCORES]
        signs = each.signs
        for threshold in SCORES if signs.true else ():
            right = signs.right[signs.scores >= threshold]
            lost, false = 1 - np.count_nonzero(right) / signs.true, np.count_nonzero(~right) / signs.true
            of_signs.append(Point("sign", each.name, threshold, lost, false, float("nan")))
    return (_highest_cheapest_threshold(of_digits), _cheapest_threshold(of_signs or of_digits)), [*of_digits, *of_signs]


def _point(what: str, evidence: Evidence, threshold: float, taken: NDArray[np.bool_]) -> Point:
    false = taken & (evidence.labels == NOT_A_DIGIT)
    return Point(
        what,
        evidence.name,
        threshold,
        1 - np.count_nonzero(taken & ~false) / evidence.true,
        np.count_nonzero(false) / evidence.true,
        np.count_nonzero(false & evidence.on_empty) / evidence.empty if evidence.empty else float("nan"),
    )


def _costs(curve: Sequence[Point]) -> dict[float, float]:
    """What is lost and falsely found by threshold, collections alike; the one leaves no trace, the other is marked."""
    thresholds = sorted({point.threshold for point in curve})
    cost = [(p.threshold, p.lost + FALSE_COST * p.false) for p in curve]
    return {at: float(np.mean([own for threshold, own in cost if threshold == at])) for at in thresholds}


def _cheapest_threshold(curve: Sequence[Point]) -> float:
    """The threshold of the least cost, the lower of equals."""
    costs = _costs(curve)
    return min(costs, key=lambda at: (costs[at], at))


def _highest_cheapest_threshold(curve: Sequence[Point]) -> float:
    """The greatest threshold that costs no more than the best: it saves work."""
    costs = _costs(curve)
    return max(at for at, cost in costs.items() if cost <= min(costs.values()))


def worst_levels(tables: Sequence[tuple[Level, ...]]) -> tuple[Level, ...]:
    """At each confidence the level of the collection whose error may be the greatest: that of the upper bound."""
    worst: dict[float, Level] = {}
    for level in (level for table in tables for level in table):
        if level.confidence not in worst or level.high > worst[level.confidence].high:
            worst[level.confidence] = level
    return tuple(worst[confidence] for confidence in sorted(worst))


def _familiar(evidence: Sequence[Evidence]) -> Familiar:
    """What the pages looked at have; how sure the detector is, of real paper alone."""
    made_up = [each.medians for each in evidence if each.name == SYNTHETIC]
    real = [each.medians for each in evidence if each.name != SYNTHETIC] or made_up
    return familiar_range(np.concatenate(real), np.concatenate([np.empty((0, 3)), *made_up]))


def _measured(evidence: Evidence, rows: ReadDigits, threshold: float) -> Measured:
    accepted, right = rows.confidence >= threshold, rows.right
    return Measured(
        name=evidence.name,
        pages=evidence.pages,
        digits=evidence.true,
        rows=len(right),
        wrong=int((~right).sum()),
        accepted=int(accepted.sum()),
        accepted_wrong=int((~right & accepted).sum()),
    )


def write_run(fitted: FittedReading, run: Path) -> None:
    """`thresholds.csv` and reliability diagrams, of all collections and of each."""
    from batchocr.evaluation.plots import reliability

    run.mkdir(parents=True, exist_ok=True)
    with (run / "thresholds.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(Point._fields)
        table.writerows([*point[:3], *(round(value, 5) for value in point[3:])] for point in fitted.curves)
    every = [np.concatenate(parts) for parts in zip(*fitted.rows.values(), strict=True)]
    reliability(every[0], every[1], run / "reliability.png")
    for name, rows in fitted.rows.items():
        if len(rows.right):
            reliability(rows.confidence, rows.right, run / f"reliability-{name.replace(' ', '-')}.png")


def main(
    data: Annotated[Path, typer.Argument(help="The folder of public data.")],
    fonts: Annotated[Path, typer.Option(help="A folder of fonts.")],
    run: Annotated[Path, typer.Option(help="A folder for curves and reliability diagrams.")],
    detector: Annotated[Path | None, typer.Option(help="The detector; the shipped one unless given.")] = None,
    model: Annotated[Path | None, typer.Option(help="The classifier, likewise.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; beside the detector unless given.")] = None,
    count: Annotated[int, typer.Option("--patches", min=10, help="Made-up patches to look at.")] = PATCHES,
    seed: Annotated[int, typer.Option(min=0)] = SEED,
) -> None:
    """Fit the joint reading of a detector and a classifier."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    floor = DetectorParameters(min_score=(PARAMETERS.floor_score,) * 2, weak_ratio=1.0)
    models = Models(detector or shipped_detector(), model or shipped_model(), floor)
    networks = Networks(models)
    collections = {
        SYNTHETIC: patches(patch_maker(data, fonts, held_out=True), count, seed),
        "cheques": cheques(data),
        "register strips": register_strips(data),
    }
    evidence = []
    for name, known in collections.items():
        evidence.append(collect(name, known, networks))
        log.info(
            "%s: %d pages, %d digits, %d detections", name, evidence[-1].pages, evidence[-1].true, len(evidence[-1])
        )
    fitted = fit([each for each in evidence if each.true])
    about = ", ".join(f"{each.name} ({each.digits} digits)" for each in fitted.sources)
    record = ReadingFile(
        detector=networks.detector.sidecar.sha256,
        classifier=networks.classifier.sidecar.sha256,
        temperature=networks.classifier.sidecar.temperature,
        data=DATA + about,
        seed=seed,
        joint=fitted.joint,
        calibration=fitted.calibration,
        min_score=fitted.min_score,
        least_digit=fitted.least_digit,
        min_confidence=fitted.min_confidence,
        familiar=fitted.familiar,
        levels=fitted.table,
        sources=fitted.sources,
    )
    target = out or models.detector.with_name(NAME)
    record.write(target)
    write_run(fitted, run)
    for each in fitted.sources:
        log.info(
            "%s: %d of %d rows wrong; at or above %.4f: %d of %d", each.name, each.wrong, each.rows,
            fitted.min_confidence, each.accepted_wrong, each.accepted,
        )  # fmt: skip
    log.info("%s, %s", fitted.joint, fitted.calibration)
    log.info("least scores %s, least probability of a digit %.2f", fitted.min_score, fitted.least_digit)
    log.info("written: %s, %s", target, run)


if __name__ == "__main__":
    typer.run(main)
