"""The arguments of `Reader`: what is a scan, and what is a form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from batchocr.errors import FormError, UsageError
from batchocr.forms.form import Form
from batchocr.forms.load import load_forms
from batchocr.settings import Settings


def loaded_forms(given: str | Path | Form | Sequence[str | Path | Form], settings: Settings) -> tuple[Form, ...]:
    """Return the forms, of which some may be given as places of form files."""
    several = given if isinstance(given, (list, tuple)) else (given,)
    forms: list[Form] = []
    for each in several:
        if isinstance(each, Form):
            forms.append(each)
        elif isinstance(each, (str, Path)):
            limit, password = settings.max_megapixels, settings.pdf_password
            forms += load_forms([each], max_megapixels=limit, pdf_password=password)
        else:
            raise UsageError(f"form={each!r}: must be a path or a URL, a Form, or several of these")
    names = Counter(form.name for form in forms)
    if twice := next((name for name, count in names.items() if count > 1), None):
        raise FormError(f"two forms have the name {twice!r}: give each form once, or change a name")
    return tuple(forms)


def is_several(source: Any) -> bool:
    """Return whether this is a list, a tuple or an iterator. An open file is an iterator too, but one scan."""
    one = isinstance(source, (str, bytes, bytearray, memoryview)) or hasattr(source, "read")
    return isinstance(source, (Sequence, Iterator)) and not one


def bytes_of(source: Any) -> bytes:
    """Return the content of a file. Raise UsageError if `source` is something else."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    if not callable(getattr(source, "read", None)):
        raise UsageError(
            f"{type(source).__module__}.{type(source).__qualname__} is not a scan; give a path, bytes, a binary file "
            "object, a Pillow image, a NumPy array, or a list of these"
        )
    try:
        if source.seekable():
            source.seek(0)
        content = source.read()
    except AttributeError:  # it can only be read
        content = source.read()
    except (OSError, ValueError) as error:  # ValueError is for a file that is closed
        raise UsageError(f"the file object given cannot be read ({error}); give an open one") from error
    if not isinstance(content, bytes):
        raise UsageError("the file object given does not return bytes; open the file with mode 'rb'")
    return content
