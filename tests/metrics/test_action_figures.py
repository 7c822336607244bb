"""What is agreed at meetings, and whether it is done by its day, as hr sees it."""

from __future__ import annotations

from typing import Any

from tests.meetings.office import Office, office_of
from tests.meetings.test_attendance import joined
from tests.metrics.test_certificate import settled_verdict
from tests.world import World


async def figures(office: Office, period: str, **query: str) -> tuple[int, int, tuple[int, int] | None]:
    """Open, overdue, and how many of those done were so in time."""
    shown = (await office.get("/v1/views/hr", period=period, **query))["figures"]
    share = shown["actions_on_time"]
    on_time = (share["numerator"], share["denominator"]) if share else None
    return shown["actions_open"], shown["actions_overdue"], on_time


async def test_actions_are_open_overdue_and_done_in_time_by_who_owns_them(world: World) -> None:
    office = await office_of(world)
    await joined(office, office.ada)

    async def agreed(owner: str, due: str) -> str:
        body = {"title": "Order", "owner": owner, "due": due, "on": "2026-02-02"}
        return f"/v1/actions/{(await world.made('/v1/actions', body))['id']}"

    async def does(path: str, verb: str, on: str) -> Any:
        answer = await world.post(f"{path}/{verb}", {"on": on})
        assert answer.status_code == 200, answer.text
        return answer

    in_time, late, dropped = [await agreed(office.ada, "2026-02-10") for _ in range(3)]
    left = await agreed(office.ivo, "2026-03-20")
    await does(in_time, "done", "2026-02-10")
    await does(late, "done", "2026-03-05")
    await does(late, "reopen", "2026-04-02")
    last = await does(dropped, "cancel", "2026-03-10")
    await world.settled("/v1/views/hr", last, period="2026")
    # In February three were agreed for the tenth and one for later; one was done.
    assert await figures(office, "2026-02") == (3, 2, (1, 1))
    assert await figures(office, "2026-03") == (1, 1, (0, 1))
    assert await figures(office, "2026-Q1") == (1, 1, (1, 2))
    assert await figures(office, "2026-04") == (2, 2, None)
    assert await figures(office, "2026-Q1", team=office.team) == (0, 0, (1, 2))
    assert await figures(office, "2026-Q1", department="it") == (1, 1, None)
    for figure, refs in (("actions_open", {left, late}), ("actions_overdue", {left, late}), ("actions_on_time", set())):
        rows = (await office.get("/v1/views/hr/rows", figure=figure, period="2026-04"))["items"]
        assert {f"/v1/actions/{row['ref']}" for row in rows} == refs, figure
    await settled_verdict(world, "consistent")
