"""The delta of a run: the pages that are new, changed or removed since the results before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from command import beside, rows
from test_table import FAILED, READ, files, write

from batchocr.errors import OutputError, UsageError
from batchocr.output.outputs import output_paths, remove_results
from batchocr.output.read_table import read_table
from batchocr.output.table_kinds import TABLES
from batchocr.records import PageResult, PageRow


def of_page(file: str, page: int, text: str = "0,07", seconds: float = 1.0) -> PageResult:
    return PageResult(
        replace(READ.page, file=file, page=page, seconds=seconds),
        tuple(replace(digit, file=file, page=page) for digit in READ.digits),
        tuple(replace(number, file=file, page=page, text=text) for number in READ.numbers),
    )


A, B1, B2 = of_page("a", 1), of_page("b", 1), of_page("b", 2)


def delta(out: Path) -> list[tuple[str, str, str]]:
    """File, page and status of each page of the delta; digits and numbers must be of the same pages."""
    paths = output_paths(out, delta=True).delta
    assert paths
    pages = list(read_table(paths["pages"], TABLES["pages"]))
    read = {(row["file"], row["page"]) for row in pages if row["status"] == "read"}
    for name in ("digits", "numbers"):
        assert {(row["file"], row["page"]) for row in read_table(paths[name], TABLES[name])} == read
    return [(row["file"], row["page"], row["status"]) for row in pages]


@pytest.fixture(params=[".csv", ".jsonl", ".parquet"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"results{request.param}"


def test_new_changed_and_removed_pages(out: Path) -> None:
    write(out, [A, B1, B2], delta=True)
    assert delta(out) == [("a", "1", "read"), ("b", "1", "read"), ("b", "2", "read")]
    write(out, [A, of_page("b", 1, "0.07"), of_page("c", 1)], delta=True)
    assert delta(out) == [("b", "1", "read"), ("c", "1", "read"), ("b", "2", "removed")]
    write(out, [A, of_page("b", 1, "0.07"), of_page("c", 1)], delta=True)
    assert delta(out) == []


def test_a_page_that_was_read_again_with_the_same_result_is_not_changed(out: Path) -> None:
    write(out, [A, B1])
    write(out, [of_page("a", 1, seconds=9.9), B1], delta=True)
    assert delta(out) == []


def test_marks_that_change_are_changes(out: Path) -> None:
    write(out, [A, B1])
    marked = replace(B1, digits=(replace(B1.digits[0], review="low-confidence"), *B1.digits[1:]))
    write(out, [A, marked], delta=True)
    assert delta(out) == [("b", "1", "read")]


def test_a_scan_that_could_not_be_opened_and_then_is_read(out: Path) -> None:
    write(out, [A, FAILED], delta=True)
    assert delta(out)[1] == ("b.png", "0", "failed")
    write(out, [A, of_page("b.png", 1)], delta=True)
    assert delta(out) == [("b.png", "1", "read"), ("b.png", "0", "removed")]


def test_an_interrupted_run_leaves_the_results_to_compare_with(out: Path) -> None:
    write(out, [A, B1, B2])
    remove_results(output_paths(out, delta=True))  # what a run does when it starts to read
    assert output_paths(out).tables and not beside(out, "run.json").exists()
    write(out, [A], delta=True)
    assert delta(out) == [("b", "1", "removed"), ("b", "2", "removed")]


def test_results_of_the_other_dialect_and_of_an_older_version_are_compared_too(tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    write(out, [A, B1, FAILED])
    pages = beside(out, "pages.csv")
    pages.write_bytes(pages.read_bytes().replace(b"b.png,0,", b"b.png,,"))  # as in 0.2.0
    write(out, [A, of_page("b", 1, "1"), FAILED], delta=True, csv_dialect="excel")
    text = (tmp_path / "results.delta.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbffile;page;line") and b";0,9876;" in text
    write(out, [A, B1, FAILED], delta=True)
    assert [row["file"] for row in rows(tmp_path / "results.delta.pages.csv")] == ["b"]


def test_the_order_of_earlier_rows_does_not_matter(tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    write(out, [B2, A, B1])
    write(out, [A, B1, B2], delta=True)
    assert delta(out) == []


def test_without_an_earlier_table_its_pages_are_changed(out: Path) -> None:
    empty = PageResult(PageRow("e", 1, "empty"))
    write(out, [A, empty])
    paths = output_paths(out).tables
    assert paths
    paths["numbers"].unlink()
    write(out, [A, empty], delta=True)
    assert delta(out) == [("a", "1", "read")]


def test_earlier_results_that_are_damaged_are_an_error_and_stay(out: Path) -> None:
    write(out, [A])
    out.write_bytes(b"\xff not a table\n1,2\n")
    with pytest.raises(OutputError, match=r"--delta cannot compare it .*remove it"):
        write(out, [A], delta=True)
    assert out.read_bytes().startswith(b"\xff") and not [name for name in files(out.parent) if "delta" in name]


@pytest.mark.parametrize("name", ["r.xlsx", "r.db", "-"])
def test_other_formats_have_no_delta(name: str) -> None:
    with pytest.raises(UsageError, match="--delta"):
        output_paths(Path(name), delta=True)
