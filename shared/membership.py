"""Dated belonging: in which team, department or employment somebody was on a day. Spells are half-open, `to` exclusive.

A spell is stored as `{"of": id, "from": day, "to": day or none}`, a list of spells oldest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

Spell = dict[str, Any]


def spell(of: str, start: date, end: date | None = None) -> Spell:
    """Belonging to something from a day on, perhaps until another."""
    return {"of": of, "from": start.isoformat(), "to": end.isoformat() if end else None}


def covers(each: Spell, day: date) -> bool:
    """Whether a spell holds on a day."""
    text = day.isoformat()
    return bool(each["from"] <= text and (each["to"] is None or text < each["to"]))


def on_day(spells: Sequence[Spell], day: date) -> list[str]:
    """To what somebody belonged on a day, in the order of joining."""
    return [str(each["of"]) for each in spells if covers(each, day)]


def latest_on(spells: Sequence[Spell], day: date) -> str | None:
    """What was joined last of that to which somebody belonged on a day."""
    found = on_day(spells, day)
    return found[-1] if found else None


def begun(spells: Sequence[Spell], of: str, start: date) -> list[Spell]:
    """The spells with one more, in order of their beginnings."""
    return sorted([*spells, spell(of, start)], key=lambda each: str(each["from"]))


def ended(spells: Sequence[Spell], end: date, of: str | None = None) -> list[Spell]:
    """The spells with those that last, of one thing or of all, ended on a day; what had not begun by then is gone."""
    day = end.isoformat()
    kept = []
    for each in spells:
        if each["to"] is None and of in (None, each["of"]):
            if each["from"] < day:
                kept.append({**each, "to": day})
        else:
            kept.append(each)
    return kept


def changed(spells: Sequence[Spell], of: str, start: date) -> list[Spell]:
    """The spells when from a day on it is this one thing and no other; what was known of later days stays."""
    day = start.isoformat()
    before = [{**each, "to": min(each["to"] or day, day)} for each in spells if each["from"] < day]
    after = [each for each in spells if each["from"] > day]
    until = after[0]["from"] if after else None
    return [*before, {"of": of, "from": day, "to": until}, *after]
