"""Who somebody is, the topic of people says and the store of teams; no other event, and no line of a log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from concert.services import SERVICES
from shared.bus import TOPICS
from shared.events import PEOPLE, REGISTRY
from shared.store.tables import Journal
from tests.bus.logs import everything
from tests.logged import Lines, logged
from tests.teams.conftest import Staff, staffed
from tests.world import client_of, token_headers, world

PERSONAL = ("Zebulon", "Quagmire", "zq@example.org", "zq-4711", "zq-payroll", "quarrel")
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_EVENTS = sa.select(_journal.type, _journal.subject, _journal.data)


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything that is logged meanwhile, as an operator would see it who logs all there is."""
    with logged() as written:
        yield written


async def whole_life(staff: Staff) -> str:
    """Somebody once through everything that can be done to a member, right and wrong; what they did last."""
    name = "members/ext:hr:zq-4711"
    body = {"name": "Zebulon Quagmire", "email": "zq@example.org", "department": "sales", "starts_on": "2026-01-01"}
    made = await staff.put(name, body)
    assert made.status_code == 201, made.text
    await staff.put(name, body)
    await staff.patch(name, {"name": "Zebulon Q. Quagmire", "email": "q.zq@example.org"})
    await staff.made(f"{name}/externals", {"source": "payroll", "id": "zq-payroll"})
    await staff.patch(name, {"department": "hr", "job": "Closer", "on": "2026-02-01"})
    await staff.made(f"{name}/join", {"group": staff.group, "from": "2026-02-01"})
    await staff.made(f"{name}/leave", {"group": staff.group, "on": "2026-02-10"})
    await staff.made(f"{name}/move", {"from_team": staff.north, "to_team": staff.south, "on": "2026-03-01"})
    await staff.made(f"{name}/leave", {"team": staff.south, "on": "2026-03-10"})
    await staff.made(f"{name}/leave", {"on": "2026-04-01", "reason": "a quarrel with Zebulon"})
    await staff.made(f"{name}/recruit", {"starts_on": "2026-05-01"})
    await staff.made(f"{name}/leave", {"on": "2999-01-01", "reason": "another quarrel with Zebulon"})
    await staff.made(f"{name}/stay", {})
    team = await staff.made("teams", {"name": "East", "leader": "ext:payroll:zq-payroll"})
    await staff.made("deals", {"owner": made.json()["id"], "opened_on": "2026-05-05"})
    # What goes wrong is told to whoever asked, and to nobody else.
    assert (await staff.put(name, body | {"starts_on": "2026-04-15"})).status_code == 409
    assert (await staff.post("members", body | {"external": {"source": "hr", "id": "zq-4711"}})).status_code == 409
    assert (await staff.post("members", body | {"department": "Zebulon Quagmire"})).status_code == 422
    assert (await staff.world.admin.get("/v1/members/ext:hr:zq-4711 Quagmire")).status_code == 404
    assert (await staff.world.admin.get("/v1/deals", params={"owner": "ext:hr:zq-4711"})).status_code == 200
    rows = [body | {"external": {"source": "hr", "id": "zq-4711"}, "manager": "ext:hr:zq-4711"}]
    assert (await staff.post("members/bulk", rows)).status_code == 200
    done = await staff.patch(f"teams/{team['id']}", {"leader": None})
    erased = await staff.world.admin.delete("/v1/members/ext:payroll:zq-payroll/personal-data")
    assert erased.status_code == 204
    await staff.world.settled("/v1/views", done, period="2026")
    token: str = erased.headers["concert-version"]
    return token


async def test_no_event_but_those_of_people_and_no_line_of_a_log_says_who_somebody_is(
    tmp_path: Path, lines: Lines
) -> None:
    async with world(tmp_path) as concert:
        staff = await staffed(concert)
        after = await whole_life(staff)
        query = {"after": after, "period": "2026"}
        answer = await concert.admin.get("/v1/views", params=query, headers={"Prefer": "wait=20"})
        assert answer.status_code == 200, answer.text
        written: set[str] = set()
        for service in SERVICES:
            store = concert.services[service.name].runtime.store
            for kind, subject, data in await store.read(lambda snapshot: snapshot.rows(_EVENTS)):
                written.add(kind)
                assert telling(f"{kind} {subject} {data}") == [], kind
        sent = await everything(concert.bus, [topic for topic in TOPICS if topic != PEOPLE])
        assert len(sent) > 10
        assert [each.record for each in sent if telling(str(each.record))] == []
    member_kinds = {kind for kind in REGISTRY if kind.startswith("concert.teams.member-")}
    assert member_kinds <= written
    assert "concert.people.person-forgotten.v1" in written
    assert '"answered"' in lines.text, "the log is not listened to"
    assert [line for line in lines.text.splitlines() if telling(line)] == []


def telling(text: str) -> list[str]:
    return [each for each in PERSONAL if each.lower() in text.lower()]


async def test_until_a_person_is_forgotten_only_their_own_events_tell_who_it_is(staff: Staff) -> None:
    ada = await staff.recruited(name="Zebulon", email="zq@example.org", external={"source": "hr", "id": "zq-4711"})
    store = staff.world.services["teams"].runtime.store
    rows = await store.read(lambda snapshot: snapshot.rows(_EVENTS))
    found = {(subject, kind) for kind, subject, data in rows if telling(str(data))}
    assert found == {(f"person/{ada}", "concert.people.person-described.v1")}


async def test_a_name_is_read_by_nobody_who_may_not_know_it_in_any_way_a_member_is_shown(staff: Staff) -> None:
    ada = await staff.recruited(name="Zebulon", email="zq@example.org", external={"source": "hr", "id": "zq-9"})
    await staff.does(ada, "join", group=staff.group, since="2026-02-01")
    scopes = ("members:read", "teams:read", "groups:read")
    async with client_of(staff.world.origin, token_headers(staff.world.settings, *scopes)) as reader:
        shown: dict[str, Any] = {}
        for path in (
            "members", f"members/{ada}", f"members/{ada}?on=2026-03-01", "members?on=2026-03-01",
            f"members/{ada}/history", f"members/{ada}/memberships", f"teams/{staff.north}/members?on=2026-03-01",
            f"groups/{staff.group}/members?on=2026-03-01",
        ):  # fmt: skip
            answer = await reader.get(f"/v1/{path}")
            assert answer.status_code == 200, answer.text
            shown[path] = telling(answer.text) + telling(str(answer.headers))
            assert "zq-9" not in answer.text
    assert set(map(tuple, shown.values())) == {()}
