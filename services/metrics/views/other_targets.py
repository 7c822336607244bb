"""Targets of other metrics than revenue, and how far they are reached: margin, deals, customers, answers, readings.

Of different metrics nothing is added up, and nobody's targets stand for somebody else's: each stands by itself. Of a
metric that adds up over days a period takes what the target's distribution has due in it, as of revenue; a mean, or the
last of something, is aimed at as a whole on every day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.goals import MetricFact
from services.metrics.facts.targets import TargetFact
from services.metrics.views.achieved import Achieved, achieved, metrics_of
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.targets import DURING, LEVELS, Aim
from shared.attainment import Attainment
from shared.money import plain, rounded
from shared.opportunity import standing
from shared.period import Period
from shared.rates import as_money
from shared.store.sql import OneOf

KEY: Final = "other_targets"
_target = TargetFact.__table__.c  # type: ignore[attr-defined]
_OF_ALL = DURING.where(OneOf(_target.metric, "metrics"))
_OF_ONE = _OF_ALL.where(_target.ref == sa.bindparam("ref"))
Units = Callable[[Fraction], Any]


async def other_aims(reading: Reading) -> Sequence[tuple[MetricFact, Aim]] | None:
    """The targets of whoever the question is about that stand for its period; none where it is about nobody who has
    targets."""
    level, ref = next(iter(reading.filters.items()), ("organisation", ""))
    if len(reading.filters) > 1 or level not in ("organisation", *LEVELS):
        return None
    metrics = {key: each for key, each in (await metrics_of(reading)).items() if key != "revenue"}
    return list(_standing(metrics, await _targets(reading, list(metrics), level, ref), reading.question.period))


def _standing(
    metrics: Mapping[str, MetricFact], found: Sequence[TargetFact], period: Period
) -> Iterator[tuple[MetricFact, Aim]]:
    for metric, theirs in groupby(sorted(found, key=lambda each: each.metric), key=lambda each: each.metric):
        for target, days in sorted(standing(list(theirs), period), key=lambda each: each[1].start):
            yield metrics[metric], Aim(target, days)


async def _targets(reading: Reading, metrics: Sequence[str], level: str, ref: str) -> Sequence[TargetFact]:
    """The targets of one; for the rows of a breakdown those of all are read once."""
    period = reading.question.period
    days = {"metrics": metrics, "level": level, "start": period.start, "end": period.end}
    if not metrics:
        return []
    if reading.along is None:
        return await reading.snapshot.all(TargetFact, _OF_ONE, ref=ref, **days)
    found: dict[str, list[TargetFact]] = await reading.shared(
        f"other targets by {level}", lambda: _by_ref(reading, days)
    )
    return found.get(ref, [])


async def _by_ref(reading: Reading, days: Mapping[str, Any]) -> dict[str, list[TargetFact]]:
    found: dict[str, list[TargetFact]] = {}
    for each in await reading.snapshot.all(TargetFact, _OF_ALL, **days):
        found.setdefault(each.ref, []).append(each)
    return found


async def other_targets(reading: Reading) -> Any:
    """Each with what was achieved of it by the end."""
    aims = await other_aims(reading)
    if not aims:
        about = "targets are set for the organisation, a department, a team, a group or a member"
        reading.note(KEY, about if aims is None else "no target of another metric than revenue is set for these days")
        return None
    found, unknown = [], []
    for metric, aim in aims:
        aim = Aim(await _asked(reading, aim.target), aim.days)
        got = await _achieved(reading, metric, aim)
        unknown += [f"{metric.id}: {why}" for why in got.notes]
        found.append(_shown(reading, metric, aim, got.amount))
    if unknown:
        reading.note(KEY, "; ".join(dict.fromkeys(unknown)))
    return found


async def _asked(reading: Reading, target: TargetFact) -> TargetFact:
    """A target in the currency that is asked for, if it is one of money."""
    settling = await reading.settling()
    return target if settling is None or target.number is not None else settling.aimed(target)


async def _achieved(reading: Reading, metric: MetricFact, aim: Aim) -> Achieved:
    before = min(aim.days.end, reading.question.span.asked)
    if before <= aim.days.start:
        return Achieved(Fraction(0) if metric.aggregation == "sum" else None)
    days = Period.between(aim.days.start, before)
    return await achieved(reading, metric, aim.target.level, aim.target.ref, days, aim.target.currency)


def _shown(reading: Reading, metric: MetricFact, aim: Aim, actual: Fraction | None) -> dict[str, Any]:
    before = max(aim.days.start, reading.question.span.asked)
    value, due = aim.value, aim.before(before)
    if metric.aggregation != "sum":
        value, due = aim.target.value, aim.target.value if before > aim.days.start else Fraction(0)
    state = Attainment(value, actual or Fraction(0), due, metric.direction == "lower")
    figures = state.shown(_unit(aim.target)) | {"reached": state.reached, "health": state.health}
    if actual is None:
        figures = dict.fromkeys(figures) | {"target": figures["target"]}
    return {
        "ref": aim.target.id,
        "metric": metric.id,
        "unit": metric.unit,
        "direction": metric.direction,
        "period": aim.days.as_json(),
        **figures,
    }


def _unit(target: TargetFact) -> Units:
    if target.number is not None:
        return lambda amount: plain(rounded(amount))
    return lambda amount: as_money(amount, target.currency).as_json()


OTHER_TARGETS: Final = Figure(
    KEY, "Targets of other metrics than revenue that are set for whoever is asked about, one by one, in the unit of "
    "their metric: what of each is aimed at in the period, what was achieved of it by the end, and how far that is.",
    other_targets, KEY,
)  # fmt: skip
