"""What is on the table, carried over until it is resolved, and what is agreed to be done about it."""

from __future__ import annotations

import json
from typing import Any

from tests.meetings.office import Office, problem, stored

MONDAYS = ("2026-03-16T08:00:00Z", "2026-03-23T08:00:00Z", "2026-03-30T07:00:00Z")


async def held(office: Office) -> tuple[str, list[str]]:
    """A weekly series and its first three meetings."""
    series = (await office.weekly()).json()["id"]
    meetings = []
    for at in MONDAYS:
        called = await office.world.post("/v1/meetings", {"series": series, "starts_at": at})
        meetings.append(called.json()["id"])
    return series, meetings


async def raised(office: Office, title: str, **fields: Any) -> str:
    """An item on some table."""
    made = await office.world.made("/v1/items", {"kind": "problem", "title": title} | fields)
    return str(made["id"])


async def table(office: Office, meeting: str) -> list[tuple[str, bool]]:
    """What is on the table of a meeting, and whether it was carried over."""
    found = await office.get(f"/v1/meetings/{meeting}/items")
    return [(item["title"], item["carried"]) for item in found["items"]]


async def test_what_is_not_resolved_is_carried_over_to_the_next_meeting_and_old_tables_stay(standing: Office) -> None:
    series, (first, second, third) = await held(standing)
    stock = await raised(standing, "Stock", meeting=first, on="2026-03-16")
    price = await raised(standing, "Price", meeting=first, on="2026-03-16")
    await raised(standing, "Fair", series=series, on="2026-03-18")
    await standing.world.post(f"/v1/items/{price}/resolve", {"on": "2026-03-16"})
    assert await table(standing, first) == [("Stock", False), ("Price", False)]
    assert await table(standing, second) == [("Stock", True), ("Fair", True)]
    await raised(standing, "News", meeting=second, on="2026-03-23")
    await standing.world.post(f"/v1/items/{stock}/resolve", {"on": "2026-03-23", "note": "ordered more"})
    assert await table(standing, second) == [("News", False), ("Stock", True), ("Fair", True)]
    assert await table(standing, third) == [("Fair", True), ("News", True)]
    reopened = await standing.world.post(f"/v1/items/{stock}/reopen", {"on": "2026-03-25"})
    assert (reopened.json()["status"], reopened.json()["resolved_on"]) == ("open", None)
    assert await table(standing, third) == [("Stock", True), ("Fair", True), ("News", True)]
    await standing.world.post(f"/v1/items/{stock}/resolve", {"on": "2026-03-30"})
    assert ("Stock", True) in await table(standing, second)


async def test_a_resolution_between_two_meetings_is_remembered_although_the_item_came_back(standing: Office) -> None:
    _, (first, second, third) = await held(standing)
    stock = await raised(standing, "Stock", meeting=first, on="2026-03-16")
    await standing.world.post(f"/v1/items/{stock}/resolve", {"on": "2026-03-17"})
    await standing.world.post(f"/v1/items/{stock}/reopen", {"on": "2026-03-24"})
    assert await table(standing, second) == []
    assert await table(standing, third) == [("Stock", True)]
    assert (await standing.get(f"/v1/items/{stock}", on="2026-03-20"))["status"] == "resolved"
    assert (await standing.get(f"/v1/items/{stock}", on="2026-03-24"))["status"] == "open"


async def test_an_item_of_a_meeting_by_itself_goes_nowhere_else(standing: Office) -> None:
    _, (_, second, _) = await held(standing)
    single = await standing.world.made("/v1/meetings", {"name": "Talk", "starts_at": "2026-03-17T08:00:00Z"})
    await raised(standing, "Secret", meeting=single["id"], on="2026-03-17")
    assert await table(standing, single["id"]) == [("Secret", False)]
    assert await table(standing, second) == []


async def test_items_are_changed_moved_to_another_table_and_upserted(standing: Office) -> None:
    series, (first, second, _) = await held(standing)
    path = "/v1/items/ext:board:7"
    body = {"kind": "question", "title": "Who?", "meeting": first, "raised_by": "ext:hrm:ada", "on": "2026-03-16"}
    made = await standing.world.admin.put(path, json=body)
    same = await standing.world.admin.put(path, json=body)
    assert (made.status_code, same.status_code, same.json()["version"]) == (201, 200, 1)
    moved = await standing.world.admin.put(path, json=body | {"meeting": second, "title": "Who does it?"})
    assert (moved.json()["meeting"], moved.json()["raised_by"]) == (second, standing.ada)
    cleared = await standing.world.admin.patch(
        path, json={"raised_by": None, "meeting": None, "series": series}, headers={"If-Match": '"2"'}
    )
    assert (cleared.json()["raised_by"], cleared.json()["series"]) == (None, series)
    found = await standing.get("/v1/items", series=series, kind="question", status="open")
    assert [item["id"] for item in found["items"]] == [made.json()["id"]]


async def test_an_action_is_agreed_done_on_time_and_reopened(standing: Office) -> None:
    _, (first, *_) = await held(standing)
    item = await raised(standing, "Stock", meeting=first, on="2026-03-16")
    body = {"title": "Order more", "owner": "ext:hrm:ada", "helpers": [standing.ben], "due": "2026-03-20", "item": item,
            "on": "2026-03-16", "external": {"source": "board", "id": "a1"}}  # fmt: skip
    rows = [body, body, {"do": "done", "action": "ext:board:a1", "on": "2026-03-20"},
            {"do": "done", "action": "ext:board:a1", "on": "2026-03-20"}, {"do": "reopen", "action": "ext:board:a1",
             "on": "2026-03-21"}, {"do": "done", "action": "ext:board:a1", "on": "2026-03-22"}]  # fmt: skip
    answer = await standing.world.admin.post("/v1/actions/bulk", content="\n".join(map(json.dumps, rows)))
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [(line["status"], line["version"]) for line in lines] == [
        (201, 1), (200, 1), (200, 2), (200, 2), (200, 3), (200, 4),
    ]  # fmt: skip
    path = "/v1/actions/ext:board:a1"
    history = await standing.get(f"{path}/history")
    done = [event["data"] for event in history["items"] if event["type"].endswith("action-done.v1")]
    assert done == [{"on": "2026-03-20", "on_time": True}, {"on": "2026-03-22", "on_time": False}]
    assert (await standing.get(path, on="2026-03-21"))["status"] == "open"
    found = await standing.get("/v1/actions", owner="ext:hrm:ada", item=item, status="done")
    assert len(found["items"]) == 1
    late = await standing.world.admin.patch(path, json={"due": "2026-03-30"}, headers={"If-Match": '"4"'})
    problem(late, 409, "", "This action was done on 2026-03-22; reopen it first.")


async def test_an_action_that_is_cancelled_is_neither_open_nor_done_any_more(standing: Office) -> None:
    body = {"title": "Order none", "owner": "ext:hrm:ada", "due": "2026-03-20", "on": "2026-03-16"}
    path = f"/v1/actions/{(await standing.world.made('/v1/actions', body))['id']}"
    early = await standing.world.post(f"{path}/cancel", {"on": "2026-03-15"})
    problem(early, 422, "/on", "cannot be closed on 2026-03-15")
    cancelled = await standing.world.made(f"{path}/cancel", {"on": "2026-03-18"})
    assert (cancelled["status"], cancelled["cancelled_on"], cancelled["done_on"]) == ("cancelled", "2026-03-18", None)
    assert (await standing.get(path, on="2026-03-17"))["status"] == "open"
    assert (await standing.get(path, on="2026-03-18"))["status"] == "cancelled"
    for verb in ("done", "reopen", "cancel"):
        again = await standing.world.post(f"{path}/{verb}", {"on": "2026-03-19"})
        problem(again, 409, "", "This action was cancelled on 2026-03-18")


ITEMS_WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({}, "", "say for which meeting, or for which series"),
    ({"meeting": "mtg_none"}, "/meeting", "there is no meeting mtg_none"),
    ({"series": "ext:cal:none"}, "/series", "there is no series ext:cal:none"),
    ({"kind": "rumour", "series": "x"}, "/kind", ""),
    ({"raised_by": "mbr_none"}, "/raised_by", "no member mbr_none is known here"),
    ({"on": "2026-02-30"}, "/on", "2026-02-30 is not in the calendar"),
]
ACTIONS_WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"owner": "mbr_none"}, "/owner", "no member mbr_none is known here"),
    ({"helpers": ["mbr_none"]}, "/helpers/0", "no member mbr_none is known here"),
    ({"helpers": ["ext:hrm:ben", "ext:hrm:ben"]}, "/helpers/1", "stands here twice"),
    ({"item": "item_none"}, "/item", "there is no item item_none"),
    ({"due": None}, "/due", ""),
]


async def test_wrong_items_and_actions_are_refused_with_their_place_and_nothing_is_stored(standing: Office) -> None:
    series, (first, *_) = await held(standing)
    before = [await stored(standing, name) for name in ("items", "actions")]
    for wrong, pointer, says in ITEMS_WRONG:
        where = {} if not wrong or {"meeting", "series"} & set(wrong) else {"series": series}
        body = {"kind": "news", "title": "x"} | where | wrong
        problem(await standing.world.post("/v1/items", body), 422, pointer, says)
    for wrong, pointer, says in ACTIONS_WRONG:
        body = {"title": "x", "owner": standing.ada, "due": "2026-03-20"} | wrong
        problem(await standing.world.post("/v1/actions", body), 422, pointer, says)
    await standing.world.post(f"/v1/meetings/{first}/cancel", {})
    cancelled = await standing.world.post("/v1/items", {"kind": "news", "title": "x", "meeting": first})
    problem(cancelled, 409, "", "This meeting is cancelled; only one that is called, running or ended can do that.")
    assert [await stored(standing, name) for name in ("items", "actions")] == before
