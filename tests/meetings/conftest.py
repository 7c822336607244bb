"""What the tests of meetings can ask for."""

from __future__ import annotations

import pytest

from tests import world as worlds
from tests.meetings.office import Office, office_of


@pytest.fixture
async def office(world: worlds.World) -> Office:
    """A small office in a whole Concert of its own."""
    return await office_of(world)


@pytest.fixture(scope="module", name="standing")
async def standing_office(standing: worlds.World) -> Office:
    """A small office shared by the tests of a file, on each kind of engines: for tests that mind only their own."""
    return await office_of(standing)
