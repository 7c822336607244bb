"""A meeting as an invitation (iTIP, RFC 5546): who asks, who is asked, and what each has answered.

Its UID is the meeting's own, whatever becomes of its series, and it rises in SEQUENCE when the meeting becomes another,
not when somebody answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from icalendar import Event, vCalAddress

from services.meetings.calendar.document import Recorded, begun, by_itself, written
from services.meetings.domain.meetings import Meeting

PARTSTAT: Final[Mapping[str, str]] = {
    "invited": "NEEDS-ACTION", "accepted": "ACCEPTED", "tentative": "TENTATIVE", "declined": "DECLINED",
    "present": "ACCEPTED", "excused": "DECLINED",
}  # fmt: skip
BY_ID: Final = "urn:x-concert:"
"""What the address of somebody begins with who cannot be written to."""


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody in an invitation, by name and address as far as these may be told."""

    name: str | None = None
    email: str | None = None
    member: str | None = None

    def address(self) -> vCalAddress:
        """The calendar address: to write to, or else the member by their id."""
        address = vCalAddress(f"mailto:{self.email}" if self.email else f"{BY_ID}{self.member}")
        address.params["CN"] = self.name or self.email or self.member or ""
        return address


@dataclass(frozen=True, slots=True)
class Invitation:
    """A meeting with who asks for it and who is asked, each with what is noted of them."""

    meeting: Meeting
    recorded: Recorded
    zone: str
    organizer: Party
    asked: Sequence[tuple[Party, str]]

    @property
    def method(self) -> str:
        """What is asked of those who get it: to come, or to forget it."""
        return "CANCEL" if self.meeting.status == "cancelled" else "REQUEST"

    def document(self, today: date) -> bytes:
        """The invitation as it is sent."""
        document = begun()
        document.add("method", self.method)
        return written(document, [self._event()], {self.zone}, today)

    def _event(self) -> Event:
        event = by_itself(self.meeting, self.recorded, self.zone)
        ask(event, self.organizer, self.asked, self.method)
        return event


def ask(event: Event, organizer: Party, asked: Sequence[tuple[Party, str]], method: str) -> None:
    """Say in an event who asks and who is asked, each with what is noted of them."""
    event.add("organizer", organizer.address())
    for party, status in asked:
        attendee = party.address()
        attendee.params["CUTYPE"], attendee.params["ROLE"] = "INDIVIDUAL", "REQ-PARTICIPANT"
        attendee.params["PARTSTAT"] = PARTSTAT[status]
        if method == "REQUEST":
            attendee.params["RSVP"] = "TRUE"
        event.add("attendee", attendee)
