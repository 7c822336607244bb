"""Series: meetings that come again by a rule, of one team or of several parties."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Self

from sqlmodel import Field

from services.meetings.domain.meetings import Meeting, NotInvited
from services.meetings.domain.rules import FAR, Rule
from shared.errors import Refused
from shared.events.meetings import MeetingCalled
from shared.events.series import (
    OccurrenceRestored,
    OccurrenceSkipped,
    SeriesAnswered,
    SeriesChanged,
    SeriesEnded,
    SeriesPlanned,
)
from shared.instant import day_of, start_of
from shared.store import Entity
from shared.store.types import Json, Moment


class NeverMeets(Refused):
    """By the rule {rrule} nobody meets in the six years from {starts_at} on."""

    status, at = 422, "/rrule"


class NotAnOccurrence(Refused):
    """The series does not meet at {at}; after that it meets {following}."""

    status, at = 422, "/starts_at"


class OccurrenceIsSkipped(Refused):
    """The series skips {on}; take that back first."""

    at = "/starts_at"


class NotSkipped(Refused):
    """The series does not skip {on}; there is nothing to take back."""

    at = "/occurrence"


class NotByTheRule(Refused):
    """By the rule {rrule} the series does not meet at {starts_at} but at {first}; send the rule it is to follow."""

    status, at = 422, "/starts_at"


class NothingBefore(Refused):
    """{occurrence} is the first time of this series; with the scope all, all of it is changed."""

    status, at = 422, "/scope"


class GoesOnTooEarly(Refused):
    """The series met last at {last}; it cannot go on at {starts_at}."""

    status, at = 422, "/starts_at"


class TooFewParties(Refused):
    """A {form} series is of {needed}; this one names {teams} teams and {departments} departments."""

    status, at = 422, "/kind"


class SeriesIsEnded(Refused):
    """This series ended on {on}."""


TIMES = {"rrule", "zone", "starts_at", "minutes"}
"""What makes the times of a series others."""
DECLINED = "declined"
EVERY = ""
"""In what is answered the place of all times that are not answered by themselves."""
WHOSE = ("name", "form", "teams", "departments", "guests", "zone", "minutes", "template", "review", "option")
"""What a series that goes on takes over as it is."""
NEEDED = {
    "team": "one team at least",
    "debrief": "one team at least",
    "joint": "two teams or departments at least",
    "consultative": "one at least",
}


class Series(Entity, table=True):
    """Meetings that come again by a rule, at the same wall-clock time."""

    kind: ClassVar[str] = "series"
    prefix: ClassVar[str] = "srs"
    hidden: ClassVar[frozenset[str]] = frozenset({"skipped", "line", "answers"})
    shown_as: ClassVar[dict[str, str]] = {"form": "kind"}

    name: str
    form: str
    teams: list[str] = Field(default_factory=list, sa_type=Json)
    departments: list[str] = Field(default_factory=list, sa_type=Json)
    guests: list[str] = Field(default_factory=list, sa_type=Json)
    """Members of other teams who are invited each time, as to a debrief."""
    rrule: str
    zone: str
    starts_at: datetime = Field(sa_type=Moment)
    minutes: int = 60
    template: str | None = None
    review: str | None = None
    """The review on which it was decided that they meet."""
    option: str | None = None
    skipped: dict[str, str | None] = Field(default_factory=dict, sa_type=Json)
    """By day of its zone, why it does not meet then: so a skip stays one when the hour changes."""
    answers: dict[str, dict[str, str]] = Field(default_factory=dict, sa_type=Json)
    """By member what they answer to every time, and to single ones by their day in its zone."""
    ended_on: date | None = None
    continued_by: str | None = None
    line: list[str] = Field(default_factory=list, sa_type=Json)
    """The series from which it goes on, the first one first."""

    @classmethod
    def plan(cls, **fields: Any) -> tuple[Self, SeriesPlanned]:
        """Plan to meet again and again; it starts with the first time by the rule."""
        series = cls.make(**fields)
        series._refuse_too_few()
        series.starts_at = series._first()
        return series, SeriesPlanned(
            **series._told(), review=series.review, option=series.option, externals=series.externals
        )

    def go_on(self, occurrence: datetime, **fields: Any) -> tuple[Self, SeriesPlanned, SeriesEnded]:
        """End before one of its times, and let a new series go on from there: by another rule, at another time, under
        another name or with another agenda; the rest is as it was, skips and end included."""
        earlier = list(self.by_rule(self.starts_at, occurrence))
        if not earlier:
            raise NothingBefore(occurrence=occurrence.isoformat())
        day = day_of(occurrence, self.zone)
        kept = {"rrule": Rule.read(self.rrule).going_on(len(earlier)), "starts_at": occurrence}
        skipped = {on: why for on, why in self.skipped.items() if on >= day.isoformat()}
        known = {name: getattr(self, name) for name in WHOSE} | kept | {"skipped": skipped, "ended_on": self.ended_on}
        new = type(self).make(**known | fields, line=[*self.line, self.id])
        new.refuse_unless_by_rule()
        if new.starts_at <= earlier[-1]:
            raise GoesOnTooEarly(last=earlier[-1].isoformat(), starts_at=new.starts_at.isoformat())
        self.ended_on, self.continued_by = day, new.id
        skips = tuple(date.fromisoformat(on) for on in sorted(skipped))
        planned = SeriesPlanned(
            **new._told(), follows=self.id, skips=skips, ends_on=new.ended_on, review=new.review, option=new.option
        )
        return new, planned, SeriesEnded(on=day, continued_by=new.id)

    def change(self, **fields: Any) -> SeriesChanged | None:
        """Meet by another rule, at another time, under another name or with others; what was held stays."""
        wanted = type(self).make(**self.content() | fields)
        if {"rrule", "zone", "starts_at"} & set(fields):
            fields["starts_at"] = wanted._first()
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        self._refuse_if_ended()
        wanted._refuse_too_few()
        for name, value in new.items():
            setattr(self, name, value)
        if new.keys() & TIMES:
            self.answers = {}
        return SeriesChanged(**self._told())

    def answer(
        self, member: str, status: str, invited: Collection[str], today: date, on: date | None = None
    ) -> SeriesAnswered | None:
        """Note what a member answers to all of its times, or to the one of a day; `invited` are those who are."""
        if member not in invited:
            raise NotInvited(member=member)
        if self.ended_on is not None and self.ended_on <= today:
            raise SeriesIsEnded(on=self.ended_on)
        place, said = on.isoformat() if on is not None else EVERY, self.answers.get(member, {})
        if said.get(place, "invited" if on is None else None) == status:
            return None
        self.answers = self.answers | {member: said | {place: status}}
        return SeriesAnswered(member=member, status=status, on=on)

    def answers_to(self, occurrence: datetime) -> dict[str, str]:
        """By member what is answered to one of its times, as far as it is."""
        day = day_of(occurrence, self.zone).isoformat()
        found = {member: said.get(day, said.get(EVERY, "invited")) for member, said in self.answers.items()}
        return {member: status for member, status in found.items() if status != "invited"}

    def answered_otherwise(self, member: str) -> list[datetime]:
        """The times to which a member declines though they come to the others, or comes though they decline those."""
        said = self.answers.get(member, {})
        usual = said.get(EVERY) == DECLINED
        days = [
            date.fromisoformat(day) for day, status in said.items() if day != EVERY and (status == DECLINED) != usual
        ]
        return [
            at
            for day in sorted(days)
            for at in self.by_rule(start_of(day, self.zone), start_of(day + timedelta(days=1), self.zone))
            if not self.skips(at)
        ]

    def end(self, on: date) -> SeriesEnded:
        """Meet no more from a day on."""
        self._refuse_if_ended()
        self.ended_on = on
        return SeriesEnded(on=on)

    def skip(self, occurrence: datetime, reason: str | None) -> OccurrenceSkipped | None:
        """Not meet at one of its times."""
        self.refuse_unless_met(occurrence, "/occurrence")
        day = day_of(occurrence, self.zone).isoformat()
        if day in self.skipped and self.skipped[day] == reason:
            return None
        self.skipped = self.skipped | {day: reason}
        return OccurrenceSkipped(occurrence=occurrence)

    def unskip(self, occurrence: datetime) -> OccurrenceRestored:
        """Meet after all at a time that was to be skipped."""
        self.refuse_unless_met(occurrence, "/occurrence")
        day = day_of(occurrence, self.zone).isoformat()
        if day not in self.skipped:
            raise NotSkipped(on=day)
        self.skipped = {on: why for on, why in self.skipped.items() if on != day}
        return OccurrenceRestored(occurrence=occurrence)

    def skips(self, occurrence: datetime) -> bool:
        """Whether it does not meet at one of its times."""
        return day_of(occurrence, self.zone).isoformat() in self.skipped

    def meets_at(self, at: datetime) -> bool:
        """Whether it meets at a moment, by its rule and without a skip."""
        return next(self.by_rule(at, at + timedelta(seconds=1)), None) == at and not self.skips(at)

    def occurrence_on(self, day: date) -> datetime:
        """Its time on a day of its zone."""
        begin = start_of(day, self.zone)
        following = next(self.by_rule(begin, begin + FAR), None)
        if following is None or day_of(following, self.zone) != day:
            raise _not_an_occurrence(day.isoformat(), following, "/on")
        return following

    def by_rule(self, after: datetime, before: datetime) -> Iterator[datetime]:
        """When the series meets if nothing is skipped, from one moment to before another, in UTC."""
        for at in Rule.read(self.rrule).between(self.starts_at, self.zone, after, before):
            if self.ended_on is not None and day_of(at, self.zone) >= self.ended_on:
                return
            yield at

    def skipped_times(self) -> list[datetime]:
        """The times by its rule at which it does not meet, in order."""
        days = sorted(date.fromisoformat(on) for on in self.skipped)
        if not days:
            return []
        begin, end = start_of(days[0], self.zone), start_of(days[-1] + timedelta(days=1), self.zone)
        return [at for at in self.by_rule(begin, end) if self.skips(at)]

    def for_calendars(self) -> str | None:
        """Its rule with its end in it, as calendar programs read it; none when it ended before it met."""
        rule = Rule.read(self.rrule)
        if self.ended_on is None:
            return rule.ending(self.zone, None)
        end = start_of(self.ended_on, self.zone)
        if rule.count is not None:
            times = list(self.by_rule(self.starts_at, end))
            end = times[-1] + timedelta(seconds=1) if times else self.starts_at
        return rule.ending(self.zone, end) if end > self.starts_at else None

    def call(self, occurrence: datetime, on: date, **fields: Any) -> tuple[Meeting, MeetingCalled]:
        """Make one of its occurrences a meeting; `on` is its day in the organisation's time zone."""
        self.refuse_unless_met(occurrence, "/starts_at")
        if self.skips(occurrence):
            raise OccurrenceIsSkipped(on=day_of(occurrence, self.zone))
        whose: dict[str, Any] = {"form": self.form, "teams": self.teams, "departments": self.departments}
        usual: dict[str, Any] = {
            "name": self.name, "minutes": self.minutes, "starts_at": occurrence, "template": self.template,
            "review": self.review, "option": self.option,
        }  # fmt: skip
        return Meeting.call(series=self.id, on=on, occurrence=occurrence, **whose, **usual | fields)

    def refuse_unless_met(self, occurrence: datetime, pointer: str) -> None:
        """Refuse a time that the rule does not have."""
        following = next(self.by_rule(occurrence, occurrence + FAR), None)
        if following != occurrence:
            raise _not_an_occurrence(occurrence.isoformat(), following, pointer)

    def refuse_unless_by_rule(self) -> None:
        """Refuse a beginning that the rule does not have."""
        first = self._first()
        if first != self.starts_at:
            raise NotByTheRule(rrule=self.rrule, starts_at=self.starts_at.isoformat(), first=first.isoformat())

    def _told(self) -> dict[str, Any]:
        return {
            "kind": self.form,
            "rrule": self.rrule,
            "zone": self.zone,
            "starts_at": self.starts_at,
            "minutes": self.minutes,
            "teams": tuple(self.teams),
            "departments": tuple(self.departments),
            "template": self.template,
            "guests": tuple(self.guests),
        }

    def _first(self) -> datetime:
        first = Rule.read(self.rrule).first(self.starts_at, self.zone)
        if first is None:
            raise NeverMeets(rrule=self.rrule, starts_at=self.starts_at.isoformat())
        return first

    def _refuse_too_few(self) -> None:
        several = len(self.teams) + len(self.departments)
        enough = {
            "team": bool(self.teams),
            "debrief": bool(self.teams),
            "joint": several > 1,
            "consultative": several > 0,
        }
        if not enough[self.form]:
            raise TooFewParties(
                form=self.form, needed=NEEDED[self.form], teams=len(self.teams), departments=len(self.departments)
            )

    def _refuse_if_ended(self) -> None:
        if self.ended_on is not None:
            raise SeriesIsEnded(on=self.ended_on)


def _not_an_occurrence(at: str, following: datetime | None, pointer: str) -> NotAnOccurrence:
    after = f"at {following.isoformat()}" if following else "no more"
    return NotAnOccurrence(at=at, following=after, pointer=pointer)
