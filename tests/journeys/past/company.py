"""A company that lives in the product and, beside it, in the model: each act is done in both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import httpx

from tests.journeys.past.acts import MEMBERS, TEAMS, Act, Amend, Lose, Move, Reopen, Split, Terms, Win
from tests.journeys.past.model import FIRST, Agreed, Deal, Known
from tests.world import World, importing

_numbers: Iterator[int] = count()


class Company:
    """Three teams with a group each, and four members; what they do is known."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.known = Known()
        self.tokens: list[str] = []

    async def settle_in(self) -> None:
        """Make them; each member begins in a team and in its group."""
        known = self.known
        for _ in range(TEAMS):
            known.teams.append(await self._made("teams", {"name": f"Team {next(_numbers)}"}))
            inner = {"name": f"Group {next(_numbers)}", "team": known.teams[-1]}
            known.groups.append(await self._made("groups", inner))
        for place in range(2):
            for name in ("customer", "product"):
                known.ids(name).append(await self._made(f"{name}s", {"name": f"{name} {place}"}))
        for place in range(MEMBERS):
            recruit = {"name": f"Member {next(_numbers)}", "department": "sales", "starts_on": str(FIRST)}
            member, team, group = await self._made("members", recruit), place % TEAMS, place % TEAMS
            where = {"team": known.teams[team], "group": known.groups[group], "from": str(FIRST)}
            await self._heard(await self._write(f"members/{member}/join", where))
            known.members.append(member)
            known.stays.append([(FIRST, known.teams[team])])
            known.grouped.append([(FIRST, known.groups[group])])

    async def do(self, act: Act) -> None:
        """One act; those that cannot be are left out."""
        match act:
            case Win():
                await self._win(act)
            case Amend():
                await self._amend(act)
            case Reopen():
                await self._reopen(act)
            case Move():
                await self._move(act)
            case Split():
                await self._split(act)
            case Lose():
                await self._lose(act)

    async def _lose(self, act: Lose) -> None:
        customer = self.known.customers[act.customer]
        before = self.known.lost.setdefault(customer, [])
        before.append((before[-1] if before else FIRST) + timedelta(days=act.later))
        await self._write(f"customers/{customer}/lose", {"on": str(before[-1])})

    async def _move(self, act: Move) -> None:
        known = self.known
        team, to = known.stays[act.member][-1][1], known.teams[act.to]
        if to == team:
            return
        on = known.last(act.member) + timedelta(days=act.later)
        where = {"from_team": team, "to_team": to, "on": str(on)}
        await self._heard(await self._write(f"members/{known.members[act.member]}/move", where))
        known.stays[act.member].append((on, to))
        known.grouped[act.member].append((on, None))

    async def _split(self, act: Split) -> None:
        known = self.known
        team = known.teams[act.team]
        there = [place for place, stays in enumerate(known.stays) if stays[-1][1] == team]
        if not there:
            return
        on = max(known.last(place) for place in range(MEMBERS)) + timedelta(days=act.later)
        halves: list[list[int]] = [[], []]
        for place in there:
            halves[act.second >> place & 1].append(place)
        groups = [{"name": f"Group {next(_numbers)}", "members": [known.members[place] for place in half]}
                  for half in halves]  # fmt: skip
        split = await self._write(f"teams/{team}/split", {"by": "hand", "groups": groups, "on": str(on)})
        for half, made in zip(halves, split.json()["groups"], strict=True):
            known.groups.append(made["group"])
            for place in half:
                known.grouped[place].append((on, made["group"]))
        await self._heard(split)

    async def _win(self, act: Win) -> None:
        known, on = self.known, _day(act.terms.day)
        opened: dict[str, Any] = {
            "owner": known.members[act.owner], "customer": known.customers[act.customer], "opened_on": str(on),
            "external": {"source": "life", "id": f"deal {next(_numbers)}"},
        }  # fmt: skip
        team = known.team_on(act.owner, on)
        if act.team is not None:
            opened["team"] = team = known.teams[act.team]
        deal = Deal(await self._made("deals", opened), opened["owner"], team, opened["customer"], on)
        known.deals.append(deal)
        await self._agree(deal, "win", on, act.terms)
        if act.invoiced:
            invoice = {"deal": deal.id, "amount": euros(deal.won.cents), "on": str(on)}
            deal.invoice = await self._made("invoices", invoice)

    async def _amend(self, act: Amend) -> None:
        if not self.known.won:
            return
        deal = self.known.won[act.deal % len(self.known.won)]
        on = max(_day(act.terms.day), deal.agreed[-1].on)
        becomes = sum(cents for _, cents in act.terms.lines)
        if deal.invoice and becomes < deal.won.cents:
            less = self._body(on, act.terms) | {"reason": "less"}
            refused = await self._refused(f"deals/{deal.id}/amend", less, **importing(self.world.settings))
            assert refused["rule"] == "amended-below-invoices"
            assert f"{euros(deal.won.cents - becomes)['amount']} EUR more" in refused["detail"]
            return
        await self._agree(deal, "amend", on, act.terms, reason="something else")

    async def _reopen(self, act: Reopen) -> None:
        if not self.known.won:
            return
        deal = self.known.won[act.deal % len(self.known.won)]
        if deal.invoice:
            assert (await self._refused(f"deals/{deal.id}/reopen", {}))["rule"] == "deal-is-invoiced"
            await self._write(f"invoices/{deal.invoice}/void", {"on": str(deal.won.on)})
        await self._write(f"deals/{deal.id}/reopen", {})
        deal.agreed, deal.invoice = [], ""
        if act.terms is not None:
            await self._agree(deal, "win", max(_day(act.terms.day), deal.opened), act.terms)

    async def _agree(self, deal: Deal, verb: str, on: date, terms: Terms, **more: str) -> None:
        """Win or amend a deal as another system tells it; what each is credited is what was told, which lies within a
        cent of the shares."""
        headers = importing(self.world.settings)
        answer = (await self._write(f"deals/{deal.id}/{verb}", self._body(on, terms) | more, **headers)).json()
        told = {each["member"]: cents_of(each["amount"]) for each in answer["credits"]}
        lines = [(self.known.products[product], cents) for product, cents in terms.lines]
        agreed = Agreed(on, lines, list(told.items()))
        shares = {self.known.members[who]: share for who, share in terms.shares}
        if not shares:
            shares = {each["member"]: int(Decimal(each["share"]) * 100) for each in answer["credits"]}
            assert sorted(shares) == sorted(deal.settled or [deal.owner])
        assert all(abs(told[member] - agreed.cents * share / 100) < 1 for member, share in shares.items())
        assert (sum(told.values()), answer["team"]) == (agreed.cents, deal.team)
        deal.agreed.append(agreed)
        deal.settled = sorted(told)

    def _body(self, on: date, terms: Terms) -> dict[str, Any]:
        known = self.known
        lines = [{"product": known.products[product], "quantity": "1", "unit_price": euros(cents)}
                 for product, cents in terms.lines]  # fmt: skip
        credits = [{"member": known.members[who], "share": str(Decimal(share) / 100)} for who, share in terms.shares]
        return {"on": str(on), "lines": lines, "credits": credits}

    async def _made(self, path: str, body: Any) -> str:
        made: str = (await self._write(path, body)).json()["id"]
        return made

    async def _write(self, path: str, body: Any, **headers: str) -> httpx.Response:
        answer = await self.world.post(f"/v1/{path}", body, **headers)
        assert answer.status_code in (200, 201), answer.text
        self.tokens.append(answer.headers["concert-version"])
        return answer

    async def _refused(self, path: str, body: Any, **headers: str) -> dict[str, Any]:
        answer = await self.world.post(f"/v1/{path}", body, **headers)
        assert answer.status_code == 409, answer.text
        problem: dict[str, Any] = answer.json()
        return problem

    async def _heard(self, response: httpx.Response) -> None:
        """Targets knows of it: whoever sells next, sells for the team they are in."""
        await self.world.settled("/v1/deals", response, limit=1)


def _day(place: int) -> date:
    return FIRST + timedelta(days=place)


def euros(cents: int) -> dict[str, str]:
    """Cents as money."""
    return {"amount": f"{Decimal(cents) / 100:.2f}", "currency": "EUR"}


def cents_of(money: dict[str, str]) -> int:
    """An amount of money in cents."""
    return int(Decimal(money["amount"]) * 100)
