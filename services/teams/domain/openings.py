"""Openings: a department needs somebody, is allowed to look, and finds them."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.workplace import (
    OpeningApproved,
    OpeningChanged,
    OpeningFilled,
    OpeningReopened,
    OpeningRequested,
    OpeningWithdrawn,
)  # fmt: skip
from shared.membership import Spell
from shared.store import Entity
from shared.store.types import Json


class OpeningIs(Refused):
    """This opening is {status}; only one that is {needed} can do that."""


class OwnOpening(Refused):
    """Nobody approves what they have requested themselves; another one has to."""


class OpeningBeforeRequest(Refused):
    """This opening was requested on {requested}; that cannot have happened on {on}."""

    status, at = 422, "/on"


class NeededBeforeRequest(Refused):
    """What is requested on {on} cannot be needed by {needed}."""

    status, at = 422, "/needed_on"


class FilledByAnOldHand(Refused):
    """This member works here since {since}; an opening of {requested} is filled by somebody who starts then or later,
    or who changes into its department."""

    at = "/member"


class FillsAnother(Refused):
    """This member fills the opening {opening} already."""

    at = "/member"


class Opening(Entity, table=True):
    """A position that is to be filled."""

    kind: ClassVar[str] = "opening"
    prefix: ClassVar[str] = "opn"
    hidden: ClassVar[frozenset[str]] = frozenset({"spells"})

    title: str
    job: str | None = None
    department: str = Field(index=True)
    team: str | None = Field(default=None, index=True)
    reason: str | None = None
    """Why it is needed: never told to other services."""
    requested_by: str | None = None
    requested_on: date
    needed_on: date | None = None
    status: str = Field(default="requested", index=True)
    approved_by: str | None = None
    approved_on: date | None = None
    filled_by: str | None = Field(default=None, index=True)
    filled_on: date | None = None
    withdrawn_on: date | None = None
    spells: list[Spell] = Field(default_factory=list, sa_type=Json)
    """When it was open: `of` is what ended it, once that has happened."""

    @classmethod
    def request(cls, *, on: date, needed_on: date | None = None, **fields: Any) -> tuple[Self, OpeningRequested]:
        """Ask for somebody."""
        _refuse_needed_before(on, needed_on)
        spells = [{"of": None, "from": on.isoformat(), "to": None}]
        opening = cls.make(requested_on=on, needed_on=needed_on, spells=spells, **fields)
        return opening, OpeningRequested(
            department=opening.department, on=on, job=opening.job, team=opening.team, needed_on=needed_on,
            externals=opening.externals,
        )  # fmt: skip

    def change(self, **fields: Any) -> OpeningChanged | None:
        """Describe it differently while it is to be filled."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        self._refuse_unless("requested", "approved")
        _refuse_needed_before(self.requested_on, new.get("needed_on", self.needed_on))
        for name, value in new.items():
            setattr(self, name, value)
        return OpeningChanged(job=self.job, team=self.team, needed_on=self.needed_on)

    def approve(self, on: date, by: str | None) -> OpeningApproved:
        """Agree that it may be filled; not by who has requested it."""
        self._refuse_unless("requested")
        self._refuse_before(on)
        if by is not None and by == self.requested_by:
            raise OwnOpening
        self.status, self.approved_on, self.approved_by = "approved", on, by
        return OpeningApproved(on=on)

    def fill(self, member: str, came_on: date, others: list[Opening], on: date) -> OpeningFilled:
        """Find somebody; `came_on` is when they came to the department, `others` what else they fill."""
        self._refuse_unless("approved")
        self._refuse_before(on)
        for other in others:
            raise FillsAnother(opening=other.id)
        if came_on < self.requested_on:
            raise FilledByAnOldHand(since=came_on, requested=self.requested_on)
        began = date.fromisoformat(self.spells[-1]["from"])
        self.status, self.filled_by, self.filled_on = "filled", member, on
        self._end("filled", on)
        return OpeningFilled(member=member, on=on, days=(on - began).days)

    def withdraw(self, on: date) -> OpeningWithdrawn:
        """Not look any more."""
        self._refuse_unless("requested", "approved")
        self._refuse_before(on)
        self.status, self.withdrawn_on = "withdrawn", on
        self._end("withdrawn", on)
        return OpeningWithdrawn(on=on)

    def reopen(self, on: date) -> OpeningReopened:
        """Look again: who was found did not come, or it is needed after all."""
        self._refuse_unless("filled", "withdrawn")
        self._refuse_before(on)
        self.status = "approved" if self.approved_on else "requested"
        self.filled_by = self.filled_on = self.withdrawn_on = None
        self.spells = [*self.spells, {"of": None, "from": on.isoformat(), "to": None}]
        return OpeningReopened(on=on)

    def as_on(self, day: date) -> dict[str, Any] | None:
        """What it was at the end of a day; none when it was not requested yet."""
        if day < self.requested_on:
            return None
        then = [each for each in self.spells if each["from"] <= day.isoformat()][-1]
        if then["to"] is not None and then["to"] <= day.isoformat():
            return {"status": then["of"]}
        approved = self.approved_on is not None and self.approved_on <= day
        gone = {"filled_by": None, "filled_on": None, "withdrawn_on": None}
        return gone | {"status": "approved" if approved else "requested"}

    def _end(self, how: str, on: date) -> None:
        self.spells = [*self.spells[:-1], {**self.spells[-1], "of": how, "to": on.isoformat()}]

    def _refuse_unless(self, *needed: str) -> None:
        if self.status not in needed:
            raise OpeningIs(status=self.status, needed=" or ".join(needed))

    def _refuse_before(self, on: date) -> None:
        last = self.spells[-1]
        latest = date.fromisoformat(last["to"] or last["from"])
        if on < latest:
            raise OpeningBeforeRequest(requested=latest, on=on)


def _refuse_needed_before(on: date, needed: date | None) -> None:
    if needed is not None and needed < on:
        raise NeededBeforeRequest(on=on, needed=needed)
