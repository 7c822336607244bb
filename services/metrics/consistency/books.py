"""Comparing the owners' books with what the views hold, shard by shard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from shared.facts import Facts
from shared.ids import SHARDS
from shared.store import Snapshot
from shared.store.tables import Applied, SourceProgress

Place = tuple[str, int]
_applied = Applied.__table__.c  # type: ignore[attr-defined]


@dataclass(slots=True)
class Line:
    """One shard of one kind: how many things, which versions, and what they add up to by currency."""

    count: int = 0
    marks: int = 0
    totals: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.count} with marks that add up to {self.marks}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one look at an owner's books has shown."""

    known: int
    applied: int
    """Events that the views hold, those that were given up included."""
    given_up: int
    """Of these; what its owner never wrote may be among them."""
    verified: set[int]
    """Shards in which every kind agrees."""
    behind: list[str]
    """What the owner and the views hold other versions of; while events are on their way, that is as it should be."""
    wrong: list[str]
    """Shards that hold the same versions and yet add up to something else."""


async def our_books(snapshot: Snapshot, owner: str, facts: Mapping[str, Facts[Any]]) -> dict[Place, Line]:
    """What the views hold of an owner's things, in the terms of its books."""
    lines: dict[Place, Line] = {}
    marks = (
        sa.select(_applied.kind, _applied.shard, sa.func.count(), sa.cast(sa.func.sum(_applied.mark), sa.BigInteger))
        .where(_applied.owner == owner, _applied.version > 0)
        .group_by(_applied.kind, _applied.shard)
    )
    for kind, shard, count, total in await snapshot.rows(marks):
        lines[kind, shard] = Line(count, int(total))
    for kind in sorted({kind for kind, _ in lines} & set(facts)):
        column = facts[kind].model.__table__.c
        totals = (
            sa.select(column.shard, column.total_currency, sa.cast(sa.func.sum(column.total), sa.BigInteger))
            .where(column.total_currency != "")
            .group_by(column.shard, column.total_currency)
        )
        for shard, currency, total in await snapshot.rows(totals):
            lines.setdefault((kind, shard), Line()).totals[currency] = int(total)
    return lines


def compare(theirs: Mapping[str, Any], ours: Mapping[Place, Line], progress: SourceProgress) -> Comparison:
    """An owner's books against ours: where count and marks agree, the totals must."""
    given = {
        (line["kind"], line["shard"]): Line(line["count"], line["marks"], line["totals"]) for line in theirs["lines"]
    }
    behind, wrong, unequal = [], [], set()
    for place in given.keys() | ours.keys():
        kind, shard = place
        one, other = given.get(place, Line()), ours.get(place, Line())
        if (one.count, one.marks) != (other.count, other.marks):
            unequal.add(shard)
            behind.append(f"{kind} in shard {shard}: the owner has {one}, the views have {other}")
        elif _without_zeros(one.totals) != _without_zeros(other.totals):
            wrong.append(f"{kind} in shard {shard}: the owner has {one.totals}, the views have {other.totals}")
    return Comparison(
        int(theirs["events"]), progress.applied + progress.skipped, progress.skipped,
        set(range(SHARDS)) - unequal, sorted(behind), sorted(wrong),
    )  # fmt: skip


def _without_zeros(totals: Mapping[str, int]) -> dict[str, int]:
    return {currency: total for currency, total in totals.items() if total}


async def progress_of(snapshot: Snapshot, owner: str) -> SourceProgress:
    """How many of an owner's events the views hold, and how many were given up."""
    return await snapshot.find(SourceProgress, owner) or SourceProgress.make(owner=owner)
