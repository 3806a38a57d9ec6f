"""The figures of `batchocr evaluate` as lines of text, each with what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from batchocr.evaluation.figures import class_name

SHOWN = 20
"""Confusions of the list."""
TRUTH_FORMS = {
    "boxes": "text and boxes of all digits",
    "rows": "text of all rows, without boxes; confidences cannot be measured",
    "crops": "one digit in each file",
    "corrected": "results that a person has corrected; digits that the corrected run missed are not known",
}
"""What the truth of pages knows, by its form."""
MEANINGS = {
    "accuracy": "share of the true digits that were read right",
    "accuracy_as_digits": "the same if each image is read as a digit, as batchocr run reads an image of one digit",
    "errors": "true digits that were read wrong or not read",
    "count": "true digits",
    "others": "boxes or images that are not a digit",
    "others_read": "of these, those that were read as a digit",
    "expected_calibration_error": "mean difference between the confidence and the share read right",
    "coverage_at_error_0.01": "share of the digits that can be accepted, the surest first, with 1% of them wrong",
    "coverage_at_error_0.001": "the same with 0.1% of them wrong",
    "recall": "share of the true digits that were found",
    "precision": "share of the digits found that are true digits",
    "found_again": "share of the corrected digits that were found",
    "accuracy_where_found": "share of the digits found that were read right",
    "number_accuracy": "share of the numbers that have all their digits and no other",
    "numbers": "true numbers",
    "pages": "pages or files with truth",
    "failed": "pages that could not be read",
    "digit_error": "edits per true digit between the rows read and the true rows",
    "rows_exact": "share of the rows without an edit",
    "rows": "true rows",
    "extra_digits_a_page": "digits read beyond those of the truth, per page",
    "read_as_one_digit": "share of the files in which exactly one digit was found",
    "largest_right": "share of the files whose largest digit was read right",
}
"""What each figure is, by its key in the JSON."""
NOT_LINES = frozenset(("model", "data", "split", "truth", "thresholds", "least_max_error", "calibrated", "first"))
"""Keys that have no line of their own."""


def report_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a report.

    Args:
        figures: The figures that `--json` writes.
    """
    yield f"model: {figures['model']}"
    yield f"measured on: {measured_on(figures)}"
    yield ""
    for name, value in figures.items():
        if name == "confusions":
            pairs = [f"{p['true']} as {class_name(p['predicted'])}: {p['count']}" for p in value[:SHOWN]]
            yield f"{'confusions':<30}{', '.join(pairs) or 'none'}"
        elif name not in NOT_LINES and value is not None:
            yield f"{name.replace('_', ' '):<30}{value:<11} {MEANINGS.get(name, '')}".rstrip()
    for which, digits in figures.get("first", {}).items():
        yield f"{f'the first ones, {which}':<30}{' '.join(class_name(d, narrow=True) for d in digits)}"
    if "thresholds" in figures:
        yield from _threshold_table(figures, "thresholds by this data")
    if own := figures.get("calibrated"):
        yield ""
        yield (
            f"{own['model']}: calibrated on {_counted(own['candidates'], 'image')}, {_counted(own['rows'], 'digit')} "
            f"read; temperature {own['temperature']}, before {own['temperature_before']}; "
            f"default threshold {own['min_confidence']}"
        )
        yield from _threshold_table(own, f"thresholds of {own['model']}")


def measured_on(figures: Mapping[str, Any]) -> str:
    """Return in words which data the figures are of, and which networks were used."""
    if form := figures.get("truth"):
        pages = _counted(figures["pages"] if "pages" in figures else figures["count"], "file")
        return (
            f"{figures['data']}, {pages}, read by both networks as batchocr run reads them; truth: {TRUTH_FORMS[form]}"
        )
    split = "all digits" if figures["split"] == "all" else f"the {figures['split']} split"
    learned = "; a training may have learned from these digits" if figures["split"] == "train" else ""
    return f"{split} of {figures['data']}, one by one, by the classifier alone; the detector is not measured{learned}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _threshold_table(figures: Mapping[str, Any], title: str) -> Iterator[str]:
    """Yield the threshold that `--max-error` would take, a line for each error."""
    yield f"\n{title}, with 95% certainty:"
    yield "max error   threshold   accepted             wrong   error    95% bounds"
    for level in figures["thresholds"]:
        error = f"{level['max_error']:.1%}"
        if level["confidence"] is None:
            yield f"{error:>9}   none"
            continue
        accepted = f"{level['accepted']} ({level['share']:.1%})"
        yield (
            f"{error:>9}   {level['confidence']:<9.4f}   {accepted:<18}   {level['wrong']:<5}   "
            f"{level['error']:<6.3%}   {level['low']:.3%} to {level['high']:.3%}"
        )
    if figures["least_max_error"] is not None:
        yield f"the smallest --max-error that this data can support: {figures['least_max_error']:f}"
