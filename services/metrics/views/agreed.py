"""What was agreed on with the revenue targets, and how they go: plan rates, stretches, lifecycle and health.

A target keeps what other currencies were worth in its own on the day it was approved. At these rates attainment says
how the selling went; at the rates of the days it also says how currencies did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from services.metrics.facts.targets import TargetFact
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.targets import Aim, aims_of, joined_days, reached
from services.metrics.views.values import Amounts, shown_money, shown_money_rate
from shared.money import Money
from shared.period import Period
from shared.rates import fraction_of, in_minor

AT_PLAN: Final = "attainment_at_plan"
LIFECYCLES: Final = ("draft", "approved", "closed")
Plan = Mapping[str, Fraction]
"""What a unit of each currency is worth by the plan."""


def unconverted(reading: Reading) -> Reading:
    """The same question with each amount in the currency it is in."""
    return Reading(reading.snapshot, replace(reading.question, into=None), reading.shelf, reading.along)


async def plan_of(reading: Reading) -> tuple[Sequence[Aim], str, Plan] | None:
    """The targets of whoever is asked about, their currency and the rates they were approved at; none, with a note,
    where these are not known or not the same."""
    aims = await aims_of(reading, AT_PLAN)
    if not aims:
        return None
    currencies, drafts = {aim.target.currency for aim in aims}, _drafts(aims)
    if len(currencies) > 1 or drafts:
        several = f"the targets are in several currencies: {', '.join(sorted(currencies))}"
        reading.note(AT_PLAN, f"{drafts} of the targets are not approved: they keep no rates" if drafts else several)
        return None
    plans = {tuple(sorted(aim.target.plan_rates.items())) for aim in aims}
    if len(plans) > 1:
        reading.note(AT_PLAN, "the targets were approved at different rates; ask for each of them")
        return None
    (currency,) = currencies
    return aims, currency, {code: fraction_of(rate) for code, rate in plans.pop()} | {currency: Fraction(1)}


def _drafts(aims: Sequence[Aim]) -> int:
    return len({aim.target.id for aim in aims if aim.target.approved_on is None})


def at_plan(earned: Amounts, currency: str, plan: Plan) -> Fraction:
    """What was earned, in the target's currency at the rates of the plan."""
    return sum(
        (Fraction(minor) if code == currency else in_minor(minor, code, currency, plan[code])
         for code, minor in earned),
        Fraction(0),
    )  # fmt: skip


async def attainment_at_plan(reading: Reading) -> Any:
    """Revenue at the rates of the plan ÷ target."""
    own = unconverted(reading)
    found = await plan_of(own)
    if found is None:
        reading.note(AT_PLAN, own.notes.get(AT_PLAN, "no revenue target is set for these days"))
        return None
    aims, currency, plan = found
    earned = Amounts.total([(await each.flow("won")).amount for each in stretches_of(own, aims)])
    if unknown := [code for code in earned.besides(currency) if code not in plan]:
        reading.note(AT_PLAN, f"the plan keeps no rate of {', '.join(unknown)}")
        return None
    aimed = sum((aim.value for aim in aims), Fraction(0))
    reached_at = Amounts({currency: round(at_plan(earned, currency, plan))})
    return shown_money_rate(reached_at, Amounts({currency: round(aimed)}))


def stretches_of(reading: Reading, aims: Sequence[Aim]) -> list[Reading]:
    """The same question about the targets' days, one stretch after the other."""
    return [reading.over(Period.between(*days)) for days in joined_days([aim.days for aim in aims])]


def stretched(aim: Aim) -> Fraction | None:
    """What would be more than was asked for, the period's part of it; none where that was not said."""
    if aim.target.stretch is None:
        return None
    part = aim.value / aim.target.value if aim.target.value else Fraction(1)
    return Fraction(aim.target.stretch) * part


async def _stretch_of(reading: Reading, figure: str) -> tuple[Fraction, str] | None:
    aims = await aims_of(unconverted(reading), figure)
    if not aims:
        await aims_of(reading, figure)
        return None
    parts, currencies = [stretched(aim) for aim in aims], {aim.target.currency for aim in aims}
    known = [each for each in parts if each is not None]
    if len(known) < len(aims) or len(currencies) > 1:
        reading.note(figure, f"{len(known)} of {len(aims)} targets say what a stretch would be, in one currency")
        return None
    return sum(known, Fraction(0)), currencies.pop()


async def stretch(reading: Reading) -> Any:
    """More than was asked for."""
    found = await _stretch_of(reading, "stretch")
    return None if found is None else shown_money(Amounts({found[1]: round(found[0])}), found[1])


async def stretch_attainment(reading: Reading) -> Any:
    """Revenue of the targets' days ÷ stretch."""
    found, state = await _stretch_of(reading, "stretch_attainment"), await reached(unconverted(reading), AT_PLAN)
    if found is None or state is None:
        return None
    value, currency = found
    return shown_money_rate(Amounts({currency: round(state.state.actual)}), Amounts({currency: round(value)}))


async def target_health(reading: Reading) -> Any:
    """How the targets go, from their pace."""
    found = await reached(reading, "target_health")
    if found is None:
        return None
    if found.state.health is None:
        reading.note("target_health", "nothing is due yet")
    return found.state.health


async def target_lifecycle(reading: Reading) -> Any:
    """How many of the targets are drafts, approved and closed."""
    targets = {aim.target.id: aim.target for aim in await aims_of(reading, "target_lifecycle")}
    if not targets:
        return None
    told = Counter(each.lifecycle(reading.question.span.last_asked) for each in targets.values())
    return {each: told[each] for each in LIFECYCLES}


async def counted_by_lifecycle(reading: Reading, targets: Sequence[TargetFact]) -> Sequence[Mapping[str, Any]]:
    """Each counts where it has come to by the end."""
    return [{"part": {each.lifecycle(reading.question.span.last_asked): 1}} for each in targets]


async def counted_stretch(reading: Reading, targets: Sequence[TargetFact]) -> Sequence[Mapping[str, Any]]:
    """What would be more than was asked for, of each."""
    parts: Counter[str] = Counter()
    for aim in await aims_of(unconverted(reading), "stretch"):
        parts[aim.target.id] += round(stretched(aim) or 0)
    return [{"part": Money.of_minor(parts[each.id], each.currency).as_json()} for each in targets]


AGREED: Final = (
    Figure(AT_PLAN, "Revenue of the target's days ÷ target, other currencies at the rates that were kept when the "
           "target was approved; `attainment` has them at the rates of their days.", attainment_at_plan,
           "attained_at_plan"),
    Figure("stretch", "What would be more than was asked for: the sum of the stretches of the targets, of longer ones "
           "the period's part.", stretch, "stretches"),
    Figure("stretch_attainment", "Revenue of the target's days ÷ stretch, never capped.", stretch_attainment,
           "attained_of_stretch"),
    Figure("target_health", "How the targets go by their pace: `on_track` from 0.95 on, `at_risk` from 0.8 on, else "
           "`behind`; how far they are agreed on is another figure.", target_health, "attained_of_due"),
    Figure("target_lifecycle", "How many of the targets are drafts, approved or closed at the end; how they go is "
           "another figure.", target_lifecycle, "targets_by_lifecycle"),
)  # fmt: skip
