"""How are we selling? Customers, deals, revenue, the pipeline and the targets."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.metrics.facts.requests import RequestFact
from services.metrics.views import pipeline
from services.metrics.views.agreed import AGREED
from services.metrics.views.challenges import CHALLENGES
from services.metrics.views.customers import CUSTOMER_FIGURES
from services.metrics.views.frame import Compute, Figure, Reading, View
from services.metrics.views.goals import GOALS
from services.metrics.views.handovers import HANDOVER_FIGURES
from services.metrics.views.line_of_sight import FIGURES as LINE_OF_SIGHT
from services.metrics.views.merits import MERITS
from services.metrics.views.opportunity import FIGURES as EXPECTED
from services.metrics.views.other_targets import OTHER_TARGETS
from services.metrics.views.people import here_at_the_end
from services.metrics.views.pipeline import GOES_IN_AND_OUT
from services.metrics.views.quota_windows import calendar_attainment, window_attainment
from services.metrics.views.quotas import quota_attainment_rate
from services.metrics.views.relationships import CLIENTS, CSAT_BY_RELATIONSHIP, PUBLIC
from services.metrics.views.satisfaction import SATISFACTION
from services.metrics.views.spend import SALES
from services.metrics.views.support import REPUTATION
from services.metrics.views.targets import reached, targeted
from services.metrics.views.values import Amounts, mean, shown_money, shown_money_rate, shown_rate

_request = RequestFact.__table__.c  # type: ignore[attr-defined]


def money(reading: Reading, amounts: Amounts) -> dict[str, Any]:
    """Money as this question wants it shown."""
    return shown_money(amounts, reading.question.currency)


async def revenue_of(reading: Reading) -> Amounts:
    """What the deals won in the period brought."""
    return (await reading.flow("won")).amount


async def revenue(reading: Reading) -> Any:
    """What the deals won in the period brought, as it is shown."""
    return money(reading, await revenue_of(reading))


async def deals_opened(reading: Reading) -> int:
    """Deals opened in the period."""
    return (await reading.flow("opened")).count


async def deals_won(reading: Reading) -> int:
    """Deals won in the period."""
    return (await reading.flow("won")).count


async def deals_lost(reading: Reading) -> int:
    """Deals lost in the period."""
    return (await reading.flow("lost")).count


async def deals_open(reading: Reading) -> int:
    """Deals opened and not closed by the end."""
    return sum([sign * (await reading.stock(measure)).count for measure, sign in GOES_IN_AND_OUT])


async def win_rate(reading: Reading) -> Any:
    """Won of closed."""
    won, lost = await deals_won(reading), await deals_lost(reading)
    if won + lost == 0:
        reading.note("win_rate", "no deal was closed in the period")
    return shown_rate(won, won + lost)


async def close_rate(reading: Reading) -> Any:
    """Won of all that were open at some time in the period."""
    at_hand = await pipeline.at_hand(reading)
    if at_hand == 0:
        reading.note("close_rate", "no deal was open in the period")
    return shown_rate(await deals_won(reading), at_hand)


async def average_days_to_win(reading: Reading) -> Any:
    """Mean days from opening to winning."""
    entry = await reading.flow("won")
    if not entry.count:
        reading.note("average_days_to_win", "no deal was won in the period")
    return mean(entry.took, entry.count)


async def average_deal(reading: Reading) -> Any:
    """Revenue divided by deals won."""
    entry = await reading.flow("won")
    if not entry.count:
        reading.note("average_deal", "no deal was won in the period")
        return None
    only = entry.amount.only
    if only is None and entry.amount:
        reading.note("average_deal", "the deals were won in several currencies")
        return None
    currency, amount = only or (reading.question.currency, 0)
    return money(reading, Amounts({currency: round(amount / entry.count)}))


async def target(reading: Reading) -> Any:
    """What was aimed at."""
    aim = await targeted(reading, "target")
    return None if aim is None else money(reading, aim)


def of_target(part: str) -> Compute:
    """A figure about how far the target has been reached."""

    async def compute(reading: Reading) -> Any:
        found = await reached(reading, part)
        if found is None:
            return None
        value = found.shown()[part]
        if value is None:
            reading.note(part, "nothing was aimed at, or nothing is due yet")
        return value

    return compute


async def variance_rate(reading: Reading) -> Any:
    """How much better than the target, as a share of it."""
    found = await reached(reading, "variance_rate")
    if found is None:
        return None
    apart, aim = (Amounts({found.currency: round(part)}) for part in (found.state.variance, found.state.value))
    rate = shown_money_rate(apart, aim)
    if rate is None:
        reading.note("variance_rate", "nothing was aimed at")
    return rate


async def members(reading: Reading) -> Any:
    """Members of sales, or of what is asked about, at the end."""
    dim, key = next(iter(reading.filters.items()), ("department", SALES))
    if len(reading.filters) > 1 or dim not in ("department", "team", "group"):
        reading.note("members", "members are counted by department, team or group")
        return None
    if dim == "group":
        return len(await here_at_the_end(reading))
    joined = await reading.measured_along(dim, key, "joined", stock=True)
    return joined.count - (await reading.measured_along(dim, key, "left", stock=True)).count


async def requests_to_it(reading: Reading) -> Any:
    """Requests from sales to IT."""
    if reading.filters:
        reading.note("requests_to_it", "it is counted over all requests from sales to IT")
        return None
    select = sa.select(sa.func.count()).where(
        _request.from_department == "sales", _request.to_department == "it",
        _request.asked_on >= reading.question.span.start, _request.asked_on < reading.question.span.end,
    )  # fmt: skip
    return int(await reading.snapshot.scalar(select))


VIEW = View(
    "sales",
    (
        *CUSTOMER_FIGURES,
        Figure("deals_opened", "Deals whose opening day lies in the period.", deals_opened, "deals_opened"),
        Figure("deals_won", "Deals won on a day of the period; a shared deal counts once.", deals_won, "deals_won"),
        Figure("deals_lost", "Deals lost on a day of the period.", deals_lost, "deals_lost"),
        Figure("deals_open", "Deals opened before the end of the period and not closed before it.", deals_open,
               "deals_open"),
        Figure("revenue", "Value of the deals won in the period, net of tax and freight, by the day they were won; "
               "of a member or a group, the parts credited to them.", revenue, "revenue"),
        Figure("win_rate", "Deals won ÷ (deals won + deals lost) in the period.", win_rate, "won_of_closed"),
        Figure("close_rate", "Deals won in the period ÷ all deals that were open at some time in it.", close_rate,
               "won_of_at_hand"),
        Figure("average_days_to_win", "Mean number of days from opening to winning, of the deals won in the period.",
               average_days_to_win, "days_to_win"),
        Figure("average_deal", "Revenue ÷ deals won.", average_deal, "revenue_of_won"),
        *pipeline.FIGURES,
        Figure("target", "Sum of the revenue targets whose days lie within the period, longer ones standing for "
               "shorter ones they overlap; without any, the period's part of the smallest target around it.",
               target, "targets"),
        Figure("attainment", "Revenue of the target's days ÷ target, never capped.", of_target("attainment"),
               "attained"),
        Figure("variance", "Revenue of the target's days - target.", of_target("variance"), "varied"),
        Figure("variance_rate", "Variance ÷ target.", variance_rate, "varied_of_target"),
        Figure("pace", "Revenue of the target's days ÷ what the target's distribution has due by the end: 1 is on "
               "time.", of_target("pace"), "attained_of_due"),
        *AGREED,
        *EXPECTED,
        OTHER_TARGETS,
        Figure("quota_attainment_rate", "Members whose credited revenue is at or above what their revenue targets have "
               "due by the end ÷ members with a revenue target that has begun.", quota_attainment_rate, "quotas"),
        Figure("quota_window_attainment", "Credited revenue of whole quota windows ÷ their quotas, of the windows "
               "whose last day lies in the period and is over.", window_attainment, "quota_windows"),
        Figure("quota_calendar_attainment", "Credited revenue of the period's days that lie in quota windows ÷ what "
               "the quotas' distributions have due on these days.", calendar_attainment, "quotas_of_days"),
        *MERITS,
        *GOALS,
        *pipeline.FORECAST,
        Figure("members", "Members of the sales department, or of the department, team or group asked about, at the "
               "end.", members, "sellers"),
        Figure("requests_to_it", "Requests from the sales department to IT made on days of the period.", requests_to_it,
               "requests_sales_to_it"),
        *SATISFACTION,
        CSAT_BY_RELATIONSHIP,
        *HANDOVER_FIGURES,
        CHALLENGES,
        REPUTATION,
        *LINE_OF_SIGHT,
    ),
    relationships={"client_to_employee": CLIENTS, "public_picture": PUBLIC},
)  # fmt: skip
