"""What must hold between the figures of any snapshot. Left and right are computed by different ways, or prove nothing.

Each side is one statement on the stored sums or facts: the sums on one side, the facts they came from on the other, or
two cohorts of facts that must add up to a third.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from services.metrics.consistency.customer_invariants import CUSTOMER_INVARIANTS
from services.metrics.consistency.money_invariants import MONEY_INVARIANTS
from services.metrics.consistency.sides import WORTH, Invariant, Side, Value, added, counted, summed, together
from services.metrics.facts.deals import DealFact
from services.metrics.facts.requests import RequestFact
from services.metrics.facts.teams import MemberFact
from services.metrics.sums import ALL
from shared.money import Money
from shared.store import Snapshot

_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_member = MemberFact.__table__.c  # type: ignore[attr-defined]
_request = RequestFact.__table__.c  # type: ignore[attr-defined]


def headcount_of(department: str) -> Side:
    """How many members a department has, from the sums."""
    return together((1, summed("joined", "department", "count", department)),
                    (-1, summed("left", "department", "count", department)))  # fmt: skip


def headcount(model: Any, spells: Any, of: str | None) -> Side:
    """How many members are in some department now, in a team or in none; counted one by one."""

    async def value(snapshot: Snapshot) -> Value:
        count = 0
        for departments, memberships in await snapshot.rows(sa.select(model.departments, spells)):
            in_sales = any(each["of"] == "sales" and each["to"] is None for each in departments)
            in_team = any(each["to"] is None for each in memberships)
            count += in_sales and (of is None or in_team == (of == "team"))
        return count

    return value


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "sales revenue = finance revenue",
        "revenue of all days, from the sums",
        "values of all won deals",
        summed("won"),
        added(_deal.currency, WORTH, _deal.status == "won"),
    ),
    Invariant(
        "member credits = revenue",
        "credits of all members",
        "revenue of all days",
        summed("won", "member"),
        summed("won"),
    ),
    Invariant(
        "team revenue = revenue", "revenue of all teams", "revenue of all days", summed("won", "team"), summed("won")
    ),
    Invariant(
        "customer revenue = revenue",
        "revenue of all customers",
        "revenue of all days",
        summed("won", "customer"),
        summed("won"),
    ),
    Invariant(
        "product revenue = revenue",
        "lines of all products",
        "revenue of all days",
        summed("won", "product"),
        summed("won"),
    ),
    *MONEY_INVARIANTS,
    *CUSTOMER_INVARIANTS,
    Invariant(
        "sales department = members in teams + members without team",
        "members of the sales department, from the sums",
        "members of sales in a team and members of sales without one, one by one",
        headcount_of("sales"),
        together((1, headcount(_member, _member.memberships, "team")),
                 (1, headcount(_member, _member.memberships, "none"))),
    ),
    Invariant(
        "requests from sales in it = requests to it in sales",
        "requests from sales to it, from the sums",
        "requests from sales to it, one by one",
        summed("asked", "pair", "count", "sales>it"),
        counted(RequestFact, _request.from_department == "sales", _request.to_department == "it"),
    ),
    Invariant(
        "open deals = opened - won - lost",
        "deals that are open",
        "deals opened, without those won or lost",
        counted(DealFact, _deal.status == "open", _deal.opened_on.is_not(None)),
        together((1, summed("opened", ALL, "count")), (-1, summed("won", ALL, "count")),
                 (-1, summed("lost", ALL, "count"))),
    ),
)  # fmt: skip


async def check(invariants: Sequence[Invariant], snapshot: Snapshot) -> list[dict[str, Any]]:
    """Both sides of every invariant, in one snapshot, and whether they are equal."""
    results = []
    for invariant in invariants:
        left, right = await invariant.left_value(snapshot), await invariant.right_value(snapshot)
        difference: Any = left - right  # type: ignore[operator]
        results.append(
            {
                "name": invariant.name,
                "class": "A",
                "left": invariant.left,
                "right": invariant.right,
                "left_value": shown(left),
                "right_value": shown(right),
                "difference": shown(difference),
                "holds": not difference,
            }
        )
    return results


def shown(value: Value) -> Any:
    """A side as it is shown: a count, or money for each currency."""
    if isinstance(value, int):
        return value
    return [Money.of_minor(amount, currency).as_json() for currency, amount in value]
