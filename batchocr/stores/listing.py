"""List the files of an object store, page by page, and what identifies their content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from batchocr.stores.retries import retried
from batchocr.stores.urls import shown_place

_TAGS = ("md5Hash", "ETag", "etag", "generation", "Content-MD5", "Last-Modified")
"""Keys of a file's information that change with its content, the best first: Google, S3 and the web, Azure, the web."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file in a store."""

    path: str
    """Its path in the file system, without the scheme. For the web it is the URL."""
    size: int | None
    """Bytes; None if the store does not report it."""
    tag: str
    """What identifies its content without reading it; empty if the store reports nothing of this kind."""


def tag_of(info: Mapping[str, Any]) -> str:
    """Return the tag of a file: the store's MD5, ETag, generation or time of the last change, and the size.

    Args:
        info: What fsspec reports about the file, or headers of an answer with its `size`.

    Returns:
        The tag; empty if there is nothing that identifies the content.
    """
    size = info.get("size")
    value = next((str(info[key]).strip('"') for key in _TAGS if info.get(key)), "")
    return f"{value} {size}" if value and size is not None else ""


def list_files(
    files: Any, folder: str, *, recursive: bool = True, beginning: str = "", denied: list[str] | None = None
) -> Iterator[FoundFile]:
    """Yield the files below a folder, in no order, without the placeholders of folders.

    A bucket of S3 is listed by 1,000 keys at a time, and other stores folder by folder, so that a million files are
    never in memory at once.

    Args:
        files: A file system of fsspec.
        folder: A path in it.
        recursive: Whether the folders within it are listed too.
        beginning: In S3, only files are listed whose path below `folder` starts so. Other stores ignore it.
        denied: Receives the folders within `folder` that may not be listed. None raises PermissionError for them.

    Raises:
        FileNotFoundError: There is no such bucket or folder. S3 has no folders; an empty one yields nothing.
        PermissionError: The folder may not be listed.
    """
    if is_s3(files):
        yield from _keys(files, folder, recursive, beginning)
    else:
        yield from _walk(files, folder, recursive, denied)


def is_s3(files: Any) -> bool:
    """Return whether this is the file system of s3fs."""
    return hasattr(files, "call_s3")


def check_folder(files: Any, folder: str) -> None:
    """Check that a folder exists and may be listed.

    Raises:
        FileNotFoundError: There is no such bucket, or nothing below the folder.
        PermissionError: The folder may not be listed.
    """
    if not is_s3(files):
        retried(lambda: files.ls(folder, detail=True), shown_place(folder))
        return
    bucket, prefix = _bucket_and_prefix(files, folder)
    page = retried(lambda: files.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=1), folder)
    if prefix and not page.get("Contents"):
        raise FileNotFoundError(folder)


def _bucket_and_prefix(files: Any, folder: str) -> tuple[str, str]:
    bucket, key, _ = files.split_path(folder.rstrip("/"))
    return bucket, f"{key}/" if key else ""


def _keys(files: Any, folder: str, recursive: bool, beginning: str) -> Iterator[FoundFile]:
    bucket, prefix = _bucket_and_prefix(files, folder)
    request = {"Bucket": bucket, "Prefix": prefix + beginning}
    if not recursive:
        request["Delimiter"] = "/"
    while True:
        page = retried(lambda: files.call_s3("list_objects_v2", **request), folder)
        for each in page.get("Contents", ()):
            if not each["Key"].endswith("/"):
                tag = tag_of({"ETag": each.get("ETag"), "size": each["Size"]})
                yield FoundFile(f"{bucket}/{each['Key']}", each["Size"], tag)
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]


def _walk(files: Any, root: str, recursive: bool, denied: list[str] | None) -> Iterator[FoundFile]:
    folders, visited = [root], set[str]()
    while folders:
        folder = folders.pop()
        if folder.rstrip("/") in visited:
            continue
        visited.add(folder.rstrip("/"))
        try:
            entries = retried(lambda folder=folder: files.ls(folder, detail=True), shown_place(folder))  # type: ignore[misc]
        except FileNotFoundError:
            if folder == root:
                raise
            continue
        except PermissionError:
            if denied is None or folder == root:
                raise
            denied.append(folder)
            continue
        for info in entries:
            path = str(info["name"])
            if info["type"] != "directory":
                if not path.partition("?")[0].endswith("/"):  # a page's links to itself in another order
                    yield FoundFile(path, info.get("size"), tag_of(info))
            elif recursive and len(path.rstrip("/")) > len(folder.rstrip("/")):
                folders.append(path)
