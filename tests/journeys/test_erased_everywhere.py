"""Who is erased is found nowhere any more but where texts name them that were listed before; and no figure moves.

One person goes through every noun there is, each with a text that names them or says what was said to them. All tables
of the four services are then read, column by column, and all topics.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from concert.services import SERVICES
from shared.bus import TOPICS
from shared.events import PEOPLE
from shared.identity.scopes import member_scopes, tool_scopes
from shared.instant import now
from shared.postage import envelope_of
from shared.store.migrate import metadata_of
from tests.bus.logs import everything
from tests.metrics.company import ref
from tests.metrics.test_certificate import settled_verdict
from tests.surface.inhabited import inhabit
from tests.world import World, client_of, token_headers

pytestmark = pytest.mark.embedded_by_day

NAME, EMAIL, PAYROLL, USER = "Zebulon Quagmire", "zq@example.org", "zq-4711", "Zeb.Quagmire@idp.example"
TELLING = (NAME, "Zebulon", "Quagmire", EMAIL, PAYROLL, USER, USER.casefold())
PRIVATE = "shouted at in front of everybody"
"""In every text that was said by them, to them or about them."""
WORD = "burnout"
"""Why they were away, which is one word."""
OBSERVED = {"source_age", "view_age", "imports", "parked", "lag", "outstanding_by_age"}
"""Figures that speak of the moment of asking."""
_keys = count(1)


async def does(world: World, path: str, body: Mapping[str, Any], *, ok: bool = True) -> httpx.Response:
    """A write with a key, so that its answer is kept."""
    answer = await world.post(f"/v1/{path}", body, **{"Idempotency-Key": f"erased-{next(_keys)}"})
    assert (answer.status_code < 300) is ok, f"{path}: {answer.text}"
    return answer


async def a_whole_life(world: World) -> str:
    """Somebody about whom something is said wherever something can be said; their id."""
    person = {"name": NAME, "email": EMAIL, "department": "sales", "starts_on": "2025-01-01",
              "external": {"source": "payroll", "id": PAYROLL}}  # fmt: skip
    member: str = (await does(world, "members", person)).json()["id"]
    await does(world, "members", person, ok=False)
    async with client_of(world.origin, token_headers(world.settings, "scim:write")) as tool:
        known = {
            "op": "replace",
            "value": {"userName": USER, "name.givenName": "Zebulon", "name.familyName": "Quagmire"},
        }
        patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [known]}
        answer = await tool.patch(f"/scim/v2/Users/{member}", json=patch, headers={"Idempotency-Key": "erased-scim"})
        assert answer.status_code == 200, answer.text
        team = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Idp",
                "members": [{"value": member}]}  # fmt: skip
        made = await tool.post("/scim/v2/Groups", json=team, headers={"Idempotency-Key": "erased-group"})
        assert NAME in made.text
    for noun in (_said_of_them, _worked_on, _met_about, _sold_by):
        await noun(world, member)
    await does(world, f"members/{member}/leave", {"on": "2026-06-01", "reason": f"{NAME} was {PRIVATE}"})
    return member


async def _said_of_them(world: World, member: str) -> None:
    """What was said by them, to them or about them."""
    text = f"{NAME} was {PRIVATE}"
    happened = {"kind": "mistreatment", "severity": 3, "customer": ref("0"), "at": "2026-02-01T09:00:00Z"}
    setback = (await does(world, "setbacks", {"member": member, "note": text, **happened})).json()["id"]
    await does(world, f"setbacks/{setback}/follow-up", {"option": "accompany", "due": "2026-02-05", "note": text})
    await does(world, f"setbacks/{setback}/followed-up", {"follow_up": "follow-up-1", "note": text})
    await does(world, f"setbacks/{setback}/close", {"outcome": text})
    absence = {"from": "2026-03-01", "to": "2026-03-09", "kind": WORD}
    await does(world, f"members/{member}/absences", absence)
    await does(world, f"members/{member}/absences", absence, ok=False)
    training = (await does(world, "trainings", {"member": member, "course": ref("listen"), "on": "2026-01-10"})).json()[
        "id"
    ]
    done = {"on": "2026-01-20", "score_before": 40, "score_after": 70, "feedback": text, "comment": text}
    await does(world, f"trainings/{training}/complete", {**done, "feedback": 2})
    tasks = [{"title": text[:150]}]
    await does(world, "onboardings", {"member": member, "equipment": ["laptop"], "tasks": tasks})
    await does(world, "recognitions", {"to": [member], "about": {"kind": "other"}, "note": text})
    duty = {"title": f"Call with {NAME}", "about": "Zebulon knows them", "assigned_to": {"member": member}}
    made = (await does(world, "duties", {**duty, "on": "2026-01-05", "receiver": ref("Ada Berg")})).json()["id"]
    await does(world, f"duties/{made}/done", {"on": "2026-01-06", "by": member})
    await does(world, f"duties/{made}/return", {"on": "2026-01-07", "by": ref("Ada Berg"), "reason": text})


async def _worked_on(world: World, member: str) -> None:
    """What the house wrote of its own things, and happens to name them."""
    piece = (await does(world, "equipment", {"kind": "phone", "label": f"Phone of {NAME}"})).json()["id"]
    await does(world, f"equipment/{piece}/issue", {"member": member, "on": "2026-01-05"})
    await does(world, "openings", {"title": "A seller", "reason": f"{NAME} will leave"})
    challenge = {"name": "As fast as Zebulon", "aim": f"Beat {NAME}", "team": ref("North"), "from": "2026-01-01",
                 "to": "2026-02-01"}  # fmt: skip
    await does(world, "challenges", challenge)
    opinion = {"kind": "review", "source": "web", "text": f"{NAME} was rude", "on": "2026-01-05"}
    await does(world, "reputation", opinion)
    await does(
        world, "recognitions", {"to": [ref("Ada Berg")], "by": member, "about": {"kind": "other"}, "note": "Thanks"}
    )


async def _met_about(world: World, member: str) -> None:
    """What was said in meetings, asked for and agreed on."""
    item = {"kind": "question", "title": f"Will {NAME} stay?", "about": "Zebulon thinks of it", "series": ref("weekly"),
            "raised_by": member}  # fmt: skip
    made = (await does(world, "items", item)).json()["id"]
    await does(world, f"items/{made}/answers", {"department": "hr", "text": f"{NAME} will not"})
    await does(world, f"items/{made}/resolve", {"note": f"{NAME} was {PRIVATE}"})
    agreed = {"owner": member, "due": "2026-02-09"}
    await does(
        world, "outcomes", {"meeting": ref("running"), "kind": "action", "text": f"Talk to {NAME}", "agreed": agreed}
    )
    await does(world, f"meetings/{ref('running')}/end", {"at": "2026-01-07T10:00:00Z", "minutes": f"{NAME} was late"})
    asked = {
        "kind": "it_support",
        "title": f"A screen for {NAME}",
        "from": {"member": member},
        "to": {"department": "it"},
    }
    request = (await does(world, "requests", asked)).json()["id"]
    await does(world, f"requests/{request}/resolve", {"note": "Zebulon has one"})
    await does(world, f"requests/{request}/reopen", {"reason": f"{NAME} has none"})


async def _sold_by(world: World, member: str) -> None:
    """What was sold, aimed at and answered by customers."""
    deal = {"owner": member, "customer": ref("0"), "name": f"A deal of {NAME}", "opened_on": "2026-01-05"}
    made = (await does(world, "deals", deal)).json()["id"]
    await does(world, f"deals/{made}/lose", {"on": "2026-02-01", "reason": f"{NAME} was ill"})
    won = (await does(world, "deals", {**deal, "name": None})).json()["id"]
    await does(world, f"deals/{won}/win", {"on": "2026-02-05", "value": {"amount": "900.00", "currency": "USD"}})
    await does(world, "feedback", {"customer": ref("0"), "score": 1, "member": member, "comment": f"{NAME} was rude"})
    target = {"metric": "revenue", "scope": {"level": "member", "ref": member}, "period": "2026",
              "value": {"amount": "5000.00", "currency": "USD"}}  # fmt: skip
    aimed = (await does(world, "targets", target)).json()["id"]
    await does(world, f"targets/{aimed}/check-ins", {"confidence": "0.2", "note": f"{NAME} doubts it"})
    year = str(now().year)
    note = {"period": year, "value": {"amount": "1.00", "currency": "USD"}, "note": f"{NAME} is away"}
    await does(world, "forecasts", note)


async def found(world: World, words: tuple[str, ...]) -> set[tuple[str, str, str, str]]:
    """Where any of these words stands: service, table or kind, id and field."""
    places = set()
    for service in SERVICES:
        store = world.services[service.name].runtime.store
        kinds = {str(model.__tablename__): getattr(model, "kind", "") for model in service.all_tables}
        for table in metadata_of(service).sorted_tables:
            for row in await store.read(lambda snapshot, table=table: snapshot.rows(sa.select(table))):  # type: ignore[misc]
                key = row[1] if table.name == "kept_answer" else row[0]
                for column, value in zip(table.c, row, strict=True):
                    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
                    if any(each.casefold() in text.casefold() for each in words):
                        places.add((service.name, kinds.get(table.name) or table.name, str(key), column.name))
    return places


async def views(world: World, after: str, member: str) -> Any:
    """All five views in full and by member, but for what speaks of the moment of asking and for the name."""
    shown = []
    for breakdown in ({}, {"breakdown": "member"}):
        query = {"period": "2026", "after": after, **breakdown}
        answer = await world.admin.get("/v1/views", params=query, headers={"Prefer": "wait=20"})
        assert answer.status_code == 200, answer.text
        for view in answer.json()["views"].values():
            del view["as_of"]
            for figures in (
                view["figures"],
                *(row["figures"] for row in (view.get("breakdown") or {}).get("rows", ())),
            ):
                for name in OBSERVED & figures.keys():
                    del figures[name]
            for row in (view.get("breakdown") or {}).get("rows", ()):
                if row["ref"] == member:
                    row["name"] = None
            shown.append(view)
    return shown


async def test_who_is_erased_is_found_nowhere_but_where_it_was_listed_and_no_figure_moves(world: World) -> None:
    await inhabit(world)
    hook = {"url": "https://nowhere.example.org/hear", "types": ["concert.people.*", "concert.teams.*"]}
    await does(world, "webhooks", hook)
    member = await a_whole_life(world)
    await settled_verdict(world, "consistent")
    last = (await world.admin.get(f"/v1/members/{member}")).headers["concert-version"]
    before = await views(world, last, member)
    assert await found(world, TELLING), "nothing is looked for"
    told = (await world.admin.get(f"/v1/members/{member}/personal-data")).json()
    assert told["not_asked"] == []
    erased = await world.admin.delete(f"/v1/members/{member}/personal-data", headers={"Idempotency-Key": "erase"})
    assert erased.status_code == 204
    await settled_verdict(world, "consistent")
    assert await views(world, erased.headers["concert-version"], member) == before
    listed = {
        (each["service"], each["kind"], each["id"], field) for each in told["mentions"] for field in each["fields"]
    }
    left = await found(world, TELLING)
    assert left <= listed, left - listed
    assert {(service, kind) for service, kind, _, _ in listed if kind != "kept_answer"} == {
        ("teams", "duty"), ("teams", "equipment"), ("teams", "opening"), ("teams", "challenge"),
        ("teams", "reputation"),
        ("meetings", "item"), ("meetings", "meeting"), ("meetings", "outcome"), ("meetings", "action"),
        ("meetings", "request"), ("targets", "deal"), ("targets", "feedback"), ("targets", "target"),
        ("targets", "forecast"),
    }  # fmt: skip
    # What was said by them, to them or about them is nowhere in teams; in the minutes of others it was listed.
    private = await found(world, (PRIVATE, WORD))
    assert private <= listed, private - listed
    assert {service for service, _, _, _ in private} <= {"meetings"}
    for topic in TOPICS:
        if topic != PEOPLE:
            sent = [str(each.record) for each in await everything(world.bus, [topic])]
            assert [each for each in sent if any(word in each for word in (*TELLING, PRIVATE, WORD))] == []
    people = [each.record for each in await everything(world.bus, [PEOPLE])]
    of_them = [each for each in map(envelope_of, people) if each.subject == f"person/{member}"]
    assert max(of_them, key=lambda each: each.version).type == "concert.people.person-forgotten.v1"


async def test_nothing_personal_is_accepted_of_who_was_erased(world: World) -> None:
    await inhabit(world)
    member = await a_whole_life(world)
    await world.admin.delete(f"/v1/members/{member}/personal-data")
    before = await found(world, (PRIVATE, WORD))
    text = f"{NAME} was {PRIVATE}"
    for path, body in (
        ("setbacks", {"member": member, "kind": "rejection", "severity": 1, "note": text}),
        (f"members/{member}/absences", {"from": "2026-05-01", "to": "2026-05-02", "kind": WORD}),
        (f"members/{member}/externals", {"source": "crm", "id": PAYROLL}),
        ("recognitions", {"to": [member], "about": {"kind": "other"}, "note": text}),
        ("onboardings", {"member": member, "tasks": [{"title": text[:150]}]}),
    ):
        answer = await world.post(f"/v1/{path}", body)
        assert answer.status_code in (409, 422), f"{path}: {answer.text}"
    assert await found(world, (PRIVATE, WORD)) == before
    async with client_of(world.origin, token_headers(world.settings, "scim:write")) as tool:
        assert (await tool.get(f"/scim/v2/Users/{member}")).status_code == 404
        assert (await tool.get("/scim/v2/Users", params={"filter": f'userName eq "{USER}"'})).json()[
            "totalResults"
        ] == 0


@pytest.mark.parametrize("reader", ["themselves", "hr", "a peer", "their leader", "sales", "it"])
async def test_what_is_stored_of_somebody_is_for_them_and_for_who_answers_for_it(standing: World, reader: str) -> None:
    people = {
        name: (await standing.made("/v1/members", {"name": f"{name} {NAME}", "department": "sales",
                                                   "starts_on": "2026-01-01"}))["id"]
        for name in ("Zoe", "Peer", "Leader")
    }  # fmt: skip
    member = people["Zoe"]
    team = (await standing.made("/v1/teams", {"name": "North", "leader": people["Leader"]}))["id"]
    await standing.made(f"/v1/members/{member}/join", {"team": team, "from": "2026-01-01"})
    await standing.made("/v1/setbacks", {"member": member, "kind": "rejection", "severity": 2, "note": PRIVATE})
    call = {"title": f"Call Zoe {NAME}", "assigned_to": {"member": member}}
    duty = (await standing.made("/v1/duties", call))["id"]
    scopes: dict[str, tuple[str | None, str | None, bool]] = {
        "themselves": (member, None, False), "a peer": (people["Peer"], None, False),
        "their leader": (people["Leader"], None, True), "hr": (None, "hr", False), "sales": (None, "sales", False),
        "it": (None, "it", False),
    }  # fmt: skip
    who, department, leads = scopes[reader]
    headers = a_reader(standing, who, department, leads)
    async with client_of(standing.origin, headers) as client:
        answer = await client.get(f"/v1/members/{member}/personal-data")
    if reader not in ("themselves", "hr"):
        assert answer.status_code == 403, answer.text
        return
    stored = answer.json()
    assert stored["member"]["name"] == f"Zoe {NAME}"
    assert stored["connected"]["teams"]["duty"] == 1
    mine = reader == "themselves"
    assert ("note" in str(stored["things"]["setbacks"])) is mine
    assert (PRIVATE in answer.text) is mine
    assert stored["withheld"] == ({} if mine else {"setbacks": 1})
    mentions = [(each["kind"], each["id"]) for each in stored["mentions"] if each["id"] == duty]
    assert mentions == ([] if mine else [("duty", duty)])


def a_reader(world: World, member: str | None, department: str | None, leads: bool) -> dict[str, str]:
    """The headers of a member, or of a department's tool."""
    if member is not None:
        return token_headers(world.settings, *member_scopes("sales", leader=leads), member=member)
    return token_headers(world.settings, *tool_scopes(str(department)), department=department)
