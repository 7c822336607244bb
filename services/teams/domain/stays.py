"""What is refused about stays in teams and groups, with the days that stand in the way."""

from __future__ import annotations

from shared.errors import Refused
from shared.membership import Spell


class NotStartedYet(Refused):
    """This member starts on {starts_on}; {day} is before that."""


class MemberHasLeft(Refused):
    """This member left on {left}; {day} is not before that."""


class EndsBeforeItBegins(Refused):
    """A stay that begins on {on} cannot end on {end}; the day in to is not included."""

    status, at = 422, "/to"


class AlreadyInTeam(Refused):
    """This member belongs to that team from {since} until {until}; stays in one team do not overlap."""


class AlreadyInGroup(Refused):
    """This member belongs to that group from {since} until {until}; stays in one group do not overlap."""


class NotInTeam(Refused):
    """This member is not in that team on {day}."""


class NotInGroup(Refused):
    """This member is not in that group on {day}."""

    at = "/on"


def until(stay: Spell) -> str:
    """When a stay ends, in words."""
    return str(stay["to"] or "further notice")
