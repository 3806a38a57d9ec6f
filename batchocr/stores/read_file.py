"""Read a file of an object store, and what the store reports about it."""

from __future__ import annotations

from typing import Any

from batchocr.stores.filesystem import filesystem_of
from batchocr.stores.listing import FoundFile, is_s3, tag_of
from batchocr.stores.retries import PARAMETERS, RetryParameters, retried
from batchocr.stores.urls import is_web, shown_url

_CHUNK = 1 << 20
_OTHER_TIMEOUT_S = 300.0  # for a whole file, in stores whose library does not limit the wait for the next bytes
_WEB_TAGS = ("ETag", "Content-MD5", "Last-Modified")
_IDENTITY = {"Accept-Encoding": "identity"}


class FileChanged(ValueError):
    """The content of a file is not the one that its tag identifies."""


class FileTooLarge(ValueError):
    """A file has more bytes than are allowed.

    Attributes:
        size: Number of bytes, or of those that were read until there were too many.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


def read_url(
    url: str, *, tag: str = "", max_bytes: int | None = None, parameters: RetryParameters = PARAMETERS
) -> bytes:
    """Return the content of a file.

    S3 and the web need one request. A store that does not answer, is overloaded or loses the connection is tried again.

    Args:
        url: URL of the file.
        tag: The tag that the file had when it was listed; empty if it is unknown, then it is not compared.
        max_bytes: Size of the largest file; None for any size.
        parameters: How long the request is repeated.

    Raises:
        FileNotFoundError: There is no such file.
        PermissionError: Access is denied, or there are no credentials.
        FileChanged: The file has another tag now.
        FileTooLarge: It has more than `max_bytes`.
        Exception: The store still failed after the last attempt.
    """
    files, path = filesystem_of(url)

    def read() -> bytes:
        import fsspec

        if is_s3(files):
            return bytes(fsspec.asyn.sync(files.loop, _read_s3, files, path, tag, max_bytes))
        if is_web(url):
            return bytes(fsspec.asyn.sync(files.loop, _read_web, files, path, tag, max_bytes))
        return _read_other(files, path, tag, max_bytes)

    return retried(read, shown_url(url), parameters)


def read_start(url: str, length: int) -> bytes:
    """Return the first bytes of a file. Raises what `read_url` raises."""
    files, path = filesystem_of(url)

    def read() -> bytes:
        import fsspec

        if is_web(url):
            return bytes(fsspec.asyn.sync(files.loop, _read_web, files, path, "", None, length))
        return bytes(files.cat_file(path, start=0, end=length))

    return retried(read, shown_url(url))


def file_info(url: str) -> FoundFile:
    """Return size and tag of a file.

    Raises:
        FileNotFoundError: There is no such file.
        IsADirectoryError: It is a folder.
        PermissionError: Access is denied, or there are no credentials.
        Exception: The store still failed after the last attempt.
    """
    files, path = filesystem_of(url)

    def ask() -> FoundFile:
        import fsspec

        if is_web(url):
            found: FoundFile = fsspec.asyn.sync(files.loop, _web_info, files, path)
            return found
        info = files.info(path)
        if info["type"] == "directory":
            raise IsADirectoryError(path)
        return FoundFile(path, info.get("size"), tag_of(info))

    return retried(ask, shown_url(url))


def _check(found: str, tag: str, size: int | None, max_bytes: int | None) -> None:
    if tag and found and tag != found:
        raise FileChanged("the tag is another")
    if size is not None and max_bytes is not None and size > max_bytes:
        raise FileTooLarge(size)


async def _read_s3(files: Any, path: str, tag: str, max_bytes: int | None) -> bytes:
    bucket, key, _ = files.split_path(path)
    answer = await files._call_s3("get_object", Bucket=bucket, Key=key)
    body, size = answer["Body"], answer["ContentLength"]
    try:
        _check(tag_of({"ETag": answer.get("ETag"), "size": size}), tag, size, max_bytes)
        data: bytes = await body.read()
    finally:
        body.close()
    if len(data) != size:
        raise ConnectionError("the file ended early")
    return data


async def _read_web(files: Any, url: str, tag: str, max_bytes: int | None, length: int | None = None) -> bytes:
    session = await files.set_session()
    headers = _IDENTITY if length is None else {**_IDENTITY, "Range": f"bytes=0-{length - 1}"}
    async with session.get(files.encode_url(url), headers=headers) as answer:
        answer.raise_for_status()
        if length is None:
            _check(_web_tag(answer.headers, answer.content_length), tag, answer.content_length, max_bytes)
        data = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK):
            data += chunk
            if length is not None and len(data) >= length:
                break
            _check("", "", len(data), max_bytes)
    return bytes(data[:length])


async def _web_info(files: Any, url: str) -> FoundFile:
    """Return size and tag by HEAD. If that is refused, as with a URL that is signed for GET, a GET of one byte does."""
    session = await files.set_session()
    async with session.head(files.encode_url(url), headers=_IDENTITY, allow_redirects=True) as answer:
        if answer.status < 400:
            if answer.url.path.endswith("/") and not url.partition("?")[0].endswith("/"):
                raise IsADirectoryError(url)
            size = int(answer.headers["Content-Length"]) if "Content-Length" in answer.headers else None
            return FoundFile(url, size, _web_tag(answer.headers, size))
    async with session.get(files.encode_url(url), headers={**_IDENTITY, "Range": "bytes=0-0"}) as answer:
        if answer.status == 416:  # an empty file has no first byte
            return FoundFile(url, 0, _web_tag(answer.headers, 0))
        answer.raise_for_status()
        total = answer.headers.get("Content-Range", "").rpartition("/")[2]
        length = answer.headers.get("Content-Length", "") if answer.status == 200 else total
        size = int(length) if length.isdecimal() else None
        return FoundFile(url, size, _web_tag(answer.headers, size))


def _web_tag(headers: Any, size: int | None) -> str:
    return tag_of({**{name: headers.get(name) for name in _WEB_TAGS}, "size": size})


def _read_other(files: Any, path: str, tag: str, max_bytes: int | None) -> bytes:
    limit: dict[str, Any] = {"timeout": _OTHER_TIMEOUT_S} if files.async_impl else {}
    if tag or max_bytes is not None:
        info = files.info(path)
        _check(tag_of(info), tag, info.get("size"), max_bytes)
    data = bytes(files.cat_file(path, **limit))
    if tag:
        _check(tag_of(files.info(path)), tag, None, None)
    return data
