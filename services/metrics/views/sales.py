"""How are we selling? Customers, deals, revenue, the pipeline and the targets."""

from __future__ import annotations

from typing import Any

from services.metrics.views.customers import customer_counts
from services.metrics.views.frame import Compute, Figure, Reading, View
from services.metrics.views.values import Amounts, mean, shown_money, shown_rate


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
    opened, won, lost = [(await reading.stock(measure)).count for measure in ("opened", "won", "lost")]
    return opened - won - lost


async def win_rate(reading: Reading) -> Any:
    """Won of closed."""
    won, lost = await deals_won(reading), await deals_lost(reading)
    if won + lost == 0:
        reading.note("win_rate", "no deal was closed in the period")
    return shown_rate(won, won + lost)


async def close_rate(reading: Reading) -> Any:
    """Won of all that were open at some time in the period."""
    opened, won, lost = [(await reading.start(measure)).count for measure in ("opened", "won", "lost")]
    at_hand = opened - won - lost + await deals_opened(reading)
    if at_hand == 0:
        reading.note("close_rate", "no deal was open in the period")
    return shown_rate(await deals_won(reading), at_hand)


async def average_days_to_win(reading: Reading) -> Any:
    """Mean days from opening to winning."""
    entry = await reading.flow("won")
    if not entry.count:
        reading.note("average_days_to_win", "no deal was won in the period")
    return mean(entry.days, entry.count)


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


async def pipeline(reading: Reading) -> Any:
    """Estimated value of the deals open at the end."""
    entered, left = await reading.stock("pipeline_in"), await reading.stock("pipeline_out")
    return money(reading, entered.amount - left.amount)


def customers(which: str) -> Compute:
    """One of the counts of customers; of the whole organisation or of one customer, since they belong to no team."""

    async def compute(reading: Reading) -> int | None:
        others = set(reading.filters) - {"customer"}
        if others:
            reading.note(f"customers_{which}", f"customers are not counted by {', '.join(sorted(others))}")
            return None
        count: int = getattr(await customer_counts(reading), which)
        return count

    return compute


VIEW = View(
    "sales",
    (
        Figure("customers_start", "Customers at the start: won before the period and not lost since.",
               customers("start")),
        Figure("customers_new", "Customers whose first won deal lies in the period.", customers("new")),
        Figure("customers_reactivated", "Customers won again in the period after they had been lost.",
               customers("reactivated")),
        Figure("customers_lost", "Customers recorded as lost on a day of the period.", customers("lost")),
        Figure("customers_end", "Customers at the end: start + new + reactivated - lost.", customers("end")),
        Figure("deals_opened", "Deals whose opening day lies in the period.", deals_opened, "deals_opened"),
        Figure("deals_won", "Deals won on a day of the period; a shared deal counts once.", deals_won, "deals_won"),
        Figure("deals_lost", "Deals lost on a day of the period.", deals_lost, "deals_lost"),
        Figure("deals_open", "Deals opened before the end of the period and not closed before it.", deals_open,
               "deals_open"),
        Figure("revenue", "Value of the deals won in the period, net of tax and freight, by the day they were won; "
               "of a member, the parts credited to them.", revenue, "deals_won"),
        Figure("win_rate", "Deals won ÷ (deals won + deals lost) in the period.", win_rate, "deals_closed"),
        Figure("close_rate", "Deals won in the period ÷ all deals that were open at some time in it.", close_rate,
               "deals_won"),
        Figure("average_days_to_win", "Mean number of days from opening to winning, of the deals won in the period.",
               average_days_to_win, "deals_won"),
        Figure("average_deal", "Revenue ÷ deals won.", average_deal, "deals_won"),
        Figure("pipeline", "Sum of the estimated values of the deals open at the end.", pipeline, "deals_open"),
    ),
)  # fmt: skip
