"""Who is away on the day of a meeting they are expected at: told beside an answer, never why, and not to everybody.

Days of absence are for the member, for who leads a team of theirs today, and for the personnel office and its tools. To
all others nobody is away. Who works less on a day is not away on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from services.meetings.domain.meetings import Meeting
from services.meetings.double_bookings import ALIVE, Taken, everybody_of
from shared.identity.permissions import Principal
from shared.instant import day_of, now
from shared.known import KnownAbsence, KnownMember, KnownTeam, house
from shared.led import people_of
from shared.store import Snapshot
from shared.store.sql import OneOf

_absence = KnownAbsence.__table__.c  # type: ignore[attr-defined]
_AWAY = sa.select(KnownAbsence).where(
    OneOf(_absence.member, "ids"), _absence.share == "1", _absence.start <= sa.bindparam("last", type_=sa.Date()),
    sa.or_(_absence.end.is_(None), _absence.end > sa.bindparam("first", type_=sa.Date())),
)  # fmt: skip


async def away_then(snapshot: Snapshot, wanted: Sequence[Taken], reader: Principal) -> list[list[dict[str, Any]]]:
    """For each of these times who of those expected is away all day, as far as the reader may see it; by member."""
    people = await _seen(snapshot, wanted, reader) if wanted else []
    if not people:
        return [[] for _ in wanted]
    days = [each.on for each in wanted]
    ids = [each.id for each in people]
    found: dict[str, list[KnownAbsence]] = {}
    for each in await snapshot.all(KnownAbsence, _AWAY, ids=ids, first=min(days), last=max(days)):
        found.setdefault(each.member, []).append(each)
    return [
        [{"member": member.id, "starts_at": each.starts_at} for member in people
         if each.expects(member) and any(absence.covers(each.on) for absence in found.get(member.id, ()))]
        for each in wanted
    ]  # fmt: skip


async def away_from(snapshot: Snapshot, meeting: Meeting, reader: Principal) -> list[dict[str, Any]]:
    """Who of those expected at a meeting is away; nobody, once it is over or cancelled."""
    if meeting.status not in ALIVE:
        return []
    (found,) = await away_then(snapshot, [Taken.by(meeting)], reader)
    return found


async def _seen(snapshot: Snapshot, wanted: Sequence[Taken], reader: Principal) -> list[KnownMember]:
    """Of those who may be expected then the ones whose days of absence are for the reader."""
    if reader.may("absences:write") or (reader.member is None and reader.may("absences:read")):
        return await everybody_of(snapshot, wanted)
    if reader.member is None:
        return []
    today = day_of(now(), (await house(snapshot)).zone)
    theirs = await people_of(snapshot, reader.member, today, teams=KnownTeam, members=KnownMember)
    return [each for each in await everybody_of(snapshot, wanted) if each.id in theirs]
