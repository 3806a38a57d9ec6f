"""Find the lines of the keys of a TOML document, for error messages."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left

KeyPath = tuple[str | int, ...]
"""Keys of tables and indices of arrays, from the outside."""

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\n#]*")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, from 1, of each key, table and item of an array.

    Args:
        text: A document that tomllib reads. Of another document, the lines up to the fault are returned.
    """
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._line_ends = [match.start() for match in re.finditer("\n", text)]
        self._lengths: dict[KeyPath, int] = {}
        """Number of tables of each array of tables."""

    def scan(self) -> None:
        table: KeyPath = ()
        while True:
            self._skip(_BLANK)
            before = self._at
            if self._take("[["):
                table = self._array_item(self._key())
            elif self._take("["):
                table = self._resolved(self._key())
                self._note(table)
            else:
                self._pair(table)
                if self._at == before:
                    return
                continue
            self._skip(_SPACE)
            self._take("]]") or self._take("]")

    def _array_item(self, keys: list[str]) -> KeyPath:
        """Return the path of the next table of an array of tables."""
        array = (*self._resolved(keys[:-1]), *keys[-1:])
        index = self._lengths.get(array, 0)
        self._lengths[array] = index + 1
        self._note(array)
        self._note((*array, index))
        return (*array, index)

    def _resolved(self, keys: list[str]) -> KeyPath:
        """Return the path of a table. An array of tables stands for its last table."""
        path: KeyPath = ()
        for key in keys:
            path = (*path, key)
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> None:
        path = table
        for key in self._key():
            path = (*path, key)
            self._note(path)
        self._skip(_SPACE)
        self._take("=")
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        if self._take("["):
            self._items(path)
        elif self._take("{"):
            self._inline_table(path)
        elif not self._skip(_STRING):
            self._skip(_SCALAR)

    def _items(self, path: KeyPath) -> None:
        index = 0
        while True:
            self._skip(_BLANK)
            before = self._at
            if self._take("]"):
                return
            if self._take(","):
                continue
            self._note((*path, index))
            self._value((*path, index))
            index += 1
            if self._at == before:
                return

    def _inline_table(self, path: KeyPath) -> None:
        while True:
            self._skip(_BLANK)
            before = self._at
            if self._take("}"):
                return
            if self._take(","):
                continue
            self._pair(path)
            if self._at == before:
                return

    def _key(self) -> list[str]:
        """Read a key with points between its parts."""
        keys = []
        while True:
            self._skip(_SPACE)
            if bare := self._skip(_BARE_KEY):
                keys.append(bare)
            elif quoted := self._skip(_STRING):
                keys.append(tomllib.loads(f"key = {quoted}")["key"])
            self._skip(_SPACE)
            if not self._take("."):
                return keys

    def _note(self, path: KeyPath) -> None:
        self.lines.setdefault(path, bisect_left(self._line_ends, self._at) + 1)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _take(self, token: str) -> bool:
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        return True
