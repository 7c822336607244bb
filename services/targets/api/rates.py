"""`/v1/rates`: dated exchange rates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from services.targets.domain.rates import ExchangeRate
from shared.errors import Conflict, Fault
from shared.http.bodies import Named
from shared.http.collection import Collection, fresh
from shared.instant import Day
from shared.known import house, today
from shared.money import Currency, plain
from shared.money import ExchangeRate as RateNumber
from shared.rates import MissingRate, Rates
from shared.store import Snapshot, Tx

_rate = ExchangeRate.__table__.c  # type: ignore[attr-defined]
_ALL = sa.select(ExchangeRate).order_by(_rate.id)
_SAME = sa.select(ExchangeRate).where(
    _rate.base == sa.bindparam("base"),
    _rate.quote == sa.bindparam("quote"),
    _rate.on == sa.bindparam("day", type_=sa.Date()),
)


def _on_day(rate: Any, day: date) -> dict[str, Any] | None:
    return {} if rate.on <= day else None


rates = Collection(ExchangeRate, "rates", filters={"from": "base", "to": "quote"}, on_day=_on_day)


class SetRate(Named):
    """What one unit of a currency is worth from a day on."""

    base: Currency = Field(alias="from", examples=["USD"])
    quote: Currency = Field(alias="to", examples=["EUR"])
    on: Day | None = None
    rate: RateNumber = Field(examples=["0.92"])


class ChangeRate(Named):
    """Another rate of the same day; its currencies and its day stay."""

    base: Currency = Field(default="EUR", alias="from")
    quote: Currency = Field(default="EUR", alias="to")
    on: Day | None = None
    rate: RateNumber | None = None


@rates.create
async def set_rate(tx: Tx, body: SetRate) -> ExchangeRate:
    """Say what a currency is worth from a day on."""
    on = body.on or await today(tx)
    same = await tx.all(ExchangeRate, _SAME, base=body.base, quote=body.quote, day=on)
    rate, told = ExchangeRate.set(
        base=body.base, quote=body.quote, on=on, rate=body.rate, same=same[0] if same else None,
        **fresh(ExchangeRate, body),
    )  # fmt: skip
    return tx.save(rate, told)


@rates.amend
async def change_rate(tx: Tx, rate: ExchangeRate, body: ChangeRate) -> ExchangeRate:
    """Correct a rate; targets that were approved keep the one of their plan."""
    for field, stored in (("base", rate.base), ("quote", rate.quote), ("on", rate.on)):
        if field in body.model_fields_set and getattr(body, field) not in (None, stored):
            at = "/" + ExchangeRate.shown_as.get(field, field)
            raise Conflict(
                f"{at} of a rate stays {stored}; set another rate.", [Fault(at, "differs from what is stored")]
            )
    return tx.save(rate, rate.correct(body.rate)) if body.rate is not None else rate


async def all_rates(snapshot: Snapshot) -> Rates:
    """Every rate that is known."""
    return Rates(each.as_quote for each in await snapshot.all(ExchangeRate, _ALL))


async def rates_to(tx: Tx, currency: str, on: date) -> dict[str, str]:
    """What a unit of every other known currency is worth in this one on a day; raises MissingRate if that is not known
    of the organisation's own."""
    known, own = await all_rates(tx), (await house(tx)).currency
    found = {each: known.of(each, currency, on) for each in {own, *known.currencies} - {currency}}
    if found.get(own, 1) is None:
        raise MissingRate(base=own, quote=currency, day=on)
    # Frozen as decimals: the plan is the rate that is written down, not the fraction it came from.
    return {each: plain(round(Decimal(rate.numerator) / rate.denominator, 12)) for each, rate in sorted(found.items())
            if rate is not None}  # fmt: skip
