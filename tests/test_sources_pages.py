"""`--pages` and `--pdf-password` through the whole run, and what a later run with other values reads."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
from command import account, beside, here, rows
from format_files import about, pdf, shades
from PIL import Image
from strokes import page as drawn_page
from strokes import save

from batchocr import Settings, run
from batchocr.batch.open_journal import journal_folder
from batchocr.errors import UsageError
from batchocr.executors import local
from batchocr.executors.local import PAGES, LocalExecutor
from batchocr.executors.worker import WorkerDied
from batchocr.records import PageResult, PageRow, Part, PreparedPage, Scan
from batchocr.sources import find_scans, has_pages, parse_pages
from batchocr.sources.page_selection import page_ranges

SETTINGS = Settings(device="cpu", jobs=1)


@pytest.mark.parametrize(
    ("text", "pages"), [("2", (2,)), ("1-3", (1, 2, 3)), ("1,4-5", (1, 4, 5)), ("7,2,2", (7, 2, 2)), (" 3 ", (3,))]
)
def test_numbers_and_ranges(text: str, pages: tuple[int, ...]) -> None:
    assert parse_pages(text) == pages


@pytest.mark.parametrize("text", ["", "0", "a", "1,", "-1", "3-1", "1-", "1-100000", "1-99999999999999999999"])
def test_anything_else_is_wrong_usage(text: str) -> None:
    if text == "1-":
        assert parse_pages(text) == (1,)
        return
    with pytest.raises(UsageError, match="--pages"):
        parse_pages(text)


def test_ranges_of_consecutive_pages() -> None:
    assert list(page_ranges([])) == []
    assert list(page_ranges([5, 1, 3, 4, 3])) == [(1, 1), (3, 5)]
    assert list(page_ranges([2])) == [(2, 2)]


# Through the command


def tiff(path: Path, count: int) -> None:
    frames = [Image.fromarray(drawn_page([str(number)], width=200)) for number in range(1, count + 1)]
    frames[0].save(path, save_all=True, append_images=frames[1:], compression="packbits")


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    save(folder / "image.png", drawn_page(["8"], width=200))
    tiff(folder / "long.tif", 6)
    tiff(folder / "short.tif", 1)
    return folder


def pages_in(out: Path) -> list[tuple[str, str, str]]:
    return [(row["file"], row["page"], row["error"] or row["status"]) for row in rows(beside(out, "pages.csv"))]


def read(scans: Path, out: Path, *pages: int) -> list[str]:
    """Run with these pages, and return the pages that were read now."""
    results: list[PageResult] = []
    run(scans, out, replace(SETTINGS, pages=pages), on_page=results.append)
    return sorted(f"{each.page.file} {each.page.page}" for each in results)


def test_only_the_pages_given_are_read_and_later_runs_read_the_missing_ones(scans: Path, tmp_path: Path) -> None:
    out, fresh = tmp_path / "results.csv", tmp_path / "fresh.csv"
    assert here("run", scans, "--out", out, "--pages", "1,3-4", "--device", "cpu", "--jobs", "1").code == 0
    image, short = ("image.png", "1", "read"), ("short.tif", "1", "read")
    assert pages_in(out) == [image, *(("long.tif", page, "read") for page in "134"), short]
    assert account(out)["settings"]["pages"] == [1, 3, 4]

    assert read(scans, out, 1, 3, 4) == []
    assert read(scans, out, 4, 5, 6, 9) == ["long.tif 5", "long.tif 6", "short.tif None"]
    assert pages_in(out) == [image, *(("long.tif", page, "read") for page in "456"), ("short.tif", "0", "no-page")]
    assert "no page 4 or later" in rows(beside(out, "pages.csv"))[-1]["message"]

    assert read(scans, out) == ["long.tif 1", "long.tif 2", "long.tif 3", "short.tif 1"]
    assert pages_in(out) == [image, *(("long.tif", page, "read") for page in "123456"), short]
    read(scans, fresh)
    assert out.read_bytes() == fresh.read_bytes()


def test_only_formats_with_pages_are_affected(scans: Path, tmp_path: Path) -> None:
    found = {scan.name: has_pages(scan) for scan in find_scans([scans]).scans}
    assert found == {"image.png": False, "long.tif": True, "short.tif": True}
    assert not has_pages(Scan(tmp_path / "none.tif", "none.tif"))


def test_the_pages_not_read_after_too_many_failures_are_those_given(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    for number in range(30):
        (tmp_path / "scans" / f"{number}.png").write_bytes(b"not an image")
    tiff(tmp_path / "scans" / "z.tif", 3)
    out = tmp_path / "results.csv"
    run(tmp_path / "scans", out, replace(SETTINGS, pages=(2, 3), max_failures=1))
    assert {row["page"] for row in rows(beside(out, "pages.csv"))} == {"0"}


# Through the executor, with workers that die


class FakeWorker:
    """A worker that yields empty pages, and dies at given pages a given number of times."""

    deaths: Counter[int]
    size: int
    requested: list[tuple[int, int]]

    def __init__(self, *_: object) -> None: ...

    def wait_until_ready(self) -> None: ...

    def kill(self) -> None: ...

    def close(self) -> None: ...

    def restart(self) -> None: ...

    def read(self, scan: Scan, first: int, last: int, seconds: float) -> Iterator[PreparedPage]:
        FakeWorker.requested.append((first, last))
        for number in range(first, min(last, FakeWorker.size) + 1):
            if FakeWorker.deaths[number] > 0:
                FakeWorker.deaths[number] -= 1
                raise WorkerDied
            yield PreparedPage(PageRow(scan.name, number, "read"), None, FakeWorker.size)


@pytest.mark.parametrize("deaths", [{}, {3: 1}, {3: 2}, {5: 2}, {40: 2}, {3: 2, 4: 2}, {3: 2, 61: 1}])
@pytest.mark.parametrize("pages", [[3, 4, 5, 40, *range(60, 90)], [3, 60], [3]])
def test_each_page_given_has_one_row_whatever_dies(
    deaths: dict[int, int], pages: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "Worker", FakeWorker)
    FakeWorker.deaths, FakeWorker.size, FakeWorker.requested = Counter(deaths), 80, []
    (first, last), *more = page_ranges(pages)
    part = Part(Scan(Path("a"), "a"), first, last, None, tuple(more))
    with LocalExecutor([part], jobs=2, max_megapixels=1) as executor:
        found = {seen.row.page: seen.row.error for seen in executor.pages()}
    dead = {number for number, times in deaths.items() if times == 2}
    if (pages == [3] and 3 in dead) or (4 in dead and 4 in pages):
        assert found[None] == "crashed"  # the scan as a whole, because no page was reached
        return
    assert found == {page: "crashed" if page in dead else "" for page in pages if page <= 80}
    wanted = set(pages)
    assert all(last - first < PAGES and {first, last} <= wanted for first, last in FakeWorker.requested)


# Passwords

PASSWORD = "s3cret-word"


def protected(path: Path, text: str) -> None:
    pixels = drawn_page([text], width=400)
    image = (pixels.tobytes(), about(pixels), (pixels.shape[1] * 0.36, pixels.shape[0] * 0.36))
    path.write_bytes(pdf(image, encryption=pikepdf.Encryption(owner="owner", user=PASSWORD)))


def test_a_protected_pdf_is_read_with_its_password_which_is_written_nowhere(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    protected(tmp_path / "scans" / "locked.pdf", "2017")
    out = tmp_path / "results.csv"
    command = ("run", tmp_path / "scans", "--out", out, "--device", "cpu", "--jobs", "1", "--log-format", "json")

    ended = here(*command)
    (row,) = rows(beside(out, "pages.csv"))
    assert (ended.code, row["error"], row["page"]) == (3, "password", "0")
    assert "BATCHOCR_PDF_PASSWORD" in row["message"]

    variables = {"BATCHOCR_PDF_PASSWORD": PASSWORD}
    assert here(*command, variables=variables).code == 3  # the failed page is kept
    ended = here(*command, "--retry-failed", variables=variables)
    assert ended.code == 0
    assert [row["text"] for row in rows(beside(out, "numbers.csv"))] == ["2017"]
    written = [path for path in (*tmp_path.iterdir(), *journal_folder(out).iterdir()) if path.is_file()]
    assert len(written) > 4
    assert not [path for path in written if PASSWORD.encode() in path.read_bytes()]
    assert PASSWORD not in ended.out + ended.err + repr(replace(SETTINGS, pdf_password=PASSWORD))

    ended = here(*command, "--fresh", "--pdf-password", "wrong-word")
    (row,) = rows(beside(out, "pages.csv"))
    assert (ended.code, row["error"]) == (3, "password")
    assert "wrong-word" not in row["message"] + ended.err


def test_a_protected_pdf_in_python_and_in_a_preview(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from batchocr import read as read_scan

    protected(tmp_path / "locked.pdf", "45")
    digits = read_scan(tmp_path / "locked.pdf", device="cpu", pdf_password=PASSWORD)["digit"]
    assert list(digits) == [4, 5]
    arguments = ("preview", tmp_path / "locked.pdf", "--out", tmp_path / "drawn.png", "--device", "cpu")
    assert here(*arguments).code == 3
    assert here(*arguments, variables={"BATCHOCR_PDF_PASSWORD": PASSWORD}).code == 0


def test_a_password_does_not_affect_other_files(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(shades()).save(stream, "PDF")
    (tmp_path / "open.pdf").write_bytes(stream.getvalue())
    out = tmp_path / "results.csv"
    assert run(tmp_path / "open.pdf", out, replace(SETTINGS, pdf_password="x")).failed == 0
