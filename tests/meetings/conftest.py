"""What the tests of meetings can ask for."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests import world as worlds
from tests.meetings.office import Office, office_of
from tests.meetings.test_attendance import joined


@pytest.fixture(scope="module", name="standing")
async def standing_office(standing: worlds.World) -> Office:
    """A small office shared by the tests of a file, on each kind of engines: for tests that mind only their own."""
    return await office_of(standing)


@pytest.fixture
async def office(standing: Office) -> Office:
    """A small office of a test's own, beside those of the other tests of its file."""
    return await office_of(standing.world, hrm=f"hrm-{uuid4().hex}")


@pytest.fixture
async def lone(world: worlds.World) -> Office:
    """A small office in a whole Concert of its own, for tests that look at all there is."""
    return await office_of(world)


@pytest.fixture(name="led")
async def led_office(office: Office) -> Office:
    """An office whose team Ada leads, in which she and Ben are and can be written to."""
    return await _led(office)


@pytest.fixture
async def lone_led(lone: Office) -> Office:
    """The same in a whole Concert of its own."""
    return await _led(lone)


async def _led(office: Office) -> Office:
    world = office.world
    for member, email in ((office.ada, "ada@example.com"), (office.ben, "ben@example.com")):
        answer = await world.admin.patch(f"/v1/members/{member}", json={"email": email}, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text
    await joined(office, office.ada, office.ben)
    leads = await world.admin.patch(f"/v1/teams/{office.team}", json={"leader": office.ada}, headers={"If-Match": "*"})
    await world.settled("/v1/series", leads)
    return office
