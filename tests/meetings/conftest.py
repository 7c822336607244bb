"""What the tests of meetings can ask for."""

from __future__ import annotations

import pytest

from tests import world as worlds
from tests.meetings.office import Office, office_of
from tests.meetings.test_attendance import joined


@pytest.fixture
async def office(world: worlds.World) -> Office:
    """A small office in a whole Concert of its own."""
    return await office_of(world)


@pytest.fixture(scope="module", name="standing")
async def standing_office(standing: worlds.World) -> Office:
    """A small office shared by the tests of a file, on each kind of engines: for tests that mind only their own."""
    return await office_of(standing)


@pytest.fixture(name="led")
async def led_office(office: Office) -> Office:
    """An office whose team Ada leads, in which she and Ben are and can be written to."""
    world = office.world
    for member, email in ((office.ada, "ada@example.com"), (office.ben, "ben@example.com")):
        answer = await world.admin.patch(f"/v1/members/{member}", json={"email": email}, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text
    await joined(office, office.ada, office.ben)
    leads = await world.admin.patch(f"/v1/teams/{office.team}", json={"leader": office.ada}, headers={"If-Match": "*"})
    await world.settled("/v1/series", leads)
    return office
