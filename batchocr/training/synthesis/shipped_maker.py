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
"""Number of training cheques, the last ones, that are kept out to choose parameters by."""
MISLABELLED = ("a_car_001163.jpg", "a_car_001165.jpg", "a_car_001167.jpg", "a_car_001192.jpg")
"""Those of them with wrong boxes: digits without a box, a 5 labelled 6, a 1 labelled 2, a 9 labelled 7. All digits
that were read differently from their label with a confidence of at least 0.8 were checked."""
TRAINING_BLANK_FORMS = ("blank-dpr_s08_v2", "blank-dpr_j_v2")
"""The blank forms that may be trained on; the others are used in the benchmarks."""


def patch_maker(
    data: Path, fonts: Path, labels: Path | None = None, *, held_out: bool = False, without: Sequence[str] = ()
) -> PatchMaker:
    """Make the patch maker.

    Args:
        data: Folder of public data.
        fonts: Folder of fonts.
        labels: Boxes that an earlier detector found for known texts; see `batchocr.training.pseudo_labels`.
        held_out: Whether the patches show held-out writers only, and no real paper.
        without: Collections of real paper that are left out.

    Raises:
        UsageError: The data lacks a file, or a collection is unknown.
    """
    sources = HandwritingSources.load(data, [fonts], labels, held_out=held_out)
    bank = PrintBank.make(sources.fonts, np.random.default_rng(BANK_SEED))
    papers = [] if held_out else real_papers(data, labels)
    if unknown := sorted(set(without) - {paper.name for paper in papers}):
        names = ", ".join(paper.name for paper in papers)
        raise UsageError(f"there is no such collection of real paper: {', '.join(unknown)}; choose from {names}")
    return PatchMaker(sources, bank, [paper for paper in papers if paper.name not in without])


def real_papers(data: Path, labels: Path | None = None) -> list[RealPaper]:
    """Return strips and pages with known digits and pages without digits, except those that are held out.

    Args:
        data: Folder of public data.
        labels: Boxes of known texts; None leaves those collections out.
    """
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
    """Return the pages of handwriting and typing without digits."""
    return sorted((data / "no-digit-pages").glob("*.jpg"))


def held_out_papers(data: Path) -> list[RealPaper]:
    """Return the held-out cheques, without those with wrong labels."""
    pieces = load_cheques(data / "orand-car-a" / "train", slice(-TUNING_CHEQUES, None), MISLABELLED)
    return [RealPaper("cheques", 0.0, pieces)]
