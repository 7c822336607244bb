"""`/v1/options/learned`: what the organisation has learnt of its options, from which reviews; the next ones use it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.metrics.api.rule_sets import option_sets
from services.metrics.domain.reviews import Review
from services.metrics.domain.rule_sets import OwnOptions
from services.metrics.review.options import Catalogue, Effect
from services.metrics.review.prior import Learnt, Lesson, learnt, with_lessons
from services.metrics.review.reading.before import options_of
from services.metrics.review.written import number
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.identity.permissions import require
from shared.store import Snapshot

__all__ = ["option_sets"]
_READ = require("options:read")
_review = Review.__table__.c  # type: ignore[attr-defined]
_options = OwnOptions.__table__.c  # type: ignore[attr-defined]
_JUDGED = sa.select(_review.id, _review.team, _review.judged, _review.plan).where(_review.judged_on.is_not(None))
_ADOPTED = sa.select(_options.adopted_on).order_by(_options.adopted_at.desc(), _options.id).limit(1)


class Expected(BaseModel):
    """What is expected of an option on a measure, in its points."""

    mean: str
    deviation: str
    source: str


class LessonShown(BaseModel):
    """What was observed of it in one review."""

    review: str
    team: str
    on: date
    verdict: str
    observed: str
    error: str


class LearntShown(BaseModel):
    """An option and a measure: what was assumed, what is expected now, and what taught that."""

    option: str
    measure: str
    assumed: Expected
    now: Expected
    lessons: list[LessonShown] = Field(description="oldest first")


class AllLearnt(BaseModel):
    """Everything that was learnt of the options there are now."""

    items: list[LearntShown]


@option_sets.router.get("/learned", operation_id="get_learned_effects", dependencies=[Depends(_READ)],
                        openapi_extra=described(_READ, None, {200: AllLearnt}))  # fmt: skip
async def get_learned_effects(request: Request) -> Response:
    """What was learnt of the options from verdicts on what was decided: who learnt what from which review."""

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        known = await learnt_of(snapshot, await options_of(snapshot))
        return [{"option": option, "measure": measure, **told(known[option, measure])}
                for option, measure in sorted(known)]  # fmt: skip

    found = await runtime_of(request).store.read(query)
    return Response(to_json({"items": found}), media_type="application/json")


async def learnt_of(snapshot: Snapshot, catalogue: Catalogue) -> Mapping[tuple[str, str], Learnt]:
    """What was learnt of these options, by option and measure."""
    rows = await snapshot.rows(_JUDGED)
    # What several teams showed together is one lesson, even where one of them is judged by itself later.
    together = {each["review"] for _, _, _, plan in rows for each in plan.get("pooled", ())}
    lessons = [
        _lesson(str(review), str(team), judged)
        for review, team, judged, _ in rows
        if judged["learned"] and review not in together
    ]
    return learnt(catalogue, lessons, await snapshot.scalar(_ADOPTED))


async def catalogue_of(snapshot: Snapshot) -> tuple[Catalogue, Mapping[tuple[str, str], Learnt]]:
    """The options with what is expected of them by now, and what was learnt."""
    catalogue = await options_of(snapshot)
    known = await learnt_of(snapshot, catalogue)
    return with_lessons(catalogue, known), known


def told(known: Learnt) -> dict[str, Any]:
    """What was learnt, as it is shown."""
    return {
        "assumed": _effect(known.assumed),
        "now": _effect(known.now),
        "lessons": [
            {"review": each.review, "team": each.team, "on": each.on.isoformat(), "verdict": each.verdict,
             "observed": number(each.observed), "error": number(each.error)}
            for each in known.lessons
        ],
    }  # fmt: skip


def _effect(effect: Effect) -> dict[str, str | None]:
    return {"mean": number(effect.mean), "deviation": number(effect.deviation), "source": effect.source}


def _lesson(review: str, team: str, judged: dict[str, Any]) -> Lesson:
    said = judged["learned"]
    return Lesson(
        option=said["option"], measure=said["measure"], observed=float(said["observed"]), error=float(said["error"]),
        verdict=judged["verdict"], review=review, team=team, on=date.fromisoformat(judged["on"]),
    )  # fmt: skip
