"""`/v1/role-weights` and `/v1/deals/{id}/contribution`: who did what for a deal, and what that is of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.targets.domain.deals import Deal
from services.targets.domain.role_weights import RoleWeights
from shared.contribution import contributions, weights_on
from shared.errors import Invalid
from shared.http.bodies import Body, Named, Ref, Word
from shared.http.collection import Collection, Reference, fresh
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import require
from shared.instant import Day, now
from shared.known import KnownMember, known, local_day, today
from shared.money import Share, plain, rounded
from shared.store import Snapshot, Tx

router = APIRouter(tags=["deals"])
_READ = require("deals:read")
_ALL = sa.select(RoleWeights)


class InARole(Body):
    """A member who filled a role in a deal."""

    role: Word = Field(examples=["discovery"])
    member: Ref


class StaffDeal(Body):
    """Everybody who filled a role in a deal; what was said before is replaced."""

    roles: list[InARole] = Field(max_length=100)


class AgreeOnWeights(Named):
    """What each role weighs, of deals closed on a day or later; together 1."""

    weights: dict[Word, Share] = Field(
        min_length=1, max_length=40,
        examples=[{"source": "0.2", "discovery": "0.2", "demo": "0.2", "close": "0.3", "handover": "0.1"}],
    )  # fmt: skip
    since: Day | None = Field(default=None, alias="from", description="today if not given, and never a day before")


class ContributionShown(BaseModel):
    """What each member contributed to a deal by the roles they filled. Nobody is paid from it."""

    id: str
    value: Any = Field(description="what the deal brought; null while it is not won, and so are the amounts")
    members: list[dict[str, Any]]
    unstaffed: list[dict[str, Any]] = Field(description="roles that nobody filled; what they have is nobody's")
    nobodys: Any = Field(description="what no member contributed, in money")


role_weights = Collection(RoleWeights, "role-weights")


@role_weights.create
async def agree_on_weights(tx: Tx, body: AgreeOnWeights) -> RoleWeights:
    """Agree on what the roles in a deal weigh from a day on."""
    day = await today(tx)
    agreed, said = RoleWeights.agree(
        body.weights, body.since or day, day, await tx.all(RoleWeights, _ALL), **fresh(RoleWeights, body)
    )
    return tx.save(agreed, said)


async def staffed(tx: Tx, deal: Deal, roles: Sequence[InARole], on: date | None) -> list[tuple[str, str]]:
    """The roles of a body with our ids; raises Invalid for one that weighs nothing in a deal of that day."""
    weights = weights_on(await tx.all(RoleWeights, _ALL), on or await today(tx))
    found = []
    for place, each in enumerate(roles):
        if each.role not in weights:
            detail = f"{each.role} is no role of a deal closed then; there are {', '.join(weights)}"
            raise Invalid.at(f"/roles/{place}/role", detail)
        found.append((each.role, (await known(tx, KnownMember, each.member, f"/roles/{place}/member")).id))
    return found


@router.get(
    "/v1/deals/{ref}/contribution",
    operation_id="contribution_to_deal",
    openapi_extra=described(_READ, None, {200: ContributionShown}, missing=True),
    dependencies=[Depends(_READ)],
)
async def contribution_to_deal(request: Request, ref: Reference) -> Response:
    """What each member contributed to a deal, by the roles they filled and what these weigh."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        deal = await snapshot.get(Deal, ref)
        agreed = await snapshot.all(RoleWeights, _ALL)
        return contribution_of(deal, weights_on(agreed, deal.closed_on or await local_day(snapshot, now())))

    found = await runtime_of(request).store.read(query)
    return Response(as_json(found), media_type="application/json")


def contribution_of(deal: Deal, weights: Mapping[str, str]) -> dict[str, Any]:
    """What each member contributed to a deal, as it is shown."""
    shares = contributions(weights, deal.staffing)
    value = deal.worth()
    parts, nobodys = shares.of(value) if value is not None else ({}, None)
    return {
        "id": deal.id,
        "value": value,
        "members": [
            {"member": member, "share": plain(rounded(share)), "amount": parts.get(member),
             "roles": [role for role, filled in deal.staffing.items() if member in filled]}
            for member, share in sorted(shares.members.items())
        ],
        "unstaffed": [{"role": role, "weight": weights[role]} for role in shares.unstaffed],
        "nobodys": nobodys,
    }  # fmt: skip
