"""Half a year after a review was made it keeps only what is of the team."""

from __future__ import annotations

from datetime import timedelta

from services.metrics.retention import KEPT, thin_old
from shared.instant import now
from tests.review.test_over_http import House, at_work
from tests.teams.conftest import problem, staffed
from tests.world import World


async def reviewed(world: World) -> tuple[House, str]:
    house = await at_work(await staffed(world))
    await world.settled("/v1/views", house.last, period="2026")
    review = await house.reviewed()
    said = await house.as_member(house.people[1], "POST", f"reviews/{review['id']}/comments", "reviews:read",
                                 body={"text": "Seen"})  # fmt: skip
    assert said.status_code == 200, said.text
    return house, review["id"]


async def thinned(world: World, after: timedelta) -> int:
    return await thin_old(world.services["metrics"].runtime.store, (now() + after).date())


async def test_a_review_forgets_its_members_and_keeps_the_team(world: World) -> None:
    house, review = await reviewed(world)
    before = await house.staff.get(f"reviews/{review}")
    assert await thinned(world, KEPT - timedelta(days=2)) == 0
    assert await house.staff.get(f"reviews/{review}") == before
    assert await thinned(world, KEPT + timedelta(days=2)) == 1
    assert await thinned(world, KEPT + timedelta(days=2)) == 0
    after = await house.staff.get(f"reviews/{review}")
    assert not any(each in str(after["document"]) for each in house.people)
    team = before["document"]["measures"]["team"]
    assert after["document"]["measures"]["team"] == {name: each for name, each in team.items() if name != "IB6"}
    assert after["document"]["recommendation"] == before["document"]["recommendation"]
    assert (after["result_hash"], after["inputs_hash"]) == (before["result_hash"], before["inputs_hash"])
    history = (await house.staff.get(f"reviews/{review}/history"))["items"]
    assert history[-1]["type"] == "concert.metrics.review-thinned.v1"


async def test_what_is_forgotten_opens_no_more_and_the_rest_does(world: World) -> None:
    house, review = await reviewed(world)
    await thinned(world, KEPT + timedelta(days=2))
    path = f"/v1/reviews/{review}/explain"
    gone = await world.admin.get(path, params={"path": f"/measures/members/{house.people[0]}/IB4"})
    problem(gone, 404, "/path")
    assert (await house.explained(review, "/measures/team/TP3"))["sources"]
    refused = await house.staff.post(f"reviews/{review}/decide", {"options": ["O0"]})
    assert "older than half a year" in problem(refused, 409)


async def test_the_page_of_an_old_review_says_what_is_forgotten(world: World) -> None:
    house, review = await reviewed(world)
    await thinned(world, KEPT + timedelta(days=2))
    answer = await world.admin.get(f"/reviews/{review}", headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    assert "it keeps only what is of the team" in answer.text
    assert not any(each in answer.text for each in house.people[1:])
