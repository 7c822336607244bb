"""`/v1/deals`: a chance to sell, opened, moved, won or lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from services.targets.api.asking import who_asks
from services.targets.api.contribution import InARole, StaffDeal, staffed
from services.targets.api.costing import cost_of
from services.targets.api.invoices import invoiced
from services.targets.api.referred import referred
from services.targets.domain.customers import Customer
from services.targets.domain.deals import Deal, Sold
from services.targets.domain.products import Product
from shared.http.bodies import Body, Name, Named, Ref, Text, Word
from shared.http.collection import Collection, fresh
from shared.instant import Day
from shared.known import KnownMember, KnownTeam, known, today
from shared.money import Money, NonNegative, NonNegativePrice, Quantity, Share, line_amount
from shared.store import Tx

CLOSED = ("won", "lost")
IMPORTS = "imports:write"
"""What a tool's token names that brings facts from another system; that an administrator may do everything does not
make them one."""


def _on_day(deal: Any, day: date) -> dict[str, Any] | None:
    if day < deal.opened_on:
        return None
    if deal.closed_on is not None and day < deal.closed_on:
        unknown = dict.fromkeys(("closed_on", "cost", "lost_reason", "amended_on"))
        return {"status": "open", "lines": [], "credits": [], "assists": [], "amendments": [], **unknown}
    later = [each for each in deal.amendments if day.isoformat() < each["on"]]
    if later:
        earlier = deal.amendments[: len(deal.amendments) - len(later)]
        agreed = {name: later[0][name] for name in ("value", "lines", "credits", "cost")}
        return agreed | {"amendments": earlier, "amended_on": earlier[-1]["on"] if earlier else None}
    return {}


deals = Collection(
    Deal,
    "deals",
    filters={"owner": "owner", "team": "team", "customer": "customer", "stage": "stage", "status": "status"},
    refs={"owner": KnownMember, "team": KnownTeam, "customer": Customer, "product": Product},
    on_day=_on_day,
)


def _open_stage(stage: str) -> str:
    if stage in CLOSED:
        raise ValueError(f"a deal becomes {stage} by its verb, not by a stage")
    return stage


OpenStage = Annotated[Word, AfterValidator(_open_stage)]


class OpenDeal(Named):
    """A chance to sell."""

    owner: Ref = Field(examples=["ext:hubspot:77"])
    customer: Ref | None = None
    product: Ref | None = None
    team: Ref | None = None
    opened_on: Day | None = None
    stage: OpenStage = "prospecting"
    value: NonNegative | None = None
    name: Name | None = None


class ChangeDeal(Named):
    """What to change about an open deal; what is not sent stays, null clears."""

    owner: Ref = ""
    customer: Ref | None = None
    product: Ref | None = None
    team: Ref | None = None
    opened_on: Day = date(1900, 1, 1)
    stage: OpenStage = "prospecting"
    value: NonNegative | None = None
    name: Name | None = None


class MoveDeal(Body):
    """The stage a deal has reached."""

    stage: OpenStage
    on: Day | None = None


class SoldLine(Body):
    """So much of a product for so much a unit; what it cost is looked up for the day unless it is given."""

    product: Ref
    quantity: Quantity
    unit_price: NonNegativePrice
    cost: NonNegative | None = None


class Credited(Body):
    """A member and their share of the deal."""

    member: Ref
    share: Share


class WinDeal(Body):
    """How a deal was won: for one value or line by line."""

    on: Day | None = None
    lines: list[SoldLine] = Field(default_factory=list, max_length=1000)
    value: NonNegative | None = None
    credits: list[Credited] = Field(default_factory=list, max_length=100)
    assists: list[Ref] = Field(default_factory=list, max_length=100)
    roles: list[InARole] = Field(default_factory=list, max_length=100, description="who filled which role in it")

    @model_validator(mode="after")
    def _one_price(self) -> WinDeal:
        if bool(self.lines) == (self.value is not None):
            raise ValueError("a deal is won either for a value or line by line: send one of value and lines")
        return self


class AmendDeal(WinDeal):
    """What was agreed on instead, from a day on, and why. The credits stay as they are: others are proposed at
    `/v1/credit-changes`, and stated here only by a tool that imports."""

    reason: Text
    assists: list[Ref] = Field(default_factory=list, max_length=0)
    roles: list[InARole] = Field(default_factory=list, max_length=0)


class LoseDeal(Body):
    """Why and when a deal was lost."""

    reason: Name
    on: Day | None = None
    competitor: Name | None = None


class ReopenDeal(Body):
    """The day on which a closing is taken back."""

    on: Day | None = None


@deals.create
async def open_deal(tx: Tx, body: OpenDeal) -> Deal:
    """Take up a chance to sell."""
    opened_on = body.opened_on or await today(tx)
    owner = await known(tx, KnownMember, body.owner, "/owner")
    team = (await known(tx, KnownTeam, body.team, "/team")).id if body.team else owner.team_on(opened_on)
    deal, opened = Deal.open(
        owner=owner.id,
        opened_on=opened_on,
        stage=body.stage,
        customer=await referred(tx, Customer, body.customer, "/customer"),
        product=await referred(tx, Product, body.product, "/product"),
        team=team,
        value=body.value,
        name=body.name,
        **fresh(Deal, body),
    )
    return tx.save(deal, opened)


@deals.amend
async def change_deal(tx: Tx, deal: Deal, body: ChangeDeal) -> Deal:
    """Describe an open deal differently."""
    sent = body.sent()
    stage = sent.pop("stage", None)
    if "owner" in sent:
        sent["owner"] = (await known(tx, KnownMember, body.owner, "/owner")).id
        if deal.owners and sent["owner"] == deal.owners[0][1]:
            # An import that runs again names who had it first.
            del sent["owner"]
    if sent.get("team"):
        sent["team"] = (await known(tx, KnownTeam, sent["team"], "/team")).id
    for field, model in (("customer", Customer), ("product", Product)):
        if field in sent:
            sent[field] = await referred(tx, model, sent[field], f"/{field}")
    if deal.status != "open":
        # An import that runs again describes deals as they were when open: the value is then the winning's.
        sent.pop("value", None)
        stage = None
    deal = tx.save(deal, deal.change(**sent))
    return tx.save(deal, deal.move(stage, await today(tx))) if stage else deal


@deals.verb("move")
async def move_deal(tx: Tx, deal: Deal, body: MoveDeal) -> Deal:
    """Bring a deal to another stage."""
    return tx.save(deal, deal.move(body.stage, body.on or await today(tx)))


@deals.verb("win")
async def win_deal(tx: Tx, deal: Deal, body: WinDeal) -> Deal:
    """Close a deal as won, with its lines and with credits that sum to 1."""
    on = body.on or await today(tx)
    value, lines, shares, assists = await _agreed(tx, deal, body, on)
    whose = shares or deal.shares or [(deal.owner, Decimal(1))]
    deal = tx.save(deal, deal.win(on, value, lines, whose, assists, stated=_stated(tx, deal)))
    return tx.save(deal, deal.staff(await staffed(tx, deal, body.roles, on))) if body.roles else deal


@deals.verb("roles")
async def staff_deal(tx: Tx, deal: Deal, body: StaffDeal) -> Deal:
    """Say who filled which role in a deal, before it is won or after."""
    return tx.save(deal, deal.staff(await staffed(tx, deal, body.roles, deal.closed_on)))


async def _agreed(
    tx: Tx, deal: Deal, body: WinDeal, on: date
) -> tuple[Money, list[Sold], list[tuple[str, Decimal]], list[str]]:
    """What a body says was agreed on: the value, its lines, who is credited and who assisted."""
    lines = [await _sold(tx, line, on, place) for place, line in enumerate(body.lines)]
    value = body.value or _value_of(lines)
    shares = await shares_of(tx, body.credits)
    assists = [(await known(tx, KnownMember, ref, f"/assists/{place}")).id for place, ref in enumerate(body.assists)]
    if not lines and deal.product is not None:
        lines = [await _whole(tx, deal.product, value, on)]
    return value, lines, shares, assists


async def shares_of(tx: Tx, credits: Sequence[Credited]) -> list[tuple[str, Decimal]]:
    """Who is to be credited which share, by id."""
    return [
        ((await known(tx, KnownMember, credit.member, f"/credits/{place}/member")).id, credit.share)
        for place, credit in enumerate(credits)
    ]


def _stated(tx: Tx, deal: Deal) -> bool:
    """Whether credits are stated as another system has them: by a tool that imports, of a deal that came from there."""
    asks = tx.context.principal
    return asks is not None and asks.member is None and IMPORTS in asks.scopes and bool(deal.externals)


@deals.verb("amend")
async def amend_deal(tx: Tx, deal: Deal, body: AmendDeal) -> Deal:
    """Agree on something else from a day on: the difference counts on that day. Other credits are proposed instead."""
    on, stated = body.on or await today(tx), _stated(tx, deal)
    value, lines, shares, _ = await _agreed(tx, deal, body, on)
    asked, by = await invoiced(tx, deal), who_asks(tx).name
    whose = shares or deal.shares
    return tx.save(deal, deal.amend(on, value, lines, whose, body.reason, asked, stated=stated, by=by))


@deals.verb("lose")
async def lose_deal(tx: Tx, deal: Deal, body: LoseDeal) -> Deal:
    """Close a deal as lost, and say why."""
    return tx.save(deal, deal.lose(body.on or await today(tx), body.reason, body.competitor))


@deals.verb("reopen", undoes=True)
async def reopen_deal(tx: Tx, deal: Deal, body: ReopenDeal) -> Deal:
    """Take a closing back."""
    return tx.save(deal, deal.reopen(body.on or await today(tx), await invoiced(tx, deal)))


async def _sold(tx: Tx, line: SoldLine, on: date, place: int) -> Sold:
    key = await referred(tx, Product, line.product, f"/lines/{place}/product")
    assert key is not None
    cost = line.cost
    if cost is None:
        cost = await cost_of(tx, key, line.quantity, on, line.unit_price.currency)
    return Sold(key, line.quantity, line_amount(line.quantity, line.unit_price), cost)


async def _whole(tx: Tx, product: str, value: Money, on: date) -> Sold:
    """A deal won for one value is one line of its product, if it has one."""
    return Sold(product, Decimal(1), value, await cost_of(tx, product, Decimal(1), on, value.currency))


def _value_of(lines: list[Sold]) -> Money:
    return Money.total((line.amount for line in lines), lines[0].amount.currency)
