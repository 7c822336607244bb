"""What a team has accomplished that no number tells, and what it measures itself by: in sentences, as for who reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.metrics.page.asked import address
from services.metrics.page.review.figures import opened
from services.metrics.page.review.words import times
from services.metrics.page.values import in_words, percent


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of one of them, and where it opens to."""

    name: str
    says: str
    state: str | None
    link: str
    words: str | None = None
    """Where its words are: they stay with who owns them."""


def accomplished_of(document: Mapping[str, Any], review: str, names: Mapping[str, str]) -> list[Line]:
    """The accomplishments of the period, the first claimed first."""
    return [
        Line(each["accomplishment"], ", ".join(_said(each, names)), "healthy" if each["verified"] else "watch",
             opened(review, f"/accomplishments/{place}"), address(f"/v1/accomplishments/{each['accomplishment']}", {}))
        for place, each in enumerate(document.get("accomplishments", ()))
    ]  # fmt: skip


def owned_of(document: Mapping[str, Any], review: str) -> list[Line]:
    """The measures of the team's own, and whether they are confirmed for the period."""
    return [
        Line(in_words(each["metric"]), _measured(each), None, opened(review, f"/goals/owned/{place}"))
        for place, each in enumerate(document.get("goals", {}).get("owned", ()))
    ]  # fmt: skip


def people_in(document: Mapping[str, Any]) -> set[str]:
    """Who claimed and who verified them, as far as that is told."""
    said = (each[name] for each in document.get("accomplishments", ()) for name in ("claimed_by", "verified_by"))
    return {each for each in said if each}


def _said(each: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    by = names.get(each["claimed_by"])
    yield f"claimed on {each['claimed_on']}{f' by {by}' if by else ''}"
    yield f"shown by {times(each['pieces'], 'thing')} that can be looked at"
    if each["verified"]:
        who = names.get(each["verified_by"])
        yield f"verified on {each['verified_on']}{f' by {who}' if who else ''}"
    elif each["disputed"]:
        yield "looked at and not found to be shown: it does not count"
    else:
        yield "nobody has looked at it yet: it does not count"


def _measured(each: Mapping[str, Any]) -> str:
    # Reviews from before do not know of confirmations.
    if not each.get("confirmed", True):
        return f"not enough data: {each['missing']}"
    late = "; confirmed when its period had begun" if each.get("late") else ""
    if each["reached"] is None:
        return f"nothing was recorded{late}"
    return f"reached to {percent(Decimal(each['reached']))}{late}"
