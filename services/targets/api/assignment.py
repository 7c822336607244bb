"""`/v1/targets/assign`: a target for each of many members, from a template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.targets.api.aims import AimValue, shown_value
from services.targets.api.dealing import (
    WAYS,
    Dealt,
    DoesNotAddUp,
    Way,
    before,
    by_last_actual,
    by_ramp,
    by_weights,
    the_same,
)
from services.targets.api.distribution import DistributedRow, distributed
from services.targets.api.metrics import Key, metric_of
from services.targets.api.scopes import Scope, belonging_on, whose
from services.targets.api.targets import SetTarget, aim
from services.targets.domain.aims import Value, check_unit, scaled, sum_of
from services.targets.domain.targets import Target, TargetExists
from services.targets.known import period_of
from shared.asked_period import AskedPeriod
from shared.errors import Invalid, Problem
from shared.http.bodies import Body, Ref
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.writes import Answer, as_json, version_headers, write
from shared.identity.permissions import Principal, require
from shared.instant import Day
from shared.known import KnownMember, known
from shared.money import Money, Share
from shared.period import Period
from shared.store import Tx

router = APIRouter(tags=["targets"])
_WRITE = require("targets:write")


class Template(Body):
    """The target that each of them gets, or all of them together."""

    metric: Key = "revenue"
    period: AskedPeriod
    value: AimValue = Field(description="of each, or the whole that is dealt out")
    distribution: list[DistributedRow] = Field(
        default=[], max_length=400, description="in shares, where each gets another value"
    )
    stretch: AimValue | None = Field(default=None, description="goes with the value: of each, or of the whole")
    goal: Ref | None = None


class AssignTo(Body):
    """Who gets it: those who belong somewhere on a day, or some members."""

    level: Literal["department", "team", "group"] | None = None
    ref: Ref | None = None
    members: list[Ref] = Field(default=[], max_length=2000)
    on: Day | None = Field(default=None, description="the first day of the period if not given")


class MemberWeight(Body):
    """A member, and their share of the whole."""

    member: Ref
    weight: Share


class AssignTargets(Body):
    """A target for each of many members."""

    template: Template
    to: AssignTo
    by: Way = Field(default="same", description=WAYS)
    weights: list[MemberWeight] = Field(default=[], max_length=2000, description="of all of them; they sum to 1")
    base: AskedPeriod | None = Field(
        default=None, description="whose actual counts; the period of the same length before, if not given"
    )
    dry_run: bool = False


class Assigned(BaseModel):
    """What became of one member's target, or would."""

    member: str
    status: Literal["made", "would be made", "skipped", "refused"] = Field(
        description="skipped: they have such a target already"
    )
    target: str | None = Field(description="the one that was made, or that they have already")
    value: AimValue | None = Field(description="what they get")
    expected: AimValue | None = Field(description="what may be expected of that, where it was dealt out by ramp")
    detail: str | None


class AssignedTargets(BaseModel):
    """What became of all of them."""

    made: int
    skipped: int
    refused: int
    total: AimValue = Field(description="what those that are made sum to")
    expected: AimValue | None = Field(description="what may be expected of these, where they were dealt out by ramp")
    gap: AimValue | None = Field(
        description="what is dealt out - the value, less is a hole; null where each gets the value"
    )
    rows: list[Assigned]


@router.post(
    "/v1/targets/assign",
    operation_id="assign_targets",
    openapi_extra=described(_WRITE, AssignTargets, {200: AssignedTargets}),
)
async def assign_targets(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Set a target for many members, the same for each or a whole that is dealt out; `dry_run` only says what would
    become of each."""
    raw = await request.body()
    body = parse(AssignTargets, raw)

    async def decide(tx: Tx) -> Answer:
        period = await period_of(tx, body.template.period)
        members = await _members(tx, body.to, body.to.on or period.start)
        dealt = await _dealt(tx, body, members, period)
        made, rows = await _made(tx, body.template, members, dealt)
        answer = _answered(body, made, rows, dealt)
        if body.dry_run:
            for row in rows:
                row |= {"status": "would be made", "target": None} if row["status"] == "made" else {}
            raise _OnlyAsked(Answer(200, as_json(answer)))
        return Answer(200, as_json(answer), version_headers(made[-1]) if made else None)

    try:
        return await write(request, principal, decide, body=raw)
    except _OnlyAsked as asked:
        return asked.answer.response()


class _OnlyAsked(Exception):
    """A dry run: the transaction is given up, and what it would have made is told."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("a dry run")
        self.answer = answer


async def _made(
    tx: Tx, template: Template, members: Sequence[str], dealt: Dealt
) -> tuple[list[Target], list[dict[str, Any]]]:
    """The targets that could be set, and what became of each member's."""
    rows: list[dict[str, Any]] = []
    made: list[Target] = []
    for member in members:
        value = dealt.values.get(member)
        row: dict[str, Any]
        row = {"member": member, "status": "refused", "target": None, "value": None, "expected": None,
               "detail": dealt.without.get(member)}  # fmt: skip
        rows.append(row)
        if value is None:
            continue
        row["value"] = shown_value(value)
        if member in dealt.expected:
            row["expected"] = shown_value(scaled(value, dealt.expected[member]))
        try:
            made.append(await aim(tx, _wanted(template, member, value), "/template"))
            row |= {"status": "made", "target": made[-1].id}
        except Problem as refused:
            had = refused.numbers["id"] if isinstance(refused, TargetExists) else None
            row |= {"status": "skipped" if had else "refused", "target": had, "detail": refused.detail}
    return made, rows


async def _dealt(tx: Tx, body: AssignTargets, members: Sequence[str], period: Period) -> Dealt:
    """What each of them gets."""
    template, value = body.template, body.template.value
    if (body.by == "weights") != bool(body.weights):
        raise Invalid.at("/weights", "weights are sent where it is dealt out by them")
    if body.base is not None and body.by != "last_actual":
        raise Invalid.at("/base", "a base is sent where it is dealt out by the last actual")
    if body.by == "same":
        return the_same(members, value)
    metric = await metric_of(tx, template.metric, "/template/metric")
    if metric.lower or metric.aggregation != "sum":
        raise DoesNotAddUp(metric=metric.id)
    check_unit(metric.id, money=metric.money, values=[value])
    rows = distributed(template.distribution, "/template")
    if rows.distribution:
        raise Invalid.at("/template/distribution", "each gets another value, so its rows are shares")
    if body.by == "weights":
        return by_weights(await _weights(tx, body.weights, members), value)
    if body.by == "ramp":
        return await by_ramp(tx, members, value, period, rows.shares)
    base = await period_of(tx, body.base) if body.base is not None else before(period)
    return await by_last_actual(tx, metric, members, value, base)


async def _weights(tx: Tx, weights: Sequence[MemberWeight], members: Sequence[str]) -> dict[str, Decimal]:
    given: dict[str, Decimal] = {}
    for place, each in enumerate(weights):
        at = f"/weights/{place}/member"
        member = (await known(tx, KnownMember, each.member, at)).id
        if member in given or member not in members:
            detail = "is named twice" if member in given else "is not among those who get it"
            raise Invalid.at(at, f"{each.member} {detail}")
        given[member] = each.weight
    missing = [member for member in members if member not in given]
    if missing:
        raise Invalid.at("/weights", f"{len(missing)} of them have no weight, the first is {missing[0]}")
    return given


def _answered(
    body: AssignTargets, made: Sequence[Target], rows: Sequence[dict[str, Any]], dealt: Dealt
) -> dict[str, Any]:
    value = body.template.value
    total = sum_of([each.value for each in made], value)
    statuses = Counter(row["status"] for row in rows)
    # Of those who have a target already the part is dealt out too; it is only not made anew.
    gap = sum_of(list(dealt.values.values()), value) - value if body.by in ("weights", "last_actual") else None  # type: ignore[operator]
    expected = (
        sum_of([scaled(each.value, dealt.expected[each.ref]) for each in made], value) if dealt.expected else None
    )
    return {
        "made": len(made), "skipped": statuses["skipped"], "refused": statuses["refused"],
        "total": shown_value(total), "gap": shown_value(gap) if gap is not None else None,
        "expected": shown_value(expected) if expected is not None else None, "rows": rows,
    }  # fmt: skip


def _wanted(template: Template, member: str, value: Value) -> SetTarget:
    stretch = template.stretch
    if stretch is not None and value != template.value:
        stretch = scaled(value, _ratio(stretch, template.value))
    return SetTarget.model_construct(
        metric=template.metric, scope=Scope(level="member", ref=member), period=template.period, value=value,
        distribution=template.distribution, stretch=stretch, goal=template.goal, parent=None,
        external=None, externals=[],
    )  # fmt: skip


def _ratio(part: Value, whole: Value) -> Fraction:
    if isinstance(part, Money) and isinstance(whole, Money):
        return Fraction(part.minor, whole.minor)
    assert isinstance(part, Decimal)
    assert isinstance(whole, Decimal)
    return Fraction(part) / Fraction(whole)


async def _members(tx: Tx, to: AssignTo, day: date) -> Sequence[str]:
    if bool(to.members) == (to.level is not None) or (to.level is None) != (to.ref is None):
        detail = "say either which members get it, or by level and ref to whom they belong"
        raise Invalid.at("/to", detail)
    if to.level is None:
        return [(await known(tx, KnownMember, ref, f"/to/members/{place}")).id for place, ref in enumerate(to.members)]
    place = await whose(tx, Scope(level=to.level, ref=to.ref), "/to")
    return await belonging_on(tx, to.level, place or "", day)
