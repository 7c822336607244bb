"""Who may and who may not read each private fact, by every way out: lists, filters, history, another day, bulk answers,
events, webhooks, views and what their figures are made of, pages, minutes and calendars.

Each fact has a word of its own that is looked for in everything a reader is answered with.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from services.metrics.views import VIEWS as DEPARTMENT_VIEWS
from shared.identity.scopes import ADMIN, member_scopes, tool_scopes
from shared.instant import now
from tests.metrics.receiver import idle, receiving
from tests.metrics.stream import page
from tests.metrics.test_certificate import settled_verdict
from tests.world import World, client_of, token_headers

pytestmark = pytest.mark.embedded_by_day

YEAR = str(now().year)
TOOLS = ("sales", "finance", "accounting", "hr", "it")
READERS = ("themself", "their leader", "their leader of last year", "another leader", "a peer", *TOOLS, "admin")
EVERYBODY = frozenset(READERS)
DEPARTMENTS = ("sales", "finance", "accounting", "hr", "it")
Named = tuple[str, str, str]
"""The type, the subject and the version of an event."""


@dataclass(frozen=True)
class Fact:
    """Something private, the word it is known by, who may read it, and where it would be found."""

    word: str
    readers: frozenset[str]
    ways: tuple[str, ...]
    """The first shows it to those who may read it."""


def only(*readers: str) -> frozenset[str]:
    return frozenset({*readers, "admin"})


LEAVERS = ("members/{gone}", "members", "members?department=sales", "members/{gone}/history",
           "members/{gone}/memberships",
           f"members/{{gone}}?on={YEAR}-01-08", f"members?on={YEAR}-01-08", "members/{gone}/personal-data",
           f"teams/{{north}}/members?on={YEAR}-01-08", "departments/sales/history", "/scim/v2/Users/{gone}",
           "/scim/v2/Users", "organisation", "/history?of=member/{gone}", "/history?of=person/{gone}",
           f"/v1/views/hr/rows?figure=leavers&period={YEAR}", "books?service=teams",
           "scorecards/members/{gone}?period=" + YEAR)  # fmt: skip
FACTS: Mapping[str, Fact] = {
    "a setback": Fact("shoutedat", only("themself"), ("setbacks/{setback}", "setbacks?member={ada}", "setbacks",
                                                      "setbacks?kind=mistreatment", "setbacks/{setback}/history")),
    "a setback they told their leader of": Fact(
        "laughedat", only("themself", "their leader"),
        ("setbacks/{shared}", "setbacks?member={ada}", "setbacks", "setbacks/{shared}/history"),
    ),
    "who was let read of it": Fact(
        '"readers":["', only("themself", "their leader"), ("setbacks/{shared}", "setbacks/{setback}", "setbacks"),
    ),
    "what was said one to one": Fact(
        "betweenustwo", frozenset({"themself", "their leader"}),
        ("check-ins/{check_in}", "check-ins?to={ada}", "check-ins", "check-ins/{check_in}/history"),
    ),
    "that they spoke one to one": Fact(
        '"kind":"offered_help"', only("themself", "their leader"), ("check-ins/{check_in}", "check-ins"),
    ),
    "what an identity tool knows": Fact(
        "ada.at.idp", only("hr"), ("/scim/v2/Users/{ada}", "/scim/v2/Users"),
    ),
    "what is stored of them": Fact(
        '"withheld"', only("themself", "hr"), ("members/{ada}/personal-data",),
    ),
    "why they were away": Fact("sickleave", only("themself", "hr"), ("members/{ada}/absences",)),
    "a comment on a training": Fact(
        "tooslow", only("themself", "their leader", "hr"),
        ("trainings/{training}", "trainings?member={ada}", "trainings", f"trainings?on={YEAR}-12-31",
         "trainings/{training}/history"),
    ),
    "a score": Fact('"score_before":37', only("themself", "their leader", "hr"), ("trainings/{training}",)),
    "why they left": Fact("betterpaid", only("hr"), LEAVERS),
    "why they left, in one word": Fact("relocation", only("hr"), LEAVERS),
    "what they work with": Fact(
        "adaslaptop", only("themself", "their leader", "it", "sales", "accounting", "hr"),
        ("equipment/{piece}", "equipment?holder={ada}", "equipment", f"equipment?on={YEAR}-12-31"),
    ),
    "what they can do": Fact(
        "\"level\":4", only("themself", "their leader", "hr"), ("members/{ada}/skills", "skill-gaps", "skills")
    ),
    "their quota": Fact(
        "7777.77", only("themself", "their leader", "sales", "finance", "accounting"),
        ("targets/{target}", "targets?ref={ada}&level=member", "targets", "targets?metric=revenue",
         "targets/{target}/attainment", "targets/{target}/history", f"targets?on={YEAR}-12-30",
         f"forecasts?period={YEAR}&level=member&ref={{ada}}", "progress/{target}", "progress?ref={ada}"),
    ),
    "how confident they are": Fact(
        "hardlypossible", only("themself", "their leader", "sales", "finance"),
        ("targets/{target}/check-ins", "targets/{target}", "targets"),
    ),
    "what they are to do": Fact(
        "callthebank", only("themself", "their leader", "sales", "hr"),
        ("duties/{duty}", "duties?member={ada}", "duties", "duties?status=assigned", "duties/{duty}/history",
         f"duties?on={YEAR}-12-31"),
    ),
    "their name": Fact(
        "ada quill", EVERYBODY - {"finance", "accounting"},
        ("members/{ada}", "members", "meetings/{meeting}/minutes", "meetings/{meeting}/minutes?format=text",
         "meetings/{meeting}/agenda", "meetings/{meeting}/attendance", "actions", "members/{ada}/history",
         "meetings/{meeting}/invitation.ics"),
    ),
    "their address": Fact(
        "ada.secret@", EVERYBODY - {"finance", "accounting"},
        ("members/{ada}", "members", "members?department=sales", "teams/{north}/members", "members/{ada}/history",
         "meetings/{meeting}/invitation.ics"),
    ),
    "what they were thanked for": Fact("wellsung", EVERYBODY, ("recognitions/{thanks}",)),
    "what they asked for": Fact("newscreen", EVERYBODY, ("requests/{request}",)),
    "what is on the table": Fact("slowprinter", EVERYBODY, ("items/{item}",)),
}  # fmt: skip
"""Thanks, requests and what is on the table of meetings are the house's: everybody takes part in them."""
VIEWS = tuple(
    f"/v1/views/{department}?period={YEAR}{query}" for department in DEPARTMENTS
    for query in ("&breakdown=member", "&member={ada}", "&breakdown=team")
)  # fmt: skip
ROWS = tuple(
    f"/v1/views/{department}/rows?figure={figure.key}&period={YEAR}{query}"
    for department, view in DEPARTMENT_VIEWS.items() for figure in view.figures if figure.rows
    for query in ("", "&team={north}")
)  # fmt: skip
PAGES = (
    *(f"/?view={department}&period={YEAR}&breakdown=member" for department in DEPARTMENTS),
    f"/rows?view=sales&figure=target&period={YEAR}",
    *(f"/history?of={thing}" for thing in ("target/{target}", "duty/{duty}", "setback/{setback}", "person/{ada}")),
)
STREAMS = tuple(f"/v1/events?types=concert.{owner}.*" for owner in ("teams", "targets", "meetings", "people"))


@dataclass
class House:
    """A Concert with somebody about whom everything private is known, and what each reader is let in by."""

    world: World
    ids: dict[str, str] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)

    async def read(self, client: httpx.AsyncClient, path: str) -> str:
        """What a reader is answered with: nothing, if they are refused."""
        place = path if path.startswith("/") else f"/v1/{path}"
        answer = await client.get(place.format_map(self.ids), headers={"Accept": "*/*"})
        assert answer.status_code < 500, f"{path}: {answer.text}"
        return answer.text if answer.status_code == 200 else ""


@pytest.fixture(scope="module")
async def house(standing: World) -> House:
    made, ids = standing.made, {}
    people = ("ada", "leader", "before", "stranger", "peer", "gone")
    for name in people:
        body = {"name": f"{name} quill", "email": f"{name}.secret@example.org", "department": "sales"}
        body["starts_on"] = f"{YEAR}-01-01"
        ids[name] = (await made("/v1/members", body))["id"]
    ids["past"] = (await made("/v1/teams", {"name": "Past", "leader": ids["before"]}))["id"]
    ids["north"] = (await made("/v1/teams", {"name": "North", "leader": ids["leader"]}))["id"]
    ids["south"] = (await made("/v1/teams", {"name": "South", "leader": ids["stranger"]}))["id"]
    await made(f"/v1/members/{ids['ada']}/join", {"team": ids["past"], "from": f"{YEAR}-01-01"})
    moved = {"from_team": ids["past"], "to_team": ids["north"], "on": f"{YEAR}-01-02"}
    await made(f"/v1/members/{ids['ada']}/move", moved)
    await made(f"/v1/members/{ids['peer']}/join", {"team": ids["north"], "from": f"{YEAR}-01-01"})
    ada, on = ids["ada"], f"{YEAR}-01-05"
    note = {"note": "shoutedat", "at": f"{YEAR}-01-05T09:00:00Z"}
    ids["setback"] = (await made("/v1/setbacks", {"member": ada, "kind": "mistreatment", "severity": 3, **note}))["id"]
    told = {"note": "laughedat", "at": f"{YEAR}-01-06T09:00:00Z", "readers": [ids["leader"]]}
    ids["shared"] = (await made("/v1/setbacks", {"member": ada, "kind": "rejection", "severity": 2, **told}))["id"]
    await made(f"/v1/members/{ada}/absences", {"from": on, "to": f"{YEAR}-01-06", "kind": "sickleave"})
    skill = (await made("/v1/skills", {"name": "Listening"}))["id"]
    course = (await made("/v1/courses", {"name": "To listen", "skill": skill, "level": 4}))["id"]
    assessed = await standing.admin.put(f"/v1/members/{ada}/skills/{skill}", json={"level": 4, "on": on})
    assert assessed.status_code in (200, 201), assessed.text
    ids["training"] = (await made("/v1/trainings", {"member": ada, "course": course, "on": on}))["id"]
    ended = {"on": on, "score_before": 37, "score_after": 88, "comment": "tooslow"}
    await made(f"/v1/trainings/{ids['training']}/complete", ended)
    await made(f"/v1/members/{ids['gone']}/leave", {"on": f"{YEAR}-01-09", "reason": "betterpaid", "why": "relocation"})
    ids["piece"] = (await made("/v1/equipment", {"kind": "laptop", "label": "adaslaptop"}))["id"]
    await made(f"/v1/equipment/{ids['piece']}/issue", {"member": ada, "on": on})
    await made("/v1/customers", {"name": "Halden"})
    quota = {"metric": "revenue", "period": YEAR, "value": {"amount": "7777.77", "currency": "EUR"}}
    await heard(standing, ada)
    ids["target"] = (await made("/v1/targets", {**quota, "scope": {"level": "member", "ref": ada}}))["id"]
    # Teams are told of as a whole; that is not what one of them is to achieve.
    other = {"scope": {"level": "member", "ref": ids["peer"]}, "value": {"amount": "1111.10", "currency": "EUR"}}
    await made("/v1/targets", {**quota, **other})
    await made(f"/v1/targets/{ids['target']}/check-ins", {"confidence": "0.2", "note": "hardlypossible"})
    duty = {"title": "callthebank", "assigned_to": {"member": ada}, "on": on}
    ids["duty"] = (await made("/v1/duties", duty))["id"]
    thanks = {"to": [ada], "about": {"kind": "other"}, "note": "wellsung"}
    ids["thanks"] = (await made("/v1/recognitions", thanks))["id"]
    asked = {"kind": "equipment", "title": "newscreen", "from": {"member": ada}, "to": {"department": "it"}}
    ids["request"] = (await made("/v1/requests", asked))["id"]
    called = {"name": "Weekly", "starts_at": f"{YEAR}-01-07T09:00:00Z", "teams": [ids["north"]]}
    meeting = ids["meeting"] = (await made("/v1/meetings", called))["id"]
    ids["item"] = (await made("/v1/items", {"kind": "problem", "title": "slowprinter", "meeting": meeting}))["id"]
    await made("/v1/actions", {"title": "Order one", "owner": ada, "due": f"{YEAR}-01-09", "meeting": meeting})
    between = {"from": ids["leader"], "to": ada, "kind": "offered_help", "note": "betweenustwo", "on": on}
    async with client_of(standing.origin, _headers(standing, ids)["their leader"]) as leader:
        noted = await leader.post("/v1/check-ins", json=between)
    assert noted.status_code == 201, noted.text
    ids["check_in"] = noted.json()["id"]
    async with client_of(standing.origin, token_headers(standing.settings, "scim:write")) as tool:
        change = {"op": "replace", "value": {"userName": "ada.at.idp"}}
        patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [change]}
        assert (await tool.patch(f"/scim/v2/Users/{ada}", json=patch)).status_code == 200
    await settled_verdict(standing, "consistent", 60)
    return House(standing, ids, _headers(standing, ids))


async def heard(world: World, member: str) -> None:
    """Wait until targets and meetings know of somebody."""
    answer = await world.admin.get(f"/v1/members/{member}")
    for collection in ("targets", "series"):
        await world.settled(f"/v1/{collection}", answer)


def _tokens(ids: Mapping[str, str]) -> dict[str, tuple[tuple[str, ...], dict[str, str]]]:
    """The scopes of each reader, and who they are."""

    def person(name: str, *, leads: bool) -> tuple[tuple[str, ...], dict[str, str]]:
        return tuple(member_scopes("sales", leader=leads)), {"member": ids[name]}

    found: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
        "themself": person("ada", leads=False), "a peer": person("peer", leads=False),
        "their leader": person("leader", leads=True), "their leader of last year": person("before", leads=True),
        "another leader": person("stranger", leads=True), "admin": ((ADMIN,), {}),
    }  # fmt: skip
    return found | {tool: (tuple(tool_scopes(tool)), {"department": tool}) for tool in TOOLS}


def _headers(world: World, ids: Mapping[str, str]) -> dict[str, dict[str, str]]:
    tokens = _tokens(ids).items()
    return {name: token_headers(world.settings, *scopes, **who) for name, (scopes, who) in tokens}


@pytest.fixture(params=READERS)
async def reader(house: House, request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    async with client_of(house.world.origin, house.headers[request.param]) as client:
        yield request.param, client


async def test_each_reads_what_is_for_them_and_nobody_reads_what_is_not(
    house: House, reader: tuple[str, httpx.AsyncClient]
) -> None:
    name, client = reader
    leaks, missing = [], []
    common = {path: await house.read(client, path) for path in (*VIEWS, *ROWS, *PAGES, *STREAMS)}
    for what, fact in FACTS.items():
        shown = {way: await house.read(client, way) for way in fact.ways}
        if name in fact.readers:
            missing += [] if fact.word in shown[fact.ways[0]] else [what]
            continue
        everywhere = shown if '"' in fact.word else shown | common
        leaks += [f"{what}: {way}" for way, text in everywhere.items() if fact.word in text]
    assert (leaks, missing) == ([], [])


async def test_what_is_said_is_in_no_event_for_anybody(house: House, reader: tuple[str, httpx.AsyncClient]) -> None:
    _, client = reader
    told = "".join([await house.read(client, path) for path in STREAMS])
    said = {fact.word for fact in FACTS.values() if fact.word.isalpha()}
    assert {word for word in said if word in told} == set()


def _named(event: Mapping[str, Any]) -> Named:
    return event["type"], event["subject"], event["sequence"]


async def _readable(client: httpx.AsyncClient) -> set[Named]:
    """The events that somebody reads in the stream, as far as it goes."""
    found: set[Named] = set()
    cursor, caught_up = "beginning", False
    while not caught_up:
        events, cursor, caught_up = await page(client, after=cursor)
        found |= {_named(each) for each in events}
    return found


@pytest.mark.parametrize("name", READERS)
async def test_a_webhook_is_sent_what_its_maker_reads_in_the_stream_and_no_more(house: House, name: str) -> None:
    scopes, who = _tokens(house.ids)[name]
    headers = token_headers(house.world.settings, *scopes, "webhooks:write", **who)
    async with client_of(house.world.origin, headers) as client, receiving() as receiver:
        before = await _readable(client)
        hook = {"url": receiver.url, "types": ["*"], "from": "beginning"}
        made = (await client.post("/v1/webhooks", json=hook)).json()
        await receiver.until(lambda: len(receiver.taken) >= len(before))
        await idle(house.world, made)
        await client.delete(f"/v1/webhooks/{made['id']}")
        sent = {_named(got.event) for got in receiver.taken}
        told = "".join(each.body.decode() for each in receiver.taken)
        after = await _readable(client)
    # Services tell something by themselves too, at any time.
    assert before <= sent <= after
    hidden = {fact.word for fact in FACTS.values() if name not in fact.readers and fact.word[0] != '"'}
    assert {word for word in hidden if word in told} == set()


@pytest.mark.parametrize("whose", ["member", "team"])
async def test_a_calendar_says_when_and_what_for_and_nothing_of_anybody(house: House, whose: str) -> None:
    of = {"member": house.ids["ada"], "team": house.ids["north"]}[whose]
    link = (await house.world.made("/v1/calendars", {whose: of}))["link"]
    calendar = (await house.world.admin.get(link)).text
    assert "SUMMARY:Weekly" in calendar
    assert {word for word in (fact.word for fact in FACTS.values()) if word in calendar} == set()
    assert [each for each in ("quill", "secret@", "ATTENDEE", "ORGANIZER") if each in calendar] == []


@pytest.mark.parametrize("name", ["a peer", "another leader", "their leader of last year"])
async def test_who_may_not_read_a_thing_does_not_find_it_to_change_it_either(house: House, name: str) -> None:
    on = f"{YEAR}-01-20"
    acts = {
        "duties": {"do": "done", "duty": house.ids["duty"], "on": on},
        "setbacks": {"do": "close", "setback": house.ids["setback"], "on": on},
        "targets": {"do": "close", "target": house.ids["target"], "on": on},
    }
    async with client_of(house.world.origin, house.headers[name]) as client:
        for collection, act in acts.items():
            answer = await client.post(f"/v1/{collection}/bulk", json=[act])
            if answer.status_code != 403:
                assert '"status":404' in answer.text, f"{collection}: {answer.text}"
            assert not any(fact.word in answer.text for fact in FACTS.values() if fact.word.isalpha())


async def test_the_view_of_a_leader_has_rows_for_their_own_people_only(house: House) -> None:
    async def rows(name: str) -> set[str]:
        async with client_of(house.world.origin, house.headers[name]) as client:
            query = {"period": YEAR, "breakdown": "member"}
            answer = await client.get("/v1/views/sales", params=query)
            assert answer.status_code == 200, answer.text
            found = {row["ref"] for row in answer.json()["breakdown"]["rows"]}
            alone = await client.get("/v1/views/sales", params={"period": YEAR, "member": house.ids["ada"]})
            assert alone.status_code == (200 if house.ids["ada"] in found or name == "sales" else 404)
            return found

    assert await rows("another leader") <= {house.ids["stranger"]}
    assert await rows("their leader of last year") <= {house.ids["before"]}
