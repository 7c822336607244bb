"""What comes back from a calendar program that was sent an invitation: iTIP with METHOD:REPLY (RFC 5546)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

from icalendar import Calendar as Document
from icalendar.error import BrokenCalendarProperty

from services.meetings.calendar.document import DOMAIN
from shared.errors import Fault, Invalid
from shared.instant import read_instant

STATUS: Final[Mapping[str, str]] = {
    "NEEDS-ACTION": "invited", "ACCEPTED": "accepted", "TENTATIVE": "tentative", "DECLINED": "declined",
}  # fmt: skip
MOST: Final = 50
"""How many times of a series are answered at once."""
_FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError, BrokenCalendarProperty)


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody answers: to a meeting, to a series, or to one of its times."""

    kind: str
    """`meeting` or `series`."""
    id: str
    occurrence: datetime | None
    attendee: str
    """The address in small letters."""
    status: str
    revision: int | None
    """Of the invitation that is answered."""
    starts_at: datetime | None
    """When it was to be, by that invitation."""


def read_replies(raw: bytes) -> list[Reply]:
    """The answers in a document. Raises Invalid."""
    with _understood():
        document = Document.from_ical(raw)
        method = str(document.get("method", "")).upper()
    if method != "REPLY":
        raise Invalid(f"METHOD is {method[:20] or 'missing'}; what is taken is METHOD:REPLY.",
                      [Fault("/METHOD", "is REPLY")])  # fmt: skip
    events = document.walk("VEVENT")
    if not 0 < len(events) <= MOST:
        raise Invalid(f"There are {len(events)} events in this reply; there are 1 to {MOST}.")
    return [_reply(each) for each in events]


def _reply(event: Any) -> Reply:
    with _understood():
        uid, said = str(event.get("uid", "")), event.get("attendee")
        several = said if isinstance(said, list) else [said] if said is not None else []
        when, start = event.get("recurrence-id"), event.get("dtstart")
        occurrence, ranged = _moment(when), bool(when is not None and when.params.get("range"))
        revision = int(event["sequence"]) if "sequence" in event else None
        starts_at = _moment(start)
    kind, key = _named(uid)
    if ranged:
        raise _wrong("RECURRENCE-ID", "names one time, or none for all of them; a RANGE is not taken")
    if len(several) != 1:
        raise _wrong("ATTENDEE", f"stands there once, for who answers; here {len(several)} times")
    return Reply(kind, key, occurrence, str(several[0]).strip().lower(), _status(several), revision, starts_at)


def _status(several: Sequence[Any]) -> str:
    said = str(several[0].params.get("PARTSTAT", "NEEDS-ACTION")).upper()
    if said not in STATUS:
        raise _wrong("ATTENDEE", f"PARTSTAT is {said[:20]}; taken are {', '.join(STATUS)}")
    return STATUS[said]


def _named(uid: str) -> tuple[str, str]:
    key, _, domain = uid.partition("@")
    kind = {"mtg": "meeting", "srs": "series"}.get(key.partition("_")[0])
    if kind is None or domain != DOMAIN:
        raise _wrong("UID", f"is that of an invitation from here, of a meeting or a series; not {uid[:60]!r}")
    return kind, key


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    at = value.dt
    if isinstance(at, date) and not isinstance(at, datetime):
        at = datetime.combine(at, time.min, UTC)
    return read_instant(at)


def _wrong(name: str, detail: str) -> Invalid:
    return Invalid(f"{name} {detail}.", [Fault(f"/{name}", detail)])


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except _FAULTS as fault:
        raise Invalid(f"This is no iCalendar document that can be read: {str(fault)[:200]}") from None
