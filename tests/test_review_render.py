"""The HTML of the review page: nothing in the data becomes markup, and the policy allows only what is in the file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from batchocr.review.page.render import json_for_html, render

HOSTILE = "</script><script>alert(1)</script><!-- & \u2028 ' \" <img src=x onerror=alert(1)>.png"


class _Elements(HTMLParser):
    """Collects elements, and the text in each script and style."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.found[-1] if self.found else ("", {})
        key = attributes.get("id") or tag
        self.texts[key] = self.texts.get(key, "") + data


def _parsed(html: str) -> _Elements:
    elements = _Elements()
    elements.feed(html)
    elements.close()
    return elements


def test_hostile_names_stay_text() -> None:
    html = render(
        HOSTILE, "b { color: red }", "let a = 1 < 2 && 3;", {"file": HOSTILE}, {"s0": b"\x00\xff"}, served=False
    )
    parsed = _parsed(html)
    tags = [tag for tag, _ in parsed.found]
    assert tags.count("script") == 3 and "img" not in tags
    assert not [attributes for _, attributes in parsed.found if "onerror" in attributes]
    assert json.loads(parsed.texts["data"]) == {"file": HOSTILE}
    assert base64.b64decode(parsed.texts["s0"]) == b"\x00\xff"
    assert not re.search(r"[<>&]", json_for_html({"file": HOSTILE}))


@pytest.mark.parametrize(("served", "connect"), [(False, "connect-src 'none'"), (True, "connect-src 'self'")])
def test_the_policy_allows_this_script_and_style_only(served: bool, connect: str) -> None:
    script = "console.log('é' && \"<b>\");"
    parsed = _parsed(render("t", "b { color: red }", script, [], {}, served=served))
    policies = [a["content"] or "" for tag, a in parsed.found if tag == "meta" and "http-equiv" in a]
    rules = policies[0].split("; ")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in rules
    assert rules[0] == "default-src 'none'" and connect in rules and "unsafe" not in policies[0]
    assert script in render("t", "b { color: red }", script, [], {}, served=served)


def test_a_script_that_would_end_its_element_is_refused() -> None:
    with pytest.raises(ValueError, match="end its own element"):
        render("t", "", "let a = '</SCRIPT>';", [], {}, served=False)
