"""Series: meetings that come again by a rule, of one team or of several parties."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, ClassVar, Self

from sqlmodel import Field

from services.meetings.domain.meetings import Meeting
from services.meetings.domain.rules import FAR, Rule
from shared.errors import Refused
from shared.events.meetings import MeetingCalled, SeriesChanged, SeriesEnded, SeriesPlanned
from shared.instant import day_of
from shared.store import Entity
from shared.store.types import Json, Moment


class NeverMeets(Refused):
    """By the rule {rrule} nobody meets in the six years from {starts_at} on."""

    status, at = 422, "/rrule"


class NotAnOccurrence(Refused):
    """The series does not meet at {at}; after that it meets {following}."""

    status, at = 422, "/starts_at"


class TooFewParties(Refused):
    """A {form} series is of {needed}; this one names {teams} teams and {departments} departments."""

    status, at = 422, "/kind"


class SeriesIsEnded(Refused):
    """This series ended on {on}."""


NEEDED = {"team": "one team at least", "joint": "two teams or departments at least", "consultative": "one at least"}


class Series(Entity, table=True):
    """Meetings that come again by a rule, at the same wall-clock time."""

    kind: ClassVar[str] = "series"
    prefix: ClassVar[str] = "srs"
    shown_as: ClassVar[dict[str, str]] = {"form": "kind"}

    name: str
    form: str
    teams: list[str] = Field(default_factory=list, sa_type=Json)
    departments: list[str] = Field(default_factory=list, sa_type=Json)
    rrule: str
    zone: str
    starts_at: datetime = Field(sa_type=Moment)
    minutes: int = 60
    ended_on: date | None = None

    @classmethod
    def plan(cls, **fields: Any) -> tuple[Self, SeriesPlanned]:
        """Plan to meet again and again; it starts with the first time by the rule."""
        series = cls.make(**fields)
        series._refuse_too_few()
        series.starts_at = series._first()
        return series, SeriesPlanned(**series._told(), externals=series.externals)

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
        return SeriesChanged(**self._told())

    def end(self, on: date) -> SeriesEnded:
        """Meet no more from a day on."""
        self._refuse_if_ended()
        self.ended_on = on
        return SeriesEnded(on=on)

    def occurrences(self, after: datetime, before: datetime) -> Iterator[datetime]:
        """When the series meets, from one moment to before another, in UTC."""
        for at in Rule.read(self.rrule).between(self.starts_at, self.zone, after, before):
            if self.ended_on is not None and day_of(at, self.zone) >= self.ended_on:
                return
            yield at

    def call(self, starts_at: datetime, on: date, **fields: Any) -> tuple[Meeting, MeetingCalled]:
        """Make one of its occurrences a meeting; `on` is its day in the organisation's time zone."""
        following = next(self.occurrences(starts_at, starts_at + FAR), None)
        if following != starts_at:
            raise NotAnOccurrence(
                at=starts_at.isoformat(), following=f"at {following.isoformat()}" if following else "no more"
            )
        whose: dict[str, Any] = {"form": self.form, "teams": self.teams, "departments": self.departments}
        usual = {"name": self.name, "minutes": self.minutes}
        return Meeting.call(series=self.id, starts_at=starts_at, on=on, occurrence=starts_at, **whose, **usual | fields)

    def _told(self) -> dict[str, Any]:
        return {
            "kind": self.form,
            "rrule": self.rrule,
            "zone": self.zone,
            "starts_at": self.starts_at,
            "minutes": self.minutes,
            "teams": tuple(self.teams),
            "departments": tuple(self.departments),
        }

    def _first(self) -> datetime:
        first = Rule.read(self.rrule).first(self.starts_at, self.zone)
        if first is None:
            raise NeverMeets(rrule=self.rrule, starts_at=self.starts_at.isoformat())
        return first

    def _refuse_too_few(self) -> None:
        several = len(self.teams) + len(self.departments)
        enough = {"team": bool(self.teams), "joint": several > 1, "consultative": several > 0}
        if not enough[self.form]:
            raise TooFewParties(
                form=self.form, needed=NEEDED[self.form], teams=len(self.teams), departments=len(self.departments)
            )

    def _refuse_if_ended(self) -> None:
        if self.ended_on is not None:
            raise SeriesIsEnded(on=self.ended_on)
