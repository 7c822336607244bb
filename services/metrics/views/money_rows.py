"""What the figures about money and targets are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.money import NAMED, BudgetFact, ExpenseFact, InvoiceFact, ReceiptFact
from services.metrics.facts.money_cells import Asked, taken_before
from services.metrics.facts.targets import TargetFact
from services.metrics.views.frame import CIRCLES, Reading
from services.metrics.views.other_targets import other_aims
from services.metrics.views.quota_windows import targets_of_days, targets_of_windows
from services.metrics.views.quotas import quota_targets
from services.metrics.views.row_source import Conditions, Source, simple
from services.metrics.views.sources import SOURCES
from services.metrics.views.spend import SALES, TRAINING, overrun_budgets
from services.metrics.views.targets import revenue_targets
from shared.money import Money

_invoice = InvoiceFact.__table__.c  # type: ignore[attr-defined]
_receipt = ReceiptFact.__table__.c  # type: ignore[attr-defined]
_expense = ExpenseFact.__table__.c  # type: ignore[attr-defined]
_budget = BudgetFact.__table__.c  # type: ignore[attr-defined]
_target = TargetFact.__table__.c  # type: ignore[attr-defined]
_FED_BY = {source.model: source for source in SOURCES}


async def _of(
    model: Any, reading: Reading, *conditions: sa.ColumnElement[bool], day: Any = None
) -> list[sa.ColumnElement[bool]]:
    """Facts that pass a question: those that its members share on the day in a column; without one at the end."""
    source = _FED_BY[model]
    chosen = [*conditions, *await reading.passing(source, reading.filters)]
    for dim in CIRCLES:
        if dim in reading.filters and source.knows("member"):
            circle = await reading.circle(dim, reading.filters[dim])
            there = circle.there(reading.question.span.asked) if day is None else circle.during(day)
            theirs = (sa.and_(source.concerns(member), during) for member, during in there)
            chosen.append(sa.or_(sa.false(), *theirs))
    return chosen


def _moved(model: Any, *columns: Any, also: tuple[sa.ColumnElement[bool], ...] = ()) -> Conditions:
    """Facts that did something on a day of the period: on any of these days of theirs."""

    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        span = reading.question.span
        moved = [
            sa.and_(*await _of(model, reading, column >= span.start, column < span.end, *also, day=column))
            for column in columns
        ]
        return [sa.or_(*moved)]

    return conditions


async def _reduced_invoices(reading: Reading) -> list[sa.ColumnElement[bool]]:
    span = reading.question.span
    near = (_invoice.voided_on.is_(None), _invoice.first_taken_on < span.end, _invoice.last_taken_on >= span.start)
    passing = await reading.passing(_FED_BY[InvoiceFact], reading.filters)
    found = await reading.snapshot.rows(sa.select(_invoice.id, _invoice.taken).where(*near, *passing))
    asked = Asked(await reading.belonging(), reading.filters.get("product"))

    def counts(taken: Mapping[str, Any]) -> bool:
        on = date.fromisoformat(taken["on"])
        return span.start <= on < span.end and asked.of(taken["minor"], taken.get("parts", {}), on) is not None

    return [_invoice.id.in_([key for key, taken in found if any(counts(each) for each in taken)])]


async def _open_invoices(reading: Reading) -> list[sa.ColumnElement[bool]]:
    asked = reading.question.span.asked
    settled = (
        sa.select(sa.func.coalesce(sa.func.sum(_receipt.applied), 0))
        .where(
            _receipt.invoice == _invoice.id,
            _receipt.received_on < asked,
            sa.or_(_receipt.reversed_on.is_(None), _receipt.reversed_on >= asked),
        )
        .scalar_subquery()
    )
    there = (_invoice.voided_on.is_(None), _invoice.issued_on < asked)
    # Of what was taken off, or taken back, later only the days themselves say how it was then.
    later = sa.select(_invoice.id, _invoice.amount, _invoice.taken, settled).where(
        *there, _invoice.last_taken_on >= asked
    )
    owed = [key for key, amount, taken, paid in await reading.snapshot.rows(later)
            if amount - taken_before(taken, asked) - int(paid) != 0]  # fmt: skip
    unmoved = sa.or_(_invoice.last_taken_on.is_(None), _invoice.last_taken_on < asked)
    still = sa.and_(unmoved, _invoice.amount - _invoice.reduced - settled != 0)
    return await _of(InvoiceFact, reading, *there, sa.or_(still, _invoice.id.in_(owed)))


async def _overpaid(reading: Reading) -> list[sa.ColumnElement[bool]]:
    asked = reading.question.span.asked
    there = sa.or_(_receipt.reversed_on.is_(None), _receipt.reversed_on >= asked)
    return await _of(ReceiptFact, reading, _receipt.amount > _receipt.applied, _receipt.received_on < asked, there)


async def _budgets(reading: Reading) -> list[sa.ColumnElement[bool]]:
    span, department = reading.question.span, reading.filters.get("department")
    mine = [_budget.department == department] if department else []
    return [_budget.start < span.end, _budget.end > span.start, *mine]


async def _overrun(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_budget.id.in_([budget.id for budget, _ in await overrun_budgets(reading)])]


async def _targets(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_target.id.in_([target.id for target in await revenue_targets(reading)])]


async def _other_targets(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_target.id.in_([aim.target.id for _, aim in await other_aims(reading) or ()])]


async def _quotas(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_target.id.in_([target.id for target in await quota_targets(reading)])]


async def _windows(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_target.id.in_([target.id for target in await targets_of_windows(reading)])]


async def _quotas_of_days(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_target.id.in_([target.id for target in await targets_of_days(reading)])]


def _show_budget(budget: BudgetFact) -> dict[str, Any]:
    return {
        "ref": budget.id,
        "kind": "budget",
        "department": budget.department,
        "start": budget.start,
        "end": budget.end,
        "on_overrun": budget.on_overrun,
        "amount": Money.of_minor(budget.amount, budget.currency).as_json(),
    }


def _show_target(target: TargetFact) -> dict[str, Any]:
    number = {"number": target.number} if target.number is not None else {}
    return simple("target", "metric", "level", "start", "end")(target) | number | {"set_after_start": target.set_late}


def _aims(conditions: Conditions) -> Source:
    """Targets as rows: of members those whose own figures the reader may see."""
    return Source(TargetFact, conditions, _show_target, lambda theirs: sa.or_(
        _target.level != "member", _target.ref.in_(theirs)
    ))  # fmt: skip


def _shared(show: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Money as a row with what each member and each product has of it."""

    def shown(fact: InvoiceFact | ReceiptFact) -> dict[str, Any]:
        return show(fact) | {
            name: [
                {one: key, "amount": Money.of_minor(minor, fact.currency).as_json()}
                for key, minor in fact.parts.get(name, {}).items()
            ]
            for name, one in (("members", "member"), ("products", "product"))
        }

    return shown


_show_invoice = _shared(simple("invoice", "deal", "customer", "team", "issued_on", "due_on", "voided_on"))
_show_receipt = _shared(simple("receipt", "invoice", "customer", "team", "received_on", "reversed_on"))
_show_expense = simple("expense", "department", "spent_for", "spent_on", "reversed_on", *NAMED)
_spent = (_expense.spent_on, _expense.reversed_on)

MONEY_ROWS: Mapping[str, Source] = {
    "invoices": Source(
        InvoiceFact, _moved(InvoiceFact, _invoice.issued_on, also=(_invoice.voided_on.is_(None),)), _show_invoice
    ),
    "invoices_reduced": Source(InvoiceFact, _reduced_invoices, _show_invoice),
    "invoices_open": Source(InvoiceFact, _open_invoices, _show_invoice),
    "receipts": Source(ReceiptFact, _moved(ReceiptFact, _receipt.received_on, _receipt.reversed_on), _show_receipt),
    "receipts_over": Source(ReceiptFact, _overpaid, _show_receipt),
    "expenses": Source(ExpenseFact, _moved(ExpenseFact, *_spent), _show_expense),
    "sales_expenses": Source(
        ExpenseFact, _moved(ExpenseFact, *_spent, also=(_expense.department == SALES,)), _show_expense
    ),
    "training_expenses": Source(
        ExpenseFact, _moved(ExpenseFact, *_spent, also=(_expense.spent_for == TRAINING,)), _show_expense
    ),
    "budgets": Source(BudgetFact, _budgets, _show_budget),
    "budgets_overrun": Source(BudgetFact, _overrun, _show_budget),
    "targets": _aims(_targets),
    "other_targets": _aims(_other_targets),
    "quotas": _aims(_quotas),
    "quota_windows": _aims(_windows),
    "quotas_of_days": _aims(_quotas_of_days),
}
