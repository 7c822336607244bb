"""How the page tells values: exact, never a nought for what is not known, never two currencies in one sum."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.page import charts
from services.metrics.page.amounts import currencies_of, in_currency, named_parts, number_of, weight_of, zero_in
from services.metrics.page.values import (
    change_of,
    duration,
    in_words,
    moment_in_words,
    percent,
    short,
    shown,
    ticks,
)  # fmt: skip
from tests.metrics.company import HOSTILE

NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (usd("1134672.00"), "1,134,672.00 USD"),
        (usd("-0.05"), f"{MINUS}0.05 USD"),
        ({"amount": "1200", "currency": "JPY"}, "1,200 JPY"),
        (531, "531"),
        (15603, "15,603"),
        (0, "0"),
        ("51.78", "51.78"),
        ("1.241667", "1.24"),
        ({"rate": "0.820711", "numerator": 531, "denominator": 647}, "82.1 %"),
        (None, "not known"),
        ({}, "none"),
        ([], "none"),
        ([usd("1.00"), eur("2.00")], "1.00 USD; 2.00 EUR"),
        ({"not_due": usd("1.00"), "1-30": usd("2.00")}, "Not due: 1.00 USD; 1-30: 2.00 USD"),
    ],
)
def test_a_value_is_told_as_people_read_it(value: Any, told: str) -> None:
    assert str(shown(value)).replace(NBSP, " ") == told


def test_a_number_says_its_unit_where_it_has_one() -> None:
    assert shown("51.78", "average_days_to_win").lines == (f"51.78{NBSP}days",)
    assert str(shown({"teams": 7300.5}, "source_age")).replace(NBSP, " ") == "Teams: 2 hours"
    assert duration(33.2).replace(NBSP, " ") == "33 s"


def test_a_rate_says_what_it_is_a_share_of() -> None:
    assert shown({"rate": "0.5", "numerator": 1, "denominator": 2}).beside == "1 of 2"


def test_several_currencies_stand_side_by_side_and_are_not_added_up() -> None:
    mixed = {"mixed": True, "amounts": [eur("2.00"), usd("1.00")]}
    it = shown(mixed)
    assert it.lines == (f"2.00{NBSP}EUR", f"1.00{NBSP}USD")
    assert "not added up" in it.beside
    assert number_of(mixed) is None
    assert currencies_of(mixed) == {"EUR", "USD"}
    assert in_currency(mixed, "USD") == Decimal("1.00")
    assert weight_of(mixed) == Decimal("2.00")


def test_what_is_not_known_is_neither_nought_nor_a_number() -> None:
    assert not shown(None).known
    assert number_of(None) is None
    assert in_currency(None, "USD") is None


def test_no_money_is_told_in_the_currency_around_it_but_some_money_keeps_its_own() -> None:
    assert zero_in(eur("0.00"), "USD") == usd("0.00")
    assert zero_in(eur("0.01"), "USD") == eur("0.01")
    assert zero_in(None, "USD") is None


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (usd("200.00"), usd("250.00"), "+25.0 %"),
        (200, 150, f"{MINUS}25.0 %"),
        (0, 5, ""),
        (None, 5, ""),
        (eur("1.00"), usd("2.00"), ""),
        ({"rate": "0.60", "numerator": 3, "denominator": 5}, {"rate": "0.65", "numerator": 13, "denominator": 20},
         "+5.0 points"),
        (-100, -50, "+50.0 %"),
    ],
)  # fmt: skip
def test_a_change_is_told_in_percent_and_of_a_share_in_points(before: Any, after: Any, change: str) -> None:
    assert change_of(before, after).replace(NBSP, " ") == change


@pytest.mark.parametrize(
    ("number", "told"),
    [("1134672", "1.13 M"), ("938943", "939 k"), ("1500000", "1.5 M"), ("12", "12"), ("0", "0"), ("2.5", "2.5"),
     ("-26100", f"{MINUS}26.1 k"), ("4000000000", "4 bn"), ("100", "100"), ("1000", "1 k")],
)  # fmt: skip
def test_an_axis_has_short_numbers(number: str, told: str) -> None:
    assert short(Decimal(number)).replace(NBSP, " ") == told


def test_keys_are_told_in_words() -> None:
    assert in_words("customers_new") == "Customers new"
    assert in_words("over_90") == "Over 90"
    assert in_words("31-60") == "31-60"


def test_a_moment_is_told_in_the_time_of_the_organisation() -> None:
    assert moment_in_words("2026-07-31T09:00:05Z", "Europe/Berlin") == "31 Jul 2026, 11:00:05 CEST"
    assert moment_in_words(None) == "nothing yet"


def test_backticks_become_code_and_nothing_else_becomes_markup() -> None:
    assert ticks("send `<b>` & <i>") == "send <code>&lt;b&gt;</code> &amp; &lt;i&gt;"


def test_a_share_is_rounded_once_and_half_to_even() -> None:
    assert percent("0.0625").replace(NBSP, " ") == "6.2 %"
    assert percent(None) == "not known"


def test_parts_have_names_however_they_are_told() -> None:
    told = [{"label": "1-30", "outstanding": usd("5.00")}]
    assert named_parts(told) == [("1-30", usd("5.00"))]
    assert named_parts({"1-30": usd("5.00")}) == [("1-30", usd("5.00"))]
    assert named_parts(usd("5.00")) == []


def drawn(*values: str | None, form: Any = charts.columns, label: str = "Jan") -> ElementTree.Element:
    numbers = [None if value is None else Decimal(value) for value in values]
    series = [charts.Series("Revenue", numbers)]
    svg = form("Revenue by month", [label] * len(numbers), series, short, str)
    return ElementTree.fromstring(svg)


def test_a_chart_has_a_bar_for_each_known_number_and_none_for_an_unknown_one() -> None:
    assert len(drawn("5", None, "0", "7").findall("rect")) == 3


def test_a_line_is_broken_where_a_number_is_not_known() -> None:
    svg = drawn("5", "6", None, "7", "8", "9", form=charts.line)
    assert len(svg.findall("polyline")) == 2
    assert len(svg.findall("circle")) == 5


def test_losses_hang_below_the_line_of_nought() -> None:
    svg = drawn("-10", "10")
    zero = next(each for each in svg.findall("line") if "zero" in each.attrib["class"])
    loss, gain = svg.findall("rect")
    assert float(loss.attrib["y"]) == pytest.approx(float(zero.attrib["y1"]), abs=0.2)
    assert float(gain.attrib["y"]) < float(zero.attrib["y1"])


def test_a_chart_says_its_exact_numbers_to_whoever_points_or_listens() -> None:
    svg = drawn("1134672.00")
    assert svg.attrib["role"] == "img"
    assert svg.findtext("title") == "Revenue by month"
    assert svg.find("rect/title") is not None
    assert svg.findtext("rect/title") == "Jan: Revenue 1134672.00"


def test_a_hostile_name_stays_a_name_in_a_chart() -> None:
    svg = drawn("1", label=HOSTILE)
    assert not svg.findall(".//script")
    assert svg.findtext("rect/title") == f"{HOSTILE}: Revenue 1"


def test_whole_numbers_are_counted_in_whole_steps() -> None:
    labels = [each.text for each in drawn("1", "1").findall("text")]
    assert not any("." in (label or "") for label in labels)


@given(st.lists(st.one_of(st.none(), st.decimals(-(10**15), 10**15, places=2)), min_size=1, max_size=40))
def test_any_numbers_are_drawn_inside_the_picture(numbers: list[Decimal | None]) -> None:
    svg = charts.columns(
        "Any", [str(place) for place in range(len(numbers))], [charts.Series("Any", numbers)], short, str
    )
    for bar in ElementTree.fromstring(svg).findall("rect"):
        top, height = float(bar.attrib["y"]), float(bar.attrib["height"])
        assert 0 <= float(bar.attrib["x"]) <= charts.WIDTH
        assert charts.TOP - 1 <= top
        assert top + height <= charts.HEIGHT - charts.BOTTOM + 1
