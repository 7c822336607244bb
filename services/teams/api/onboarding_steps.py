"""What a joiner waits for, ticked off when it is there."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from services.teams.domain.onboardings import Onboarding
from shared.store import Snapshot, Tx

_onboarding = Onboarding.__table__.c  # type: ignore[attr-defined]
_OF_MEMBER = sa.select(Onboarding).where(_onboarding.member == sa.bindparam("member"))


async def onboardings_of(snapshot: Snapshot, member: str) -> list[Onboarding]:
    """The onboardings of a member, of each employment one."""
    return await snapshot.all(Onboarding, _OF_MEMBER, member=member)


async def tick_off(tx: Tx, member: str, kind: str, what: str, on: date) -> None:
    """A member has got something: if their onboarding waited for it, it does no more."""
    for each in await onboardings_of(tx, member):
        if each.status == "open":
            onboarding = await tx.load(Onboarding, each.id)
            tx.save(onboarding, onboarding.has(kind, what, on))
