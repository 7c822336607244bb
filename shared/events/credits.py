"""What targets tells of changes of credits: of a won deal they are changed only where two others agree.

When both have agreed, the deal tells of it as of any amendment. Why, and in which words something was refused, stays
with targets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from shared.events import Event, event


@dataclass(frozen=True, kw_only=True)
class CreditShare:
    """A member, and the share of a deal that is to be theirs; all shares of a deal sum to 1."""

    member: str
    share: str


@event("concert.targets.credit-change-proposed.v1")
class CreditChangeProposed(Event):
    """Somebody wants a won deal to be credited otherwise; nothing is changed by that."""

    deal: str
    on: date
    credits: tuple[CreditShare, ...]
    by: str | None = None
    since: date | None = None
    """The day from which it is to hold, where it is not that of the second approval."""
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.credit-change-approved.v1")
class CreditChangeApproved(Event):
    """Somebody who has not proposed it and gains nothing by it agrees; with the second one the deal is amended."""

    on: date
    by: str
    approvals: int


@event("concert.targets.credit-change-refused.v1")
class CreditChangeRefused(Event):
    """Somebody else does not agree: the credits stay as they are."""

    on: date
    by: str | None = None


@event("concert.targets.credit-change-withdrawn.v1")
class CreditChangeWithdrawn(Event):
    """Whoever proposed it does not want it any more."""

    on: date
