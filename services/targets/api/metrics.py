"""`/v1/metrics` and `/v1/readings`: what can be aimed at, and what is measured of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, Field, StringConstraints

from services.targets.api.aims import AimValue, shown_value
from services.targets.api.scopes import Scope, whose
from services.targets.domain.aims import check_unit
from services.targets.domain.metrics import BUILT_IN, FROM_READINGS, Metric
from services.targets.domain.readings import ComputedMetric, Reading
from shared.errors import Conflict, Fault, Invalid
from shared.http.bodies import Body, Name, Named, Text, shown
from shared.http.collection import Collection, fresh
from shared.http.runtime import Runtime
from shared.identity.permissions import Principal
from shared.instant import Day, now
from shared.known import KnownMember, KnownTeam, today
from shared.measured import BASES, computed_from
from shared.store import Context, Job, Snapshot, Tx

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

_KEYS = sa.select(Metric.__table__.c.id).order_by(Metric.__table__.c.id)  # type: ignore[attr-defined]

metrics = Collection(Metric, "metrics", filters={"unit": "unit", "direction": "direction"})


class DefineMetric(Named):
    """Something that an organisation measures; its key is its id."""

    key: Key = Field(examples=["visits"])
    name: Name = Field(examples=["Visits"])
    unit: Literal["money", "number"] = "number"
    direction: Literal["higher", "lower"] = Field(default="higher", description="whether more or less of it is better")
    aggregation: Literal["sum", "mean", "last"] = Field(
        default="sum", description="how the readings of several days become one"
    )
    date_field: Name | None = Field(default=None, description="the day by which it counts")
    basis: Text | None = Field(
        default=None,
        description="what exactly is counted; computed, and not measured by readings, are "
        + ", ".join(f"`{key}` by `{each.date_field}`" for key, each in BASES.items()),
    )


class ChangeMetric(Named):
    """What to change about a metric; its unit, direction and aggregation stay."""

    key: Key | None = None
    name: Name = ""
    unit: Literal["money", "number"] | None = None
    direction: Literal["higher", "lower"] | None = None
    aggregation: Literal["sum", "mean", "last"] | None = None
    date_field: Name | None = None
    basis: Text | None = None


@metrics.create
async def define_metric(tx: Tx, body: DefineMetric) -> Metric:
    """Say what is measured, in which unit and whether more of it is better."""
    if await tx.seek_unlocked(Metric, body.key) is not None:
        raise Conflict(f"There is a metric {body.key} already.", [Fault("/key", "is taken")])
    described = body.model_dump(include={"name", "unit", "direction", "aggregation", "date_field", "basis"})
    metric, defined = Metric.define(**described, **fresh(Metric, body) | {"id": body.key})
    return tx.save(metric, defined)


@metrics.amend
async def change_metric(tx: Tx, metric: Metric, body: ChangeMetric) -> Metric:
    """Describe a metric differently."""
    sent = body.sent()
    if sent.pop("key", metric.id) != metric.id:
        raise Conflict(f"The key of a metric stays {metric.id}.", [Fault("/key", "differs from what is stored")])
    return tx.save(metric, metric.change(**sent))


async def found_metrics(runtime: Runtime) -> None:
    """The metrics that are there from the beginning."""

    async def begin(tx: Tx) -> None:
        for known, built_in in ((BUILT_IN, True), (FROM_READINGS, False)):
            for key, described in known.items():
                if await tx.seek(Metric, key) is None:
                    tx.save(*Metric.define(id=key, built_in=built_in, externals={}, **described))

    await runtime.store.write(Job(begin, Context(now())))


async def metric_of(tx: Tx, key: str, at: str = "/metric") -> Metric:
    """The metric a body names, locked: what is aimed at in one metric is judged one after the other."""
    metric = await tx.seek(Metric, key)
    if metric is None:
        known = ", ".join(repr(each) for (each,) in await tx.rows(_KEYS))
        detail = f"there is no metric {key!r}; there are {known}"
        raise Invalid.at(at, detail)
    return metric


class ReadingShown(BaseModel):
    """Whose reading it is, and what was measured."""

    scope: Scope
    value: AimValue


async def _present(snapshot: Snapshot, found: Sequence[Reading], reader: Principal | None) -> list[dict[str, Any]]:
    return [
        shown(each)
        | {"scope": {"level": each.level, "ref": each.ref or None}, "value": shown_value(each.value)}
        for each in found
    ]  # fmt: skip


def _on_day(reading: Any, day: date) -> dict[str, Any] | None:
    if day < reading.on:
        return None
    gone = reading.withdrawn_on is not None and day < reading.withdrawn_on
    return {"withdrawn_on": None} if gone else {}


readings = Collection(
    Reading,
    "readings",
    filters={"metric": "metric", "member": "member", "team": "team", "department": "department"},
    refs={"member": KnownMember, "team": KnownTeam},
    present=_present,
    extra=ReadingShown,
    on_day=_on_day,
)


class TakeReading(Named):
    """What was measured of somebody on a day."""

    metric: Key = Field(examples=["activities"])
    scope: Scope
    on: Day | None = None
    value: AimValue = Field(examples=["12"])


class WithdrawReading(Body):
    """The day on which a reading was found to be wrong."""

    on: Day | None = None


@readings.create
async def take_reading(tx: Tx, body: TakeReading) -> Reading:
    """Note what was measured; of a member it counts for the team and department of that day, too."""
    metric = await metric_of(tx, body.metric)
    if metric.built_in or computed_from(metric) is not None:
        raise ComputedMetric(metric=metric.id, basis=metric.basis)
    check_unit(metric.id, money=metric.money, values=[body.value])
    on = body.on or await today(tx)
    ref = await whose(tx, body.scope)
    reading, taken = Reading.take(
        metric=metric.id, level=body.scope.level, ref=ref, on=on, value=body.value,
        **await _place(tx, body.scope.level, ref, on), **fresh(Reading, body),
    )  # fmt: skip
    return tx.save(reading, taken)


@readings.verb("withdraw", undoes=True)
async def withdraw_reading(tx: Tx, reading: Reading, body: WithdrawReading) -> Reading:
    """Say that a reading was wrong."""
    return tx.save(reading, reading.withdraw(body.on or await today(tx)))


async def _place(tx: Tx, level: str, ref: str | None, on: date) -> dict[str, str | None]:
    if level == "member" and ref is not None:
        member = await tx.recall(KnownMember, ref)
        assert member is not None
        return {"member": ref, "team": member.team_on(on), "department": member.department_on(on)}
    if level == "team" and ref is not None:
        team = await tx.recall(KnownTeam, ref)
        return {"team": ref, "department": team.department if team else None}
    return {"department": ref if level == "department" else None}
