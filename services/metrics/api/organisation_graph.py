"""`/v1/associations/organisation`: how work runs between departments or teams, and which groups ties make."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.metrics.api.reviews import NotBegun
from services.metrics.api.scorecards import router
from services.metrics.review.catalogue import MEASURES, defined
from services.metrics.review.organisation import Between, Group, Unit, Whole, whole_of
from services.metrics.review.reading.before import rules_of
from services.metrics.review.reading.everybody import By, everybody
from services.metrics.review.written import inwardness, number, shown_value
from services.metrics.views.shown import question_of
from shared.asked_period import AskedPeriod, asked_period
from shared.errors import Refused
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal, require
from shared.store import Snapshot

__all__ = ["router"]
_HOLD = require("reviews:write")
LONGEST: Final = 92
"""Days: what makes a tie is said of a quarter."""
_MEASURES: Final = ("TP4", "MOD", "FOUND")


class TooLong(Refused):
    """What makes a tie is said of a quarter: a period of {days} days is longer than {longest}."""

    status, at = 422, "/period"


class OrganisationGraph(BaseModel):
    """How work runs in the whole organisation, by departments or teams; nobody is named, and what is of fewer than
    five people stands under `few`."""

    period: dict[str, Any]
    by: By
    members: int
    ties: int
    untied: int = Field(description="members without a tie to anybody")
    coverage: dict[str, Any] = Field(description="what work needed of others, where there was a tie to them")
    units: list[dict[str, Any]] = Field(description="each with its members, its ties and what work needed of it")
    between: list[dict[str, Any]] = Field(description="what there is between two, the least covered first")
    modularity: dict[str, Any] = Field(description="with what chance alone would make")
    inwardness: dict[str, Any] | None = Field(description="ties outside against inside, and whether that is chance")
    groups: dict[str, Any] = Field(description="the groups that ties make, by where their members belong")
    definitions: dict[str, Any]


@router.get("/v1/associations/organisation", operation_id="read_organisation_graph",
            openapi_extra=described(_HOLD, None, {200: OrganisationGraph}))  # fmt: skip
async def read_organisation_graph(
    request: Request,
    principal: Annotated[Principal, Depends(_HOLD)],
    period: Annotated[AskedPeriod, Depends(asked_period)],
    by: Annotated[By, Query(description="by what everybody is joined")] = "department",
) -> Response:
    """How work runs between departments or teams in at most a quarter, for who may hold reviews."""
    return Response(to_json(await organisation_graph(request, period, by)), media_type="application/json")


async def organisation_graph(request: Request, asked: AskedPeriod, by: By) -> dict[str, Any]:
    """The graph as it is shown. Raises TooLong and NotBegun."""

    async def query(snapshot: Snapshot) -> Any:
        question = await question_of(snapshot, asked, {})
        days = (question.period.end - question.period.start).days
        if days > LONGEST:
            raise TooLong(days=days, longest=LONGEST)
        if question.period.start > question.today:
            raise NotBegun(start=question.period.start, today=question.today)
        return question.period, await rules_of(snapshot), *await everybody(snapshot, question, by)

    days, rules, inputs, belongs = await runtime_of(request).store.read(query)
    # Of thousands it takes a second or more, in which others are answered.
    found = await asyncio.to_thread(whole_of, inputs, rules, belongs)
    period = {"label": days.label, "from": days.start, "to": days.end}
    return {"period": period, "by": by, **written(found)} | {
        "definitions": {each: defined(MEASURES[each], rules.least) for each in _MEASURES}
    }


def written(found: Whole) -> dict[str, Any]:
    """All that is told of the organisation, as it is shown."""
    return {
        "members": found.members, "ties": found.ties, "untied": found.untied,
        "coverage": shown_value(found.coverage),
        "units": [_unit(each) for each in found.units], "between": [_between(each) for each in found.between],
        "modularity": shown_value(found.modularity) | {"by_chance": number(found.chance)},
        "inwardness": inwardness(found.inwardness),
        "groups": {
            "modularity": shown_value(found.found), "groups": [_group(each) for each in found.groups],
            "smaller": {"groups": found.smaller[0], "members": found.smaller[1]},
        },
    }  # fmt: skip


def _unit(each: Unit) -> dict[str, Any]:
    return {
        "ref": each.ref or None, "members": each.members, "ties_inside": each.inside, "ties_outside": each.outside,
        "coverage": shown_value(each.coverage),
    }  # fmt: skip


def _between(each: Between) -> dict[str, Any]:
    return {
        "between": [one or None for one in each.pair], "ties": each.ties, "coverage": shown_value(each.coverage)
    }  # fmt: skip


def _group(each: Group) -> dict[str, Any]:
    of = sorted(each.of.items(), key=lambda one: (-one[1], one[0]))
    return {
        "members": each.members, "ties": each.ties, "of": [{"ref": ref or None, "members": n} for ref, n in of]
    }  # fmt: skip
