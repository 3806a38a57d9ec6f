"""Draft a form file from the image of a blank form."""

from __future__ import annotations

from batchocr.forms.draft.draft import Draft, draft_form

__all__ = ["Draft", "draft_form"]
