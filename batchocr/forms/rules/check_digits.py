"""Check digits: the last digits of a number that follow from the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from batchocr.forms.form import CheckDigit
from batchocr.records import SIGNS

_IGNORED = dict.fromkeys(map(ord, SIGNS + " "))
_TEN = "X"
"""Stands for 10 as the last character of a number modulo 11."""


def satisfies(check: CheckDigit, text: str) -> bool:
    """Return whether the check digits of a number are right.

    Args:
        check: The method.
        text: The number with its check digits. Signs and spaces are ignored. The last character may be X if the method
            uses X for 10. A number that is too short or too long for the method is wrong.
    """
    number = text.translate(_IGNORED)
    if check.name == "weights":
        return _is_weighted(number, check.weights, check.modulus)
    return _METHODS[check.name](number)


def luhn(number: str) -> bool:
    """Return whether a number satisfies the Luhn formula (ISO/IEC 7812-1, annex B), as numbers of bank cards do."""
    digits = _digits(number)
    if len(digits) < 2:
        return False
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + doubled) % 10 == 0


def mod11_2(number: str) -> bool:
    """Return whether a number satisfies ISO/IEC 7064, MOD 11-2, as ISNI and ORCID do. X as the last character is 10."""
    values = _digits(number, may_end_with_ten=True)
    if len(values) < 2:
        return False
    total = 0
    for value in values:
        total = (2 * total + value) % 11
    return total == 1


def mod97_10(number: str) -> bool:
    """Return whether a number with two check digits satisfies ISO/IEC 7064, MOD 97-10."""
    total = 0
    digits = _digits(number)
    for digit in digits:
        total = (10 * total + digit) % 97
    return len(digits) > 2 and total == 1


def ean(number: str) -> bool:
    """Return whether a number is a GTIN of 8, 12 or 13 digits: EAN-8, UPC-A or EAN-13 (GS1 General Specifications)."""
    digits = _digits(number)
    if len(digits) not in (8, 12, 13):
        return False
    return (sum(digits[-1::-2]) + 3 * sum(digits[-2::-2])) % 10 == 0


def isbn(number: str) -> bool:
    """Return whether a number is an ISBN of 10 or 13 digits (ISO 2108). X as the last of 10 characters is 10."""
    if len(number) == 10:
        return _is_weighted(number, range(10, 0, -1), 11)
    return len(number) == 13 and number.startswith(("978", "979")) and ean(number)


_METHODS: dict[str, Callable[[str], bool]] = {
    "luhn": luhn,
    "mod11-2": mod11_2,
    "mod97-10": mod97_10,
    "ean": ean,
    "isbn": isbn,
}


def _is_weighted(number: str, weights: Sequence[int], modulus: int) -> bool:
    """Return whether the sum of each digit times its weight is a multiple of the modulus."""
    values = _digits(number, may_end_with_ten=modulus == 11)
    if len(values) != len(weights):
        return False
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) % modulus == 0


def _digits(number: str, *, may_end_with_ten: bool = False) -> list[int]:
    """Return the values of the characters. Empty if one is not a digit."""
    last = []
    if may_end_with_ten and number.endswith(_TEN):
        number, last = number[:-1], [10]
    if not number or not (number.isascii() and number.isdigit()):
        return []
    return [int(digit) for digit in number] + last
