"""Folders with unusual names and special files, and files that change during a run."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command import account, beside, here, in_own_process, rows

from batchocr import Settings, run
from batchocr.errors import ScanError, UsageError
from batchocr.executors.page_task import prepare_pages
from batchocr.records import Page, Scan
from batchocr.sources import find_scans, load_pages
from batchocr.sources.formats import kind_of

UNUSUAL = {
    b"=1+1.png": "./=1+1.png",
    b"+1.png": "./+1.png",
    b"-1.png": "./-1.png",
    b"@SUM(A1).png": "./@SUM(A1).png",
    b"\t1.png": "./\t1.png",
    b"\r1.png": "./\r1.png",
    b"a\nb.png": "a\nb.png",
    b"a\r\nb.png": "a\r\nb.png",
    b'say "17", he said.png': 'say "17", he said.png',
    b"'quoted'.png": "'quoted'.png",
    b"a;b|c$(touch x)`y`.png": "a;b|c$(touch x)`y`.png",
    b"\x1b[31mred.png": "\x1b[31mred.png",
    b" .png": " .png",
    b"caf\xe9.png": r"caf\xe9.png",
    "Größe 図.png".encode(): "Größe 図.png",
}
TWINS = (b"\xff.png", rb"\xff.png")
"""Two names that the results write in the same way."""


def fill(folder: Path, image: Path, *names: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(image, os.fsencode(folder) + b"/" + name)


@pytest.fixture
def reachable() -> Iterator[Path]:
    """Return a folder that each user may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Become another user if this one is root, who may read everything."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def reason(scan: Scan) -> str:
    with pytest.raises(ScanError) as caught:
        list(load_pages(scan))
    assert caught.value.message.startswith(f"{scan.name}: ")
    return caught.value.reason


def test_unusual_names_pass_through_the_whole_run(tmp_path: Path, one_digit: Path) -> None:
    fill(tmp_path / "scans", one_digit, *UNUSUAL, *TWINS)
    out = tmp_path / "results.csv"
    assert here("run", tmp_path / "scans", "--out", out, "--device", "cpu", "--jobs", "1", "--quiet").code == 0
    wanted = sorted([*UNUSUAL.values(), r"\xff.png", r"\xff.png"])
    for table in (out, beside(out, "numbers.csv"), beside(out, "pages.csv")):
        assert [row["file"] for row in rows(table)] == wanted
    assert account(out)["counts"]["scans"] == len(UNUSUAL) + 2


def test_names_that_are_written_in_the_same_way_are_two_scans_in_a_fixed_order(tmp_path: Path, one_digit: Path) -> None:
    for folder, names in ((tmp_path / "a", TWINS), (tmp_path / "b", TWINS[::-1])):
        fill(folder, one_digit, *names)
        scans = find_scans([folder]).scans
        assert [scan.name for scan in scans] == [r"\xff.png"] * 2
        assert [os.fsencode(scan.path.name) for scan in scans] == [rb"\xff.png", b"\xff.png"]


def add_special_files(folder: Path, image: Path) -> None:
    """Add circular links, links to nothing and special files, with the names of images."""
    fill(folder, image, b"good.png")
    (folder / "round").symlink_to(".")
    (folder / "up").symlink_to("..")
    (folder / "self.png").symlink_to("self.png")
    (folder / "gone.png").symlink_to("nothing.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "link to a pipe.png").symlink_to("pipe.png")
    (folder / "device.png").symlink_to("/dev/zero")
    (folder / "terminal.png").symlink_to("/dev/tty")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(folder / "socket.png"))  # its path may have 107 bytes


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the file system has no pipes")
def test_special_files_are_passed_over_and_never_opened(tmp_path: Path, one_digit: Path) -> None:
    add_special_files(tmp_path / "scans", one_digit)
    out = tmp_path / "results.csv"
    arguments = ("run", "scans", "--out", out, "--device", "cpu", "--jobs", "1", "--quiet")
    assert in_own_process(*arguments, folder=tmp_path).code == 3
    found = [(row["file"], row["error"]) for row in rows(beside(out, "pages.csv"))]
    assert found == [("gone.png", "not-found"), ("good.png", ""), ("self.png", "unreadable")]
    assert account(out)["passed_over"] == ["device.png", "link to a pipe.png", "pipe.png", "socket.png", "terminal.png"]


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("name", ["pipe.png", "link to a pipe.png", "device.png", "socket.png"])
def test_a_special_file_that_is_named_is_reported(name: str, listed: bool, tmp_path: Path, one_digit: Path) -> None:
    add_special_files(tmp_path / "scans", one_digit)
    given = str(tmp_path / "scans" / name)
    arguments = ("--files-from", "-") if listed else (given,)
    ended = here("run", *arguments, "--out", tmp_path / "results.csv", given=given.encode())
    if listed:  # a list is written some time before it is used: its names do not end a run
        assert (ended.code, "not a regular file" in ended.err) == (3, True)
    else:
        assert (ended.code, "neither a folder nor a regular file" in ended.err) == (2, True)


@pytest.mark.parametrize("when", ["before it is checked", "before it is opened"])
def test_a_file_that_becomes_a_pipe_does_not_block(
    when: str, tmp_path: Path, one_digit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, one_digit, b"a.png")
    (scan,) = find_scans([tmp_path]).scans

    def becomes_a_pipe() -> None:
        scan.path.unlink()
        os.mkfifo(scan.path)

    if when == "before it is checked":
        becomes_a_pipe()
    else:
        stat = Path.stat

        def checked(path: Path, **options: bool) -> os.stat_result:
            result = stat(path, **options)
            monkeypatch.undo()
            becomes_a_pipe()
            return result

        monkeypatch.setattr(Path, "stat", checked)
    assert reason(scan) == "not-a-file"


def test_files_and_folders_without_permission_are_failed_scans(reachable: Path, one_digit: Path) -> None:
    fill(reachable, one_digit, b"good.png", b"shut.png")
    fill(reachable / "folder", one_digit, b"1.png")
    (reachable / "link.png").symlink_to("folder/1.png")
    (reachable / "shut.png").chmod(0)
    (reachable / "folder").chmod(0)
    with without_privileges():
        scans = find_scans([reachable]).scans
        assert [scan.name for scan in scans] == ["folder", "good.png", "link.png", "shut.png"]
        assert [reason(scan) for scan in scans if scan.name != "good.png"] == ["no-permission"] * 3
        assert isinstance(next(load_pages(scans[1])), Page)
    (reachable / "folder").chmod(0o700)


def test_folders_too_deep_for_a_path_are_a_failed_scan(tmp_path: Path, one_digit: Path) -> None:
    fill(tmp_path / "scans", one_digit, b"good.png")
    folder = os.open(tmp_path / "scans", os.O_RDONLY)
    for _ in range(17):  # of 255 bytes each; a path may have 4,096
        os.mkdir("d" * 255, dir_fd=folder)
        folder, outer = os.open("d" * 255, os.O_RDONLY, dir_fd=folder), folder
        os.close(outer)
    os.close(folder)
    deep, good = find_scans([tmp_path / "scans"]).scans
    assert reason(deep) == "unreadable"
    assert isinstance(next(load_pages(good)), Page)
    with pytest.raises(UsageError, match="too long: fix the pattern"):
        find_scans([str(tmp_path / "scans" / "**" / "*.png")])


def test_a_file_that_vanishes_after_listing(tmp_path: Path, one_digit: Path) -> None:
    fill(tmp_path, one_digit, b"a.png")
    (scan,) = find_scans([tmp_path]).scans
    scan.path.unlink()
    assert reason(scan) == "not-found"


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def shorter(path: Path) -> None:
    os.truncate(path, 100)


def later(path: Path) -> None:
    now = path.stat()
    os.utime(path, ns=(now.st_atime_ns, now.st_mtime_ns + 1))


def replaced(path: Path) -> None:
    other = path.with_suffix(".part")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(0, 0))
    other.replace(path)


CHANGES = [longer, shorter, later, replaced]


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_after_listing_is_read_by_the_next_run(
    change: object, tmp_path: Path, one_digit: Path
) -> None:
    assert callable(change)
    fill(tmp_path, one_digit, b"a.png")
    (scan,) = find_scans([tmp_path]).scans
    change(scan.path)
    assert reason(scan) == "changed"
    (again,) = find_scans([tmp_path]).scans
    assert (again.size, again.modified) == (again.path.stat().st_size, again.path.stat().st_mtime_ns)
    if change is not shorter:
        assert isinstance(next(load_pages(again)), Page)
        assert isinstance(next(load_pages(Scan(again.path, "a.png"))), Page)  # nothing to compare


@pytest.mark.parametrize("change", [longer, shorter, later])
def test_a_file_that_changes_while_it_is_read(
    change: object, tmp_path: Path, one_digit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(change)
    fill(tmp_path, one_digit, b"a.png")

    def after_the_first_bytes(data: bytes, path: Path) -> object:
        monkeypatch.undo()
        change(path)
        return kind_of(data, path)

    monkeypatch.setattr("batchocr.sources.load.kind_of", after_the_first_bytes)
    assert reason(Scan(tmp_path / "a.png", "a.png")) == "changed"


def test_a_changed_file_is_reported_and_read_by_the_next_run(tmp_path: Path, one_digit: Path) -> None:
    scans, out = tmp_path / "scans", tmp_path / "results.csv"
    fill(scans, one_digit, b"a.png", b"b.png")
    settings = Settings(device="cpu", jobs=1)
    summary = run(scans, out, settings, on_total=lambda pages: longer(scans / "a.png"))
    assert (summary.failed, summary.exit_code) == (1, 3)
    first, second = rows(beside(out, "pages.csv"))
    assert (first["file"], first["page"], first["error"], first["sha256"]) == ("a.png", "0", "changed", "")
    assert "run again" in first["message"]
    assert second["status"] == "read"
    assert run(scans, out, settings).failed == 0


def test_the_row_of_a_damaged_scan_has_its_hash(tmp_path: Path, one_digit: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    (scan,) = find_scans([tmp_path]).scans
    (page,) = prepare_pages(scan, 250)
    assert (page.row.error, page.row.page) == ("not-a-picture", None)
    assert page.row.sha256 == "9ed97c950c330a5b556b00fe9d46390594f0a34437886edd034c323444fbd7d8"
