"""Own measures: by which one or two of its targets a team measures itself, confirmed anew for every period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Final, Self

from sqlmodel import Field

from services.targets.domain.lasting import Lasting
from services.targets.domain.targets import Target
from shared.errors import Refused
from shared.events.accomplishments import OwnMeasuresChosen, OwnMeasuresConfirmed, OwnMeasuresWithdrawn
from shared.period import Period
from shared.store.types import Json

LONGEST: Final = 92
"""A quarter has at most so many days; what is confirmed for longer is not confirmed every period."""


class ConfirmedByAnother(Refused):
    """{by} asks; what a team measures itself by is confirmed by who leads it, or by who is in it where nobody does."""


class ConfirmedForTooLong(Refused):
    """{period} has {days} days; what a team measures itself by is confirmed for {longest} days at most, a quarter."""

    status, at = 422, "/period"


class ConfirmedAlready(Refused):
    """For {other} this team has confirmed its measures already ({id}); change those, or withdraw them."""

    at = "/period"


class MeasureTwice(Refused):
    """{target} is named twice."""

    status, at = 422, "/targets"


class NotATargetOfTheTeam(Refused):
    """{target} is a target of {whose}, not of this team; a team measures itself by its own."""

    status, at = 422, "/targets"


class NotAimedAtThen(Refused):
    """{target} is aimed at in {aimed}, which {period} has no day of."""

    status, at = 422, "/targets"


class MeasureIsClosed(Refused):
    """{target} was closed on {on}; it measures nothing from then on."""

    at = "/targets"


class MeasuresAreWithdrawn(Refused):
    """These measures were withdrawn on {on}; confirm others."""


class OwnMeasures(Lasting, table=True):
    """By which of its targets a team measures itself in a period."""

    kind: ClassVar[str] = "own_measures"
    prefix: ClassVar[str] = "own"
    word: ClassVar[str] = "set of own measures"
    hidden: ClassVar[frozenset[str]] = frozenset({"label", "starts_on", "ends_on"})

    team: str = Field(index=True)
    targets: list[str] = Field(default_factory=list, sa_type=Json)
    confirmed_on: date
    confirmed_by: str | None = None
    withdrawn_on: date | None = None

    @classmethod
    def confirm(
        cls, *, team: str, period: Period, targets: Sequence[Target], others: Sequence[OwnMeasures], on: date,
        by: str | None, **identity: Any,
    ) -> tuple[Self, OwnMeasuresConfirmed]:  # fmt: skip
        """Confirm for a period what a team measures itself by; `others` are what it confirmed before."""
        if period.days > LONGEST:
            raise ConfirmedForTooLong(period=period, days=period.days, longest=LONGEST)
        for each in others:
            if each.withdrawn_on is None and each.starts_on < period.end and each.ends_on > period.start:
                raise ConfirmedAlready(other=each.label, id=each.id)
        _refuse_strangers(targets, team, period)
        ids = [each.id for each in targets]
        made = cls.make(team=team, label=period.label, starts_on=period.start, ends_on=period.end, targets=ids,
                        confirmed_on=on, confirmed_by=by, **identity)  # fmt: skip
        return made, OwnMeasuresConfirmed(
            team=team, period=period, targets=tuple(ids), on=on, by=by, externals=made.externals
        )

    def choose(self, targets: Sequence[Target], on: date, by: str | None) -> OwnMeasuresChosen | None:
        """Measure itself by others in the same period."""
        ids = [each.id for each in targets]
        if ids == self.targets:
            return None
        self._refuse_if_withdrawn()
        _refuse_strangers(targets, self.team, self.period)
        self.targets, self.confirmed_on, self.confirmed_by = ids, on, by
        return OwnMeasuresChosen(targets=tuple(ids), on=on, by=by)

    def withdraw(self, on: date) -> OwnMeasuresWithdrawn:
        """Not have confirmed them after all."""
        self._refuse_if_withdrawn()
        self.withdrawn_on = on
        return OwnMeasuresWithdrawn(on=on)

    def _refuse_if_withdrawn(self) -> None:
        if self.withdrawn_on is not None:
            raise MeasuresAreWithdrawn(on=self.withdrawn_on)


def _refuse_strangers(targets: Sequence[Target], team: str, period: Period) -> None:
    for place, each in enumerate(targets):
        at = f"/targets/{place}"
        if each.id in [other.id for other in targets[:place]]:
            raise MeasureTwice(target=each.id, pointer=at)
        if (each.level, each.ref) != ("team", team):
            raise NotATargetOfTheTeam(target=each.id, whose=f"{each.level} {each.ref}".strip(), pointer=at)
        if each.starts_on >= period.end or each.ends_on <= period.start:
            raise NotAimedAtThen(target=each.id, aimed=each.period, period=period, pointer=at)
        if each.closed_on is not None and each.closed_on <= period.start:
            raise MeasureIsClosed(target=each.id, on=each.closed_on, pointer=at)
