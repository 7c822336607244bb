"""`/v1/products`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from services.targets.domain.products import Product
from shared.http.bodies import Body, Name, Named
from shared.http.collection import Collection, fresh
from shared.instant import Day
from shared.money import NonNegative
from shared.store import Tx


def _cost_on(product: Any, day: Day) -> dict[str, Any]:
    return {"costs": [each for each in product.costs if each["from"] <= day.isoformat()][-1:]}


products = Collection(Product, "products", on_day=_cost_on)


class ListProduct(Named):
    """A product to be offered."""

    name: Name = Field(examples=["GTX Pro"])
    price: NonNegative | None = None


class ChangeProduct(Named):
    """What to change about a product; what is not sent stays, null clears."""

    name: Name = ""
    price: NonNegative | None = None


class CostProduct(Body):
    """What one unit costs us from a day on."""

    cost: NonNegative
    since: Day = Field(alias="from")


@products.create
async def list_product(tx: Tx, body: ListProduct) -> Product:
    """Offer a product."""
    product, listed = Product.list_for_sale(name=body.name, price=body.price, **fresh(Product, body))
    return tx.save(product, listed)


@products.amend
async def change_product(tx: Tx, product: Product, body: ChangeProduct) -> Product:
    """Describe a product differently."""
    return tx.save(product, product.change(**body.sent()))


@products.verb("costs")
async def cost_product(tx: Tx, product: Product, body: CostProduct) -> Product:
    """Say what a unit costs from a day on."""
    return tx.save(product, product.cost_from(body.since, body.cost))
