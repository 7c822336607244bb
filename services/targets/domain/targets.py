"""Targets: what is aimed at, by whom and until when; set against what is achieved by `shared.attainment`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final, Self

import sqlalchemy as sa
from sqlmodel import Field

from services.targets.domain.aims import (
    UNCHANGED,
    Unchanged,
    Value,
    said,
    stored,
    sum_of,
    times,
    told,
    unit_of,
    value_of,
)
from services.targets.domain.distribution import checked, dealt
from services.targets.domain.lasting import Lasting
from shared.errors import Refused
from shared.events.aims import Due, TargetApproved, TargetCascaded, TargetChanged, TargetClosed, TargetPlaced, TargetSet
from shared.events.progress import TargetCheckedIn
from shared.money import Money, plain
from shared.period import Period
from shared.store.types import Json, MoneyText

LEVELS: Final = ("organisation", "department", "team", "group", "member")


class TargetExists(Refused):
    """There is a target for {metric} of this {level} in {period} already ({id}); change that one."""

    at = "/period"


class TargetsOverlap(Refused):
    """{period} lies partly in {other}, for which there is a target already ({id}); one may hold the other, and weeks
    may straddle months, but nothing else is counted in two targets by halves."""

    at = "/period"


class OwnTarget(Refused):
    """Nobody sets, changes or approves their own target; {member} asks, and it is the target of {whose}."""


class SetByTheSame(Refused):
    """This target was set by {member}; somebody else approves it."""


class AlreadyApproved(Refused):
    """This target was approved on {on}."""


class ReasonNeeded(Refused):
    """This target was approved on {on}; say in `reason` why {before} becomes something else."""

    status, at = 422, "/reason"


class StretchTooLow(Refused):
    """A stretch lies beyond the target; {stretch} does not lie beyond {value}."""

    status, at = 422, "/stretch"


class CheckInOfAnother(Refused):
    """{member} asks; a member checks in on their own targets, and a leader on those of the team."""


class TargetIsClosed(Refused):
    """This target was closed on {on}."""


class CascadeDoesNotBalance(Refused):
    """The parts sum to {actual}; with {over} % of over-assignment they must sum to {wanted} ({value} is aimed at): the
    difference is {difference}."""

    status, at = 422, "/children"


class CascadeInOtherUnits(Refused):
    """The target is in {unit}, its parts are in {units}; all of them share one unit."""

    status, at = 422, "/children"


class PartOfAnother(Refused):
    """{child} is a part of {parent} already; a target is a part of one other only."""

    status, at = 409, "/children"


class PartOfItself(Refused):
    """{child} stands above {parent}; it cannot be a part of it."""

    status, at = 409, "/children"


class ChildOutsideThePeriod(Refused):
    """{child} does not lie within {period}, the days of the target it is a part of."""

    status, at = 422, "/children"


class PartInAnotherUnit(Refused):
    """{parent} is in {unit}, this part of it in {other}; both share one unit."""

    status, at = 422, "/parent"


class PartOutsideThePeriod(Refused):
    """{period} does not lie within {whole}, the days of {parent}, which it is to be a part of."""

    status, at = 422, "/parent"


class ChangedToAnotherUnit(Refused):
    """This target is in {unit} and stays so; close it and set another one in {other}."""

    status, at = 422, "/value"


class Target(Lasting, table=True):
    """So much of a metric, aimed at by somebody in a period."""

    __table_args__ = (sa.UniqueConstraint("metric", "level", "ref", "starts_on", "ends_on"),)
    kind: ClassVar[str] = "target"
    prefix: ClassVar[str] = "tgt"
    hidden: ClassVar[frozenset[str]] = frozenset(
        {"level", "ref", "label", "starts_on", "ends_on", "money", "number", "rows", "beyond", "set_by", "check_ins"}
    )

    metric: str
    level: str
    ref: str = Field(default="", index=True)
    """Whose, by id; nothing for the organisation."""
    money: Money | None = Field(default=None, sa_type=MoneyText)
    number: str | None = None
    rows: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """How it is distributed, dated: `{"on": day, "value": money or number}`, in order; with its `share` if any."""
    beyond: dict[str, str] | str | None = Field(default=None, sa_type=Json)
    goal: str | None = Field(default=None, index=True)
    """The goal it serves."""
    parent: str | None = Field(default=None, index=True)
    """The target it is a part of."""
    over_assignment: str | None = None
    """By which share its parts may sum to more than itself."""
    set_by: str | None = None
    """The member who set or last changed it, where a member did."""
    set_after_start: bool = False
    approved_on: date | None = None
    approved_by: str | None = None
    plan_rates: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    """What one unit of other currencies was worth in its own on the day of approval."""
    reason: str | None = None
    """Why it was changed the last time."""
    closed_on: date | None = None
    check_ins: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """What was said about reaching it, oldest first: `{"on": day, "confidence": share, "note": text, "by": member}`."""

    @property
    def last_check_in(self) -> dict[str, Any] | None:
        """What was said the last time."""
        return self.check_ins[-1] if self.check_ins else None

    @property
    def lifecycle(self) -> str:
        """How far it is agreed on; how it goes is another question."""
        return "closed" if self.closed_on is not None else "approved" if self.approved_on is not None else "draft"

    @property
    def stretch(self) -> Value | None:
        """What would be more than was asked for."""
        return value_of(self.beyond) if self.beyond is not None else None

    @property
    def counts(self) -> bool:
        """Whether it counts as a part: not when it was closed before its days were over."""
        return self.closed_on is None or self.closed_on >= self.ends_on

    def worth(self) -> Money | None:
        """A target in money adds its value to the books."""
        return self.money

    @property
    def value(self) -> Value:
        """What is aimed at: money, or a number of things."""
        return self.money if self.money is not None else Decimal(self.number or "0")

    @property
    def distribution(self) -> list[tuple[date, Value]]:
        """What is due from each day on, until the next of its days."""
        return [(date.fromisoformat(row["on"]), value_of(row["value"])) for row in self.rows]

    @property
    def shares(self) -> list[tuple[date, Decimal]]:
        """The shares of the value that are due from each day on, if it is distributed in shares."""
        return [(date.fromisoformat(row["on"]), Decimal(row["share"])) for row in self.rows if "share" in row]

    @classmethod
    def aim(
        cls,
        *,
        metric: str,
        lower: bool = False,
        level: str,
        ref: str | None,
        period: Period,
        value: Value,
        distribution: Sequence[tuple[date, Value]] = (),
        shares: Sequence[tuple[date, Decimal]] = (),
        others: Sequence[Target] = (),
        on: date,
        by: str | None = None,
        stretch: Value | None = None,
        goal: str | None = None,
        parent: str | None = None,
        **identity: Any,
    ) -> tuple[Self, TargetSet]:
        """Set a target; `others` are those there are for this metric and this somebody, `by` is the member who asks."""
        _refuse_own(level, ref, by)
        for other in others:
            other._refuse_beside(period)
        rows = checked(value, dealt(value, shares) if shares else distribution, period)
        _check_stretch(value, stretch, lower=lower)
        target = cls.make(
            metric=metric, level=level, ref=ref or "", label=period.label, starts_on=period.start, ends_on=period.end,
            beyond=stored(stretch), goal=goal, parent=parent, set_by=by, set_after_start=on > period.start,
            **_columns(value, rows, shares), **identity,
        )  # fmt: skip
        return target, TargetSet(
            metric=metric, level=level, ref=ref, period=period, value=told(value), distribution=rows,
            stretch=told(stretch) if stretch is not None else None, goal=goal, parent=parent,
            set_after_start=target.set_after_start, externals=target.externals,
        )  # fmt: skip

    def change(
        self,
        *,
        value: Value | None = None,
        distribution: Sequence[tuple[date, Value]] | None = None,
        shares: Sequence[tuple[date, Decimal]] = (),
        stretch: Value | Unchanged | None = UNCHANGED,
        goal: str | Unchanged | None = UNCHANGED,
        by: str | None = None,
        reason: str | None = None,
        lower: bool = False,
    ) -> TargetChanged | None:
        """Aim at another value; shares of it stay what they are, amounts that do not sum to it must be sent anew.

        What was approved needs a reason to be changed, and to be approved again.
        """
        value = self.value if value is None else value
        if distribution is None and not shares:
            distribution, shares = self.distribution, self.shares
        rows = checked(value, dealt(value, shares) if shares else distribution or (), self.period)
        stretched = self.stretch if isinstance(stretch, Unchanged) else stretch
        columns = _columns(value, rows, shares) | {"beyond": stored(stretched)}
        columns |= {} if isinstance(goal, Unchanged) else {"goal": goal}
        if all(getattr(self, name) == new for name, new in columns.items()):
            return None
        self._refuse_if_closed()
        _refuse_own(self.level, self.ref, by)
        if unit_of(value) != unit_of(self.value):
            # Its parts, and what it is a part of, could not be added up with it.
            raise ChangedToAnotherUnit(unit=unit_of(self.value), other=unit_of(value))
        _check_stretch(value, stretched, lower=lower)
        if self.approved_on is not None and reason is None:
            raise ReasonNeeded(on=self.approved_on, before=said(self.value))
        for name, new in columns.items():
            setattr(self, name, new)
        self.set_by, self.reason, self.approved_on, self.approved_by, self.plan_rates = by, reason, None, None, {}
        return TargetChanged(
            value=told(value), distribution=rows, stretch=told(stretched) if stretched is not None else None,
            goal=self.goal,
        )  # fmt: skip

    def approve(self, on: date, *, by: str | None, leader: str | None, rates: Mapping[str, str]) -> TargetApproved:
        """Agree to it; neither whoever it is for, nor the member who set it, can. The rates of the day are kept."""
        self._refuse_if_closed()
        if self.approved_on is not None:
            raise AlreadyApproved(on=self.approved_on)
        _refuse_own(self.level, self.ref, by)
        if by is not None and by == leader:
            raise OwnTarget(member=by, whose=f"their {self.level}")
        if by is not None and by == self.set_by:
            raise SetByTheSame(member=by)
        self.approved_on, self.approved_by, self.plan_rates = on, by, dict(rates)
        return TargetApproved(on=on, plan_rates=self.plan_rates)

    def cascade(self, children: Sequence[Target], over: Decimal) -> TargetCascaded:
        """Be made of these targets, which sum to it or to so much more; raises CascadeDoesNotBalance."""
        self._refuse_if_closed()
        units = {unit_of(child.value) for child in children}
        if units != {unit_of(self.value)}:
            raise CascadeInOtherUnits(unit=unit_of(self.value), units=", ".join(sorted(units)))
        for child in children:
            if child.starts_on < self.starts_on or child.ends_on > self.ends_on:
                raise ChildOutsideThePeriod(child=child.period, period=self.period)
        actual = sum_of([child.value for child in children], self.value)
        wanted = times(self.value, 1 + over)
        if actual != wanted:
            raise CascadeDoesNotBalance(
                actual=said(actual), wanted=said(wanted), value=said(self.value), over=f"{over * 100:f}",
                difference=said(actual - wanted),  # type: ignore[operator]
            )  # fmt: skip
        self.over_assignment = plain(over)
        return TargetCascaded(children=tuple(child.id for child in children), over_assignment=self.over_assignment)

    def hold(self, value: Value, period: Period) -> None:
        """Refuse what cannot be a part: of a closed target, in another unit, or beyond its days."""
        self._refuse_if_closed()
        if unit_of(value) != unit_of(self.value):
            raise PartInAnotherUnit(parent=self.id, unit=unit_of(self.value), other=unit_of(value))
        if period.start < self.starts_on or period.end > self.ends_on:
            raise PartOutsideThePeriod(period=period, whole=self.period, parent=self.id)

    def place(self, parent: Target, above: Sequence[Target], by: str | None) -> TargetPlaced | None:
        """Be a part of another target; `above` are those that the other one is a part of."""
        if self.parent == parent.id:
            return None
        self._refuse_if_closed()
        _refuse_own(self.level, self.ref, by)
        if self.parent is not None:
            raise PartOfAnother(child=self.id, parent=self.parent)
        if self.id in {parent.id, *(each.id for each in above)}:
            raise PartOfItself(child=self.id, parent=parent.id)
        self.parent = parent.id
        return TargetPlaced(parent=parent.id)

    def check_in(self, on: date, confidence: str, note: str | None, by: str | None) -> TargetCheckedIn | None:
        """Say how confident one is to reach it."""
        self._refuse_if_closed()
        said = {"on": on.isoformat(), "confidence": confidence, "note": note, "by": by}
        if said == self.last_check_in:
            return None
        self.check_ins = sorted([*self.check_ins, said], key=lambda each: str(each["on"]))
        return TargetCheckedIn(on=on, confidence=confidence)

    def close(self, on: date) -> TargetClosed:
        """Stop working on it; it stays to be seen."""
        self._refuse_if_closed()
        self.closed_on = on
        return TargetClosed(on=on)

    def sum_of(self, parts: Sequence[Target]) -> Value:
        """What the targets it is made of sum to."""
        return sum_of([part.value for part in parts], self.value)

    def _refuse_beside(self, period: Period) -> None:
        mine = self.period
        if mine == period or (mine.start, mine.end) == (period.start, period.end):
            raise TargetExists(metric=self.metric, level=self.level, period=self.label, id=self.id)
        apart = mine.end <= period.start or period.end <= mine.start
        within = any(
            one.start <= other.start and other.end <= one.end for one, other in [(mine, period), (period, mine)]
        )
        if not apart and not within and not _is_week(mine) and not _is_week(period) and self.closed_on is None:
            raise TargetsOverlap(period=period, other=mine, id=self.id)

    def _refuse_if_closed(self) -> None:
        if self.closed_on is not None:
            raise TargetIsClosed(on=self.closed_on)


def _refuse_own(level: str, ref: str | None, by: str | None) -> None:
    if by is not None and level == "member" and ref == by:
        raise OwnTarget(member=by, whose=by)


def _check_stretch(value: Value, stretch: Value | None, *, lower: bool) -> None:
    if stretch is None:
        return
    beyond = stretch < value if lower else stretch > value  # type: ignore[operator]
    if not beyond:
        raise StretchTooLow(stretch=said(stretch), value=said(value))


def _is_week(period: Period) -> bool:
    return "W" in period.label


def _columns(value: Value, rows: Sequence[Due], shares: Sequence[tuple[date, Decimal]]) -> dict[str, Any]:
    by_day = {on: {"share": plain(share)} for on, share in shares}
    plainly: list[dict[str, Any]] = [
        {"on": row.on.isoformat(), "value": row.value.as_json() if isinstance(row.value, Money) else row.value}
        | by_day.get(row.on, {})
        for row in rows
    ]
    aimed = told(value)
    money, number = (aimed, None) if isinstance(aimed, Money) else (None, aimed)
    return {"money": money, "number": number, "rows": plainly}
