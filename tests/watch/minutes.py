"""The alert rules as they are, so quick that a minute is half a second.

What lasts is divided: how long an alert holds before it fires, the ranges of rates, and the ages that are compared
(`..._seconds > 60`). What does not last stays: counts, shares, and the time that one answer may take, which a client
waits for in seconds of its own.
"""

from __future__ import annotations

import re
from typing import Any

FASTER = 120
TIMELESS = {
    "ConcertErrors": ["0.05"],
    "ConcertSlow": ["0.99", "2.5"],
    "ConcertWebhookFailing": ["0.5"],
}
"""The shares, and the time of an answer, that rules name; every rule may compare with 0 and 1."""
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_LASTING = re.compile(r"\b(\d+)(ms|s|m|h)\b")
_AGE = re.compile(r"(?<=_seconds > )\d+$")
_NUMBER = re.compile(r"(?<![\w.\"])\d+(?:\.\d+)?(?:ms|s|m|h)?(?![\w.\"])")


def quick(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule by which a minute is half a second."""
    expression = _LASTING.sub(lambda found: _quick(found[0]), rule["expr"].strip())
    expression = _AGE.sub(lambda found: f"{float(found[0]) / FASTER:g}", expression)
    return rule | {"expr": expression, "for": _quick(rule["for"])}


def unscaled(rule: dict[str, Any]) -> list[str]:
    """The numbers of a rule that the quick one has as they were, and may not."""
    allowed = {"0", "1", "0s", *TIMELESS.get(rule["alert"], ())}
    same = set(_numbers(rule)) & set(_numbers(quick(rule)))
    return sorted(same - allowed)


def milliseconds(lasting: str) -> int:
    """How long a duration of Prometheus is."""
    found = _LASTING.fullmatch(lasting)
    assert found, lasting
    return int(found[1]) * _UNITS[found[2]]


def _numbers(rule: dict[str, Any]) -> list[str]:
    bare = re.sub(r'"[^"]*"', "", rule["expr"])
    return [*_NUMBER.findall(bare), rule["for"]]


def _quick(lasting: str) -> str:
    return f"{milliseconds(lasting) // FASTER}ms" if milliseconds(lasting) else "0s"
