"""URLs of folders and files in object stores, and how they are written without credentials."""

from __future__ import annotations

import re
from pathlib import PurePath
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_NO_STORE = "sqlite"  # the scheme of a database on a disk
_WEB = ("http", "https")
_CREDENTIALS = re.compile(
    r"x-(amz|goog|ms)-.*|awsaccesskeyid|googleaccessid|signature|expires|policy|key-pair-id|security-?token|token|"
    r"access_token|key|secret|password|sig|se|sp|sv|sr|st|spr|sip|ske|skoid|sks|skt|sktid|skv|saoid|suoid|scid",
    re.IGNORECASE,
)
"""Names of query parameters that are a part of a signature (AWS, Google Cloud, Azure) or a password."""


def is_url(place: str | PurePath) -> bool:
    """Return whether this is the URL of an object store, not a path. A Path is never a URL."""
    scheme = _SCHEME.match(place) if isinstance(place, str) else None
    return scheme is not None and scheme[1].lower() != _NO_STORE


def shown_url(url: str) -> str:
    """Return the URL without user, password and signature, fit for results, logs and messages.

    Only URLs of the web have a query. In other stores `?` and `#` are characters of a name.
    """
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    user, _, name = host.rpartition("@")
    if scheme.lower() not in _WEB:
        return f"{scheme}://{name if ':' in user else host}{slash}{path}"  # abfs://container@account is no user
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query, True) if not _CREDENTIALS.fullmatch(key)]
    return urlunsplit((parts.scheme, name, parts.path, urlencode(query), ""))
