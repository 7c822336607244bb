"""`/v1/forecasts`: what a period is expected to bring, computed, and what somebody says beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.targets.api.forecast_deals import LEVELS, Level, Whose, history_of, won_in
from services.targets.domain.customers import Customer
from services.targets.domain.overrides import Override
from services.targets.domain.products import Product
from services.targets.known import period_of
from shared.asked_period import AskedPeriod, asked_period
from shared.errors import Invalid
from shared.facts import Fact
from shared.forecast import METHOD, RANGE, NotForeseeable, forecast
from shared.http.bodies import Body, Name, Ref
from shared.http.collection import After, Prefer
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.waiting import patience_of, tokens_of
from shared.http.writes import Answer, as_json, expect, version_headers, write
from shared.identity.permissions import Principal, require
from shared.ids import derived_id
from shared.instant import Day, day_of, now
from shared.known import KnownDepartment, KnownGroup, KnownMember, KnownTeam, house, known, today
from shared.money import Money, NonNegative
from shared.period import Period
from shared.store import Snapshot, Tx

router = APIRouter(tags=["forecasts"])
_READ, _WRITE = require("forecasts:read"), require("forecasts:write")
_override = Override.__table__.c  # type: ignore[attr-defined]
_SAID = sa.select(Override).where(
    _override.level == sa.bindparam("level"),
    _override.ref == sa.bindparam("ref"),
    _override.starts_on == sa.bindparam("start", type_=sa.Date()),
    _override.ends_on == sa.bindparam("end", type_=sa.Date()),
)
_team = KnownTeam.__table__.c  # type: ignore[attr-defined]
_REGIONS = sa.select(_team.region).where(_team.region.is_not(None)).distinct().order_by(_team.region)
_KNOWN: dict[str, type[Fact]] = {
    "department": KnownDepartment, "team": KnownTeam, "group": KnownGroup, "member": KnownMember,
}  # fmt: skip
_OWN: dict[str, type[Customer] | type[Product]] = {"customer": Customer, "product": Product}


class ForecastScope(Body):
    """Of whom or what something is expected; the organisation needs no reference."""

    level: Level
    ref: Ref | None = None


class RangeShown(BaseModel):
    """What 80 of 100 such forecasts should come to lie in."""

    low: Money
    high: Money


class SaidShown(BaseModel):
    """What somebody said instead of the computed value; without a value that they took it back."""

    value: Money | None
    note: str
    by: str
    at: str
    on: date = Field(description="the day it was said, in the organisation's time zone")


class ForecastShown(BaseModel):
    """What a period is expected to have brought at its end, and what has been said beside it."""

    scope: ForecastScope
    period: Period
    as_of: date
    forecast: Money | None = Field(description=METHOD)
    forecast_range: RangeShown | None = Field(description=RANGE)
    won: Money | None = Field(description="won in the period so far")
    from_open: Money | None = Field(description="expected of deals that are open")
    from_new: Money | None = Field(description="expected of deals not opened yet")
    override: SaidShown | None
    history: list[SaidShown] = Field(description="everything that has been said, oldest first")
    notes: list[str]


class OverrideForecast(Body):
    """Another value than the computed one, or null to take it back; the note says why."""

    period: AskedPeriod
    scope: ForecastScope = ForecastScope(level="organisation")
    value: NonNegative | None
    note: Name = Field(description="why; kept here, told to nobody by an event", examples=["Big tender due in June"])


@router.get(
    "/v1/forecasts",
    operation_id="get_forecast",
    openapi_extra=described(_READ, None, {200: ForecastShown}, missing=True),
)
async def get_forecast(
    request: Request,
    principal: Annotated[Principal, Depends(_READ)],
    period: Annotated[AskedPeriod, Depends(asked_period)],
    level: Annotated[str, Query(description=f"one of {', '.join(LEVELS)}")] = "organisation",
    ref: Annotated[
        str | None, Query(description="which team, member ...: our id or `ext:<source>:<id>`; of a region its name")
    ] = None,
    as_of: Annotated[Day | None, Query(description="with what was known at the end of this day; today if none")] = None,
    after: After = [],  # noqa: B006
    prefer: Prefer = None,
) -> Response:
    """What a period is expected to have brought at its end, with its range and what is said beside it."""
    scope = parse(ForecastScope, as_json({"level": level, "ref": ref}))

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        now_on = day_of(now(), (await house(snapshot)).zone)
        if as_of is not None and as_of > now_on:
            detail = f"{as_of} has not come yet: today is {now_on}"
            raise Invalid.at("/as_of", detail)
        whose = await _whose(snapshot, scope, "/ref")
        return await foreseen(snapshot, whose, await period_of(snapshot, period), as_of or now_on)

    found = await runtime_of(request).progress.read(tokens_of(after), patience_of(prefer), query)
    return Response(as_json(found), media_type="application/json")


@router.post(
    "/v1/forecasts",
    operation_id="override_forecast",
    status_code=201,
    openapi_extra=described(_WRITE, OverrideForecast, {201: ForecastShown}),
)
async def override_forecast(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Say beside the computed forecast what is expected instead, and why; the computed value stays as it is."""
    raw = await request.body()
    body = parse(OverrideForecast, raw)

    async def decide(tx: Tx) -> Answer:
        whose, period = await _whose(tx, body.scope, "/scope/ref"), await period_of(tx, body.period)
        place = await _said(tx, whose, period)
        if place is not None:
            place = await tx.load(Override, place.id)
        expect(request, place)
        # Of whoever says the first word at the same moment, one makes the place and the other finds it.
        key = derived_id(Override.prefix, f"{whose.level}/{whose.ref}/{period.start}/{period.end}")
        begun = place or Override.begin(level=whose.level, ref=whose.ref, period=period, id=key)
        day = await today(tx)
        tx.save(begun, begun.say(body.value, body.note, principal.member or principal.subject, tx.now, day))
        shown = await foreseen(tx, whose, period, day)
        return Answer(201, as_json(shown), version_headers(begun))

    return await write(request, principal, decide, body=raw)


async def foreseen(snapshot: Snapshot, whose: Whose, period: Period, as_of: date) -> dict[str, Any]:
    """The forecast of a period, with what was known at the end of a day, as it is shown."""
    before = as_of + timedelta(days=1)
    history = await history_of(snapshot, whose, before)
    won = await won_in(snapshot, whose, period.start, min(before, period.end))
    shown: dict[str, Any] = dict.fromkeys(("forecast", "forecast_range", "won", "from_open", "from_new"))
    notes = []
    try:
        found, currency = forecast(history, period, won)
        money: Callable[[int], Any] = lambda minor: Money.of_minor(minor, currency).as_json()  # noqa: E731
        shown = {
            "forecast": money(found.value),
            "forecast_range": {"low": money(found.low), "high": money(found.high)},
            "won": money(found.won),
            "from_open": money(found.from_open),
            "from_new": money(found.from_new),
        }
    except NotForeseeable as reason:
        notes.append(str(reason))
    place = await _said(snapshot, whose, period)
    said = [each for each in place.said if each["on"] <= as_of.isoformat()] if place is not None else []
    return {
        "scope": {"level": whose.level, "ref": whose.ref or None},
        "period": period.as_json(),
        "as_of": as_of,
        **shown,
        "override": said[-1] if said and said[-1]["value"] is not None else None,
        "history": said,
        "notes": notes,
    }


async def _said(snapshot: Snapshot, whose: Whose, period: Period) -> Override | None:
    parameters = {"level": whose.level, "ref": whose.ref, "start": period.start, "end": period.end}
    return next(iter(await snapshot.all(Override, _SAID, **parameters)), None)


async def _whose(snapshot: Snapshot, scope: ForecastScope, at: str) -> Whose:
    """Whose forecast is meant; raises Invalid where a reference is missing, too many, or leads nowhere."""
    if (scope.level == "organisation") != (scope.ref is None):
        detail = "there is one organisation, it needs no ref" if scope.ref else f"say which {scope.level}"
        raise Invalid.at(at, detail)
    if scope.ref is None:
        return Whose("organisation")
    if scope.level in _KNOWN:
        return Whose(scope.level, (await known(snapshot, _KNOWN[scope.level], scope.ref, at)).id)
    if scope.level == "region":
        return await _region(snapshot, scope.ref, at)
    own = _OWN[scope.level]
    found = await snapshot.find(own, await snapshot.resolve(own.kind, scope.ref))
    if found is None:
        detail = f"there is no {scope.level} {scope.ref}"
        raise Invalid.at(at, detail)
    return Whose(scope.level, getattr(found, "merged_into", None) or found.id)


async def _region(snapshot: Snapshot, name: str, at: str) -> Whose:
    regions = [region for (region,) in await snapshot.rows(_REGIONS)]
    if name not in regions:
        detail = f"there is no team in a region {name!r}; there are {', '.join(map(repr, regions)) or 'none'}"
        raise Invalid.at(at, detail)
    return Whose("region", name)
