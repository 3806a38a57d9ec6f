"""Make a certificate from results and reviewed items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from batchocr.errors import UsageError
from batchocr.review.certificate.bounds import choose_threshold, needed, upper_bound
from batchocr.review.certificate.certificate import Basis, Certificate, Reviewer
from batchocr.review.certificate.sample import Results, key, units
from batchocr.review.decision import Decision, Kind
from batchocr.version import __version__


@dataclass(frozen=True)
class CertifyParameters:
    """How a threshold is found."""

    grid: tuple[float, ...] = (
        0.9999, 0.9998, 0.9995, 0.999, 0.998, 0.997, 0.995, 0.99, 0.98, 0.97, 0.96, 0.95, 0.93, 0.9, 0.87, 0.85, 0.8,
        0.75, 0.7, 0.6, 0.5, 0.0,
    )  # fmt: skip
    """Confidences that are tested, from strict to loose. Basis: fixed before any data; steps of about a quarter in the
    odds."""
    start: float = 1.5
    """The first test is at the strictest threshold where this many times the items that are needed without an error are
    expected; else where just as many are. Basis: 473 / 299, so that one error does not end the tests."""
    reviewer_share: float = 0.1
    """Share of the allowed uncertainty that the bound of the reviewer's misses takes. Basis: the other bound needs
    more."""


PARAMETERS = CertifyParameters()


def certify(
    results: Results,
    decisions: Sequence[Decision],
    *,
    of: Kind,
    form: str = "",
    about: str = "",
    max_error: float = 0.001,
    certainty: float = 0.95,
    every_task: bool = False,
    seed: int = 0,
    parameters: CertifyParameters = PARAMETERS,
) -> Certificate:
    """State a threshold above which at most `max_error` of the accepted items are wrong.

    The share is that of all accepted items of the collection from which the pages are drawn: wrong ones divided by all.
    A person's errors count. With misses, a share e of errors is seen as e (1 - miss). The upper bound of miss comes
    from the planted errors, and e (1 - bound) is tested. Both bounds share the uncertainty (Bonferroni).

    Raises:
        UsageError: It cannot be stated. The message says how many more items to review.
    """
    mine = [each for each in decisions if each.kind == of]
    known = [each for each in mine if each.task == "known"]
    sample = [each for each in mine if each.task == "audit" or (every_task and each.task == "review")]
    missed = [each for each in mine if each.decision == "add"]
    audit: dict[tuple[object, ...], Decision] = {}
    for each in sample:
        item = key(each.file, each.page, each.left, each.top, each.width, each.height, each.name)
        page = each.file, each.page
        if each.decision != "add" and item in results.items and page in results.accepted:
            if results.hashes.get(page) != each.sha256:
                raise UsageError(f"{each.file}: the scan is not the one that was reviewed: review it again")
            seen = audit.setdefault(item, each)
            audit[item] = each if seen.decision == "confirm" else seen  # of two reviewers the one that found an error
    if not audit:
        raise UsageError(
            f"no {of} of these results was reviewed as a part of an audit: review one, or give --all if the "
            "reviewed ones are a random sample"
        )
    found = sum(each.text == each.expected for each in known)
    uncertainty = 1 - certainty
    share = parameters.reviewer_share if known else 0.0
    miss = upper_bound(len(known) - found, len(known), 1 - share * uncertainty) if known else 0.0
    error, level = max_error * (1 - miss), 1 - (1 - share) * uncertainty
    if error <= 0:
        raise UsageError(f"the reviewer found {found} of {len(known)} planted errors: nothing can be stated")
    chosen = units(list(audit.values()), results, seed)
    grid = _grid(results, len(chosen), needed(0, error, level), parameters)
    tested = choose_threshold([u.confidence for u in chosen], [u.wrong for u in chosen], grid, error, level)
    passed = [each for each in tested if each.passed]
    if not passed:
        last = tested[0]
        want = needed(last.wrong, error, level)
        raise UsageError(
            f"not enough was reviewed to state at most {max_error:.6g} wrong with {certainty:.4g} certainty: it takes "
            f"{want:,} {of}s of different pages with {last.wrong} wrong; you have {last.units:,} with "
            f"{last.wrong} wrong at {last.threshold}: review at least {max(0, want - last.units):,} more, "
            "if no further one is wrong; or give a greater --max-error"
        )
    best = passed[-1]
    total = sum(map(len, results.confidences.values()))
    accepted = sum(confidence >= best.threshold for page in results.accepted.values() for confidence in page)
    return Certificate(
        of=of,
        form=form,
        about=about,
        threshold=best.threshold,
        max_error=max_error,
        certainty=certainty,
        accepted=round(accepted / total, 6),
        items=total,
        reviewed=len(audit),
        units=best.units,
        wrong=best.wrong,
        doubtful=sum(each.decision == "doubt" for each in audit.values()),
        missed=len(missed),
        pages=len({(each.file, each.page) for each in audit.values()}),
        reviewer=Reviewer(planted=len(known), found=found, miss_bound=round(miss, 6)),
        basis=basis_of(results.run),
        page_scores=tuple(results.page_scores),
        by=tuple(sorted({each.by for each in audit.values()})),
        seed=seed,
        made=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        program=__version__,
    )


def basis_of(run: dict[str, Any]) -> Basis:
    """Return what a run read with, from its account, `results.run.json`."""
    return Basis(
        model=run["model"]["sha256"],
        detector=run["detector"]["sha256"],
        reading=run["reading"]["sha256"],
        forms=tuple(sorted(form["sha256"] for form in run.get("forms", ()))),
        printed=run["settings"]["printed"],
        blank=tuple(sorted(run["settings"]["blank"])),
    )


def _grid(results: Results, units: int, needed: int, parameters: CertifyParameters) -> tuple[float, ...]:
    """Return the thresholds to test. They depend on the number of units and on all confidences, not on decisions."""
    accepted = sorted(confidence for page in results.accepted.values() for confidence in page)
    if not accepted:
        raise UsageError("all items of these results have a mark: nothing is accepted")
    drawn = float(results.run["settings"]["min_confidence"])  # the audit has items at or above it only
    grid = [*(each for each in parameters.grid if each > drawn), drawn]
    for times in (parameters.start, 1.0):
        for index, threshold in enumerate(grid):
            share = sum(confidence >= threshold for confidence in accepted) / len(accepted)
            if share * units >= times * needed:
                return tuple(grid[index:])
    return tuple(grid[-1:])
