"""Setbacks: rejection, a lost deal, mistreatment or a complaint; private, and followed up until it is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, ClassVar, Final, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.support import SetbackChanged, SetbackClosed, SetbackFollowedUp, SetbackReported, SetbackShared
from shared.store import Entity
from shared.store.types import Json, Moment

OPTIONS: Final = ("accompany", "reassign", "pause", "escalate", "close_account")
"""What can be done about a setback."""


class SetbackIsClosed(Refused):
    """This setback was closed on {on}."""


class FollowedUpBefore(Refused):
    """This happened on {happened}; it cannot be followed up, or closed, by {on}."""

    status, at = 422, "/due"


class NoSuchFollowUp(Refused):
    """This setback has no follow-up {follow_up} that is still to be done; it has {known}."""

    status, at = 422, "/follow_up"


class StillToDo(Refused):
    """{count} follow-ups are still to be done ({known}); a setback is closed when they are, or with outcome and
    regardless."""

    at = "/regardless"


class ConsentIsTheirs(Refused):
    """Who may read of a setback is decided by whose it is, and by nobody else."""

    at = "/readers"


class NotAReader(Refused):
    """{owner} may not read of this; whose setback it is has to let them first."""

    at = "/owner"


class Setback(Entity, table=True):
    """Something that happened to somebody, and what is done about it."""

    kind: ClassVar[str] = "setback"
    prefix: ClassVar[str] = "stb"
    shown_as: ClassVar[dict[str, str]] = {"sort": "kind"}

    member: str = Field(index=True)
    customer: str | None = Field(default=None, index=True)
    colleague: str | None = None
    sort: str
    severity: int
    note: str | None = None
    at: datetime = Field(sa_type=Moment)
    on: date
    """Its day in the organisation's time zone."""
    reported_by: str | None = Field(default=None, index=True)
    readers: list[str] = Field(default_factory=list, sa_type=Json)
    status: str = Field(default="open", index=True)
    follow_ups: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """`{"follow_up", "option", "owner", "due", "note", "done_on"}`, in the order in which they were agreed."""
    closed_on: date | None = None
    outcome: str | None = None

    @classmethod
    def report(cls, person: str, *, department: str, team: str | None, **fields: Any) -> tuple[Self, SetbackReported]:
        """Note what happened to somebody; `person` is the token that stands for them in events."""
        setback = cls.make(**fields)
        return setback, SetbackReported(
            person=person, department=department, team=team, externals=setback.externals, **setback._told()
        )

    def change(self, **fields: Any) -> SetbackChanged | None:
        """Describe it differently."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        self._refuse_if_closed()
        for name, value in new.items():
            setattr(self, name, value)
        return SetbackChanged(**self._told())

    def share(self, readers: Sequence[str], by: str | None) -> SetbackShared | None:
        """Let others read of it, and nobody else; only whose it is decides that. What was to be done by who may not
        read of it any more is for nobody in particular."""
        if by not in (None, self.member):
            raise ConsentIsTheirs
        if sorted(set(readers)) == self.readers:
            return None
        self._let_read(readers)
        return SetbackShared()

    def follow_up(self, option: str, owner: str | None, due: date, note: str | None) -> SetbackFollowedUp:
        """Agree what is done about it, by whom and by when."""
        self._refuse_if_closed()
        if due < self.on:
            raise FollowedUpBefore(happened=self.on, on=due)
        if owner is not None and not self._reads(owner):
            raise NotAReader(owner=owner)
        agreed = {"follow_up": f"follow-up-{len(self.follow_ups) + 1}", "option": option, "owner": owner,
                  "due": due.isoformat(), "note": note, "done_on": None}  # fmt: skip
        self.follow_ups = [*self.follow_ups, agreed]
        return SetbackFollowedUp(option=option, due=due)

    def done(self, follow_up: str, on: date, note: str | None) -> SetbackFollowedUp:
        """Have done what was agreed."""
        self._refuse_if_closed()
        found = next((each for each in self._to_do() if each["follow_up"] == follow_up), None)
        if found is None:
            known = ", ".join(each["follow_up"] for each in self._to_do()) or "none"
            raise NoSuchFollowUp(follow_up=follow_up, known=known)
        if on < self.on:
            raise FollowedUpBefore(happened=self.on, on=on, pointer="/on")
        changed = found | {"done_on": on.isoformat()} | ({"note": note} if note else {})
        self.follow_ups = [changed if each is found else each for each in self.follow_ups]
        return SetbackFollowedUp(option=found["option"], due=date.fromisoformat(found["due"]), done_on=on)

    def close(self, on: date, outcome: str | None, *, regardless: bool) -> SetbackClosed:
        """Be over: what was agreed is done, or it is said that it need not be."""
        self._refuse_if_closed()
        if on < self.on:
            raise FollowedUpBefore(happened=self.on, on=on, pointer="/on")
        left = self._to_do()
        if left and not (regardless and outcome):
            raise StillToDo(count=len(left), known=", ".join(each["follow_up"] for each in left))
        self.status, self.closed_on, self.outcome = "closed", on, outcome
        return SetbackClosed(on=on)

    def forget(self, member: str) -> SetbackShared | SetbackChanged | None:
        """Forget what was said of it, if it is theirs, or that they might read of it."""
        if member == self.member:
            blank = [each | {"note": None} for each in self.follow_ups]
            if (self.note, self.outcome, self.readers, self.follow_ups) == (None, None, [], blank):
                return None
            self.note, self.outcome, self.readers, self.follow_ups = None, None, [], blank
            return SetbackChanged(**self._told())
        self._let_read([each for each in self.readers if each != member])
        return SetbackShared()

    def overdue(self, day: date) -> bool:
        """Whether something that was agreed should have been done before a day, and is not."""
        return self.closed_on is None and any(each["due"] < day.isoformat() for each in self._to_do())

    def _let_read(self, readers: Sequence[str]) -> None:
        self.readers = sorted(set(readers))
        self.follow_ups = [
            each if each["done_on"] or self._reads(each["owner"]) else each | {"owner": None}
            for each in self.follow_ups
        ]

    def _reads(self, member: str | None) -> bool:
        return member in (self.member, self.reported_by, *self.readers)

    def _to_do(self) -> list[dict[str, Any]]:
        return [each for each in self.follow_ups if each["done_on"] is None]

    def _told(self) -> dict[str, Any]:
        return {"kind": self.sort, "severity": self.severity, "on": self.on, "customer": self.customer}

    def _refuse_if_closed(self) -> None:
        if self.closed_on is not None:
            raise SetbackIsClosed(on=self.closed_on)
