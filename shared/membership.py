"""Dated belonging: in which team, department or employment somebody was on a day.

A spell is stored as `{"of": what, "from": day, "to": day or none}`, `to` exclusive, in lists by beginning. The owner of
members and everybody who keeps facts about them change spells by these functions, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

Spell = dict[str, Any]


def spell(of: Any, start: date, end: date | None = None, **more: str) -> Spell:
    """Belonging to something from a day on, perhaps until another."""
    return {**more, "of": of, "from": start.isoformat(), "to": end.isoformat() if end else None}


def end_of(each: Spell) -> date | None:
    """The first day on which a spell holds no more; none while it lasts."""
    return date.fromisoformat(each["to"]) if each["to"] else None


def covers(each: Spell, day: date) -> bool:
    """Whether a spell holds on a day."""
    text = day.isoformat()
    return bool(each["from"] <= text and (each["to"] is None or text < each["to"]))


def overlaps(each: Spell, start: date, end: date | None) -> bool:
    """Whether a spell holds on any day from `start` up to `end`, which may never come."""
    begins_in_time = end is None or each["from"] < end.isoformat()
    return bool(begins_in_time and (each["to"] is None or start.isoformat() < each["to"]))


def on_day(spells: Sequence[Spell], day: date) -> list[str]:
    """To what somebody belonged on a day, in the order of joining."""
    return [str(each["of"]) for each in spells if covers(each, day)]


def latest_on(spells: Sequence[Spell], day: date) -> str | None:
    """What was joined last of that to which somebody belonged on a day."""
    found = on_day(spells, day)
    return found[-1] if found else None


def held_on(spells: Sequence[Spell], day: date, of: str | None = None) -> Spell | None:
    """The spell that holds on a day, of one thing or of any; the youngest if there are several."""
    return next((each for each in reversed(spells) if covers(each, day) and of in (None, each["of"])), None)


def nearest(spells: Sequence[Spell], day: date) -> Spell | None:
    """The spell that holds on a day, else the last one before it, else the first one after it."""
    begun_by_then = [each for each in spells if each["from"] <= day.isoformat()]
    return held_on(spells, day) or (begun_by_then[-1] if begun_by_then else next(iter(spells), None))


def begun(spells: Sequence[Spell], of: Any, start: date, end: date | None = None, **more: str) -> list[Spell]:
    """The spells with one more, in order of their beginnings."""
    return _sorted([*spells, spell(of, start, end, **more)])


def ended(
    spells: Sequence[Spell], day: date, of: str | None = None, *, until: date | None = None, **alike: str
) -> list[Spell]:
    """The spells without the days from `day` up to `until`; those of other things, or not alike, keep them."""
    kept = []
    for each in spells:
        meant = of in (None, each["of"]) and all(each.get(name) == value for name, value in alike.items())
        if not meant or not overlaps(each, day, until):
            kept.append(each)
            continue
        if each["from"] < day.isoformat():
            kept.append({**each, "to": day.isoformat()})
        if until is not None and (each["to"] is None or until.isoformat() < each["to"]):
            kept.append({**each, "from": until.isoformat()})
    return _sorted(kept)


def uncut(spells: Sequence[Spell], before: Sequence[Spell], day: date, *, together: bool = False) -> list[Spell]:
    """The spells as if all had not been ended on a day: those it cut off end as before, and later ones are back.

    One that was begun since then lasts until one that is back takes its place: of the same thing where somebody may
    belong to several `together`, else whichever comes first.
    """
    text = day.isoformat()
    ends = {(str(each["of"]), each["from"]): each["to"] for each in before if each["from"] < text}
    back = [each for each in before if each["from"] >= text]

    def end(each: Spell) -> str | None:
        known: str | None = ends.get((str(each["of"]), each["from"]))
        replaced = [later["from"] for later in back if not together or later["of"] == each["of"]]
        return min(filter(None, [known, *replaced]), default=None)

    return _sorted([*({**each, "to": end(each)} if each["to"] == text else each for each in spells), *back])


def kept_within(spells: Sequence[Spell], others: Sequence[Spell], name: str) -> list[Spell]:
    """The spells, each until those others end, without a gap, of what it names: a stay in a group with that in its
    team."""
    found = []
    for each in spells:
        last = each["from"]
        for other in others:
            if last is not None and other["of"] == each[name] and other["from"] <= last:
                last = None if other["to"] is None else max(last, other["to"])
        found.append(each if last is None else {**each, "to": min(filter(None, [each["to"], last]))})
    return found


def changed(spells: Sequence[Spell], of: Any, start: date, employments: Sequence[Spell] = ()) -> list[Spell]:
    """The spells when from a day on it is this; only the spell of that day gives way, what else is known stays.

    Neighbours that are alike become one, except where one employment ends and another begins.
    """
    held = held_on(spells, start)
    if held is None or held["of"] == of:
        return list(spells)
    end = end_of(held)
    apart = {each["from"] for each in employments}
    joined: list[Spell] = []
    for each in begun(ended(spells, start, until=end), of, start, end):
        alike = bool(joined) and joined[-1]["of"] == each["of"] and joined[-1]["to"] == each["from"]
        if alike and each["from"] not in apart:
            joined[-1] = {**joined[-1], "to": each["to"]}
        else:
            joined.append(each)
    return joined


def observed(spells: Sequence[Spell], of: Any, start: date) -> list[Spell]:
    """The spells when somebody looked and from a day on it is this; what was found for later days stays, and before the
    first day on which somebody looked nothing is known."""
    if not spells:
        return [spell(of, start)]
    if held_on(spells, start) is None:
        return [spell(of, start, date.fromisoformat(spells[0]["from"])), *spells]
    return changed(spells, of, start)


def _sorted(spells: list[Spell]) -> list[Spell]:
    return sorted(spells, key=lambda each: str(each["from"]))
