"""Accomplishments: what a team has achieved in a period that no number tells, shown by something that can be looked at.

Whoever claims one does not verify it, nor does anybody else who is in the team; who leads it may.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, ClassVar, Final, Self

from sqlmodel import Field

from services.targets.domain.lasting import Lasting
from shared.errors import Refused
from shared.events.accomplishments import (
    AccomplishmentChanged,
    AccomplishmentClaimed,
    AccomplishmentDisputed,
    AccomplishmentShown,
    AccomplishmentVerified,
    AccomplishmentWithdrawn,
)  # fmt: skip
from shared.period import Period
from shared.store.types import Json

MOST_PIECES: Final = 10


class OneInAPeriod(Refused):
    """This team claims {id} for {other} already; of what no number tells it has one accomplishment in a period."""

    at = "/period"


class ClaimedBeforeItBegan(Refused):
    """What is accomplished in {period}, from {start} on, cannot be claimed on {on}."""

    status, at = 422, "/on"


class AccomplishmentIs(Refused):
    """This accomplishment is {status}; only one that is {needed} can do that."""


class JudgedBeforeClaimed(Refused):
    """This was claimed on {claimed}; on {on} there was nothing to show or to look at."""

    status, at = 422, "/on"


class ClaimOfAnother(Refused):
    """{by} claims; what a team has accomplished is claimed by who is in it or leads it."""

    at = "/by"


class TooManyPieces(Refused):
    """That makes {pieces} things to look at; {most} are enough to show it, or nothing is."""

    status, at = 422, "/evidence"


class NobodyLooked(Refused):
    """Who has looked at what it is shown by? Without a name nothing is verified."""

    status, at = 422, "/by"


class OwnAccomplishment(Refused):
    """Nobody verifies what they have claimed themselves, not {by} either; somebody else looks at what it is shown
    by."""

    at = "/by"


class OneOfTheTeam(Refused):
    """{by} is in the team whose accomplishment this is; a team does not verify its own, who leads it may."""

    at = "/by"


class NotTheVerifier(Refused):
    """{verifier} is asked to look at what it is shown by, not {by}."""

    at = "/by"


class Accomplishment(Lasting, table=True):
    """What a team has accomplished in a period that no number tells, and by what that is shown."""

    kind: ClassVar[str] = "accomplishment"
    prefix: ClassVar[str] = "acc"
    hidden: ClassVar[frozenset[str]] = frozenset({"label", "starts_on", "ends_on"})

    team: str = Field(index=True)
    title: str
    about: str | None = None
    evidence: list[str] = Field(default_factory=list, sa_type=Json)
    """What can be looked at: a link, a document, a letter of a customer."""
    goal: str | None = None
    verifier: str | None = None
    status: str = "claimed"
    claimed_on: date
    claimed_by: str | None = None
    judged_on: date | None = None
    judged_by: str | None = None
    reason: str | None = None
    """Why it was not found to be shown."""
    withdrawn_on: date | None = None

    @classmethod
    def claim(
        cls,
        *,
        period: Period,
        on: date,
        by: str | None,
        leader: str | None,
        team_mates: Collection[str],
        others: Sequence[Accomplishment],
        **fields: Any,
    ) -> tuple[Self, AccomplishmentClaimed]:
        """Say what a team has accomplished; `team_mates` are in it and do not verify it, `others` are what it has
        claimed before."""
        made = cls.make(label=period.label, starts_on=period.start, ends_on=period.end, claimed_on=on, claimed_by=by,
                        **fields)  # fmt: skip
        if by is not None and by not in (*team_mates, leader):
            raise ClaimOfAnother(by=by)
        if on < period.start:
            raise ClaimedBeforeItBegan(period=period, start=period.start, on=on)
        for each in others:
            if each.status != "withdrawn" and each.starts_on < period.end and each.ends_on > period.start:
                raise OneInAPeriod(id=each.id, other=each.label)
        made._refuse_as_verifier(made.verifier, team_mates, at="/verifier")
        return made, AccomplishmentClaimed(
            team=made.team, period=period, on=on, pieces=len(made.evidence), by=by, goal=made.goal,
            verifier=made.verifier, externals=made.externals,
        )  # fmt: skip

    def change(self, team_mates: Collection[str], **fields: Any) -> AccomplishmentChanged | None:
        """Tell or show it otherwise, as long as nobody has judged it."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        self._refuse_unless("claimed")
        self._refuse_as_verifier(new.get("verifier"), team_mates, at="/verifier")
        for name, value in new.items():
            setattr(self, name, value)
        return AccomplishmentChanged(pieces=len(self.evidence), goal=self.goal, verifier=self.verifier)

    def show(self, evidence: Sequence[str], on: date) -> AccomplishmentShown:
        """Show it by more; what was disputed is a claim again, to be looked at anew."""
        self._refuse_unless("claimed", "disputed")
        if on < self.claimed_on:
            raise JudgedBeforeClaimed(claimed=self.claimed_on, on=on)
        pieces = [*self.evidence, *(each for each in evidence if each not in self.evidence)]
        if len(pieces) > MOST_PIECES:
            raise TooManyPieces(pieces=len(pieces), most=MOST_PIECES)
        self.evidence, self.status = pieces, "claimed"
        self.judged_on = self.judged_by = self.reason = None
        return AccomplishmentShown(pieces=len(pieces), on=on)

    def verify(self, on: date, by: str | None, team_mates: Collection[str]) -> AccomplishmentVerified:
        """Find it shown, as somebody who has not claimed it and is not of the team."""
        by = self._judge("verified", on, by, team_mates)
        return AccomplishmentVerified(on=on, by=by)

    def dispute(self, on: date, by: str | None, team_mates: Collection[str], reason: str) -> AccomplishmentDisputed:
        """Not find it shown, and say why; shown by more it is looked at again."""
        by = self._judge("disputed", on, by, team_mates)
        self.reason = reason
        return AccomplishmentDisputed(on=on, by=by)

    def withdraw(self, on: date) -> AccomplishmentWithdrawn:
        """Claim it no more."""
        self._refuse_unless("claimed", "verified", "disputed")
        self.status, self.withdrawn_on = "withdrawn", on
        return AccomplishmentWithdrawn(on=on)

    def _judge(self, status: str, on: date, by: str | None, team_mates: Collection[str]) -> str:
        self._refuse_unless("claimed")
        if by is None:
            raise NobodyLooked
        if on < self.claimed_on:
            raise JudgedBeforeClaimed(claimed=self.claimed_on, on=on)
        self._refuse_as_verifier(by, team_mates, at="/by")
        if self.verifier not in (None, by):
            raise NotTheVerifier(verifier=self.verifier, by=by)
        self.status, self.judged_on, self.judged_by = status, on, by
        return by

    def _refuse_as_verifier(self, by: str | None, team_mates: Collection[str], at: str) -> None:
        if by is not None and by == self.claimed_by:
            raise OwnAccomplishment(by=by, pointer=at)
        if by in team_mates:
            raise OneOfTheTeam(by=by, pointer=at)

    def _refuse_unless(self, *needed: str) -> None:
        if self.status not in needed:
            raise AccomplishmentIs(status=self.status, needed=" or ".join(needed))
