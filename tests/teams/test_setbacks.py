"""Setbacks: private by default, followed up until they are over, and counted only where nobody can be told apart."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.metrics.facts.support import SetbackFact
from services.metrics.views.private import kept_back
from tests.metrics.test_certificate import settled_verdict
from tests.teams.conftest import Staff, problem
from tests.world import client_of, token_headers

SECRET = "He shouted at me in front of everybody"


async def reported(staff: Staff, member: str, **fields: Any) -> str:
    body = {"member": member, "kind": "mistreatment", "severity": 3, "note": SECRET, "at": "2026-02-03T10:00:00Z"}
    setback: str = (await staff.made("setbacks", body | fields))["id"]
    return setback


async def seen_by(staff: Staff, path: str, headers: dict[str, str]) -> httpx.Response:
    async with client_of(staff.world.origin, headers) as client:
        return await client.get(f"/v1/{path}")


async def test_a_setback_is_read_by_whose_it_is_who_reported_it_and_whom_they_let(staff: Staff) -> None:
    ada, reporter, friend, leader, other = [await staff.recruited() for _ in range(5)]
    team = (await staff.made("teams", {"name": "Led by another", "leader": leader}))["id"]
    await staff.does(ada, "join", team=team, since="2026-01-02")
    settings, scope = staff.world.settings, "setbacks:write"
    async with client_of(staff.world.origin, token_headers(settings, scope, member=reporter)) as client:
        made = await client.post("/v1/setbacks", json={"member": ada, "kind": "mistreatment", "severity": 3,
                                                       "note": SECRET})  # fmt: skip
    setback = made.json()["id"]
    async with client_of(staff.world.origin, token_headers(settings, scope, member=ada)) as client:
        shared = await client.post(f"/v1/setbacks/{setback}/readers", json={"readers": [friend]})
    assert shared.status_code == 200, shared.text
    readers = {
        "herself": token_headers(settings, scope, member=ada),
        "reporter": token_headers(settings, scope, member=reporter),
        "friend": token_headers(settings, scope, member=friend),
        "leader": token_headers(settings, scope, member=leader),
        "another": token_headers(settings, scope, member=other),
        "hr": token_headers(settings, scope, department="hr"),
        "sales tool": token_headers(settings, scope, department="sales"),
    }
    allowed = {"herself", "reporter", "friend"}
    for name, headers in readers.items():
        for path in (f"setbacks/{setback}", f"setbacks/{setback}/history"):
            answer = await seen_by(staff, path, headers)
            assert answer.status_code == (200 if name in allowed else 404), (name, path)
        for path in ("setbacks", f"setbacks?member={ada}"):
            listed = await seen_by(staff, path, headers)
            assert (setback in listed.text) == (name in allowed), (name, path)
            assert (SECRET in listed.text) == (name in allowed), (name, path)
        if name not in allowed:
            async with client_of(staff.world.origin, headers) as client:
                for verb, body in (("close", {}), ("follow-up", {"option": "pause", "due": "2026-12-01"})):
                    assert (await client.post(f"/v1/setbacks/{setback}/{verb}", json=body)).status_code == 404
                bulk = await client.post("/v1/setbacks/bulk", json=[{"do": "close", "setback": setback}])
                assert '"status":404' in bulk.text
    assert (await staff.get(f"setbacks/{setback}"))["status"] == "open"


async def test_whose_it_is_decides_who_reads_of_it_and_nobody_else(staff: Staff) -> None:
    ada, reporter = await staff.recruited(), await staff.recruited()
    settings = staff.world.settings
    async with client_of(staff.world.origin, token_headers(settings, "setbacks:write", member=reporter)) as client:
        body = {"member": ada, "kind": "rejection", "severity": 1}
        problem(await client.post("/v1/setbacks", json=body | {"readers": [reporter]}), 422, "/readers")
        made = (await client.post("/v1/setbacks", json=body)).json()
        answer = await client.post(f"/v1/setbacks/{made['id']}/readers", json={"readers": [reporter]})
    assert "decided by whose it is" in problem(answer, 409, "/readers")


async def test_no_event_says_whose_setback_it_was_or_what_happened(staff: Staff) -> None:
    ada, friend = await staff.recruited(), await staff.recruited()
    setback = await reported(staff, ada, readers=[friend])
    await staff.made(f"setbacks/{setback}/follow-up",
                     {"option": "accompany", "owner": friend, "due": "2026-03-01", "note": SECRET})  # fmt: skip
    await staff.made(
        f"setbacks/{setback}/followed-up", {"follow_up": "follow-up-1", "note": SECRET, "on": "2026-02-28"}
    )
    await staff.made(f"setbacks/{setback}/close", {"on": "2026-03-02", "outcome": SECRET})
    told = str(await staff.get(f"setbacks/{setback}/history"))
    for private in (SECRET, ada, friend):
        assert private not in told
    tool = token_headers(staff.world.settings, "events:read", "setbacks:read", department="hr")
    stream = await seen_by(staff, "events?types=concert.teams.*&limit=1000", tool)
    assert stream.status_code == 200, stream.text
    assert "setback" not in stream.text


async def test_a_follow_up_has_a_day_and_an_owner_who_may_read(staff: Staff) -> None:
    ada, friend = await staff.recruited(), await staff.recruited()
    setback = await reported(staff, ada)
    path = f"setbacks/{setback}"
    body = {"option": "accompany", "owner": friend, "due": "2026-03-01"}
    assert friend in problem(await staff.post(f"{path}/follow-up", body), 409, "/owner")
    early = await staff.post(f"{path}/follow-up", {"option": "pause", "due": "2026-02-02"})
    assert "2026-02-03" in problem(early, 422, "/due")
    await staff.made(f"{path}/readers", {"readers": [friend]})
    agreed = await staff.made(f"{path}/follow-up", body)
    assert agreed["follow_ups"][0]["follow_up"] == "follow-up-1"
    # Who may not read of it any more has nothing to do about it either.
    assert agreed["follow_ups"][0]["owner"] == friend
    alone = await staff.made(f"{path}/readers", {"readers": []})
    assert (alone["follow_ups"][0]["owner"], alone["follow_ups"][0]["done_on"]) == (None, None)
    await staff.made(f"{path}/readers", {"readers": [friend]})
    left = await staff.post(f"{path}/close", {"on": "2026-03-02"})
    assert "follow-up-1" in problem(left, 409, "/regardless")
    unknown = await staff.post(f"{path}/followed-up", {"follow_up": "follow-up-7"})
    assert "follow-up-1" in problem(unknown, 422, "/follow_up")
    await staff.made(f"{path}/followed-up", {"follow_up": "follow-up-1", "on": "2026-02-28"})
    closed = await staff.made(f"{path}/close", {"on": "2026-03-02", "outcome": "He apologised"})
    assert (closed["status"], closed["outcome"]) == ("closed", "He apologised")
    problem(await staff.post(f"{path}/follow-up", body), 409)


async def test_trap_15_a_setback_can_name_a_customer_as_well_as_a_colleague(staff: Staff) -> None:
    ada, bob = await staff.recruited(), await staff.recruited()
    customer = await staff.made("customers", {"name": "Rude Ltd", "external": {"source": "crm", "id": "rude"}})
    by_customer = await reported(staff, ada, customer="ext:crm:rude")
    by_colleague = await reported(staff, ada, colleague=bob)
    assert (await staff.get(f"setbacks/{by_customer}"))["customer"] == customer["id"]
    assert (await staff.get(f"setbacks/{by_colleague}"))["colleague"] == bob
    assert await staff.ids("setbacks", customer="ext:crm:rude") == {by_customer}


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"severity": 5}, "/severity"),
        ({"severity": "3"}, "/severity"),
        ({"kind": "insult"}, "/kind"),
        ({"customer": "cust_none"}, "/customer"),
        ({"readers": ["mbr_none"]}, "/readers/0"),
        ({"at": "2026-02-03"}, "/at"),
    ],
)
async def test_a_setback_that_cannot_be_is_refused(staff: Staff, fields: Any, place: str) -> None:
    body = {"member": await staff.recruited(), "kind": "rejection", "severity": 1} | fields
    problem(await staff.post("setbacks", body), 422, place)


async def test_nothing_that_was_said_outlives_the_personal_data(staff: Staff) -> None:
    ada, friend = await staff.recruited(), await staff.recruited()
    own = await reported(staff, ada, readers=[friend])
    others = await reported(staff, friend, readers=[ada])
    await staff.made(f"setbacks/{own}/follow-up", {"option": "pause", "due": "2026-03-01", "note": SECRET})
    gone = await staff.world.admin.delete(f"/v1/members/{ada}/personal-data")
    assert gone.status_code == 204
    left = await staff.get(f"setbacks/{own}")
    assert SECRET not in str(left)
    assert left["readers"] == []
    assert (await staff.get(f"setbacks/{others}"))["readers"] == []


async def test_setbacks_are_not_counted_where_fewer_than_five_people_had_one(each_staff: Staff) -> None:
    staff = each_staff
    people = [await staff.recruited() for _ in range(11)]
    west = (await staff.made("teams", {"name": "West"}))["id"]
    for member, team in zip(people, [staff.north] * 5 + [staff.south] * 5 + [west], strict=True):
        await staff.does(member, "join", team=team, since="2026-01-02")

    async def counted(**query: str) -> tuple[Any, str]:
        view = await staff.get("views/hr", period="2026-02", **query)
        return view["figures"]["setbacks"], str(view["notes"])

    async def heard(answer: httpx.Response) -> None:
        await staff.world.settled("/v1/views", answer, period="2026-02")

    report = {"kind": "rejection", "severity": 1, "at": "2026-02-03T10:00:00Z"}
    for member in people[:4] * 3:
        last = await staff.post("setbacks", report | {"member": member})
    await heard(last)
    # Twelve setbacks of four people are hidden, in the whole and in their team.
    figure, notes = await counted()
    assert figure is None
    assert "fewer than 5 people" in notes
    for member in people[4:10]:
        last = await staff.post("setbacks", report | {"member": member})
    await heard(last)
    assert (await counted())[0] == 18
    broken = await staff.get("views/hr", period="2026-02", breakdown="team")
    rows = {row["ref"]: row["figures"]["setbacks"] for row in broken["breakdown"]["rows"]}
    assert (rows[staff.north], rows[staff.south]) == (13, 5)
    # One person in the west: with the others shown, the whole would tell of them; so another team is kept back too.
    await heard(await staff.post("setbacks", report | {"member": people[10]}))
    broken = await staff.get("views/hr", period="2026-02", breakdown="team")
    rows = {row["ref"]: row["figures"]["setbacks"] for row in broken["breakdown"]["rows"]}
    assert [rows[west], rows[staff.north], rows[staff.south]].count(None) == 2
    assert rows[west] is None
    assert (await counted(team=west))[0] is None
    assert (await counted())[0] == 19
    everything = str((await staff.get("views", period="2026-02"))["views"])
    assert people[10] not in everything
    await settled_verdict(staff.world, "consistent")


async def test_what_is_told_of_setbacks_tells_nothing_when_it_is_taken_from_each_other(lone_staff: Staff) -> None:
    staff = lone_staff
    people = [await staff.recruited() for _ in range(12)]
    happened = [(member, "mistreatment", "2026-01-12") for member in people[:6]]
    happened += [(people[6], "mistreatment", "2026-02-02")]
    happened += [(member, "mistreatment", "2026-05-04") for member in people[:5]] + [
        (people[5], "rejection", "2026-05-05")
    ]
    for member, kind, on in happened:
        report = {"member": member, "kind": kind, "severity": 1, "at": f"{on}T10:00:00Z"}
        last = await staff.post("setbacks", report)
    await staff.world.settled("/v1/views", last, period="2026")

    async def counted(figure: str = "setbacks", view: str = "hr", **query: str) -> Any:
        return (await staff.get(f"views/{view}", **query))["figures"][figure]

    assert [await counted(period=each) for each in ("2026", "2026-Q1", "2026-Q2")] == [13, 7, 6]
    # The quarter without January would be the one person of February.
    assert [await counted(period=f"2026-0{month}") for month in (1, 2, 3)] == [None, None, 0]
    broken = await staff.get("views/hr", period="2026-Q1", breakdown="month")
    assert [row["figures"]["setbacks"] for row in broken["breakdown"]["rows"]] == [None, None, 0]
    # Two stretches that differ by a day would tell of that day.
    for stretch in ({"from": "2026-01-01", "to": "2026-04-02"}, {"period": "2026-W03"}):
        assert await counted(**stretch) is None
    # All setbacks of May without those that are incidents would be the one of another kind.
    assert await counted(period="2026-05") == 6
    assert await counted("incidents", "finance", period="2026-05") is None
    assert await counted("incidents", "finance", period="2026-Q1") == 7


def test_what_is_kept_back_is_never_of_few_people_together() -> None:
    def of(**people: str) -> dict[str, list[SetbackFact]]:
        return {key: [SetbackFact.make(id=f"{key}{each}", person=each) for each in who] for key, who in people.items()}

    assert kept_back(of(a="abcde", b="fghij")) == set()
    assert kept_back(of(a="abcde", b="fghijk", c="x")) == {"c", "a"}
    assert kept_back(of(a="abcd", b="efg")) == {"a", "b"}
    # The same person in two rows is one person.
    assert kept_back(of(a="xy", b="xy", c="abcdef")) == {"a", "b", "c"}
    assert kept_back({}) == set()


async def test_what_was_agreed_about_a_setback_and_not_done_by_its_day_is_shown_as_overdue(staff: Staff) -> None:
    ada = await staff.recruited()
    path = f"setbacks/{await reported(staff, ada)}"
    assert (await staff.get(path))["overdue"] is False
    await staff.made(f"{path}/follow-up", {"option": "accompany", "due": "2026-02-10"})
    await staff.made(f"{path}/follow-up", {"option": "pause", "due": "2999-01-01"})
    assert (await staff.get(path))["overdue"] is True
    done = await staff.made(f"{path}/followed-up", {"follow_up": "follow-up-1", "on": "2026-02-12"})
    assert done["overdue"] is False
    await staff.made(f"{path}/follow-up", {"option": "escalate", "due": "2026-02-11"})
    closed = await staff.made(f"{path}/close", {"on": "2026-02-20", "outcome": "Talked it over", "regardless": True})
    assert closed["overdue"] is False
