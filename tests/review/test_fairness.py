"""Groups of people are looked at alike; where a measure does not, it is the measure that is looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from concert.demo import Calendar
from services.metrics.review.fairness import Seen, compared, written
from shared.events.teams import MemberChanged, MemberRecruited
from shared.instant import now
from tests.charter import switched_on
from tests.review.north import END, NORTH, START, north
from tests.review.told import LONG_AGO, heard, team_of, work_of
from tests.world import World, client_of, token_headers


def people(number: int, *groups: str, isolated: int = 0, attendance: float = 90) -> list[Seen]:
    return [Seen(frozenset(groups), place < isolated, {"IB1": attendance}) for place in range(number)]


def told(found: list[Seen], group: str, outcome: str) -> dict[str, object]:
    return next(written(each) for each in compared(found) if (each.group, each.outcome) == (group, outcome))


def test_a_difference_that_is_sure_has_the_measure_looked_at() -> None:
    found = people(12, "new", isolated=9) + people(40, isolated=2)
    said = told(found, "new", "isolated")
    assert said["look_at_the_measure"] is True
    assert said["theirs"] == {"numerator": 9, "denominator": 12, "low": "0.5126", "high": "0.8954"}
    assert told(found, "new", "low attendance")["look_at_the_measure"] is False


def test_a_difference_that_chance_can_make_does_not() -> None:
    found = people(6, "absent", isolated=2) + people(30, isolated=4)
    assert told(found, "absent", "isolated")["look_at_the_measure"] is False


def test_of_fewer_than_five_nothing_is_told() -> None:
    said = told(people(4, "new", isolated=4) + people(30), "new", "isolated")
    assert (said["theirs"], said["look_at_the_measure"]) == (None, None)


def test_who_has_no_number_counts_on_no_side() -> None:
    found = [*people(5, "new"), Seen(frozenset({"new"}), False, {}), *people(9)]
    assert told(found, "new", "low attendance")["theirs"] == {
        "numerator": 0, "denominator": 5, "low": "0.0000", "high": "0.3512",
    }  # fmt: skip


def test_of_whom_it_is_not_known_where_they_work_is_compared_by_that_with_nobody() -> None:
    unknown = [replace(each, unknown=frozenset({"remote"})) for each in people(20, isolated=20)]
    said = told([*people(6, "remote"), *people(7, isolated=1), *unknown], "remote", "isolated")
    assert said["others"] == {"numerator": 1, "denominator": 7, "low": "0.0325", "high": "0.4523"}


async def test_who_works_part_time_or_remotely_at_the_end_is_compared_with_the_others(world: World) -> None:
    """Of seven who ever worked less, one works the whole since before the end, and one less only from the end on; of
    five who work remotely one comes back at the end, and of one nothing is known."""
    lives = team_of("north", [*NORTH, *(f"p{each}" for each in range(7))], "A")
    for each in range(7):
        share, place = "1" if each == 1 else "0.6", {5: "hybrid", 6: None}.get(each, "remote")
        lives[f"member/p{each}"][0] = MemberRecruited(department="sales", starts_on=LONG_AGO, working_share=share,
                                                      workplace=place)  # fmt: skip
    for name in NORTH:
        lives[f"member/{name}"][0] = MemberRecruited(department="sales", starts_on=LONG_AGO, workplace="office")
    lives["member/p0"].append(
        MemberChanged(on=END - timedelta(days=1), department="sales", working_share="1", workplace="remote")
    )
    lives["member/p1"].append(MemberChanged(on=END, department="sales", working_share="0.5", workplace="office"))
    await heard(world, lives | work_of(replace(north(), team="north")))
    await switched_on(world)
    period = {"from": START.isoformat(), "to": END.isoformat()}
    await world.made("/v1/reviews", {"team": "north", "period": period})
    found = (await world.admin.get("/v1/reviews/fairness", params=period)).json()
    isolated, remote = (_of(found, group) for group in ("part-time", "remote"))
    assert remote["theirs"] is None, "the organisation has not said that it may hold where people work"
    said = await world.admin.patch("/v1/organisation", json={"holds_workplaces": True}, headers={"If-Match": "*"})
    await world.settled("/v1/views/hr", said, period="2026")
    held = (await world.admin.get("/v1/reviews/fairness", params=period)).json()
    assert [_of(held, "remote")[each]["denominator"] for each in ("theirs", "others")] == [5, 7]
    assert (_of(held, "remote")["theirs"]["numerator"], _of(held, "remote")["others"]["numerator"]) == (5, 2), "F, p5"
    assert _of(held, "hybrid")["theirs"] is None, "one is too few to be told of"
    assert (isolated["theirs"]["numerator"], isolated["theirs"]["denominator"]) == (5, 5)
    assert (isolated["others"]["numerator"], isolated["others"]["denominator"]) == (3, 8), "F, p0 and p1"
    assert isolated["look_at_the_measure"] is False
    assert found["groups"]["part-time"] == "with a working share of less than the whole at its end"


def _of(found: dict[str, Any], group: str) -> dict[str, Any]:
    return next(each for each in found["differences"] if (each["group"], each["outcome"]) == (group, "isolated"))


async def test_the_reviews_of_a_period_are_compared_for_who_may_hold_them(demo: World) -> None:
    window = Calendar(now().date()).window
    query = {"from": str(window.start), "to": str(window.end)}
    found = (await demo.admin.get("/v1/reviews/fairness", params=query)).json()
    assert found["reviews"] == 4
    isolated = next(each for each in found["differences"] if each["outcome"] == "isolated" and each["group"] == "new")
    assert isolated["theirs"] is None
    assert (isolated["others"]["numerator"], isolated["others"]["denominator"]) == (0, 20)
    assert "mbr_" not in str(found)
    headers = token_headers(demo.settings, "reviews:read")
    async with client_of(demo.origin, headers) as client:
        assert (await client.get("/v1/reviews/fairness", params=query)).status_code == 403
