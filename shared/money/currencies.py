"""The currencies in force (ISO 4217) and how many decimals an amount in each of them has.

The table is written down here instead of asked from a library: stored amounts are counted in minor units, so an
upgrade that changed a number of decimals would change what was stored. A currency may be added, never taken away,
because old amounts must stay readable. `tests/kit/test_currencies.py` compares it with Babel's and names each
difference.
"""

from __future__ import annotations

from typing import Final

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS
KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TOP TRY
TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG
"""
_THREE = "BHD IQD JOD KWD LYD OMR TND"

DECIMALS: Final[dict[str, int]] = {
    code: decimals for codes, decimals in ((_NONE, 0), (_TWO, 2), (_THREE, 3)) for code in codes.split()
}


def codes_with(decimals: int) -> list[str]:
    """The currencies whose amounts have this many decimals, in alphabetical order."""
    return sorted(code for code, places in DECIMALS.items() if places == decimals)


def fault_of(currency: object) -> str:
    """What is wrong with a value that is not one of the known currencies, as a sentence for whoever sent it."""
    if not isinstance(currency, str):
        return 'The currency must be a string with its ISO 4217 code, for example "EUR".'
    if currency.upper() in DECIMALS:
        return f'The currency code is written in capitals: "{currency.upper()}".'
    return f'{currency[:20]!r} is not a currency in force; use an ISO 4217 code, for example "EUR".'
