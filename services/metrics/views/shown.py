"""A question in the organisation's terms, and a view as it is shown: what the API and the page both answer with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.customers import CustomerFact, ProductFact
from services.metrics.facts.teams import DepartmentFact, GroupFact, MemberFact, OrganisationFact, TeamFact
from services.metrics.sums import Tally
from services.metrics.views.frame import Reading, Shelf, View, compute
from services.metrics.views.names import keys_of, names_of
from services.metrics.views.question import STRETCHES, Question
from services.metrics.views.readers import for_reader, people
from shared.asked_period import AskedPeriod
from shared.errors import Fault, NotFound
from shared.facts import Fact
from shared.identity.permissions import Principal
from shared.instant import day_of, now
from shared.store import Snapshot
from shared.store.tables import HeldEvent, SourceProgress

_THINGS: Mapping[str, type[Fact]] = {
    "department": DepartmentFact,
    "team": TeamFact,
    "group": GroupFact,
    "member": MemberFact,
    "customer": CustomerFact,
    "product": ProductFact,
}
_tally = Tally.__table__.c  # type: ignore[attr-defined]
_team = TeamFact.__table__.c  # type: ignore[attr-defined]
_HAS_REGION = sa.select(_team.id).where(_team.region == sa.bindparam("region")).limit(1)
_SPOKEN_OF = sa.select(_tally.key).where(_tally.dim == sa.bindparam("dim"), _tally.key == sa.bindparam("key")).limit(1)


async def question_of(
    snapshot: Snapshot, period: AskedPeriod, filters: Mapping[str, str], currency: str | None = None
) -> Question:
    """What is asked, in the organisation's terms; raises NotFound for a filter that names nothing known."""
    found: dict[str, str] = {}
    for dim, ref in filters.items():
        # PostgreSQL refuses to be asked for what no text column can hold.
        resolved = await _resolved(snapshot, dim, ref) if ref.isprintable() else None
        if resolved is None:
            raise NotFound(f"There is no {dim} {ref} here (yet).", [Fault(f"/{dim}", "not known")])
        found[dim] = resolved
    house = await house_of(snapshot)
    return Question(
        period.resolve(house.first_month), day_of(now(), house.zone), found, currency or house.currency,
        house.first_month, house.zone, currency,
    )  # fmt: skip


async def _resolved(snapshot: Snapshot, dim: str, ref: str) -> str | None:
    """What a filter means, if that has been told of by its owner, or by somebody else: a breakdown then has a row for
    it. Regions and kinds are words, and have no other names."""
    if dim == "region":
        return ref if await snapshot.rows(_HAS_REGION, region=ref) else None
    key = await snapshot.resolve(dim, ref) if dim in _THINGS else ref
    if key is None or (dim in _THINGS and await snapshot.recall(_THINGS[dim], key) is not None):
        return key
    return key if await snapshot.rows(_SPOKEN_OF, dim=dim, key=key) else None


async def house_of(snapshot: Snapshot) -> OrganisationFact:
    """The organisation as it is known here; the defaults until it has said something of itself."""
    return await snapshot.find(OrganisationFact, "organisation") or OrganisationFact.make(id="organisation")


async def today_of(snapshot: Snapshot, moment: datetime | None = None) -> date:
    """The day it is where the organisation is, now or at a moment."""
    return day_of(moment or now(), (await house_of(snapshot)).zone)


async def show(
    view: View,
    snapshot: Snapshot,
    question: Question,
    breakdown: str | None,
    principal: Principal,
    as_of: Mapping[str, Any],
    shelf: Shelf | None = None,
) -> dict[str, Any]:
    """A view as it is shown; views that share a shelf read each ledger once."""
    question = await for_reader(snapshot, question, principal)
    reading = Reading(snapshot, question, shelf)
    figures = await figured(view, reading)
    shown: dict[str, Any] = {
        "department": view.department,
        "period": question.period.as_json(),
        "as_of": as_of,
        "currency": question.currency,
        "figures": figures,
        "definitions": {figure.key: figure.definition for figure in view.figures},
        "notes": noted(reading),
    }
    if view.relationships:
        shown["relationships"] = {
            name: {key: figures[key] for key in keys} for name, keys in view.relationships.items()
        }
    if breakdown is not None:
        shown["breakdown"] = {"by": breakdown, "rows": await broken_down(view, reading, breakdown, principal)}
    return shown


async def figured(view: View, reading: Reading) -> dict[str, Any]:
    """The figures of a view, with a note where not all money could be converted."""
    figures = await compute(view, reading)
    apart = await reading.not_converted()
    if apart is not None:
        reading.note("currency", apart)
    return figures


def noted(reading: Reading) -> list[dict[str, str]]:
    """What is to be said of figures beside them."""
    return [{"figure": key, "why": why} for key, why in reading.notes.items()]


async def broken_down(view: View, reading: Reading, by: str, principal: Principal) -> list[dict[str, Any]]:
    """The rows of a breakdown: the same figures for each part of the period, or for each of a dimension."""
    question = reading.question
    if by in STRETCHES:
        parts = question.period.split(STRETCHES[by], question.first_month)
        return [
            {"ref": part.label, "name": part.label, "figures": await compute(view, reading.within(part))}
            for part in parts
        ]
    keys = await keys_of(reading, by, view.kinds_of)
    theirs = await people(reading.snapshot, question, principal) if by == "member" else None
    keys = [key for key in keys if theirs is None or key in theirs]
    names = await names_of(reading.snapshot, by, keys, principal)
    rows = [
        {
            "ref": key or None,
            "name": names.get(key, key) or "none",
            "figures": await compute(view, reading.row(by, key)),
        }
        for key in keys
    ]
    return sorted(rows, key=lambda row: (str(row["name"]), str(row["ref"])))


async def moment_of(snapshot: Snapshot) -> dict[str, Any]:
    """What a snapshot holds."""
    progress = await snapshot.all(SourceProgress, sa.select(SourceProgress))
    held = await snapshot.scalar(sa.select(sa.func.count()).select_from(HeldEvent))
    applied = {owner: 0 for owner in ("teams", "targets", "meetings")}
    applied |= {row.owner: row.applied for row in progress}
    return {
        "time": max((row.latest for row in progress), default=None) or None,
        "applied": applied,
        "incomplete": int(held or 0),
    }
