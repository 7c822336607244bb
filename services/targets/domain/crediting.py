"""Who is credited for a deal: shares that sum to 1, settled when it is won."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.errors import Refused

Shares = Sequence[tuple[str, Decimal]]


class CreditsDoNotSum(Refused):
    """The shares of the credits sum to {actual}; they must sum to 1, with assists beside them."""

    status, at = 422, "/credits"


class CreditedTwice(Refused):
    """{member} stands in the credits more than once; add the shares up."""

    status, at = 422, "/credits"


class CreditsNeedTwo(Refused):
    """The credits of this deal were settled when it was won: {credits}. Leave them out here, and propose others with a
    reason at /v1/credit-changes, where two others approve them."""

    at = "/credits"


def check_shares(shares: Shares) -> None:
    """Refuse credits that name somebody twice or do not sum to 1. Raises CreditedTwice, CreditsDoNotSum."""
    members = [member for member, _ in shares]
    for member in members:
        if members.count(member) > 1:
            raise CreditedTwice(member=member)
    if sum(share for _, share in shares) != 1:
        raise CreditsDoNotSum(actual=sum(share for _, share in shares))


def shares_in(credits: Sequence[Mapping[str, Any]]) -> list[tuple[str, Decimal]]:
    """Who is credited which share, of credits as they are kept."""
    return [(credit["member"], Decimal(credit["share"])) for credit in credits]


def refuse_others(settled: Shares, shares: Shares) -> None:
    """Refuse credits that are not those that were settled. Raises CreditsNeedTwo."""
    if settled and dict(shares) != dict(settled):
        raise CreditsNeedTwo(credits=", ".join(f"{member} {share}" for member, share in settled))
