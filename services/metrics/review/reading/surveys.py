"""What a team said of its communication and cooperation, from the pulse of the period that was closed last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.pulses import PulseFact
from services.metrics.review.measure import Survey
from services.metrics.review.reading.belonging import Belonging
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


_LAST = last_closed(PulseFact)
ITEMS: Final = {"communication": 4, "cooperation": 4}
"""How many questions a scale adds up; a single question is itself."""
SILENT: Final[Mapping[str, int]] = {"n": 0, "total": 0, "squares": 0}


async def surveys_of(snapshot: Snapshot, team: Belonging, end: date) -> Mapping[str, Survey]:
    """By scale and by question; of too few answers only how many there were."""
    found = await snapshot.all(PulseFact, _LAST, team=team.team.id, start=team.period.start, end=end)
    return {name: of_sums(found[0], name) for name in {*ITEMS, *found[0].sums}} if found else {}


def of_sums(pulse: PulseFact, name: str) -> Survey:
    """Mean and deviation of answers between 1 and 5 from their sum and the sum of their squares."""
    sums, items = pulse.sums.get(name, SILENT), ITEMS.get(name, 1)
    n = sums["n"]
    if n == 0:  # too few, and so the sums were not told
        return Survey(0.0, 0.0, pulse.answered if not pulse.sums else 0, pulse.asked, (f"pulse/{pulse.id}",))
    return Survey.summed(n, sums["total"], sums["squares"], items=items, asked=pulse.asked, source=f"pulse/{pulse.id}")
