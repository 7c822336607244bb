"""Who comes when we meet? Of those who were invited to meetings at which it was noted who came.

Invited is who stands among those invited, and whoever belongs on the day of the meeting to a team or department that
meets. A department's are its members of that day, and a team's likewise, at whatever meeting they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.meetings import MeetingFact
from services.metrics.facts.teams import MemberFact
from services.metrics.views.frame import Compute, Figure, Reading
from services.metrics.views.people import BELONGING, by_belonging, everybody
from services.metrics.views.row_source import Source, simple
from services.metrics.views.values import shown_rate
from shared.membership import Spell, covers, on_day

_meeting = MeetingFact.__table__.c  # type: ignore[attr-defined]
_HELD = sa.select(MeetingFact).where(
    _meeting.status == "ended", _meeting.on >= sa.bindparam("start", type_=sa.Date()),
    _meeting.on < sa.bindparam("end", type_=sa.Date()),
)  # fmt: skip
PRESENT, EXCUSED = "present", "excused"
SAID: Final = (PRESENT, EXCUSED)
Place = tuple[str, str]
"""A dimension and one of it; nothing and nothing for the whole."""


@dataclass(frozen=True, slots=True)
class Met:
    """A meeting, and of each place it concerns how many were invited, were there and were excused."""

    meeting: str
    invited: Counter[Place]
    said: Mapping[str, Counter[Place]]


class Belonged:
    """Who belonged to which team and department on which day."""

    def __init__(self, members: Iterable[MemberFact]) -> None:
        self.members = {each.id: each for each in members}
        self._ever: dict[Place, list[tuple[Spell, str]]] = {}
        for each in self.members.values():
            for dim, spells in (("department", each.departments), ("team", each.memberships)):
                for spell in spells:
                    self._ever.setdefault((dim, spell["of"]), []).append((spell, each.id))

    def there(self, dim: str, keys: Iterable[str], day: date) -> Iterator[str]:
        """Who belonged to one of some teams or departments on a day."""
        for key in keys:
            yield from (member for spell, member in self._ever.get((dim, key), ()) if covers(spell, day))

    def places(self, member: str, day: date) -> set[Place]:
        """Where somebody counts on a day: in the whole, their department and their teams."""
        found = self.members.get(member)
        departments = on_day(found.departments, day) if found else []
        teams = on_day(found.memberships, day) if found else []
        return {("", ""), *(("department", key) for key in departments), *(("team", key) for key in teams)}


async def meetings_of(reading: Reading) -> Sequence[Met]:
    """The meetings of the period at which it was noted who came; read once for a breakdown."""

    async def read() -> list[Met]:
        span, belonged = reading.question.span, Belonged(await everybody(reading))
        held = await reading.snapshot.all(MeetingFact, _HELD, start=span.start, end=span.end)
        return [_met(each, belonged) for each in held if PRESENT in each.attendance.values()]

    found: Sequence[Met] = await reading.shared("who came", read)
    return found


def _met(meeting: MeetingFact, belonged: Belonged) -> Met:
    assert meeting.on is not None
    invited = set(meeting.attendance)
    for dim, keys in (("team", meeting.teams), ("department", meeting.departments)):
        invited.update(belonged.there(dim, keys, meeting.on))
    counts: dict[str, Counter[Place]] = {said: Counter() for said in (*SAID, "invited")}
    for member in invited:
        places, said = belonged.places(member, meeting.on), meeting.attendance.get(member, "")
        counts["invited"].update(places)
        if said in SAID:
            counts[said].update(places)
    return Met(meeting.id, counts.pop("invited"), counts)


async def _counted(reading: Reading) -> tuple[int, int, int]:
    """How many were invited, were there and were excused, of what is asked about."""
    place, found = _place(reading), await meetings_of(reading)
    of_place = [(each.invited[place], each.said[PRESENT][place], each.said[EXCUSED][place]) for each in found]
    invited, present, excused = (sum(numbers) for numbers in zip(*of_place, strict=True)) if of_place else (0, 0, 0)
    return invited, present, excused


def _place(reading: Reading) -> Place:
    return next(iter(reading.filters.items()), ("", ""))


def _number(figure: str, which: int) -> Compute:
    async def compute(reading: Reading) -> Any:
        return (await _counted(reading))[which] if by_belonging(reading, figure) else None

    return compute


async def attendance(reading: Reading) -> Any:
    """Who was there, of those who could come."""
    if not by_belonging(reading, "attendance"):
        return None
    invited, present, excused = await _counted(reading)
    if invited == excused:
        reading.note("attendance", "at no meeting of the period it was noted who came")
    return shown_rate(present, invited - excused)


async def _rows(reading: Reading) -> list[sa.ColumnElement[bool]]:
    if set(reading.filters) - set(BELONGING) or len(reading.filters) > 1:
        return [sa.false()]
    place = _place(reading)
    return [_meeting.id.in_([each.meeting for each in await meetings_of(reading) if each.invited[place]])]


ATTENDANCE_FIGURES = (
    Figure("attendance_invited", "Invitations to meetings that ended on days of the period and at which it was noted "
           "who came; of a department or team those of its members of the day.", _number("attendance_invited", 0),
           "attendance"),
    Figure("attendance_present", "Of these invitations those of members who were there.",
           _number("attendance_present", 1), "attendance"),
    Figure("attendance_excused", "Of these invitations those of members who were excused.",
           _number("attendance_excused", 2), "attendance"),
    Figure("attendance", "Members who were there ÷ those who were invited and not excused, over the meetings of the "
           "period at which it was noted who came.", attendance, "attendance"),
)  # fmt: skip
ATTENDANCE_ROWS: Mapping[str, Source] = {
    "attendance": Source(
        MeetingFact, _rows, simple("meeting", "form", "on", "teams", "departments", "attendance", "lasted")
    )
}
