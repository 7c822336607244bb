"""Requests between departments over HTTP: asked, promised, resolved, reopened, passed on, upserted, in bulk."""

from __future__ import annotations

import json
from typing import Any

from tests.meetings.office import Office, problem


async def it_view(office: Office, written: Any, period: str = "2026-Q3", **query: Any) -> Any:
    """The figures of IT once they hold what was written."""
    shown = await office.world.settled("/v1/views/it", written, period=period, **query)
    return shown["figures"]


async def test_a_request_is_asked_promised_resolved_and_reopened_and_the_view_counts_it(office: Office) -> None:
    made = await office.asks(promised_by="2026-07-02")
    request = made.json()
    assert made.status_code == 201
    assert request["from"] == {"department": "sales", "member": office.ada}
    assert request["to"] == {"department": "it", "member": None}
    assert (request["status"], request["reopened"]) == ("open", 0)
    path = f"/v1/requests/{request['id']}"
    promised = await office.world.post(f"{path}/promise", {"promised_by": "2026-07-03", "on": "2026-07-02"})
    assert promised.json()["promised_by"] == "2026-07-03"
    done = {"at": "2026-07-02T09:30:00Z", "note": "Ms Berg got a new one"}
    resolved = await office.world.post(f"{path}/resolve", done)
    assert resolved.json() | {"on_time": True, "status": "resolved"} == resolved.json()
    figures = await it_view(office, resolved)
    assert figures["resolved_on_time"] == {"rate": "1.000000", "numerator": 1, "denominator": 1}
    assert (figures["time_to_resolve"], figures["requests_open"]) == ("24.50", 0)

    again = {"reason": "Ms Berg says it is broken again", "at": "2026-07-06T09:00:00Z"}
    reopened = await office.world.post(f"{path}/reopen", again)
    assert (reopened.json()["status"], reopened.json()["reopened"]) == ("open", 1)
    late = await office.world.post(f"{path}/resolve", {"at": "2026-07-06T11:00:00Z"})
    figures = await it_view(office, late)
    expected = {
        "requests_opened": 1, "requests_resolved": 2, "reopened": 1, "requests_open": 0, "requests_from_sales": 1,
        "resolved_on_time": {"rate": "0.500000", "numerator": 1, "denominator": 2}, "time_to_resolve": "13.25",
    }  # fmt: skip
    assert figures | expected == figures
    history = await office.get(f"{path}/history")
    assert [event["type"].split(".")[2] for event in history["items"]] == [
        "request-made", "request-promised", "request-resolved", "request-reopened", "request-resolved",
    ]  # fmt: skip


async def test_the_department_of_a_member_is_that_of_the_day_of_asking(lone: Office) -> None:
    etag = {"If-Match": '"1"'}
    move = {"department": "it", "on": "2026-07-15"}
    moved = await lone.world.admin.patch(f"/v1/members/{lone.ben}", json=move, headers=etag)
    assert moved.status_code == 200, moved.text
    await lone.world.settled("/v1/requests", moved)
    before = await lone.asks(**{"from": {"member": f"ext:{lone.hrm}:ben"}, "at": "2026-07-14T12:00:00Z"})
    after = await lone.asks(**{"from": {"member": lone.ben}, "at": "2026-07-15T12:00:00Z"})
    assert before.json()["from"] == {"department": "sales", "member": lone.ben}
    assert after.json()["from"] == {"department": "it", "member": lone.ben}
    figures = await it_view(lone, after)
    assert (figures["requests_opened"], figures["requests_from_sales"]) == (2, 1)
    too_early = await lone.asks(**{"from": {"member": lone.ben}, "at": "2025-12-31T12:00:00Z"})
    problem(too_early, 422, "/from/member", "this member belonged to no department on 2025-12-31")


async def test_a_moment_belongs_to_the_day_it_has_in_the_organisations_time_zone(office: Office) -> None:
    house = await office.world.admin.get("/v1/organisation")
    set_clock = await office.world.admin.patch(
        "/v1/organisation", json={"zone": "Asia/Tokyo"}, headers={"If-Match": house.headers["etag"]}
    )
    await office.world.settled("/v1/requests", set_clock)
    made = await office.asks(at="2026-06-30T20:00:00Z", promised_by="2026-07-02")
    done = await office.world.post(f"/v1/requests/{made.json()['id']}/resolve", {"at": "2026-07-02T15:00:00Z"})
    history = await office.get(f"/v1/requests/{made.json()['id']}/history")
    assert [event["data"]["on"] for event in history["items"]] == ["2026-07-01", "2026-07-03"]
    assert done.json()["on_time"] is False


async def test_a_tool_upserts_its_tickets_by_its_own_ids(lone: Office) -> None:
    body = {"kind": "equipment", "title": "Headset", "from": {"member": f"ext:{lone.hrm}:ada"},
            "to": {"department": "it"}, "at": "2026-07-01T09:00:00Z", "promised_by": "2026-07-05"}  # fmt: skip
    path = "/v1/requests/ext:desk:4711"
    made = await lone.world.admin.put(path, json=body)
    same = await lone.world.admin.put(path, json=body)
    assert (made.status_code, same.status_code) == (201, 200)
    assert same.headers["concert-version"] == made.headers["concert-version"]
    passed_on = await lone.world.admin.put(path, json=body | {"to": {"department": "hr"}, "title": "Ada's headset"})
    assert passed_on.json()["to"] == {"department": "hr", "member": None}
    assert passed_on.json()["version"] == 2
    figures = await it_view(lone, passed_on)
    assert (figures["requests_opened"], figures["requests_from_sales"]) == (1, 0)
    theirs = await it_view(lone, passed_on, department="hr")
    assert theirs["requests_opened"] == 1
    found = await lone.get("/v1/requests", to="hr", status="open", kind="equipment")
    assert [each["id"] for each in found["items"]] == [made.json()["id"]]


async def test_a_patch_needs_the_version_it_was_decided_on(office: Office) -> None:
    path = f"/v1/requests/{(await office.asks()).json()['id']}"
    blind = await office.world.admin.patch(path, json={"title": "x"})
    problem(blind, 428, "", "If-Match")
    changed = await office.world.admin.patch(path, json={"kind": "equipment"}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["kind"]) == (200, "equipment")
    stale = await office.world.admin.patch(path, json={"kind": "other"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412


async def test_a_retry_with_the_same_key_asks_once(lone: Office) -> None:
    body = {"kind": "pricing", "title": "Discount", "from": {"department": "sales"}, "to": {"department": "finance"}}
    first = await lone.world.post("/v1/requests", body, **{"Idempotency-Key": "k1"})
    second = await lone.world.post("/v1/requests", body, **{"Idempotency-Key": "k1"})
    other = await lone.world.post("/v1/requests", body | {"title": "Other"}, **{"Idempotency-Key": "k1"})
    assert (first.status_code, second.json()) == (201, first.json())
    assert other.status_code == 422
    assert len((await lone.get("/v1/requests"))["items"]) == 1


async def test_a_bulk_keeps_the_good_rows_and_names_what_is_wrong_with_the_bad(lone: Office) -> None:
    asked = {"kind": "it_support", "title": "Screen", "from": {"department": "sales"}, "to": {"department": "it"},
             "at": "2026-07-01T09:00:00Z", "external": {"source": "desk", "id": "1"}}  # fmt: skip
    done = {"do": "resolve", "request": "ext:desk:1", "at": "2026-07-01T10:00:00Z"}
    first = {"do": "promise", "request": "ext:desk:1", "promised_by": "2026-07-04"}
    second = first | {"promised_by": "2026-07-05"}
    rows = [asked, asked, first, second, first, done, done, done | {"at": "2026-07-02T10:00:00Z"},
            asked | {"external": {"source": "desk", "id": "2"}, "to": {"department": "nobody"}}]  # fmt: skip
    body = "\n".join(map(json.dumps, rows))
    answer = await lone.world.admin.post("/v1/requests/bulk", content=body)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["status"] for line in lines] == [201, 200, 200, 200, 200, 200, 200, 409, 422]
    assert [line.get("version") for line in lines] == [1, 1, 2, 3, 4, 5, 5, None, None]
    assert lines[8]["problem"]["errors"][0]["pointer"] == "/to/department"
    assert (await it_view(lone, answer))["requests_resolved"] == 1


async def test_a_request_is_shown_as_it_was_on_a_day(office: Office) -> None:
    made = await office.asks()
    path = f"/v1/requests/{made.json()['id']}"
    await office.world.post(f"{path}/resolve", {"at": "2026-07-10T09:00:00Z", "note": "done"})
    assert (await office.get(path, on="2026-07-09"))["status"] == "open"
    assert (await office.get(path, on="2026-07-09"))["note"] is None
    assert (await office.get(path, on="2026-07-10"))["status"] == "resolved"
    assert (await office.world.admin.get(path, params={"on": "2026-06-30"})).status_code == 404


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"from": {}}, "/from", "name a department or a member"),
    ({"from": {"department": "sales", "member": "x"}}, "/from", "name a department or a member"),
    ({"from": "sales"}, "/from", ""),
    ({"to": {"department": "ext:desk:none"}}, "/to/department", "no department ext:desk:none is known here"),
    ({"from": {"member": "mbr_nobody"}}, "/from/member", "no member mbr_nobody is known here"),
    ({"kind": "IT Support!"}, "/kind", ""),
    ({"title": ""}, "/title", ""),
    ({"title": None}, "/title", ""),
    ({"promised_by": "2026-06-30"}, "/promised_by", "asked for on 2026-07-01 cannot be promised by 2026-06-30"),
    ({"promised_by": "1899-12-31"}, "/promised_by", "1899-12-31 is out of range"),
    ({"at": "2026-07-01T09:00:00"}, "/at", "has no time zone"),
    ({"urgent": True}, "/urgent", ""),
]


async def test_a_wrong_request_is_refused_with_its_place_and_nothing_is_stored(lone: Office) -> None:
    for wrong, pointer, says in WRONG:
        problem(await lone.asks(**wrong), 422, pointer, says)
    assert (await lone.get("/v1/requests"))["items"] == []


async def test_a_verb_against_the_state_of_a_request_is_refused_by_its_rule(office: Office) -> None:
    path = f"/v1/requests/{(await office.asks()).json()['id']}"
    open_still = await office.world.post(f"{path}/reopen", {"reason": "x"})
    problem(open_still, 409, "", "This request is open; there is nothing to reopen.")
    early = await office.world.post(f"{path}/resolve", {"at": "2026-06-30T09:00:00Z"})
    problem(early, 422, "/at", "cannot be resolved at 2026-06-30T09:00:00+00:00")
    await office.world.post(f"{path}/resolve", {"at": "2026-07-02T09:00:00Z"})
    no_reason = await office.world.post(f"{path}/reopen", {"reason": ""})
    problem(no_reason, 422, "/reason", "")
    twice = await office.world.post(f"{path}/resolve", {})
    problem(twice, 409, "", "This request was resolved at 2026-07-02T09:00:00+00:00; reopen it first.")
    assert twice.json()["rule"] == "request-is-resolved"
    unknown = await office.world.post("/v1/requests/req_nothing/resolve", {})
    assert unknown.status_code == 404
