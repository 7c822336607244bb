"""What the tests of meetings can ask for."""

from __future__ import annotations

import pytest

from tests.meetings.office import Office, office_of
from tests.world import World


@pytest.fixture
async def office(world: World) -> Office:
    """A small office in a whole Concert."""
    return await office_of(world)
