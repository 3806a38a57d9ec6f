"""`certify` and `run --certificate` as whole commands, on small drawn scans."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from command import account, beside, here, rows

from batchocr.review.decision import COLUMNS, Decision


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """Return the results of a run over samples of single digits."""
    folder = tmp_path_factory.mktemp("certificate")
    shutil.copytree(samples / "digits", folder / "scans")
    assert here("run", folder / "scans", "--out", folder / "results.csv", "--min-confidence", "0.5").code == 0
    return folder / "results.csv"


def review(results: Path, *, wrong: int = 0, found: int | None = None, sha256: str | None = None) -> Path:
    """Write the decisions of a reviewer about all accepted digits, the first `wrong` of them changed."""
    hashes = {row["file"]: row["sha256"] for row in rows(beside(results, "pages.csv"))}
    path = results.with_name("corrections.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for index, row in enumerate(row for row in rows(results) if not row["review"]):
            left, top, width, height = (int(row[side]) for side in ("left", "top", "width", "height"))
            is_right, confidence = index >= wrong, float(row["confidence"])
            decision = Decision(
                row["file"], int(row["page"]), sha256 or hashes[row["file"]], "digit", "", left, top, width, height,
                row["digit"],
                row["digit"] if is_right else "0", "confirm" if is_right else "change", "audit", "", confidence, "Ada",
                "2026-11-30T06:00:00Z", 1.0,
            )  # fmt: skip
            writer.writerow(asdict(decision))
            if found is not None:
                text = "3" if index < found else "7"
                known = {"was": "7", "text": text, "expected": "3", "task": "known", "decision": "change"}
                writer.writerow(asdict(decision) | known)
    return path


def certify(results: Path, corrections: Path, *more: str) -> tuple[int, str]:
    out = results.with_name("certificate.json")
    ended = here("certify", results, corrections, "--of", "digits", "--out", out, *more)
    return ended.code, ended.out + ended.err


def test_a_certificate_is_applied_and_revoked(results: Path) -> None:
    code, said = certify(results, review(results), "--max-error", "0.5", "--certainty", "0.8", "--about", "<b>scanner")
    assert code == 0, said
    certificate = results.with_name("certificate.json")
    page = certificate.with_suffix(".html").read_text("utf-8")
    assert "&lt;b&gt;scanner" in page
    assert "<script" not in page
    threshold = json.loads(certificate.read_bytes())["threshold"]

    scans = results.with_name("scans")
    ended = here("run", scans, "--out", results, "--certificate", certificate)
    assert ended.code == 0
    assert "certificate: valid" in ended.err
    assert account(results)["certificate"]["status"] == "valid"
    assert account(results)["settings"]["min_confidence"] == threshold
    assert account(results)["counts"]["kept"] == account(results)["counts"]["pages"]  # nothing is read again

    other = json.loads(certificate.read_bytes())
    other["page_scores"] = [-9.0] * 200  # another collection
    certificate.write_text(json.dumps(other), "utf-8")
    ended = here("run", scans, "--out", results, "--certificate", certificate)
    assert ended.code == 0
    assert "revoked: the confidences drift" in ended.err
    assert account(results)["certificate"]["status"] == "revoked"

    other["basis"]["model"] = "0" * 64
    certificate.write_text(json.dumps(other), "utf-8")
    assert "the classifier is not the same" in here("run", scans, "--out", results, "--certificate", certificate).err
    here("run", scans, "--out", results, "--min-confidence", "0.5")


def test_what_is_missing_is_said(results: Path) -> None:
    code, said = certify(results, review(results), "--max-error", "0.01")
    assert code == 2
    assert "299 digits of different pages with 0 wrong" in said
    code, said = certify(results, review(results, wrong=1), "--max-error", "0.01")
    assert code == 2
    assert "more, if no further one is wrong" in said


def test_a_reviewer_who_misses_errors_weakens_the_statement(results: Path) -> None:
    arguments = ("--max-error", "0.5", "--certainty", "0.8")
    code, said = certify(results, review(results, found=0), *arguments)
    assert code == 2
    assert "planted errors: nothing can be stated" in said


def test_a_changed_scan_and_damaged_files_are_refused(results: Path) -> None:
    code, said = certify(results, review(results, sha256="0" * 64))
    assert code == 2
    assert "is not the one that was reviewed" in said
    damaged = results.with_name("damaged.json")
    damaged.write_text('{"version": 9}', "utf-8")
    ended = here("run", results.with_name("scans"), "--out", results, "--certificate", damaged)
    assert ended.code == 2
    assert "make it again with `batchocr certify`" in ended.err
    ended = here(
        "run", results.with_name("scans"), "--out", results, "--certificate", damaged, "--min-confidence", "0.9"
    )
    assert ended.code == 2
