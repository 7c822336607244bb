"""A house in which people are recruited, join teams, move and leave; one for all tests of a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest

from tests.world import World, world

_numbers = count(1)


@dataclass
class Staff:
    """A running Concert with two teams and a group; every test recruits its own people."""

    world: World
    north: str
    south: str
    group: str

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """A write."""
        return await self.world.post(f"/v1/{path}", body, **headers)

    async def put(self, path: str, body: Any) -> httpx.Response:
        """An upsert."""
        return await self.world.admin.put(f"/v1/{path}", json=body)

    async def patch(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """A change of whatever version there is, if none is given."""
        if not headers:
            now = await self.world.admin.get(f"/v1/{path}")
            headers = {"If-Match": now.headers["etag"]}
        return await self.world.admin.patch(f"/v1/{path}", json=body, headers=headers)

    async def get(self, path: str, **query: Any) -> Any:
        """What a path shows."""
        answer = await self.world.admin.get(f"/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def made(self, path: str, body: Any) -> dict[str, Any]:
        """A write that must succeed."""
        return await self.world.made(f"/v1/{path}", body)

    async def recruited(self, **fields: Any) -> str:
        """Somebody who works in sales since the beginning of 2026: their id."""
        body = {"name": f"Somebody {next(_numbers)}", "department": "sales", "starts_on": "2026-01-01"} | fields
        member: str = (await self.made("members", body))["id"]
        return member

    async def does(self, member: str, verb: str, **body: Any) -> dict[str, Any]:
        """Something a member does, which must succeed."""
        if "since" in body:
            body["from"] = body.pop("since")
        return await self.made(f"members/{member}/{verb}", body)

    async def ids(self, path: str, **query: Any) -> set[str]:
        """The ids of a list."""
        return {each["id"] for each in (await self.get(path, **query))["items"]}

    async def events(self) -> int:
        """How many events teams has written."""
        events: int = (await self.get("books", service="teams"))["events"]
        return events


def problem(answer: httpx.Response, status: int, *places: str) -> str:
    """What a refusal says; it has this status and names these places."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert tuple(each["pointer"] for each in body.get("errors", ())) == places, body
    detail: str = body["detail"]
    return detail


async def staffed(concert: World) -> Staff:
    """The teams and the group of a house."""
    north = (await concert.made("/v1/teams", {"name": "North"}))["id"]
    south = (await concert.made("/v1/teams", {"name": "South"}))["id"]
    group = (await concert.made("/v1/groups", {"name": "Inbound", "team": north}))["id"]
    return Staff(concert, north, south, group)


@pytest.fixture(scope="module")
async def staff(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staff]:
    """A house on embedded engines."""
    async with world(tmp_path_factory.mktemp("staff")) as concert:
        yield await staffed(concert)


@pytest.fixture
async def each_staff(standing: World) -> Staff:
    """A house of a test's own, on each kind of engines, beside those of the other tests of its file."""
    return await staffed(standing)


@pytest.fixture
async def lone_staff(world: World) -> Staff:
    """A house in a whole Concert of its own, for tests that look at all there is."""
    return await staffed(world)
