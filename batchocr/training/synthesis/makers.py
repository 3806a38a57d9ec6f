"""The patch maker of the shipped detector, from the folder of public data."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from batchocr.training.synthesis.patches import PatchMaker
from batchocr.training.synthesis.printing import PrintBank
from batchocr.training.synthesis.real import RealPaper, cheques, labelled, without_digits
from batchocr.training.synthesis.sources import Sources

BANK_SEED = 41
TUNING_CHEQUES = 100
"""The last of the cheques to train on: kept out, to choose by."""
BLANKS = ("blank-dpr_s08_v2", "blank-dpr_j_v2")
"""The blank forms that may be trained on; the others are measured on."""


def patch_maker(data: Path, fonts: Path, labels: Path | None = None) -> PatchMaker:
    """`labels` has the boxes that an earlier detector found of known texts: `batchocr.training.pseudo_labels`."""
    sources = Sources.load(data, [fonts], labels)
    bank = PrintBank.make(sources.fonts, np.random.default_rng(BANK_SEED))
    blanks = [path for name in BLANKS for path in sorted((data / "tally-forms").glob(f"{name}*"))]
    empty = [*sorted((data / "no-digit-pages").glob("*.jpg")), *blanks]
    real = [
        RealPaper("cheques", 0.06, cheques(data / "orand-car-a" / "train", slice(None, -TUNING_CHEQUES))),
        RealPaper("without digits", 0.03, without_digits(empty)),
    ]
    if labels is not None:
        real += [
            RealPaper("registers", 0.1, labelled(labels, data, "registers")),
            RealPaper("register pages", 0.03, labelled(labels, data, "register pages")),
            RealPaper("sudokus", 0.05, labelled(labels, data, "sudokus")),
        ]
    return PatchMaker(sources, bank, real)
