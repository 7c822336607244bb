"""`/v1/targets/{id}/attainment`: what is aimed at, set against what was achieved and against what may be expected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.targets.api.achieved.money import at_plan
from services.targets.api.converted import tender_into
from services.targets.api.judging import OWN, Judged, Tender, day_asked, expected, judged, state_of
from services.targets.api.readers import refuse_unless_theirs
from services.targets.api.scopes import Scope
from services.targets.domain.targets import Target
from shared.attainment import Attainment
from shared.errors import Fault, Invalid
from shared.http.collection import After, Prefer, Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.waiting import patience_of, tokens_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require
from shared.instant import Day
from shared.money import Currency, rounded
from shared.period import Period
from shared.rates import in_minor
from shared.store import Snapshot

router = APIRouter(tags=["targets"])
_READ = require("targets:read")
InCurrency = Annotated[
    Currency | None,
    Query(
        description="show all money in this: what was achieved at the rate of its day, what is aimed at row by row of "
        "its distribution at the rate of the day from which it is due; refused where a rate is missing"
    ),
]
AsOf = Annotated[Day | None, Query(description="at the end of this day; today if not given")]
FIGURES = ("actual", "attainment", "variance", "variance_rate", "pace")


class AttainmentShown(BaseModel):
    """How far a target is reached at the end of a day. Attainment is not capped; what is not known is null."""

    id: str
    metric: str
    direction: Literal["higher", "lower"]
    scope: Scope
    period: Period
    lifecycle: Literal["draft", "approved", "closed"]
    as_of: date
    target: Any = Field(description="money, or a number of things as a string; so are actual and variance")
    actual: Any
    attainment: dict[str, Any] | None = Field(
        description="actual ÷ target with both; where less is better (2 targets - actual) ÷ target: 1 at the target"
    )
    variance: Any = Field(description="how much better than the target; nothing achieved is the whole target missing")
    variance_rate: str | None = Field(description="variance ÷ target")
    pace: dict[str, Any] | None = Field(description="the share of the distribution that is due against that attained")
    reached: bool | None
    health: Literal["on_track", "at_risk", "behind"] | None = Field(
        description="from its pace: on track from 0.95 on, at risk from 0.8 on"
    )
    stretch: dict[str, Any] | None = Field(description="the stretch, and how far that is reached")
    adjusted: dict[str, Any] | None = Field(
        description="what may be expected: of a member target x ramp x active share, day by day; of others the same of "
        "the targets of those who count for them, for their days there (`quota` is what these sum to). With how far "
        "that is reached, and both factors; null without such targets, and where values do not add up or less is better"
    )
    at_plan_rate: dict[str, Any] | None = Field(
        description="target, actual, attainment and variance at the rates that were kept when the target was approved"
    )
    notes: list[str]


@router.get(
    "/v1/targets/{ref}/attainment",
    operation_id="attainment_of_target",
    openapi_extra=described(_READ, None, {200: AttainmentShown}, missing=True),
)
async def attainment_of_target(
    request: Request,
    ref: Reference,
    principal: Annotated[Principal, Depends(_READ)],
    as_of: AsOf = None,
    currency: InCurrency = None,
    after: After = [],  # noqa: B006
    prefer: Prefer = None,
) -> Response:
    """How far a target is reached, and whether that is as far as its distribution asks for by then."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        target = await snapshot.get(Target, ref)
        await refuse_unless_theirs(snapshot, target.level, target.ref, principal)
        return await attained(
            snapshot, target, await day_asked(snapshot, as_of), await tender_of(snapshot, target, currency)
        )

    return await answered(request, query, after, prefer)


async def answered(
    request: Request, query: Callable[[Snapshot], Awaitable[Any]], after: list[str], prefer: str | None
) -> Response:
    """What a query finds, once everything that is waited for is known."""
    found = await runtime_of(request).progress.read(tokens_of(after), patience_of(prefer), query)
    return Response(as_json(found), media_type="application/json")


async def tender_of(snapshot: Snapshot, target: Target, currency: str | None) -> Tender:
    """The currency asked for, with the rates into it; of what is no money there is none."""
    if currency is not None and target.money is None:
        detail = f"{target.metric} is measured in a number; there is nothing to show in {currency}"
        raise Invalid(f"/currency: {detail}.", [Fault("/currency", detail)])
    return await tender_into(snapshot, currency)


async def attained(snapshot: Snapshot, target: Target, day: date, tender: Tender = OWN) -> dict[str, Any]:
    """How far a target is reached at the end of a day, as it is shown."""
    found = await judged(snapshot, target, day, tender)
    known = found.achieved.amount is not None
    figures = found.state.shown(tender.unit(target))
    if not known:
        figures |= dict.fromkeys(FIGURES)
    return {
        "id": target.id,
        "metric": target.metric,
        "direction": found.metric.direction,
        "scope": {"level": target.level, "ref": target.ref or None},
        "period": target.period.as_json(),
        "lifecycle": target.lifecycle,
        "as_of": day,
        **figures,
        "reached": found.state.reached if known else None,
        "health": found.health,
        "stretch": _stretched(target, found, day) if known else None,
        "adjusted": await _expected(snapshot, target, found) if known else None,
        "at_plan_rate": _planned(target, found),
        "notes": found.achieved.notes,
    }


def _stretched(target: Target, found: Judged, day: date) -> dict[str, Any] | None:
    if target.stretch is None:
        return None
    state = state_of(target, found.metric, found.state.actual, day + timedelta(days=1), found.tender, target.stretch)
    shown = state.shown(found.tender.unit(target))
    return {"value": shown["target"], "attainment": shown["attainment"], "variance": shown["variance"]}


async def _expected(snapshot: Snapshot, target: Target, found: Judged) -> dict[str, Any] | None:
    may = await expected(snapshot, target, found)
    if may is None:
        return None
    unit, factors = found.tender.unit(target), {"ramp": may.ramp, "active": may.active}
    return (
        Attainment(may.value, found.state.actual, may.due).shown(unit)
        | {"quota": unit(may.quota)}
        | {name: _decimal(share) if share is not None else None for name, share in factors.items()}
    )


def _planned(target: Target, found: Judged) -> dict[str, Any] | None:
    """The same with all that is aimed at and achieved at the rates of the plan."""
    if found.achieved.planned is None:
        return None
    value = Fraction(target.money.minor) if target.money is not None else found.state.value
    into = found.tender.into
    if into is not None and target.money is not None:
        value = in_minor(value, target.money.currency, into, 1 / at_plan(target)[into])
    state = Attainment(value, found.achieved.planned, found.state.due, found.state.lower)
    shown = state.shown(found.tender.unit(target))
    names = ("target", "actual", "attainment", "variance")
    return {name: shown[name] for name in names} | {"rates": target.plan_rates, "on": target.approved_on}


def _decimal(rate: Fraction) -> str:
    return f"{rounded(rate):f}"
