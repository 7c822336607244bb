"""What was sold cost as of the day of its sale, also where that becomes known late: then the deals learn it.

A unit cost in another currency is worth what it was at the rate of the day of the sale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import sqlalchemy as sa

from services.targets.api.rates import all_rates
from services.targets.domain.deals import Deal
from services.targets.domain.products import Product
from shared.events.money import RateChanged, RateSet
from shared.events.targets import ProductCosted
from shared.http.runtime import Runtime
from shared.instant import now
from shared.lease import by_one_of_all
from shared.money import Money
from shared.rates import Rates
from shared.store import Context, Job, Snapshot, Store, Tx
from shared.store.tables import Journal

LOOK_SECONDS: Final = 1.0
"""How often it is looked whether a cost or a rate has come."""
PAGE: Final = 500
_deal, _product = Deal.__table__.c, Product.__table__.c  # type: ignore[attr-defined]
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_LAST = sa.select(sa.func.max(_journal.seq))
_NEWS = sa.select(sa.func.max(_journal.seq)).where(
    _journal.seq > sa.bindparam("seen"),
    sa.or_(*(_journal.type == each.type for each in (ProductCosted, RateSet, RateChanged))),
)
_COSTED = sa.select(Product).where(_product.costs != [])
_WITHOUT = (
    sa.select(Deal)
    .where(
        _deal.status == "won",
        sa.or_(_deal.cost.is_(None), _deal.amended_on.is_not(None)),
        _deal.id > sa.bindparam("after"),
    )
    .order_by(_deal.id)
    .limit(PAGE)
)


async def cost_of(tx: Tx, product: str, quantity: Decimal, on: date, currency: str) -> Money | None:
    """What so much of a product cost on a day, in the currency that it is sold in; none where that is not known."""
    found = await tx.get(Product, product)
    unit = found.cost_on(on)
    rates = await all_rates(tx) if unit is not None and unit.currency != currency else Rates(())
    return found.cost_of(quantity, on, currency, rates)


async def keep_costs(runtime: Runtime) -> None:
    """Let deals learn what they cost, whenever a cost or a rate has come."""
    keeper = CostKeeper(runtime.store, now)
    await by_one_of_all(runtime.store, "costs", LOOK_SECONDS, keeper.look)


class CostKeeper:
    """Looks after the won deals of which it is not known what they cost; of several replicas one does."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock
        self._seen: int | None = None

    async def look(self) -> None:
        """Fill in what has become known since the last time; at first, whatever is known."""

        async def news(snapshot: Snapshot) -> tuple[int, bool]:
            last = int(await snapshot.scalar(_LAST) or 0)
            if self._seen is None:
                return last, True
            return last, await snapshot.scalar(_NEWS, seen=self._seen) is not None

        last, come = await self.store.read(news)
        if come:
            await self.fill()
        self._seen = last

    async def fill(self) -> None:
        """Let every deal learn what is known now of what it cost, page by page."""
        after: str | None = ""
        while after is not None:
            after = await self._fill_page(after)

    async def _fill_page(self, after: str) -> str | None:
        async def read(snapshot: Snapshot) -> tuple[Sequence[Deal], list[str]]:
            products = {each.id: each for each in await snapshot.all(Product, _COSTED)}
            found = await snapshot.all(Deal, _WITHOUT, after=after) if products else []
            rates = await all_rates(snapshot) if found else Rates(())
            return found, [each.id for each in found if each.learn_costs(_known(products, rates)) is not None]

        found, learning = await self.store.read(read)
        for key in learning:
            await self.store.write(Job(lambda tx, key=key: self._learn(tx, key), Context(self.clock())))  # type: ignore[misc]
        return found[-1].id if len(found) == PAGE else None

    async def _learn(self, tx: Tx, key: str) -> None:
        deal = await tx.load(Deal, key)
        products = {each.id: each for each in await tx.all(Product, _COSTED)}
        tx.save(deal, deal.learn_costs(_known(products, await all_rates(tx))))


def _known(products: Mapping[str, Product], rates: Rates) -> Callable[[str, Decimal, date, str], Money | None]:
    def cost(product: str, quantity: Decimal, on: date, currency: str) -> Money | None:
        found = products.get(product)
        return None if found is None else found.cost_of(quantity, on, currency, rates)

    return cost
