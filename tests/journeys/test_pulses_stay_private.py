"""What somebody answers in a pulse shows nowhere: not that they did, not what, and not to administrators either.

As long as a pulse is open, nothing that any reader can read by any way out may be another after an answer than before.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest

from services.metrics.views import VIEWS
from shared.identity.scopes import ADMIN, DEPARTMENTS, member_scopes, tool_scopes
from shared.instant import now
from tests.metrics.stream import everything
from tests.metrics.test_certificate import settled_verdict
from tests.world import World, client_of, token_headers

pytestmark = pytest.mark.embedded_by_day

YEAR = str(now().year)
ITEMS = ["C1", "T1", "I1"]
WAYS = (
    "pulses/{pulse}", "pulses", "pulses?status=open", "pulses/{pulse}/history", "pulses/{pulse}/results",
    "members/{m1}/personal-data", "members/{m1}", "members/{m1}/history", "books?service=meetings",
    "consistency?fresh=true",
    "scorecards/members/{m1}?period=" + YEAR, "scorecards/teams/{team}?period=" + YEAR, "associations?team={team}",
    "/history?of=pulse/{pulse}", "/history?of=member/{m1}",
    *(f"views/{each}?period={YEAR}&breakdown={by}" for each in DEPARTMENTS for by in ("team", "member", "department")),
    *(f"views/{name}/rows?figure={each.key}&period={YEAR}" for name, view in VIEWS.items() for each in view.figures
      if each.rows),
    *(f"/?view={each}&period={YEAR}" for each in DEPARTMENTS),
)  # fmt: skip
"""Every way out by which an answer, or that there is one, could be seen."""
_CLOCKS = re.compile(
    r'"(verified_at|time|trace_id|oldest_unapplied_seconds|age_seconds|(source|view)_age|nonce)":("[^"]*"|[0-9.]+|'
    r"\{[^}]*\}|null)|nonce-?[^ >]*|(?<=>)[0-9.,]+\s(s|seconds|minutes)(?=<)|[0-9]{2}:[0-9]{2}(:[0-9]{2})?([.][0-9]+)?"
)


@dataclass
class Crew:
    """A team of six, whom a pulse asks, and who looks on."""

    world: World
    ids: Mapping[str, str]
    clients: Mapping[str, httpx.AsyncClient]

    async def answers(self, who: str, value: int) -> None:
        """One of them answers all that is asked."""
        said = {"answers": dict.fromkeys(ITEMS, value)}
        answer = await self.clients[who].post(f"/v1/pulses/{self.ids['pulse']}/answers", json=said)
        assert answer.status_code == 200, answer.text

    async def read(self, reader: str) -> dict[str, str]:
        """All that a reader is answered with, but for what a clock says."""
        found = {}
        for way in WAYS:
            place = way if way.startswith("/") else f"/v1/{way}"
            answer = await self.clients[reader].get(place.format_map(self.ids), headers={"Accept": "*/*"})
            assert answer.status_code < 500, f"{way}: {answer.text}"
            told = {name: value for name, value in answer.headers.items() if name in ("etag", "concert-version")}
            found[way] = f"{answer.status_code} {told} {_CLOCKS.sub('', answer.text)}"
        events = await everything(self.clients[reader])
        return found | {"events": "\n".join(sorted(map(str, events)))}


@pytest.fixture
async def crew(world: World) -> AsyncIterator[Crew]:
    ids: dict[str, str] = {}
    for name in ("m1", "m2", "m3", "m4", "m5", "m6", "leader", "other"):
        body = {"name": name, "department": "sales", "starts_on": f"{YEAR}-01-01"}
        ids[name] = (await world.made("/v1/members", body))["id"]
    ids["team"] = (await world.made("/v1/teams", {"name": "North", "leader": ids["leader"]}))["id"]
    for name in ("m1", "m2", "m3", "m4", "m5", "m6"):
        joined = {"team": ids["team"], "from": f"{YEAR}-01-01"}
        answer = await world.post(f"/v1/members/{ids[name]}/join", joined)
        await world.settled("/v1/series", answer)
    async with AsyncExitStack() as stack:
        readers: dict[str, dict[str, str]] = {"admin": token_headers(world.settings, ADMIN)}
        readers |= {
            each: token_headers(world.settings, *tool_scopes(each), department=each) for each in ("hr", "sales")
        }
        for name in ("m1", "m2", "leader", "other"):
            scopes = member_scopes("sales", leader=name != "m1" and name != "m2")
            readers[name] = token_headers(world.settings, *scopes, member=ids[name])
        for name in ("m3", "m4", "m5", "m6"):
            readers[name] = token_headers(world.settings, *member_scopes("sales"), member=ids[name])
        clients = {
            name: await stack.enter_async_context(client_of(world.origin, headers)) for name, headers in readers.items()
        }
        asked = {"title": "How we work", "team": ids["team"], "items": ITEMS, "opens_on": f"{YEAR}-01-02",
                 "closes_on": "2999-01-01"}  # fmt: skip
        pulse = await world.post("/v1/pulses", asked)
        assert pulse.status_code == 201, pulse.text
        ids["pulse"] = pulse.json()["id"]
        await settled_verdict(world, "consistent")
        yield Crew(world, ids, clients)


async def test_an_answer_to_an_open_pulse_changes_nothing_that_anybody_can_read(crew: Crew) -> None:
    lookers = ("m1", "m2", "leader", "other", "hr", "sales", "admin")
    before = {reader: await crew.read(reader) for reader in lookers}
    await crew.answers("m1", 1)
    for who in ("m2", "m3", "m4", "m5"):
        await crew.answers(who, 4)
    await crew.answers("m1", 5)
    after = {reader: await crew.read(reader) for reader in lookers}
    changed = [
        (reader, way, line)
        for reader in lookers for way in (*WAYS, "events")
        for line in set(after[reader][way].splitlines()) ^ set(before[reader][way].splitlines())
    ]  # fmt: skip
    assert changed == []


async def test_what_is_shown_of_a_closed_pulse_is_the_same_whoever_answered_what(crew: Crew) -> None:
    for who, value in (("m1", 1), ("m2", 2), ("m3", 3), ("m4", 4), ("m5", 5)):
        await crew.answers(who, value)
    closed = await crew.world.post(f"/v1/pulses/{crew.ids['pulse']}/close", {})
    await crew.world.settled("/v1/views/hr", closed, period=YEAR)
    for reader in ("m1", "leader", "hr", "admin"):
        told = "".join((await crew.read(reader)).values())
        results = (await crew.clients[reader].get(f"/v1/pulses/{crew.ids['pulse']}/results")).json()
        assert (results["asked"], results["answered"]) == (6, 5), reader
        # Of five answers there is a sum for each item, and none of single ones.
        assert '"answers":{' not in told, reader
        assert "token" not in {key for each in results["results"] for key in each}, reader
    stranger = await crew.clients["other"].get(f"/v1/pulses/{crew.ids['pulse']}/results")
    assert stranger.status_code == 404
