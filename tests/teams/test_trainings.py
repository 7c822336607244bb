"""Trainings over HTTP: assigned one by one, in bulk or by gap; attended, completed, corrected; who may read what."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import from_json

from tests.metrics.stream import relayed
from tests.teams.conftest import Staff, problem
from tests.world import client_of, token_headers


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def a_course(staff: Staff, **fields: Any) -> str:
    course: str = (await staff.made("courses", {"name": "Negotiating"} | fields))["id"]
    return course


async def assigned(staff: Staff, member: str, course: str, **fields: Any) -> dict[str, Any]:
    return await staff.made("trainings", {"member": member, "course": course, "on": "2026-02-01"} | fields)


async def test_a_training_is_assigned_attended_and_completed_with_its_result(staff: Staff) -> None:
    ada, course = await staff.recruited(), await a_course(staff, cost=euros("100.00"))
    training = await assigned(staff, ada, course, due="2026-03-01")
    path = f"trainings/{training['id']}"
    attended = await staff.made(f"{path}/attend", {"on": "2026-02-10"})
    assert (attended["status"], attended["attended_on"]) == ("attended", "2026-02-10")
    result = {"on": "2026-02-12", "score_before": 40, "score_after": 75, "feedback": 4, "comment": "Practical"}
    done = await staff.made(f"{path}/complete", result)
    assert done["status"] == "completed"
    # Nothing is said of the cost, so it is what the course costs; the department of the day bears it.
    assert (done["cost"], done["department"]) == (euros("100.00"), "sales")
    assert [done[name] for name in ("score_before", "score_after", "rating", "comment")] == [40, 75, 4, "Practical"]
    assert (await staff.get(path, on="2026-02-11"))["status"] == "attended"
    assert (await staff.get(path, on="2026-02-05"))["status"] == "assigned"


async def test_feedback_may_be_a_number_or_words_and_a_cost_of_nothing_is_none(staff: Staff) -> None:
    course = await a_course(staff, cost=euros("100.00"))
    in_words = await assigned(staff, await staff.recruited(), course)
    done = await staff.made(f"trainings/{in_words['id']}/complete", {"feedback": "Too long", "cost": None})
    assert (done["rating"], done["comment"], done["cost"]) == (None, "Too long", None)
    free = await assigned(staff, await staff.recruited(), course)
    assert (await staff.made(f"trainings/{free['id']}/complete", {"cost": euros("0.00")}))["cost"] is None


async def test_a_training_finished_before_it_began_is_refused_with_the_days(staff: Staff) -> None:
    training = await assigned(staff, await staff.recruited(), await a_course(staff))
    path = f"trainings/{training['id']}"
    early = await staff.post(f"{path}/attend", {"on": "2026-01-31"})
    assert "assigned on 2026-02-01" in problem(early, 422, "/on")
    await staff.made(f"{path}/attend", {"on": "2026-02-10"})
    late = await staff.post(f"{path}/complete", {"on": "2026-02-09"})
    assert problem(late, 422, "/on") == "This training began on 2026-02-10; it cannot be finished on 2026-02-09."
    assert (await staff.get(path))["status"] == "attended"


async def test_what_is_cancelled_or_completed_is_not_attended_again(staff: Staff) -> None:
    course, ada = await a_course(staff), await staff.recruited()
    training = await assigned(staff, ada, course)
    await staff.made(f"trainings/{training['id']}/cancel", {"on": "2026-02-03"})
    again = await staff.post(f"trainings/{training['id']}/attend", {"on": "2026-02-04"})
    assert "is cancelled; only one that is assigned" in problem(again, 409)
    # Cancelled is no reason not to take the course another time; assigned is.
    second = await assigned(staff, ada, course)
    refused = await staff.post("trainings", {"member": ada, "course": course})
    assert second["id"] in problem(refused, 409, "/member")


async def test_nobody_is_assigned_before_they_work_here_or_after_they_left(staff: Staff) -> None:
    course, ada = await a_course(staff), await staff.recruited(starts_on="2026-05-01")
    early = await staff.post("trainings", {"member": ada, "course": course, "on": "2026-04-30"})
    problem(early, 409 if early.status_code == 409 else 422, "/on")
    await staff.does(ada, "leave", on="2026-06-01")
    problem(
        await staff.post("trainings", {"member": ada, "course": course, "on": "2026-06-01"}), early.status_code, "/on"
    )


async def test_a_session_has_no_more_members_than_seats(staff: Staff) -> None:
    course = await a_course(staff)
    planned = await staff.made(f"courses/{course}/sessions", {"from": "2026-03-02", "to": "2026-03-04", "seats": 1})
    session = planned["sessions"][0]["session"]
    first = await assigned(staff, await staff.recruited(), course, session=session)
    second = {"member": await staff.recruited(), "course": course, "session": session}
    full = problem(await staff.post("trainings", second), 409, "/session")
    assert full == "The session of 2026-03-02 has 1 seats, and all are taken."
    assert "begins on 2026-03-02" in problem(
        await staff.post(f"trainings/{first['id']}/attend", {"on": "2026-03-01"}), 422, "/on"
    )
    unknown = await staff.post("trainings", second | {"session": "ses_none"})
    assert session in problem(unknown, 422, "/session")
    # When it is not held, who was to take part is still to take the course, and nobody else can join.
    await staff.made(f"courses/{course}/cancel-session", {"session": session})
    assert (await staff.get(f"trainings/{first['id']}"))["session"] is None
    assert "was cancelled" in problem(await staff.post("trainings", second), 409, "/session")


async def test_a_team_is_assigned_at_once_and_a_dry_run_changes_nothing(staff: Staff) -> None:
    team = (await staff.made("teams", {"name": "Trained together"}))["id"]
    people = sorted([await staff.recruited() for _ in range(3)])
    for member in people:
        await staff.does(member, "join", team=team, since="2026-01-01")
    course = await a_course(staff)
    await assigned(staff, people[0], course)
    before = await staff.events()
    tried = await staff.made("trainings/assign", {"course": course, "team": team, "dry_run": True})
    assert await staff.events() == before
    done = await staff.made("trainings/assign", {"course": course, "team": team})
    for answer, trainings in ((tried, 0), (done, 2)):
        assert answer["assigned"] == people[1:]
        assert [each["member"] for each in answer["left_out"]] == people[:1]
        assert len(answer["trainings"]) == trainings
    assert await staff.events() == before + 2


async def test_who_lacks_what_their_job_needs_is_found_and_assigned(staff: Staff) -> None:
    skill = (await staff.made("skills", {"name": "Listening"}))["id"]
    await staff.made(f"skills/{skill}/need", {"job": "Listener", "level": 3})
    people = {name: await staff.recruited(job="Listener") for name in ("able", "weak", "unknown")}
    await staff.recruited(job="Talker")
    for name, level in (("able", 3), ("weak", 1)):
        body = {"level": level, "on": "2026-01-05"}
        assessed = await staff.put(f"members/{people[name]}/skills/{skill}", body)
        assert assessed.status_code == 200, assessed.text
    gaps = (await staff.get("skill-gaps", skill=skill))["items"]
    assert [(gap["member"], gap["gap"]) for gap in gaps] == [(people["unknown"], 3), (people["weak"], 2)]
    course = await a_course(staff, skill=skill, level=3)
    done = await staff.made("trainings/assign", {"course": course, "only_gaps": True})
    assert set(done["assigned"]) == {people["weak"], people["unknown"]}
    without = await staff.post("trainings/assign", {"course": await a_course(staff), "only_gaps": True})
    problem(without, 422, "/only_gaps")


async def test_what_a_job_needed_on_a_day_stays_when_it_needs_more_later(staff: Staff) -> None:
    skill, ada = (await staff.made("skills", {"name": "Pruning"}))["id"], await staff.recruited(job="Gardener")
    assert (await staff.put(f"members/{ada}/skills/{skill}", {"level": 3, "on": "2026-01-05"})).status_code == 200
    path = f"skills/{skill}/need"
    for level, on in ((3, "2026-02-01"), (5, "2026-06-01"), (0, "2026-09-01"), (2, "2026-01-10")):
        said = await staff.made(path, {"job": "Gardener", "level": level, "on": on})
    assert (await staff.made(path, {"job": "Gardener", "level": 2, "on": "2026-01-10"}))["version"] == said["version"]
    days = ("2026-01-09", "2026-01-31", "2026-05-31", "2026-06-01", "2026-09-01")
    needed = [(await staff.get(f"skills/{skill}", on=day))["needed"] for day in days]
    assert needed == [{}, {"Gardener": 2}, {"Gardener": 3}, {"Gardener": 5}, {}]
    assert [each["from"] for each in said["needs"]["Gardener"]] == [
        "2026-01-10", "2026-02-01", "2026-06-01", "2026-09-01",
    ]  # fmt: skip
    gaps = [(await staff.get("skill-gaps", skill=skill, on=day))["items"] for day in days]
    assert [[each["gap"] for each in found] for found in gaps] == [[], [], [], [2], []]
    assert (await staff.get(f"members/{ada}/skills", on="2026-06-01"))["items"][0]["needed"] == 5
    named = await staff.patch(f"skills/{skill}", {"name": "Cutting back"})
    assert named.json()["needs"] == said["needs"]


async def test_levels_of_many_members_come_in_one_bulk_and_again_without_a_change(staff: Staff) -> None:
    skill, people = (await staff.made("skills", {"name": "Whistling"}))["id"], [await staff.recruited() for _ in "ab"]
    rows = [{"do": "assess", "skill": skill, "member": each, "level": 4, "on": "2026-02-01"} for each in people]
    wrong = [rows[0] | {"level": 6}, rows[0] | {"member": "mbr_none"}, rows[0] | {"on": "2025-12-31"}]
    answer = await staff.post("skills/bulk", [*rows, *wrong])
    assert [from_json(line)["status"] for line in answer.text.splitlines()] == [200, 200, 422, 422, 409], answer.text
    for member in people:
        assert [each["level"] for each in (await staff.get(f"members/{member}/skills"))["items"]] == [4]
    before = await staff.events()
    await staff.post("skills/bulk", rows)
    assert await staff.events() == before


async def test_a_level_is_as_it_was_found_on_its_day(staff: Staff) -> None:
    skill, ada = (await staff.made("skills", {"name": "Patience"}))["id"], await staff.recruited()
    for level, on in ((2, "2026-03-01"), (4, "2026-05-01"), (1, "2026-02-01")):
        answer = await staff.put(f"members/{ada}/skills/{skill}", {"level": level, "on": on})
        assert answer.status_code == 200, answer.text
    member = token_headers(staff.world.settings, "skills:read", "events:read", member=await staff.recruited())
    async with client_of(staff.world.origin, member) as client:
        assert (await client.get(f"/v1/members/{ada}/skills")).status_code == 403
        assert (await client.get("/v1/skill-gaps")).json()["items"] == []
        stream = await client.get("/v1/events", params={"types": "concert.teams.skill-*", "limit": 1000})
        assert "skill-named" in stream.text
        assert "skill-assessed" not in stream.text
    shown = {}
    for day in ("2026-01-15", "2026-02-15", "2026-04-30", "2026-05-01"):
        rows = (await staff.get(f"members/{ada}/skills", on=day))["items"]
        shown[day] = [row["level"] for row in rows]
    assert shown == {"2026-01-15": [], "2026-02-15": [1], "2026-04-30": [2], "2026-05-01": [4]}


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("courses", {"name": "X", "level": 3}, "/level"),
        ("courses", {"name": "X", "cost": {"amount": "-1.00", "currency": "EUR"}}, "/cost"),
        ("courses", {"name": "X", "skill": "skill_none"}, "/skill"),
        ("trainings", {"member": "mbr_none", "course": "{course}"}, "/member"),
        ("trainings", {"member": "{member}", "course": "course_none"}, "/course"),
        ("trainings", {"member": "{member}", "course": "{course}", "on": "2026-03-01", "due": "2026-02-01"}, "/due"),
        ("trainings", {"member": "{member}", "course": "{course}", "score": 3}, "/score"),
        ("trainings/assign", {"course": "{course}"}, ""),
        ("courses/{course}/sessions", {"from": "2026-03-02", "to": "2026-03-02"}, "/to"),
        ("skills/{skill}/need", {"job": "Seller", "level": 6}, "/level"),
    ],
)
async def test_bad_input_is_told_where_and_stores_nothing(staff: Staff, path: str, body: Any, place: str) -> None:
    known = {"course": await a_course(staff), "member": await staff.recruited(),
             "skill": (await staff.made("skills", {"name": "Some"}))["id"]}  # fmt: skip
    sent = {name: value.format(**known) if isinstance(value, str) else value for name, value in body.items()}
    before = await staff.events()
    problem(await staff.post(path.format(**known), sent), 422, place)
    assert await staff.events() == before


async def test_scores_are_read_by_the_member_who_leads_them_and_hr_and_by_nobody_else(staff: Staff) -> None:
    leader, ada, other = [await staff.recruited() for _ in range(3)]
    team = (await staff.made("teams", {"name": "Led", "leader": leader}))["id"]
    await staff.does(ada, "join", team=team, since="2026-01-01")
    training = await assigned(staff, ada, await a_course(staff))
    said = {"score_before": 10, "score_after": 20, "feedback": 2, "comment": "Dull"}
    await staff.made(f"trainings/{training['id']}/complete", said)
    path = f"/v1/trainings/{training['id']}"
    settings = staff.world.settings
    read = ("trainings:read", "events:read")
    readers = {
        "herself": token_headers(settings, *read, member=ada),
        "leader": token_headers(settings, *read, member=leader),
        "hr": token_headers(settings, "trainings:write", department="hr"),
        "sales tool": token_headers(settings, *read, department="sales"),
        "another": token_headers(settings, *read, member=other),
    }
    seen = {}
    for name, headers in readers.items():
        async with client_of(staff.world.origin, headers) as client:
            one = await client.get(path)
            listed = (await client.get("/v1/trainings", params={"member": ada})).json()["items"]
            told = (await client.get(f"{path}/history")).status_code
            score = one.json().get("score_after") if one.status_code == 200 else None
            seen[name] = (one.status_code, score, len(listed), told)
            assert "Dull" not in one.text or name in ("herself", "leader", "hr")
    assert seen == {
        "herself": (200, 20, 1, 200),
        "leader": (200, 20, 1, 200),
        "hr": (200, 20, 1, 200),
        "sales tool": (200, None, 1, 200),
        "another": (404, None, 0, 404),
    }
    # In the stream a member does not see who else is trained; tools that may read trainings do.
    await relayed(staff.world)
    for name, told in (("herself", False), ("another", False), ("sales tool", True)):
        async with client_of(staff.world.origin, readers[name]) as client:
            stream = await client.get("/v1/events", params={"types": "concert.teams.training-*", "limit": 1000})
            assert stream.status_code in (200, 403)
            assert (training["id"] in stream.text) == told, name
    journal = await staff.get(f"trainings/{training['id']}/history")
    assert "Dull" not in str(journal)
    assert "score" not in str(journal)


async def test_an_erased_member_has_said_nothing_and_cost_the_same(staff: Staff) -> None:
    ada = await staff.recruited()
    training = await assigned(staff, ada, await a_course(staff))
    said = {"feedback": "Zebra crossing", "cost": euros("30.00")}
    await staff.post(f"trainings/{training['id']}/complete", said, **{"Idempotency-Key": f"end {training['id']}"})
    gone = await staff.world.admin.delete(f"/v1/members/{ada}/personal-data")
    assert gone.status_code == 204
    shown = await staff.get(f"trainings/{training['id']}")
    assert (shown["comment"], shown["cost"]) == (None, euros("30.00"))
    again = await staff.post(f"trainings/{training['id']}/complete", said,
                             **{"Idempotency-Key": f"end {training['id']}"})  # fmt: skip
    assert "Zebra" not in again.text
