"""The file `certificate.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from batchocr.errors import UsageError
from batchocr.output.atomic_write import cannot_write, whole_files
from batchocr.review.decision import Kind

VERSION = 1
"""Version of the file's form."""

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Basis(_Checked):
    """What was used to read the pages. A certificate holds for the same only."""

    model: str
    """SHA-256 of the classifier."""
    detector: str
    """SHA-256 of the detector."""
    reading: str
    """SHA-256 of the reading file."""
    forms: tuple[str, ...] = ()
    """SHA-256 of each form, sorted."""
    printed: str = "keep"
    """The value of `--printed`."""
    blank: tuple[str, ...] = ()
    """The blank forms of `--blank`, sorted."""


class Reviewer(_Checked):
    """How many of the planted errors the reviewers found."""

    planted: Count
    found: Count
    miss_bound: Share
    """Upper bound of the share of errors that they miss; 0 if none was planted, and then nothing is known of it."""


class Certificate(_Checked):
    """What is stated, what it rests on, and what later runs are compared with."""

    format: Literal["batchocr-certificate"] = "batchocr-certificate"
    version: Literal[1] = 1
    of: Kind
    form: str = ""
    about: str = ""
    threshold: Share
    max_error: Share
    certainty: Share
    accepted: Share
    """Share of all items of the results that are at or above the threshold and have no mark."""
    items: Count
    """Items of this kind in the results."""
    reviewed: Count
    """Reviewed items, all of the audit."""
    units: Count
    """Of these, at or above the threshold, one of a page: the ones that were tested."""
    wrong: Count
    """Of these, wrong."""
    doubtful: Count
    """Reviewed items that the reviewer could not decide; they count as wrong."""
    missed: Count
    """Items that the reviewer added. The statement is not about them."""
    pages: Count
    """Pages with a reviewed item."""
    reviewer: Reviewer
    basis: Basis
    page_scores: tuple[float, ...]
    """Mean log-odds of the confidences of each page, sorted."""
    by: tuple[str, ...]
    seed: Count
    """Seed of the choice of one item of each page."""
    made: str
    """When, in UTC."""
    program: str
    """Version of batchocr."""


def load_certificate(path: str | Path) -> Certificate:
    """Read a certificate.

    Raises:
        UsageError: It cannot be read, is no certificate, or one of another version.
    """
    try:
        return Certificate.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise UsageError(
            f"--certificate {path}: cannot be read ({error.strerror}): give the file of `batchocr certify`"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise UsageError(
            f"--certificate {path}: this is no certificate of version {VERSION}: {where}: "
            f"{first['msg']}: make it again with `batchocr certify`"
        ) from error


def save_certificate(certificate: Certificate, path: Path, page: str) -> Path:
    """Write a certificate and its page to print, `certificate.html` beside `certificate.json`; both or none.

    Returns:
        The path of the page.

    Raises:
        OutputError: They cannot be written.
    """
    html = path.with_suffix(".html")
    try:
        with whole_files([html, path]) as (page_file, file):
            page_file.write(page.encode())
            file.write(certificate.model_dump_json(indent=1).encode() + b"\n")
    except OSError as error:
        raise cannot_write(path, error) from error
    return html
