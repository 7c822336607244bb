"""Skips, changes of this, of this and following, and of all meetings of a series, and the agendas they begin with."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.meetings.office import Office, problem, stored

MARCH = {"from": "2026-03-16", "to": "2026-04-14"}
MONDAYS = ("2026-03-16T08:00:00Z", "2026-03-23T08:00:00Z", "2026-03-30T07:00:00Z", "2026-04-06T07:00:00Z",
           "2026-04-13T07:00:00Z")  # fmt: skip


async def series_of(office: Office, **fields: Any) -> str:
    made = await office.weekly(**fields)
    assert made.status_code == 201, made.text
    found: str = made.json()["id"]
    return found


async def reschedule(office: Office, series: str, **body: Any) -> httpx.Response:
    return await office.world.post(f"/v1/series/{series}/reschedule", body)


async def rescheduled(office: Office, series: str, **body: Any) -> Any:
    answer = await reschedule(office, series, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def call(office: Office, series: str, at: str, **fields: Any) -> str:
    made = await office.world.made("/v1/meetings", {"series": series, "starts_at": at, **fields})
    found: str = made["id"]
    return found


async def hold(office: Office, meeting: str, at: str) -> None:
    await office.world.made(f"/v1/meetings/{meeting}/start", {"at": at})
    await office.world.made(f"/v1/meetings/{meeting}/end", {"at": at})


async def times(office: Office, series: str, **query: str) -> list[tuple[str, str]]:
    found = await office.get(f"/v1/series/{series}/meetings", **(query or MARCH))
    return [(each["starts_at"][:16], each["status"]) for each in found["items"]]


async def test_a_skipped_time_is_not_met_at_until_the_skip_is_taken_back(standing: Office) -> None:
    series = await series_of(standing)
    skipped = await standing.world.made(f"/v1/series/{series}/skip", {"on": "2026-03-30", "reason": "Easter"})
    assert skipped["skips"] == [{"on": "2026-03-30", "reason": "Easter"}]
    assert (await times(standing, series))[2] == ("2026-03-30T07:00", "skipped")
    refused = await standing.world.post("/v1/meetings", {"series": series, "starts_at": MONDAYS[2]})
    problem(refused, 409, "/starts_at", "The series skips 2026-03-30; take that back first.")
    again = await standing.world.made(f"/v1/series/{series}/skip", {"on": "2026-03-30", "reason": "Easter"})
    assert again["version"] == 2
    back = await standing.world.made(f"/v1/series/{series}/unskip", {"occurrence": MONDAYS[2]})
    assert back["skips"] == []
    await call(standing, series, MONDAYS[2])
    history = (await standing.get(f"/v1/series/{series}/history"))["items"]
    assert [each["type"].rpartition(".")[0] for each in history] == [
        "concert.meetings.series-planned", "concert.meetings.occurrence-skipped",
        "concert.meetings.occurrence-restored",
    ]  # fmt: skip


async def test_a_skip_stays_one_when_the_hour_of_the_series_changes(standing: Office) -> None:
    series = await series_of(standing)
    await standing.world.made(f"/v1/series/{series}/skip", {"on": "2026-03-30"})
    await rescheduled(standing, series, scope="all", starts_at="2026-03-16T13:00:00Z")
    assert (await times(standing, series))[2] == ("2026-03-30T12:00", "skipped")


async def test_what_cannot_be_skipped_is_refused_with_what_would_be_right(standing: Office) -> None:
    series = await series_of(standing)
    path = f"/v1/series/{series}"
    meeting = await call(standing, series, MONDAYS[0])
    post = standing.world.post
    problem(await post(f"{path}/skip", {"on": "2026-03-17"}), 422, "/on",
            "The series does not meet at 2026-03-17; after that it meets at 2026-03-23T08:00")  # fmt: skip
    problem(await post(f"{path}/skip", {"occurrence": "2026-03-23T09:00:00Z"}), 422, "/occurrence", "does not meet at")
    problem(await post(f"{path}/skip", {"on": "2026-03-16"}), 409, "/on", f"called already; it is {meeting}.")
    problem(await post(f"{path}/unskip", {"on": "2026-03-23"}), 409, "/occurrence", "does not skip 2026-03-23")
    for body in ({}, {"on": "2026-03-23", "occurrence": MONDAYS[1]}):
        problem(await post(f"{path}/skip", body), 422, "", "name the time by occurrence or by on")
    assert (await standing.get(path))["version"] == 1


async def test_this_occurrence_alone_is_moved_renamed_and_shortened(standing: Office) -> None:
    series = await series_of(standing)
    told = await rescheduled(standing, series, scope="this", occurrence=MONDAYS[1], starts_at="2026-03-24T12:00:00Z",
                             name="Sales weekly, on Tuesday")  # fmt: skip
    meeting = told["meeting"]
    assert (meeting["occurrence"], meeting["starts_at"], meeting["on"]) == (
        MONDAYS[1], "2026-03-24T12:00:00Z", "2026-03-24",
    )  # fmt: skip
    assert (told["series"]["version"], told["before"]) == (1, None)
    again = await rescheduled(standing, series, scope="this", on="2026-03-23", minutes=15)
    assert (again["meeting"]["id"], again["meeting"]["minutes"]) == (meeting["id"], 15)
    assert (await times(standing, series))[:3] == [
        ("2026-03-16T08:00", "planned"), ("2026-03-24T12:00", "called"), ("2026-03-30T07:00", "planned"),
    ]  # fmt: skip
    await hold(standing, meeting["id"], "2026-03-24T12:00:00Z")
    problem(await reschedule(standing, series, scope="this", on="2026-03-23", minutes=30), 409, "",
            "This meeting is ended; only one that is called can do that.")  # fmt: skip


async def test_this_and_following_go_on_in_a_new_series_and_what_was_held_stays(standing: Office) -> None:
    series = await series_of(standing, rrule="FREQ=WEEKLY;BYDAY=MO;COUNT=5")
    held, waiting, moved, off = [await call(standing, series, at) for at in MONDAYS[:4]]
    await hold(standing, held, MONDAYS[0])
    await standing.world.admin.patch(f"/v1/meetings/{moved}", json={"starts_at": "2026-04-01T07:00:00Z"},
                                     headers={"If-Match": '"1"'})  # fmt: skip
    await standing.world.made(f"/v1/meetings/{off}/cancel", {})
    before = await standing.get(f"/v1/meetings/{held}")
    told = await rescheduled(standing, series, scope="following", occurrence=MONDAYS[1],
                             starts_at="2026-03-24T09:00:00Z", rrule="FREQ=WEEKLY;BYDAY=TU;COUNT=4")  # fmt: skip
    new = told["series"]
    assert (told["before"]["id"], told["before"]["ended_on"], told["before"]["continued_by"]) == (
        series, "2026-03-23", new["id"],
    )  # fmt: skip
    assert (new["follows"], new["name"], new["minutes"]) == (series, "Sales weekly", 45)
    assert await times(standing, series) == [("2026-03-16T08:00", "ended")]
    assert await times(standing, new["id"], **{"from": "2026-03-16"}) == [
        ("2026-03-24T09:00", "called"), ("2026-04-01T07:00", "called"), ("2026-04-07T08:00", "skipped"),
        ("2026-04-14T08:00", "planned"),
    ]  # fmt: skip
    assert await standing.get(f"/v1/meetings/{held}") == before
    went_on = await standing.get(f"/v1/meetings/{waiting}")
    assert (went_on["series"], went_on["occurrence"]) == (new["id"], "2026-03-24T09:00:00Z")


async def test_the_rule_that_goes_on_counts_what_was_before_and_ends_when_the_series_would(standing: Office) -> None:
    counted = await series_of(standing, rrule="FREQ=WEEKLY;BYDAY=MO;COUNT=5")
    told = await rescheduled(standing, counted, scope="following", on="2026-03-30", minutes=30)
    assert told["series"]["rrule"] == "FREQ=WEEKLY;BYDAY=MO;COUNT=3"
    assert [at for at, _ in await times(standing, told["series"]["id"], **{"from": "2026-03-01"})] == [
        "2026-03-30T07:00", "2026-04-06T07:00", "2026-04-13T07:00",
    ]  # fmt: skip
    ended = await series_of(standing)
    await standing.world.made(f"/v1/series/{ended}/end", {"on": "2026-04-07"})
    told = await rescheduled(standing, ended, scope="following", on="2026-03-30", minutes=30)
    assert (told["series"]["ended_on"], told["before"]["ended_on"]) == ("2026-04-07", "2026-03-30")


async def test_what_was_left_on_the_table_and_the_agenda_go_with_a_series_that_goes_on(standing: Office) -> None:
    agenda = {"name": "Weekly", "sections": [{"name": "Figures", "items": [{"kind": "report", "title": "Week"}]}]}
    template = (await standing.world.made("/v1/templates", agenda))["id"]
    series = await series_of(standing, template=template)
    held = await call(standing, series, MONDAYS[0])
    bring = {"kind": "problem", "on": "2026-03-16"}
    left = await standing.world.made("/v1/items", bring | {"title": "Left over", "meeting": held})
    backlog = await standing.world.made("/v1/items", bring | {"title": "Backlog", "series": series})
    agreed = {"title": "Call", "owner": standing.ada, "due": "2026-05-01", "item": left["id"], "on": "2026-03-16"}
    action = await standing.world.made("/v1/actions", agreed)
    await hold(standing, held, MONDAYS[0])
    told = await rescheduled(standing, series, scope="following", on="2026-03-30", starts_at="2026-03-30T09:00:00Z")
    assert told["series"]["template"] == template
    meeting = await call(standing, told["series"]["id"], "2026-03-30T09:00:00Z")
    table = (await standing.get(f"/v1/meetings/{meeting}/agenda"))["items"]
    titles = {(each["title"], each["carried"]) for each in table}
    assert {("Left over", True), ("Backlog", True), ("Week", False)} <= titles
    assert backlog["id"] in [each["id"] for each in (await standing.get(f"/v1/meetings/{held}/items"))["items"]]
    assert action["id"] in [each["id"] for each in (await standing.get(f"/v1/meetings/{meeting}/agenda"))["actions"]]


async def test_changes_with_a_scope_that_make_no_sense_are_refused_and_change_nothing(standing: Office) -> None:
    series = await series_of(standing)
    held = await call(standing, series, MONDAYS[1])
    await hold(standing, held, MONDAYS[1])
    before = await stored(standing, "series")
    for body, status, pointer, says in (
        ({"scope": "this", "minutes": 30}, 422, "", "the scope this names one, by occurrence or by on"),
        ({"scope": "following", "minutes": 30}, 422, "", "the scope following names one"),
        ({"scope": "all", "on": "2026-03-30", "minutes": 30}, 422, "", "the scope all names no occurrence"),
        ({"scope": "some", "on": "2026-03-30", "minutes": 30}, 422, "/scope", ""),
        ({"scope": "this", "on": "2026-03-30"}, 422, "", "nothing is to change; send one of starts_at, rrule"),
        ({"scope": "this", "on": "2026-03-30", "rrule": "FREQ=DAILY"}, 422, "", "rrule is for the scopes following"),
        ({"scope": "this", "on": "2026-03-31", "minutes": 30}, 422, "/on", "does not meet at 2026-03-31"),
        ({"scope": "following", "occurrence": "2026-03-31T07:00:00Z", "minutes": 30}, 422, "/occurrence", "not meet"),
        ({"scope": "following", "on": "2026-03-16", "minutes": 30}, 409, "/on", "was held stays as it was"),
        ({"scope": "following", "on": "2026-03-23", "minutes": 30}, 409, "/on", "is ended; what was held stays"),
        ({"scope": "following", "on": "2026-03-30", "starts_at": "2026-03-31T07:00:00Z"}, 422, "/starts_at",
         "does not meet at 2026-03-31T07:00:00+00:00 but at 2026-04-06T07:00:00+00:00; send the rule"),
        ({"scope": "following", "on": "2026-03-30", "starts_at": "2026-03-23T08:00:00Z"}, 422, "/starts_at",
         "met last at 2026-03-23T08:00:00+00:00; it cannot go on at"),
        ({"scope": "all", "starts_at": "2026-03-17T08:00:00Z"}, 422, "/starts_at", "send the rule it is to follow"),
        ({"scope": "all", "rrule": "FREQ=SECONDLY"}, 422, "/rrule", "FREQ is SECONDLY"),
        ({"scope": "all", "template": "tpl_none"}, 422, "/template", "there is no template tpl_none"),
    ):  # fmt: skip
        problem(await reschedule(standing, series, **body), status, pointer, says)
    other = await series_of(standing)
    first = await reschedule(standing, other, scope="following", on="2026-03-16", minutes=30)
    problem(first, 422, "/scope", "is the first time of this series; with the scope all, all of it is changed.")
    assert await stored(standing, "series") == [*before, other]
    assert (await standing.get(f"/v1/series/{series}"))["version"] == 1


async def test_all_of_a_series_changes_and_a_meeting_already_held_does_not(standing: Office) -> None:
    series = await series_of(standing)
    held = await call(standing, series, MONDAYS[0])
    await hold(standing, held, MONDAYS[0])
    before = await standing.get(f"/v1/meetings/{held}")
    changed = await rescheduled(standing, series, scope="all", name="Weekly", minutes=20, rrule="FREQ=DAILY")
    assert (changed["series"]["name"], changed["series"]["minutes"]) == ("Weekly", 20)
    assert await standing.get(f"/v1/meetings/{held}") == before


@pytest.fixture
def agenda() -> dict[str, Any]:
    return {
        "name": "Weekly",
        "sections": [
            {"name": "Figures", "items": [{"kind": "report", "title": "Pipeline", "minutes": 10, "position": 2},
                                          {"kind": "report", "title": "Revenue", "minutes": 5, "position": 1}]},
            {"name": "People", "items": [{"kind": "question", "title": "Who needs help?", "about": "Ask all"}]},
        ],
    }  # fmt: skip


async def test_a_meeting_begins_with_its_template_and_keeps_what_it_began_with(
    standing: Office, agenda: dict[str, Any]
) -> None:
    template = (await standing.world.made("/v1/templates", agenda))["id"]
    series = await series_of(standing, template=template)
    meeting = await call(standing, series, MONDAYS[0])
    table = (await standing.get(f"/v1/meetings/{meeting}/items"))["items"]
    assert [(each["title"], each["kind"], each["minutes"], each["position"]) for each in table] == [
        ("Revenue", "report", 5, 1), ("Pipeline", "report", 10, 2), ("Who needs help?", "question", None, 3),
    ]  # fmt: skip
    ids = [each["id"] for each in table]
    shown = await standing.get(f"/v1/meetings/{meeting}")
    assert shown["sections"] == [{"name": "Figures", "items": ids[:2]}, {"name": "People", "items": ids[2:]}]
    assert (await standing.get(f"/v1/meetings/{meeting}/agenda"))["minutes_planned"] == 15
    fewer = {"sections": [{"name": "All", "items": [{"kind": "news", "title": "News"}]}]}
    await standing.world.admin.patch(f"/v1/templates/{template}", json=fewer, headers={"If-Match": '"1"'})
    assert (await standing.get(f"/v1/meetings/{meeting}/items"))["items"] == table
    later = await call(standing, series, MONDAYS[1])
    own = [each for each in (await standing.get(f"/v1/meetings/{later}/items"))["items"] if not each["carried"]]
    assert [each["title"] for each in own] == ["News"]
    single = {"name": "Alone", "starts_at": MONDAYS[0], "template": template}
    alone = await standing.world.made("/v1/meetings", single)
    assert len(alone["sections"]) == 1


async def test_a_meeting_called_once_more_by_a_tool_has_its_agenda_once(
    standing: Office, agenda: dict[str, Any]
) -> None:
    template = (await standing.world.made("/v1/templates", agenda))["id"]
    body = {"name": "Board", "starts_at": MONDAYS[0], "template": template}
    for _ in range(2):
        put = await standing.world.admin.put("/v1/meetings/ext:cal:agenda", json=body)
        assert put.status_code in (200, 201), put.text
    assert len((await standing.get(f"/v1/meetings/{put.json()['id']}/items"))["items"]) == 3
    other = (await standing.world.made("/v1/templates", agenda))["id"]
    differs = await standing.world.admin.put("/v1/meetings/ext:cal:agenda", json=body | {"template": other})
    problem(differs, 409, "/template", "A meeting keeps the agenda it was called with")


async def test_a_template_without_sense_is_refused(standing: Office) -> None:
    fifty = [{"kind": "news", "title": "x"}] * 50
    for wrong, pointer, says in (
        ({"name": "x"}, "/sections", ""),
        ({"name": "x", "sections": []}, "/sections", ""),
        ({"name": "x", "sections": [{"name": "a", "items": [{"kind": "song", "title": "x"}]}]},
         "/sections/0/items/0/kind", ""),
        ({"name": "x", "sections": [{"name": "a", "items": fifty}] * 5}, "/sections", "at most 200 items"),
    ):  # fmt: skip
        problem(await standing.world.post("/v1/templates", wrong), 422, pointer, says)
    problem(await standing.weekly(template="tpl_none"), 422, "/template", "there is no template tpl_none")


async def test_a_template_that_is_retired_is_named_by_nothing_new_and_stays_where_it_is(standing: Office) -> None:
    agenda = {"name": "Weekly", "sections": [{"name": "Figures", "items": [{"kind": "report", "title": "Revenue"}]}]}
    template = (await standing.world.made("/v1/templates", agenda))["id"]
    series = await series_of(standing, template=template)
    retired = await standing.world.made(f"/v1/templates/{template}/retire", {"on": "2026-03-20"})
    assert retired["retired_on"] == "2026-03-20"
    says = "was retired on 2026-03-20; name another one, or reinstate it"
    post, patch = standing.world.post, standing.world.admin.patch
    alone = {"name": "Alone", "starts_at": MONDAYS[0], "template": template}
    problem(await post("/v1/meetings", alone), 409, "/template", says)
    problem(await standing.weekly(template=template), 409, "/template", says)
    other = await series_of(standing)
    moved = {"scope": "all", "template": template}
    problem(await post(f"/v1/series/{other}/reschedule", moved), 409, "/template", says)
    problem(await patch(f"/v1/series/{other}", json={"template": template}, headers={"If-Match": "*"}),
            409, "/template", says)  # fmt: skip
    problem(await patch(f"/v1/templates/{template}", json={"name": "X"}, headers={"If-Match": "*"}), 409, "", says)
    problem(await post(f"/v1/templates/{template}/retire", {}), 409, "", says)
    # The series that names it goes on with it.
    assert (await patch(f"/v1/series/{series}", json={"template": template}, headers={"If-Match": "*"})).is_success
    meeting = (await standing.world.made("/v1/meetings", {"series": series, "starts_at": MONDAYS[0]}))["id"]
    table = (await standing.get(f"/v1/meetings/{meeting}/items"))["items"]
    assert "Revenue" in [each["title"] for each in table]
    back = await standing.world.made(f"/v1/templates/{template}/reinstate", {"on": "2026-03-21"})
    assert back["retired_on"] is None
    problem(await post(f"/v1/templates/{template}/reinstate", {}), 409, "", "is not retired")
    assert (await standing.weekly(template=template)).status_code == 201
