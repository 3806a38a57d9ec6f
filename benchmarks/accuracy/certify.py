"""Simulated reviews: how often the promise of a certificate is broken, and how often it is revoked.

Pages have their own share of errors (beta-binomial), and different numbers of items.

    python benchmarks/accuracy/certify.py --draws 1000
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from batchocr.errors import UsageError
from batchocr.review.certificate.drift import drift_chance, page_score
from batchocr.review.certificate.make import certify
from batchocr.review.certificate.sample import Results
from batchocr.review.decision import Decision

RUN = {
    "model": {"sha256": "a"},
    "detector": {"sha256": "b"},
    "reading": {"sha256": "c"},
    "settings": {"printed": "keep", "blank": [], "min_confidence": 0.8},
}


@dataclass(frozen=True)
class Collection:
    """A made-up collection of pages."""

    ease: float = 5.0
    """Mean of the pages' log-odds."""
    spread: float = 1.0
    """Standard deviation between pages, in log-odds."""
    optimism: float = 0.0
    """How far confidences are above the truth, in log-odds."""


def draw(
    kind: Collection, pages: int, random: np.random.Generator
) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Return confidences and errors of the items of each page."""
    drawn = []
    for _ in range(pages):
        logit = random.normal(kind.ease, kind.spread) + random.normal(0, 1, random.integers(5, 16))
        share = 1 / (1 + np.exp(logit - kind.optimism))
        strength = 20.0  # errors of a page go together
        page = random.beta(share.mean() * strength + 1e-9, (1 - share.mean()) * strength)
        drawn.append((1 / (1 + np.exp(-logit)), random.random(len(logit)) < page * share / share.mean()))
    return drawn


def main() -> None:
    """Print the shares of broken promises and of revocations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--pages", type=int, default=1500)
    parser.add_argument("--max-error", type=float, default=0.01)
    parser.add_argument("--ease", type=float, default=5.0, help="mean log-odds of the pages")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    kind = Collection(options.ease)
    whole = draw(kind, 20_000, random)
    confidence = np.concatenate([page for page, _ in whole])
    wrong = np.concatenate([errors for _, errors in whole])
    broken = stated = 0
    for number in range(options.draws):
        sample = [whole[i] for i in random.choice(len(whole), options.pages, replace=False)]
        pages = {(f"{i}.png", 1): page for i, (page, _) in enumerate(sample)}
        accepted = {name: page[page >= 0.8].tolist() for name, page in pages.items()}
        decisions = []
        for i, (page, errors) in enumerate(sample):
            if len(at := np.flatnonzero(page >= 0.8)):
                item = int(random.choice(at))
                decisions.append(
                    Decision(f"{i}.png", 1, "s", "number", "", item, 0, 1, 1, "1", "1",
                             "change" if errors[item] else "confirm", "audit", "", float(page[item]), "sim", "", 1.0)
                )  # fmt: skip
        items = frozenset(
            (name, 1, item, 0, 1, 1, "") for (name, _), page in pages.items() for item in range(len(page))
        )
        listed = {name: page.tolist() for name, page in pages.items()}
        results = Results(listed, accepted, items, dict.fromkeys(pages, "s"), RUN)
        try:
            made = certify(results, decisions, of="number", max_error=options.max_error, seed=number)
        except UsageError:
            continue
        stated += 1
        broken += float(wrong[confidence >= made.threshold].mean()) > options.max_error
    sys.stdout.write("\n" + f"share wrong at 0.8: {wrong[confidence >= 0.8].mean():.4%}")
    sys.stdout.write(
        "\n" + f"stated: {stated} of {options.draws}; promise broken: {broken} ({broken / options.draws:.1%})"
    )
    for name, other in {
        "same": kind,
        "harder by 0.5": Collection(options.ease - 0.5),
        "wider": Collection(options.ease, 2.0),
    }.items():
        revoked = sum(
            drift_chance(_scores(kind, 250, random), _scores(other, 250, random)) <= 0.05 for _ in range(options.draws)
        )
        sys.stdout.write("\n" + f"revoked, {name}: {revoked} of {options.draws}")


def _scores(kind: Collection, pages: int, random: np.random.Generator) -> list[float]:
    return [page_score(page) or math.nan for page, _ in draw(kind, pages, random)]


if __name__ == "__main__":
    main()
