"""Targets: what is aimed at, by whom and until when; set against what is achieved by `shared.attainment`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final, Self

import sqlalchemy as sa
from sqlmodel import Field

from services.targets.domain.aims import (
    UNCHANGED,
    Unchanged,
    Value,
    check_stretch,
    said,
    stored,
    sum_of,
    times,
    told,
    unit_of,
    value_of,
)
from services.targets.domain.asking import NOBODY, Asker
from services.targets.domain.cascades import (
    CascadeDoesNotBalance,
    CascadeInOtherUnits,
    ChildOutsideThePeriod,
    PartInAnotherUnit,
    PartOfAnother,
    PartOfItself,
    PartOutsideThePeriod,
)
from services.targets.domain.distribution import checked, columns_of, dealt
from services.targets.domain.lasting import Lasting
from shared.errors import Refused
from shared.events.aims import TargetApproved, TargetCascaded, TargetChanged, TargetClosed, TargetPlaced, TargetSet
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
    """Nobody sets, changes, approves or closes their own target; {member} asks, and it is the target of {whose}."""


class SetByTheSame(Refused):
    """This target was set by {proposer}; somebody else approves it, whichever token is used."""


class AlreadyApproved(Refused):
    """This target was approved on {on}."""


class ReasonNeeded(Refused):
    """This target was approved on {on}; say in `reason` why {before} becomes something else."""

    status, at = 422, "/reason"


class CheckInOfAnother(Refused):
    """{member} asks; a member checks in on their own targets, and a leader on those of the team."""


class TargetIsClosed(Refused):
    """This target was closed on {on}."""


class ChangedToAnotherUnit(Refused):
    """This target is in {unit} and stays so; close it and set another one in {other}."""

    status, at = 422, "/value"


class Target(Lasting, table=True):
    """So much of a metric, aimed at by somebody in a period."""

    __table_args__ = (
        sa.Index(
            "target_once", "metric", "level", "ref", "starts_on", "ends_on", unique=True,
            sqlite_where=sa.text("closed_on IS NULL"), postgresql_where=sa.text("closed_on IS NULL"),
        ),
    )  # fmt: skip
    kind: ClassVar[str] = "target"
    prefix: ClassVar[str] = "tgt"
    hidden: ClassVar[frozenset[str]] = frozenset(
        {"level", "ref", "label", "starts_on", "ends_on", "money", "number", "rows", "beyond", "set_by", "proposers",
         "changes", "check_ins"}
    )  # fmt: skip

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
    proposers: list[str] = Field(default_factory=list, sa_type=Json)
    """Who set what it is now, by all that they go by: none of them approves it."""
    set_after_start: bool = False
    """Whether it was set, aimed at something else, or approved when its period had begun."""
    approved_on: date | None = None
    approved_by: str | None = None
    plan_rates: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    """What one unit of other currencies was worth in its own on the day of approval."""
    reason: str | None = None
    """Why it was changed the last time."""
    changes: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """What it was before each change, oldest first, with the day, who changed it and why."""
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
        by: Asker = NOBODY,
        stretch: Value | None = None,
        goal: str | None = None,
        parent: str | None = None,
        **identity: Any,
    ) -> tuple[Self, TargetSet]:
        """Set a target; `others` are those there are for this metric and this somebody, `by` is who asks."""
        _refuse_own(level, ref, by.member)
        for other in others:
            other._refuse_beside(period)
        rows = checked(value, dealt(value, shares) if shares else distribution, period)
        check_stretch(value, stretch, lower=lower)
        target = cls.make(
            metric=metric, level=level, ref=ref or "", label=period.label, starts_on=period.start, ends_on=period.end,
            beyond=stored(stretch), goal=goal, parent=parent, set_by=by.member, proposers=by.names,
            set_after_start=on > period.start, **columns_of(value, rows, shares), **identity,
        )  # fmt: skip
        return target, TargetSet(
            metric=metric, level=level, ref=ref, period=period, value=told(value), distribution=rows,
            stretch=told(stretch) if stretch is not None else None, goal=goal, parent=parent,
            set_after_start=target.set_after_start, externals=target.externals,
        )  # fmt: skip

    def change(
        self,
        on: date,
        *,
        value: Value | None = None,
        distribution: Sequence[tuple[date, Value]] | None = None,
        shares: Sequence[tuple[date, Decimal]] = (),
        stretch: Value | Unchanged | None = UNCHANGED,
        goal: str | Unchanged | None = UNCHANGED,
        by: Asker = NOBODY,
        reason: str | None = None,
        lower: bool = False,
    ) -> TargetChanged | None:
        """Aim at another value; shares of it stay what they are, amounts that do not sum to it must be sent anew.

        What was approved needs a reason to be changed, and to be approved again; what it was before is kept.
        """
        value = self.value if value is None else value
        if distribution is None and not shares:
            distribution, shares = self.distribution, self.shares
        rows = checked(value, dealt(value, shares) if shares else distribution or (), self.period)
        stretched = self.stretch if isinstance(stretch, Unchanged) else stretch
        columns = columns_of(value, rows, shares) | {"beyond": stored(stretched)}
        columns |= {} if isinstance(goal, Unchanged) else {"goal": goal}
        other = {_CALLED.get(name, name) for name, new in columns.items() if getattr(self, name) != new}
        if not other:
            return None
        self._refuse_if_closed()
        _refuse_own(self.level, self.ref, by.member)
        if unit_of(value) != unit_of(self.value):
            # Its parts, and what it is a part of, could not be added up with it.
            raise ChangedToAnotherUnit(unit=unit_of(self.value), other=unit_of(value))
        check_stretch(value, stretched, lower=lower)
        if self.approved_on is not None and reason is None:
            raise ReasonNeeded(on=self.approved_on, before=said(self.value))
        self._keep(on, value, other, by, reason)
        for name, new in columns.items():
            setattr(self, name, new)
        # Who changes another thing beside the value has not undone that somebody else has set the value.
        self.proposers = by.names if "value" in other else list(dict.fromkeys([*self.proposers, *by.names]))
        self.set_by, self.reason = by.member, reason
        self.approved_on, self.approved_by, self.plan_rates = None, None, {}
        self.set_after_start |= on > self.starts_on and other != {"goal"}
        return TargetChanged(
            value=told(value), distribution=rows, stretch=told(stretched) if stretched is not None else None,
            goal=self.goal, set_after_start=self.set_after_start,
        )  # fmt: skip

    def _keep(self, on: date, value: Value, other: Collection[str], by: Asker, reason: str | None) -> None:
        """Keep what it was before a change to this value."""
        before = {"value": stored(self.value), "rows": self.rows, "stretch": self.beyond, "goal": self.goal,
                  "approved_on": self.approved_on and self.approved_on.isoformat(), "approved_by": self.approved_by,
                  "plan_rates": self.plan_rates}  # fmt: skip
        change = {"on": on.isoformat(), "by": by.name, "reason": reason, "changed": sorted(other),
                  "value": stored(value), "before": before}  # fmt: skip
        self.changes = [*self.changes, change]

    def approve(self, on: date, *, by: Asker, theirs: Collection[str] = (), rates: Mapping[str, str]) -> TargetApproved:
        """Agree to it; neither whoever it is for (`theirs` are in its team, group or department, or lead it), nor who
        set it, can. The rates of the day are kept."""
        self._refuse_if_closed()
        if self.approved_on is not None:
            raise AlreadyApproved(on=self.approved_on)
        _refuse_own(self.level, self.ref, by.member)
        if by.member in theirs:
            raise OwnTarget(member=by.member, whose=f"their {self.level}")
        if by.is_among([*self.proposers, *([self.set_by] if self.set_by else [])]):
            raise SetByTheSame(proposer=by.name)
        self.approved_on, self.approved_by, self.plan_rates = on, by.name, dict(rates)
        self.set_after_start |= on > self.starts_on
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

    def place(
        self, parent: Target, above: Sequence[Target], by: str | None, former: Target | None = None
    ) -> TargetPlaced | None:
        """Be a part of another target; `above` are those that the other one is a part of, `former` is the one that this
        is a part of, which holds it unless it was closed."""
        if self.parent == parent.id:
            return None
        self._refuse_if_closed()
        _refuse_own(self.level, self.ref, by)
        if self.parent is not None and (former is None or former.closed_on is None):
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

    def close(self, on: date, by: str | None = None) -> TargetClosed:
        """Stop working on it; it stays to be seen. Nobody is rid of their own like that."""
        self._refuse_if_closed()
        _refuse_own(self.level, self.ref, by)
        self.closed_on = on
        return TargetClosed(on=on)

    def sum_of(self, parts: Sequence[Target]) -> Value:
        """What the targets it is made of sum to."""
        return sum_of([part.value for part in parts], self.value)

    def as_on(self, day: date) -> dict[str, Any]:
        """What was aimed at on a day, in the columns and with the changes it had then; nothing where it is the same."""
        later = [each for each in self.changes if day.isoformat() < each["on"]]
        if not later:
            return {}
        return {**later[0]["before"], "changes": self.changes[: len(self.changes) - len(later)]}

    def _refuse_beside(self, period: Period) -> None:
        if self.closed_on is not None:
            return
        mine = self.period
        if mine == period or (mine.start, mine.end) == (period.start, period.end):
            raise TargetExists(metric=self.metric, level=self.level, period=self.label, id=self.id)
        apart = mine.end <= period.start or period.end <= mine.start
        within = any(
            one.start <= other.start and other.end <= one.end for one, other in [(mine, period), (period, mine)]
        )
        if not apart and not within and not _is_week(mine) and not _is_week(period):
            raise TargetsOverlap(period=period, other=mine, id=self.id)

    def _refuse_if_closed(self) -> None:
        if self.closed_on is not None:
            raise TargetIsClosed(on=self.closed_on)


def _refuse_own(level: str, ref: str | None, by: str | None) -> None:
    if by is not None and level == "member" and ref == by:
        raise OwnTarget(member=by, whose=by)


_CALLED: Final = {"money": "value", "number": "value", "rows": "distribution", "beyond": "stretch"}
"""What columns are called in bodies."""


def _is_week(period: Period) -> bool:
    return "W" in period.label
