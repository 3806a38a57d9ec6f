"""URLs of folders and files in object stores, and how they are written without credentials."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TypeGuard
from urllib.parse import parse_qsl, unquote, urlencode

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_NO_STORE = "sqlite"  # the scheme of a database on a disk
_WEB = ("http", "https")
_USER = re.compile(r"(?!arn:)([^/@:]*):([^@]*)@")
"""User and password before a bucket. Unlike in a URL of the web, the password may have slashes, as those of AWS do."""
_WEB_USER = re.compile(r"([^/?#@:]*)(?::([^/?#]*))?@")
_CREDENTIALS = re.compile(
    r"x-(amz|goog|ms)-.*|awsaccesskeyid|googleaccessid|signature|expires|policy|key-pair-id|security-?token|token|"
    r"access_token|key|secret|password|sig|se|sp|sv|sr|st|spr|sip|ske|skoid|sks|skt|sktid|skv|saoid|suoid|scid",
    re.IGNORECASE,
)
"""Names of query parameters that are a part of a signature (AWS, Google Cloud, Azure) or a password."""


def is_url(place: str | PurePath) -> TypeGuard[str]:
    """Return whether this is the URL of an object store, not a path. A Path is never a URL."""
    scheme = _SCHEME.match(place) if isinstance(place, str) else None
    return scheme is not None and scheme[1].lower() != _NO_STORE


def is_web(url: str) -> bool:
    """Return whether this is an http or https URL."""
    return url.partition("://")[0].lower() in _WEB


def without_user(url: str) -> tuple[str, str, str]:
    """Return the URL without user and password and with its scheme in lower case, the user, and the password."""
    scheme, _, rest = url.partition("://")
    found = (_WEB_USER if is_web(url) else _USER).match(rest)
    user, password = (unquote(each or "") for each in found.groups()) if found else ("", "")
    return f"{scheme.lower()}://{rest[found.end() if found else 0 :]}", user, password


def shown_place(place: str | PurePath) -> str:
    """Return a path as it is, and a URL as `shown_url` does."""
    return shown_url(str(place)) if is_url(place) else str(place)


def shown_url(url: str) -> str:
    """Return the URL without user, password and signature, fit for results, logs and messages.

    Only URLs of the web have a query. In other stores `?` and `#` are characters of a name.
    """
    clean, _, _ = without_user(url)
    if not is_web(clean):
        return clean
    address, _, query = clean.partition("#")[0].partition("?")
    kept = [(key, value) for key, value in parse_qsl(query, keep_blank_values=True) if not _CREDENTIALS.fullmatch(key)]
    return f"{address}?{urlencode(kept)}" if kept else address
