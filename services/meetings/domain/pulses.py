"""Pulses: a team, a department or the organisation is asked how it goes; nobody can be found in the answers.

What somebody answers stands under a token made from who they are and a key that only this pulse has. When the pulse
closes, its answers become sums, and answers, tokens and key are gone (`docs/decisions/0012`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar, Final, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.pulses import PulseChanged, PulseClosed, PulseOpened
from shared.store import Entity
from shared.store.types import Json

COMMUNICATION: Final = {
    "C1": "What I needed from others reached me in time.",
    "C2": "It was correct and complete.",
    "C3": "The amount was right, neither too little nor too much.",
    "C4": "When something went wrong we looked for the fix, not for the culprit.",
}
COOPERATION: Final = {
    "T1": "We pull towards the same targets.",
    "T2": "Others know what my work needs from them.",
    "T3": "My work is respected.",
    "T4": "People here help before they are asked twice.",
}
INFLUENCE: Final = {
    "I1": "How much say does management have in how we work?",
    "I2": "How much say do team leaders have in how we work?",
    "I3": "How much say do members have in how we work?",
}
ENPS: Final = "enps"
QUESTIONS: Final[Mapping[str, str]] = {
    **COMMUNICATION, **COOPERATION, **INFLUENCE, ENPS: "How likely are you to recommend working here to a friend?",
}  # fmt: skip
SCALES: Final[Mapping[str, Sequence[str]]] = {"communication": tuple(COMMUNICATION), "cooperation": tuple(COOPERATION)}
FEWEST_INSIDE: Final = 4
FEWEST_OUTSIDE: Final = 5
FEWEST_FOR_ENPS: Final = 10
LEAST_RESPONSE: Final = 60
"""Of a hundred who are asked."""


class TooFewAreAsked(Refused):
    """{whom} has {asked} members on {day}; of fewer than {fewest} answers nothing could ever be shown."""

    status = 422


class ClosesBeforeItOpens(Refused):
    """A pulse that opens on {opens} cannot close on {closes}."""

    status, at = 422, "/closes_on"


class ClosesInThePast(Refused):
    """A pulse that closes on {closes} could not be answered; today is {today}."""

    status, at = 422, "/closes_on"


class PulseIsClosed(Refused):
    """This pulse closed on {on}; it can be neither answered nor changed any more."""


class NotOpenYet(Refused):
    """This pulse can be answered from {on} on."""


class NotAsked(Refused):
    """This pulse asks those who belonged to {whom} on {day}; you did not."""

    status = 403


class ItemNotAsked(Refused):
    """This pulse does not ask {item}; it asks {items}."""

    status = 422


class OutOfRange(Refused):
    """{item} is answered from {least} to {most}; not by {answer}."""

    status = 422


class AnsweredSoAlready(Refused):
    """You have answered exactly so already; nothing is counted twice."""


class Pulse(Entity, table=True):
    """A few questions to many, answered without a name."""

    kind: ClassVar[str] = "pulse"
    prefix: ClassVar[str] = "pls"
    hidden: ClassVar[frozenset[str]] = frozenset({"sums", "enps", "asked", "answered"})

    title: str
    level: str
    team: str | None = Field(default=None, index=True)
    department: str | None = Field(default=None, index=True)
    """Which is asked, or whose the team is."""
    items: list[str] = Field(default_factory=list, sa_type=Json)
    opens_on: date
    closes_on: date
    """The last day on which it can be answered."""
    status: str = Field(default="open", index=True)
    closed_on: date | None = None
    asked: int | None = None
    answered: int | None = None
    sums: dict[str, dict[str, int]] = Field(default_factory=dict, sa_type=Json)
    enps: dict[str, int] = Field(default_factory=dict, sa_type=Json)

    @property
    def whom(self) -> str:
        """Who is asked, in words."""
        return {"team": f"team {self.team}", "department": f"department {self.department}"}.get(
            self.level, "the organisation"
        )

    @classmethod
    def open(cls, *, today: date, asked: int, **fields: Any) -> tuple[Self, PulseOpened]:
        """Begin to ask."""
        pulse = cls.make(**fields)
        if pulse.closes_on < pulse.opens_on:
            raise ClosesBeforeItOpens(opens=pulse.opens_on, closes=pulse.closes_on)
        if pulse.closes_on < today:
            raise ClosesInThePast(closes=pulse.closes_on, today=today)
        if asked < FEWEST_INSIDE:
            raise TooFewAreAsked(whom=pulse.whom, asked=asked, day=pulse.opens_on, fewest=FEWEST_INSIDE)
        return pulse, PulseOpened(
            level=pulse.level, opens_on=pulse.opens_on, closes_on=pulse.closes_on, items=tuple(pulse.items),
            team=pulse.team, department=pulse.department, externals=pulse.externals,
        )  # fmt: skip

    def change(self, today: date, **fields: Any) -> PulseChanged | None:
        """Ask under another title, or until another day."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        self._refuse_closed(today)
        closes_on = new.get("closes_on", self.closes_on)
        if closes_on < self.opens_on:
            raise ClosesBeforeItOpens(opens=self.opens_on, closes=closes_on)
        if closes_on < today:
            raise ClosesInThePast(closes=closes_on, today=today)
        for name, value in new.items():
            setattr(self, name, value)
        return PulseChanged(closes_on=self.closes_on)

    def judge(self, answers: Mapping[str, int], *, today: date, belongs: bool) -> None:
        """Refuse what cannot be answered, now or by this member."""
        self._refuse_closed(today)
        if today < self.opens_on:
            raise NotOpenYet(on=self.opens_on)
        if not belongs:
            raise NotAsked(whom=self.whom, day=self.opens_on)
        for item, answer in answers.items():
            if item not in self.items:
                raise ItemNotAsked(item=item, items=", ".join(self.items), pointer=f"/answers/{item}")
            least, most = bounds_of(item)
            if not least <= answer <= most:
                raise OutOfRange(item=item, least=least, most=most, answer=answer, pointer=f"/answers/{item}")

    def close(self, on: date, asked: int, answers: Sequence[Mapping[str, int]]) -> PulseClosed | None:
        """Make sums of the answers; of too few nothing is kept."""
        if self.status == "closed":
            return None
        self.status, self.closed_on = "closed", on
        # Somebody may have been found since to have belonged elsewhere; who has answered was asked.
        self.asked, self.answered = max(asked, len(answers)), len(answers)
        if enough(self.answered, self.asked, FEWEST_INSIDE):
            self.sums, self.enps = sums_of(self.items, answers), enps_of(answers)
        return PulseClosed(on=on, asked=self.asked, answered=self.answered, sums=self.sums, **self.enps)

    def _refuse_closed(self, today: date) -> None:
        if self.status == "closed" or today > self.closes_on:
            raise PulseIsClosed(on=self.closed_on or self.closes_on)


def bounds_of(item: str) -> tuple[int, int]:
    """The least and the most that an item can be answered by."""
    return (0, 10) if item == ENPS else (1, 5)


def enough(answered: int, asked: int, fewest: int) -> bool:
    """Whether so many answered that nobody can be found among them."""
    return answered >= fewest and answered * 100 >= asked * LEAST_RESPONSE


def sums_of(items: Iterable[str], answers: Sequence[Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """What all answers together say of each item, and of each scale those who answered all its items."""
    groups: dict[str, list[int]] = {
        item: [each[item] for each in answers if item in each] for item in items if item != ENPS
    }
    for scale, of in SCALES.items():
        groups[scale] = [sum(each[item] for item in of) for each in answers if all(item in each for item in of)]
    return {
        name: {"n": len(found), "total": sum(found), "squares": sum(each * each for each in found)}
        for name, found in groups.items()
        if len(found) >= FEWEST_INSIDE
    }


def enps_of(answers: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """How many would recommend us, how many would not, and who is in between; nothing of few."""
    given = [each[ENPS] for each in answers if ENPS in each]
    if len(given) < FEWEST_FOR_ENPS:
        return {}
    promoters, detractors = sum(each >= 9 for each in given), sum(each <= 6 for each in given)
    return {"promoters": promoters, "passives": len(given) - promoters - detractors, "detractors": detractors}
