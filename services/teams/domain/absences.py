"""Absences: days on which a member does not work, or works less. Why, is between them and the personnel office."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from services.teams.domain.members import Member, MemberIsErased
from services.teams.domain.stays import MemberHasLeft
from shared.errors import Refused
from shared.events.teams import AbsenceCancelled, AbsenceNoted
from shared.membership import end_of
from shared.store import Entity


class AbsenceEndsBeforeItBegins(Refused):
    """An absence that begins on {on} cannot end on {end}; the day in to is not included."""

    status, at = 422, "/to"


class AbsentAlready(Refused):
    """This member is away from {since} until {until} already; absences of one member do not overlap."""

    at = "/from"


class AbsenceIsCancelled(Refused):
    """This absence was cancelled; note another one."""


class Absence(Entity, table=True):
    """Days on which a member does not work, or works less."""

    kind: ClassVar[str] = "absence"
    prefix: ClassVar[str] = "abs"
    shown_as: ClassVar[dict[str, str]] = {"starts_on": "from", "ends_on": "to", "because": "kind"}

    member: str = Field(index=True)
    starts_on: date
    ends_on: date | None = None
    """The first day after it; none while that is not known."""
    share: str = "1"
    """How much of the working time they are away."""
    because: str | None = None
    """Sick, on holiday, on parental leave: never told to anybody else."""
    cancelled: bool = False

    @classmethod
    def note(
        cls,
        member: Member,
        others: list[Absence],
        *,
        start: date,
        end: date | None = None,
        share: str = "1",
        because: str | None = None,
        **identity: Any,
    ) -> tuple[Self, AbsenceNoted]:
        """Somebody is away from a day on, until another."""
        absence = cls.make(member=member.id, starts_on=start, **identity)
        return absence, absence._say(member, others, start=start, end=end, share=share, because=because)

    def change(self, member: Member, others: list[Absence], **fields: Any) -> AbsenceNoted | None:
        """Other days, another share or another reason."""
        if self.cancelled:
            raise AbsenceIsCancelled
        now = {"start": self.starts_on, "end": self.ends_on, "share": self.share, "because": self.because}
        return self._say(member, others, **(now | fields)) if now | fields != now else None

    def cancel(self) -> AbsenceCancelled | None:
        """It did not come about."""
        if self.cancelled:
            return None
        self.cancelled = True
        return AbsenceCancelled()

    def forget(self) -> AbsenceNoted | AbsenceCancelled | None:
        """Forget why somebody was away, and keep the days."""
        if self.because is None:
            return None
        self.because = None
        return AbsenceCancelled() if self.cancelled else self._noted()

    def _say(
        self,
        member: Member,
        others: list[Absence],
        *,
        start: date,
        end: date | None,
        share: str,
        because: str | None,
    ) -> AbsenceNoted:
        if because and member.erased:
            raise MemberIsErased(pointer="/kind")
        employed_until = end_of(member.employment(start, "/from"))
        if end is not None and end <= start:
            raise AbsenceEndsBeforeItBegins(on=start, end=end)
        if end is not None and employed_until is not None and end > employed_until:
            raise MemberHasLeft(left=employed_until, day=end, pointer="/to")
        for each in others:
            if each.id != self.id and not each.cancelled and each._meets(start, end):
                raise AbsentAlready(since=each.starts_on, until=each.ends_on or "further notice")
        self.starts_on, self.ends_on, self.share, self.because = start, end, share, because
        return self._noted()

    def _meets(self, start: date, end: date | None) -> bool:
        return (end is None or self.starts_on < end) and (self.ends_on is None or start < self.ends_on)

    def _noted(self) -> AbsenceNoted:
        return AbsenceNoted(
            member=self.member, on=self.starts_on, until=self.ends_on, share=self.share, externals=self.externals
        )
