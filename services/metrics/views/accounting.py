"""Do the books balance? What was invoiced and came in, what is outstanding, what was planned and spent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from services.metrics.facts.money_cells import DUE
from services.metrics.views.frame import Compute, Figure, Reading, View
from services.metrics.views.question import SHARED_BY
from services.metrics.views.sales import money, revenue_of
from services.metrics.views.spend import (
    SALES,
    TRAINING,
    Overrun,
    overrun_by_month,
    overrun_in_all,
    planned_between,
    planned_of,
    spent_of,
)
from services.metrics.views.values import Amounts
from shared.money import Money

AGES = (("not_due", None, 0), ("1-30", 1, 30), ("31-60", 31, 60), ("61-90", 61, 90), ("over_90", 91, None))


async def known(reading: Reading, figure: str, measure: str, *, stock: bool = False) -> bool:
    """Whether it is known whose a measure is; if only of a part, a note says how much the rest is."""
    if not reading.split_by(figure, measure):
        return False
    rests = []
    for dim in dict.fromkeys(SHARED_BY[each] for each, key in reading.filters.items() if key and each in SHARED_BY):
        rest = (await reading.nobodys(dim, measure, stock=stock)).amount
        rests += [f"{Money.of_minor(minor, currency)} of it is of no {dim}" for currency, minor in rest]
    if rests:
        reading.note(figure, f"{' and '.join(rests)}; that is in the whole only")
    return True


def flow(figure: str, measure: str) -> Compute:
    """What happened in the period."""

    async def compute(reading: Reading) -> Any:
        if not await known(reading, figure, measure):
            return None
        return money(reading, (await reading.flow(measure)).amount)

    return compute


async def not_yet_invoiced(reading: Reading) -> Any:
    """Of the period's revenue, what no invoice asks for."""
    if not reading.split_by("not_yet_invoiced", "invoiced_of_won"):
        return None
    if set(reading.filters) & set(SHARED_BY) and (await reading.nobodys("member", "invoiced_of_won")).amount:
        reading.note("not_yet_invoiced", "of some invoices of these deals it is not known whose they are")
        return None
    asked_for = (await reading.flow("invoiced_of_won")).amount
    return money(reading, await revenue_of(reading) - asked_for)


def stock(figure: str, measure: str) -> Compute:
    """What there is at the end."""

    async def compute(reading: Reading) -> Any:
        if not await known(reading, figure, measure, stock=True):
            return None
        return money(reading, (await reading.stock(measure)).amount)

    return compute


async def outstanding_by_age(reading: Reading) -> Any:
    """What is outstanding, by how long it is overdue."""
    if not await known(reading, "outstanding_by_age", "owed", stock=True):
        return None
    owed = await reading.entries_along(DUE, "owed", stock=True)
    last = reading.question.span.asked - timedelta(days=1)
    ages = by_age({date.fromisoformat(due): entry.amount for due, entry in owed.items()}, last)
    return {name: money(reading, amount) for name, amount in ages.items()}


def by_age(owed: Mapping[date, Amounts], day: date) -> dict[str, Amounts]:
    """Amounts by the days on which they are due, as they are overdue on a day."""
    ages = {name: Amounts() for name, _, _ in AGES}
    for due, amount in owed.items():
        late = (day - due).days
        name = next(name for name, low, high in AGES if (low is None or late >= low) and (high is None or late <= high))
        ages[name] += amount
    return ages


def planned(figure: str) -> Compute:
    """Planned for the period."""

    async def compute(reading: Reading) -> Any:
        amount = await planned_of(reading, figure)
        return None if amount is None else money(reading, amount)

    return compute


def spent(figure: str, department: str | None = None, kind: str | None = None) -> Compute:
    """Spent in the period, by one department or on one kind of thing if it says so."""

    async def compute(reading: Reading) -> Any:
        amount = await spent_of(reading, figure, department, kind)
        return None if amount is None else money(reading, amount)

    return compute


async def left(reading: Reading) -> Any:
    """Planned - spent."""
    plan, used = await planned_of(reading, "left"), await spent_of(reading, "left")
    return None if plan is None or used is None else money(reading, plan - used)


async def spend_forecast(reading: Reading) -> Any:
    """Spend at the end of the period, if the rest of it goes as planned."""
    plan, used = await planned_of(reading, "spend_forecast"), await spent_of(reading, "spend_forecast")
    if plan is None or used is None:
        return None
    span = reading.question.span
    return money(reading, used + await planned_between(reading, span.asked, span.end))


def overruns(figure: str, found: Callable[[Reading, str], Awaitable[Sequence[Overrun]]]) -> Compute:
    """Budgets of which more is spent than they plan."""

    async def compute(reading: Reading) -> Any:
        if set(reading.filters) - {"department"}:
            reading.note(figure, "budgets belong to departments, not to what is asked about")
            return None
        return len(await found(reading, figure))

    return compute


async def unallocated(reading: Reading) -> Any:
    """Funds generated that no budget allocates."""
    plan = await planned_of(reading, "unallocated")
    return None if plan is None else money(reading, (await reading.flow("received")).amount - plan)


VIEW = View(
    "accounting",
    (
        Figure("invoiced", "Net amounts of the invoices issued on days of the period, voided ones left out; of "
               "members and products, here and below, what is theirs by the credits and lines of the deal then.",
               flow("invoiced", "invoiced"), "invoices"),
        Figure("not_yet_invoiced", "Revenue of the period - all invoices of its deals, whenever they were issued.",
               not_yet_invoiced, "not_yet_invoiced"),
        Figure("credited", "What was taken off invoices by credits on days of the period.",
               flow("credited", "credited"), "invoices_credited"),
        Figure("written_off", "What was given up of invoices on days of the period.",
               flow("written_off", "written_off"), "invoices_written_off"),
        Figure("received", "Money that came in on days of the period - what of earlier money went back on them.",
               flow("received", "received"), "receipts"),
        Figure("overpaid", "What came in beyond what was outstanding on its invoice, and has not gone back by the end; "
               "it settles nothing and stays on account.", stock("overpaid", "overpaid"), "receipts_over"),
        Figure("outstanding", "At the end: invoiced - credited - written off - received, without what is overpaid.",
               stock("outstanding", "owed"), "invoices_open"),
        Figure("outstanding_by_age", "What is outstanding at the end, by the days it is overdue.", outstanding_by_age,
               "invoices_open_by_age"),
        Figure("planned", "What budgets plan for the days of the period: each of their rows evenly over the days until "
               "the next.", planned("planned"), "budgets"),
        Figure("spent", "Expenses on days of the period - what came back of earlier ones; here and below, of a team, "
               "group, member, customer, product or region those that say they were for it.", spent("spent"),
               "expenses"),
        Figure("left", "Planned - spent.", left, "budgets_left"),
        Figure("spend_forecast", "Spent + what budgets plan for the days of the period that are still to come.",
               spend_forecast, "budgets_to_come"),
        Figure("overruns", "Budgets with days in the period of which more is spent by the end than they plan in all; "
               "here and below, what is spent in other currencies counts at the rates of its days.",
               overruns("overruns", overrun_in_all), "budgets_overrun"),
        Figure("month_overruns", "Budgets of which more is spent by the end of one of their months, or other rows, "
               "with days in the period than they plan until then; the last month is in overruns.",
               overruns("month_overruns", overrun_by_month), "budgets_overrun_by_month"),
        Figure("funds_generated", "Receipts of the period: what budgets can allocate.",
               flow("funds_generated", "received"), "receipts"),
        Figure("allocated", "What budgets plan for the days of the period: what they allocate of the funds generated.",
               planned("allocated"), "budgets"),
        Figure("unallocated", "Funds generated - allocated: of a department the receipts of its teams' deals without "
               "what its budgets plan.", unallocated,
               "budgets_and_receipts"),
        Figure("training_expense", "Expenses of the kind training on days of the period.",
               spent("training_expense", kind=TRAINING), "training_expenses"),
        Figure("sales_expense", "Expenses of the sales department on days of the period.",
               spent("sales_expense", department=SALES), "sales_expenses"),
    ),
    kinds_of="spent",
)  # fmt: skip
