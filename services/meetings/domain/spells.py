"""From when until when something was open: the days on which it was opened, and those on which it was closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from shared.errors import Refused


class ClosedBeforeOpened(Refused):
    """This was opened on {opened}; it cannot be closed on {on}."""

    status, at = 422, "/on"


class ReopenedBeforeClosed(Refused):
    """This was closed on {closed}; it cannot be reopened on {on}."""

    status, at = 422, "/on"


def open_after(day: date, opened: Sequence[str], closed: Sequence[str]) -> bool:
    """Whether something was open when a day was over."""
    text = day.isoformat()
    return sum(each <= text for each in opened) > sum(each <= text for each in closed)


def open_on(day: date, opened: Sequence[str], closed: Sequence[str]) -> bool:
    """Whether something was open at some time of a day."""
    text = day.isoformat()
    return text in opened or sum(each < text for each in opened) > sum(each < text for each in closed)


def begin(opened: Sequence[str], closed: Sequence[str], on: date) -> list[str]:
    """The days on which something was opened, when the first of them was another."""
    if closed and closed[0] < on.isoformat():
        raise ClosedBeforeOpened(opened=on, on=closed[0])
    return [on.isoformat(), *opened[1:]]


def close(opened: Sequence[str], closed: Sequence[str], on: date) -> list[str]:
    """The days on which something was closed, with one more."""
    if on.isoformat() < opened[-1]:
        raise ClosedBeforeOpened(opened=opened[-1], on=on)
    return [*closed, on.isoformat()]


def reopen(opened: Sequence[str], closed: Sequence[str], on: date) -> list[str]:
    """The days on which something was opened, with one more."""
    if on.isoformat() < closed[-1]:
        raise ReopenedBeforeClosed(closed=closed[-1], on=on)
    return [*opened, on.isoformat()]
