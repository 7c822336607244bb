"""All reviews a reader may see, the latest first, and the form by which another one is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.api.charters import charter_of
from services.metrics.api.reviews import readable
from services.metrics.domain.charters import PARTS
from services.metrics.domain.reviews import Review
from services.metrics.facts.teams import TeamFact
from services.metrics.page.review.charter_form import MAY
from services.metrics.page.review.figures import tenths
from services.metrics.page.review.words import CLASSES, listed
from services.metrics.views.names import names_of
from services.metrics.views.shown import house_of
from shared.identity.permissions import Principal
from shared.instant import day_of, now
from shared.period import Period
from shared.store import Snapshot

MOST: Final = 100
QUARTERS: Final = 8
_review = Review.__table__.c  # type: ignore[attr-defined]
_team = TeamFact.__table__.c  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Held:
    """A review in a line."""

    ref: str
    team: str
    period: str
    recommended: str
    indices: tuple[str, str]
    decided: str
    made_on: Any
    revision: int


async def listing(snapshot: Snapshot, reader: Principal) -> dict[str, Any]:
    """What the page of reviews shows."""
    allowed = await readable(snapshot, reader)
    meant = [_review.outdated_by.is_(None)] + ([allowed] if allowed is not None else [])
    newest = sa.select(Review).where(*meant).order_by(_review.end.desc(), _review.team, _review.id).limit(MOST)
    found = await snapshot.all(Review, newest)
    teams = sorted((name, ref) for name, ref in await snapshot.rows(sa.select(_team.name, _team.id)))
    names = {ref: name or ref for name, ref in teams} | await names_of(
        snapshot, "team", sorted({each.team for each in found}), reader
    )
    house, charter = await house_of(snapshot), await charter_of(snapshot)
    quarter = Period.of("quarter", day_of(now(), house.zone), house.first_month)
    return {
        "reviews": [_held(each, names) for each in found],
        "teams": teams,
        "charter": charter,
        "lacks": [PARTS[each] for each in (charter.missing if charter else PARTS)],
        "may_hold": reader.may("reviews:write"),
        "may_settle": reader.may(MAY),
        "periods": quarters_of(quarter, house.first_month),
    }


def _held(review: Review, names: dict[str, str]) -> Held:
    team = review.document["measures"]["team"]
    values = [team[each]["value"] for each in ("COM", "TWK")]
    one, other = (tenths(each) if each else "not enough data" for each in values)
    return Held(
        review.id, names.get(review.team, review.team), review.label,
        CLASSES[review.document["recommendation"]["class"]], (one, other), listed(list(review.decided)),
        review.made_on, review.revision,
    )  # fmt: skip


def quarters_of(quarter: Period, first_month: int) -> list[str]:
    """The quarters that are over, latest first, and then the one that runs."""
    found = [quarter]
    for _ in range(QUARTERS):
        found.append(Period.of("quarter", found[-1].start - timedelta(days=1), first_month))
    return [each.label for each in (*found[1:], quarter)]
