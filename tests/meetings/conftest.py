"""What the tests of meetings can ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests import world as worlds
from tests.meetings.office import Office, office_of


@pytest.fixture
async def office(world: worlds.World) -> Office:
    """A small office in a whole Concert of its own."""
    return await office_of(world)


@pytest.fixture(scope="module", params=["embedded", "real"])
async def standing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A small office shared by the tests of a file, on each kind of engines: for tests that mind only their own."""
    folder = tmp_path_factory.mktemp("office")
    async with AsyncExitStack() as stack:
        if request.param == "embedded":
            ground = await stack.enter_async_context(worlds.embedded(folder))
        else:
            server, broker = request.getfixturevalue("postgres_server"), request.getfixturevalue("kafka_broker")
            ground = await stack.enter_async_context(worlds.real(server, broker))
        yield await office_of(await stack.enter_async_context(worlds.world(folder, ground)))
