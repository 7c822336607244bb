"""What the figures about targets are made of: what is aimed at, and the deals that what is reached comes from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.deals import DealFact
from services.metrics.facts.targets import TargetFact
from services.metrics.views.agreed import (
    at_plan,
    counted_by_lifecycle,
    counted_stretch,
    plan_of,
    stretches_of,
    unconverted,
)
from services.metrics.views.deal_rows import earned, hoped_for, open_at_end, show_deal
from services.metrics.views.frame import Reading
from services.metrics.views.opportunity import expected_of_targets
from services.metrics.views.other_targets import other_aims
from services.metrics.views.parts import inside, ledger_of, of_share, part
from services.metrics.views.pipeline import qualified_stages
from services.metrics.views.quota_windows import quotas_of_days, quotas_of_windows
from services.metrics.views.quotas import KEY, Quota, earned_for, quotas_of
from services.metrics.views.row_source import Conditions, Counted, Source, simple
from services.metrics.views.targets import Aim, aims_of, joined_days, reached, revenue_targets
from services.metrics.views.values import Amounts
from shared.money import Money
from shared.period import Period

_target = TargetFact.__table__.c  # type: ignore[attr-defined]
Tell = Callable[[Any], dict[str, Any]]
"""How what a row adds is told: above the line, below it, added or taken off."""


def _above(value: Any) -> dict[str, Any]:
    return part({"numerator": value})


def _below(value: Any) -> dict[str, Any]:
    return part({"denominator": value})


def _show_target(target: TargetFact) -> dict[str, Any]:
    whose = {target.level: target.ref} if target.ref else {}
    number = {"number": target.number} if target.number is not None else {}
    rows = [{"on": on, "value": value if target.number is not None else _money(value, target.currency)}
            for on, value in target.rows]  # fmt: skip
    shown = simple("target", "metric", "level", "start", "end", "goal", "parent", "closed_on")(target)
    return {**shown, **whose, **number, "distribution": rows, "set_after_start": target.set_late}


def _money(minor: Fraction | int, currency: str) -> dict[str, str]:
    return Money.of_minor(round(minor), currency).as_json()


def _aims(conditions: Conditions, counts: Counted | None = None) -> Source:
    """Targets as rows: of members those whose own figures the reader may see."""
    return Source(TargetFact, conditions, _show_target, lambda theirs: sa.or_(
        _target.level != "member", _target.ref.in_(theirs)
    ), counted=counts)  # fmt: skip


async def _targets(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_target.id.in_([target.id for target in await revenue_targets(reading)])]


def _aimed(
    tell: Tell, due: Callable[[Reading, Aim], Fraction] = lambda reading, aim: aim.value, sign: int = 1
) -> Counted:
    """What of each target is aimed at in the period, or due in it by some day."""

    async def count(reading: Reading, targets: Sequence[TargetFact]) -> Sequence[Mapping[str, Any]]:
        amounts: dict[str, Fraction] = {}
        currencies: dict[str, str] = {}
        for aim in await aims_of(reading, "target"):
            key, currencies[aim.target.id] = aim.target.id, aim.target.currency
            amounts[key] = amounts.get(key, Fraction(0)) + due(reading, aim)
        return [tell(_money(sign * amounts[each.id], currencies[each.id])) for each in targets]

    return count


def _by_asked(reading: Reading, aim: Aim) -> Fraction:
    return aim.before(reading.question.span.asked)


async def _stretches(reading: Reading) -> list[Reading]:
    """The same question about the targets' days, one stretch after the other; none where nothing is held against
    them."""
    found = await reached(reading, "attainment")
    if found is None:
        return []
    stretches = joined_days([aim.days for aim in await aims_of(reading, "attainment")])
    return [reading.into(found.currency).over(Period.between(*days)) for days in stretches]


async def _reaching(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """The deals that brought something on the targets' days."""
    brought = [sa.and_(*await earned(each)) for each in await _stretches(reading)]
    return [sa.or_(sa.false(), *brought)]


async def _brought(reading: Reading, deal: DealFact, stretches: Sequence[Reading]) -> int:
    return sum([inside(await ledger_of(each, deal), "won").amount.of(each.question.currency) for each in stretches])


def _reached(tell: Tell) -> Counted:
    """What each deal brought on the targets' days, in their currency."""

    async def count(reading: Reading, deals: Sequence[DealFact]) -> Sequence[Mapping[str, Any]]:
        stretches = await _stretches(reading)
        return [tell(_money(await _brought(reading, deal, stretches), stretches[0].question.currency))
                for deal in deals]  # fmt: skip

    return count


def _deals_and_targets(of_deal: Tell, of_target: Counted) -> Source:
    return Source(DealFact, _reaching, show_deal, counted=_reached(of_deal), then=_aims(_reached_targets, of_target))


async def _reached_targets(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return await _targets(reading) if await _stretches(reading) else [sa.false()]


async def _short_of(reading: Reading, targets: Sequence[TargetFact]) -> Sequence[Mapping[str, Any]]:
    """Each target is taken off what was reached, and is what the rest is a share of."""
    whole = await _aimed(part)(reading, targets)
    off = await _aimed(part, sign=-1)(reading, targets)
    return [of_share(less["part"], more["part"]) for less, more in zip(off, whole, strict=True)]


async def _covering(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """The deals that are open at the end, and those that have brought a part of the target."""
    return [sa.or_(sa.and_(*await open_at_end(reading)), *await _reaching(reading))]


def _covers(*, qualified: bool) -> Counted:
    """What each deal may still bring, against what is left of the target without what it has brought."""

    async def count(reading: Reading, deals: Sequence[DealFact]) -> Sequence[Mapping[str, Any]]:
        stretches, found = await _stretches(reading), []
        if not stretches:
            return [part(None) for _ in deals]
        stages = await qualified_stages(reading) if qualified else None
        for deal in deals:
            currency = stretches[0].question.currency
            may_bring = hoped_for(await ledger_of(reading.into(currency), deal), stages).of(currency)
            brought = await _brought(reading, deal, stretches)
            found.append(of_share(_money(may_bring, currency), _money(-brought, currency)))
        return found

    return count


def _of_quotas(quotas: Callable[[Reading], Awaitable[Sequence[Quota]]]) -> Conditions:
    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        return [_target.id.in_([aim.target.id for quota in await quotas(reading) for aim in quota.aims])]

    return conditions


def _credited(figure: str, quotas: Callable[[Reading], Awaitable[Sequence[Quota]]]) -> Counted:
    """What each target has due, and with the first target of each member what was credited to that member."""

    async def count(reading: Reading, targets: Sequence[TargetFact]) -> Sequence[Mapping[str, Any]]:
        found, theirs = [], {quota.member: quota for quota in await quotas(reading)}
        for target in targets:
            quota = theirs[target.ref]
            due = sum((aim.value for aim in quota.aims if aim.target.id == target.id), Fraction(0))
            (currency,) = quota.currencies
            earned = await earned_for(reading, figure, quota, currency) if _is_first(target, quota) else 0
            found.append(of_share(_money(earned, currency), _money(due, currency)))
        return found

    return count


def _is_first(target: TargetFact, quota: Quota) -> bool:
    return target.id == min(aim.target.id for aim in quota.aims)


async def _who_reached(reading: Reading, targets: Sequence[TargetFact]) -> Sequence[Mapping[str, Any]]:
    """What each target has due by the end and what was credited to its member; each member counts once, with the first
    target."""
    found, asked = [], reading.question.span.asked
    theirs = {quota.member: quota for quota in await quotas_of(reading)}
    for target in targets:
        quota = theirs[target.ref]
        if len(quota.currencies) > 1:
            found.append(of_share(0, 0))
            continue
        (currency,) = quota.currencies
        earned, due = await earned_for(reading, KEY, quota, currency), quota.due(asked)
        counts = of_share(int(earned >= due), 1) if _is_first(target, quota) else of_share(0, 0)
        found.append({"due": _money(due, currency), "earned": _money(earned, currency), **counts})
    return found


async def _others(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_target.id.in_([aim.target.id for _, aim in await other_aims(reading) or ()])]


async def _expected_of(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_target.id.in_(list(await expected_of_targets(reading, "target_adjusted")))]


def _expected(tell: Tell) -> Counted:
    """What may be expected of each member's target."""

    async def count(reading: Reading, targets: Sequence[TargetFact]) -> Sequence[Mapping[str, Any]]:
        found = await expected_of_targets(reading, "target_adjusted")
        state = await reached(reading, "target_adjusted")
        currency = state.currency if state is not None else ""
        return [tell(_money(found[each.id].value, currency)) for each in targets]

    return count


async def _below_stretch(reading: Reading, targets: Sequence[TargetFact]) -> Sequence[Mapping[str, Any]]:
    return [_below(each["part"]) for each in await counted_stretch(reading, targets)]


async def _at_plan(reading: Reading, deals: Sequence[DealFact]) -> Sequence[Mapping[str, Any]]:
    """What each deal brought on the targets' days, at the rates of the plan."""
    own = unconverted(reading)
    plan, found = await plan_of(own), []
    if plan is None:
        return [part(None) for _ in deals]
    aims, currency, rates = plan
    for deal in deals:
        won = [inside(await ledger_of(each, deal), "won").amount for each in stretches_of(own, aims)]
        found.append(_above(_money(at_plan(Amounts.total(won), currency, rates), currency)))
    return found


def _cover(*, qualified: bool) -> Source:
    then = _aims(_reached_targets, _aimed(_below))
    return Source(DealFact, _covering, show_deal, counted=_covers(qualified=qualified), then=then)


TARGET_ROWS: Mapping[str, Source] = {
    "targets": _aims(_targets, _aimed(part)),
    "attained": _deals_and_targets(_above, _aimed(_below)),
    "attained_of_due": _deals_and_targets(_above, _aimed(_below, _by_asked)),
    "varied": _deals_and_targets(part, _aimed(part, sign=-1)),
    "varied_of_target": _deals_and_targets(_above, _short_of),
    "coverage": _cover(qualified=False),
    "coverage_qualified": _cover(qualified=True),
    "attained_at_plan": Source(
        DealFact, _reaching, show_deal, counted=_at_plan, then=_aims(_reached_targets, _aimed(_below))
    ),
    "stretches": _aims(_targets, counted_stretch),
    "attained_of_stretch": _deals_and_targets(_above, _below_stretch),
    "targets_by_lifecycle": _aims(_targets, counted_by_lifecycle),
    "other_targets": _aims(_others),
    "quotas": _aims(_of_quotas(quotas_of), _who_reached),
    "quota_windows": _aims(_of_quotas(quotas_of_windows), _credited("quota_window_attainment", quotas_of_windows)),
    "quotas_of_days": _aims(_of_quotas(quotas_of_days), _credited("quota_calendar_attainment", quotas_of_days)),
    "expected": _aims(_expected_of, _expected(part)),
    "attained_of_expected": Source(
        DealFact, _reaching, show_deal, counted=_reached(_above), then=_aims(_expected_of, _expected(_below))
    ),
}
