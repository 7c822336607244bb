"""What may be expected of a member of the targets, with ramp and absences, and how far that is reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.teams import AbsenceFact, MemberFact
from services.metrics.views.frame import Compute, Figure, Reading
from services.metrics.views.targets import Reached, aims_of, reached
from shared.attainment import Attainment
from shared.opportunity import Adjusted, adjusted, stretches

_away = AbsenceFact.__table__.c  # type: ignore[attr-defined]
_IN_TIME = sa.select(AbsenceFact).where(
    _away.start < sa.bindparam("end", type_=sa.Date()),
    sa.or_(_away.end.is_(None), _away.end > sa.bindparam("start", type_=sa.Date())),
)
_OF_MEMBER = _IN_TIME.where(_away.member == sa.bindparam("member"))


async def expected(reading: Reading, figure: str) -> Reached | None:
    """How far what may be expected of a member is reached; none without targets, or in several currencies."""
    if set(reading.filters) != {"member"}:
        reading.note(figure, "what may be expected by ramp and absences is known of one member")
        return None
    found = await reached(reading, figure)
    if found is None:
        return None

    async def add_up() -> Adjusted:
        who = reading.filters["member"]
        member = await reading.snapshot.recall(MemberFact, who) or MemberFact.make(id=who)
        away, before = (await _absences(reading, who)).get(who, ()), reading.question.span.asked
        whole = Adjusted()
        for aim in await aims_of(reading, figure):
            whole += adjusted(aim.before, aim.days, before, stretches(member, away, aim.days))
        return whole

    whole: Adjusted = await reading.once("adjusted targets", add_up)
    return Reached(Attainment(whole.value, found.state.actual, whole.due), found.currency)


async def _absences(reading: Reading, member: str) -> Mapping[str, Sequence[AbsenceFact]]:
    days = {"start": reading.question.period.start, "end": reading.question.period.end}

    async def read() -> Mapping[str, Sequence[AbsenceFact]]:
        if reading.along == "member":
            found = await reading.snapshot.all(AbsenceFact, _IN_TIME, **days)
        else:
            found = await reading.snapshot.all(AbsenceFact, _OF_MEMBER, **days, member=member)
        by_member: dict[str, list[AbsenceFact]] = defaultdict(list)
        for each in found:
            by_member[each.member].append(each)
        return by_member

    whose = "all" if reading.along == "member" else member
    absences: Mapping[str, Sequence[AbsenceFact]] = await reading.shared(f"absences of {whose}", read)
    return absences


def of_expected(figure: str, part: str) -> Compute:
    """A figure about what may be expected of a member."""

    async def compute(reading: Reading) -> Any:
        found = await expected(reading, figure)
        if found is None:
            return None
        value = found.shown()[part]
        if value is None:
            reading.note(figure, "nothing was to be expected of these days")
        return value

    return compute


FIGURES: Final = (
    Figure("target_adjusted", "What may be expected of one member of the target: target x ramp x active share, day by "
           "day along its distribution.", of_expected("target_adjusted", "target"), "targets"),
    Figure("attainment_adjusted", "Revenue of the target's days ÷ what may be expected of one member of the target "
           "by ramp and absences, never capped.", of_expected("attainment_adjusted", "attainment"), "targets"),
)  # fmt: skip
