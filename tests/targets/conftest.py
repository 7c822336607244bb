"""A house with people, a customer and products, in which money is earned and spent; one for all tests of a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest

from tests.targets.bodies import eur
from tests.world import World, world

_numbers = count(1)


@dataclass
class House:
    """A running Concert and what has been settled in it."""

    world: World
    north: str
    ada: str
    ben: str
    cancity: str
    gadget: str

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """A write."""
        return await self.world.post(f"/v1/{path}", body, **{k.replace("_", "-"): v for k, v in headers.items()})

    async def put(self, path: str, body: Any) -> httpx.Response:
        """An upsert."""
        return await self.world.admin.put(f"/v1/{path}", json=body)

    async def get(self, path: str, **query: Any) -> Any:
        """What a path shows."""
        answer = await self.world.admin.get(f"/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def made(self, path: str, body: Any) -> dict[str, Any]:
        """A write that must succeed."""
        return await self.world.made(f"/v1/{path}", body)

    async def refused(self, path: str, body: Any, status: int = 409) -> dict[str, Any]:
        """A write that must be refused: its problem."""
        answer = await self.post(path, body)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = answer.json()
        return problem

    async def attained(self, target: dict[str, Any], day: str = "2026-12-31") -> dict[str, Any]:
        """How a target stands as of a day."""
        found: dict[str, Any] = await self.get(f"targets/{target['id']}/attainment", as_of=day)
        return found

    async def deal(self, **fields: Any) -> dict[str, Any]:
        """An open deal."""
        return await self.made("deals", {"owner": self.ada, "opened_on": "2026-01-05", **fields})

    async def won(self, value: str = "100.00", on: str = "2026-02-01", **fields: Any) -> dict[str, Any]:
        """A won deal."""
        deal = await self.deal(**fields)
        return await self.made(f"deals/{deal['id']}/win", {"on": on, "value": eur(value)})

    async def invoice(self, deal: dict[str, Any], amount: str, on: str = "2026-02-10", **fields: Any) -> dict[str, Any]:
        """An invoice for a deal."""
        return await self.made("invoices", {"deal": deal["id"], "amount": eur(amount), "on": on, **fields})

    async def department(self) -> str:
        """A department nobody else plans or spends for, known to targets."""
        answer = await self.post("departments", {"name": f"Department {next(_numbers)}"})
        await self.world.settled("/v1/budgets", answer)
        department: str = answer.json()["id"]
        return department


async def settle_in(concert: World) -> House:
    """The people, the customer and the product of a house, known to targets."""
    north = await concert.made("/v1/teams", {"name": "North"})
    people = {}
    for name in ("Ada Berg", "Ben Okafor"):
        hired = await concert.made("/v1/members", {"name": name, "department": "sales", "starts_on": "2025-01-01"})
        joined = await concert.post(f"/v1/members/{hired['id']}/join", {"team": north["id"], "from": "2025-01-01"})
        await concert.settled("/v1/deals", joined)
        people[name] = hired["id"]
    customer = await concert.made("/v1/customers", {"name": "Cancity"})
    product = await concert.made("/v1/products", {"name": "Gadget"})
    cost = {"cost": eur("30.00"), "from": "2026-01-01"}
    await concert.made(f"/v1/products/{product['id']}/costs", cost)
    return House(concert, north["id"], people["Ada Berg"], people["Ben Okafor"], customer["id"], product["id"])


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A house on embedded engines; every test brings its own deals, budgets and targets."""
    async with world(tmp_path_factory.mktemp("house")) as concert:
        yield await settle_in(concert)


@pytest.fixture
async def each_house(standing: World) -> House:
    """A house of a test's own, on each kind of engines, beside those of the other tests of its file."""
    return await settle_in(standing)


@pytest.fixture
async def lone_house(world: World) -> House:
    """A house in a whole Concert of its own, for tests that look at all there is."""
    return await settle_in(world)
