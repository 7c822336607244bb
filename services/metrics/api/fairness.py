"""`/v1/reviews/fairness`: whether the reviews of a period look at newcomers, absent members, part-timers and those who
work remotely as they look at others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.metrics.api.review_opening import reviews
from services.metrics.domain.reviews import Review
from services.metrics.facts.teams import AbsenceFact, MemberFact
from services.metrics.review.fairness import FEWEST, Seen, compared, written
from services.metrics.views.shown import house_of, question_of
from shared.asked_period import AskedPeriod, asked_period
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal, require
from shared.store import Snapshot
from shared.store.sql import OneOf

_WRITE = require("reviews:write")
NEW: Final = timedelta(weeks=26)
PLACES: Final = frozenset({"remote", "hybrid"})
_review = Review.__table__.c  # type: ignore[attr-defined]
_member = MemberFact.__table__.c  # type: ignore[attr-defined]
_away = AbsenceFact.__table__.c  # type: ignore[attr-defined]
_START, _END = sa.bindparam("start", type_=sa.Date()), sa.bindparam("end", type_=sa.Date())
_OF_PERIOD = sa.select(Review).where(
    _review.start == _START, _review.end == _END, _review.outdated_by.is_(None), _review.thinned_on.is_(None)
)
_MEMBERS = sa.select(MemberFact).where(OneOf(_member.id, "ids"))
_ABSENT = sa.select(AbsenceFact).where(
    OneOf(_away.member, "ids"), _away.start < _END, sa.or_(_away.end.is_(None), _away.end > _START)
)


class Fairness(BaseModel):
    """Groups against all others; where they differ for sure, the measure is to be looked at, not the people."""

    period: dict[str, Any]
    reviews: int
    fewest: int = Field(description="of a group of fewer nothing is told")
    groups: dict[str, str]
    differences: list[dict[str, Any]]


@reviews.router.get("/fairness", operation_id="check_fairness",
                    openapi_extra=described(_WRITE, None, {200: Fairness}, missing=True))  # fmt: skip
async def check_fairness(
    request: Request,
    principal: Annotated[Principal, Depends(_WRITE)],
    period: Annotated[AskedPeriod, Depends(asked_period)],
) -> Response:
    """Whether the reviews of a period look at groups alike; a difference leads to a look at the measure."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        days = (await question_of(snapshot, period, {})).period
        held = await snapshot.all(Review, _OF_PERIOD, start=days.start, end=days.end)
        return {
            "period": {"label": days.label, "from": days.start, "to": days.end},
            "reviews": len(held), "fewest": FEWEST,
            "groups": {
                "new": "began less than 26 weeks before the end", "absent": "away on some day of it",
                "part-time": "with a working share of less than the whole at its end",
                "remote": "working remotely at its end", "hybrid": "working partly in the office at its end",
            },
            "differences": [written(each) for each in compared(await _seen(snapshot, held))],
        }  # fmt: skip

    return Response(to_json(await runtime_of(request).store.read(query)), media_type="application/json")


async def _seen(snapshot: Snapshot, held: Sequence[Review]) -> list[Seen]:
    """Every member of these reviews; of who was in two teams what each of them saw."""
    ids = sorted({each for review in held for each in review.document["measures"]["members"]})
    if not held:
        return []
    start, end = held[0].start, held[0].end
    last = end - timedelta(days=1)
    held_here = (await house_of(snapshot)).holds_workplaces
    careers = {each.id: each for each in await snapshot.all(MemberFact, _MEMBERS, ids=ids)}
    away = {each.member for each in await snapshot.all(AbsenceFact, _ABSENT, ids=ids, start=start, end=end)}
    found = []
    for review in held:
        isolates = set(review.document["associations"]["network"]["isolates"])
        for member, values in review.document["measures"]["members"].items():
            began = careers[member].starts_on if member in careers else None
            groups = {"new"} if began is not None and began > end - NEW else set[str]()
            groups |= {"absent"} if member in away else set()
            groups |= {"part-time"} if member in careers and careers[member].part_time_on(last) else set()
            place = careers[member].workplace_on(last) if member in careers and held_here else None
            groups |= PLACES & {place}
            known = {id: float(each["value"]) for id, each in values.items() if each["value"] is not None}
            found.append(Seen(frozenset(groups), member in isolates, known, PLACES if place is None else frozenset()))
    return found
