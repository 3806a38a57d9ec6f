"""Reading scans in object stores: faults that pass, faults that stay, and what a later run downloads."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from object_store import BUCKET, Fault, ObjectStore, object_store
from PIL import Image
from web_server import serving

from batchocr.batch.journal import Journal
from batchocr.batch.outcome import TEMPORARY
from batchocr.batch.resume_plan import hash_of, plan
from batchocr.errors import ScanError
from batchocr.executors.page_task import prepare_pages
from batchocr.records import Page, PageResult, PageRow, Part, Scan
from batchocr.sources import find_scans, has_pages, load, load_pages
from batchocr.stores.read_file import read_url
from batchocr.stores.retries import RetryParameters


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with pytest.MonkeyPatch.context() as monkeypatch, object_store(monkeypatch) as opened:
        yield opened


@pytest.fixture
def scan(store: ObjectStore) -> Iterator[Scan]:
    """An image in the store, as it was listed."""
    store.put({"a/page 1.png": image(255)})
    (found,) = find_scans([f"s3://{BUCKET}/a"]).scans
    store.requests.clear()
    yield found
    store.recover()


def image(grey: int, kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.new("L", (40, 30), grey).save(content, kind)
    return content.getvalue()


def reason(scan: Scan, max_megapixels: float = 100.0) -> str:
    with pytest.raises(ScanError) as caught:
        list(load_pages(scan, max_megapixels=max_megapixels))
    assert scan.name in caught.value.message
    assert "testing" not in caught.value.message
    return caught.value.reason


def test_a_scan_is_read_with_one_request(store: ObjectStore, scan: Scan) -> None:
    (page,) = load_pages(scan)
    assert isinstance(page, Page)
    assert (page.pixels.shape, page.sha256) == ((30, 40), hashlib.sha256(image(255)).hexdigest())
    assert store.requests == {f"GET /{BUCKET}/a/page 1.png": 1}


@pytest.mark.parametrize(("fault", "seconds"), [("slow-down", 3.0), ("drop", 1.0), ("hang", 1.0)])
def test_a_fault_that_passes_is_not_noticed(store: ObjectStore, scan: Scan, fault: Fault, seconds: float) -> None:
    store.fail(fault, seconds)
    (page,) = load_pages(scan)
    assert isinstance(page, Page)
    assert store.gets() > 1


def test_a_listing_that_fails_for_a_moment(store: ObjectStore, scan: Scan) -> None:
    store.fail("slow-down", 1.0)
    assert find_scans([f"s3://{BUCKET}/a"]).scans == (scan,)


def test_a_store_that_does_not_answer_is_a_row_that_the_next_run_reads(
    store: ObjectStore, scan: Scan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    soon = RetryParameters(max_seconds=1.0)
    monkeypatch.setattr(load, "read_url", partial(read_url, parameters=soon))
    store.fail("slow-down")
    assert reason(scan) == "unreachable"
    (prepared,) = prepare_pages(scan, 100)
    assert (prepared.row.status, prepared.row.error, prepared.row.file) == ("failed", "unreachable", "page 1.png")
    assert prepared.row.error in TEMPORARY
    with Journal(tmp_path) as journal:
        journal.add(scan, PageResult(prepared.row), pages=1, sha256="")
        todo = plan([scan], journal.entries(), retry_failed=False, jobs=1, should_stop=bool, tags=journal.tags())
    assert (todo.parts, todo.kept) == ((Part(scan),), 0)


def test_a_key_that_is_gone(store: ObjectStore, scan: Scan) -> None:
    store.client.delete_object(Bucket=BUCKET, Key="a/page 1.png")
    assert reason(scan) == "not-found"
    assert hash_of(scan) == ""
    assert not has_pages(Scan(Path("none"), "none", url=f"s3://{BUCKET}/none"))


def test_denied_access(store: ObjectStore, scan: Scan) -> None:
    store.fail("deny", only="GET")
    assert reason(scan) == "no-permission"


def test_a_key_that_changed_since_it_was_listed(store: ObjectStore, scan: Scan) -> None:
    store.put({"a/page 1.png": image(254)})
    assert reason(scan) == "changed"
    assert hash_of(scan) == ""


def test_a_store_that_this_machine_cannot_use() -> None:
    with pytest.raises(ScanError, match=r"^x: foo:") as caught:
        list(load_pages(Scan(Path("x.png"), "x", url="foo://bucket/x.png")))
    assert caught.value.reason == "unreadable"


def test_a_key_that_is_not_valid_text(store: ObjectStore) -> None:
    assert reason(Scan(Path("x.png"), "x", url=f"s3://{BUCKET}/\udcff.png")) == "unreadable"


def test_the_size_is_checked_before_the_download(
    store: ObjectStore, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_MAX_OTHER_BYTES", 10)
    assert reason(scan, max_megapixels=0) == "too-large"
    assert store.requests == {f"GET /{BUCKET}/a/page 1.png": 1}  # of its first bytes


def test_formats_are_recognised_by_the_first_bytes(store: ObjectStore, scan: Scan) -> None:
    store.put({"t/long": image(255, "TIFF"), "t/image": image(255)})
    tiff, png = (find_scans([f"s3://{BUCKET}/t/{name}"]).scans[0] for name in ("long", "image"))
    store.requests.clear()
    assert (has_pages(tiff), has_pages(png)) == (True, False)
    assert store.gets() == 2
    assert (has_pages(scan), has_pages(Scan(Path("x.PDF"), "x", url=f"s3://{BUCKET}/x.PDF"))) == (False, True)
    assert store.gets() == 2  # the suffix is enough


def test_an_unchanged_key_is_not_downloaded_again(store: ObjectStore, scan: Scan, tmp_path: Path) -> None:
    content = image(255)
    sha256 = hashlib.sha256(content).hexdigest()
    with Journal(tmp_path) as journal:
        journal.add(scan, PageResult(PageRow(scan.name, 1, "empty", sha256=sha256)), pages=1, sha256=sha256)

        def kept() -> tuple[int, int]:
            """Return the pages that a run keeps, and the requests for the key's content."""
            store.requests.clear()
            scans, tags = find_scans([f"s3://{BUCKET}/a"]).scans, journal.tags()
            todo = plan(scans, journal.entries(), retry_failed=False, jobs=1, should_stop=bool, tags=tags)
            journal.add_tags(todo.tags)
            return todo.kept, store.gets()

        assert kept() == (1, 0)
        key = {"Bucket": BUCKET, "Key": "a/page 1.png"}
        upload = store.client.create_multipart_upload(**key)["UploadId"]  # gives the content another ETag
        part = store.client.upload_part(**key, UploadId=upload, PartNumber=1, Body=content)
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        store.client.complete_multipart_upload(**key, UploadId=upload, MultipartUpload=parts)
        assert kept() == (1, 1)
        assert kept() == (1, 0)
        store.put({"a/page 1.png": image(0)})
        assert kept() == (0, 1)
        assert set(journal.tags()) == {scan.place}
        journal.drop(journal.entries()[scan.place])
        assert journal.tags() == {}


def test_the_journal_knows_a_scan_by_its_url_without_credentials(tmp_path: Path) -> None:
    scan = Scan(Path("a.png"), "a.png", url="https://user:word@host/a.png?sig=1&id=2", tag="t 1")
    with Journal(tmp_path) as journal:
        journal.add(scan, PageResult(PageRow("a.png", 1, "empty")), pages=1, sha256="0")
        assert list(journal.entries()) == ["https://host/a.png?id=2"]
        assert journal.tags() == {"https://host/a.png?id=2": ("t 1", "0")}
    with Journal(tmp_path, read_only=True) as journal:
        assert journal.tags() == {"https://host/a.png?id=2": ("t 1", "0")}
    assert b"word" not in (tmp_path / "journal.sqlite").read_bytes()
    assert "word" not in repr(scan)


class Web(BaseHTTPRequestHandler):
    """Answers with an image; the path says how."""

    content = image(255)
    etag = "1"

    def do_GET(self) -> None:
        if "signed-for-get" in self.path and self.command == "HEAD":
            self.send_error(403)
            return
        if "/private" in self.path and self.headers["Authorization"] != "Basic dXNlcjp3b3Jk":
            self.send_error(401)
            return
        if "/teapot" in self.path and self.command == "GET":
            self.send_error(418)
            return
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        if "no-tag" not in self.path:
            self.send_header("ETag", f'"{self.etag}"')
        if "no-length" not in self.path:
            self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.content)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize(
    ("path", "tag"),
    [("a.png", "1 84"), ("signed-for-get.png?sig=1", "1 84"), ("no-tag.png", ""), ("no-length.png", "")],
)
def test_images_of_the_web(path: str, tag: str) -> None:
    with serving(Web) as url:
        (scan,) = find_scans([f"{url}/{path}"]).scans
        assert scan.tag == tag
        (page,) = load_pages(scan)
        assert isinstance(page, Page)
        assert page.sha256 == hash_of(scan) == hashlib.sha256(Web.content).hexdigest()


def test_an_image_of_the_web_with_a_password_or_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Web) as url:
        host = url.removeprefix("http://")
        (scan,) = find_scans([f"http://user:word@{host}/private.png"]).scans
        assert len(list(load_pages(scan))) == 1
        assert reason(Scan(Path("private.png"), "p", url=f"{url}/private.png")) == "no-permission"
        assert reason(find_scans([f"{url}/teapot.png"]).scans[0]) == "unreadable"
        monkeypatch.setattr(Web, "etag", "2")
        assert reason(scan) == "changed"
