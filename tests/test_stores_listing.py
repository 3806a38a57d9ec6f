"""Which scans are found in object stores, and how they are named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from object_store import BUCKET, ObjectStore, object_store
from web_server import web_server

from batchocr.errors import UsageError
from batchocr.sources import find_scans, list_scans, read_files_from
from batchocr.stores.filesystem import filesystem_of
from batchocr.stores.listing import list_files
from batchocr.stores.urls import is_url, shown_url, without_user

KEYS = ("1.png", "b/2.PNG", "#x.png", "q?.png", "50%.png", "sp ace é.png", "c::d.png", "[1].png", "b//d.png")
OTHER_KEYS = (".h.png", ".h/3.png", "n.txt", "__MACOSX/z.png", "@eaDir/b/z.png", "b/x.preview.png", "e/", "dir.png/")


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with pytest.MonkeyPatch.context() as monkeypatch, object_store(monkeypatch) as opened:
        opened.put({f"a/{key}": b"x" for key in KEYS})
        opened.put({f"a/{key}": b"" if key.endswith("/") else b"x" for key in OTHER_KEYS})
        opened.put({"top.png": b"x", "ab/5.png": b"x"})
        opened.client.create_bucket(Bucket="other")
        opened.put({"a/1.png": b"y"}, bucket="other")
        yield opened


def names(*given: str | Path, recursive: bool = True) -> list[str]:
    return [scan.name for scan in find_scans(given, recursive=recursive).scans]


def test_a_folder_gives_its_images_whatever_their_keys_are(store: ObjectStore) -> None:
    found = find_scans([f"s3://{BUCKET}/a/"])
    assert sorted(scan.name for scan in found.scans) == sorted(KEYS)
    assert found.passed_over == (".h.png", "b/x.preview.png", "n.txt")
    assert found.roots == (f"s3://{BUCKET}/a/",)
    by_name = {scan.name: scan for scan in found.scans}
    assert by_name["b//d.png"].place == by_name["b//d.png"].url == f"s3://{BUCKET}/a/b//d.png"
    assert by_name["q?.png"].path.suffix == ".png"
    assert (by_name["1.png"].size, by_name["1.png"].tag) == (1, "9dd4e461268c8034f5c8564e155c67a6 1")
    assert names(f"s3://{BUCKET}/a") == names(f"S3://{BUCKET}/a//") == [scan.name for scan in found.scans]


def test_without_recursion_only_the_folder_itself(store: ObjectStore) -> None:
    assert names(f"s3://{BUCKET}/a/", recursive=False) == sorted(name for name in KEYS if "/" not in name)
    assert names(f"s3://{BUCKET}", recursive=False) == ["top.png"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a/*.png", sorted(key for key in KEYS if "/" not in key)),
        ("a/[0-9].png", ["1.png"]),
        ("a/[1].png", ["[1].png"]),  # the key with exactly this name
        ("a/b/*", [".//d.png", "2.PNG"]),
        ("a?/", ["ab/5.png"]),
        ("*/5.png", ["ab/5.png"]),
        ("**/5.png", ["ab/5.png"]),
        ("ab/**", ["5.png"]),
        ("a[b]", ["ab/5.png"]),
        ("a/*.txt", ["n.txt"]),
        ("a/.h*.png", [".h.png"]),
        ("a/*.gif", []),
        ("nothing*/x.png", []),
    ],
)
def test_patterns(store: ObjectStore, pattern: str, expected: list[str]) -> None:
    assert names(f"s3://{BUCKET}/{pattern}") == expected


def test_a_pattern_in_one_folder_does_not_list_the_folders_below(store: ObjectStore) -> None:
    store.requests.clear()
    assert names(f"s3://{BUCKET}/a/b*.png") == []
    assert any("delimiter=/" in request and "prefix=a/b&" in request for request in store.requests)


def test_names_start_where_the_arguments_differ(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"x")
    one, other = f"s3://{BUCKET}/a/1.png", "s3://other/a/1.png"
    assert names(one) == ["1.png"]
    assert names(one, f"s3://{BUCKET}/ab/") == ["a/1.png", "ab/5.png"]
    assert names(one, other) == ["other/a/1.png", f"{BUCKET}/a/1.png"]
    assert names(one, tmp_path) == ["1.png", one]
    assert names(one, one, f"s3://{BUCKET}/a/[0-9].png") == ["1.png"]


def test_more_keys_than_a_page_of_the_listing_has(store: ObjectStore) -> None:
    store.client.create_bucket(Bucket="many")
    store.put_many((f"p{number}/{number}.png" for number in range(1500)), "many")
    store.requests.clear()
    files, folder = filesystem_of("s3://many/")
    listed = list_files(files, folder)
    next(listed)
    assert sum(store.requests.values()) == 1  # the second page is requested when the first is used up
    assert len(list(listed)) == 1499
    assert sum(store.requests.values()) == 2
    assert names("s3://many/p[12]*/")[:3] == ["p1/1.png", "p2/2.png", "p10/10.png"]
    assert sum(each.is_scan for each in list_scans(["s3://many"])) == 1500


@pytest.mark.parametrize(
    "given", ["s3://nowhere/", "s3://nowhere", f"s3://{BUCKET}/none", f"s3://{BUCKET}/none/", "s3://nowhere/*.png"]
)
def test_what_does_not_exist_is_wrong_usage(store: ObjectStore, given: str) -> None:
    with pytest.raises(UsageError, match="there is nothing at this URL: give a folder, a file or a glob"):
        find_scans([given])


def test_an_empty_bucket_and_a_placeholder_exist(store: ObjectStore) -> None:
    store.client.create_bucket(Bucket="empty")
    assert names("s3://empty") == names(f"s3://{BUCKET}/a/e/") == names(f"s3://{BUCKET}/a/dir.png") == []


@pytest.mark.parametrize("given", ["s3://other/", "s3://other/a/1.png", "s3://other/a/", "s3://other/*/1.png"])
def test_denied_access_is_wrong_usage(store: ObjectStore, given: str) -> None:
    store.fail("deny", only="/other")
    try:
        with pytest.raises(UsageError, match=r"s3://other.*: access denied: give credentials"):
            find_scans([given])
    finally:
        store.recover()


def test_no_credentials_are_denied_access(store: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    files, _ = filesystem_of(f"s3://{BUCKET}")
    type(files).clear_instance_cache()
    try:
        with pytest.raises(UsageError, match="access denied: give credentials"):
            find_scans([f"s3://{BUCKET}/top.png"])
    finally:
        type(files).clear_instance_cache()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("s3://Bad_Bucket!/a.png", "not a valid URL"),
        ("https://host:port/", "ValueError"),
        ("http://[::1/a.png", "ValueError"),
        (f"s3://{BUCKET}/\udcff.png", "UnicodeEncodeError"),
    ],
)
def test_urls_that_cannot_exist(store: ObjectStore, url: str, why: str) -> None:
    with pytest.raises(UsageError, match=f"the store does not answer as it should .{why}.*: check the address"):
        find_scans([url])


def test_other_schemes_and_missing_libraries() -> None:
    with pytest.raises(UsageError, match="foo:// cannot be used: give s3://"):
        find_scans(["foo://bucket/a"])
    with pytest.raises(UsageError, match="names no bucket or host"):
        find_scans(["s3:///a"])
    with pytest.raises(UsageError, match="a pattern in the name of the bucket"):
        find_scans(["s3://*/a.png"])


def test_a_list_of_urls_and_paths(store: ObjectStore, tmp_path: Path) -> None:
    lines = [f"s3://{BUCKET}/a/1.png", f"s3://{BUCKET}/a//none.png", f"s3://{BUCKET}/ab/", str(tmp_path / "no.png")]
    (tmp_path / "list").write_text("\n".join(lines), encoding="utf-8")
    listed = read_files_from(str(tmp_path / "list"))
    assert listed == [*lines[:3], Path(lines[3])]
    found = {scan.name: scan for scan in find_scans([], listed).scans}
    assert list(found) == ["no.png", f"s3://{BUCKET}/a//none.png", f"s3://{BUCKET}/a/1.png", f"s3://{BUCKET}/ab/5.png"]
    assert [bool(scan.tag) for scan in found.values()] == [False, False, True, True]


def test_a_store_without_tags(tmp_path: Path) -> None:
    files, _ = filesystem_of("memory://scans/")
    for name in ("1.png", "b/2.png", "n.txt", ".h/3.png"):
        files.pipe_file(f"/scans/{name}", b"x")
    try:
        found = find_scans(["memory://scans"])
        assert [(scan.name, scan.size, scan.tag) for scan in found.scans] == [("1.png", 1, ""), ("b/2.png", 1, "")]
        assert names("memory://scans/*/2.png", "memory://scans/1.png") == ["1.png", "b/2.png"]
        assert names("memory://scans/", recursive=False) == ["1.png"]
    finally:
        files.rm("/scans", recursive=True)


def test_pages_of_the_web(tmp_path: Path) -> None:
    for name in ("f/a b.png", "f/sub/é.png", "f/sub/q#1.png", "f/n.txt", "x.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with web_server(tmp_path) as url:
        found = find_scans([f"{url}/f/"])
        assert [scan.name for scan in found.scans] == ["a%20b.png", "sub/%C3%A9.png", "sub/q%231.png"]
        assert found.passed_over == ("n.txt",)
        assert all(scan.tag.endswith(" GMT 1") for scan in found.scans)
        assert names(f"{url}/f") == [scan.name for scan in found.scans]
        assert names(f"{url}/f/", recursive=False) == ["a%20b.png"]
        assert names(f"{url}/**/*.png", f"{url}/f/n.txt") == [
            "f/a%20b.png",
            "f/n.txt",
            "f/sub/%C3%A9.png",
            "f/sub/q%231.png",
            "x.png",
        ]
        (scan,) = find_scans([f"{url}/x.png?sig=abc&id=3#part"]).scans
        assert (scan.name, scan.place, scan.path) == ("x.png?id=3", f"{url}/x.png?id=3", Path("x.png"))
        assert scan.url == f"{url}/x.png?sig=abc&id=3"
        for missing in ("/none/", "/none.png", "/none/*.png"):
            with pytest.raises(UsageError, match="there is nothing at this URL"):
                find_scans([url + missing])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://key:secret@bucket/a?b#c", "s3://bucket/a?b#c"),
        ("s3://KEY:sec/r+t@bucket/a@b.png", "s3://bucket/a@b.png"),
        ("s3://bucket/a:b@c.png", "s3://bucket/a:b@c.png"),
        ("abfs://container@account/a", "abfs://container@account/a"),
        ("https://user:word@host:80/a@b.png?X-Amz-Signature=1&X-Amz-Date=2", "https://host:80/a@b.png"),
        ("https://token@host/a?id=1&sig=2&empty=", "https://host/a?id=1&empty="),
        ("https://host?x=a/b@c", "https://host?x=a%2Fb%40c"),
    ],
)
def test_credentials_are_not_shown(url: str, shown: str) -> None:
    assert is_url(url)
    assert shown_url(url) == shown


def test_user_and_password_in_a_url() -> None:
    assert without_user("S3://key:se%2Fcret@bucket/a") == ("s3://bucket/a", "key", "se/cret")
    assert without_user("https://user@host/a") == ("https://host/a", "user", "")
    assert not is_url("sqlite:///a.db")
    assert not is_url(Path("s3://bucket"))


def test_runs_without_urls_load_no_library_of_stores(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    code = (
        "import sys; from batchocr.sources import find_scans; import batchocr.cli, batchocr.runs\n"
        "import batchocr.executors.page_task\n"
        f"assert find_scans([{str(tmp_path)!r}]).scans\n"
        "print(*sorted({'fsspec', 's3fs', 'aiohttp', 'tenacity', 'botocore'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert ended.stdout.split() == []
