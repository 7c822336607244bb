"""`/v1/targets`: what is aimed at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal, get_args

import sqlalchemy as sa
from pydantic import BaseModel, Field, model_validator

from services.targets.api.aims import AimValue, shown_value
from services.targets.domain.targets import LEVELS, METRICS, Target, Value
from services.targets.known import period_of
from shared.asked_period import AskedPeriod
from shared.errors import Conflict, Fault
from shared.facts import Fact
from shared.http.bodies import Body, Named, Ref, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day
from shared.known import KnownDepartment, KnownGroup, KnownMember, KnownTeam, known, today
from shared.period import Period
from shared.store import Snapshot, Tx

_target = Target.__table__.c  # type: ignore[attr-defined]
_SAME = sa.select(Target).where(
    _target.metric == sa.bindparam("metric"),
    _target.level == sa.bindparam("level"),
    _target.ref == sa.bindparam("ref"),
    _target.starts_on == sa.bindparam("start"),
    _target.ends_on == sa.bindparam("end"),
)
Metric = Literal["revenue", "margin", "deals_won", "customers_won"]
Level = Literal["organisation", "department", "team", "group", "member"]
assert get_args(Metric) == METRICS
assert get_args(Level) == LEVELS
_KNOWN: dict[str, type[Fact]] = {
    "department": KnownDepartment, "team": KnownTeam, "group": KnownGroup, "member": KnownMember,
}  # fmt: skip


class Scope(Body):
    """Whose target it is; the organisation needs no reference."""

    level: Level
    ref: Ref | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> Scope:
        if (self.level == "organisation") != (self.ref is None):
            detail = "there is one organisation, it needs no ref" if self.ref else f"say in ref which {self.level}"
            raise ValueError(detail)
        return self


class DueRow(Body):
    """What is due from a day on, until the next row's day."""

    on: Day
    value: AimValue


class TargetShown(BaseModel):
    """A target's scope, period, value and distribution."""

    scope: Scope
    period: Period
    value: AimValue
    distribution: list[DueRow]


async def _present(snapshot: Snapshot, found: Sequence[Target], reader: Principal | None) -> list[dict[str, Any]]:
    return [
        shown(target)
        | {
            "scope": {"level": target.level, "ref": target.ref or None},
            "period": target.period.as_json(),
            "value": shown_value(target.value),
            "distribution": [{"on": day, "value": shown_value(value)} for day, value in target.distribution],
        }
        for target in found
    ]


def _on_day(target: Any, day: date) -> dict[str, Any] | None:
    if not target.period.contains(day):
        return None
    return {"closed_on": None} if target.closed_on is not None and day < target.closed_on else {}


targets = Collection(
    Target,
    "targets",
    filters={"metric": "metric", "level": "level", "ref": "ref", "from": "starts_on", "to": "ends_on"},
    present=_present,
    extra=TargetShown,
    on_day=_on_day,
)


class SetTarget(Named):
    """So much of a metric, aimed at by somebody in a period."""

    metric: Metric
    scope: Scope
    period: AskedPeriod
    value: AimValue = Field(examples=[{"amount": "250000.00", "currency": "EUR"}])
    distribution: list[DueRow] = Field(
        default=[], max_length=400, description="rows that sum to the value; without them it is due evenly"
    )


class ChangeTarget(Named):
    """Another value or distribution of a target; its metric, scope and period stay."""

    metric: Metric = "revenue"
    scope: Scope = Scope(level="organisation")
    period: AskedPeriod = AskedPeriod("1900")
    value: AimValue | None = None
    distribution: list[DueRow] = Field(default_factory=list, max_length=400)


class CloseTarget(Body):
    """The day from which a target is not worked on any more."""

    on: Day | None = None


@targets.create
async def set_target(tx: Tx, body: SetTarget) -> Target:
    """Aim at something."""
    ref, period = await _whose(tx, body.scope), await period_of(tx, body.period)
    same = await tx.all(
        Target, _SAME, metric=body.metric, level=body.scope.level, ref=ref or "", start=period.start, end=period.end
    )
    target, aimed = Target.aim(
        metric=body.metric,
        level=body.scope.level,
        ref=ref,
        period=period,
        value=body.value,
        distribution=_rows(body.distribution),
        same=same[0] if same else None,
        **fresh(Target, body),
    )
    return tx.save(target, aimed)


@targets.amend
async def change_target(tx: Tx, target: Target, body: ChangeTarget) -> Target:
    """Aim at another value, or distribute it differently."""
    sent = body.sent()
    if "metric" in sent and body.metric != target.metric:
        raise _fixed("metric", target.metric)
    if "scope" in sent and (body.scope.level, await _whose(tx, body.scope) or "") != (target.level, target.ref):
        raise _fixed("scope", f"{target.level} {target.ref}".strip())
    if "period" in sent and await period_of(tx, body.period) != target.period:
        raise _fixed("period", target.label)
    rows: list[tuple[date, Value]] | None = _rows(body.distribution) if "distribution" in sent else None
    return tx.save(target, target.change(value=body.value, distribution=rows))


@targets.verb("close")
async def close_target(tx: Tx, target: Target, body: CloseTarget) -> Target:
    """Stop working on a target."""
    return tx.save(target, target.close(body.on or await today(tx)))


async def _whose(tx: Tx, scope: Scope) -> str | None:
    if scope.ref is None:
        return None
    found: Fact = await known(tx, _KNOWN[scope.level], scope.ref, "/scope/ref")
    return found.id


def _rows(rows: Sequence[DueRow]) -> list[tuple[date, Value]]:
    return [(row.on, row.value) for row in rows]


def _fixed(field: str, stored: str) -> Conflict:
    detail = f"the {field} of a target stays {stored}; close it and set another one"
    return Conflict(f"/{field}: {detail}.", [Fault(f"/{field}", detail)])
