"""The plain words of a report for marks, errors, statuses and stages."""

from __future__ import annotations

MARKS = {
    "low-confidence": ("The reading is not sure enough", "compare with the page; the second reading may be right"),
    "not-a-digit": ("Probably a letter, a tick or a stain", "ignore it if so"),
    "doubt": ("A person could not tell", "ask a second person"),
    "struck-out": ("A stroke runs through the number", "ignore the number, unless the stroke belongs to the form"),
    "sign": ("A sign in the number is doubtful", "compare the number with the page"),
    "origin": ("Handwritten or printed is unsure", "ignore it if it belongs to the form"),
    "unread-ink": ("Ink beside it was not read", "look for a missing digit, or for a letter read as a digit"),
    "maybe-missed": ("A digit may be missing", "compare the number with the page"),
    "implausible": ("More digits than writing can have", "check the page: noise, or print for security?"),
    "orientation": ("Which side of the page is up is unsure", "turn the scan if it is wrong"),
    "other-form": ("The page fits none of the blank forms", "give its form, or check the page"),
    "cut-off": ("The edge of the page cuts digits", "scan the page again if they matter"),
    "unfamiliar": (
        "Unlike the pages that were measured",
        "compare some digits with the page; confidences may be wrong",
    ),
    "faint-ink": ("Pale digits were left out", "check the page if it has pen and faint pencil"),
}
"""By mark: what it means, and what to do."""

ERRORS = {
    "changed": "The file changed during the run",
    "crashed": "The page ended the process that read it",
    "damaged": "The file is damaged",
    "empty-file": "The file is empty",
    "internal": "An error in batchocr",
    "no-memory": "Not enough memory",
    "no-page": "The file has no such page",
    "no-permission": "No permission to read the file",
    "not-a-file": "Not a file",
    "not-a-picture": "Not an image or PDF",
    "not-found": "The file is not there",
    "not-read": "Not read, because too many pages failed before",
    "other-form": "The page fits no form",
    "password": "The PDF needs a password",
    "timeout": "The page took too long",
    "too-large": "The image or file is too large",
    "too-many-pages": "The file has too many pages",
    "unreachable": "The store did not answer",
    "unreadable": "The file cannot be read",
    "unsupported": "The format cannot be read",
}
"""By the error of a failed page: what happened."""

FIELD_STATUSES = {
    "ok": "sure",
    "empty": "empty",
    "review": "to check: the reading is doubtful",
    "corrected": "to check: a rule decided between readings",
    "invalid": "to check: no likely reading satisfies the rules",
}
FIELD_REASONS = {
    "equation": "A sum decided, or does not hold",
    "no-reason": "No reason of its own",
    "required": "The field must not be empty",
    "length": "The number of digits is wrong",
    "range": "The value is out of range",
    "pattern": "The text has the wrong form",
    "not-in-list": "The text is not in the list",
    "check-digit": "The check digit decided, or does not hold",
    "no-date": "There is no such date",
    "signs": "There are other signs",
    "crossed-out": "A cell is crossed out",
    "gap": "There is a gap between digits",
    "two-lines": "There are two lines of writing",
}
"""By the reason of a field, beside those in `MARKS`."""

STAGES = {
    "start": "Start: load the networks, list the scans",
    "vision": "Decode and level pages (all workers together)",
    "detector": "Find digits (detector)",
    "crops": "Cut out digits",
    "classifier": "Read digits (classifier)",
    "decoding": "Lines, numbers, forms and marks",
}
"""By the name of a stage in `results.run.json`."""


def of_mark(mark: str) -> str:
    """Return what a mark means; the mark itself if it is not known."""
    return MARKS[mark][0] if mark in MARKS else mark


def of_reason(reason: str) -> str:
    """Return what the reason of a field means; the reason itself if it is not known."""
    return FIELD_REASONS.get(reason) or of_mark(reason)
