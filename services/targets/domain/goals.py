"""Goals: what the organisation wants of a period, as a tree in which the parts of a goal have weights that sum to 1."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final, Self

from sqlmodel import Field

from services.targets.domain.aims import UNCHANGED, Unchanged, Value, stored, told, value_of
from services.targets.domain.lasting import Lasting
from shared.errors import Refused
from shared.events.goals import GoalChanged, GoalClosed, GoalPlaced, GoalSet, GoalWeighed, Weighed
from shared.money import plain
from shared.period import Period
from shared.store.types import Json

DEEPEST: Final = 8
"""How many goals may stand above one another."""


class WeightsExceed(Refused):
    """The weights of the other parts sum to {others}; {weight} more makes {actual}, and they sum to 1 at most."""

    status, at = 422, "/weight"


class WeightsDoNotSum(Refused):
    """The weights of the parts sum to {actual}; they must sum to 1."""

    status, at = 422, "/parts"


class PartsMissing(Refused):
    """Say the weight of every part of this goal; {missing} is missing."""

    status, at = 422, "/parts"


class GoalIsClosed(Refused):
    """This goal was closed on {on}."""


class PartOutsideThePeriod(Refused):
    """{part} does not lie within {period}, the days of the goal it is a part of."""

    status, at = 422, "/period"


class GoalOfAnother(Refused):
    """{child} is a part of {parent} already; a goal is a part of one other only."""

    status, at = 409, "/children"


class GoalOfItself(Refused):
    """{child} stands above {parent}; it cannot be a part of it."""

    status, at = 409, "/children"


class ValueWithoutMetric(Refused):
    """{value} of what? A goal with a value names its metric."""

    status, at = 422, "/metric"


class TooDeep(Refused):
    """At most {deepest} goals stand above one another."""

    status, at = 422, "/parent"


class Goal(Lasting, table=True):
    """What somebody wants of a period, by itself or as a part of a larger goal."""

    kind: ClassVar[str] = "goal"
    prefix: ClassVar[str] = "goal"
    hidden: ClassVar[frozenset[str]] = frozenset({"level", "ref", "label", "starts_on", "ends_on", "aimed", "depth"})

    title: str
    level: str
    ref: str = ""
    metric: str | None = None
    parent: str | None = Field(default=None, index=True)
    depth: int = 1
    """How deep it stood when it was set or placed: written for the version before, read by nobody, and gone with the
    next release."""
    weight: str = "1"
    """Its share among the parts of its parent."""
    aimed: dict[str, str] | str | None = Field(default=None, sa_type=Json)
    closed_on: date | None = None

    @property
    def value(self) -> Value | None:
        """How much of its metric it wants, where it says so itself."""
        return value_of(self.aimed) if self.aimed is not None else None

    @classmethod
    def set(
        cls,
        *,
        title: str,
        level: str,
        ref: str | None,
        metric: str | None,
        period: Period,
        weight: Decimal,
        parent: Goal | None,
        above: int = 0,
        siblings: Sequence[Goal] = (),
        value: Value | None = None,
        **identity: Any,
    ) -> tuple[Self, GoalSet]:
        """Have a goal; `above` is how many goals its parent serves, `siblings` are the parts that this has already."""
        if value is not None and metric is None:
            raise ValueWithoutMetric(value=value)
        if parent is not None:
            parent._refuse_part(period, above + 2)
            _refuse_more(siblings, weight)
        goal = cls.make(
            title=title, level=level, ref=ref or "", metric=metric, label=period.label, starts_on=period.start,
            ends_on=period.end, parent=parent.id if parent else None, depth=above + 2 if parent else 1,
            weight=plain(weight), aimed=stored(value), **identity,
        )  # fmt: skip
        return goal, GoalSet(
            level=level, ref=ref, metric=metric, period=period, weight=goal.weight, parent=goal.parent,
            externals=goal.externals, value=told(value) if value is not None else None,
        )  # fmt: skip

    def place(self, parent: Goal, weight: Decimal, *, above: Sequence[Goal], height: int) -> GoalPlaced:
        """Be a part of another goal; `above` are those that the other one serves, `height` is how many levels of goals
        this one has, itself included."""
        self._refuse_if_closed()
        if self.parent is not None:
            raise GoalOfAnother(child=self.id, parent=self.parent)
        if self.id in {parent.id, *(each.id for each in above)}:
            raise GoalOfItself(child=self.id, parent=parent.id)
        parent._refuse_part(self.period, len(above) + 1 + height)
        self.parent, self.depth, self.weight = parent.id, len(above) + 2, plain(weight)
        return GoalPlaced(parent=parent.id, weight=self.weight)

    def change(self, *, title: str | None = None, value: Value | Unchanged | None = UNCHANGED) -> GoalChanged | None:
        """Call it something else, or want another value of its metric."""
        title = title or self.title
        aimed = self.aimed if isinstance(value, Unchanged) else stored(value)
        if (title, aimed) == (self.title, self.aimed):
            return None
        self._refuse_if_closed()
        if aimed is not None and self.metric is None:
            raise ValueWithoutMetric(value=value_of(aimed))
        self.title, self.aimed = title, aimed
        return self._changed()

    def weigh(self, weights: dict[str, Decimal], parts: Sequence[Goal]) -> GoalWeighed:
        """Give all its parts their weights; raises WeightsDoNotSum, PartsMissing."""
        self._refuse_if_closed()
        missing = [part.id for part in parts if part.id not in weights]
        if missing:
            raise PartsMissing(missing=", ".join(missing))
        actual = sum(weights.values(), Decimal(0))
        if actual != 1:
            raise WeightsDoNotSum(actual=plain(actual))
        return GoalWeighed(parts=tuple(Weighed(goal=part.id, weight=plain(weights[part.id])) for part in parts))

    def weighs(self, weight: Decimal) -> GoalChanged | None:
        """Have another weight among its siblings."""
        if plain(weight) == self.weight:
            return None
        self.weight = plain(weight)
        return self._changed()

    def close(self, on: date) -> GoalClosed:
        """Stop pursuing it; it stays to be seen."""
        self._refuse_if_closed()
        self.closed_on = on
        return GoalClosed(on=on)

    def lifecycle(self, today: date) -> str:
        """Whether it is pursued; one whose days are over and that nobody closed is overdue, not open."""
        if self.closed_on is not None:
            return "closed"
        return "overdue" if self.ends_on <= today else "open"

    def _changed(self) -> GoalChanged:
        return GoalChanged(weight=self.weight, value=told(self.value) if self.value is not None else None)

    def _refuse_part(self, period: Period, depth: int) -> None:
        self._refuse_if_closed()
        if period.start < self.starts_on or period.end > self.ends_on:
            raise PartOutsideThePeriod(part=period, period=self.period)
        if depth > DEEPEST:
            raise TooDeep(deepest=DEEPEST)

    def _refuse_if_closed(self) -> None:
        if self.closed_on is not None:
            raise GoalIsClosed(on=self.closed_on)


def _refuse_more(siblings: Sequence[Goal], weight: Decimal) -> None:
    others = _weight_of(siblings)
    if others + weight > 1:
        raise WeightsExceed(others=plain(others), weight=plain(weight), actual=plain(others + weight))


def _weight_of(parts: Sequence[Goal]) -> Decimal:
    return sum((Decimal(part.weight) for part in parts if part.closed_on is None), Decimal(0))
