"""Members' quotas whose windows are not calendar periods: attainment by window, and by the calendar.

By window, whole windows are compared: all of a quota against all that was credited on its days, in the period in which
the window ends. By calendar, days are compared: what was credited on the days of the period that lie in windows,
against what the quotas have due on just these days. The two differ wherever a window straddles an end of the period,
and neither is the other. Of a department, a team and a group the quotas of its members count, of each on the days on
which they count for it, with what was credited to them on just these days: who moves within a window takes the rest of
it along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from services.metrics.facts.targets import TargetFact
from services.metrics.views.frame import Reading
from services.metrics.views.quotas import CIRCLES, Quota, counting_for, earned_for
from services.metrics.views.targets import Aim, joined_days, may_add_up, targets_of_level
from services.metrics.views.values import Amounts, shown_money_rate
from shared.period import Period

Choose = Callable[[TargetFact, Reading], Period | None]


def _whole_window(target: TargetFact, reading: Reading) -> Period | None:
    """The window, if it ends in the period and is over."""
    asked = reading.question.span.asked
    period = target.period
    return period if reading.question.period.start < period.end <= asked else None


def _days_asked(target: TargetFact, reading: Reading) -> Period | None:
    """The days of the window that are asked for and are over."""
    start = max(target.period.start, reading.question.period.start)
    end = min(target.period.end, reading.question.span.asked)
    return Period.between(start, end) if start < end else None


async def _quotas(reading: Reading, choose: Choose) -> Sequence[Quota]:
    """Each member's quotas; where two share days, the longer one stands for both."""
    found = await targets_of_level(reading, "member")
    quotas = []
    for member in sorted({target.ref for target in found}):
        if reading.filters.get("member") not in (None, member):
            continue
        aims: list[Aim] = []
        mine = [target for target in found if target.ref == member]
        for target in sorted(mine, key=lambda each: (-each.period.days, each.period.start)):
            days = choose(target, reading)
            if days is not None and not any(_meet(target.period, aim.target.period) for aim in aims):
                aims.append(Aim(target, days))
        counted = await counting_for(reading, member, aims)
        if counted:
            quotas.append(Quota(member, counted, tuple(joined_days([aim.days for aim in counted]))))
    return quotas


def _meet(one: Period, other: Period) -> bool:
    return one.start < other.end and other.start < one.end


def _of_members(reading: Reading) -> bool:
    """Whether the question is about a member, about those of one department, team or group, or about all of them."""
    return len(reading.filters) <= 1 and not set(reading.filters) - {"member", *CIRCLES}


async def quotas_of_windows(reading: Reading) -> Sequence[Quota]:
    """The quotas whose windows are compared as a whole."""
    return await _quotas(reading, _whole_window) if _of_members(reading) else []


async def quotas_of_days(reading: Reading) -> Sequence[Quota]:
    """The quotas that have something due on the days of the period."""
    return await _quotas(reading, _days_asked) if _of_members(reading) else []


async def window_attainment(reading: Reading) -> Any:
    """By quota window."""
    return await _attainment(reading, "quota_window_attainment", _whole_window, "no quota window ends in these days")


async def calendar_attainment(reading: Reading) -> Any:
    """By calendar period."""
    return await _attainment(reading, "quota_calendar_attainment", _days_asked, "no quota has days in the period yet")


async def _attainment(reading: Reading, figure: str, choose: Choose, nothing: str) -> Any:
    if not _of_members(reading):
        reading.note(figure, "quotas are set for members: ask for a member, a department, a team, a group, or for all")
        return None
    quotas = await _quotas(reading, choose)
    if not may_add_up(reading, figure, (quota.member for quota in quotas)):
        return None
    currencies = {code for quota in quotas for code in quota.currencies}
    if len(currencies) != 1:
        several = f"the quotas are in several currencies: {', '.join(sorted(currencies))}"
        reading.note(figure, several if currencies else nothing)
        return None
    (currency,) = currencies
    due = sum((aim.value for quota in quotas for aim in quota.aims), Fraction(0))
    earned = 0
    for quota in quotas:
        earned += await earned_for(reading, figure, quota, currency)
    rate = shown_money_rate(Amounts({currency: earned}), Amounts({currency: round(due)}))
    if rate is None:
        reading.note(figure, "nothing was aimed at")
    return rate
