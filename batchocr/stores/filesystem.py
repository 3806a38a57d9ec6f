"""Open the file system of a URL."""

from __future__ import annotations

from typing import Any

from batchocr.errors import UsageError
from batchocr.stores.urls import shown_url

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az", "http": "https"}
"""The extra of this package that installs the library for a scheme."""


def filesystem_of(url: str) -> tuple[Any, str]:
    """Return the fsspec file system of a URL, and the path in it.

    Credentials come from where each store's own tools take them: environment variables, configuration files, the
    machine's role.

    Raises:
        UsageError: The scheme is unknown, or the library for it is not installed.
    """
    import fsspec

    scheme = url.partition("://")[0].lower()
    try:
        files, path = fsspec.core.url_to_fs(url, use_listings_cache=False, skip_instance_cache=False)
    except ImportError as fault:
        extra = EXTRAS.get(scheme, EXTRAS.get(scheme.removesuffix("s")))
        fix = f"install it: pip install 'batchocr[{extra}]'" if extra else f"install it: {fault}"
        raise UsageError(f"{shown_url(url)}: the library for {scheme}:// is not installed: {fix}") from fault
    except ValueError as fault:
        raise UsageError(
            f"{shown_url(url)}: {scheme}:// cannot be used: give s3://, gs://, az:// or https://"
        ) from fault
    return files, str(path)
