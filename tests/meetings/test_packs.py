"""Joint meetings begin with each department's figures of one moment, which never change, and with what differs."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from services.meetings import reactions
from services.meetings.api.packs import for_reader
from services.meetings.known import KnownPack
from services.metrics import packs
from services.metrics.consistency.differences import differences_of
from services.metrics.domain.packs import Pack
from shared.events import Envelope
from shared.events.meetings import MeetingStarted
from shared.events.packs import PackFrozen
from shared.identity.permissions import Principal
from shared.identity.scopes import tool_scopes
from shared.instant import now
from shared.store import Context, Job
from shared.store.tables import Journal
from tests.journeys.test_training_cost import a_training, euros
from tests.meetings.office import problem
from tests.metrics.test_certificate import settled_verdict
from tests.world import World, client_of, token_headers

BOTH = ["sales", "hr"]


async def joint(world: World, at: str = "2026-02-20T09:00:00Z", **start: Any) -> str:
    """A joint meeting of sales and hr that has begun."""
    body = {"name": "All of us", "kind": "joint", "departments": BOTH, "starts_at": at}
    meeting = str((await world.made("/v1/meetings", body))["id"])
    started = await world.post(f"/v1/meetings/{meeting}/start", {"at": at} | start)
    assert started.status_code == 200, started.text
    return meeting


async def opened(world: World, meeting: str, client: httpx.AsyncClient | None = None) -> dict[str, Any]:
    """The pack of a meeting, once it is there."""
    async with asyncio.timeout(30):
        while True:
            answer = await (client or world.admin).get(f"/v1/meetings/{meeting}/pack")
            if answer.status_code != 503:
                assert answer.status_code == 200, answer.text
                pack: dict[str, Any] = answer.json()
                return pack
            assert answer.headers["retry-after"] == "1"
            assert answer.json()["type"].endswith("/not-yet-applied")
            await asyncio.sleep(0.1)


async def spent(world: World, amount: str) -> httpx.Response:
    """An expense of sales in February."""
    return await world.post("/v1/expenses", {"department": "sales", "kind": "travel", "amount": euros(amount),
                                             "on": "2026-02-10"})  # fmt: skip


async def knows_departments(world: World) -> None:
    tokens = {"after": [f"department/{name}@1" for name in (*BOTH, "it")] + ["organisation/organisation@1"]}
    heard = await world.admin.get("/v1/series", params=tokens, headers={"Prefer": "wait=20"})
    assert heard.status_code == 200, heard.text


async def test_a_pack_holds_the_figures_of_its_moment_and_never_changes(world: World) -> None:
    await knows_departments(world)
    first = await spent(world, "100.00")
    await world.settled("/v1/views", first, period="2026-Q1")
    meeting = await joint(world)
    pack = await opened(world, meeting)
    assert (pack["meeting"], pack["on"], pack["period"]["label"]) == (meeting, "2026-02-20", "2026-Q1")
    assert pack["as_of"]["applied"]["targets"] >= 1
    assert sorted(pack["views"]) == ["accounting", "finance", "hr", "it", "sales"]
    assert pack["withheld"] == []
    shown = {name: view["figures"] for name, view in pack["views"].items()}
    assert shown["accounting"]["sales_expense"] == shown["finance"]["selling_expense"] == euros("100.00")
    live = (await world.admin.get("/v1/views", params={"period": "2026-Q1"})).json()["views"]
    assert set(shown["sales"]) == set(live["sales"]["figures"])
    late = await spent(world, "50.00")
    await world.settled("/v1/views", late, period="2026-Q1")
    next_one = await joint(world, "2026-03-20T09:00:00Z", period="2026-02")
    pack_of_next = await opened(world, next_one)
    assert pack_of_next["period"]["label"] == "2026-02"
    assert pack_of_next["views"]["accounting"]["figures"]["sales_expense"] == euros("150.00")
    assert await opened(world, meeting) == pack
    await settled_verdict(world, "consistent")
    books = (await world.admin.get("/v1/books", params={"service": "metrics"})).json()
    assert sum(line["count"] for line in books["lines"] if line["kind"] == "pack") == 2
    store = world.services["metrics"].runtime.store
    assert await store.read(packs.due) == []


async def test_only_who_may_read_a_view_reads_it_in_a_pack(world: World) -> None:
    await knows_departments(world)
    meeting = await joint(world)
    await opened(world, meeting)
    for department in ("sales", "hr"):
        headers = token_headers(world.settings, *tool_scopes(department), department=department)
        async with client_of(world.origin, headers) as client:
            pack = await opened(world, meeting, client)
        assert list(pack["views"]) == [department]
        assert len(pack["withheld"]) == 4
    frozen = {"types": "concert.metrics.*"}
    headers = token_headers(world.settings, *tool_scopes("finance"), department="finance")
    async with client_of(world.origin, headers) as client:
        assert "pack-frozen" not in (await client.get("/v1/events", params=frozen)).text
    assert "pack-frozen" in (await world.admin.get("/v1/events", params=frozen)).text


async def test_what_departments_differ_in_is_a_problem_on_the_table_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await knows_departments(world)
    training = await a_training(world)
    await settled_verdict(world, "consistent")
    consumer = world.services["targets"].runtime.consumer
    assert consumer is not None
    async with consumer.turn:
        done = await world.post(f"/v1/trainings/{training}/complete", {"on": "2026-02-10"})
        await world.settled("/v1/views", done, period="2026-Q1")
        meeting = await joint(world)
        pack = await opened(world, meeting)
    await settled_verdict(world, "consistent")
    (difference,) = pack["differences"]
    assert (difference["name"], difference["departments"]) == (
        "training cost in hr = expense in accounting", ["accounting", "hr"],
    )  # fmt: skip
    assert difference["pending"] == [{"cause": f"training/{training}", "amount": euros("100.00")}]
    (item,) = (await world.admin.get("/v1/items", params={"meeting": meeting})).json()["items"]
    assert (item["kind"], item["status"]) == ("problem", "open")
    assert item["title"] == "Accounting and hr differ: training cost in hr = expense in accounting"
    assert "100" not in f"{item['title']} {item['about']}"
    headers = token_headers(world.settings, *tool_scopes("hr"), department="hr")
    async with client_of(world.origin, headers) as client:
        (half,) = (await opened(world, meeting, client))["differences"]
    assert (half["left_value"], half["right_value"], half["pending"]) == (None, None, [])
    await heard_again(world, meeting)
    again = (await world.admin.get("/v1/items", params={"meeting": meeting})).json()["items"]
    assert [each["version"] for each in again] == [1]
    later = await joint(world, "2026-03-20T09:00:00Z")
    assert (await opened(world, later))["differences"] == []


async def heard_again(world: World, meeting: str) -> None:
    """Both reactions a second time, as when the log is read anew."""
    begun = await journal_of(world, "meetings", f"meeting/{meeting}", MeetingStarted.type)
    metrics, meetings = (world.services[name].runtime.store for name in ("metrics", "meetings"))
    event: Any = begun.open()
    await metrics.write(Job(lambda tx: packs.owe_a_pack(tx, event, begun), Context(now())))
    await packs.freeze_due(metrics)

    async def of_meeting(snapshot: Any) -> list[Pack]:
        return [each for each in await snapshot.all(Pack, sa.select(Pack)) if each.meeting == meeting]

    (pack,) = await metrics.read(of_meeting)
    assert pack.version == 1
    frozen = await journal_of(world, "metrics", pack.subject, PackFrozen.type)
    told: Any = frozen.open()
    await meetings.write(Job(lambda tx: reactions.bring_up_differences(tx, told, frozen), Context(now())))


async def journal_of(world: World, service: str, subject: str, kind: str) -> Envelope:
    """What a service has told of a subject."""
    store = world.services[service].runtime.store
    rows = await store.read(lambda snapshot: snapshot.all(Journal, sa.select(Journal)))
    (row,) = [each for each in rows if each.subject == subject and each.type == kind]
    return Envelope(id=row.id, type=row.type, subject=row.subject, version=row.version, time=row.time,
                    source=f"/{service}", data=(row.data or "").encode())  # fmt: skip


async def test_a_pack_is_asked_for_where_there_is_one(world: World) -> None:
    await knows_departments(world)
    team = await world.made("/v1/meetings", {"name": "We", "starts_at": "2026-02-20T09:00:00Z"})
    path = f"/v1/meetings/{team['id']}"
    problem(await world.admin.get(f"{path}/pack"), 409, "", "This is a team meeting")
    start = {"at": "2026-02-20T09:00:00Z", "period": "2026-Q1"}
    problem(await world.post(f"{path}/start", start), 422, "/period", "This is a team meeting")
    body = {"name": "All", "kind": "joint", "departments": BOTH, "starts_at": "2026-02-20T09:00:00Z"}
    called = await world.made("/v1/meetings", body)
    path = f"/v1/meetings/{called['id']}"
    problem(await world.admin.get(f"{path}/pack"), 409, "", "is called; its figures are frozen when it starts")
    problem(await world.post(f"{path}/start", start | {"period": "2026-Q9"}), 422, "/period", "")
    assert (await world.admin.get("/v1/meetings/mtg_none/pack")).status_code == 404
    await world.made(f"/v1/meetings/{team['id']}/start", {"at": "2026-02-20T09:00:00Z"})
    mine = await joint(world)
    await opened(world, mine)
    store = world.services["metrics"].runtime.store
    frozen = await store.read(lambda snapshot: snapshot.all(Pack, sa.select(Pack)))
    assert [each.meeting for each in frozen] == [mine]


async def test_a_rebuild_of_the_views_freezes_nothing_anew(world: World) -> None:
    await knows_departments(world)
    meeting = await joint(world)
    pack = await opened(world, meeting)
    begun = await world.post("/v1/views/rebuild", {})
    assert begun.status_code == 202, begun.text
    async with asyncio.timeout(60):
        while (await world.admin.get("/v1/views/rebuild")).json()["state"] == "running":
            await asyncio.sleep(0.1)
    run = (await world.admin.get("/v1/views/rebuild")).json()
    assert (run["state"], run["differences"]) == ("adopted", {}), run
    store = world.services["metrics"].runtime.store
    assert len(await store.read(lambda snapshot: snapshot.all(Pack, sa.select(Pack)))) == 1
    assert await opened(world, meeting) == pack


async def test_figures_of_one_meaning_that_differ_are_named_and_unknown_ones_are_not(world: World) -> None:
    store = world.services["metrics"].runtime.store
    figures: dict[str, dict[str, Any]] = {
        "sales": {"revenue": euros("1.00"), "requests_to_it": 2, "reputation": None},
        "finance": {"revenue": euros("2.00"), "selling_expense": None},
        "it": {"requests_from_sales": 2},
        "accounting": {"sales_expense": euros("3.00")},
        "hr": {"reputation": {"score": "4"}},
    }
    (found,) = await store.read(partial(_differences, figures))
    assert (found["name"], found["departments"]) == ("revenue", ["sales", "finance"])
    assert (found["left_value"], found["right_value"]) == (euros("1.00"), euros("2.00"))
    pack = KnownPack.make(id="pack_1", views={name: {} for name in figures}, differences=[found])

    def seen(*scopes: str) -> Any:
        (difference,) = for_reader(pack, Principal("x", frozenset(scopes)), None)["differences"]
        return difference["left_value"]

    assert seen("views:read") == seen("views.sales:read", "views.finance:read") == euros("1.00")
    assert seen("views.sales:read") is seen() is None


async def _differences(figures: dict[str, dict[str, Any]], snapshot: Any) -> list[dict[str, Any]]:
    return await differences_of(snapshot, figures)
