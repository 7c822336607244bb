"""Whatever people do later, what a team and its members won before stays what it was, to the cent.

A model keeps a plain list of what was won. Members move between teams and leave their groups by it, teams are split
into groups anew, deals are won with splits, line by line, for other teams than their owner's, and on days long past,
and customers are lost and won back; after each act the revenue of every team, group, member, customer and product of
every month must be the model's, and so must each seen through another, and the customers of each. `LIVES` says how many
such companies live on each kind of engines: 4 unless told, 40 by `make fuzz`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, count
from typing import Any

import hypothesis
from hypothesis import Phase
from hypothesis import strategies as st

from tests.world import World

LIVES = int(os.environ.get("LIVES", "4"))
FIRST, MONTHS, TEAMS, MEMBERS = date(2026, 1, 1), ("2026-01", "2026-02", "2026-03"), 3, 4
INVOICED, LEFT = "accounting/invoiced", "accounting/not_yet_invoiced"
DIMENSIONS = ("team", "group", "member", "customer", "product")
_numbers: Iterator[int] = count()


@dataclass(frozen=True)
class Move:
    """A member goes to another team, some days after the last time."""

    member: int
    to: int
    later: int


@dataclass(frozen=True)
class Split:
    """A team is split into two groups, some days after all that happened to anybody; who is in which, by bits."""

    team: int
    later: int
    second: int


@dataclass(frozen=True)
class Win:
    """A deal is won on a day, perhaps for another team, in lines of products (by cents), and credited in hundredths to
    one or several members."""

    owner: int
    day: int
    customer: int
    lines: tuple[tuple[int, int], ...]
    team: int | None
    shares: tuple[tuple[int, int], ...]


@st.composite
def wins(draw: st.DrawFn) -> Win:
    credited = draw(st.lists(st.integers(0, MEMBERS - 1), unique=True, max_size=3))
    cuts = sorted(
        draw(st.lists(st.integers(1, 99), unique=True, min_size=len(credited[1:]), max_size=len(credited[1:])))
    )
    parts = [end - start for start, end in zip([0, *cuts], [*cuts, 100], strict=True)]
    return Win(
        owner=draw(st.integers(0, MEMBERS - 1)),
        day=draw(st.integers(0, 89)),
        customer=draw(st.integers(0, 1)),
        lines=tuple(draw(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 10**7)), min_size=1, max_size=3))),
        team=draw(st.none() | st.integers(0, TEAMS - 1)),
        shares=tuple(zip(credited, parts, strict=True)) if credited else (),
    )


@dataclass(frozen=True)
class Lose:
    """A customer is lost, some days after they were lost the last time."""

    customer: int
    later: int


losses = st.builds(Lose, st.integers(0, 1), st.integers(1, 60))
moves = st.builds(Move, st.integers(0, MEMBERS - 1), st.integers(0, TEAMS - 1), st.integers(1, 30))
splits = st.builds(Split, st.integers(0, TEAMS - 1), st.integers(1, 20), st.integers(0, 2**MEMBERS - 1))
Act = Move | Split | Win | Lose


@dataclass(frozen=True)
class Won:
    """What one deal brought on a day, for whom."""

    id: str
    on: date
    owner: str
    team: str
    customer: str
    lines: Sequence[tuple[str, int]]
    credits: Sequence[tuple[str, int]]

    @property
    def cents(self) -> int:
        return sum(cents for _, cents in self.lines)


@dataclass
class Company:
    """Three teams with a group each, four members, where they were when, and all that was won."""

    world: World
    teams: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    stays: list[list[tuple[date, str]]] = field(default_factory=list)
    grouped: list[list[tuple[date, str | None]]] = field(default_factory=list)
    won: list[Won] = field(default_factory=list)
    lost: dict[str, list[date]] = field(default_factory=dict)

    def ids(self, dim: str) -> list[str]:
        """Those of the company along a dimension."""
        return getattr(self, f"{dim}s")  # type: ignore[no-any-return]

    async def settle_in(self) -> None:
        """Make them; each member begins in a team and in its group."""
        for _ in range(TEAMS):
            team = (await self.world.made("/v1/teams", {"name": f"Team {next(_numbers)}"}))["id"]
            inner = {"name": f"Group {next(_numbers)}", "team": team}
            self.teams.append(team)
            self.groups.append((await self.world.made("/v1/groups", inner))["id"])
        for place in range(2):
            for name in ("customer", "product"):
                self.ids(name).append((await self.world.made(f"/v1/{name}s", {"name": f"{name} {place}"}))["id"])
        for place in range(MEMBERS):
            recruit = {"name": f"Member {next(_numbers)}", "department": "sales", "starts_on": str(FIRST)}
            member = (await self.world.made("/v1/members", recruit))["id"]
            team, group = self.teams[place % TEAMS], self.groups[place % TEAMS]
            where = {"team": team, "group": group, "from": str(FIRST)}
            await self._heard(await self.world.post(f"/v1/members/{member}/join", where))
            self.members.append(member)
            self.stays.append([(FIRST, team)])
            self.grouped.append([(FIRST, group)])

    async def do(self, act: Act) -> None:
        """One act, in the product and in the model; every figure is compared afterwards."""
        match act:
            case Win():
                done = await self._win(act)
            case Move():
                done = await self._move(act)
            case Split():
                done = await self._split(act)
            case Lose():
                done = await self._lose(act)
        if done is not None:
            await self.check(done)

    async def _lose(self, act: Lose) -> Any:
        customer = self.customers[act.customer]
        before = self.lost.setdefault(customer, [])
        on = (before[-1] if before else FIRST) + timedelta(days=act.later)
        before.append(on)
        lost = await self.world.post(f"/v1/customers/{customer}/lose", {"on": str(on)})
        assert lost.status_code == 200, lost.text
        return lost

    async def _move(self, act: Move) -> Any:
        team = self.stays[act.member][-1][1]
        to, on = self.teams[act.to], self._last(act.member) + timedelta(days=act.later)
        if to == team:
            return None
        where = {"from_team": team, "to_team": to, "on": str(on)}
        moved = await self.world.post(f"/v1/members/{self.members[act.member]}/move", where)
        self.stays[act.member].append((on, to))
        self.grouped[act.member].append((on, None))
        return await self._heard(moved)

    async def _split(self, act: Split) -> Any:
        team = self.teams[act.team]
        there = [place for place, stays in enumerate(self.stays) if stays[-1][1] == team]
        if not there:
            return None
        on = max(self._last(place) for place in range(MEMBERS)) + timedelta(days=act.later)
        halves: list[list[int]] = [[], []]
        for place in there:
            halves[act.second >> place & 1].append(place)
        groups = [{"name": f"Group {next(_numbers)}", "members": [self.members[place] for place in half]}
                  for half in halves]  # fmt: skip
        split = await self.world.post(f"/v1/teams/{team}/split", {"by": "hand", "groups": groups, "on": str(on)})
        assert split.status_code == 200, split.text
        for half, made in zip(halves, split.json()["groups"], strict=True):
            self.groups.append(made["group"])
            for place in half:
                self.grouped[place].append((on, made["group"]))
        return await self._heard(split)

    def _last(self, place: int) -> date:
        """The day of the last that happened to a member."""
        return max(self.stays[place][-1][0], self.grouped[place][-1][0])

    async def _heard(self, response: Any) -> Any:
        assert response.status_code == 200, response.text
        await self.world.settled("/v1/deals", response, limit=1)
        return response

    async def _win(self, act: Win) -> Any:
        on = FIRST + timedelta(days=act.day)
        deal: dict[str, Any] = {
            "owner": self.members[act.owner],
            "customer": self.customers[act.customer],
            "opened_on": str(on),
        }
        if act.team is not None:
            deal["team"] = self.teams[act.team]
        made = (await self.world.made("/v1/deals", deal))["id"]
        lines = [{"product": self.products[product], "quantity": "1", "unit_price": euros(cents)}
                 for product, cents in act.lines]  # fmt: skip
        credits = [{"member": self.members[who], "share": str(Decimal(share) / 100)} for who, share in act.shares]
        won = await self.world.post(f"/v1/deals/{made}/win", {"on": str(on), "lines": lines, "credits": credits})
        assert won.status_code == 200, won.text
        stay = [team for since, team in self.stays[act.owner] if since <= on][-1]
        self._note(act, on, self.teams[act.team] if act.team is not None else stay, won.json())
        invoice = {"deal": made, "amount": won.json()["value"], "on": str(on)}
        return await self.world.post("/v1/invoices", invoice)

    def _note(self, act: Win, on: date, team: str, answer: dict[str, Any]) -> None:
        told = {each["member"]: cents_of(each["amount"]) for each in answer["credits"]}
        lines = [(self.products[product], cents) for product, cents in act.lines]
        owner = self.members[act.owner]
        won = Won(answer["id"], on, owner, team, self.customers[act.customer], lines, list(told.items()))
        for who, share in act.shares or ((act.owner, 100),):
            assert abs(told[self.members[who]] - won.cents * share / 100) < 1
        assert answer["team"] == team
        assert sum(told.values()) == won.cents
        self.won.append(won)

    def group_on(self, member: str, day: date) -> str | None:
        """The group of a member, which they leave with their team, or for another one when the team is split."""
        return [group for since, group in self.grouped[self.members.index(member)] if since <= day][-1]

    def expected(self, month: str, dim: str) -> Counter[str]:
        """What each along a dimension won in a month, in cents."""
        found: Counter[str] = Counter()
        for won in self.won:
            if f"{won.on:%Y-%m}" != month:
                continue
            whose: dict[str, Sequence[tuple[str | None, int]]] = {
                "team": [(won.team, won.cents)],
                "customer": [(won.customer, won.cents)],
                "product": won.lines,
                "member": won.credits,
                "group": [(self.group_on(member, won.on), cents) for member, cents in won.credits],
            }
            for key, cents in whose[dim]:
                if key is not None:
                    found[key] += cents
        return found

    def customers_of(self, dim: str) -> dict[tuple[str, str], list[int]]:
        """By month and whom along a dimension: customers at the start, new, won back, lost, and at the end, day by
        day; a customer is of those for whom the deal was won that won them first, or back."""
        found = {(month, key): [0] * 5 for month in MONTHS for key in self.ids(dim)}

        def count(month: str, whose: set[str | None], place: int) -> None:
            for key in whose - {None}:
                if (month, str(key)) in found:
                    found[month, str(key)][place] += 1

        for customer in self.customers:
            has: set[str | None] | None = None
            ever = False
            for day in (FIRST + timedelta(days=place) for place in range(90)):
                month = f"{day:%Y-%m}"
                if day.day == 1 and has is not None:
                    count(month, has, 0)
                if has is not None and day in self.lost.get(customer, ()):
                    count(month, has, 3)
                    has = None
                won = [each for each in self.won if (each.customer, each.on) == (customer, day)]
                if won and has is None:
                    has = self._whose(min(won, key=lambda each: each.id), dim)
                    count(month, has, 2 if ever else 1)
                    ever = True
                if (day + timedelta(days=1)).day == 1 and has is not None:
                    count(month, has, 4)
        return found

    def _whose(self, won: Won, dim: str) -> set[str | None]:
        """Whom a deal was won for along a dimension."""
        whose: dict[str, set[str | None]] = {
            "team": {won.team},
            "customer": {won.customer},
            "product": {product for product, _ in won.lines},
            "member": {won.owner},
            "group": {self.group_on(won.owner, won.on)},
        }
        return whose[dim]

    async def check_customers(self, response: Any) -> None:
        """The customers of everything along every dimension are the model's, in every month."""
        keys = [f"customers_{each}" for each in ("start", "new", "reactivated", "lost", "end")]
        for dim in DIMENSIONS:
            expected = self.customers_of(dim)
            for month in MONTHS:
                view = await self.world.settled("/v1/views/sales", response, period=month, breakdown=dim)
                shown = {row["ref"]: [row["figures"][key] for key in keys] for row in view["breakdown"]["rows"]}
                for each in self.ids(dim):
                    assert shown.get(each, [0] * 5) == expected[month, each], (month, dim)

    async def check(self, response: Any) -> None:
        """What everything along every dimension won in every month is the model's."""
        for month in MONTHS:
            for dim in DIMENSIONS:
                shown, expected = await self._shown(response, month, dim), self.expected(month, dim)
                assert {each: shown.get(each, 0) for each in self.ids(dim)} == {
                    each: expected[each] for each in self.ids(dim)
                }, (month, dim)

    async def check_through(self, response: Any) -> None:
        """Seen through one dimension, the parts along each other one sum to what is seen without it."""
        for month in MONTHS:
            for through in DIMENSIONS:
                expected = self.expected(month, through)
                for key in self.ids(through):
                    for dim in DIMENSIONS:
                        if dim in (through, "group"):
                            # Not everybody is in a group, so groups do not sum to the whole.
                            continue
                        shown = await self._shown(response, month, dim, **{through: key})
                        assert sum(shown.values()) == expected[key], (month, through, dim)

    async def check_crosswise(self, response: Any) -> None:
        """What one has of another is what the other has of the one."""
        for dim, through in combinations(DIMENSIONS, 2):
            there = {key: await self._shown(response, "2026", dim, **{through: key}) for key in self.ids(through)}
            back = {key: await self._shown(response, "2026", through, **{dim: key}) for key in self.ids(dim)}
            for one in self.ids(dim):
                for other in self.ids(through):
                    assert there[other].get(one, 0) == back[one].get(other, 0), (dim, through)

    async def check_books(self, response: Any) -> None:
        """Each deal was invoiced at once, so that what was invoiced is everywhere what was won."""
        for month in MONTHS:
            for dim in DIMENSIONS:
                shown, expected = await self._shown(response, month, dim, INVOICED), self.expected(month, dim)
                assert {each: shown.get(each, 0) for each in self.ids(dim)} == {
                    each: expected[each] for each in self.ids(dim)
                }, (month, dim)
        for dim, through in (("member", "product"), ("product", "member"), ("product", "group")):
            for key in self.ids(through):
                whole = sum(self.expected(month, through)[key] for month in MONTHS)
                for figure in (INVOICED, LEFT):
                    parts = await self._shown(response, "2026", dim, figure, **{through: key})
                    assert sum(parts.values()) == (whole if figure == INVOICED else 0), (dim, through, figure)

    async def check_rows(self) -> None:
        """The deals behind the revenue of a member, a group and a product hold just what it is made of."""
        for dim in ("member", "group", "product"):
            for month in MONTHS:
                expected = self.expected(month, dim)
                for key in self.ids(dim):
                    query = {"figure": "revenue", "period": month, dim: key, "limit": "200"}
                    answer = await self.world.admin.get("/v1/views/sales/rows", params=query)
                    assert answer.status_code == 200, answer.text
                    rows = answer.json()["items"]
                    assert sum(self._of_row(row, dim, key) for row in rows) == expected[key], (month, dim)

    def _of_row(self, row: dict[str, Any], dim: str, key: str) -> int:
        if dim == "product":
            return sum(cents_of(line["amount"]) for line in row["lines"] if line["product"] == key)
        on = date.fromisoformat(row["closed_on"])
        return sum(
            cents_of(credit["amount"]) for credit in row["credits"]
            if key in (credit["member"], self.group_on(credit["member"], on))
        )  # fmt: skip

    async def _shown(
        self, response: Any, period: str, dim: str, figure: str = "sales/revenue", **query: str
    ) -> dict[str, int]:
        name, _, key = figure.partition("/")
        view = await self.world.settled(f"/v1/views/{name}", response, period=period, breakdown=dim, **query)
        return {row["ref"]: cents_of(row["figures"][key]) for row in view["breakdown"]["rows"]}


def euros(cents: int) -> dict[str, str]:
    """Cents as money."""
    return {"amount": f"{Decimal(cents) / 100:.2f}", "currency": "EUR"}


def cents_of(money: dict[str, str]) -> int:
    """An amount of money in cents."""
    return int(Decimal(money["amount"]) * 100)


async def live_through(world: World, acts: list[Act]) -> None:
    company = Company(world)
    await company.settle_in()
    for act in acts:
        await company.do(act)
    thirds = Win(0, day=1, customer=0, lines=((0, 33_35), (1, 66_66)), team=None, shares=((0, 33), (1, 33), (2, 34)))
    last = await company._win(thirds)
    await company.check(last)
    await company.check_through(last)
    await company.check_crosswise(last)
    await company.check_rows()
    await company.check_books(last)
    await company.check_customers(last)


def lives(number: int) -> list[list[Act]]:
    """So many lives of companies, each longer than the smallest ones that come first."""
    found: list[list[Act]] = []

    @hypothesis.settings(max_examples=4 * number, database=None, phases=[Phase.generate])
    @hypothesis.given(st.lists(moves | splits | losses | wins(), min_size=3, max_size=8))
    def draw(acts: list[Act]) -> None:
        found.append(acts)

    draw()
    return found[-number:]


async def test_past_figures_never_move_and_parts_sum_to_the_whole_to_the_cent(standing: World) -> None:
    # All are drawn first, on the loop: while they are, nobody else may draw random numbers, as a running Concert does.
    for acts in lives(LIVES):
        try:
            await live_through(standing, acts)
        except AssertionError as error:
            error.add_note(f"after {acts}")
            raise
