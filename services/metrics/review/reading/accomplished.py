"""What a team has accomplished without a number, and by which of its targets it measures itself, period by period."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

import sqlalchemy as sa

from services.metrics.facts.accomplishments import AccomplishmentFact, OwnMeasuresFact
from services.metrics.facts.targets import TargetFact
from services.metrics.review.inputs import Accomplishment, Own
from services.metrics.review.reading.belonging import Belonging
from services.metrics.review.reading.goals import as_number
from services.metrics.views.goals import Aims
from shared.store import Snapshot

_accomplishment = AccomplishmentFact.__table__.c  # type: ignore[attr-defined]
_own = OwnMeasuresFact.__table__.c  # type: ignore[attr-defined]
_START, _END = sa.bindparam("start", type_=sa.Date()), sa.bindparam("end", type_=sa.Date())
_CLAIMED = sa.select(AccomplishmentFact).where(
    _accomplishment.team == sa.bindparam("team"), _accomplishment.start < _END, _accomplishment.end > _START,
    _accomplishment.withdrawn_on.is_(None),
)  # fmt: skip
_CONFIRMED = (
    sa.select(OwnMeasuresFact)
    .where(_own.team == sa.bindparam("team"), _own.start < _END, _own.end > _START, _own.withdrawn_on.is_(None))
    .order_by(_own.start, _own.id)
)


async def accomplishments_of(snapshot: Snapshot, team: Belonging, end: date) -> tuple[Accomplishment, ...]:
    """What a team claims of the period; whether somebody finds it shown may be said later."""
    found = await snapshot.all(AccomplishmentFact, _CLAIMED, team=team.team.id, start=team.period.start, end=end)
    return tuple(
        Accomplishment(
            id=each.id, goal=each.goal, pieces=each.pieces, claimed_on=each.claimed_on, claimed_by=each.claimed_by,
            verified_on=each.verified_on, verified_by=each.verified_by, disputed=each.disputed_on is not None,
        )
        for each in found if each.claimed_on is not None
    )  # fmt: skip


async def owned_of(aims: Aims, team: Belonging) -> tuple[Own, ...]:
    """The measures of a team's own: what it has confirmed, and what it aims at besides that serves no goal of the
    organisation."""
    span = aims.reading.question.span
    sets = await aims.reading.snapshot.all(
        OwnMeasuresFact, _CONFIRMED, team=team.team.id, start=span.start, end=span.end
    )
    by_target = {each.id: [one for one in sets if each.id in one.targets] for each in aims.targets}
    own = [each for each in aims.targets if _is_own(each, team.team.id, aims.serving(), by_target)]
    return tuple([
        Own(
            id=each.id, metric=each.metric, reached=as_number(await aims.of_target(each)),
            confirmed=_covers(by_target[each.id], max(span.start, each.start), min(span.asked, each.end)),
            late=any(one.confirmed_on > one.start for one in by_target[each.id] if one.confirmed_on and one.start),
            by=tuple(one.id for one in by_target[each.id]),
        )
        for each in own if each.start is not None and each.end is not None
    ])  # fmt: skip


def _is_own(
    target: TargetFact, team: str, serving: Collection[str], by_target: Mapping[str, Sequence[OwnMeasuresFact]]
) -> bool:
    if (target.level, target.ref) != ("team", team):
        return False
    return bool(by_target[target.id]) or (target.goal not in serving and target.metric != "revenue")


def _covers(sets: Sequence[OwnMeasuresFact], start: date, end: date) -> bool:
    """Whether sets, in the order of their days, have every day from one up to another, and there is one at all."""
    for each in sets:
        if each.start is not None and each.end is not None and each.start <= start:
            start = max(start, each.end)
    return bool(sets) and start >= end
