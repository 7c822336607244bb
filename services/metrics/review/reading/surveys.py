"""What a team said of its communication and cooperation, from the pulse of the period that was closed last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import fsum
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.pulses import PulseFact
from services.metrics.review.measure import Asked, Recommended, Sums, Survey
from services.metrics.review.reading.belonging import Belonging
from services.metrics.review.reliability import QUESTIONS
from shared.store import Row, Snapshot


def last_closed(kind: type[Row]) -> sa.Select[Any]:
    """Of what a team was asked, that which was closed last in a period."""
    table = kind.__table__.c  # type: ignore[attr-defined]
    return (
        sa.select(kind)
        .where(
            table.team == sa.bindparam("team"),
            table.closed_on >= sa.bindparam("start", type_=sa.Date()),
            table.closed_on < sa.bindparam("end", type_=sa.Date()),
        )
        .order_by(table.closed_on.desc(), table.id)
        .limit(1)
    )


_pulse = PulseFact.__table__.c  # type: ignore[attr-defined]
_LAST = last_closed(PulseFact)
_OF_TEAMS = (
    sa.select(_pulse.team, _pulse.id, _pulse.sums)
    .where(
        _pulse.team.is_not(None), _pulse.closed_on >= sa.bindparam("start", type_=sa.Date()),
        _pulse.closed_on < sa.bindparam("end", type_=sa.Date()),
    )
    .order_by(_pulse.closed_on, _pulse.id.desc())
)  # fmt: skip
ITEMS: Final = {"communication": 4, "cooperation": 4}
"""How many questions a scale adds up; a single question is itself."""
SILENT: Final[Mapping[str, int]] = {"n": 0, "total": 0, "squares": 0}


async def surveys_of(snapshot: Snapshot, team: Belonging, end: date) -> Mapping[str, Survey]:
    """By scale and by question; of too few answers only how many there were."""
    found = await snapshot.all(PulseFact, _LAST, team=team.team.id, start=team.period.start, end=end)
    asked = [scale for scale in ITEMS if found and set(QUESTIONS[scale]) <= set(found[0].items)]
    return {name: of_sums(found[0], name) for name in {*asked, *found[0].sums}} if found else {}


def of_sums(pulse: PulseFact, name: str) -> Survey:
    """Mean and deviation of answers between 1 and 5 from their sum and the sum of their squares."""
    sums, items = pulse.sums.get(name, SILENT), ITEMS.get(name, 1)
    n = sums["n"]
    if n == 0:
        answers = 0 if pulse.sums else pulse.answered
        return Survey(0.0, 0.0, answers, pulse.asked, (f"pulse/{pulse.id}",), told=False)
    return Survey.summed(n, sums["total"], sums["squares"], items=items, asked=pulse.asked, source=f"pulse/{pulse.id}")


async def recommended_in(snapshot: Snapshot, team: Belonging, end: date) -> Recommended | None:
    """Of the team's last pulse who would recommend us, who is in between, and who would not, if enough said it."""
    found = await snapshot.all(PulseFact, _LAST, team=team.team.id, start=team.period.start, end=end)
    pulse = found[0] if found else None
    if pulse is None or pulse.promoters is None:
        return None
    return Recommended(pulse.promoters, pulse.passives or 0, pulse.detractors or 0, (f"pulse/{pulse.id}",))


async def asked_of(snapshot: Snapshot, start: date, end: date) -> Mapping[str, Asked]:
    """By scale what all teams answered in the pulse of each that was closed last in a period."""
    last = {str(team): (str(pulse), sums) for team, pulse, sums in await snapshot.rows(_OF_TEAMS, start=start, end=end)}
    whole = {scale: [last[team] for team in sorted(last) if _is_whole(last[team][1], scale)] for scale in QUESTIONS}
    return {
        scale: asked_in(scale, [sums for _, sums in found], sources=[f"pulse/{pulse}" for pulse, _ in found])
        for scale, found in whole.items() if found
    }  # fmt: skip


def asked_in(scale: str, told: Sequence[Mapping[str, Any]], sources: Iterable[str] = ()) -> Asked:
    """What the sums of several pulses say together of a scale."""
    wholes = [Sums(**sums[scale]) for sums in told]
    return Asked(
        sources=tuple(sorted(sources)),
        whole=_added(wholes), teams=len(wholes), sizes=sum(each.n * each.n for each in wholes),
        questions=tuple(_added(Sums(**sums[each]) for sums in told) for each in QUESTIONS[scale]),
        by_team=fsum(each.total * each.total / each.n for each in wholes),
    )  # fmt: skip


def _is_whole(sums: Mapping[str, Mapping[str, int]], scale: str) -> bool:
    """Whether everybody who answered a question of a scale answered all of it."""
    named = [scale, *QUESTIONS[scale]]
    return all(each in sums for each in named) and len({sums[each]["n"] for each in named}) == 1


def _added(sums: Iterable[Sums]) -> Sums:
    found = list(sums)
    return Sums(
        n=sum(each.n for each in found), total=sum(each.total for each in found),
        squares=sum(each.squares for each in found),
    )  # fmt: skip
