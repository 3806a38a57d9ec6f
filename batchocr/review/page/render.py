"""Write the review page: one HTML file with its style, its scripts, its data and its images.

The content security policy allows only what is in the file, by hash. Data are JSON in blocks that are not executed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def render(title: str, style: str, script: str, data: Any, images: Mapping[str, bytes], *, served: bool) -> str:
    """Return the HTML of the page.

    Args:
        title: Title of the page; it is escaped.
        style: The CSS.
        script: The JavaScript.
        data: What the script reads, as JSON values. Texts in it may be hostile.
        images: WebP files by the id of their block.
        served: Whether the page may send decisions to the server that it comes from.

    Raises:
        ValueError: Style or script would end its own element.
    """
    if "</" in style or "</script" in script.lower() or "<!--" in script:
        raise ValueError("the style or the script of the page would end its own element")
    environment = Environment(
        loader=PackageLoader("batchocr.review.page", "."), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("template.html.j2").render(
        title=title,
        policy=content_security_policy(style, script, served=served),
        style=Markup(style),
        script=Markup(script),
        data=Markup(json_for_html(data)),
        images=_as_text(images),
    )


def content_security_policy(style: str, script: str, *, served: bool) -> str:
    """Return the policy: this style, this script, images from the file itself, and nothing else."""
    rules: Sequence[str] = (
        "default-src 'none'",
        f"script-src {_hash(script)}",
        f"style-src {_hash(style)}",
        "img-src data: blob:",
        f"connect-src '{'self' if served else 'none'}'",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def json_for_html(data: Any) -> str:
    """Return JSON that is safe within a `script` element: it has none of `<`, `>` and `&`."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate({ord(sign): escape for sign, escape in _ESCAPED.items()})


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _as_text(images: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(data).decode("ascii") for name, data in images.items()}
