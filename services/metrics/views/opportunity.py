"""What may be expected of the targets with the ramps and absences of members, and how far that is reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.teams import AbsenceFact, MemberFact
from services.metrics.views.frame import Compute, Figure, Reading
from services.metrics.views.targets import Aim, Reached, aims_of, may_add_up, reached, targets_of_level
from shared.attainment import Attainment
from shared.opportunity import Adjusted, Quota, counting, expected_by_quota
from shared.store.sql import OneOf

_member = MemberFact.__table__.c  # type: ignore[attr-defined]
_absence = AbsenceFact.__table__.c  # type: ignore[attr-defined]
_PEOPLE = sa.select(MemberFact).where(OneOf(_member.id, "members"))
_AWAY = sa.select(AbsenceFact).where(OneOf(_absence.member, "members"))


async def expected(reading: Reading, figure: str) -> Reached | None:
    """How far what may be expected of whoever is asked about is reached; none without targets, or in several
    currencies."""
    found = await reached(reading, figure)
    if found is None:
        return None

    aims = await aims_of(reading, figure)
    if not may_add_up(reading, figure, await _who_count(reading, aims)):
        return None

    async def add_up() -> Adjusted | None:
        parts = [await _of_aim(reading, aim, found.currency) for aim in aims]
        told = [each for each in parts if each is not None]
        return sum(told, Adjusted()) if told else None

    whole: Adjusted | None = await reading.once("adjusted targets", add_up)
    if whole is None:
        reading.note(figure, "no member who counts for it has a revenue target of these days")
        return None
    return Reached(Attainment(whole.value, found.state.actual, whole.due), found.currency)


async def _of_aim(reading: Reading, aim: Aim, currency: str) -> Adjusted | None:
    found = [part for _, part in await _by_target(reading, aim, currency)]
    return sum(found, Adjusted()) if found else None


async def _by_target(reading: Reading, aim: Aim, currency: str) -> list[tuple[str, Adjusted]]:
    target, theirs = aim.target, [aim.target]
    if target.level != "member":
        theirs = [each for each in await targets_of_level(reading, "member") if each.currency == currency]
    quotas = [Quota(each.ref, each.period, each.due_before) for each in theirs]
    people, away = await careers_of(reading)
    found = expected_by_quota(target.level, target.ref, aim.days, quotas, people, away, reading.question.span.asked)
    return [(next(each.id for each, quota in zip(theirs, quotas, strict=True) if quota is of), part)
            for of, part in found]  # fmt: skip


async def expected_of_targets(reading: Reading, figure: str) -> Mapping[str, Adjusted]:
    """What may be expected of each member's target that counts for whoever is asked about, by its id."""
    state = await expected(reading, figure)
    parts: dict[str, Adjusted] = {}
    for aim in await aims_of(reading, figure) if state is not None else []:
        for target, adjusted in await _by_target(reading, aim, state.currency if state else ""):
            parts[target] = parts.get(target, Adjusted()) + adjusted
    return parts


async def _who_count(reading: Reading, aims: Sequence[Aim]) -> set[str]:
    """The members with targets who count for whoever these aims are of."""
    people, _ = await careers_of(reading)
    return {
        member
        for member, career in people.items()
        for aim in aims
        if (aim.target.level != "member" or aim.target.ref == member)
        and any(counting(career, aim.target.level, aim.target.ref, aim.days))
    }


async def careers_of(reading: Reading) -> tuple[Mapping[str, MemberFact], Mapping[str, Sequence[AbsenceFact]]]:
    """The members who have targets in the period, with their absences."""

    async def read() -> tuple[Mapping[str, MemberFact], Mapping[str, Sequence[AbsenceFact]]]:
        whose = sorted({each.ref for each in await targets_of_level(reading, "member")})
        known = {each.id: each for each in await reading.snapshot.all(MemberFact, _PEOPLE, members=whose)}
        away: dict[str, list[AbsenceFact]] = defaultdict(list)
        for each in await reading.snapshot.all(AbsenceFact, _AWAY, members=whose):
            away[each.member].append(each)
        return {key: known.get(key) or MemberFact.make(id=key) for key in whose}, away

    found: tuple[Mapping[str, MemberFact], Mapping[str, Sequence[AbsenceFact]]]
    found = await reading.shared("careers", read)
    return found


def of_expected(figure: str, part: str) -> Compute:
    """A figure about what may be expected."""

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
    Figure("target_adjusted", "What may be expected of the target: of a member target x ramp x active share, day by "
           "day along its distribution; of others the same of the targets of the members who count for them, for the "
           "days on which they do.", of_expected("target_adjusted", "target"), "expected"),
    Figure("attainment_adjusted", "Revenue of the target's days ÷ what may be expected by ramp and absences, never "
           "capped.", of_expected("attainment_adjusted", "attainment"), "attained_of_expected"),
)  # fmt: skip
