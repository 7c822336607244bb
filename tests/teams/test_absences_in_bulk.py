"""Absences as another system keeps them: in bulk, by its own ids, again and again without doubling any."""

from __future__ import annotations

import json
from typing import Any

from shared.identity.scopes import member_scopes, tool_scopes
from tests.teams.conftest import Staff, problem
from tests.world import client_of, token_headers


async def bulk(staff: Staff, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of each row."""
    answer = await staff.post("absences/bulk", list(rows))
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_bulk_notes_changes_and_cancels_by_the_ids_of_another_system(staff: Staff) -> None:
    ada, ben = await staff.recruited(), await staff.recruited()
    rows: list[dict[str, Any]] = [
        {"external": {"source": "hrm", "id": f"a{place}"}, "member": member, "from": "2026-03-02", "to": "2026-03-09",
         "kind": "sick"}
        for place, member in enumerate((ada, ben))
    ]  # fmt: skip
    assert [each["status"] for each in await bulk(staff, *rows)] == [201, 201]
    before = await staff.events()
    assert [(each["status"], each["version"]) for each in await bulk(staff, *rows)] == [(200, 1), (200, 1)]
    assert await staff.events() == before
    later = [rows[0] | {"to": "2026-03-11"}, {"do": "cancel", "absence": "ext:hrm:a1"},
             rows[1] | {"external": {"source": "hrm", "id": "a9"}}, rows[0] | {"external": None}]  # fmt: skip
    changed, cancelled, instead, twice = await bulk(staff, *later)
    assert [each["status"] for each in (changed, cancelled, instead, twice)] == [200, 200, 201, 409]
    assert "away from 2026-03-02 until 2026-03-11 already" in twice["problem"]["detail"]
    shown = await staff.get("absences/ext:hrm:a0")
    told = {name: shown[name] for name in ("member", "from", "to", "share", "kind", "cancelled", "externals")}
    assert told == {
        "member": ada, "from": "2026-03-02", "to": "2026-03-11", "share": "1", "kind": "sick", "cancelled": False,
        "externals": [{"source": "hrm", "id": "a0"}],
    }  # fmt: skip
    # One and the same absence, whichever way one comes to it.
    assert [each["id"] for each in (await staff.get(f"members/{ada}/absences"))["items"]] == [shown["id"]]
    assert await staff.ids("absences", member=ben, cancelled="false") == {instead["id"]}


async def test_an_upsert_changes_the_fields_it_sends_and_no_other(staff: Staff) -> None:
    ada = await staff.recruited()
    made = await staff.put("absences/ext:hrm:u1", {"member": ada, "from": "2026-04-01", "share": "0.5", "kind": "sick"})
    assert made.status_code == 201, made.text
    changed = (await staff.put("absences/ext:hrm:u1", {"to": "2026-04-04"})).json()
    assert (changed["from"], changed["to"], changed["share"]) == ("2026-04-01", "2026-04-04", "0.5")
    assert changed["version"] == 2
    other = await staff.recruited()
    moved = await staff.put("absences/ext:hrm:u1", {"member": other})
    assert f"this is an absence of {ada}, and stays so" in problem(moved, 422, "/member")
    nobody = await staff.put("absences/ext:hrm:u2", {"member": "mbr_none", "from": "2026-04-01"})
    assert "there is no member mbr_none" in problem(nobody, 422, "/member")


async def test_a_leader_sees_the_days_of_their_own_people_and_nobody_else_sees_them(staff: Staff) -> None:
    ada, leader, peer = await staff.recruited(), await staff.recruited(), await staff.recruited()
    team = (await staff.made("teams", {"name": "Led", "leader": leader}))["id"]
    await staff.does(ada, "join", team=team, since="2026-01-02")
    away = (await staff.made("absences", {"member": ada, "from": "2026-05-04", "to": "2026-05-06", "kind": "sick"}))[
        "id"
    ]
    seen = {}
    for name, scopes, who in (
        ("leader", member_scopes("sales", leader=True), {"member": leader}),
        ("peer", member_scopes("sales", leader=True), {"member": peer}),
        ("hr", tool_scopes("hr"), {"department": "hr"}),
    ):
        async with client_of(staff.world.origin, token_headers(staff.world.settings, *scopes, **who)) as client:
            listed = (await client.get("/v1/absences", params={"member": ada})).json()["items"]
            assert ((await client.get(f"/v1/absences/{away}")).status_code == 200) is bool(listed)
            seen[name] = [(each["id"], each["kind"]) for each in listed]
    assert seen == {"leader": [(away, None)], "peer": [], "hr": [(away, "sick")]}
    history = await staff.get(f"absences/{away}/history")
    assert "sick" not in str(history)
