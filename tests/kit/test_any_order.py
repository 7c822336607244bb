"""Whatever the log does to a set of events, the facts and sums that come out of it are the same to the byte."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies

from shared.bus import Record
from shared.events import Event
from shared.events.targets import (
    Credit,
    DealAmended,
    DealChanged,
    DealLost,
    DealMoved,
    DealOpened,
    DealReopened,
    DealWon,
    Line,
)
from shared.money import Money
from tests.kit.any_order import same_in_any_order
from tests.kit.conftest import Stores
from tests.kit.told import life

SHARES = (["1"], ["0.5", "0.5"], ["0.5", "0.25", "0.25"])
days = strategies.dates(date(2026, 1, 1), date(2026, 12, 31))
members = strategies.sampled_from(["mbr_a", "mbr_b", "mbr_c"])
teams = strategies.sampled_from([None, "team_a", "team_b"])
customers = strategies.sampled_from([None, "cust_a", "cust_b"])
products = strategies.sampled_from([None, "prod_a", "prod_b"])
values = strategies.builds(
    lambda cents, currency: Money(f"{cents // 100}.{cents % 100:02d}", currency),
    strategies.integers(0, 10**7),
    strategies.sampled_from(["EUR", "USD"]),
)
stages = strategies.sampled_from(["prospecting", "engaging", "offered"])


@strategies.composite
def winnings(draw: Any) -> DealWon:
    value = draw(values)
    credited = draw(strategies.lists(members, min_size=1, max_size=3, unique=True))
    shares = SHARES[len(credited) - 1]
    amounts = value.split([Decimal(share) for share in shares])
    cost = draw(strategies.none() | strategies.just(Money("1.00", value.currency)))
    line = Line(product=draw(products), quantity="1", amount=value, cost=cost)
    return DealWon(
        on=draw(days),
        value=value,
        owner=credited[0],
        team=draw(teams),
        customer=draw(customers),
        product=draw(products),
        lines=(line,) if draw(strategies.booleans()) else (),
        credits=tuple(
            Credit(member=member, share=share, amount=amount)
            for member, share, amount in zip(credited, shares, amounts, strict=True)
        ),
        cost=cost,
    )


@strategies.composite
def amendments(draw: Any, told: list[Event]) -> DealAmended | None:
    """Something else that was agreed on with a deal that was won last, or nothing."""
    before: Any = told[-1]
    agreed = draw(winnings().filter(lambda won: won.value.currency == before.value.currency) | strategies.none())
    if agreed is None:
        return None
    return DealAmended(on=agreed.on, value=agreed.value, lines=agreed.lines, credits=agreed.credits, cost=agreed.cost)


@strategies.composite
def lives(draw: Any, subject: str) -> list[Record]:
    """A deal from its opening through a few turns."""
    told: list[Event] = [
        DealOpened(
            owner=draw(members), opened_on=draw(days), stage=draw(stages), team=draw(teams),
            customer=draw(customers), product=draw(products), value=draw(strategies.none() | values),
        )
    ]  # fmt: skip
    is_open = True
    for _ in range(draw(strategies.integers(0, 5))):
        if not is_open:
            amended = draw(amendments(told)) if isinstance(told[-1], DealWon | DealAmended) else None
            told.append(amended or DealReopened(on=draw(days)))
        else:
            changed = strategies.builds(
                DealChanged, owner=members, opened_on=days, customer=customers, product=products, team=teams,
                value=strategies.none() | values,
            )  # fmt: skip
            told.append(
                draw(
                    changed | strategies.builds(DealMoved, stage=stages, on=days) | winnings()
                    | strategies.builds(DealLost, on=days)
                )
            )  # fmt: skip
        is_open = not isinstance(told[-1], DealWon | DealAmended | DealLost)
    return life(subject, *told)


@strategies.composite
def histories(draw: Any) -> tuple[list[Record], list[Record], int]:
    """A set of events in their order, the same with repetitions in any order, and the size of the batches."""
    straight = [
        record for number in range(draw(strategies.integers(1, 4))) for record in draw(lives(f"deal/deal_{number}"))
    ]
    twice = draw(strategies.lists(strategies.sampled_from(straight), max_size=8))
    shuffled = draw(strategies.permutations([*straight, *twice]))
    return straight, list(shuffled), draw(strategies.integers(1, 6))


async def test_any_order_repetition_and_delay_gives_the_same_to_the_byte(stores: Stores) -> None:
    store = await stores.open("metrics")
    await same_in_any_order(stores, store, histories())
