"""Who has looked after whom: noted by one of the two, read by the two alone, told without a word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date

import httpx
import pytest
import sqlalchemy as sa

from services.meetings.domain.check_ins import (
    CheckInIsWithdrawn,
    IsYetToCome,
    MemberCheckIn,
    NotOneOfTheTwo,
    WithOneself,
)
from services.metrics.facts.check_ins import CheckInFact
from shared.events.ties import CheckInChanged, CheckInNoted, CheckInWithdrawn
from shared.identity.scopes import member_scopes, tool_scopes
from tests.meetings.office import Office, problem
from tests.metrics.test_certificate import settled_verdict
from tests.world import client_of, token_headers

JULY = date(2026, 7, 1)
WORDS = "She is afraid of Mr Meyer"


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


async def test_only_the_two_read_a_check_in_and_only_they_its_words(
    standing: Office, as_member: dict[str, httpx.AsyncClient]
) -> None:
    body = {"to": standing.ben, "kind": "offered_help", "on": "2026-07-01", "note": WORDS}
    noted = await as_member["ada"].post("/v1/check-ins", json=body)
    assert noted.status_code == 201, noted.text
    assert (noted.json()["from"], noted.json()["to"], noted.json()["note"]) == (standing.ada, standing.ben, WORDS)
    path = f"/v1/check-ins/{noted.json()['id']}"
    for name in ("ada", "ben"):
        assert (await as_member[name].get(path)).json()["note"] == WORDS
        listed = (await as_member[name].get("/v1/check-ins")).json()["items"]
        assert noted.json()["id"] in [each["id"] for each in listed]
    for name in ("ivo", "hr"):
        for way in (path, f"{path}/history"):
            assert (await as_member[name].get(way)).status_code == 404, name
        listed = (await as_member[name].get("/v1/check-ins")).json()["items"]
        assert noted.json()["id"] not in [each["id"] for each in listed]
        withdrawn = await as_member[name].post(f"{path}/withdraw", json={})
        assert withdrawn.status_code == 404
        changed = await as_member[name].patch(path, json={"kind": "asked"}, headers={"If-Match": '"1"'})
        assert changed.status_code == 404
    assert (await standing.get(path))["note"] is None
    assert "Meyer" not in str(await standing.get(f"{path}/history"))


async def test_the_stream_of_events_tells_nobody_who_looked_after_whom(
    standing: Office, as_member: dict[str, httpx.AsyncClient]
) -> None:
    noted = await as_member["ada"].post("/v1/check-ins", json={"to": standing.ivo, "kind": "asked"})
    types = {"types": "concert.meetings.check-in-*", "after": noted.headers["concert-version"]}
    for name in ("ben", "ivo", "ada", "hr"):
        told = await as_member[name].get("/v1/events", params={"types": types["types"]})
        assert told.status_code == 200, told.text
        assert "check-in" not in told.text


async def test_a_member_notes_only_their_own(standing: Office, as_member: dict[str, httpx.AsyncClient]) -> None:
    others = {"from": standing.ada, "to": standing.ben, "kind": "asked"}
    problem(await as_member["ivo"].post("/v1/check-ins", json=others), 422, "/from", f"{standing.ivo} is neither")
    assert (await as_member["ben"].post("/v1/check-ins", json=others)).status_code == 201
    oneself = {"to": standing.ada, "kind": "asked"}
    problem(await as_member["ada"].post("/v1/check-ins", json=oneself), 422, "/to", "cannot check in with themselves")
    problem(await standing.world.post("/v1/check-ins", {"to": standing.ben, "kind": "asked"}), 422, "/from",
            "which member")  # fmt: skip
    late = others | {"on": "2999-01-01"}
    problem(await standing.world.post("/v1/check-ins", late), 422, "/on", "2999-01-01 is after today")
    problem(await standing.world.post("/v1/check-ins", others | {"kind": "spied"}), 422, "/kind", "information")
    problem(await standing.world.post("/v1/check-ins", others | {"to": "mbr_none"}), 422, "/to", "mbr_none")


async def test_a_check_in_is_put_right_withdrawn_and_folded(
    standing: Office, as_member: dict[str, httpx.AsyncClient]
) -> None:
    ben = as_member["ben"]
    body = {"from": standing.ada, "to": standing.ben, "kind": "asked", "on": "2026-06-30", "note": WORDS}
    path = "/v1/check-ins/ext:board:talk"
    made = await ben.put(path, json=body)
    assert (made.status_code, (await ben.put(path, json=body)).json()["version"]) == (201, 1)
    changed = await ben.put(path, json=body | {"kind": "information", "on": "2026-06-29"})
    assert (changed.json()["kind"], changed.json()["version"]) == ("information", 2)
    problem(await ben.put(path, json=body | {"to": standing.ivo}), 422, "/to", "between whom it was stays")
    gone = await ben.post(f"{path}/withdraw", json={})
    assert (gone.json()["withdrawn"], gone.json()["note"]) == (True, None)
    problem(await ben.patch(path, json={"kind": "asked"}, headers={"If-Match": '"3"'}), 409, "", "was withdrawn")
    after = {"period": "2026", "after": gone.headers["concert-version"]}
    heard = await standing.world.admin.get("/v1/views/hr", params=after, headers={"Prefer": "wait=20"})
    assert heard.status_code == 200, heard.text
    store = standing.world.services["metrics"].runtime.store
    found = await store.read(lambda snapshot: snapshot.all(CheckInFact, sa.select(CheckInFact)))
    (fact,) = [each for each in found if each.id == made.json()["id"]]
    assert (fact.sort, fact.on, fact.from_member, fact.to_member, fact.withdrawn) == (
        "information", date(2026, 6, 29), standing.ada, standing.ben, True,
    )  # fmt: skip


def noted(**fields: str) -> MemberCheckIn:
    between = {"from_member": "mbr_a", "to_member": "mbr_b"}
    check_in, told = MemberCheckIn.note_down(sender="mbr_a", today=JULY, id="chk_1", on=JULY, sort="asked", note=WORDS,
                                       **(between | fields))  # fmt: skip
    assert told == CheckInNoted(kind="asked", on=JULY, from_member="mbr_a", to_member="mbr_b")
    return check_in


def test_a_check_in_decides_for_itself() -> None:
    with pytest.raises(WithOneself):
        noted(to_member="mbr_a")
    with pytest.raises(NotOneOfTheTwo):
        noted(from_member="mbr_c")
    check_in = noted()
    assert check_in.change(JULY, sort="asked") is None
    assert check_in.change(JULY, note="Nothing") == CheckInChanged(kind="asked", on=JULY)
    with pytest.raises(IsYetToCome, match=r"2026-07-02 is after today, 2026-07-01"):
        check_in.change(JULY, on=date(2026, 7, 2))
    assert check_in.withdraw() == CheckInWithdrawn()
    assert check_in.withdraw() is None
    with pytest.raises(CheckInIsWithdrawn):
        check_in.change(JULY, sort="information")


async def test_what_was_said_goes_with_who_is_erased_and_that_they_spoke_stays(standing: Office) -> None:
    world = standing.world
    zoe = await world.post("/v1/members", {"name": "Zoe", "department": "sales", "starts_on": "2026-01-01"})
    await world.settled("/v1/series", zoe)
    member = zoe.json()["id"]
    talks = []
    for pair in ({"from": member, "to": standing.ben}, {"from": standing.ada, "to": member}):
        said = {"kind": "asked", "on": "2026-07-01", "note": WORDS, **pair}
        talks.append((await world.made("/v1/check-ins", said))["id"])
    other = {"kind": "asked", "on": "2026-07-01", "note": WORDS, "from": standing.ada, "to": standing.ben}
    kept = (await world.made("/v1/check-ins", other))["id"]
    await settled_verdict(world, "consistent")
    erased = await world.admin.delete(f"/v1/members/{member}/personal-data")
    assert erased.status_code == 204
    await settled_verdict(world, "consistent")
    await world.settled("/v1/check-ins", erased)
    store = world.services["meetings"].runtime.store
    check_in = MemberCheckIn.__table__.c  # type: ignore[attr-defined]
    rows = await store.read(lambda snapshot: snapshot.rows(sa.select(check_in.id, check_in.note)))
    notes = {row[0]: row[1] for row in rows}
    assert [notes[each] for each in (*talks, kept)] == [None, None, WORDS]
    for each in talks:
        there = (await world.admin.get(f"/v1/check-ins/{each}")).json()
        assert (there["version"], there["withdrawn"], there["on"]) == (2, False, "2026-07-01")
    again = {"kind": "asked", "on": "2026-07-02", "from": standing.ada, "to": member}
    problem(await world.post("/v1/check-ins", again | {"note": WORDS}), 409, "/note", "was erased; nothing is noted")
    change = await world.admin.patch(f"/v1/check-ins/{talks[0]}", json={"note": WORDS}, headers={"If-Match": "*"})
    problem(change, 409, "/note", "was erased; nothing is noted")
