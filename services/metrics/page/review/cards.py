"""A scorecard as a page: the measures of a team or of a member, for whom they are meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from fastapi import Request

from services.metrics.api.reviews import sight_of
from services.metrics.api.scorecards import member_card, team_card
from services.metrics.facts.teams import MemberFact, TeamFact
from services.metrics.page.periods import first_look
from services.metrics.page.review.figures import SMALL_TEAM, Figure, Reader
from services.metrics.page.review.listing import quarters_of
from services.metrics.page.review.matrix import BEHAVIOUR, GOALS, PROCESS, RESULTS, TEAM
from services.metrics.review.reading.before import rules_of
from services.metrics.review.reading.belonging import belonging_of
from services.metrics.views.names import names_of
from services.metrics.views.shown import house_of
from shared.asked_period import AskedPeriod
from shared.errors import Fault, Invalid, NotFound
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal
from shared.instant import day_of, now
from shared.period import BadPeriod, Period
from shared.store import Snapshot

_CELLS: Final = {
    "members": (("Behaviour", BEHAVIOUR), ("Results", RESULTS)),
    "teams": (("Process", ("COM", "TWK", *PROCESS)), ("Results", TEAM), ("Link to the goals", GOALS)),
}
_team = TeamFact.__table__.c  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Card:
    """What is on the page of a scorecard."""

    whose: str
    kind: str
    ref: str
    team: str
    team_ref: str
    period: Period
    asked: str
    periods: Sequence[str]
    cells: Sequence[tuple[str, Sequence[Figure]]]
    members: Sequence[tuple[str, str]]
    """Members whose cards the reader may see, by name."""


async def card(request: Request, kind: str, ref: str, principal: Principal) -> Card:
    """The scorecard of a member or a team. Raises NotFound for who may not see it."""
    given = request.query_params
    try:
        asked = AskedPeriod.of(given.get("period"), given.get("from"), given.get("to")) if given else None
    except BadPeriod as fault:
        raise Invalid(str(fault), [Fault(f"/{fault.part}", str(fault))]) from None

    async def query(snapshot: Snapshot) -> Card:
        return await _card(snapshot, kind, ref, asked, principal)

    return await runtime_of(request).store.read(query)


async def _card(snapshot: Snapshot, kind: str, ref: str, asked: AskedPeriod | None, reader: Principal) -> Card:
    house = await house_of(snapshot)
    asked = asked or AskedPeriod((await first_look(snapshot, day_of(now(), house.zone), house.first_month)).label)
    found = await (member_card if kind == "members" else team_card)(snapshot, ref, asked, reader)
    team = await snapshot.recall(TeamFact, found["team"])
    assert team is not None
    period = asked.resolve(house.first_month)
    there = await belonging_of(snapshot, team, period)
    reading = Reader("", await rules_of(snapshot), house.currency, False, len(there.ids) < SMALL_TEAM)
    names = await names_of(snapshot, "member", there.ids, reader)
    mine = there.ids if await sight_of(snapshot, team.id, reader) == "whole" else [
        each for each in there.ids if each == reader.member
    ]  # fmt: skip
    quarter = Period.of("quarter", day_of(now(), house.zone), house.first_month)
    whose = team.name or team.id if kind == "teams" else names.get(found["ref"], found["ref"])
    return Card(
        whose, kind, found["ref"], team.name or team.id, team.id, period, asked.text,
        quarters_of(quarter, house.first_month), _cells(reading, kind, found["measures"]),
        sorted((names.get(each, each), each) for each in mine),
    )  # fmt: skip


def _cells(reader: Reader, kind: str, measures: dict[str, Any]) -> list[tuple[str, list[Figure]]]:
    return [
        (title, [reader.figure("", each, measures[each]) for each in ids if each in measures])
        for title, ids in _CELLS[kind]
    ]


async def own_team(request: Request, principal: Principal) -> str:
    """The address of a reader's own card; for others the first team's. Raises NotFound without one."""

    async def query(snapshot: Snapshot) -> str:
        if principal.member is not None and await snapshot.recall(MemberFact, principal.member) is not None:
            return f"/scorecards/members/{principal.member}"
        found = sorted((name, ref) for name, ref in await snapshot.rows(sa.select(_team.name, _team.id)))
        if not found:
            raise NotFound("There is no team here (yet), and so no scorecard.")
        return f"/scorecards/teams/{found[0][1]}"

    return await runtime_of(request).store.read(query)
