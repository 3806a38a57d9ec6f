"""The patch maker of the shipped detector, from the folder of public data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from batchocr.errors import UsageError
from batchocr.training.synthesis.patches import PatchMaker
from batchocr.training.synthesis.printing import PrintBank
from batchocr.training.synthesis.real_paper import (
    RealPaper,
    load_cheques,
    load_pages_without_digits,
    load_pseudo_labelled,
)
from batchocr.training.synthesis.writing_sources import HandwritingSources

BANK_SEED = 41
TUNING_CHEQUES = 100
"""The last of the cheques to train on: kept out, to choose by."""
MISLABELLED = ("a_car_001163.jpg", "a_car_001165.jpg", "a_car_001167.jpg", "a_car_001192.jpg")
"""Of these the ones whose boxes are not what stands there: digits without a box, a 5 as 6, a 1 as 2, a 9 as 7. All
digits that were read otherwise than labelled, with a confidence of 0.8 or more, were looked at."""
TRAINING_BLANK_FORMS = ("blank-dpr_s08_v2", "blank-dpr_j_v2")
"""The blank forms that may be trained on; the others are measured on."""


def patch_maker(
    data: Path, fonts: Path, labels: Path | None = None, *, held_out: bool = False, without: Sequence[str] = ()
) -> PatchMaker:
    """The maker of patches from the folder of public data and a folder of fonts.

    `labels` has the boxes that an earlier detector found of known texts: `batchocr.training.pseudo_labels`. With
    `held_out` the patches show only hands that are kept out of training, and no real paper. `without` names
    collections of real paper to leave out. Raises UsageError where the data lacks a file, or for an unknown name.
    """
    sources = HandwritingSources.load(data, [fonts], labels, held_out=held_out)
    bank = PrintBank.make(sources.fonts, np.random.default_rng(BANK_SEED))
    papers = [] if held_out else real_papers(data, labels)
    if unknown := sorted(set(without) - {paper.name for paper in papers}):
        names = ", ".join(paper.name for paper in papers)
        raise UsageError(f"no such collection of real paper: {', '.join(unknown)}; choose from {names}")
    return PatchMaker(sources, bank, [paper for paper in papers if paper.name not in without])


def real_papers(data: Path, labels: Path | None = None) -> list[RealPaper]:
    """Strips and pages whose digits are known, and pages without any, less what is kept out of training."""
    blanks = [path for name in TRAINING_BLANK_FORMS for path in sorted((data / "tally-forms").glob(f"{name}*"))]
    empty = [*pages_without_digits(data), *blanks]
    papers = [
        RealPaper("cheques", 0.13, load_cheques(data / "orand-car-a" / "train", slice(None, -TUNING_CHEQUES))),
        RealPaper("without digits", 0.03, load_pages_without_digits(empty)),
    ]
    if labels is not None:
        papers += [
            RealPaper("registers", 0.14, load_pseudo_labelled(labels, data, "registers")),
            RealPaper("register pages", 0.03, load_pseudo_labelled(labels, data, "register pages")),
            RealPaper("sudokus", 0.08, load_pseudo_labelled(labels, data, "sudokus")),
        ]
    return papers


def pages_without_digits(data: Path) -> list[Path]:
    """Pages of writing and typing on which no digit stands."""
    return sorted((data / "no-digit-pages").glob("*.jpg"))


def held_out_papers(data: Path) -> list[RealPaper]:
    """The cheques that are kept out of training, to choose by; without those that are labelled wrongly."""
    pieces = load_cheques(data / "orand-car-a" / "train", slice(-TUNING_CHEQUES, None), MISLABELLED)
    return [RealPaper("cheques", 0.0, pieces)]
