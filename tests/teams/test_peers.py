"""Peer rounds: answered once by whoever is in the team, told when enough has been said, and nobody is found in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import date
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from services.metrics.facts.peers import PeerScoreFact
from services.teams.api.peers import closing
from services.teams.domain.peers import PeerScore, sums_of
from services.teams.peer_tokens import PeerKey, PeerRating, PeerRefusal, token_of
from shared.identity.scopes import member_scopes, tool_scopes
from shared.store.tables import Journal, KeptAnswer
from tests.teams.conftest import Staff, problem
from tests.world import client_of, token_headers

GOOD, FAIR = {"P1": 5, "P2": 4, "P3": 4}, {"P1": 4, "P2": 4, "P3": 4}
FAR = "2999-01-01"


class Mates:
    """A team of seven, each with a client of their own, and others who are not of it."""

    def __init__(
        self, staff: Staff, team: str, clients: Mapping[str, httpx.AsyncClient], ids: Mapping[str, str]
    ) -> None:
        self.staff = staff
        self.team = team
        self.clients = clients
        self.ids = ids

    async def asked(self, **fields: Any) -> str:
        body = {"title": "Each other", "team": self.team, "closes_on": FAR, "opens_on": "2026-02-01"} | fields
        opened = await self.clients["hr tool"].post("/v1/peer-rounds", json=body)
        assert opened.status_code == 201, opened.text
        return str(opened.json()["id"])

    async def rates(self, who: str, round: str, whom: str, answers: Mapping[str, Any] = FAIR) -> httpx.Response:
        body = {"about": self.ids[whom], "answers": dict(answers)}
        return await self.clients[who].post(f"/v1/peer-rounds/{round}/ratings", json=body)

    async def all_rate(self, round: str, *whom: str, raters: int = 6) -> None:
        for about in whom:
            for who in [each for each in MATES if each != about][:raters]:
                assert (await self.rates(who, round, about)).status_code == 200

    async def closes(self, round: str) -> dict[str, Any]:
        closed = await self.clients["hr tool"].post(f"/v1/peer-rounds/{round}/close", json={})
        assert closed.status_code == 200, closed.text
        found: dict[str, Any] = closed.json()
        return found

    async def held(self, service: str, model: Any) -> list[Any]:
        store = self.staff.world.services[service].runtime.store
        return await store.read(lambda snapshot: snapshot.all(model, sa.select(model)))


MATES = ("ada", "ben", "cyd", "dan", "eve", "fay", "gus")


@pytest.fixture(scope="module")
async def mates(staff: Staff) -> AsyncIterator[Mates]:
    world = staff.world
    async with AsyncExitStack() as stack:
        clients, ids = {}, {}
        for name in (*MATES, "stranger"):
            ids[name] = await staff.recruited()
            headers = token_headers(world.settings, *member_scopes("sales"), member=ids[name])
            clients[name] = await stack.enter_async_context(client_of(world.origin, headers))
        team = (await staff.made("teams", {"name": "Mates", "leader": ids["ada"]}))["id"]
        for name in MATES:
            await staff.does(ids[name], "join", team=team, since="2026-01-02")
        headers = token_headers(world.settings, *tool_scopes("hr"), department="hr")
        clients["hr tool"] = await stack.enter_async_context(client_of(world.origin, headers))
        lead = token_headers(world.settings, "peer-rounds:write", member=ids["ada"])
        clients["leader"] = await stack.enter_async_context(client_of(world.origin, lead))
        yield Mates(staff, team, clients, ids)


async def test_nothing_that_is_kept_or_told_leads_from_a_rating_to_who_gave_it(mates: Mates) -> None:
    found = await mates.asked()
    headers = {"Idempotency-Key": "a key"}
    body = {"about": mates.ids["ada"], "answers": GOOD}
    sent = await mates.clients["ben"].post(f"/v1/peer-rounds/{found}/ratings", json=body, headers=headers)
    assert (sent.status_code, sent.json()) == (200, {"round": found, "taken": True})
    await mates.rates("ben", found, "cyd")
    rows = [each for each in await mates.held("teams", PeerRating) if each.round == found]
    assert len({each.token for each in rows}) == 2, "what one says of two cannot be told to be by the same"
    assert mates.ids["ben"] not in str([row.content() for row in rows])
    assert not [each for each in await mates.held("teams", KeptAnswer) if found in each.body]
    told = [row.type for row in await mates.held("teams", Journal) if row.subject == f"peer_round/{found}"]
    assert told == ["concert.teams.peer-round-opened.v1"]
    await mates.closes(found)
    for model in (PeerRating, PeerKey, PeerRefusal):
        assert not [each for each in await mates.held("teams", model) if each.round == found], model


async def test_a_round_tells_of_each_member_one_sum_by_a_token_and_keeps_none_of_it(mates: Mates) -> None:
    found = await mates.asked()
    await mates.all_rate(found, "ada", "ben", "cyd", "dan")
    await mates.rates("ben", found, "ada", GOOD)
    shown = await mates.closes(found)
    assert (shown["status"], shown["asked"], shown["rated"]) == ("closed", 7, 4)
    scores = [each for each in await mates.held("teams", PeerScore) if each.round == found]
    assert len(scores) == 4
    assert not [name for name, member in mates.ids.items() if member in str([each.content() for each in scores])]
    history = await mates.staff.get(f"peer-rounds/{found}/history")
    assert history["items"][-1]["data"] == {"on": history["items"][-1]["data"]["on"], "asked": 7, "rated": 4}
    last = await mates.staff.world.admin.get(f"/v1/peer-rounds/{found}")
    await mates.staff.world.settled("/v1/views/hr", last, period="2026")
    heard = [each for each in await mates.held("metrics", PeerScoreFact) if each.round == found]
    assert sorted((each.raters, each.points, each.squares) for each in heard) == [(6, 72, 864)] * 3 + [(6, 73, 889)]


async def test_of_few_raters_or_few_who_are_rated_nothing_is_told(mates: Mates) -> None:
    few_raters = await mates.asked()
    await mates.all_rate(few_raters, "ada", "ben", "cyd", "dan", raters=3)
    assert (await mates.closes(few_raters))["rated"] == 0
    few_rated = await mates.asked()
    await mates.all_rate(few_rated, "ada", "ben", "cyd")
    assert (await mates.closes(few_rated))["rated"] == 0, "the team's average would tell of the third to two"
    assert sums_of({"a": [GOOD] * 4, "b": [FAIR] * 4, "c": [FAIR] * 4, "d": [FAIR] * 3}) == {}


async def test_who_does_not_want_to_be_rated_is_not_and_what_was_said_of_them_is_gone(mates: Mates) -> None:
    found = await mates.asked()
    await mates.all_rate(found, "ada", "ben", "cyd", "dan", "gus")
    out = await mates.clients["gus"].post(f"/v1/peer-rounds/{found}/opt-out", json={"rated": False})
    assert out.status_code == 200, out.text
    assert not [each for each in await mates.held("teams", PeerRating) if each.about == mates.ids["gus"]]
    problem(await mates.rates("ben", found, "gus"), 409, "/about")
    again = await mates.clients["gus"].post(f"/v1/peer-rounds/{found}/opt-out", json={"rated": True})
    assert again.status_code == 200
    assert (await mates.rates("ben", found, "gus")).status_code == 200
    assert (await mates.closes(found))["rated"] == 4, "one rater is too few for gus"


async def test_saying_it_again_replaces_it_and_the_same_again_is_refused(mates: Mates) -> None:
    found = await mates.asked()
    assert (await mates.rates("ben", found, "ada", FAIR)).status_code == 200
    assert (await mates.rates("ben", found, "ada", GOOD)).status_code == 200
    problem(await mates.rates("ben", found, "ada", GOOD), 409)
    (row,) = [each for each in await mates.held("teams", PeerRating) if each.round == found]
    assert row.answers == GOOD
    await mates.closes(found)


async def test_what_cannot_be_said_is_refused_with_its_reason(mates: Mates) -> None:
    found = await mates.asked()
    assert "not oneself" in problem(await mates.rates("ben", found, "ben"), 422, "/about")
    assert "was not" in problem(await mates.rates("stranger", found, "ben"), 403)
    assert "was not" in problem(await mates.rates("ben", found, "stranger"), 403, "/about")
    for wrong in ({"P1": 6, "P2": 1, "P3": 1}, {"P1": 1, "P2": 1}, {"P1": 1, "P2": 1, "P3": 1, "P4": 1}):
        assert (await mates.rates("ben", found, "ada", wrong)).status_code == 422
    tool = await mates.clients["hr tool"].post(f"/v1/peer-rounds/{found}/ratings",
                                               json={"about": mates.ids["ada"], "answers": FAIR})  # fmt: skip
    assert "none of a member" in problem(tool, 403)
    later = await mates.asked(opens_on="2998-12-01")
    assert "from 2998-12-01 on" in problem(await mates.rates("ben", later, "ada"), 409)
    for each in (found, later):
        await mates.closes(each)
    assert "neither answered" in problem(await mates.rates("ben", found, "ada"), 409)


async def test_a_team_of_fewer_than_six_is_not_asked(mates: Mates) -> None:
    small = (await mates.staff.made("teams", {"name": "Small"}))["id"]
    refused = await mates.staff.post("peer-rounds", {"title": "We", "team": small, "closes_on": FAR})
    assert "has 0 members" in problem(refused, 422, "/team")
    backwards = {"title": "We", "team": mates.team, "opens_on": FAR, "closes_on": "2998-01-01"}
    problem(await mates.staff.post("peer-rounds", backwards), 422, "/closes_on")


async def test_hr_and_who_leads_the_team_ask_and_nobody_else(mates: Mates) -> None:
    body = {"title": "We", "team": mates.team, "closes_on": FAR}
    led = await mates.clients["leader"].post("/v1/peer-rounds", json=body)
    assert led.status_code == 201, led.text
    problem(await mates.clients["ben"].post("/v1/peer-rounds", json=body), 403)
    seen = {name: (await mates.clients[name].get(f"/v1/peer-rounds/{led.json()['id']}")).status_code
            for name in ("ben", "leader", "hr tool", "stranger")}  # fmt: skip
    assert seen == {"ben": 200, "leader": 200, "hr tool": 200, "stranger": 404}
    await mates.closes(led.json()["id"])


async def test_a_round_whose_last_day_is_over_closes_by_itself(mates: Mates) -> None:
    found = await mates.asked(closes_on="2990-01-01")
    store = mates.staff.world.services["teams"].runtime.store
    assert await closing.due(store, date(2990, 1, 1)) == 0
    assert await closing.due(store, date(2990, 1, 2)) == 1
    assert (await mates.staff.get(f"peer-rounds/{found}"))["closed_on"] == "2990-01-01"


async def test_who_is_erased_is_rated_no_more(mates: Mates) -> None:
    found = await mates.asked()
    await mates.all_rate(found, "fay")
    gone = await mates.staff.world.admin.delete(f"/v1/members/{mates.ids['fay']}/personal-data")
    assert gone.status_code == 204, gone.text
    assert not [each for each in await mates.held("teams", PeerRating) if each.about == mates.ids["fay"]]
    problem(await mates.rates("ben", found, "fay"), 403, "/about")
    await mates.closes(found)


def test_a_token_says_nothing_without_its_key() -> None:
    one, other = "00" * 32, "01" * 32
    assert token_of(one, "ben", "ada") != token_of(other, "ben", "ada")
    assert token_of(one, "ben", "ada") != token_of(one, "ben", "cyd")
