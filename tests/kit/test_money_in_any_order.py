"""Whose money is does not depend on the order in which it is heard; what was told before it was said is nobody's."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies

from services.metrics.sums import Tally
from services.metrics.views.accounting import VIEW
from services.metrics.views.frame import Reading, compute
from services.metrics.views.question import Question
from shared.bus import Record
from shared.events import Event
from shared.events.money import (
    InvoiceCredited,
    InvoiceEntered,
    InvoiceVoided,
    InvoiceWrittenOff,
    Part,
    ReceiptBooked,
    ReceiptReversed,
)
from shared.money import Money
from shared.period import Period
from shared.store import Snapshot, Store
from tests.kit.any_order import same_in_any_order
from tests.kit.conftest import Stores
from tests.kit.told import Log, applier, feed, life

SHARED = ("invoiced", "invoiced_of_won", "credited", "written_off", "received", "overpaid", "owed")
days = strategies.dates(date(2026, 1, 1), date(2026, 12, 31))
amounts = strategies.integers(1, 10**6)
_tally = Tally.__table__.c  # type: ignore[attr-defined]


def euros(minor: int) -> Money:
    return Money.of_minor(minor, "EUR")


@strategies.composite
def parts(draw: Any, minor: int, sort: str) -> tuple[Part, ...]:
    """What one or two have of an amount."""
    first = draw(strategies.integers(0, minor))
    each = (Part(of=f"{sort}_a", amount=euros(first)), Part(of=f"{sort}_b", amount=euros(minor - first)))
    return tuple(part for part in each if part.amount.minor)


@strategies.composite
def whose(draw: Any, minor: int, of_old: bool, prefix: str = "") -> dict[str, Any]:
    """Whose an amount is, as events say it; those of old say nothing, and of deals without lines no product."""
    if of_old:
        return {}
    products = draw(parts(minor, "prod")) if draw(strategies.booleans()) else ()
    return {f"{prefix}members": draw(parts(minor, "mbr")), f"{prefix}products": products}


@strategies.composite
def invoices(draw: Any, number: int) -> list[Record]:
    """An invoice, what was taken off it, and its receipts: each a subject of its own."""
    old, on = draw(strategies.booleans()), draw(days)
    amount = draw(amounts)
    told: list[Event] = [
        InvoiceEntered(deal="deal_1", amount=euros(amount), on=on, due_on=on, won_on=draw(days), customer="cust_a",
                       team="team_a", **draw(whose(amount, old)))
    ]  # fmt: skip
    for event in draw(strategies.lists(strategies.sampled_from([InvoiceCredited, InvoiceWrittenOff]), max_size=2)):
        minor = draw(amounts)
        told.append(event(amount=euros(minor), on=draw(days), **draw(whose(minor, old))))
    if draw(strategies.integers(0, 3)) == 0:
        told.append(InvoiceVoided(on=draw(days)))
    records = life(f"invoice/inv_{number}", *told)
    for place in range(draw(strategies.integers(0, 2))):
        paid, applied = draw(amounts), draw(amounts)
        applied = min(paid, applied)
        receipt: list[Event] = [
            ReceiptBooked(invoice=f"inv_{number}", amount=euros(paid), applied=euros(applied), on=draw(days),
                          invoiced_on=on, due_on=on, customer="cust_a", team="team_a", **draw(whose(paid, old)),
                          **draw(whose(applied, old, "settled_")))
        ]  # fmt: skip
        if draw(strategies.booleans()):
            receipt.append(ReceiptReversed(on=draw(days)))
        records += life(f"receipt/rcpt_{number}{place}", *receipt)
    return records


@strategies.composite
def histories(draw: Any) -> tuple[list[Record], list[Record], int]:
    """Events in their order, the same with repetitions in any order, and the size of the batches."""
    straight = [record for number in range(draw(strategies.integers(1, 3))) for record in draw(invoices(number))]
    twice = draw(strategies.lists(strategies.sampled_from(straight), max_size=6))
    return straight, list(draw(strategies.permutations([*straight, *twice]))), draw(strategies.integers(1, 6))


async def along(store: Store, dim: str) -> dict[tuple[str, str], int]:
    """What the sums of a dimension come to, by measure and day."""
    select = (
        sa.select(_tally.measure, _tally.start, sa.cast(sa.func.sum(_tally.amount), sa.BigInteger))
        .where(_tally.dim == dim, _tally.grain == "d", _tally.measure.in_(SHARED))
        .group_by(_tally.measure, _tally.start)
    )
    rows = await store.read(lambda snapshot: snapshot.rows(select))
    return {(measure, str(day)): int(amount) for measure, day, amount in rows if amount}


async def test_any_order_and_repetition_gives_the_same_parts_and_they_sum_to_the_whole(stores: Stores) -> None:
    store = await stores.open("metrics")

    async def parts_sum() -> None:
        whole = await along(store, "")
        assert await along(store, "member") == whole
        assert await along(store, "product") == whole

    await same_in_any_order(stores, store, histories(), parts_sum)


async def test_what_was_told_before_it_was_said_whose_it_is_counts_in_the_whole_and_a_note_says_so(
    stores: Stores,
) -> None:
    store = await stores.open("metrics")
    on = date(2026, 2, 10)
    same: dict[str, Any] = {"deal": "deal_1", "on": on, "due_on": on, "won_on": on}
    old = InvoiceEntered(amount=euros(700), **same)
    new = InvoiceEntered(
        amount=euros(1000),
        members=(Part(of="mbr_a", amount=euros(1000)),),
        products=(Part(of="prod_a", amount=euros(1000)),),
        **same,
    )
    await feed(applier(store), Log(), [*life("invoice/inv_old", old), *life("invoice/inv_new", new)])

    async def seen(**filters: str) -> tuple[dict[str, Any], dict[str, str]]:
        async def read(snapshot: Snapshot) -> tuple[dict[str, Any], dict[str, str]]:
            reading = Reading(snapshot, Question(Period.parse("2026-02"), date(2026, 12, 31), filters))
            return await compute(VIEW, reading), reading.notes

        return await store.read(read)

    assert (await seen())[0]["invoiced"] == euros(1700).as_json()
    for filters, no in (({"member": "mbr_a"}, "member"), ({"product": "prod_a"}, "product")):
        figures, notes = await seen(**filters)
        assert figures["invoiced"] == figures["outstanding"] == euros(1000).as_json()
        assert notes["invoiced"] == f"7.00 EUR of it is of no {no}; that is in the whole only"
        # What was won would stand there as if no invoice had asked for it.
        assert figures["not_yet_invoiced"] is None
        assert "not known whose" in notes["not_yet_invoiced"]
