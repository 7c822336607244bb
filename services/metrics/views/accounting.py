"""Do the books balance? What was invoiced and came in, what is outstanding, what was planned and spent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.deals import DealFact
from services.metrics.facts.money import BudgetFact, InvoiceFact, ReceiptFact
from services.metrics.views.finance import selling_expense_of
from services.metrics.views.frame import Figure, Reading, View
from services.metrics.views.sales import money, revenue_of
from services.metrics.views.values import Amounts

AGES = (("not_due", None, 0), ("1-30", 1, 30), ("31-60", 31, 60), ("61-90", 61, 90), ("over_90", 91, None))
_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_invoice = InvoiceFact.__table__.c  # type: ignore[attr-defined]
_receipt = ReceiptFact.__table__.c  # type: ignore[attr-defined]
_COUNTS = sa.and_(_invoice.voided_on.is_(None), _invoice.issued_on.is_not(None))


async def _sum(reading: Reading, select: Any) -> Amounts:
    return Amounts({currency: int(total) for currency, total in await reading.snapshot.rows(select) if currency})


async def invoiced_of_cohort(reading: Reading) -> Amounts:
    """What was invoiced, whenever, for the deals won in the period."""
    span = reading.question.span
    total = sa.cast(sa.func.sum(_invoice.amount), sa.BigInteger)
    conditions = [_COUNTS, _deal.status == "won", _deal.closed_on >= span.start, _deal.closed_on < span.end]
    conditions += await reading.deals_of(reading.filters)
    joined = sa.join(InvoiceFact.__table__, DealFact.__table__, _invoice.deal == _deal.id)  # type: ignore[attr-defined]
    return await _sum(
        reading,
        sa.select(_invoice.currency, total).select_from(joined).where(*conditions).group_by(_invoice.currency),
    )


async def flow_of(reading: Reading, figure: str, measure: str) -> Amounts | None:
    """What happened in the period, of the whole organisation; none for a part, with a note."""
    if reading.filters:
        reading.note(figure, "it is not split by what is asked about")
        return None
    return (await reading.flow(measure)).amount


async def invoiced(reading: Reading) -> Any:
    """Invoiced in the period."""
    amount = await flow_of(reading, "invoiced", "invoiced")
    return None if amount is None else money(reading, amount)


async def not_yet_invoiced(reading: Reading) -> Any:
    """Of the period's revenue, what no invoice asks for."""
    if "member" in reading.filters:
        reading.note("not_yet_invoiced", "invoices belong to deals, not to the members credited for them")
        return None
    return money(reading, await revenue_of(reading) - await invoiced_of_cohort(reading))


async def received(reading: Reading) -> Any:
    """Received in the period."""
    amount = await flow_of(reading, "received", "received")
    return None if amount is None else money(reading, amount)


async def funds_generated(reading: Reading) -> Any:
    """The same money, seen as what may be allocated."""
    amount = await flow_of(reading, "funds_generated", "received")
    return None if amount is None else money(reading, amount)


async def open_invoices(reading: Reading) -> Sequence[tuple[date, str, int]]:
    """Invoices not settled at the period's end: when due, currency, and how much is open, in minor units."""
    asked = reading.question.span.asked

    async def read() -> list[tuple[date, str, int]]:
        paid = (
            sa.select(_receipt.invoice, sa.func.sum(_receipt.amount).label("paid"))
            .where(_receipt.received_on < asked, _receipt.reversed_on.is_(None))
            .group_by(_receipt.invoice)
            .subquery()
        )
        still = sa.cast(_invoice.amount - _invoice.reduced - sa.func.coalesce(paid.c.paid, 0), sa.BigInteger)
        joined = sa.outerjoin(InvoiceFact.__table__, paid, paid.c.invoice == _invoice.id)  # type: ignore[attr-defined]
        select = (
            sa.select(_invoice.due_on, _invoice.currency, still)
            .select_from(joined)
            .where(_COUNTS, _invoice.issued_on < asked, still != 0)
        )
        return [(due, currency, int(amount)) for due, currency, amount in await reading.snapshot.rows(select)]

    found: list[tuple[date, str, int]] = await reading.shared("open invoices", read)
    return found


async def outstanding(reading: Reading) -> Any:
    """Open invoices at the end."""
    if reading.filters:
        reading.note("outstanding", "it is not split by what is asked about")
        return None
    return money(
        reading, Amounts.total(Amounts({currency: amount}) for _, currency, amount in await open_invoices(reading))
    )


async def outstanding_by_age(reading: Reading) -> Any:
    """Open invoices by how long they are overdue."""
    if reading.filters:
        reading.note("outstanding_by_age", "it is not split by what is asked about")
        return None
    last = reading.question.span.asked - timedelta(days=1)
    ages = {name: Amounts() for name, _, _ in AGES}
    for due, currency, amount in await open_invoices(reading):
        late = (last - due).days
        name = next(name for name, low, high in AGES if (low is None or late >= low) and (high is None or late <= high))
        ages[name] = ages[name] + Amounts({currency: amount})
    return {name: money(reading, amount) for name, amount in ages.items()}


async def planned_of(reading: Reading, until: date | None = None) -> Amounts | None:
    """What budgets plan for the days of the period; a row that lies in it partly counts by its share of days."""
    if set(reading.filters) - {"department"}:
        return None
    span = reading.question.span
    end = until or span.end
    budgets: list[BudgetFact] = await reading.shared(
        "budgets", lambda: reading.snapshot.all(BudgetFact, sa.select(BudgetFact))
    )
    total = Amounts()
    for budget in budgets:
        if reading.filters.get("department", budget.department) != budget.department:
            continue
        for row in budget.rows:
            first, last = date.fromisoformat(row["from"]), date.fromisoformat(row["to"])
            days = (min(last, end) - max(first, span.start)).days
            if days > 0:
                share = row["minor"] * days
                total = total + Amounts({budget.currency: round(share / (last - first).days)})
    return total


async def spent_of(reading: Reading) -> Amounts | None:
    """What was spent in the period, of all departments or of one, of all kinds or of one."""
    if set(reading.filters) - {"department", "kind"}:
        return None
    return (await reading.flow("spent")).amount


async def planned(reading: Reading) -> Any:
    """Planned for the period."""
    return _or_note(reading, "planned", await planned_of(reading))


async def spent(reading: Reading) -> Any:
    """Spent in the period."""
    return _or_note(reading, "spent", await spent_of(reading))


async def left(reading: Reading) -> Any:
    """Planned - spent."""
    plan, used = await planned_of(reading), await spent_of(reading)
    return _or_note(reading, "left", None if plan is None or used is None else plan - used)


def _or_note(reading: Reading, figure: str, amount: Amounts | None) -> Any:
    if amount is None:
        reading.note(figure, "budgets and expenses belong to departments, not to what is asked about")
        return None
    return money(reading, amount)


async def spend_forecast(reading: Reading) -> Any:
    """Spend at the end of the period, if it goes on as it has."""
    span, used = reading.question.span, await spent_of(reading)
    over = (span.asked - span.start).days
    if used is None or over <= 0:
        reading.note("spend_forecast", "no day of the period is over, or expenses are not split so")
        return None
    whole = (span.end - span.start).days
    return money(reading, Amounts({currency: round(amount * whole / over) for currency, amount in used}))


async def overruns(reading: Reading) -> Any:
    """Departments that have spent more than planned."""
    if reading.filters:
        reading.note("overruns", "it is counted over all departments")
        return None
    departments = await reading.departments()
    count = 0
    for department in departments:
        row = reading.row("department", department)
        plan, used = await planned_of(row), await spent_of(row)
        if plan is not None and used is not None and any(used.of(code) > plan.of(code) for code, _ in plan):
            count += 1
    return count


async def unallocated(reading: Reading) -> Any:
    """Funds generated that no budget allocates."""
    amount, plan = await flow_of(reading, "unallocated", "received"), await planned_of(reading)
    return None if amount is None or plan is None else money(reading, amount - plan)


async def training_expense(reading: Reading) -> Any:
    """Spend for training."""
    if set(reading.filters) - {"kind"}:
        reading.note("training_expense", "it is not split by what is asked about")
        return None
    return money(reading, (await reading.measured_along("kind", "training", "spent")).amount)


async def sales_expense(reading: Reading) -> Any:
    """Spend of the sales department."""
    return _or_note(reading, "sales_expense", await selling_expense_of(reading))


VIEW = View(
    "accounting",
    (
        Figure("invoiced", "Net amounts of the invoices written on days of the period, voided ones left out.", invoiced,
               "invoices"),
        Figure("not_yet_invoiced", "Revenue of the period for which no invoice has been written, whenever.",
               not_yet_invoiced, "deals_won"),
        Figure("received", "Money that came in on days of the period, reversed receipts left out.", received,
               "receipts"),
        Figure("outstanding", "At the end: invoiced - credited - written off - received.", outstanding,
               "invoices_open"),
        Figure("outstanding_by_age", "What is outstanding at the end, by days overdue.", outstanding_by_age,
               "invoices_open"),
        Figure("planned", "What budgets plan for the days of the period; a row only partly in it counts by its days.",
               planned),
        Figure("spent", "Expenses on days of the period.", spent, "expenses"),
        Figure("left", "Planned - spent.", left),
        Figure("spend_forecast", "Spent ÷ days that are over, times the days of the period.", spend_forecast),
        Figure("overruns", "Departments that have spent more in the period than was planned for it.", overruns),
        Figure("funds_generated", "Receipts of the period: what budgets can allocate.", funds_generated, "receipts"),
        Figure("unallocated", "Funds generated - planned.", unallocated),
        Figure("training_expense", "Expenses of the kind training on days of the period.", training_expense,
               "expenses"),
        Figure("sales_expense", "Expenses of the sales department on days of the period.", sales_expense,
               "sales_expenses"),
    ),
)  # fmt: skip
