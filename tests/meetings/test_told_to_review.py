"""What a review needs of meetings: who resolved, who helped, what was due at first, and what each fact keeps of it."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from services.meetings.domain.actions import Action, OnlyWhoAskedAgrees
from services.metrics.facts.meetings import ActionFact, ItemFact, MeetingFact, OutcomeFact, actions
from services.metrics.facts.requests import RequestFact
from shared.events.items import ActionAgreed, ActionChanged, ActionDone
from shared.facts import Fact
from shared.identity.scopes import member_scopes
from tests.meetings.office import Office, problem
from tests.world import client_of, token_headers

F = TypeVar("F", bound=Fact)


def july(day: int) -> date:
    return date(2026, 7, day)


async def fact(office: Office, model: type[F], thing: dict[str, Any]) -> F:
    """What the views hold of a thing once they have heard of it."""
    after = f"{model.kind}/{thing['id']}@{thing['version']}"
    heard = await office.world.admin.get(
        "/v1/views/it", params={"period": "2026", "after": after}, headers={"Prefer": "wait=20"}
    )
    assert heard.status_code == 200, heard.text
    store = office.world.services["metrics"].runtime.store
    column = model.__table__.c  # type: ignore[attr-defined]
    select = sa.select(model).where(column.id == thing["id"])
    (found,) = await store.read(lambda snapshot: snapshot.all(model, select))
    return found


async def test_an_item_tells_whom_it_is_about_and_who_resolved_it(standing: Office) -> None:
    made, post = standing.world.made, standing.world.post
    series = (await standing.weekly()).json()["id"]
    item = {"kind": "problem", "title": "No stock", "series": series, "raised_by": standing.ada, "department": "it",
            "on": "2026-07-01"}  # fmt: skip
    raised = await made("/v1/items", item)
    assert raised["id"] in [each["id"] for each in (await standing.get("/v1/items", department="it"))["items"]]
    path = f"/v1/items/{raised['id']}"
    problem(await post("/v1/items", item | {"department": "marketing"}), 422, "/department", "marketing")
    problem(await post(f"{path}/resolve", {"by": ["mbr_none"]}), 422, "/by/0", "mbr_none")
    problem(await post(f"{path}/resolve", {"by": [standing.ivo, standing.ivo]}), 422, "/by/1", "twice")
    await made(f"{path}/resolve", {"on": "2026-07-02", "by": [standing.ivo, standing.ben]})
    await made(f"{path}/reopen", {"on": "2026-07-04"})
    headers = token_headers(standing.world.settings, *member_scopes("sales"), member=standing.ben)
    async with client_of(standing.world.origin, headers) as ben:
        last = (await ben.post(f"{path}/resolve", json={"on": "2026-07-05"})).json()
    assert last["resolved_by"] == [standing.ben]
    assert [(await standing.get(path, on=on))["resolved_by"] for on in ("2026-07-03", "2026-07-04", "2026-07-05")] == [
        [standing.ivo, standing.ben], [], [standing.ben],
    ]  # fmt: skip
    found = await fact(standing, ItemFact, last)
    assert (found.raised_by, found.department, found.reopenings) == (standing.ada, "it", ["2026-07-04"])
    assert found.resolutions == [
        {"on": "2026-07-02", "by": [standing.ivo, standing.ben]}, {"on": "2026-07-05", "by": [standing.ben]},
    ]  # fmt: skip
    assert [found.open_before(july(day)) for day in (1, 2, 3, 5, 6)] == [False, True, False, True, False]


async def test_a_question_is_put_to_departments_and_nothing_else_is(standing: Office) -> None:
    series = (await standing.weekly()).json()["id"]
    question = {"kind": "question", "title": "Which price?", "series": series, "to": ["it", "hr"]}
    put = await standing.world.made("/v1/items", question)
    assert put["to"] == ["it", "hr"]
    news = await standing.world.post("/v1/items", question | {"kind": "news"})
    problem(news, 422, "/to", "only a question is put to departments")
    unknown = await standing.world.post("/v1/items", question | {"to": ["it", "marketing"]})
    problem(unknown, 422, "/to/1", "marketing")
    assert (await fact(standing, ItemFact, put)).to == ["it", "hr"]


async def test_attendance_and_outcomes_are_kept_as_they_were_noted(standing: Office) -> None:
    made = standing.world.made
    meeting = await made(
        "/v1/meetings", {"name": "Talk", "teams": [standing.team], "starts_at": "2026-07-01T08:00:00Z"}
    )
    path = f"/v1/meetings/{meeting['id']}"
    for member, status in ((standing.ada, "invited"), (standing.ivo, "invited"), (standing.ada, "tentative")):
        await made(f"{path}/attendance", {"member": member, "status": status})
    await made(f"{path}/start", {"at": "2026-07-01T08:00:00Z"})
    said = {"entries": [{"member": standing.ada, "status": "present"}, {"member": standing.ivo, "status": "excused"}]}
    noted = await made(f"{path}/attendance", said)
    outcome = await made("/v1/outcomes", {"meeting": meeting["id"], "kind": "decision", "text": "We wait"})
    kept = await fact(standing, MeetingFact, noted)
    assert kept.attendance == {standing.ada: "present", standing.ivo: "excused"}
    result = await fact(standing, OutcomeFact, outcome)
    assert (result.sort, result.meeting, result.on, result.withdrawn) == ("decision", meeting["id"], july(1), False)
    gone = await made(f"/v1/outcomes/{outcome['id']}/withdraw", {})
    assert (await fact(standing, OutcomeFact, gone)).withdrawn


async def test_an_action_keeps_whose_it_is_and_the_day_that_was_agreed_at_first(standing: Office) -> None:
    made, patch = standing.world.made, standing.world.admin.patch
    goal = await made("/v1/goals", {"title": "Grow", "period": "2026"})
    meeting = await made("/v1/meetings", {"name": "Talk", "starts_at": "2026-07-01T08:00:00Z"})
    item = await made("/v1/items", {"kind": "problem", "title": "Slow", "meeting": meeting["id"],
                                    "raised_by": standing.ada})  # fmt: skip
    action = await made("/v1/actions", {
        "title": "Mend it", "owner": standing.ben, "helpers": [standing.ivo], "due": "2026-07-10", "on": "2026-07-01",
        "item": item["id"], "meeting": meeting["id"], "goal": goal["id"],
    })  # fmt: skip
    assert action["asked_by"] == standing.ada
    path = f"/v1/actions/{action['id']}"
    later = (await patch(path, json={"due": "2026-07-20"}, headers={"If-Match": '"1"'})).json()
    kept = await fact(standing, ActionFact, later)
    assert (kept.owner, kept.helpers, kept.meeting, kept.goal, kept.asked_by) == (
        standing.ben, [standing.ivo], meeting["id"], goal["id"], standing.ada,
    )  # fmt: skip
    assert (kept.due, kept.judged_by) == (july(20), july(10))
    headers = token_headers(standing.world.settings, *member_scopes("sales"), member=standing.ben)
    async with client_of(standing.world.origin, headers) as ben:
        refused = await ben.patch(path, json={"due": "2026-07-25", "due_agreed": True}, headers={"If-Match": '"2"'})
    problem(refused, 422, "/due_agreed", f"Only {standing.ada}, who asked for this")
    headers = token_headers(standing.world.settings, *member_scopes("sales"), member=standing.ada)
    async with client_of(standing.world.origin, headers) as ada:
        agreed = (await ada.patch(path, json={"due": "2026-07-25"}, headers={"If-Match": '"2"'})).json()
    assert (await fact(standing, ActionFact, agreed)).judged_by == july(25)


def test_a_later_day_counts_only_if_who_asked_for_it_agrees() -> None:
    def agreed() -> Action:
        return Action.agree(id="act_1", title="Mend", owner="b", asked_by="a", agreed_on=july(1), due=july(5))[0]

    late = agreed()
    late.change(july(4), due=july(9))
    assert late.done(july(7)) == ActionDone(on=july(7), on_time=False)
    with_consent = agreed()
    told = with_consent.change(july(4), with_consent.agrees("a", None), due=july(9))
    assert isinstance(told, ActionChanged)
    assert (told.changed_on, told.due_agreed) == (july(4), True)
    assert with_consent.done(july(7)).on_time is True
    at_once = agreed()
    at_once.change(july(1), due=july(9))
    assert at_once.done(july(7)).on_time is True
    assert not agreed().agrees("b", None)
    assert agreed().agrees(None, True)
    with pytest.raises(OnlyWhoAskedAgrees):
        agreed().agrees("b", True)


def test_a_fact_judges_the_day_of_an_action_as_the_action_does() -> None:
    action, told = Action.agree(id="act_1", title="Mend", owner="b", asked_by="a", agreed_on=july(1), due=july(5))
    kept = ActionFact.make(id="act_1")
    assert isinstance(told, ActionAgreed)
    actions.fold(kept, told)
    for today, consent, fields in (
        (july(1), False, {"due": july(6)}),
        (july(3), False, {"due": july(9)}),
        (july(4), True, {"due": july(8)}),
        (july(5), True, {"title": "Mend it well"}),
        (july(6), False, {"due": july(20), "owner": "c"}),
        (july(7), False, {"agreed_on": july(2)}),
    ):
        changed = action.change(today, consent, **fields)
        assert changed is not None
        actions.fold(kept, changed)
        assert (kept.due, kept.judged_by) == (action.due, action.judged_by), (today, fields)
    assert kept.judged_by == july(8)


async def test_a_request_keeps_its_members_its_promise_and_who_did_it(standing: Office) -> None:
    made = standing.world.made
    asked = (await standing.asks(to={"member": standing.ivo}, promised_by="2026-07-03")).json()
    path = f"/v1/requests/{asked['id']}"
    moved = (
        await standing.world.admin.patch(path, json={"promised_by": "2026-07-30"}, headers={"If-Match": '"1"'})
    ).json()
    kept = await fact(standing, RequestFact, moved)
    assert (kept.from_member, kept.to_member) == (standing.ada, standing.ivo)
    assert (kept.promised_by, kept.judged_by) == (july(30), july(3))
    resolved = await made(f"{path}/resolve", {"at": "2026-07-20T09:00:00Z", "by": standing.ivo})
    assert (resolved["resolved_by"], resolved["on_time"]) == (standing.ivo, False)
    (resolution,) = (await fact(standing, RequestFact, resolved)).resolutions
    assert (resolution["on"], resolution["on_time"], resolution["by"]) == ("2026-07-20", False, standing.ivo)
    again = await made(f"{path}/reopen", {"at": "2026-07-21T09:00:00Z", "reason": "No"})
    reopened = await fact(standing, RequestFact, again)
    assert (again["resolved_by"], reopened.reopenings, reopened.judged_by) == (None, ["2026-07-21"], None)
    problem(await standing.world.post(f"{path}/resolve", {"by": "mbr_none"}), 422, "/by", "mbr_none")
