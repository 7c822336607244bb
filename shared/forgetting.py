"""Forgetting a person for good: once a member has been erased, nothing personal about them is kept or accepted.

The tombstone on the people's topic may come before or after, and an old description may come late or again, even after
the log has dropped the tombstone. So the erasure itself, which is kept for ever, puts the person beyond every version.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from shared.facts import Facts
from shared.ids import mark_of, shard_of
from shared.store import Tx
from shared.store.tables import Applied, External, HeldEvent

BEYOND = 2**31 - 1
_external = External.__table__.c  # type: ignore[attr-defined]
_held = HeldEvent.__table__.c  # type: ignore[attr-defined]


async def forget_people(tx: Tx, keeper: Facts[Any] | None, members: Iterable[str]) -> None:
    """Leave nothing personal of these members in a database that is told about people, and take nothing more."""
    for member in sorted(members):
        subject = f"person/{member}"
        blank = Applied.make(subject=subject, owner="people", kind="person", shard=shard_of(subject))
        (applied,) = await tx.locked(Applied, [subject], [blank])
        applied.owner, applied.version, applied.mark, applied.held = "people", BEYOND, mark_of(subject, BEYOND), 0
        tx.put(applied)
        for held in await tx.all(HeldEvent, sa.select(HeldEvent).where(_held.subject == subject)):
            tx.remove(held)
        if keeper is None:
            continue
        tx.put(keeper.model.make(id=member, shard=shard_of(subject)))
        kind = keeper.model.names or keeper.kind
        for name in await tx.all(
            External, sa.select(External).where(_external.kind == kind, _external.id == member)
        ):
            tx.remove(name)
