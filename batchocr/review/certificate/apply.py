"""Apply a certificate to a run, or revoke it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from batchocr.decoding.marking import Marking, mark_rows
from batchocr.records import PageResult, Printed
from batchocr.review.certificate.certificate import Basis, Certificate
from batchocr.review.certificate.drift import PARAMETERS, DriftParameters, drift_chance, page_score
from batchocr.review.decision import Kind


@dataclass(frozen=True)
class Applied:
    """What became of a certificate in a run."""

    threshold: float
    reasons: tuple[str, ...]
    """Why it is revoked; empty if it is valid."""
    chance: float
    """Chance of such a difference of the scores if nothing changed."""
    pages: int
    """Pages that were compared."""

    @property
    def is_valid(self) -> bool:
        """Whether the threshold is used."""
        return not self.reasons

    @property
    def message(self) -> str:
        """What a run says of it."""
        if self.is_valid:
            return f"certificate: valid for this run ({self.pages:,} pages compared), threshold {self.threshold}"
        return (
            f"certificate: revoked: {'; '.join(self.reasons)}; nothing is certified and the default threshold is used: "
            "review a sample of these pages and run `batchocr certify`"
        )

    def account(self) -> dict[str, Any]:
        """Return what `results.run.json` says of it."""
        return {"status": "valid" if self.is_valid else "revoked"} | {
            field.name: getattr(self, field.name) for field in fields(self)
        }


def apply_certificate(
    certificate: Certificate,
    basis: Basis,
    results: Iterable[PageResult],
    printed: Printed,
    parameters: DriftParameters = PARAMETERS,
) -> Applied:
    """Compare a run with what a certificate rests on. No page is read again.

    Args:
        certificate: The certificate.
        basis: What the run reads with.
        results: All pages of the run, without the marks of a threshold.
        printed: Which numbers give rows.
    """
    reasons = [
        f"{_NAMES[name]} not the same"
        for name in Basis.model_fields
        if getattr(basis, name) != getattr(certificate.basis, name)
    ]
    marking = Marking(0, printed)
    confidences = (_confidences(mark_rows(result, marking), certificate.of, certificate.form) for result in results)
    scores = [score for each in confidences if (score := page_score(each, parameters)) is not None]
    chance = drift_chance(certificate.page_scores, scores, parameters)
    if not scores:
        reasons.append(f"no page has a {certificate.of} to compare")
    elif chance <= parameters.false_alarms:
        reasons.append(f"the confidences drift (such a difference has a chance of {chance:.3g})")
    return Applied(certificate.threshold, tuple(reasons), chance, len(scores))


_NAMES = {
    "model": "the classifier is",
    "detector": "the detector is",
    "reading": "the reading file is",
    "forms": "the forms are",
    "printed": "--printed is",
    "blank": "the forms of --blank are",
}


def _confidences(result: PageResult, of: Kind, form: str) -> list[float]:
    if of == "field":
        return [row.confidence for row in result.fields if not form or row.form == form]
    return [row.confidence for row in (result.digits if of == "digit" else result.numbers)]
