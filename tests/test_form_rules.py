"""The rules of forms: check digits by their standards, values of texts, rules of fields, and equations."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchocr.forms.form import CheckDigit, Field, FieldKind, FieldRules, Rect
from batchocr.forms.rules.check_digits import satisfies
from batchocr.forms.rules.equations import expand_equation, holds, parse_equation
from batchocr.forms.rules.field_rules import broken_rule, value_of

LUHN, MOD_11_2, MOD_97_10 = CheckDigit("luhn"), CheckDigit("mod11-2"), CheckDigit("mod97-10")
EAN, ISBN = CheckDigit("ean"), CheckDigit("isbn")
BANK_ROUTING = CheckDigit("weights", (3, 7, 1, 3, 7, 1, 3, 7, 1), 10)
NUMBERS = st.text("0123456789", min_size=3, max_size=18)


def field(kind: FieldKind = "number", rules: FieldRules | None = None, **keys: object) -> Field:
    return replace(Field("f", kind, Rect(0, 0, 10, 5), rules=rules or FieldRules()), **keys)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("check", "number"),
    [
        (LUHN, "79927398713"),  # the example of Wikipedia
        (LUHN, "4111111111111111"),
        (LUHN, "4111 1111-1111 1111"),
        (MOD_11_2, "07940"),  # the example of ISO/IEC 7064
        (MOD_11_2, "079X"),  # the example of ISO/IEC 7064
        (MOD_11_2, "0000-0002-1825-0097"),  # ORCID's example
        (MOD_11_2, "0000-0002-1694-233X"),  # ORCID's example
        (MOD_97_10, "79444"),  # 794 of ISO/IEC 7064
        (MOD_97_10, "3214282912345698765432161182"),  # the IBAN of ISO 13616, in digits
        (EAN, "96385074"),
        (EAN, "036000291452"),
        (EAN, "4006381333931"),
        (ISBN, "0-306-40615-2"),
        (ISBN, "080442957X"),
        (ISBN, "978-0-306-40615-7"),
        (BANK_ROUTING, "111000025"),
    ],
)
def test_published_numbers_satisfy_their_check_digit(check: CheckDigit, number: str) -> None:
    assert satisfies(check, number)
    assert not satisfies(check, str((int(number[0]) + 1) % 10) + number[1:])


@pytest.mark.parametrize(
    ("check", "number"),
    [
        (LUHN, "0"), (LUHN, ""), (LUHN, "12a"), (LUHN, "X"), (LUHN, "٤٢"),
        (MOD_11_2, "X079"), (MOD_11_2, "1"), (MOD_97_10, "01"),
        (EAN, "0"), (EAN, "00000000000000"), (ISBN, "4006381333931"), (ISBN, "X804429570"), (ISBN, "0804429570"),
        (BANK_ROUTING, "11100002"), (BANK_ROUTING, "1110000250"), (BANK_ROUTING, "11100002X"),
    ],
)  # fmt: skip
def test_other_texts_do_not(check: CheckDigit, number: str) -> None:
    assert not satisfies(check, number)


def with_check(check: CheckDigit, number: str, length: int) -> str:
    """Return the number with the check digits that satisfy the check; at least one does."""
    endings = [str(ending).zfill(length) for ending in range(10**length)] + ["X"]
    return next(number + ending for ending in endings if satisfies(check, number + ending))


@pytest.mark.parametrize(("check", "length"), [(LUHN, 1), (MOD_11_2, 1), (MOD_97_10, 2)])
@given(number=NUMBERS, data=st.data())
def test_every_wrong_digit_is_caught(check: CheckDigit, length: int, number: str, data: st.DataObject) -> None:
    whole = with_check(check, number, length)
    at = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != whole[at]]))
    assert not satisfies(check, whole[:at] + other + whole[at + 1 :])


@pytest.mark.parametrize(("check", "length"), [(MOD_11_2, 1), (MOD_97_10, 2)])
@given(number=NUMBERS, data=st.data())
def test_every_swap_of_neighbours_is_caught(check: CheckDigit, length: int, number: str, data: st.DataObject) -> None:
    whole = with_check(check, number, length)
    at = data.draw(st.integers(0, len(number) - 2))
    swapped = whole[:at] + whole[at + 1] + whole[at] + whole[at + 2 :]
    assert satisfies(check, swapped) == (swapped == whole)


@given(number=st.text("0123456789", min_size=12, max_size=12), data=st.data())
def test_an_ean_with_a_wrong_digit_is_caught(number: str, data: st.DataObject) -> None:
    whole = with_check(EAN, number, 1)
    at = data.draw(st.integers(0, 12))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != whole[at]]))
    assert not satisfies(EAN, whole[:at] + other + whole[at + 1 :])


@pytest.mark.parametrize(
    ("of", "text", "value"),
    [
        (field("cells"), "00420", "00420"),
        (field("number"), "", ""),
        (field("number"), "-017", "-017"),
        (field("number"), "12-345/6", "123456"),
        (field("number"), "-", None),
        (field("decimal", decimals=2), "1250", "12.50"),
        (field("decimal", decimals=2), "5", "0.05"),
        (field("decimal", decimals=2), "000000", "0.00"),
        (field("decimal", decimals=2), "-1250", "-12.50"),
        (field("decimal", decimals=2), "12.50", "12.50"),
        (field("decimal", decimals=2), "12.5", None),
        (field("decimal", decimals=0), "012", "12"),
        (field("decimal"), "012,5", "12.5"),
        (field("decimal"), "1.250,75", "1250.75"),
        (field("decimal"), "+12", "12"),
        (field("decimal"), ",5", "0.5"),
        (field("decimal"), "5,", None),
        (field("decimal"), "1.250.000", None),
        (field("decimal"), "12:50", None),
        (field("decimal"), "-", None),
        (field("decimal"), "1" * 40 + ".5", "1" * 40 + ".5"),
        (field("date"), "12/05/2017", "2017-05-12"),
        (field("date"), "1.2.69", "2069-02-01"),
        (field("date"), "1-2-70", "1970-02-01"),
        (field("date"), "120517", "2017-05-12"),
        (field("date", order="mdy"), "05122017", "2017-05-12"),
        (field("date", order="ymd"), "20170512", "2017-05-12"),
        (field("date", order="ymd"), "2017-5-12", "2017-05-12"),
        (field("date"), "29/02/2024", "2024-02-29"),
        (field("date"), "29/02/2023", None),
        (field("date"), "00000000", None),
        (field("date"), "1205201", None),
        (field("date"), "12/05", None),
        (field("date"), "12//2017", None),
        (field("date"), "12/05/201", None),
        (field("mark"), "1", "1"),
        (field("mark"), "2", None),
        (field("code"), "A-7 x", "A-7 x"),
    ],
)
def test_a_text_has_a_plain_value(of: Field, text: str, value: str | None) -> None:
    assert value_of(of, text) == value


DATES = FieldRules(min_value=20000101, max_value=20261231)


@pytest.mark.parametrize(
    ("of", "text", "rule"),
    [
        (field(rules=FieldRules(min_length=3, max_length=4)), "12", "length"),
        (field(rules=FieldRules(min_length=3, max_length=4)), "12345", "length"),
        (field(rules=FieldRules(min_length=3, max_length=4)), "0012", ""),
        (field(rules=FieldRules(min_length=3, max_length=3), signs="-"), "-123", ""),
        (field("code", FieldRules(min_length=3, max_length=3)), "A-1", ""),
        (field(rules=FieldRules(min_value=1, max_value=999)), "0", "range"),
        (field(rules=FieldRules(min_value=1, max_value=999)), "0999", ""),
        (field(rules=FieldRules(min_value=1)), "1000", ""),
        (field(rules=FieldRules(min_value=-5), signs="-"), "-6", "range"),
        (field("decimal", FieldRules(max_value=0.1), decimals=1), "1", ""),
        (field("decimal", FieldRules(max_value=0.1), decimals=2), "11", "range"),
        (field("date", DATES, signs="/"), "31/12/1999", "range"),
        (field("date", DATES, signs="/"), "31/12/2026", ""),
        (field("date", DATES, signs="/"), "31/11/2026", "no-date"),
        (field("date", DATES), "31/12/2026", "signs"),
        (field(rules=FieldRules(pattern="[1-9][0-9]*")), "012", "pattern"),
        (field(rules=FieldRules(pattern="1|12")), "12", ""),
        (field(rules=FieldRules(allowed=frozenset({"12", "017"}))), "17", "not-in-list"),
        (field(rules=FieldRules(allowed=frozenset({"12", "017"}))), "017", ""),
        (field("decimal", FieldRules(allowed=frozenset({"2.50"})), decimals=2), "250", ""),
        (field("date", FieldRules(allowed=frozenset({"2017-05-12"}))), "120517", ""),
        (field(rules=FieldRules(checks=(LUHN,))), "79927398710", "check-digit"),
        (field(rules=FieldRules(checks=(LUHN,))), "79927398713", ""),
        (field(), "-12", "signs"),
        (field(signs="-"), "-12", ""),
        (field("decimal"), "12.5", "signs"),
        (field("decimal", signs=",."), "12.5", ""),
        (field("decimal", signs=",."), "12.", "signs"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named(of: Field, text: str, rule: str) -> None:
    assert broken_rule(of, text) == rule


def test_an_empty_text_satisfies_all_rules() -> None:
    rules = FieldRules(3, 3, 5, 6, "[0-9]", frozenset({"1"}), (LUHN, EAN))
    assert all(broken_rule(field(kind, rules), "") == "" for kind in ("cells", "number", "decimal", "date", "code"))


@given(day=st.dates(min_value=date(1000, 1, 1)), order=st.sampled_from(["dmy", "mdy", "ymd"]))
def test_every_date_is_read_in_every_order(day: date, order: str) -> None:
    year, month, number = str(day).split("-")
    parts = {"y": year, "m": month, "d": number}
    digits, written = "".join(parts[part] for part in order), ".".join(parts[part].lstrip("0") for part in order)
    of = field("date", order=order)
    assert value_of(of, digits) == value_of(of, written) == str(day)


NAMES = ["a", "b-c", "t.x.men", "t.x.women", "t.x.all", "t.y.men", "t.y.women", "t.y.all", "u.x.all", "rest"]


def equations(text: str, names: list[str] = NAMES) -> list[tuple[str, tuple[tuple[int, str], ...]]]:
    return [(each.total, each.terms) for each in expand_equation(parse_equation(text), names)]


def test_equations_are_sums_and_differences() -> None:
    terms = ((1, "b-c"), (-1, "rest"))
    assert equations("a = b-c - rest") == equations("b-c -rest=a") == [("a", terms)]
    assert equations("a = -rest + b-c") == [("a", (terms[1], terms[0]))]


def test_a_wildcard_stands_for_the_same_part_in_all_terms() -> None:
    expected = [(f"t.{row}.all", ((1, f"t.{row}.men"), (1, f"t.{row}.women"))) for row in ("x", "y")]
    assert equations("t.*.all = t.*.men + t.*.women") == expected
    assert equations("*.x.all = a", [*NAMES]) == [("t.x.all", ((1, "a"),)), ("u.x.all", ((1, "a"),))]
    two = equations("s.*.* = t.*.* - u.*.*", ["s.1.2", "t.1.2", "u.1.2", "t.2.1"])
    assert two == [("s.1.2", ((1, "t.1.2"), (-1, "u.1.2")))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "there must be one equals sign, not 0: write total = a + b"),
        ("a = rest = b-c", "there must be one equals sign, not 2: write total = a + b"),
        ("a =", "a name is missing at the end: write total = a + b"),
        ("= a", "a name is missing before the equals sign: write total = a + b"),
        ("a = rest +", "a name is missing at the end: write total = a + b"),
        ("a = rest + + b-c", "a name is missing before '+': write total = a + b"),
        ("a = rest b-c", "there is no + or - before 'b-c': write total = a + b"),
        ("a + rest = a + b-c", "one side must be a single name: write total = a + b - c"),
        ("a = 2 * rest", "there is no + or - before '*': write total = a + b"),
        ("a = (rest)", "'(' is not allowed: use names, +, - and one equals sign"),
        ("a = t..x", "'t..x' is not a name: the parts between points are names, or * alone"),
        ("a = t.x*.men", "'t.x*.men' is not a name: the parts between points are names, or * alone"),
        ("a = rests", "there is no field 'rests': did you mean 'rest'?"),
        ("a = q-z", "there is no field 'q-z': put spaces around the minus, or give the name of a field"),
        ("a = zzz", "there is no field 'zzz': give the name of a field; fields of tables are named table.row.column"),
        ("a = t.*.men", "'t.*.men' has a * that 'a' has not: write one term for each field"),
        ("q.*.all = a", "no field has a name like 'q.*.all': did you mean 'u.x.all'?"),
        ("t.*.all = t.*.man", "there is no field 't.x.man': did you mean 't.x.men'?"),
        ("a = a + rest", "'a' is on both sides: the total must not be a term"),
    ],
)
def test_a_wrong_equation_says_the_fix(text: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        equations(text)
    assert str(error.value) == message


def test_an_equation_holds_exactly() -> None:
    [equation] = expand_equation(parse_equation("a = b-c + rest"), NAMES)
    assert holds(equation, {"a": Decimal("0.3"), "b-c": Decimal("0.1"), "rest": Decimal("0.2")})
    assert holds(equation, {"a": Decimal(5), "rest": Decimal(5)})
    assert holds(equation, {})
    assert not holds(equation, {"a": Decimal(5), "rest": Decimal("5.01")})
