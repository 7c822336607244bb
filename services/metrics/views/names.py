"""Whose a row of a breakdown is: the keys it runs over and the names they are shown by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.customers import CustomerFact, ProductFact
from services.metrics.facts.skills import SkillFact
from services.metrics.facts.targets import TargetFact
from services.metrics.facts.teams import DepartmentFact, GroupFact, PersonFact, TeamFact
from services.metrics.sums import Tally
from services.metrics.views.frame import Reading
from shared.facts import Fact
from shared.identity.permissions import Principal
from shared.store import Snapshot
from shared.store.sql import OneOf

_NAMED: Mapping[str, type[Fact]] = {
    "department": DepartmentFact,
    "team": TeamFact,
    "group": GroupFact,
    "member": PersonFact,
    "customer": CustomerFact,
    "product": ProductFact,
    "skill": SkillFact,
}
_ALWAYS_SHOWN = ("department", "team")
"""Dimensions whose every member has a row, also one in which nothing happened."""
_tally, _target = Tally.__table__.c, TargetFact.__table__.c  # type: ignore[attr-defined]
_AIMING = sa.select(_target.ref).distinct().where(
    _target.level == sa.bindparam("dim"), _target.start < sa.bindparam("end", type_=sa.Date()),
    _target.end > sa.bindparam("start", type_=sa.Date()),
)  # fmt: skip
"""Whoever has a target has a row, above all who sold nothing: all of it is missing."""


async def keys_of(reading: Reading, dim: str, kinds_of: str = "") -> list[str]:
    """The ids a breakdown has rows for: those with entries or targets, and all departments and teams."""
    if dim == "region":
        return sorted(await reading.teams_by("region"))
    span = reading.question.span
    mine = [_tally.measure == kinds_of] if dim == "kind" and kinds_of else []
    known = (_tally.dim == dim, _tally.grain == "m", _tally.start < span.end, *mine)
    used = sa.select(_tally.key).where(*known).distinct()
    keys = {key for (key,) in await reading.snapshot.rows(used)}
    keys |= {key for (key,) in await reading.snapshot.rows(_AIMING, dim=dim, start=span.start, end=span.end)}
    if dim in _ALWAYS_SHOWN:
        table = _NAMED[dim].__table__.c  # type: ignore[attr-defined]
        keys |= {key for (key,) in await reading.snapshot.rows(sa.select(table.id))}
    if dim in reading.filters:
        keys &= {reading.filters[dim]}
    return sorted(keys)


async def names_of(snapshot: Snapshot, dim: str, keys: Sequence[str], principal: Principal) -> dict[str, str]:
    """The names that have arrived, by id; people's names only for those who may read them."""
    model = _NAMED.get(dim)
    if model is None or (dim == "member" and not principal.may("people:read")):
        return {}
    table = model.__table__.c  # type: ignore[attr-defined]
    select = sa.select(table.id, table.name).where(OneOf(table.id, "keys"))
    found: dict[str, Any] = {key: name for key, name in await snapshot.rows(select, keys=list(keys)) if name}
    return found
