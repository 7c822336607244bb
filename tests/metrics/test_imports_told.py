"""Imports are told of by whoever runs them, and the view of IT says how fresh each source is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.identity.scopes import member_scopes, tool_scopes
from shared.instant import now
from tests.world import World, client_of, token_headers


def ago(**time: float) -> str:
    return (now() - timedelta(**time)).isoformat()


async def told(world: World, source: str, **fields: Any) -> Any:
    return await world.made("/v1/imports", {"source": source, **fields})


async def seen(world: World) -> tuple[Any, list[str]]:
    """What the view of IT says of imports, and why it may not know."""
    answer = await world.admin.get("/v1/views/it", params={"period": "2026"})
    assert answer.status_code == 200, answer.text
    view = answer.json()
    return view["figures"]["imports"], [each["why"] for each in view["notes"] if each["figure"] == "imports"]


async def test_it_says_how_long_ago_each_source_was_imported_to_its_end(world: World) -> None:
    assert await seen(world) == (None, ["no import has been told of at /v1/imports"])
    await told(world, "hubspot", began_at=ago(hours=3), ended_at=ago(hours=2), created=12, refused=1)
    await told(world, "hubspot", ended_at=ago(days=2))
    await told(world, "crm", ended_at=ago(minutes=5))
    # One that broke off has not made anything fresher.
    await told(world, "hubspot", complete=False)
    await told(world, "sap", complete=False)
    ages, why = await seen(world)
    assert (sorted(ages), why) == (["crm", "hubspot"], [])
    assert 7_200 <= ages["hubspot"] < 7_500
    assert 300 <= ages["crm"] < 600
    runs = (await world.admin.get("/v1/imports", params={"source": "hubspot"})).json()["items"]
    assert sorted((each["complete"], each["created"], each["refused"]) for each in runs) == [
        (False, 0, 0), (True, 0, 0), (True, 12, 1),
    ]  # fmt: skip
    page = await world.admin.get("/?view=it&period=2026")
    assert "Hubspot" in page.text


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"source": "crm", "ended_at": "2999-01-01T00:00:00Z"}, "once it has ended"),
        (
            {"source": "crm", "began_at": "2026-01-02T00:00:00Z", "ended_at": "2026-01-01T00:00:00Z"},
            "cannot have ended",
        ),
        ({"source": "A CRM"}, "/source"),
        ({"source": "crm", "created": -1}, "/created"),
        ({}, "/source"),
    ],
)
async def test_an_import_that_cannot_be_is_refused(standing: World, body: dict[str, Any], says: str) -> None:
    answer = await standing.admin.post("/v1/imports", json=body)
    assert answer.status_code == 422, answer.text
    assert says in answer.text


async def test_tools_of_departments_tell_of_imports_and_members_do_not(standing: World) -> None:
    for department in ("sales", "finance", "accounting", "hr", "it"):
        headers = token_headers(standing.settings, *tool_scopes(department), department=department)
        async with client_of(standing.origin, headers) as tool:
            body = {"source": "crm", "external": {"source": "cron", "id": department}}
            assert (await tool.put(f"/v1/imports/ext:cron:{department}", json=body)).status_code == 201
            assert (await tool.put(f"/v1/imports/ext:cron:{department}", json=body)).status_code == 200
    headers = token_headers(standing.settings, *member_scopes("it"), member="mbr_x")
    async with client_of(standing.origin, headers) as member:
        assert (await member.post("/v1/imports", json={"source": "crm"})).status_code == 403
