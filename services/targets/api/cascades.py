"""`/v1/targets/cascade`: a target and the parts it is made of, at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, model_validator

from services.targets.api.aims import AimValue
from services.targets.api.distribution import DistributedRow
from services.targets.api.scopes import Scope
from services.targets.api.targets import SetTarget, aim, parts_of, targets
from services.targets.domain.targets import Target
from shared.asked_period import AskedPeriod
from shared.errors import Invalid
from shared.http.bodies import Body, Named, Ref
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.writes import Answer, as_json, version_headers, write
from shared.identity.permissions import Principal, require
from shared.money import Share
from shared.store import Tx

router = APIRouter(tags=["targets"])
_WRITE = require("targets:write")


class Part(Named):
    """A part of a target: one that there is, or a new one; metric and period are the whole's unless it says so."""

    target: Ref | None = Field(default=None, description="one that there is; then nothing else is said of it")
    scope: Scope | None = None
    value: AimValue | None = None
    distribution: list[DistributedRow] = Field(default=[], max_length=400)
    stretch: AimValue | None = None
    period: AskedPeriod | None = None

    @model_validator(mode="after")
    def _there_or_new(self) -> Part:
        there, new = self.target is not None, self.scope is not None and self.value is not None
        if there == new or (there and self.model_fields_set != {"target"}):
            raise ValueError("a part is either a target that there is, or a new one with scope and value")
        return self


class CascadeTargets(Body):
    """A target, and parts that with those it has sum to it, or to so much more."""

    parent: Ref | SetTarget
    children: list[Part] = Field(min_length=1, max_length=1000)
    over_assignment: Share = Field(default=Decimal(0), description="the share by which the parts sum to more")


class CascadedTargets(BaseModel):
    """A target and its parts, as they are stored."""

    parent: dict[str, Any]
    children: list[dict[str, Any]]


@router.post(
    "/v1/targets/cascade",
    operation_id="cascade_targets",
    status_code=201,
    openapi_extra=described(_WRITE, CascadeTargets, {201: CascadedTargets}),
)
async def cascade_targets(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Set a target and all its parts at once, or nothing of it; what does not balance is refused with the sums.

    Targets that there are become parts too; parts it has already count among them.
    """
    raw = await request.body()
    body = parse(CascadeTargets, raw)

    async def decide(tx: Tx) -> Answer:
        if isinstance(body.parent, SetTarget):
            parent = await aim(tx, body.parent, "/parent")
        else:
            parent = await tx.load(Target, body.parent)
        had = await parts_of(tx, [parent.id])
        children = [await _part(tx, parent, child, f"/children/{place}") for place, child in enumerate(body.children)]
        every = {each.id: each for each in (*had, *children)}
        tx.save(parent, parent.cascade(list(every.values()), body.over_assignment))
        whole, *parts = await targets.present(tx, [parent, *children], principal)
        return Answer(201, as_json({"parent": whole, "children": parts}), version_headers(parent))

    return await write(request, principal, decide, body=raw)


async def _part(tx: Tx, parent: Target, part: Part, at: str) -> Target:
    if part.target is not None:
        return await _placed(tx, parent, part.target, f"{at}/target")
    assert part.scope is not None
    assert part.value is not None
    wanted = SetTarget.model_construct(
        metric=parent.metric, scope=part.scope, period=part.period or AskedPeriod(parent.label), value=part.value,
        distribution=part.distribution, stretch=part.stretch, goal=parent.goal, parent=parent.id,
        external=part.external, externals=part.externals,
    )  # fmt: skip
    return await aim(tx, wanted, at)


async def _placed(tx: Tx, parent: Target, ref: str, at: str) -> Target:
    child = await tx.seek(Target, ref)
    if child is None or child.metric != parent.metric:
        aimed = "there is no target {}" if child is None else "{} is a target for another metric than " + parent.metric
        raise Invalid.at(at, aimed.format(ref))
    above = [each async for each in _above(tx, parent)]
    former = await tx.get(Target, child.parent) if child.parent is not None else None
    return tx.save(child, child.place(parent, above, tx.context.member, former))


async def _above(tx: Tx, target: Target) -> AsyncIterator[Target]:
    parent = target.parent
    while parent is not None:
        above = await tx.get(Target, parent)
        yield above
        parent = above.parent
