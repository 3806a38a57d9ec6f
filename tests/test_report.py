"""The report of a run, by whole runs of the command."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from command import beside, here, rows
from strokes import page, save

from batchocr import Settings
from batchocr.decoding.marks import names
from batchocr.output.report.figures import EDGES, MAX_NAMED, MAX_PICTURES, Figures
from batchocr.output.report.words import MARKS
from batchocr.records import DigitRow, NumberRow, PageResult, PageRow, Scan
from batchocr.run_report import RunReport

HOSTILE = "<script>alert('1')</script>&amp;.png"


class Parsed(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with digits, an empty page, a damaged file, and a page with a hostile name."""
    folder = tmp_path_factory.mktemp("scans")
    save(folder / "a.png", page(["20 17", "4"]))
    save(folder / "empty.png", np.full((300, 400), 250, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff and then nothing")
    hostile = folder / HOSTILE.replace("/", "_")
    save(folder / "b.png", page(["5"])).rename(hostile)
    return folder


@pytest.fixture(scope="module")
def reported(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The results and the report of a run that marks every digit."""
    folder = tmp_path_factory.mktemp("reported")
    out, report = folder / "results.csv", folder / "report.html"
    assert here("run", scans, "--out", out, "--report", report, "--min-confidence", "1", "--quiet").code == 3
    return out, report


def test_counts_are_those_of_the_tables(reported: tuple[Path, Path]) -> None:
    out, report = reported
    digits, text = rows(out), " ".join(Parsed(report).text.split())
    review = sum(bool(row["review"]) for row in digits)
    assert review > 0
    assert f"{review} of {len(digits)}" in text
    low = sum("low-confidence" in row["review"] for row in digits)
    cells = re.findall(r'<code>low-confidence</code>.*?data-noun="digits">(\d+)<', report.read_text("utf-8"), re.DOTALL)
    assert cells == [str(low)]
    assert "1 failed, 1 without digits" in text


def test_a_failure_is_named_with_its_fix(reported: tuple[Path, Path]) -> None:
    out, report = reported
    (message,) = (row["message"] for row in rows(beside(out, "pages.csv")) if row["status"] == "failed")
    assert message in Parsed(report).text


def test_hostile_names_stay_text_and_nothing_is_loaded(reported: tuple[Path, Path]) -> None:
    _, report = reported
    parsed = Parsed(report)
    assert HOSTILE.replace("/", "_") in parsed.text
    assert not parsed.attributes("script")
    assert not [name for _, found in parsed.tags for name in found if name == "style" or name.startswith("on")]
    assert all(str(image["src"]).startswith("data:image/jpeg;base64,") for image in parsed.attributes("img"))
    assert all(str(link["href"]).startswith("#") for link in parsed.attributes("a"))


def test_the_policy_allows_the_style_of_the_page_and_no_script(reported: tuple[Path, Path]) -> None:
    text = reported[1].read_text("utf-8")
    (policy,) = (m["content"] or "" for m in Parsed(reported[1]).attributes("meta") if m.get("http-equiv"))
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy and "script-src" not in policy


def test_pages_with_marks_are_pictures_of_bounded_size(reported: tuple[Path, Path]) -> None:
    images = Parsed(reported[1]).attributes("img")
    assert len(images) == 2  # the two pages with digits
    assert all(int(image["width"] or 0) <= 1100 and int(image["height"] or 0) <= 1100 for image in images)


def test_a_run_that_reads_nothing_reports_all_pages(scans: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "results.csv", tmp_path / "new" / "report.html"
    here("run", scans, "--out", out, "--quiet")
    assert here("run", scans, "--out", out, "--report", report, "--quiet").code == 3
    text = Parsed(report).text
    assert "4 read by earlier runs" in text
    assert "This run read no page" in text


@pytest.mark.parametrize("out", ["results.db", "results.xlsx", "-"])
def test_other_outputs_have_a_report_too(out: str, one_digit: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    place = out if out == "-" else tmp_path / out
    assert here("run", one_digit, "--out", place, "--report", report, "--quiet").code == 0
    assert "Digits to review" in Parsed(report).text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--report", "report.pdf"), "must end with .html or .htm"),
        (("--report", "report.html", "--shard", "1/2"), "--report: cannot be used with --shard"),
    ],
)
def test_what_cannot_be_reported_is_refused(
    arguments: tuple[str, ...], said: str, one_digit: Path, tmp_path: Path
) -> None:
    ended = here("run", one_digit, "--out", tmp_path / "results.csv", *arguments)
    assert ended.code == 2
    assert said in ended.err


def test_a_report_that_cannot_be_written_leaves_no_results(one_digit: Path, tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    out = tmp_path / "results.csv"
    ended = here("run", one_digit, "--out", out, "--report", tmp_path / "report.html")
    assert ended.code == 7
    assert "give --report another name" in ended.err
    assert not out.exists()


def result(file: str, confidences: list[float], threshold: float = 0.9) -> PageResult:
    marks = ["low-confidence" if each < threshold else "" for each in confidences]
    digits = tuple(
        DigitRow(file, 1, 1, 1, at, 7, each, 1, 0.0, 0, 0, 5, 5, "hand", mark)
        for at, (each, mark) in enumerate(zip(confidences, marks, strict=True), 1)
    )
    number = NumberRow(file, 1, 1, 1, "7", "7", 0.5, "hand", 0, 0, 5, 5, max(marks))
    return PageResult(PageRow(file, 1, "read"), digits, (number,))


def test_the_histogram_has_each_digit_once_and_the_worst_pages_are_bounded() -> None:
    figures = Figures()
    pages = [result(f"{n}.png", [0.3] * n + [1.0, 0.5]) for n in range(20)]
    assert list(figures.counting(pages)) == pages
    assert figures.marked == [sum(range(20)), 20, *[0] * (len(EDGES) - 1)]
    assert figures.sure == [*[0] * len(EDGES), 20]
    worst = [each.result.page.file for each in figures.worst()]
    assert worst == [f"{19 - n}.png" for n in range(MAX_PICTURES)]
    assert figures.number_marks == Counter({"low-confidence": 20})


@pytest.mark.parametrize(("kept", "said"), [(False, "there is no such file"), (True, "the scan changed since")])
def test_a_scan_that_is_gone_or_changed_has_a_word_instead_of_a_picture(kept: bool, said: str, tmp_path: Path) -> None:
    path = tmp_path / "7.png"
    if kept:
        save(path, page(["7"]))
    report = RunReport([Scan(path, "7.png")], Settings(), [], "results.csv", lambda: False)
    assert len(list(report.counting([result("7.png", [0.3])]))) == 1
    counts = dict.fromkeys(
        "scans passed_over pages kept left failed numbers digits review review_numbers marked".split(), 1
    )
    model = {"name": "m", "sha256": "0"}
    settings = {"min_confidence": 0.9, "printed": "keep"}
    run = {"run": "1", "version": "1", "started": "2026-01-01T00:00", "device": "cpu", "inputs": [], "counts": counts}
    html = report.html({**run, "seconds": {"all": 1.0}, "settings": settings, "model": model, "detector": model})
    assert said in html.decode()
    assert b"<img" not in html


def test_many_failures_are_counted_and_a_few_are_named() -> None:
    figures = Figures()
    for n in range(3 * MAX_NAMED):
        figures.add(PageResult(PageRow(f"{n}.png", None, "failed", "damaged", f"{n}.png: damaged: scan it again")))
    (found,) = figures.failures.values()
    assert (found.count, len(found.named)) == (3 * MAX_NAMED, MAX_NAMED)


def test_every_mark_has_plain_words() -> None:
    assert {value for name, value in vars(names).items() if name.isupper()} == set(MARKS)
