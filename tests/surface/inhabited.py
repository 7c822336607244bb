"""A Concert in which every collection holds something, so that what is asked of a thing reaches one that is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.metrics.review import options, rule_set
from services.targets.api.progress import ProgressKeeper
from shared.instant import now
from tests.charter import WHOLE
from tests.metrics.company import dollars, named, ref, settle_in
from tests.world import World

Ids = Mapping[str, list[str]]
MORE: Mapping[str, Mapping[str, Any]] = {
    "groups": {"external": named("inner"), "name": "Inner circle", "team": ref("North")},
    "rates": {"external": named("dollar"), "from": "USD", "to": "EUR", "on": "2026-01-02", "rate": "0.92"},
    "goals": {"external": named("south"), "title": "Win the south", "period": "2026", "metric": "revenue"},
    "readings": {"external": named("calls"), "metric": "activities", "scope": {"level": "team", "ref": ref("North")},
                 "on": "2026-01-05", "value": "12"},
    "feedback": {"external": named("answer"), "customer": ref("0"), "score": 4, "on": "2026-01-06"},
    "targets": {"external": named("own"), "metric": "activities", "scope": {"level": "team", "ref": ref("North")},
                "period": "2026-Q2", "value": "500"},
    "credit-changes": {"external": named("halves"), "deal": ref("0"), "reason": "Both have sold it", "credits": [
        {"member": ref(who), "share": "0.5"} for who in ("Ada Berg", "Ben Okafor")]},
    "own-measures": {"external": named("north"), "team": ref("North"), "period": "2026-Q2", "targets": [ref("own")]},
    "accomplishments": {"external": named("handed over"), "team": ref("North"), "period": "2026-Q1",
                        "title": "Handed over", "evidence": ["The protocol"]},
    "forecasts": {"period": "2026", "value": {"amount": "1000.00", "currency": "USD"}, "note": "A new market"},
    "series": {"external": named("weekly"), "name": "Weekly", "teams": [ref("North")],
               "rrule": "FREQ=WEEKLY;BYDAY=MO", "starts_at": "2026-01-05T09:00:00Z", "minutes": 30},
    "templates": {"external": named("agenda"), "name": "Weekly", "sections": [{"name": "Figures", "items": [
        {"kind": "report", "title": "Revenue"}]}]},
    "meetings": {"external": named("review"), "name": "Review", "teams": [ref("North")],
                 "starts_at": "2026-01-06T09:00:00Z"},
    "items": {"external": named("laptop"), "kind": "problem", "title": "No laptop yet", "meeting": ref("review")},
    "actions": {"external": named("order"), "title": "Order a laptop", "owner": ref("Ada Berg"), "due": "2026-01-09"},
    "outcomes": {"external": named("decision"), "meeting": ref("running"), "kind": "decision", "text": "We go on"},
    "check-ins": {"external": named("talk"), "from": ref("Ada Berg"), "to": ref("Ben Okafor"), "kind": "asked"},
    "liaisons": {"external": named("pair"), "from": {"member": ref("Ada Berg")}, "to": {"department": "it"}},
    "pulses": {"external": named("pulse"), "title": "How we work", "closes_on": "2999-01-01"},
    "stages": {"external": named("offer"), "key": "offer", "name": "Offer", "chance": "0.5", "position": 3},
    "role-weights": {"external": named("shares"), "weights": {"close": "1"}, "from": "2999-01-01"},
    "skills": {"external": named("listening"), "name": "Listening"},
    "courses": {"external": named("listen"), "name": "To listen", "skill": ref("listening"), "level": 3},
    "trainings": {"external": named("training"), "member": ref("Ada Berg"), "course": ref("listen")},
    "absences": {"external": named("away"), "member": ref("Ada Berg"), "from": "2026-02-02", "to": "2026-02-04"},
    "openings": {"external": named("seller"), "title": "One more seller", "team": ref("North")},
    "equipment": {"external": named("laptop 1"), "kind": "laptop"},
    "onboardings": {"external": named("first weeks"), "member": ref("Ada Berg"), "equipment": ["laptop"]},
    "duties": {"external": named("call"), "title": "Call them all", "assigned_to": {"member": ref("Ada Berg")}},
    "setbacks": {"external": named("no"), "member": ref("Ada Berg"), "kind": "rejection", "severity": 2},
    "recognitions": {"external": named("thanks"), "to": [ref("Ada Berg")], "about": {"kind": "other"}},
    "challenges": {"external": named("visits"), "name": "Visits", "team": ref("North"), "from": "2026-01-01",
                   "to": "2026-04-01"},
    "peer-rounds": {"external": named("mates"), "title": "How we work with each other", "team": ref("Six"),
                    "closes_on": "2999-01-01"},
    "reputation": {"external": named("stars"), "kind": "rating", "source": "web", "score": "4"},
    "review-charters": {"external": named("grounds"), **WHOLE},
    "reviews": {"external": named("quarter"), "team": ref("North"), "period": "2026-Q1"},
    "rule-sets": {"external": named("ours"), "rules": rule_set.built_in().model_dump(mode="json")},
    "options": {"external": named("options"), **options.built_in().model_dump(mode="json")},
    "imports": {"external": named("nightly"), "source": "hubspot", "created": 12},
    "calendars": {"team": ref("North")},
    "webhooks": {"url": "https://tools.example.com/concert", "types": ["concert.targets.*"]},
}  # fmt: skip
"""What the small company has none of."""


async def inhabit(concert: World) -> Ids:
    """Fill a Concert; answers with the ids that things have, ours and other systems', by collection."""
    tokens = await settle_in(concert.admin)
    members = [token for token in tokens if token.startswith("batch/teams-")]
    heard = await concert.admin.get("/v1/series", params={"after": members}, headers={"Prefer": "wait=20"})
    assert heard.status_code == 200, heard.text
    for collection, body in MORE.items():
        if collection == "outcomes":
            await _running_meeting(concert)
        if collection == "peer-rounds":
            await _six_mates(concert)
        await concert.made(f"/v1/{collection}", body)
    await _progress(concert)
    await concert.made("/v1/forecasts", {"period": "2999", "value": dollars(1000), "note": "A guess"})
    return {collection: [each async for each in _ids(concert, collection)] for collection in collections_of(concert)}


async def _running_meeting(concert: World) -> None:
    """A meeting that has begun: only then it has results."""
    meeting = {"external": named("running"), "name": "Running", "starts_at": "2026-01-07T09:00:00Z"}
    await concert.made("/v1/meetings", meeting)
    await concert.made(f"/v1/meetings/{ref('running')}/start", {"at": "2026-01-07T09:00:00Z"})


async def _six_mates(concert: World) -> None:
    """A team of six: of fewer nobody is asked about the others."""
    await concert.made("/v1/teams", {"external": named("Six"), "name": "Six"})
    for number in range(6):
        mate = {"external": named(f"mate {number}"), "name": f"Mate {number}", "department": "sales",
                "starts_on": "2026-01-02"}  # fmt: skip
        await concert.made("/v1/members", mate)
        await concert.made(f"/v1/members/{ref(f'mate {number}')}/join", {"team": ref("Six"), "from": "2026-01-02"})


async def _progress(concert: World) -> None:
    """A target of these days, and what is told of how it goes."""
    year = {"metric": "revenue", "scope": {"level": "organisation"}, "period": str(now().year)}
    target = await concert.made("/v1/targets", year | {"value": {"amount": "1000.00", "currency": "USD"}})
    await ProgressKeeper(concert.services["targets"].runtime.store, now).tell()
    told = await concert.admin.get(f"/v1/progress/{target['id']}")
    assert told.status_code == 200, told.text


def collections_of(concert: World) -> list[str]:
    """The collections in which things are found by their id."""
    paths = [path for running in concert.services.values() for path in running.app.openapi()["paths"]]
    return sorted({path.split("/")[2] for path in paths if is_a_thing(path)})


def is_a_thing(path: str) -> bool:
    """Whether a path leads to a thing of a collection, or to something of it."""
    parts = path.split("/")
    return len(parts) > 3 and parts[1] == "v1" and parts[3] in ("{ref}", "{id}")


async def _ids(concert: World, collection: str) -> Any:
    answer = await concert.admin.get(f"/v1/{collection}", params={"limit": 25})
    assert answer.status_code == 200, answer.text
    for item in answer.json()["items"]:
        yield item["id"]
        for name in _names(item):
            yield f"ext:{name['source']}:{name['id']}"


def _names(item: Mapping[str, Any]) -> Iterable[Mapping[str, str]]:
    names: Iterable[Mapping[str, str]] = item.get("externals", ())
    return names
