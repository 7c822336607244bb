"""Thanks are for something that there is: what teams does not keep is asked of its owner when it is named."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic_core import from_json

from shared.identity.scopes import member_scopes
from tests.teams.conftest import Staff, problem
from tests.world import client_of, token_headers


@pytest.fixture(name="thanked")
async def _thanked(lone_staff: Staff) -> tuple[Staff, str]:
    """Somebody to be thanked, whom targets and meetings know."""
    member = await lone_staff.recruited()
    await lone_staff.get("deals", after=f"member/{member}@1", limit=1)
    await lone_staff.get("series", after=f"member/{member}@1", limit=1)
    return lone_staff, member


async def thanks(staff: Staff, member: str, kind: str, ref: str, **fields: Any) -> httpx.Response:
    return await staff.post("recognitions", {"to": [member], "about": {"kind": kind, "ref": ref}, **fields})


async def a_problem(staff: Staff, **fields: Any) -> str:
    meeting = (await staff.made("meetings", {"name": "Weekly", "starts_at": "2026-02-02T09:00:00Z"}))["id"]
    item = {"kind": "problem", "title": "Samples come late", "meeting": meeting, "on": "2026-02-02"} | fields
    return str((await staff.made("items", item))["id"])


async def test_a_deal_that_does_not_exist_is_nothing_to_be_thanked_for(thanked: tuple[Staff, str]) -> None:
    staff, member = thanked
    for ref in ("deal_none", "ext:crm:none", "deal_none/history", "..", "items"):
        refused = await thanks(staff, member, "deal", ref)
        assert f"targets has no deal {ref}" in problem(refused, 422, "/about/ref")
    assert (await staff.get("recognitions"))["items"] == []
    deal = await staff.made("deals", {"owner": member, "external": {"source": "crm", "id": "9"}})
    # What lies behind a thing is none.
    beyond = await thanks(staff, member, "deal", f"{deal['id']}/history")
    assert "targets has no deal" in problem(beyond, 422, "/about/ref")
    given = await thanks(staff, member, "deal", "ext:crm:9")
    assert (given.status_code, given.json()["about"]) == (201, {"kind": "deal", "ref": deal["id"]})
    told = (await staff.get(f"recognitions/{given.json()['id']}/history"))["items"]
    assert told[0]["data"]["ref"] == deal["id"]


async def test_a_problem_is_thanked_for_once_it_is_solved_and_only_a_problem_is(thanked: tuple[Staff, str]) -> None:
    staff, member = thanked
    item = await a_problem(staff)
    assert "this problem is open, not solved" in problem(
        await thanks(staff, member, "problem", item), 422, "/about/ref"
    )
    await staff.made(f"items/{item}/resolve", {"on": "2026-02-03"})
    assert (await thanks(staff, member, "problem", item)).status_code == 201
    news = await a_problem(staff, kind="news")
    assert "is a news, not a problem" in problem(await thanks(staff, member, "problem", news), 422, "/about/ref")
    none = await thanks(staff, member, "problem", "item_none")
    assert "meetings has no item item_none" in problem(none, 422, "/about/ref")


async def test_a_peer_thanks_for_a_deal_that_they_may_not_read(thanked: tuple[Staff, str]) -> None:
    staff, member = thanked
    peer = await staff.recruited(department="hr")
    deal = (await staff.made("deals", {"owner": member}))["id"]
    headers = token_headers(staff.world.settings, *member_scopes("hr"), member=peer)
    async with client_of(staff.world.origin, headers) as client:
        assert (await client.get(f"/v1/deals/{deal}")).status_code == 403
        given = await client.post("/v1/recognitions", json={"to": [member], "about": {"kind": "deal", "ref": deal}})
    assert (given.status_code, given.json()["by"]) == (201, peer)


async def test_thanks_in_bulk_are_asked_for_too_and_told_again_by_a_tool_change_nothing(
    thanked: tuple[Staff, str],
) -> None:
    staff, member = thanked
    linked = {"source": "hrm", "id": "ada"}
    await staff.made(f"members/{member}/externals", linked)
    await staff.made("deals", {"owner": member, "external": {"source": "crm", "id": "9"}})

    def row(number: int, ref: str) -> dict[str, Any]:
        return {"external": {"source": "kudos", "id": str(number)}, "to": ["ext:hrm:ada"], "on": "2026-02-03",
                "about": {"kind": "deal", "ref": ref}}  # fmt: skip

    rows = [row(1, "ext:crm:9"), row(2, "ext:crm:none"), row(3, "ext:crm:9")]
    for status in (201, 200):
        answer = await staff.post("recognitions/bulk", rows)
        lines = [from_json(line) for line in answer.text.splitlines()]
        assert [line["status"] for line in lines] == [status, 422, status], answer.text
        assert "targets has no deal ext:crm:none" in lines[1]["problem"]["detail"]
    again = await staff.put("recognitions/ext:kudos:1", row(1, "ext:crm:9"))
    assert (again.status_code, again.json()["version"]) == (200, 1)
    other = await staff.put("recognitions/ext:kudos:1", row(1, "ext:crm:9") | {"to": [await staff.recruited()]})
    problem(other, 409, "/to")


async def test_while_their_owner_does_not_answer_thanks_are_put_off_and_not_refused(
    thanked: tuple[Staff, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    staff, member = thanked
    neighbours = staff.world.services["teams"].runtime.extras["neighbours"]
    monkeypatch.setattr(neighbours, "_apps", {})
    monkeypatch.setattr(neighbours, "_clients", {})
    silent = await thanks(staff, member, "deal", "deal_none")
    assert "targets does not answer whether there is /v1/deals/deal_none" in problem(silent, 503)
    assert (await thanks(staff, member, "other", "")).status_code == 422
    assert (await staff.post("recognitions", {"to": [member], "about": {"kind": "other"}})).status_code == 201
