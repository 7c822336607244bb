"""`/v1/organisation`, of which there is one, and `/v1/departments`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import Field

from services.teams.domain.organisation import THE_ONE, Organisation
from services.teams.domain.teams import Department
from shared.http.bodies import Body, Name, Named, read_model, shown
from shared.http.collection import Collection, fresh
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.runtime import Runtime, runtime_of
from shared.http.writes import Answer, as_json, expect, version_headers, write
from shared.identity.permissions import Principal, require
from shared.instant import Zone, day_of, now
from shared.money import Currency
from shared.store import Context, Job, Snapshot, Tx

BUILT_IN = {"sales": "Sales", "finance": "Finance", "accounting": "Accounting", "hr": "HR", "it": "IT"}
router = APIRouter(tags=["organisation"])
departments = Collection(Department, "departments")
_READ, _WRITE = require("organisation:read"), require("organisation:write")
_SHOWN = read_model(Organisation)


class DescribeOrganisation(Body):
    """What to change about the organisation; what is not sent stays."""

    name: Name = "Organisation"
    zone: Zone = "UTC"
    currency: Currency = "EUR"
    first_month: int = Field(default=1, ge=1, le=12, description="the month its fiscal year begins with")
    holds_workplaces: bool = Field(
        default=False,
        description="it may lawfully hold whether members work in the office, remotely or both: needed before that is"
        " said of anybody, and for reviews to be looked at for what it makes of people; the data protection officer,"
        " and where there is one the works council, are asked first",
    )


class OpenDepartment(Named):
    """A department to be added."""

    name: Name


@departments.create
async def open_department(tx: Tx, body: OpenDepartment) -> Department:
    """Add a department."""
    department, opened = Department.open(name=body.name, **fresh(Department, body))
    return tx.save(department, opened)


@router.get("/v1/organisation", operation_id="get_organisation", openapi_extra=described(_READ, None, {200: _SHOWN}))
async def get_organisation(request: Request, principal: Annotated[Principal, Depends(_READ)]) -> Response:
    """The organisation's name, time zone, currency and the first month of its fiscal year."""
    organisation = await runtime_of(request).store.read(lambda snapshot: snapshot.get(Organisation, THE_ONE))
    body = as_json(shown(organisation))
    return Response(body, headers=version_headers(organisation), media_type="application/json")


@router.patch(
    "/v1/organisation",
    operation_id="describe_organisation",
    openapi_extra=described(_WRITE, DescribeOrganisation, {200: _SHOWN}),
)
async def describe_organisation(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Say something else about the organisation."""
    raw = await request.body()
    body = parse(DescribeOrganisation, raw)

    async def decide(tx: Tx) -> Answer:
        organisation = await tx.load(Organisation, THE_ONE)
        expect(request, organisation, required=True)
        tx.save(organisation, organisation.describe(**body.sent()))
        return Answer(200, as_json(shown(organisation)), version_headers(organisation))

    return await write(request, principal, decide, body=raw)


async def today(snapshot: Snapshot) -> date:
    """The day it is for the organisation."""
    return await local_day(snapshot, snapshot.now if isinstance(snapshot, Tx) else now())


async def local_day(snapshot: Snapshot, moment: datetime) -> date:
    """The day a moment has in the organisation's time zone."""
    return day_of(moment, (await snapshot.get(Organisation, THE_ONE)).zone)


async def found(runtime: Runtime) -> None:
    """An organisation with its built-in departments, if there is none yet."""

    async def begin(tx: Tx) -> None:
        if await tx.seek(Organisation, THE_ONE) is None:
            tx.save(*Organisation.found())
        for key, name in BUILT_IN.items():
            if await tx.seek(Department, key) is None:
                tx.save(*Department.open(id=key, name=name))

    await runtime.store.write(Job(begin, Context(now())))
