"""Open the file system of a URL."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import quote

from batchocr.errors import UsageError
from batchocr.stores.urls import is_web, shown_url, without_user

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az", "http": "https"}
"""The extra of this package that installs the library for a scheme."""

CONNECT_TIMEOUT_S = 10.0
"""Seconds until a store must accept a connection."""
READ_TIMEOUT_S = 30.0
"""Seconds until a store must send the next bytes. An attempt after 80 s of retries (see `retries`) then still ends
before the time that a page may take by default."""

_UNRESERVED = "%/:?#[]@!$&'()*+,;=-._~"  # characters of a URL that stay as they are


def filesystem_of(url: str) -> tuple[Any, str]:
    """Return the fsspec file system of a URL, and the path in it.

    Credentials come from where each store's own tools take them: environment variables, configuration files, the
    machine's role. A user and a password in the URL have precedence.

    Raises:
        UsageError: The scheme is unknown, or the library for it is not installed.
    """
    import fsspec

    clean, user, password = without_user(url)
    scheme = clean.partition("://")[0]
    try:
        kind = fsspec.get_filesystem_class(scheme)
        if is_web(clean):
            clean = quote(clean, safe=_UNRESERVED, errors="surrogateescape")
            options = _web_options(user, password)
        else:  # not fsspec's url_to_fs, which takes `::` in a key for a chain of URLs
            options = kind._get_kwargs_from_urls(clean)
            if EXTRAS.get(scheme) == "s3":
                options |= _s3_options(user, password)
        files = kind(**options, use_listings_cache=False)
        path = kind._strip_protocol(clean)
    except ImportError as fault:
        extra = EXTRAS.get(scheme, EXTRAS.get(scheme.removesuffix("s")))
        fix = f"install it: pip install 'batchocr[{extra}]'" if extra else f"install it: {fault}"
        raise UsageError(f"{shown_url(url)}: the library for {scheme}:// is not installed: {fix}") from fault
    except (ValueError, TypeError) as fault:
        raise UsageError(
            f"{shown_url(url)}: {scheme}:// cannot be used: give s3://, gs://, az:// or https://"
        ) from fault
    if EXTRAS.get(scheme) == "s3":
        files.retries = 1  # `retries` repeats, with one limit for all attempts
    return files, str(path)


def _s3_options(user: str, password: str) -> dict[str, Any]:
    timeouts = {"connect_timeout": CONNECT_TIMEOUT_S, "read_timeout": READ_TIMEOUT_S}
    options: dict[str, Any] = {"config_kwargs": {**timeouts, "retries": {"total_max_attempts": 1}}}
    return {**options, "key": user, "secret": password} if password else options


def _web_options(user: str, password: str) -> dict[str, Any]:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=READ_TIMEOUT_S)
    client: dict[str, Any] = {"timeout": timeout, "trust_env": True}
    if user:
        client["headers"] = {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}
    return {"encoded": True, "client_kwargs": client}
