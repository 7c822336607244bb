"""What meetings result in, recorded only while they run; questions that departments answer; goals of actions."""

from __future__ import annotations

from tests.meetings.office import Office, problem, stored
from tests.meetings.test_attendance import MONDAYS, a_meeting


async def running(office: Office) -> str:
    meeting = await a_meeting(office)
    await office.world.made(f"/v1/meetings/{meeting}/start", {"at": MONDAYS[0]})
    return meeting


async def test_an_outcome_on_a_meeting_that_is_not_running_is_refused(office: Office) -> None:
    meeting = await a_meeting(office)
    outcome = {"meeting": meeting, "kind": "decision", "text": "We keep the price"}
    problem(await office.world.post("/v1/outcomes", outcome), 409, "/meeting", "is called; only one that is running")
    await office.world.made(f"/v1/meetings/{meeting}/start", {"at": MONDAYS[0]})
    recorded = await office.world.made("/v1/outcomes", outcome)
    headers = {"If-Match": '"1"'}
    path = f"/v1/outcomes/{recorded['id']}"
    changed = await office.world.admin.patch(path, json={"text": "We raise the price"}, headers=headers)
    assert changed.json()["text"] == "We raise the price"
    await office.world.made(f"/v1/meetings/{meeting}/end", {"at": "2026-03-16T09:00:00Z"})
    late = await office.world.admin.patch(path, json={"text": "We give it away"}, headers={"If-Match": '"2"'})
    problem(late, 409, "/meeting", "is ended")
    problem(await office.world.post(f"{path}/withdraw", {}), 409, "/meeting", "is ended")
    problem(await office.world.post("/v1/outcomes", outcome), 409, "/meeting", "is ended")
    assert (await office.get(path))["text"] == "We raise the price"
    assert await stored(office, "outcomes") == [recorded["id"]]
    assert "price" not in str(await office.get(f"{path}/history"))


async def test_an_outcome_that_is_an_action_agrees_it_at_the_same_time(office: Office) -> None:
    meeting = await running(office)
    outcome = {"meeting": meeting, "kind": "action", "text": "Ada calls the supplier"}
    problem(await office.world.post("/v1/outcomes", outcome), 422, "", "who does it by when")
    agreed = {"owner": office.ada, "due": "2026-03-20", "helpers": [office.ben]}
    problem(
        await office.world.post("/v1/outcomes", outcome | {"kind": "decision", "agreed": agreed}),
        422,
        "",
        "nothing else",
    )
    nobody = outcome | {"agreed": agreed | {"owner": "mbr_none"}}
    problem(await office.world.post("/v1/outcomes", nobody), 422, "/agreed/owner", "mbr_none")
    assert await stored(office, "actions") == []
    recorded = await office.world.made("/v1/outcomes", outcome | {"agreed": agreed})
    action = await office.get(f"/v1/actions/{recorded['action']}")
    told = [action[name] for name in ("title", "owner", "due", "helpers", "meeting", "agreed_on")]
    assert told == ["Ada calls the supplier", office.ada, "2026-03-20", [office.ben], meeting, "2026-03-16"]


async def test_an_action_serves_a_goal(office: Office) -> None:
    goal = await office.world.post("/v1/goals", {"title": "Grow", "period": "2026"})
    body = {"title": "Order", "owner": office.ada, "due": "2026-03-20", "goal": goal.json()["id"]}
    action = await office.world.made("/v1/actions", body)
    assert action["goal"] == goal.json()["id"]
    assert await office.get("/v1/actions", goal=goal.json()["id"])
    unknown = await office.world.post("/v1/actions", body | {"goal": "goal_none"})
    problem(unknown, 422, "/goal", "no goal goal_none is known here")


async def test_departments_answer_a_question_each_with_its_latest_word(office: Office) -> None:
    meeting = await running(office)
    question = await office.world.made("/v1/items", {"kind": "question", "title": "Which price?", "meeting": meeting})
    path = f"/v1/items/{question['id']}"
    for department, text in (("it", "None of ours"), ("sales", "The old one"), ("sales", "The new one")):
        answered = await office.world.made(f"{path}/answers", {"department": department, "text": text})
    assert [(each["department"], each["text"]) for each in answered["answers"]] == [
        ("it", "None of ours"), ("sales", "The new one"),
    ]  # fmt: skip
    assert "price" not in str(await office.get(f"{path}/history"))
    assert "The new one" not in str(await office.get(f"{path}/history"))
    problem(await office.world.post(f"{path}/answers", {"department": "marketing", "text": "x"}), 422, "/department",
            "marketing")  # fmt: skip
    news = await office.world.made("/v1/items", {"kind": "news", "title": "Fair", "meeting": meeting})
    answer = await office.world.post(f"/v1/items/{news['id']}/answers", {"department": "it", "text": "x"})
    problem(answer, 409, "", "departments answer questions")
    decided = {"meeting": meeting, "kind": "decision", "text": "The new price", "item": question["id"]}
    assert (await office.world.made("/v1/outcomes", decided))["item"] == question["id"]
    await office.world.made(f"{path}/resolve", {})
    closed = await office.world.post(f"{path}/answers", {"department": "it", "text": "Late"})
    problem(closed, 409, "", "was resolved")
