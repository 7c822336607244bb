"""A write over HTTP, on both kinds of engines."""

from __future__ import annotations

from tests.world import World


async def test_a_customer_is_stored_and_found_by_every_name(world: World) -> None:
    made = await world.made("/v1/customers", {"name": "Acme", "external": {"source": "crm", "id": "7"}})
    answer = await world.admin.get("/v1/customers/ext:crm:7")
    assert answer.status_code == 200, answer.text
    assert answer.json() == made
    assert answer.headers["etag"] == '"1"'
