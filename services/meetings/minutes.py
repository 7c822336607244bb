"""Minutes: what a meeting was, what was on its table and what became of it, as a document to read and to print.

People stand in it by their names where the reader may know them; the names are asked for and kept nowhere here, so that
none outlives its erasure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.meetings.api.meetings import table_of_meeting
from services.meetings.domain.actions import Action
from services.meetings.domain.items import Item
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.outcomes import Outcome
from services.meetings.domain.series import Series
from shared.instant import zone_named
from shared.known import house
from shared.store import Snapshot
from shared.store.sql import OneOf

_HERE: Final = Path(__file__).parent
LABELS: Final = {
    "present": "Present", "excused": "Excused", "accepted": "Accepted", "tentative": "Tentative",
    "declined": "Declined", "invited": "Invited",
}  # fmt: skip
_outcome = Outcome.__table__.c  # type: ignore[attr-defined]
_item, _action = Item.__table__.c, Action.__table__.c  # type: ignore[attr-defined]
_OUTCOMES = sa.select(Outcome).where(_outcome.meeting == sa.bindparam("meeting")).order_by(_outcome.id)
_ACTIONS = sa.select(Action).where(_action.meeting == sa.bindparam("meeting")).order_by(_action.id)
_ITEMS = sa.select(Item).where(OneOf(_item.id, "ids"))
Content = dict[str, Any]


async def content_of(snapshot: Snapshot, meeting: Meeting) -> Content:
    """What the minutes of a meeting say, people by their ids; items are as they were when its day was over."""
    table = await table_of_meeting(snapshot, meeting)
    items = {each.id: each for each in await snapshot.all(Item, _ITEMS, ids=[each["id"] for each in table])}
    shown = {each["id"]: _item_of(items[each["id"]], meeting) for each in table}
    outcomes = await snapshot.all(Outcome, _OUTCOMES, meeting=meeting.id)
    actions = await snapshot.all(Action, _ACTIONS, meeting=meeting.id)
    return {
        "name": meeting.name,
        "day": meeting.on.isoformat(),
        "time": _time_of(meeting, await _zone_of(snapshot, meeting)),
        "kind": meeting.form,
        "status": meeting.status,
        "attendance": _attendance(meeting.attendance),
        "written": meeting.minutes_text,
        "sections": _sections(meeting, shown),
        "outcomes": [{"kind": each.sort, "text": each.text} for each in outcomes if not each.withdrawn],
        "actions": [
            {"title": each.title, "who": [each.owner, *each.helpers], "due": each.due.isoformat()} for each in actions
        ],
        "carried_over": [each["title"] for each in shown.values() if each["open"]],
    }


def people_in(content: Content) -> list[str]:
    """The ids of those whom minutes speak of."""
    ids = {member for _, members in content["attendance"] for member in members}
    ids |= {member for action in content["actions"] for member in action["who"]}
    ids |= {each["presenter"] for section in content["sections"] for each in section["table"] if each["presenter"]}
    return sorted(ids)


def with_names(content: Content, names: Mapping[str, str]) -> Content:
    """Minutes with people by their names; whose name is not known stays an id."""

    def named(ids: Sequence[str]) -> list[str]:
        return [names.get(each, each) for each in ids]

    sections = [
        section | {"table": [
            each | {"presenter": names.get(each["presenter"] or "", each["presenter"])} for each in section["table"]
        ]}
        for section in content["sections"]
    ]  # fmt: skip
    return content | {
        "attendance": [(label, named(members)) for label, members in content["attendance"]],
        "actions": [each | {"who": named(each["who"])} for each in content["actions"]],
        "sections": sections,
    }


def rendered(content: Content, form: str) -> str:
    """Minutes as `html` or as `text`."""
    return _templates().get_template("minutes.html" if form == "html" else "minutes.txt").render(**content)


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _item_of(item: Item, meeting: Meeting) -> Content:
    then = item.as_on(meeting.on) or {"status": "open"}
    open_still = then["status"] == "open"
    if not open_still:
        became = f"resolved on {then['resolved_on']}"
    else:
        became = "carried over" if meeting.status == "ended" else "open"
    answers = [each for each in item.answers if each["on"] <= meeting.on.isoformat()]
    return {
        "kind": item.sort,
        "title": item.title,
        "about": item.about,
        "presenter": item.presenter,
        "answers": answers,
        "became": became,
        "open": open_still and meeting.status == "ended",
        "note": None if open_still else item.note,
    }


def _sections(meeting: Meeting, shown: Mapping[str, Content]) -> list[Content]:
    """Items by the sections that the agenda began with; what was brought up beside comes after."""
    placed = [
        {"name": each["name"], "table": [shown[key] for key in each["items"] if key in shown]}
        for each in meeting.sections
    ]
    named = {key for each in meeting.sections for key in each["items"]}
    more = [item for key, item in shown.items() if key not in named]
    title = "More" if placed and more else ""
    return [each for each in (*placed, {"name": title, "table": more}) if each["table"]]


def _attendance(said: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    by_status = {status: sorted(member for member, each in said.items() if each == status) for status in LABELS}
    return [(LABELS[status], members) for status, members in by_status.items() if members]


async def _zone_of(snapshot: Snapshot, meeting: Meeting) -> str:
    planned = await snapshot.find(Series, meeting.series) if meeting.series else None
    return planned.zone if planned is not None else (await house(snapshot)).zone


def _time_of(meeting: Meeting, zone: str) -> str:
    def clock(at: datetime) -> str:
        return f"{at.astimezone(zone_named(zone)):%H:%M}"

    begun = clock(meeting.started_at or meeting.starts_at)
    if meeting.ended_at is None:
        return f"{begun}, {meeting.minutes} minutes planned ({zone})"
    return f"{begun} to {clock(meeting.ended_at)} ({zone})"
