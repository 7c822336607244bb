"""Who keeps in touch with whom: made by those it is for, read by them and their team, told without a word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from typing import Any

import httpx
import pytest

from services.meetings.domain.liaisons import (
    EndsBeforeItBegins,
    Liaison,
    LiaisonIsEnded,
    LiaisonWithOneself,
    NotTheirLiaison,
    TooShort,
)
from services.metrics.facts.liaisons import LiaisonFact
from shared.events.ties import LiaisonChanged, LiaisonEnded, LiaisonPaired
from shared.identity.scopes import member_scopes, tool_scopes
from tests.meetings.office import Office, problem
from tests.world import client_of, token_headers

MAY, JULY = date(2026, 5, 4), date(2026, 7, 6)


@pytest.fixture
async def as_member(standing: Office) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """A client of each member, and one of the tool of hr."""
    world = standing.world
    async with AsyncExitStack() as stack:
        clients = {}
        for name, member, department in (("ada", standing.ada, "sales"), ("ben", standing.ben, "sales"),
                                         ("ivo", standing.ivo, "it")):  # fmt: skip
            headers = token_headers(world.settings, *member_scopes(department), member=member)
            clients[name] = await stack.enter_async_context(client_of(world.origin, headers))
        headers = token_headers(world.settings, *tool_scopes("hr"), department="hr")
        clients["hr"] = await stack.enter_async_context(client_of(world.origin, headers))
        yield clients


def paired(**fields: Any) -> Liaison:
    said: dict[str, Any] = {"from_member": "ada", "to_department": "it", "begins_on": MAY, "until": JULY,
                            "every_days": 14, "id": "lia_1", "externals": {}}  # fmt: skip
    return Liaison.pair(sender=None, may=(), **said | fields)[0]


def test_two_keep_in_touch_and_somebody_is_named_for_the_department() -> None:
    liaison, told = Liaison.pair(
        sender="ada", may=(), from_member="ada", to_department="it", begins_on=MAY, until=JULY, every_days=14,
        review="rev_1", option="O1b", id="lia_1", externals={},
    )  # fmt: skip
    assert told == LiaisonPaired(on=MAY, until=JULY, every_days=14, from_member="ada", to_department="it",
                                 review="rev_1", option="O1b")  # fmt: skip
    assert liaison.change(every_days=14) is None
    named = liaison.change(to_member="ivo", to_department=None)
    assert named == LiaisonChanged(on=MAY, until=JULY, every_days=14, from_member="ada", to_member="ivo")
    assert liaison.end(date(2026, 6, 1), "Ivo is away") == LiaisonEnded(on=date(2026, 6, 1))
    assert liaison.as_on(date(2026, 5, 31)) == {"status": "open", "ended_on": None, "reason": None}
    assert (liaison.as_on(date(2026, 5, 3)), liaison.as_on(date(2026, 6, 1))) == (None, {})
    with pytest.raises(LiaisonIsEnded, match="2026-06-01"):
        liaison.change(every_days=7)


def test_what_is_no_liaison_is_refused_with_its_numbers() -> None:
    with pytest.raises(LiaisonWithOneself, match="ada"):
        paired(to_department=None, to_member="ada")
    with pytest.raises(TooShort, match="once 91 days"):
        paired(every_days=91)
    with pytest.raises(EndsBeforeItBegins, match="2026-05-04"):
        paired().end(date(2026, 5, 3), None)
    with pytest.raises(NotTheirLiaison, match="cem"):
        Liaison.pair(sender="cem", may=("lea",), from_member="ada", to_member="ben", begins_on=MAY, until=JULY,
                     every_days=7, id="lia_1", externals={})  # fmt: skip


async def test_only_the_two_their_team_and_the_department_read_it(
    standing: Office, as_member: dict[str, httpx.AsyncClient]
) -> None:
    body = {"from": {"member": standing.ada}, "to": {"department": "it"}, "begins_on": "2026-05-04"}
    made = await as_member["ada"].post("/v1/liaisons", json=body)
    assert made.status_code == 201, made.text
    assert (made.json()["until"], made.json()["to"]) == ("2026-08-03", {"member": None, "department": "it"})
    path = f"/v1/liaisons/{made.json()['id']}"
    for name in ("ada", "ivo"):
        assert (await as_member[name].get(path)).status_code == 200, name
    for name in ("ben", "hr"):
        for way in (path, f"{path}/history"):
            assert (await as_member[name].get(way)).status_code == 404, name
        assert (await as_member[name].get("/v1/liaisons")).json()["items"] == []


async def test_nobody_pairs_others_who_does_not_lead_them(
    standing: Office, as_member: dict[str, httpx.AsyncClient]
) -> None:
    others = {"from": {"member": standing.ada}, "to": {"member": standing.ben}}
    refused = await as_member["ivo"].post("/v1/liaisons", json=others)
    problem(refused, 422, "/from", "neither of the two")


async def test_the_views_know_who_was_named_and_when_it_ended(standing: Office) -> None:
    post, patch = standing.world.post, standing.world.admin.patch
    body = {"from": {"member": standing.ada}, "to": {"department": "it"}, "begins_on": "2026-05-04", "every_days": 7}
    liaison = (await post("/v1/liaisons", body)).json()["id"]
    named = {"to": {"member": standing.ivo}, "until": "2026-09-07"}
    changed = await patch(f"/v1/liaisons/{liaison}", json=named, headers={"If-Match": '"1"'})
    assert changed.json()["to"] == {"member": standing.ivo, "department": None}
    ended = await post(f"/v1/liaisons/{liaison}/end", {"on": "2026-06-01", "reason": "They sit together now"})
    await standing.world.settled("/v1/views/it", ended, period="2026")
    store = standing.world.services["metrics"].runtime.store
    fact = await store.read(lambda snapshot: snapshot.recall(LiaisonFact, liaison))
    assert fact is not None
    assert (fact.to_member, fact.to_department, fact.until, fact.every_days, fact.ended_on) == (
        standing.ivo, None, date(2026, 9, 7), 7, date(2026, 6, 1),
    )  # fmt: skip
