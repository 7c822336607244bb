"""Minutes as a document: what a meeting was, for whoever may read it, with names only for those who may know them."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from tests.meetings.office import Office
from tests.meetings.test_series_changes import MONDAYS, call, series_of
from tests.world import client_of, token_headers

NASTY = '<script>alert("x")</script> & Söhne'


async def a_meeting(office: Office) -> str:
    """A meeting with its agenda, held: one item resolved in it, one left, a decision, an action, and who was there."""
    agenda = {"name": "Weekly", "sections": [{"name": "Figures", "items": [{"kind": "report", "title": "Revenue"}]}]}
    template = (await office.world.made("/v1/templates", agenda))["id"]
    series = await series_of(office, template=template)
    meeting = await call(office, series, MONDAYS[0])
    made = office.world.made
    (report,) = (await office.get(f"/v1/meetings/{meeting}/items"))["items"]
    left = {"kind": "problem", "title": NASTY, "meeting": meeting, "presenter": office.ben, "on": "2026-03-16"}
    await made("/v1/items", left | {"about": "Two lines\nof words"})
    await made(f"/v1/meetings/{meeting}/start", {"at": MONDAYS[0]})
    entries = [{"member": each, "status": "invited"} for each in (office.ada, office.ben)]
    await made(f"/v1/meetings/{meeting}/attendance", {"entries": entries})
    entries = [{"member": office.ada, "status": "present"}, {"member": office.ben, "status": "excused"}]
    await made(f"/v1/meetings/{meeting}/attendance", {"entries": entries})
    await made(f"/v1/items/{report['id']}/resolve", {"on": "2026-03-16", "note": "Above plan"})
    await made("/v1/outcomes", {"meeting": meeting, "kind": "decision", "text": "We keep the price"})
    agreed = {"owner": office.ada, "due": "2026-03-20"}
    await made("/v1/outcomes", {"meeting": meeting, "kind": "action", "text": "Call the supplier", "agreed": agreed})
    gone = await made("/v1/outcomes", {"meeting": meeting, "kind": "decision", "text": "Nonsense"})
    await made(f"/v1/outcomes/{gone['id']}/withdraw", {})
    await made(f"/v1/meetings/{meeting}/end", {"at": "2026-03-16T08:40:00Z", "minutes": "A good start."})
    return meeting


async def minutes(office: Office, meeting: str, token: dict[str, str] | None = None, **query: str) -> Any:
    headers = token or dict(office.world.admin.headers)
    async with client_of(office.world.origin, headers) as client:
        return await client.get(f"/v1/meetings/{meeting}/minutes", params=query)


async def test_minutes_say_who_was_there_what_became_of_the_table_what_resulted_and_what_is_left(
    standing: Office,
) -> None:
    meeting = await a_meeting(standing)
    text = await minutes(standing, meeting, format="text")
    assert (text.status_code, text.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert (
        text.text
        == f"""Sales weekly
Minutes of 2026-03-16

Time: 09:00 to 09:40 (Europe/Berlin)
Kind: team
State: ended
Present: Ada
Excused: Ben

NOTES

A good start.

AGENDA

Figures
- Report: Revenue (resolved on 2026-03-16)
  Above plan

More
- Problem: {NASTY}, by Ben (carried over)
  Two lines
  of words

OUTCOMES

- Decision: We keep the price
- Action: Call the supplier

ACTIONS

- Call the supplier (Ada, by 2026-03-20)

CARRIED OVER

- {NASTY}
"""
    )


async def test_the_page_says_the_same_escaped_and_loads_nothing(standing: Office) -> None:
    meeting = await a_meeting(standing)
    page = await minutes(standing, meeting)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert html.escape(NASTY, quote=False).partition("(")[0] in page.text.replace("&#34;", '"')
    assert re.findall(r"(?:src|href|url)\s*[=(]", page.text) == []
    for words in ("Present", "Ada", "Excused", "Ben", "Above plan", "We keep the price", "2026-03-20", "Carried over"):
        assert words in page.text


@pytest.mark.parametrize(
    ("accept", "media"),
    [("text/plain", "text/plain"), ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"), ("*/*", "text/html"),
     ("text/html;q=0.5, text/plain", "text/plain"), ("text/plain;q=x", "text/html")],
)  # fmt: skip
async def test_a_reader_gets_the_form_they_like_better(standing: Office, accept: str, media: str) -> None:
    meeting = (await standing.world.made("/v1/meetings", {"name": "Alone", "starts_at": MONDAYS[0]}))["id"]
    answer = await minutes(standing, meeting, dict(standing.world.admin.headers) | {"accept": accept})
    assert answer.headers["content-type"] == f"{media}; charset=utf-8"
    assert "Nothing was on the table." in answer.text


async def test_what_was_resolved_later_was_still_carried_over_from_the_meeting(standing: Office) -> None:
    meeting = await a_meeting(standing)
    (left,) = [
        each for each in (await standing.get(f"/v1/meetings/{meeting}/items"))["items"] if each["title"] == NASTY
    ]
    before = (await minutes(standing, meeting, format="text")).text
    await standing.world.made(f"/v1/items/{left['id']}/resolve", {"on": "2026-03-18", "note": "Much later"})
    assert (await minutes(standing, meeting, format="text")).text == before


async def test_names_are_for_those_who_may_read_people_and_others_see_ids(standing: Office) -> None:
    meeting = await a_meeting(standing)
    settings = standing.world.settings
    without = await minutes(standing, meeting, token_headers(settings, "meetings:read"), format="text")
    assert (f"Present: {standing.ada}" in without.text, "Ada" in without.text) == (True, False)
    may = token_headers(settings, "meetings:read", "members:read", "people:read")
    assert "Present: Ada" in (await minutes(standing, meeting, may, format="text")).text
    assert (await minutes(standing, meeting, token_headers(settings, "items:read"))).status_code == 403
    assert (await minutes(standing, "mtg_none")).status_code == 404
    assert (await minutes(standing, meeting, format="pdf")).status_code == 422


async def test_the_name_of_somebody_erased_is_in_no_minutes(office: Office) -> None:
    meeting = await a_meeting(office)
    assert "Present: Ada" in (await minutes(office, meeting, format="text")).text
    assert (await office.world.admin.delete(f"/v1/members/{office.ada}/personal-data")).status_code == 204
    for form in ("text", "html"):
        said = (await minutes(office, meeting, format=form)).text
        assert (office.ada in said, "Ada" in said) == (True, False)


async def test_minutes_are_read_with_ids_while_teams_does_not_answer(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = await a_meeting(office)
    neighbours = office.world.services["meetings"].runtime.extras["neighbours"]
    monkeypatch.setattr(neighbours, "_apps", {})
    monkeypatch.setattr(neighbours, "_clients", {})
    said = await minutes(office, meeting, format="text")
    assert (said.status_code, f"Present: {office.ada}" in said.text) == (200, True)
