"""Fit how detector and classifier are combined, and write `reading.json`.

`python -m batchocr.training.joint DATA --fonts FONTS --run RUN`. DATA is the folder of public data, FONTS a folder of
fonts, RUN a folder for curves and diagrams. `reading.json` is written beside the detector. It is fitted to material
that was kept out of the trainings; each collection has the same weight, whatever its size.
"""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from batchocr.reading_file import NAME, ReadingFile
from batchocr.recognition.detector import DetectorParameters
from batchocr.recognition.model_file import shipped_detector, shipped_model
from batchocr.recognition.networks import Models, Networks
from batchocr.training.evidence_matching import PARAMETERS as EVIDENCE
from batchocr.training.joint_evidence import (
    cheques,
    collect,
    patches,
    register_strips,
)
from batchocr.training.joint_fit import PARAMETERS, SYNTHETIC, FittedReading, Point, fit
from batchocr.training.synthesis.shipped_maker import patch_maker

log = logging.getLogger(__name__)

DATA = "material kept out of training: "


def write_run(fitted: FittedReading, run: Path) -> None:
    """Write `thresholds.csv` and the reliability diagrams of all collections and of each.

    Args:
        fitted: What was fitted.
        run: Folder for the files; it is made if needed.
    """
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
    detector: Annotated[Path | None, typer.Option(help="The detector; by default the shipped one.")] = None,
    model: Annotated[Path | None, typer.Option(help="The classifier; by default the shipped one.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file to write; by default reading.json beside the detector.")
    ] = None,
    count: Annotated[int, typer.Option("--patches", min=10, help="Number of synthetic patches.")] = PARAMETERS.patches,
    seed: Annotated[int, typer.Option(min=0)] = PARAMETERS.seed,
) -> None:
    """Fit the joint reading of a detector and a classifier."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    floor = DetectorParameters(min_score=(EVIDENCE.floor_score,) * 2, weak_ratio=1.0)
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
        min_digit_probability=fitted.min_digit_probability,
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
    log.info("minimum scores %s, minimum probability of a digit %.2f", fitted.min_score, fitted.min_digit_probability)
    log.info("written: %s, %s", target, run)


if __name__ == "__main__":
    typer.run(main)
