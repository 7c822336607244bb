"""What a deal adds to the sums, the whole of it or the part that some members and a product have.

A part is exact in both directions: what the members have of a deal sums to it along its lines, and what its products
bring sums to it along its credits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import accumulate, pairwise, product
from typing import TYPE_CHECKING, Any

from services.metrics.sums import ALL, cells
from shared.facts import Cell

if TYPE_CHECKING:
    from services.metrics.facts.deals import DealFact

STAGE_IN, STAGE_OUT = "stage_in:", "stage_out:"
"""What measures begin with that say how much entered and left a stage of the pipeline, by the name of the stage."""
Belongs = Callable[[str, date], bool]
"""Whether somebody counts on a day."""


def contributions(deal: DealFact) -> Iterator[Cell]:
    """What a deal adds to the sums: its opening, its stay in each stage of the pipeline, and its closing."""
    return contributions_of(deal, Part(deal))


class Part:
    """A deal, or what some members and one product have of it; `belongs` says who counts on a day."""

    def __init__(
        self,
        deal: DealFact,
        belongs: Belongs | None = None,
        product: str | None = None,
        amended: Mapping[str, Any] | None = None,
    ) -> None:
        """The part as it was won, or as it was `amended`: then those count who do on that day."""
        self.belongs = belongs
        self.product = product
        as_it_is = amended or {"value": deal.value, "cost": deal.cost, "lines": deal.lines, "credits": deal.credits}
        self.value, self.cost = as_it_is["value"], as_it_is["cost"]
        self.credits = as_it_is["credits"]
        self.lines = as_it_is["lines"] or [{"product": deal.product, "minor": self.value, "cost": self.cost}]
        if deal.closed_on is not None and deal.status == "won" and not (belongs is None and product is None):
            self._narrow(deal.closed_on)
        found = dict.fromkeys([line["product"] for line in self.lines])
        self.products: list[str | None] = [each for each in found if product is None or each == product]
        """The products of it, each once: of an open deal the one it was opened for."""

    def on(self, deal: DealFact, day: date, amended: Mapping[str, Any] | None) -> Part:
        """The same part of what was agreed on, of those who count on a day."""
        belongs = self.belongs
        on_day = None if belongs is None else (lambda member, _: belongs(member, day))
        return Part(deal, on_day, self.product, amended)

    @property
    def money(self) -> Counter[tuple[str, str, str]]:
        """What it brought and cost along each dimension, but for those that are whole."""
        found: Counter[tuple[str, str, str]] = Counter()
        for dim, parts, name in (("member", self.credits, "member"), ("product", self.lines, "product")):
            for each in parts:
                for number, amount in _money(each["minor"], each["cost"]).items():
                    found[dim, each[name] or "", number] += amount
        return found

    def owned(self, deal: DealFact, day: date) -> bool:
        """Whether it counts as a deal on a day, not only as money: its owner is among the members."""
        return self.has(deal.owner_on(day), day)

    def has(self, owner: str, day: date) -> bool:
        """Whether what happens to somebody's deal on a day is a part of it."""
        return bool(self.products) and (self.belongs is None or self.belongs(owner, day))

    def _narrow(self, day: date) -> None:
        """Keep the lines of the product and the credits of the members, each with its share of the other."""
        lines = [place for place, line in enumerate(self.lines) if self.product in (None, line["product"])]
        credits = [
            place for place, each in enumerate(self.credits)
            if self.belongs is None or self.belongs(each["member"], day)
        ]  # fmt: skip
        shares = [each["minor"] for each in self.credits]
        amounts = shared_out([each["minor"] for each in self.lines], shares)
        costs = self._costs(shares)

        def share(at: Iterable[tuple[int, int]]) -> dict[str, Any]:
            places = list(at)
            known = [costs[line][credit] for line, credit in places if costs[line]]
            cost = sum(known) if len(known) == len(places) else None
            return {"minor": sum(amounts[line][credit] for line, credit in places), "cost": cost}

        whole = share(product(lines, credits))
        self.value, self.cost = whole["minor"], whole["cost"]
        self.lines, self.credits = (
            [{**self.lines[line], **share((line, credit) for credit in credits)} for line in lines],
            [{**self.credits[credit], **share((line, credit) for line in lines)} for credit in credits],
        )

    def _costs(self, shares: Sequence[int]) -> list[list[int]]:
        """What each line cost, by credit; nothing for a line whose cost is not known."""
        if self.cost is not None:
            return shared_out([each["cost"] for each in self.lines], [each["cost"] for each in self.credits])
        return [shared_out([each["cost"]], shares)[0] if each["cost"] is not None else [] for each in self.lines]


def shared_out(rows: Sequence[int], columns: Sequence[int]) -> list[list[int]]:
    """A total that is split in two ways, split in both at once, in proportion: rows and columns keep their sums.

    Each cell is a difference of rounded shares of what came before it, so nothing is lost or made by rounding.
    """
    total = sum(columns)
    if not total:
        return [[0] * len(columns) for _ in rows]
    if len(columns) == 1:
        return [[row] for row in rows]
    down, along = [0, *accumulate(rows)], [0, *accumulate(columns)]
    upto = [[round(Fraction(above * left, total)) for left in along] for above in down]
    return [
        [upto[row + 1][column + 1] - upto[row][column + 1] - upto[row + 1][column] + upto[row][column]
         for column in range(len(columns))]
        for row in range(len(rows))
    ]  # fmt: skip


def contributions_of(deal: DealFact, part: Part) -> Iterator[Cell]:
    """What a part of a deal adds."""
    if deal.opened_on is None:
        return
    if part.owned(deal, deal.opened_on):
        yield from cells("opened", deal.opened_on, _along(deal, deal.owner_on(deal.opened_on)))
        yield from _by_product("opened", deal.opened_on, part)
    for measure, day, owner in _handovers(deal, "given", "taken"):
        if part.has(owner, day):
            yield from cells(measure, day, _along(deal, owner))
            yield from _by_product(measure, day, part)
    yield from _pipeline(deal, part)
    if deal.closed_on is None:
        return
    owned = part.owned(deal, deal.closed_on)
    if deal.status != "lost":
        yield from _assisted(deal, part, deal.closed_on)
        if not owned and not deal.amendments and not (part.lines and part.credits):
            return
        yield from _won(deal, part, deal.closed_on, deal.opened_on, owned)
        for before, after in pairwise([None, *deal.amendments]):
            yield from _amended(deal, part, before, after)
    elif owned:
        currency = deal.estimate_currency if deal.estimate else ""
        yield from cells("lost", deal.closed_on, _along(deal, deal.owner), amount=deal.estimate or 0, currency=currency)
        yield from _by_product("lost", deal.closed_on, part)


def _along(deal: DealFact, owner: str) -> dict[str, str | None]:
    return {ALL: "", "team": deal.team, "member": owner, "customer": deal.customer}


def _handovers(deal: DealFact, gives: str, takes: str) -> Iterator[tuple[str, date, str]]:
    """What happens to who gives the deal away and to who takes it, each time it is handed over."""
    for (_, before), (on, owner) in pairwise(deal.owners):
        if before != owner:
            yield gives, date.fromisoformat(on), before
            yield takes, date.fromisoformat(on), owner


def _by_product(measure: str, day: date, part: Part) -> Iterator[Cell]:
    for each in part.products:
        yield from cells(measure, day, {"product": each})


def _pipeline(deal: DealFact, part: Part) -> Iterator[Cell]:
    """The estimate enters the first stage with the opening, wanders from stage to stage, and leaves the last one with
    the closing: what is in all stages is the pipeline. A handover takes it out of its stage and puts it in again."""
    if not deal.estimate or deal.opened_on is None:
        return
    moved: list[tuple[str, date, str]] = []
    for place, (stage, since) in enumerate(deal.stages):
        # A stage is a part of the measure, not a dimension, so that a team's pipeline is known by stage too.
        entered = date.fromisoformat(since)
        moved.append((f"{STAGE_IN}{stage}", entered, deal.owner_on(entered)))
        until = deal.stages[place + 1][1] if place + 1 < len(deal.stages) else None
        left = date.fromisoformat(until) if until else deal.closed_on
        moved += [each for each in _handovers(deal, f"{STAGE_OUT}{stage}", f"{STAGE_IN}{stage}")
                  if entered < each[1] and (left is None or each[1] <= left)]  # fmt: skip
        if left is not None:
            moved.append((f"{STAGE_OUT}{stage}", left, deal.owner_on(max(left, entered))))
    amount, currency = deal.estimate, deal.estimate_currency
    for measure, day, owner in moved:
        if part.has(owner, day):
            yield from cells(measure, day, _along(deal, owner), amount=amount, currency=currency)
            for each in part.products:
                yield from cells(measure, day, {"product": each}, amount=amount, currency=currency)


def _assisted(deal: DealFact, part: Part, closed_on: date) -> Iterator[Cell]:
    for member in deal.assists:
        if part.has(member, closed_on):
            yield from cells("assisted", closed_on, _along(deal, member))
            yield from _by_product("assisted", closed_on, part)


def _won(deal: DealFact, part: Part, closed_on: date, opened_on: date, owned: bool) -> Iterator[Cell]:
    days, count = ((closed_on - opened_on).days, 1) if owned else (0, 0)
    along = {ALL: "", "team": deal.team, "customer": deal.customer}
    yield from cells("won", closed_on, along, count=count, currency=deal.currency, took=days,
                     **_money(part.value, part.cost))  # fmt: skip
    if owned:
        yield from cells("won", closed_on, {"member": deal.owner}, currency=deal.currency, took=days)
    for credit in part.credits:
        # A credit is money only: the deal itself is counted once, for its owner.
        yield from cells("won", closed_on, {"member": credit["member"]}, count=0, currency=deal.currency,
                         **_money(credit["minor"], credit["cost"]))  # fmt: skip
    counted: set[str | None] = set()
    for line in part.lines:
        # So is a line: a deal with two lines of a product is one deal of it.
        first = owned and line["product"] not in counted
        counted.add(line["product"])
        yield from cells("won", closed_on, {"product": line["product"]}, count=int(first), currency=deal.currency,
                         took=days if first else 0, **_money(line["minor"], line["cost"]))  # fmt: skip


def _amended(
    deal: DealFact, part: Part, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Iterator[Cell]:
    """What an amendment changed, on its day: the days before it keep what they had."""
    assert after is not None
    day = date.fromisoformat(after["on"])
    was, becomes = part.on(deal, day, before), part.on(deal, day, after)
    money = Counter(becomes.money)
    money.subtract(was.money)
    whole = Counter(_money(becomes.value, becomes.cost))
    whole.subtract(_money(was.value, was.cost))
    for dim, key in {ALL: "", "team": deal.team, "customer": deal.customer}.items():
        for number, amount in whole.items():
            money[dim, key or "", number] += amount
    moved: dict[tuple[str, str], dict[str, int]] = {}
    for (dim, key, number), amount in money.items():
        if amount:
            moved.setdefault((dim, key), {})[number] = amount
    for (dim, key), numbers in sorted(moved.items()):
        yield from cells("won", day, {dim: key}, count=0, currency=deal.currency, **numbers)


def _money(minor: int, cost: int | None) -> dict[str, int]:
    return {"amount": minor, "cost": cost or 0, "uncosted": 0 if cost is not None else minor}
