"""What a review is computed from: the facts of a team's work in a period, in plain words and without a store.

Whoever reads facts of a store fills these. The order of what is in them plays no part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import ClassVar

from services.metrics.review.measure import Asked, Recommended, State, Survey
from shared.contribution import WEIGHTS

Spell = tuple[date, date | None]


def covers_day(spell: Spell, day: date) -> bool:
    """Whether a day lies in a spell."""
    return spell[0] <= day and (spell[1] is None or day < spell[1])


def _days(spell: Spell, start: date, end: date) -> range:
    """The days of a period that lie in a spell, by their number."""
    until = end if spell[1] is None else min(end, spell[1])
    return range(max(start, spell[0]).toordinal(), until.toordinal())


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something that events speak of."""

    kind: ClassVar[str]
    id: str

    @property
    def subject(self) -> str:
        """The name under which they do."""
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of the team, or somebody the team works with."""

    id: str
    department: str
    starts_on: date | None = None
    spells: tuple[Spell, ...] = ()
    """When they were in the team, within the period."""
    away: tuple[Spell, ...] = ()

    def away_on(self, day: date) -> bool:
        """Whether they did not work on a day."""
        return any(covers_day(each, day) for each in self.away)

    def works_on(self, day: date) -> bool:
        """Whether a day is a working day of theirs: from Monday to Friday, and not away."""
        return day.weekday() < 5 and not self.away_on(day)

    def days_present(self, start: date, end: date) -> int:
        """On how many days of a period they were in the team and not away."""
        there = set[int]().union(*(_days(each, start, end) for each in self.spells))
        return len(there.difference(*(_days(each, start, end) for each in self.away)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting(Thing):
    """A meeting that was held."""

    kind: ClassVar[str] = "meeting"
    on: date
    minutes: int = 0
    invited: frozenset[str] = frozenset()
    attended: frozenset[str] = frozenset()
    excused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Thing):
    """Something a member of the team put on a table."""

    kind: ClassVar[str] = "item"
    raised_by: str | None
    raised_on: date
    about: str | None = None
    """The department it is addressed to."""
    resolved_on: date | None = None
    """None where it was reopened."""
    resolved_by: tuple[str, ...] = ()
    meeting: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Thing):
    """Something that was agreed on in a meeting."""

    kind: ClassVar[str] = "action"
    owner: str
    due: date
    helpers: tuple[str, ...] = ()
    agreed_on: date | None = None
    done_on: date | None = None
    goal: str | None = None
    meeting: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Thing):
    """Something that was asked of a department or of one of its members."""

    kind: ClassVar[str] = "request"
    asked_on: date
    from_department: str
    to_department: str
    from_member: str | None = None
    to_member: str | None = None
    promised_by: date | None = None
    resolved_on: date | None = None
    on_time: bool | None = None
    reopened: bool = False

    @property
    def answered(self) -> float:
        """What the answer counts: 1 on time, a half late, nothing where it is not answered or was reopened."""
        if self.resolved_on is None or self.reopened:
            return 0.0
        return 0.5 if self.on_time is False else 1.0

    def due_by(self, day: date) -> bool:
        """Whether it should be answered by a day, or is."""
        return self.resolved_on is not None or (self.promised_by or self.asked_on) <= day


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn(Thing):
    """Somebody turned to somebody: to offer help, to ask, to tell."""

    kind: ClassVar[str] = "check_in"
    giver: str
    receiver: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty(Thing):
    """Something a member was to do."""

    kind: ClassVar[str] = "duty"
    owner: str | None
    assigned_on: date
    due: date | None = None
    done_on: date | None = None
    accepted_on: date | None = None
    goal: str | None = None
    receiver: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Training(Thing):
    """A member and a course."""

    kind: ClassVar[str] = "training"
    member: str
    teamwork: bool
    assigned_on: date
    completed_on: date | None = None
    passed: bool | None = None
    """None where no check is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback(Thing):
    """Something that went against a member, how active they were after it, and how active they usually are."""

    kind: ClassVar[str] = "setback"
    member: str
    on: date
    after: float
    """Activities in the ten working days after it."""
    usual: float
    """The median of stretches of ten working days before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal(Thing):
    """A deal that was closed."""

    kind: ClassVar[str] = "deal"
    closed_on: date
    won: bool
    owner: str
    amount: float = 0.0
    credits: tuple[tuple[str, float], ...] = ()
    """What each member is credited with."""
    roles: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The members who filled each role, where that is known."""
    weights: tuple[tuple[str, str], ...] = tuple(WEIGHTS.items())
    """What each role weighs, as was agreed on for the day it was closed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Thing):
    """What a customer answered, from 1 to 5, and whether they would recommend us, from 0 to 10."""

    kind: ClassVar[str] = "feedback"
    on: date
    score: int
    member: str | None = None
    recommends: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota(Thing):
    """What is aimed at for a member, and what of it may be expected: quota x ramp x active share x market factor."""

    kind: ClassVar[str] = "target"
    member: str
    amount: float
    ramp: float = 1.0
    active: float = 1.0
    market: float = 1.0
    set_late: bool = False
    """Whether it was set after its period began."""

    @property
    def expected(self) -> float:
        """What may be expected."""
        return self.amount * self.ramp * self.active * self.market


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal(Thing):
    """A goal of the organisation, how far it is reached, and whether the team's targets are linked to it."""

    kind: ClassVar[str] = "goal"
    weight: float
    linked: bool
    reached: float | None = None
    """actual ÷ target, of the organisation in the days of the review."""
    by: tuple[str, ...] = ()
    """The team's targets that are linked to it."""
    by_team: float | None = None
    """actual ÷ target of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own(Thing):
    """A target of the team by which it measures itself, or that serves no goal of the organisation: how far it is
    reached, and whether the team has confirmed it for the period."""

    kind: ClassVar[str] = "target"
    metric: str
    reached: float | None = None
    confirmed: bool = False
    late: bool = False
    """Whether it was confirmed when its period had begun."""
    by: tuple[str, ...] = ()
    """The sets of own measures that say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accomplishment(Thing):
    """What the team claims to have accomplished that no number tells, and who has looked at what it is shown by."""

    kind: ClassVar[str] = "accomplishment"
    claimed_on: date
    claimed_by: str | None = None
    goal: str | None = None
    pieces: int = 0
    """By how many things it is shown."""
    verified_on: date | None = None
    verified_by: str | None = None
    disputed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """The team's result, the organisation's goal, and the share of it that was planned for the team."""

    result: float
    goal: float
    planned: float
    by: tuple[str, ...] = ()
    """The targets that say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """What a review needs to know of the others."""

    won: int = 0
    closed: int = 0
    attainments: tuple[tuple[str, float], ...] = ()
    """Ramp-adjusted attainment of every team with targets, in percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What earlier reviews found."""

    periods: int = 0
    """How many periods of the organisation were reviewed before."""
    states: Mapping[str, State] = field(default_factory=dict)
    """The states of measures and weaknesses in the review of the period before."""
    teamwork_was_healthy: bool = False
    """Whether an earlier review of the team found its teamwork healthy."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """All of it, for one team and period."""

    team: str
    department: str
    start: date
    end: date
    asked: date
    """The first day that is not known yet, or the end."""
    leader: str | None = None
    currency: str = "EUR"
    members: tuple[Member, ...] = ()
    partners: tuple[Member, ...] = ()
    """Others that members of the team had to do with."""
    meetings: tuple[Meeting, ...] = ()
    items: tuple[Item, ...] = ()
    actions: tuple[Action, ...] = ()
    requests: tuple[Request, ...] = ()
    check_ins: tuple[CheckIn, ...] = ()
    duties: tuple[Duty, ...] = ()
    trainings: tuple[Training, ...] = ()
    deals: tuple[Deal, ...] = ()
    answers: tuple[Answer, ...] = ()
    quotas: tuple[Quota, ...] = ()
    surveys: Mapping[str, Survey] = field(default_factory=dict)
    """By `communication`, `cooperation`, and by the single questions C1 to C4, T1 to T4."""
    asked_of: Mapping[str, Asked] = field(default_factory=dict)
    """By scale what all teams answered in the period."""
    recommended: Recommended | None = None
    """What members say of us, in the last pulse that asked for it."""
    peers: Mapping[str, Survey] = field(default_factory=dict)
    """By member what team mates say of them."""
    goals: tuple[Goal, ...] = ()
    owned: tuple[Own, ...] = ()
    accomplishments: tuple[Accomplishment, ...] = ()
    pull: Pull | None = None
    leavers: tuple[str, ...] = ()
    training_cost: float = 0.0
    setbacks: tuple[Setback, ...] = ()
    activities: tuple[float, float] | None = None
    """What the team did for customers in the period, and in the period before; none where it is not recorded."""
    opened: tuple[int, int] | None = None
    """Deals opened by the team in the period, and in the period before."""
    organisation: Organisation = Organisation()
    before: Before = Before()

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The members' ids, sorted."""
        return tuple(sorted(each.id for each in self.members))

    @cached_property
    def member_of(self) -> dict[str, Member]:
        """The members by id."""
        return {each.id: each for each in self.members}

    @cached_property
    def department_of(self) -> dict[str, str]:
        """The department of everybody the team had to do with."""
        return {each.id: each.department for each in (*self.partners, *self.members)}

    def home_of(self, member: str) -> str | None:
        """What is no other department for a member: the team's; their own, where all of the organisation is meant."""
        return self.department or self.department_of.get(member)

    def away_on(self, member: str, day: date) -> bool:
        """Whether a member did not work on a day."""
        found = self.member_of.get(member)
        return found is not None and found.away_on(day)

    @property
    def weeks(self) -> float:
        """The length of the period."""
        return (self.end - self.start).days / 7
