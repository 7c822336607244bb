"""Members and what happens to them, without anything around them; and any sequence of acts, for hypothesis."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from services.teams.domain.members import DATED, Member
from shared.errors import Refused
from shared.events import Event
from shared.membership import Spell

FIRST = date(2026, 1, 1)
SPELLS = ("employments", "memberships", "groups", *DATED.values())
TEAM_OF = {"g1": "north", "g2": "north", "g3": "south"}


def day(text: str) -> date:
    """A day."""
    return date.fromisoformat(text)


def member(starts_on: str = "2026-01-01", **fields: Any) -> Member:
    """Somebody who works in sales from a day on."""
    given: dict[str, Any] = {"department": "sales", "id": "mbr_a", "externals": {}} | fields
    return Member.recruit(starts_on=day(starts_on), **given)[0]


def days_of(spells: list[Spell]) -> list[tuple[str | None, str, str | None]]:
    """Of what, from and to, with month and day only."""
    return [(each["of"], each["from"][5:], each["to"] and each["to"][5:]) for each in spells]


days = st.integers(0, 60).map(lambda each: FIRST + timedelta(days=each))
teams = st.sampled_from(["north", "south"])
acts = st.one_of(
    st.tuples(st.just("join"), teams, days, st.sampled_from([None, *TEAM_OF]), st.none() | days),
    st.tuples(st.just("move"), teams, teams, days),
    st.tuples(st.just("leave_team"), teams, days, st.sampled_from([None, *TEAM_OF])),
    st.tuples(st.just("leave"), days),
    st.tuples(st.just("stay"), days),
    st.tuples(st.just("recruit_again"), days, st.sampled_from([None, "sales", "hr"])),
    st.tuples(st.just("change"), days, st.sampled_from(["sales", "hr", "it"])),
)


def act(somebody: Member, what: tuple[Any, ...]) -> Event | None:
    """Do it to somebody; nothing is told when it is refused."""
    try:
        match what:
            case ("join", team, on, group, end):
                return somebody.join(TEAM_OF.get(group, team), on, group, end)
            case ("leave_team", team, on, group):
                return somebody.leave_team(TEAM_OF.get(group, team), on, group)
            case ("recruit_again", starts_on, department):
                return somebody.recruit_again(starts_on, **({"department": department} if department else {}))
            case ("change", on, department):
                return somebody.change(on, department=department)
            case (verb, *rest):
                told: Event = getattr(somebody, verb)(*rest)
                return told
    except Refused:
        return None
    raise AssertionError(what)
