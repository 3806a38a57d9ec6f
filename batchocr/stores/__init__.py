"""Files in folders and in object stores (S3, Google Cloud Storage, Azure, HTTPS), through fsspec."""

from __future__ import annotations

from batchocr.stores.store import Store, open_store
from batchocr.stores.urls import is_url, shown_place, shown_url

__all__ = ["Store", "is_url", "open_store", "shown_place", "shown_url"]
