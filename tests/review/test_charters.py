"""Reviews are not switched on before it is settled what they are for, what they risk, and that those concerned know."""

from __future__ import annotations

import httpx
import pytest

from services.metrics.domain.charters import PARTS
from shared.identity.scopes import member_scopes
from tests.charter import WHOLE, switched_on
from tests.teams.conftest import Staff, problem, staffed
from tests.world import World, client_of, token_headers

REVIEW = {"period": "2026-01"}


@pytest.fixture
async def staff(world: World) -> Staff:
    return await staffed(world)


async def held(staff: Staff) -> httpx.Response:
    return await staff.post("reviews", {"team": staff.south} | REVIEW)


async def test_nobody_is_reviewed_without_a_charter(staff: Staff) -> None:
    said = problem(await held(staff), 409)
    assert all(part in said for part in PARTS.values())
    assert (await staff.get("reviews"))["items"] == []


async def test_the_refusal_names_what_is_missing_until_nothing_is(staff: Staff) -> None:
    charter = await staff.made("review-charters", {name: WHOLE[name] for name in ("purpose", "assessed_on")})
    assert charter["missing"] == ["consulted_on", "told_on"]
    said = problem(await held(staff), 409)
    assert PARTS["consulted_on"] in said
    assert PARTS["purpose"] not in said
    changed = await staff.patch(f"review-charters/{charter['id']}", {"consulted_on": "2026-01-06"})
    assert changed.json()["missing"] == ["told_on"]
    problem(await held(staff), 409)
    await staff.patch(f"review-charters/{charter['id']}", {"told_on": "2026-01-07"})
    assert (await held(staff)).status_code == 201


async def test_what_is_taken_back_switches_reviews_off(staff: Staff) -> None:
    charter = await staff.made("review-charters", WHOLE)
    assert (await held(staff)).status_code == 201
    await staff.patch(f"review-charters/{charter['id']}", {"told_on": None})
    assert PARTS["told_on"] in problem(await held(staff), 409)


async def test_only_what_has_happened_is_confirmed(staff: Staff) -> None:
    late = await staff.post("review-charters", WHOLE | {"told_on": "2999-01-01"})
    assert "cannot be confirmed for 2999-01-01" in problem(late, 422, "/told_on")
    short = await staff.post("review-charters", WHOLE | {"purpose": "to know"})
    problem(short, 422, "/purpose")


async def test_everybody_reads_the_charter_and_only_some_draw_one_up(staff: Staff) -> None:
    await switched_on(staff.world)
    member = await staff.recruited()
    headers = token_headers(staff.world.settings, *member_scopes("sales"), member=member)
    async with client_of(staff.world.origin, headers) as client:
        (found,) = (await client.get("/v1/review-charters")).json()["items"]
        assert found["purpose"] == WHOLE["purpose"]
        assert (await client.post("/v1/review-charters", json=WHOLE)).status_code == 403


async def test_no_event_says_a_word_of_the_charter(staff: Staff) -> None:
    charter = await staff.made("review-charters", WHOLE)
    history = await staff.get(f"review-charters/{charter['id']}/history")
    assert history["items"][0]["type"] == "concert.metrics.review-charter-drawn-up.v1"
    assert history["items"][0]["data"]["missing"] == []
    assert "no grounds for pay" not in str(history)
