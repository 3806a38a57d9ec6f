"""Which scans are found, in which order, and how they are named."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from batchocr.batch.journal import Journal
from batchocr.errors import UsageError
from batchocr.records import PageResult, PageRow, Scan
from batchocr.sources import find_scans, read_files_from, written_name


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def names(*given: str | Path, recursive: bool = True) -> list[str]:
    return [scan.name for scan in find_scans(given, recursive=recursive).scans]


def test_a_folder_gives_its_images_in_natural_order_and_counts_the_rest(tmp_path: Path) -> None:
    fill(tmp_path, "b.PNG", "a/2.jpg", "a/10.jpeg", "a-1.png", "notes.txt", "a/Thumbs.db", ".hidden.png", ".git/x.png")
    found = find_scans([tmp_path])
    assert [scan.name for scan in found.scans] == ["a-1.png", "a/2.jpg", "a/10.jpeg", "b.PNG"]
    assert len(found.passed_over) == 3
    assert found.roots == (str(tmp_path),)
    assert [scan.path for scan in found.scans][2] == tmp_path / "a" / "10.jpeg"


def test_without_recursion_only_the_folder_itself(tmp_path: Path) -> None:
    fill(tmp_path, "b.png", "a/1.png")
    assert names(tmp_path, recursive=False) == ["b.png"]


def test_names_start_below_the_common_parent_of_all_arguments(tmp_path: Path) -> None:
    fill(tmp_path, "x/a/1.png", "x/b/1.png", "x/b/2.scan")
    assert names(tmp_path / "x" / "a", tmp_path / "x" / "b" / "2.scan") == ["a/1.png", "b/2.scan"]
    assert names(tmp_path / "x" / "b" / "1.png", tmp_path / "x" / "b" / "2.scan") == ["1.png", "2.scan"]
    assert names(tmp_path / "x" / "b" / "2.scan") == ["2.scan"]


def test_the_same_path_is_read_once_and_equal_files_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "s/1.png", "s/2.png")
    monkeypatch.chdir(tmp_path)
    assert names("s", "./s", "s/1.png", tmp_path / "s", "s/../s/2.png") == ["1.png", "2.png"]


def test_glob_patterns_are_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "s/1.png", "s/2.jpg", "s/n.txt", "s/deep/3.png", "s/.4.png", "s/5.scan")
    monkeypatch.chdir(tmp_path)
    assert names("s/*.png") == ["1.png"]
    assert names("s/**/*.png") == ["1.png", "deep/3.png"]
    assert names("s/*/3.png") == ["deep/3.png"]
    assert names("s/*.scan") == ["5.scan"]
    assert names(str(tmp_path / "s" / "[12].*")) == ["1.png", "2.jpg"]
    everything = find_scans(["s/*"])
    assert [scan.name for scan in everything.scans] == ["1.png", "2.jpg", "deep/3.png"]
    assert len(everything.passed_over) == 2


def test_a_pattern_may_match_nothing_but_its_folder_must_exist(tmp_path: Path) -> None:
    assert names(str(tmp_path / "*.png")) == []
    with pytest.raises(UsageError, match="sacns: No such file"):
        find_scans([str(tmp_path / "sacns" / "*.png")])


def test_a_file_whose_name_is_a_pattern_has_precedence_over_the_pattern(tmp_path: Path) -> None:
    fill(tmp_path, "p[1].png", "p1.png", "d*/2.png")
    assert names(tmp_path / "p[1].png") == ["p[1].png"]
    assert names(tmp_path / "d*") == ["2.png"]
    assert names(tmp_path) == ["d*/2.png", "p1.png", "p[1].png"]


@pytest.mark.parametrize("given", ["nowhere", "nowhere/a.png", ""])
def test_a_missing_argument_is_wrong_usage(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"{given}.*give a folder, a file or a glob"):
        find_scans([given])


def test_no_arguments_give_no_scans() -> None:
    assert find_scans([]).scans == ()


def test_circular_links_end_and_only_regular_files_are_taken(tmp_path: Path) -> None:
    fill(tmp_path, "in/z/1.png", "out/2.png")
    (tmp_path / "in" / "a").symlink_to(tmp_path / "in" / "z")
    (tmp_path / "in" / "z" / "up").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "elsewhere").symlink_to(tmp_path / "out")
    (tmp_path / "out" / "back").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "loop.png").symlink_to("loop.png")
    (tmp_path / "in" / "gone.png").symlink_to("missing.png")
    (tmp_path / "in" / "link.png").symlink_to("z/1.png")
    os.mkfifo(tmp_path / "in" / "pipe.png")
    found = find_scans([tmp_path / "in"])
    assert [scan.name for scan in found.scans] == ["elsewhere/2.png", "gone.png", "link.png", "loop.png", "z/1.png"]
    assert found.passed_over == ("pipe.png",)  # a link to nothing is a scan that fails
    assert names(str(tmp_path / "in" / "**" / "*.png")) == ["gone.png", "link.png", "loop.png", "z/1.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_is_a_failed_scan(tmp_path: Path) -> None:
    fill(tmp_path, "shut/1.png", "open/2.png")
    (tmp_path / "shut").chmod(0)
    found = find_scans([tmp_path])
    (tmp_path / "shut").chmod(0o700)
    assert [scan.name for scan in found.scans] == ["open/2.png", "shut"]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a/b.png", "a/b.png"),
        ("=1+1.png", "./=1+1.png"),
        ("+a.png", "./+a.png"),
        ("-a.png", "./-a.png"),
        ("@a.png", "./@a.png"),
        ("\ta.png", "./\ta.png"),
        ("\ra.png", "./\ra.png"),
        ("a/=b.png", "a/=b.png"),
        ("Größe 図.png", "Größe 図.png"),
        (os.fsdecode(b"caf\xe9.png"), r"caf\xe9.png"),
    ],
)
def test_names_in_the_results(name: str, written: str, tmp_path: Path) -> None:
    assert written_name(name) == written
    fill(tmp_path, name)
    assert names(tmp_path) == [written]


def test_lists_of_files(tmp_path: Path) -> None:
    listed = tmp_path / "list"
    listed.write_bytes(b"a b.png\n\nc\xe9.png\r\nlast.png")
    assert read_files_from(str(listed)) == [Path("a b.png"), Path(os.fsdecode(b"c\xe9.png")), Path("last.png")]
    listed.write_bytes(b"two\nlines.png\0b.png\0")
    assert read_files_from(str(listed)) == [Path("two\nlines.png"), Path("b.png")]
    with pytest.raises(UsageError, match="--files-from"):
        read_files_from(str(tmp_path / "gone"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-mark", "utf-16-be-mark"])
def test_a_list_with_a_byte_order_mark_keeps_all_scans(tmp_path: Path, encoding: str) -> None:
    text = "first.png\r\nzweite-ä.png\r\n"
    marked = text.encode(encoding) if "mark" not in encoding else ("\ufeff" + text).encode(encoding[:9])
    (tmp_path / "list.txt").write_bytes(marked)
    assert read_files_from(str(tmp_path / "list.txt")) == [Path("first.png"), Path("zweite-ä.png")]


def test_a_list_in_utf_16_without_a_mark_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes("a.png\nb.png\n".encode("utf-16-le"))
    with pytest.raises(UsageError, match="save it as UTF-8"):
        read_files_from(str(tmp_path / "list.txt"))


def test_thumbnails_of_storage_devices_are_not_scans(tmp_path: Path) -> None:
    for name in ("a.png", "@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg", "__MACOSX/b.png", "#recycle/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [scan.name for scan in find_scans([tmp_path]).scans] == ["a.png"]


LONG = "9" * 240
IN_ORDER = [
    "a.png",
    "p-1.png",
    "p.png",
    "p/1.png",
    "p1-2.png",
    "p1-10.png",
    "p01.png",
    "p1.png",
    "p2.png",
    "p010.png",
    "p10.png",
    f"p{LONG}.png",
    "p:1.png",
    r"p\xff3.png",
    "pa.png",
    "p\u00b2.png",
    "p\u0661.png",
    "q.png",
]
"""Names in natural order. Superscript and Arabic digits count as letters; equal values are in code point order."""


def test_scans_are_in_natural_order(tmp_path: Path) -> None:
    not_utf_8 = os.fsdecode(b"p\xff3.png")
    fill(tmp_path, *(not_utf_8 if name == r"p\xff3.png" else name for name in reversed(IN_ORDER)), "2.txt", "10.txt")
    found = find_scans([tmp_path])
    assert [scan.name for scan in found.scans] == IN_ORDER
    assert found.passed_over == ("2.txt", "10.txt")


def test_results_are_in_natural_order_whatever_the_order_of_reading(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for name in reversed(IN_ORDER):
            for page in (10, 2):
                scan = Scan(tmp_path / name, name)
                journal.add(scan, PageResult(PageRow(name, page, "empty")), pages=10, sha256="x")
        rows = [(result.page.file, result.page.page) for result in journal.results()]
    assert rows == [(name, page) for name in IN_ORDER for page in (2, 10)]


def test_a_list_of_files_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a.png\nb.png\n")))
    assert read_files_from("-") == [Path("a.png"), Path("b.png")]


def test_importing_sources_does_not_import_opencv_or_pillow() -> None:
    code = "import sys, batchocr.sources; print({'cv2', 'PIL', 'pypdfium2', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
