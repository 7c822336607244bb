"""The table of currencies against an independent one. It may grow; nothing may leave it or change."""

from __future__ import annotations

from babel.core import get_global
from babel.numbers import get_currency_precision

from shared.money.currencies import DECIMALS

# Babel's numbers are those of everyday use; an invoice may still name the smaller unit that ISO 4217 gives these.
ISO_HAS_MORE = {
    "AFN": 2, "ALL": 2, "IQD": 3, "IRR": 2, "KPW": 2, "LAK": 2, "LBP": 2, "MGA": 2, "MMK": 2, "RSD": 2, "SOS": 2,
    "SYP": 2, "YER": 2,
}  # fmt: skip


def test_the_currencies_are_those_that_are_legal_tender_somewhere_today() -> None:
    territories = get_global("territory_currencies")
    in_force = {code for uses in territories.values() for code, _, until, tender in uses if tender and until is None}
    assert set(DECIMALS) >= in_force, "new currencies: add them"
    assert set(DECIMALS) - in_force == set(), "gone from use: name them here, but leave them in the table"


def test_the_decimals_are_babels_but_where_iso_4217_has_more() -> None:
    assert {code: places for code, places in DECIMALS.items() if places != get_currency_precision(code)} == ISO_HAS_MORE


def test_codes_that_are_no_money_of_a_country_are_not_currencies() -> None:
    assert not {"XXX", "XTS", "XAU", "XDR", "CLF", "USN", "DEM", "FRF", "HRK", "ZWL", "ANG"} & set(DECIMALS)
