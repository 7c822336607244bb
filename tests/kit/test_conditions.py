"""`If-Match`, `If-None-Match`, pages and history of a collection."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.world import World


async def test_a_change_names_the_version_it_was_decided_on(standing: World) -> None:
    made = await standing.made("/v1/customers", {"name": "Acme"})
    path = f"/v1/customers/{made['id']}"
    without = await standing.admin.patch(path, json={"name": "Acme 2"})
    assert (without.status_code, without.json()["type"]) == (428, "/problems/version-required")
    stale = await standing.admin.patch(path, json={"name": "Acme 2"}, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["type"]) == (412, "/problems/stale-version")
    done = await standing.admin.patch(path, json={"name": "Acme 2"}, headers={"If-Match": '"1"'})
    assert (done.status_code, done.headers["etag"]) == (200, '"2"')
    assert done.headers["concert-version"] == f"customer/{made['id']}@2"
    put = await standing.admin.put(path, json={"name": "Acme 3"})
    assert put.status_code == 428
    anything = await standing.admin.put(path, json={"name": "Acme 3"}, headers={"If-Match": "*"})
    assert anything.json()["version"] == 3


async def test_a_verb_and_an_upsert_take_a_version_when_it_is_given(standing: World) -> None:
    name = uuid4().hex
    path = f"/v1/customers/ext:crm:{name}"
    early = await standing.admin.put(path, json={"name": "New"}, headers={"If-Match": "*"})
    assert early.status_code == 412
    assert (await standing.admin.put(path, json={"name": "New"})).status_code == 201
    stale = await standing.admin.put(path, json={"name": "Newer"}, headers={"If-Match": '"9"'})
    assert stale.status_code == 412
    lost = await standing.admin.post(f"{path}/lose", json={"on": "2026-01-01"}, headers={"If-Match": '"9"'})
    assert lost.status_code == 412
    same = await standing.admin.put(path, json={"name": "New"})
    assert (same.status_code, same.headers["etag"]) == (200, '"1"')


async def test_what_has_not_changed_is_not_sent_again(standing: World) -> None:
    made = await standing.made("/v1/customers", {"name": "Still"})
    path = f"/v1/customers/{made['id']}"
    for tags in ('"1"', 'W/"1"', '"7", "1"', "*"):
        answer = await standing.admin.get(path, headers={"If-None-Match": tags})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')
    assert (await standing.admin.get(path, headers={"If-None-Match": '"11"'})).status_code == 200


async def test_pages_are_complete_and_without_repetition_while_things_are_added(standing: World) -> None:
    region = uuid4().hex
    made = [(await standing.made("/v1/customers", {"name": f"{n}", "region": region}))["id"] for n in range(7)]
    seen: list[str] = []
    url = f"/v1/customers?region={region}&limit=3"
    while url:
        page = await standing.admin.get(url)
        assert page.status_code == 200, page.text
        seen += [item["id"] for item in page.json()["items"]]
        await standing.made("/v1/customers", {"name": "meanwhile", "region": f"{region}-other"})
        if len(seen) == 3:
            made.append((await standing.made("/v1/customers", {"name": "late", "region": region}))["id"])
        url = ""
        if page.json()["next"] is not None:
            assert page.headers["link"].endswith('rel="next"')
            url = page.headers["link"].partition(">")[0].removeprefix("<")
    assert seen == made
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("cursor", ["x", "%00", "AA", "Zm9v", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
async def test_a_cursor_that_no_page_gave_is_refused_or_leads_nowhere_but_breaks_nothing(
    standing: World, cursor: str
) -> None:
    made = await standing.made("/v1/customers", {"name": "Acme"})
    for path in ("/v1/customers", f"/v1/customers/{made['id']}/history"):
        answer = await standing.admin.get(f"{path}?cursor={cursor}")
        assert answer.status_code in (200, 422), answer.text


async def test_history_tells_every_event_in_pages(standing: World) -> None:
    external = f"名 {uuid4().hex}"
    await standing.made("/v1/customers", {"name": "0", "external": {"source": "crm", "id": external}})
    path = f"/v1/customers/ext:crm:{external}"
    for number in range(1, 5):
        await standing.admin.put(path, json={"name": f"{number}"})
    first = await standing.admin.get(f"{path}/history", params={"limit": 3})
    rest = await standing.admin.get(first.headers["link"].partition(">")[0].removeprefix("<"))
    items = first.json()["items"] + rest.json()["items"]
    assert [item["version"] for item in items] == [1, 2, 3, 4, 5]
    assert items[0]["type"] == "concert.targets.customer-met.v1"
    assert rest.json()["next"] is None


@pytest.mark.parametrize(
    "query", ["limit=1&limit=2", "region=a&region=b", "limit=0", "limit=201", "limit=x", "colour=red"]
)
async def test_a_question_that_is_not_clear_is_refused_with_its_place(standing: World, query: str) -> None:
    answer = await standing.admin.get(f"/v1/customers?{query}")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")
    assert answer.json()["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"
