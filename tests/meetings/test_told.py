"""What meetings tells the others: the facts, and never a word of what people wrote."""

from __future__ import annotations

import sqlalchemy as sa

from services.metrics.facts.check_ins import CheckInFact
from services.metrics.facts.meetings import ActionFact, ItemFact, MeetingFact, OutcomeFact
from services.metrics.facts.requests import RequestFact
from services.metrics.sums import Tally
from shared.events import REGISTRY
from shared.store.tables import Journal
from tests.meetings.office import Office

WORDS = "Ada cried about Mr Meyer"


async def everything(office: Office) -> list[str]:
    """Each thing of meetings once through all its verbs, with the same words wherever words are taken."""
    post, patch = office.world.post, office.world.admin.patch
    series = (await office.weekly(name=WORDS)).json()["id"]
    changed = await patch(f"/v1/series/{series}", json={"name": f"{WORDS}!"}, headers={"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    meeting = (
        await office.world.made("/v1/meetings", {"series": series, "starts_at": "2026-03-16T08:00:00Z", "name": WORDS})
    )["id"]
    await patch(f"/v1/meetings/{meeting}", json={"name": f"{WORDS}!"}, headers={"If-Match": '"1"'})
    item = (
        await office.world.made(
            "/v1/items", {"kind": "problem", "title": WORDS, "about": WORDS, "meeting": meeting, "on": "2026-03-16"}
        )
    )["id"]
    await patch(f"/v1/items/{item}", json={"about": f"{WORDS}!"}, headers={"If-Match": '"1"'})
    action = (
        await office.world.made(
            "/v1/actions", {"title": WORDS, "owner": office.ada, "due": "2026-03-20", "item": item, "on": "2026-03-16"}
        )
    )["id"]
    await patch(f"/v1/actions/{action}", json={"title": f"{WORDS}!"}, headers={"If-Match": '"1"'})
    question = (
        await office.world.made(
            "/v1/items", {"kind": "question", "title": WORDS, "meeting": meeting, "on": "2026-03-16"}
        )
    )["id"]
    request = (await office.asks(title=WORDS)).json()["id"]
    await patch(f"/v1/requests/{request}", json={"title": f"{WORDS}!"}, headers={"If-Match": '"1"'})
    tokens = []
    for path, body in (
        (f"/v1/items/{item}/resolve", {"on": "2026-03-17", "note": WORDS}),
        (f"/v1/items/{item}/reopen", {"on": "2026-03-18"}),
        (f"/v1/actions/{action}/done", {"on": "2026-03-17"}),
        (f"/v1/actions/{action}/reopen", {"on": "2026-03-18"}),
        (f"/v1/actions/{action}/cancel", {"on": "2026-03-19"}),
        (f"/v1/items/{question}/answers", {"department": "it", "text": WORDS}),
        (f"/v1/meetings/{meeting}/start", {"at": "2026-03-16T08:00:00Z"}),
        (f"/v1/meetings/{meeting}/attendance", {"member": office.ada, "status": "invited"}),
        (f"/v1/meetings/{meeting}/attendance", {"member": office.ada, "status": "present"}),
    ):
        answer = await post(path, body)
        assert answer.status_code == 200, answer.text
        tokens.append(answer.headers["concert-version"])
    outcome = (await office.world.made("/v1/outcomes", {"meeting": meeting, "kind": "decision", "text": WORDS}))["id"]
    reworded = await patch(f"/v1/outcomes/{outcome}", json={"text": f"{WORDS}!"}, headers={"If-Match": '"1"'})
    assert reworded.status_code == 200, reworded.text
    for path, body in (
        (f"/v1/outcomes/{outcome}/withdraw", {}),
        (f"/v1/meetings/{meeting}/end", {"at": "2026-03-16T08:30:00Z", "minutes": WORDS}),
        (f"/v1/requests/{request}/promise", {"promised_by": "2026-07-05", "on": "2026-07-01"}),
        (f"/v1/requests/{request}/resolve", {"at": "2026-07-02T09:00:00Z", "note": WORDS}),
        (f"/v1/requests/{request}/reopen", {"at": "2026-07-03T09:00:00Z", "reason": WORDS}),
        (f"/v1/series/{series}/end", {"on": "2026-12-31"}),
    ):
        answer = await post(path, body)
        assert answer.status_code == 200, answer.text
        tokens.append(answer.headers["concert-version"])
    talk = {"from": office.ada, "to": office.ben, "kind": "asked", "on": "2026-03-16", "note": WORDS}
    check_in = f"/v1/check-ins/{(await office.world.made('/v1/check-ins', talk))['id']}"
    await patch(check_in, json={"note": f"{WORDS}!"}, headers={"If-Match": '"1"'})
    tokens.append((await post(f"{check_in}/withdraw", {})).headers["concert-version"])
    pair = {"from": {"member": office.ada}, "to": {"department": "it"}, "begins_on": "2026-03-16"}
    liaison = f"/v1/liaisons/{(await office.world.made('/v1/liaisons', pair))['id']}"
    await patch(liaison, json={"to": {"member": office.ivo}}, headers={"If-Match": '"1"'})
    ended = await post(f"{liaison}/end", {"on": "2026-04-01", "reason": WORDS})
    tokens.append(ended.headers["concert-version"])
    await fourth(office)
    asked = {"title": WORDS, "opens_on": "2026-02-01", "closes_on": "2999-01-01"}
    pulse = f"/v1/pulses/{(await office.world.made('/v1/pulses', asked))['id']}"
    await patch(pulse, json={"title": f"{WORDS}!"}, headers={"If-Match": '"1"'})
    tokens.append((await post(f"{pulse}/close", {})).headers["concert-version"])
    agenda = {"name": WORDS, "sections": [{"name": WORDS, "items": [{"kind": "report", "title": WORDS}]}]}
    template = (await office.world.made("/v1/templates", agenda))["id"]
    await patch(f"/v1/templates/{template}", json={"name": f"{WORDS}!"}, headers={"If-Match": '"1"'})
    for verb in ("retire", "reinstate"):
        await office.world.made(f"/v1/templates/{template}/{verb}", {"on": "2026-03-20"})
    rule = {"rrule": "FREQ=MONTHLY;BYDAY=3MO", "template": template, "guests": [office.ada]}
    monthly = (await office.weekly(**rule)).json()["id"]
    for verb, body in (
        ("skip", {"on": "2026-04-20", "reason": WORDS}), ("unskip", {"on": "2026-04-20"}),
        ("attendance", {"member": office.ada, "status": "accepted"}),
    ):  # fmt: skip
        tokens.append((await post(f"/v1/series/{monthly}/{verb}", body)).headers["concert-version"])
    other = await office.world.post("/v1/meetings", {"name": WORDS, "starts_at": "2026-03-17T08:00:00Z"})
    tokens.append((await post(f"/v1/meetings/{other.json()['id']}/cancel", {})).headers["concert-version"])
    return tokens


async def fourth(office: Office) -> None:
    """One more member, for a pulse asks four at least."""
    hired = await office.world.post("/v1/members", {"name": "Dee", "department": "it", "starts_on": "2026-01-01"})
    after = {"after": hired.headers["concert-version"]}
    heard = await office.world.admin.get("/v1/series", params=after, headers={"Prefer": "wait=20"})
    assert heard.status_code == 200, heard.text


async def test_titles_minutes_notes_and_reasons_are_kept_and_never_told(office: Office) -> None:
    tokens = await everything(office)
    journal = Journal.__table__.c  # type: ignore[attr-defined]
    store = office.world.services["meetings"].runtime.store
    rows = await store.read(lambda snapshot: snapshot.rows(sa.select(journal.type, journal.data)))
    told = {kind for kind in REGISTRY if kind.startswith("concert.meetings.")} - {"concert.meetings.external-linked.v1"}
    assert {kind for kind, _ in rows} == told
    assert not [data for _, data in rows if "Meyer" in data or "Ada" in data]
    assert "Meyer" in (await office.get("/v1/requests"))["items"][0]["reopening_reason"]
    await office.world.admin.get("/v1/views/it", params={"period": "2026", "after": tokens})


async def test_the_views_fold_everything_that_meetings_tells_into_facts_and_sums(lone: Office) -> None:
    tokens = await everything(lone)
    answer = await lone.world.admin.get(
        "/v1/views/it", params={"period": "2026", "after": tokens}, headers={"Prefer": "wait=20"}
    )
    assert answer.status_code == 200, answer.text
    assert (await lone.get("/v1/parked"))["items"] == []
    store = lone.world.services["metrics"].runtime.store
    cell = Tally.__table__.c  # type: ignore[attr-defined]
    select = sa.select(cell.dim, cell.key, cell.measure, cell["count"], cell.took).where(
        cell.grain == "d", cell.measure.in_(["held", "raised", "settled", "raised_again", "agreed", "done",
                                             "done_on_time", "done_late", "undone", "asked", "resolved", "kept",
                                             "missed", "reopened"]),
    )  # fmt: skip
    rows = await store.read(lambda snapshot: snapshot.rows(select))
    found = {(dim, key, measure): (int(count), int(took)) for dim, key, measure, count, took in rows}
    half_an_hour = 30 * 60
    day = 24 * 3600
    expected = {("meeting_kind", "team", "held"): (1, half_an_hour), ("team", lone.team, "held"): (1, half_an_hour)}
    for measure in ("raised", "settled", "raised_again"):
        expected["item_kind", "problem", measure] = (1, 0)
    expected["item_kind", "question", "raised"] = (1, 0)
    for measure in ("agreed", "done", "done_on_time", "undone"):
        expected["member", lone.ada, measure] = (1, 0)
    for measure, took in (("asked", 0), ("resolved", day), ("kept", 0), ("reopened", 0)):
        for dim, key in (("department", "it"), ("kind", "it_support"), ("pair", "sales>it")):
            expected[dim, key, measure] = (1, took)
    whole = {place[2]: numbers for place, numbers in found.items() if place[0] == ""}
    assert {place: numbers for place, numbers in found.items() if place[0]} == expected
    # Only a question can be answered, so there are two items.
    assert whole == {place[2]: numbers for place, numbers in expected.items()} | {"raised": (2, 0)}
    for model, count in ((MeetingFact, 2), (ItemFact, 2), (ActionFact, 1), (RequestFact, 1), (OutcomeFact, 1),
                         (CheckInFact, 1)):  # fmt: skip
        facts = await store.read(lambda snapshot, model=model: snapshot.all(model, sa.select(model)))  # type: ignore[misc]
        assert len(facts) == count
