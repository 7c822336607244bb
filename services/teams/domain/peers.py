"""Peer rounds: the members of a team say how they work with each other; nobody can be found among those who said it.

What somebody says stands under a token made from who they are, whom it is about, and a key that only this round has.
When the round closes, what was said of a member becomes one sum, and answers, tokens and key are gone. Whoever does not
want to be rated is not. It is for the member's own development, and never for pay.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar, Final, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.peers import PeerRoundChanged, PeerRoundClosed, PeerRoundOpened, PeersRated
from shared.ids import derived_id
from shared.store import Entity

QUESTIONS: Final = {
    "P1": "Gives me what my work needs from them, in time and complete.",
    "P2": "Says early when something will not work out.",
    "P3": "Helps others before being asked twice.",
}
LEAST, MOST = 1, 5
SMALLEST_TEAM: Final = 6
FEWEST_RATERS: Final = 4
FEWEST_RATED: Final = 4
"""Of fewer rated members the team's average would tell of a single one to the others."""


class TeamTooSmall(Refused):
    """Team {team} has {members} members on {day}; in one of fewer than {smallest} it could be guessed who said what."""

    status, at = 422, "/team"


class RoundClosesBeforeItOpens(Refused):
    """A round that opens on {opens} cannot close on {closes}."""

    status, at = 422, "/closes_on"


class RoundClosesInThePast(Refused):
    """A round that closes on {closes} could not be answered; today is {today}."""

    status, at = 422, "/closes_on"


class RoundIsClosed(Refused):
    """This round closed on {on}; it can be neither answered nor changed any more."""


class RoundNotOpenYet(Refused):
    """This round can be answered from {on} on."""


class NotOfTheRound(Refused):
    """This round is for those who were in team {team} on {day}; {member} was not."""

    status = 403


class RatesThemselves(Refused):
    """Team mates are rated, not oneself."""

    status, at = 422, "/about"


class DoesNotWantToBeRated(Refused):
    """{member} does not want to be rated in this round."""

    at = "/about"


class RatedSoAlready(Refused):
    """You have said exactly so of them already; nothing is counted twice."""


class PeerRound(Entity, table=True):
    """Some weeks in which the members of a team are asked about each other."""

    __tablename__ = "peer_round"
    kind: ClassVar[str] = "peer_round"
    prefix: ClassVar[str] = "peer"
    word: ClassVar[str] = "peer round"

    title: str
    team: str = Field(index=True)
    opens_on: date
    closes_on: date
    """The last day on which it can be answered."""
    status: str = Field(default="open", index=True)
    closed_on: date | None = None
    asked: int | None = None
    rated: int | None = None
    """Of how many members enough was said."""

    @classmethod
    def open(cls, *, department: str, members: int, today: date, **fields: Any) -> tuple[Self, PeerRoundOpened]:
        """Begin to ask a team of so many members."""
        found = cls.make(**fields)
        found._refuse_days(found.closes_on, today)
        if members < SMALLEST_TEAM:
            raise TeamTooSmall(team=found.team, members=members, day=found.opens_on, smallest=SMALLEST_TEAM)
        return found, PeerRoundOpened(
            team=found.team, department=department, opens_on=found.opens_on, closes_on=found.closes_on,
            externals=found.externals,
        )  # fmt: skip

    def change(self, today: date, **fields: Any) -> PeerRoundChanged | None:
        """Ask under another title, or until another day."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        self._refuse_closed(today)
        self._refuse_days(new.get("closes_on", self.closes_on), today)
        for name, value in new.items():
            setattr(self, name, value)
        return PeerRoundChanged(closes_on=self.closes_on)

    def admit(self, member: str, there: Collection[str], today: date) -> None:
        """Refuse whoever was not in the team, and everybody while it cannot be answered."""
        self._refuse_closed(today)
        if today < self.opens_on:
            raise RoundNotOpenYet(on=self.opens_on)
        if member not in there:
            raise NotOfTheRound(team=self.team, day=self.opens_on, member=member)

    def judge(self, rater: str, about: str, there: Collection[str], unwilling: Collection[str], today: date) -> None:
        """Refuse what cannot be said, now, by this member or of this one."""
        self.admit(rater, there, today)
        if about == rater:
            raise RatesThemselves
        if about not in there:
            raise NotOfTheRound(team=self.team, day=self.opens_on, member=about, pointer="/about")
        if about in unwilling:
            raise DoesNotWantToBeRated(member=about)

    def close(self, on: date, asked: int, rated: int) -> PeerRoundClosed | None:
        """Be answered no more."""
        if self.status == "closed":
            return None
        self.status, self.closed_on, self.asked, self.rated = "closed", on, asked, rated
        return PeerRoundClosed(on=on, asked=asked, rated=rated)

    def _refuse_closed(self, today: date) -> None:
        if self.status == "closed" or today > self.closes_on:
            raise RoundIsClosed(on=self.closed_on or self.closes_on)

    def _refuse_days(self, closes_on: date, today: date) -> None:
        if closes_on < self.opens_on:
            raise RoundClosesBeforeItOpens(opens=self.opens_on, closes=closes_on)
        if closes_on < today:
            raise RoundClosesInThePast(closes=closes_on, today=today)


class PeerScore(Entity, table=True):
    """What team mates together say of somebody: told apart from the round, since it is for them and who leads them."""

    __tablename__ = "peer_score"
    kind: ClassVar[str] = "peer_score"
    prefix: ClassVar[str] = "psc"

    round: str
    person: str
    """The token that stands for whom it is about."""

    @classmethod
    def tell(cls, person: str, sums: Mapping[str, int], *, of: PeerRound, on: date) -> tuple[Self, PeersRated]:
        """Say what was said, as one sum."""
        score = cls.make(id=derived_id(cls.prefix, f"{of.id} {person}"), externals={}, round=of.id, person=person)
        return score, PeersRated(round=of.id, team=of.team, person=person, on=on, **sums)


def sums_of(said: Mapping[str, Sequence[Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    """By member what all who rated them say together; nothing where few spoke of a member, or few were rated."""
    known = {about: [sum(each[item] for item in QUESTIONS) for each in answers] for about, answers in said.items()}
    enough = {about: sums for about, sums in sorted(known.items()) if len(sums) >= FEWEST_RATERS}
    if len(enough) < FEWEST_RATED:
        return {}
    return {
        about: {"n": len(sums), "total": sum(sums), "squares": sum(each * each for each in sums)}
        for about, sums in enough.items()
    }
