"""Pulses: answered once by whoever is asked, shown when enough have answered, and nobody can be found in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import date
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from services.meetings.api.pulse_answers import results
from services.meetings.api.pulses import closing
from services.meetings.domain.pulses import (
    ClosesBeforeItOpens,
    ClosesInThePast,
    NotOpenYet,
    Pulse,
    PulseIsClosed,
    TooFewAreAsked,
    enough,
    enps_of,
    sums_of,
)
from services.meetings.pulse_tokens import PulseAnswer, PulseKey, token_of
from services.metrics.facts.pulses import PulseFact
from shared.identity.scopes import member_scopes, tool_scopes
from shared.store.tables import Journal, KeptAnswer
from tests.meetings.office import Office, problem
from tests.world import World, client_of, token_headers

ALL_FOURS = {"C1": 4, "C2": 4, "C3": 4, "C4": 4, "T1": 4, "T2": 4, "T3": 4, "T4": 4}
FAR = "2999-01-01"
JULY = date(2026, 7, 1)


class Crew:
    """A team of members, each with a client of their own, their leader and others who are not of it."""

    def __init__(
        self, world: World, team: str, clients: Mapping[str, httpx.AsyncClient], ids: Mapping[str, str]
    ) -> None:
        self.world = world
        self.team = team
        self.clients = clients
        self.ids = ids

    async def asks(self, **fields: Any) -> str:
        """A pulse of the team, by hr."""
        body = {"title": "How we work", "team": self.team, "closes_on": FAR, "opens_on": "2026-02-01"} | fields
        opened = await self.clients["hr tool"].post("/v1/pulses", json=body)
        assert opened.status_code == 201, opened.text
        return str(opened.json()["id"])

    async def answers(self, name: str, pulse: str, answers: Mapping[str, int] = ALL_FOURS) -> httpx.Response:
        """What somebody answers."""
        return await self.clients[name].post(f"/v1/pulses/{pulse}/answers", json={"answers": dict(answers)})

    async def closes(self, pulse: str) -> httpx.Response:
        """The end of a pulse."""
        closed = await self.clients["hr tool"].post(f"/v1/pulses/{pulse}/close", json={})
        assert closed.status_code == 200, closed.text
        return closed

    async def shown(self, name: str, pulse: str) -> Any:
        """The results, for somebody."""
        found = await self.clients[name].get(f"/v1/pulses/{pulse}/results")
        assert found.status_code == 200, found.text
        return found.json()


@pytest.fixture(scope="module")
async def crew(standing: Office) -> AsyncIterator[Crew]:
    world = standing.world
    async with AsyncExitStack() as stack:
        clients, ids, tokens = {}, {}, []

        async def client(name: str, *scopes: str, **whose: str) -> None:
            headers = token_headers(world.settings, *scopes, **whose)
            clients[name] = await stack.enter_async_context(client_of(world.origin, headers))

        for name in ("lea", "m1", "m2", "m3", "m4", "m5"):
            hired = await world.made("/v1/members", {"name": name, "department": "sales", "starts_on": "2026-01-01"})
            ids[name] = hired["id"]
            await client(name, *member_scopes("sales"), member=hired["id"])
        team = await world.made("/v1/teams", {"name": "Pulsed", "department": "sales", "leader": ids["lea"]})
        for name in ("m1", "m2", "m3", "m4", "m5"):
            joined = await world.post(f"/v1/members/{ids[name]}/join", {"team": team["id"], "from": "2026-01-01"})
            assert joined.status_code == 200, joined.text
            tokens.append(joined.headers["concert-version"])
        heard = await world.admin.get("/v1/series", params={"after": [*tokens, f"team/{team['id']}@1"]},
                                      headers={"Prefer": "wait=20"})  # fmt: skip
        assert heard.status_code == 200, heard.text
        await client("hr tool", *tool_scopes("hr"), department="hr")
        await client("ivo", *member_scopes("it"), member=standing.ivo)
        yield Crew(world, team["id"], clients, ids)


async def held(crew: Crew, model: Any) -> list[Any]:
    store = crew.world.services["meetings"].runtime.store
    return await store.read(lambda snapshot: snapshot.all(model, sa.select(model)))


async def test_nothing_that_is_kept_or_told_leads_from_an_answer_to_who_gave_it(crew: Crew) -> None:
    pulse = await crew.asks()
    for name in ("m1", "m2", "m3", "m4"):
        headers = {"Idempotency-Key": f"key of {name}"}
        sent = await crew.clients[name].post(
            f"/v1/pulses/{pulse}/answers", json={"answers": ALL_FOURS}, headers=headers
        )
        assert (sent.status_code, sent.json()) == (200, {"pulse": pulse, "answered": True})
        assert "etag" not in sent.headers
    rows = [each for each in await held(crew, PulseAnswer) if each.pulse == pulse]
    assert len(rows) == 4
    assert not [name for name, member in crew.ids.items() if member in str([row.content() for row in rows])]
    assert not [each for each in await held(crew, KeptAnswer) if pulse in each.body]
    told = [row for row in await held(crew, Journal) if row.subject == f"pulse/{pulse}"]
    assert [row.type for row in told] == ["concert.meetings.pulse-opened.v1"]
    (key,) = [each.key for each in await held(crew, PulseKey) if each.pulse == pulse]
    assert token_of(key, crew.ids["m1"]) in [row.token for row in rows]
    await crew.closes(pulse)
    assert [each for each in await held(crew, PulseKey) if each.pulse == pulse] == []
    assert [each for each in await held(crew, PulseAnswer) if each.pulse == pulse] == []
    (_, end) = [row for row in await held(crew, Journal) if row.subject == f"pulse/{pulse}"]
    assert not [member for member in crew.ids.values() if member in end.data]
    assert all(row.token not in end.data for row in rows)


async def test_results_are_shown_once_and_only_where_enough_have_answered(crew: Crew) -> None:
    pulse = await crew.asks()
    for name in ("m1", "m2", "m3", "m4"):
        assert (await crew.answers(name, pulse)).status_code == 200
        open_still = await crew.shown("m1", pulse)
        assert (open_still["shown"], open_still["answered"]) == (False, None)
        assert "can still be answered" in open_still["reason"]
        listed = (await crew.clients["hr tool"].get(f"/v1/pulses/{pulse}")).json()
        assert (listed["version"], "answered" in listed) == (1, False)
    changed = await crew.answers("m4", pulse, ALL_FOURS | {"C1": 2})
    assert changed.status_code == 200
    problem(await crew.answers("m4", pulse, ALL_FOURS | {"C1": 2}), 409, "", "exactly so already")
    await crew.closes(pulse)
    for name in ("m1", "m5", "lea"):
        inside = await crew.shown(name, pulse)
        assert (inside["shown"], inside["asked"], inside["answered"]) == (True, 5, 4)
        means = {each["name"]: (each["n"], each["mean"], each["sd"], each["score100"]) for each in inside["results"]}
        assert means["C1"] == (4, "3.50", "1.00", "62.5")
        assert means["communication"] == (4, "3.88", "0.25", "71.9")
        assert means["cooperation"] == (4, "4.00", "0.00", "75.0")
    outside = await crew.shown("hr tool", pulse)
    assert (outside["shown"], outside["results"]) == (False, [])
    history = (await crew.clients["hr tool"].get(f"/v1/pulses/{pulse}/history")).json()["items"]
    assert history[1]["data"] == {"on": history[1]["data"]["on"], "asked": 5, "answered": 4}
    assert "4 of 5 answered; it is shown from 5 answers and 60 % on" in outside["reason"]
    assert (await crew.clients["ivo"].get(f"/v1/pulses/{pulse}/results")).status_code == 404


async def test_of_too_few_answers_nothing_is_kept(crew: Crew) -> None:
    pulse = await crew.asks(items=["C1", "enps"])
    for name in ("m1", "m2", "m3"):
        await crew.answers(name, pulse, {"C1": 1})
    closed = await crew.closes(pulse)
    found = await crew.shown("m1", pulse)
    assert (found["shown"], found["answered"]) == (False, 3)
    (row,) = [each for each in await held(crew, Pulse) if each.id == pulse]
    assert (row.sums, row.enps) == ({}, {})
    heard = {"period": "2026", "after": closed.headers["concert-version"]}
    await crew.world.admin.get("/v1/views/hr", params=heard, headers={"Prefer": "wait=20"})
    store = crew.world.services["metrics"].runtime.store
    facts = await store.read(lambda snapshot: snapshot.all(PulseFact, sa.select(PulseFact)))
    (fact,) = [each for each in facts if each.id == pulse]
    assert (fact.asked, fact.answered, fact.sums, fact.promoters) == (5, 3, {}, None)


async def test_who_is_not_asked_and_what_is_not_asked_is_refused(crew: Crew) -> None:
    pulse = await crew.asks(items=["C1", "T1", "enps"])
    problem(await crew.answers("ivo", pulse, {"C1": 3}), 403, "", f"belonged to team {crew.team} on 2026-02-01")
    tool = await crew.answers("hr tool", pulse, {"C1": 3})
    problem(tool, 403, "", "Members answer")
    for answers, pointer, says in (
        ({"C1": 6}, "/answers/C1", "from 1 to 5; not by 6"),
        ({"C1": 0}, "/answers/C1", "from 1 to 5; not by 0"),
        ({"enps": 11}, "/answers/enps", "from 0 to 10; not by 11"),
        ({"C2": 3}, "/answers/C2", "does not ask C2; it asks C1, T1, enps"),
        ({"X9": 3}, "/answers/X9", "does not ask X9"),
        ({}, "/answers", ""),
        ({"C1": 2.5}, "/answers/C1", ""),
        ({"C1": "3"}, "/answers/C1", ""),
    ):
        sent = await crew.clients["m1"].post(f"/v1/pulses/{pulse}/answers", json={"answers": answers})
        problem(sent, 422, pointer, says)
    more = await crew.clients["m1"].post(
        f"/v1/pulses/{pulse}/answers", json={"answers": {"C1": 3}, "comment": "I, Ada"}
    )
    problem(more, 422, "/comment", "")
    assert (await crew.answers("m1", pulse, {"enps": 0})).status_code == 200
    await crew.closes(pulse)
    problem(await crew.answers("m2", pulse, {"C1": 3}), 409, "", "can be neither answered nor changed")
    again = await crew.clients["hr tool"].post(f"/v1/pulses/{pulse}/close", json={})
    assert (again.status_code, again.json()["version"]) == (200, 2)


async def test_hr_and_who_leads_the_team_ask_and_nobody_else(crew: Crew) -> None:
    body = {"title": "Us", "team": crew.team, "closes_on": FAR, "opens_on": "2026-02-01"}
    for name in ("m1", "ivo"):
        problem(await crew.clients[name].post("/v1/pulses", json=body), 403, "", "who leads a team asks that team")
    led = await crew.clients["lea"].post("/v1/pulses", json=body | {"items": ["C1"]})
    assert (led.status_code, led.json()["department"], led.json()["level"]) == (201, "sales", "team")
    assert led.json()["questions"][0]["text"].startswith("What I needed")
    path = f"/v1/pulses/{led.json()['id']}"
    problem(await crew.clients["m1"].post(f"{path}/close", json={}), 403, "", "you do neither")
    longer = await crew.clients["lea"].patch(path, json={"closes_on": "2999-02-01"}, headers={"If-Match": '"1"'})
    assert (longer.status_code, longer.json()["closes_on"]) == (200, "2999-02-01")
    other = await crew.clients["lea"].patch(path, json={"items": ["T1"]}, headers={"If-Match": '"2"'})
    problem(other, 422, "/items", "stays as it was stored")
    problem(await crew.clients["lea"].post("/v1/pulses", json={**body, "team": None}), 403, "", "you do neither")
    assert (await crew.clients["ivo"].get(path)).status_code == 404
    seen = (await crew.clients["m1"].get("/v1/pulses", params={"team": crew.team, "limit": 200})).json()["items"]
    assert led.json()["id"] in [each["id"] for each in seen]
    assert crew.team not in str((await crew.clients["ivo"].get("/v1/pulses")).json())


async def test_a_pulse_refuses_what_it_could_never_show(crew: Crew) -> None:
    tool = crew.clients["hr tool"]
    body = {"title": "Us", "team": crew.team, "closes_on": FAR, "opens_on": "2026-02-01"}
    early = await tool.post("/v1/pulses", json=body | {"opens_on": "2025-01-01"})
    problem(early, 422, "", "0 members on 2025-01-01; of fewer than 4 answers")
    problem(await tool.post("/v1/pulses", json=body | {"closes_on": "2026-01-01"}), 422, "/closes_on", "cannot close")
    problem(await tool.post("/v1/pulses", json=body | {"items": ["C9"]}), 422, "/items/0", "C1")
    problem(await tool.post("/v1/pulses", json=body | {"items": ["C1", "C1"]}), 422, "", "asked once")
    problem(await tool.post("/v1/pulses", json=body | {"department": "sales"}), 422, "", "a team or a department")
    problem(await tool.post("/v1/pulses", json=body | {"team": "team_none"}), 422, "/team", "team_none")


async def test_a_pulse_closes_by_itself_when_its_last_day_is_over(crew: Crew) -> None:
    pulse = await crew.asks(closes_on="2998-01-01", items=["T1"])
    for name in ("m1", "m2", "m3", "m4", "m5"):
        await crew.answers(name, pulse, {"T1": 5})
    store = crew.world.services["meetings"].runtime.store
    await closing.due(store, date(2998, 1, 1))
    assert (await crew.shown("m1", pulse))["shown"] is False
    assert await closing.due(store, date(2998, 1, 2)) >= 1
    assert (await crew.shown("hr tool", pulse))["results"] == [
        {"name": "T1", "n": 5, "mean": "5.00", "sd": "0.00", "score100": "100.0"}
    ]
    assert await closing.due(store, date(2998, 1, 2)) == 0
    problem(await crew.answers("m1", pulse, {"T1": 1}), 409, "", "closed on 2998-01-01")


async def test_enps_is_shown_from_ten_answers_on_and_opens_to_its_pulse(world: World) -> None:
    ids, tokens = [], []
    for number in range(10):
        hired = await world.post("/v1/members", {"name": str(number), "department": "hr", "starts_on": "2026-01-01"})
        ids.append(hired.json()["id"])
        tokens.append(hired.headers["concert-version"])
    heard = await world.admin.get("/v1/series", params={"after": tokens}, headers={"Prefer": "wait=20"})
    assert heard.status_code == 200, heard.text

    async def pulse(*scores: int) -> httpx.Response:
        body = {"title": "Us", "department": "hr", "items": ["enps"], "opens_on": "2026-02-01", "closes_on": FAR}
        path = f"/v1/pulses/{(await world.made('/v1/pulses', body))['id']}"
        for member, score in zip(ids, scores, strict=False):
            headers = token_headers(world.settings, *member_scopes("hr"), member=member)
            async with client_of(world.origin, headers) as client:
                answered = await client.post(f"{path}/answers", json={"answers": {"enps": score}})
                assert answered.status_code == 200, answered.text
        return await world.post(f"{path}/close", {})

    nine = await pulse(10, 10, 10, 10, 10, 10, 10, 10, 10)
    year = str(date.fromisoformat(nine.json()["closed_on"]).year)
    view = await world.settled("/v1/views/hr", nine, period=year)
    assert view["figures"]["enps"] is None
    assert "ten answers" in str(view["notes"])
    ten = await pulse(10, 9, 9, 9, 8, 7, 7, 6, 3, 0)
    view = await world.settled("/v1/views/hr", ten, period=year)
    told = {"points": "10.0", "promoters": 4, "detractors": 3, "answers": 10}
    assert view["figures"]["enps"] == told
    rows = await world.settled("/v1/views/hr/rows", ten, period=year, figure="enps")
    assert [row["ref"] for row in rows["items"]] == [ten.json()["id"]]
    parts = await world.settled("/v1/views/hr", ten, period=year, breakdown="department")
    assert {row["ref"]: row["figures"]["enps"] for row in parts["breakdown"]["rows"]}["hr"] == told
    certificate = (await world.admin.get("/v1/consistency", params={"fresh": "true"})).json()
    assert certificate["verdict"] in ("consistent", "catching_up"), certificate["reasons"]


def pulse(**fields: Any) -> Pulse:
    said: dict[str, Any] = {"id": "pls_1", "title": "Us", "level": "team", "team": "t", "items": ["C1"],
                            "opens_on": JULY, "closes_on": date(2026, 7, 14)}  # fmt: skip
    opened, _ = Pulse.open(today=JULY, asked=6, **(said | fields))
    return opened


def test_a_pulse_is_open_from_its_first_day_to_the_end_of_its_last() -> None:
    asked = pulse()
    with pytest.raises(NotOpenYet, match="2026-07-01"):
        asked.judge({"C1": 3}, today=date(2026, 6, 30), belongs=True)
    asked.judge({"C1": 3}, today=date(2026, 7, 14), belongs=True)
    with pytest.raises(PulseIsClosed, match="2026-07-14"):
        asked.judge({"C1": 3}, today=date(2026, 7, 15), belongs=True)
    with pytest.raises(ClosesBeforeItOpens):
        asked.change(JULY, closes_on=date(2026, 6, 30))
    with pytest.raises(ClosesInThePast):
        asked.change(date(2026, 7, 10), closes_on=date(2026, 7, 9))
    with pytest.raises(ClosesInThePast):
        pulse(opens_on=date(2026, 6, 1), closes_on=date(2026, 6, 30))
    with pytest.raises(TooFewAreAsked, match="3 members"):
        Pulse.open(today=JULY, asked=3, title="Us", level="team", team="t", items=["C1"], opens_on=JULY, closes_on=JULY)


@pytest.mark.parametrize(
    ("answered", "asked", "fewest", "is_enough"),
    [(3, 3, 4, False), (4, 6, 4, True), (4, 7, 4, False), (6, 10, 5, True), (5, 9, 5, False), (4, 4, 5, False)],
)
def test_enough_is_a_number_and_a_share(answered: int, asked: int, fewest: int, is_enough: bool) -> None:
    assert enough(answered, asked, fewest) is is_enough


def test_a_missing_answer_counts_nowhere_and_never_as_zero() -> None:
    whole = {"C1": 5, "C2": 5, "C3": 5, "C4": 5}
    sums = sums_of(["C1", "C2", "C3", "C4"], [whole, whole, whole, whole, {"C1": 1}])
    assert sums["C1"] == {"n": 5, "total": 21, "squares": 101}
    assert sums["C2"] == {"n": 4, "total": 20, "squares": 100}
    assert sums["communication"] == {"n": 4, "total": 80, "squares": 1600}
    assert "cooperation" not in sums
    assert enps_of([{"enps": 9}] * 9) == {}
    assert enps_of([{"enps": 9}] * 4 + [{"enps": 8}] * 4 + [{"enps": 6}] * 2) == {
        "promoters": 4, "passives": 4, "detractors": 2,
    }  # fmt: skip


def test_an_item_that_too_few_answered_is_left_out_for_those_outside() -> None:
    asked = pulse(items=["C1", "T1"])
    asked.close(JULY, 5, [{"C1": 3, "T1": 3}] * 4 + [{"C1": 3}])
    assert [each["name"] for each in results(asked, 4)["results"]] == ["C1", "T1"]
    assert [each["name"] for each in results(asked, 5)["results"]] == ["C1"]
