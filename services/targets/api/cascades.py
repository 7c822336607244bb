"""Many targets at once: a target and the parts it is made of, and the same target for many members."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.targets.api.aims import AimValue, shown_value
from services.targets.api.distribution import DistributedRow
from services.targets.api.metrics import Key
from services.targets.api.scopes import Scope
from services.targets.api.targets import SetTarget, aim, targets
from services.targets.domain.targets import Target, TargetExists
from services.targets.known import period_of
from shared.asked_period import AskedPeriod
from shared.errors import Invalid, Problem
from shared.facts import Fact
from shared.http.bodies import Body, Named, Ref
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.writes import Answer, as_json, version_headers, write
from shared.identity.permissions import Principal, require
from shared.instant import Day
from shared.known import KnownDepartment, KnownGroup, KnownMember, KnownTeam, known
from shared.membership import on_day
from shared.money import Share
from shared.store import Tx

router = APIRouter(tags=["targets"])
_WRITE = require("targets:write")
_member = KnownMember.__table__.c  # type: ignore[attr-defined]
_BELONGS: dict[str, tuple[type[Fact], str]] = {
    "department": (KnownDepartment, "departments"), "team": (KnownTeam, "memberships"), "group": (KnownGroup, "groups"),
}  # fmt: skip
_MEMBERS = sa.select(KnownMember).order_by(_member.id)


class Part(Named):
    """A part of a target: whose it is and how much; metric and period are the whole's unless it says so."""

    scope: Scope
    value: AimValue
    distribution: list[DistributedRow] = Field(default=[], max_length=400)
    stretch: AimValue | None = None
    period: AskedPeriod | None = None


class CascadeTargets(Body):
    """A target, and the parts that sum to it, or to so much more."""

    parent: Ref | SetTarget
    children: list[Part] = Field(min_length=1, max_length=1000)
    over_assignment: Share = Field(default=Decimal(0), description="the share by which the parts sum to more")


class CascadedTargets(BaseModel):
    """A target and its parts, as they are stored."""

    parent: dict[str, Any]
    children: list[dict[str, Any]]


class Template(Body):
    """The target that each of them gets."""

    metric: Key = "revenue"
    period: AskedPeriod
    value: AimValue
    distribution: list[DistributedRow] = Field(default=[], max_length=400)
    stretch: AimValue | None = None
    goal: Ref | None = None


class AssignTo(Body):
    """Who gets it: those who belong somewhere on a day, or some members."""

    level: Literal["department", "team", "group"] | None = None
    ref: Ref | None = None
    members: list[Ref] = Field(default=[], max_length=2000)
    on: Day | None = Field(default=None, description="the first day of the period if not given")


class AssignTargets(Body):
    """A target for each of many members."""

    template: Template
    to: AssignTo
    dry_run: bool = False


class Assigned(BaseModel):
    """What became of one member's target, or would."""

    member: str
    status: Literal["made", "would be made", "skipped", "refused"] = Field(
        description="skipped: they have such a target already"
    )
    target: str | None = Field(description="the one that was made, or that they have already")
    detail: str | None


class AssignedTargets(BaseModel):
    """What became of all of them."""

    made: int
    skipped: int
    refused: int
    total: AimValue = Field(description="what those that are made sum to")
    rows: list[Assigned]


@router.post(
    "/v1/targets/cascade",
    operation_id="cascade_targets",
    status_code=201,
    openapi_extra=described(_WRITE, CascadeTargets, {201: CascadedTargets}),
)
async def cascade_targets(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Set a target and all its parts at once, or nothing of it; what does not balance is refused with the sums."""
    raw = await request.body()
    body = parse(CascadeTargets, raw)

    async def decide(tx: Tx) -> Answer:
        if isinstance(body.parent, SetTarget):
            parent = await aim(tx, body.parent, "/parent")
        else:
            parent = await tx.load(Target, body.parent)
        children = [await _part(tx, parent, child, place) for place, child in enumerate(body.children)]
        tx.save(parent, parent.cascade(children, body.over_assignment))
        whole, *parts = await targets.present(tx, [parent, *children], principal)
        return Answer(201, as_json({"parent": whole, "children": parts}), version_headers(parent))

    return await write(request, principal, decide, body=raw)


async def _part(tx: Tx, parent: Target, part: Part, place: int) -> Target:
    wanted = SetTarget.model_construct(
        metric=parent.metric, scope=part.scope, period=part.period or AskedPeriod(parent.label), value=part.value,
        distribution=part.distribution, stretch=part.stretch, goal=parent.goal, parent=parent.id,
        external=part.external, externals=part.externals,
    )  # fmt: skip
    return await aim(tx, wanted, f"/children/{place}")


@router.post(
    "/v1/targets/assign",
    operation_id="assign_targets",
    openapi_extra=described(_WRITE, AssignTargets, {200: AssignedTargets}),
)
async def assign_targets(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Set the same target for many members; `dry_run` only says what would become of each."""
    raw = await request.body()
    body = parse(AssignTargets, raw)

    async def decide(tx: Tx) -> Answer:
        day = body.to.on or (await period_of(tx, body.template.period)).start
        rows: list[dict[str, Any]] = []
        made: list[Target] = []
        for member in await _members(tx, body.to, day):
            try:
                target = await aim(tx, _wanted(body.template, member), "/template")
            except Problem as refused:
                had = refused.numbers["id"] if isinstance(refused, TargetExists) else None
                status = "skipped" if had else "refused"
                rows.append({"member": member, "status": status, "target": had, "detail": refused.detail})
                continue
            made.append(target)
            rows.append({"member": member, "status": "made", "target": target.id, "detail": None})
        total = made[0].sum_of(made) if made else body.template.value
        statuses = Counter(row["status"] for row in rows)
        answer = {"made": len(made), "skipped": statuses["skipped"], "refused": statuses["refused"],
                  "total": shown_value(total if made else total - total), "rows": rows}  # type: ignore[operator]  # fmt: skip
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


def _wanted(template: Template, member: str) -> SetTarget:
    return SetTarget.model_construct(
        metric=template.metric, scope=Scope(level="member", ref=member), period=template.period, value=template.value,
        distribution=template.distribution, stretch=template.stretch, goal=template.goal, parent=None,
        external=None, externals=[],
    )  # fmt: skip


async def _members(tx: Tx, to: AssignTo, day: date) -> Sequence[str]:
    if bool(to.members) == (to.level is not None) or (to.level is None) != (to.ref is None):
        detail = "say either which members get it, or by level and ref to whom they belong"
        raise Invalid.at("/to", detail)
    if to.level is None:
        return [(await known(tx, KnownMember, ref, f"/to/members/{place}")).id for place, ref in enumerate(to.members)]
    model, spells = _BELONGS[to.level]
    place = (await known(tx, model, to.ref or "", "/to/ref")).id
    everybody = await tx.all(KnownMember, _MEMBERS)
    return [member.id for member in everybody if place in on_day(getattr(member, spells), day)]
