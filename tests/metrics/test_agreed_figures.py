"""What was agreed on, who had a part in it, and what customers say: figures by numbers that can be told by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.metrics.views import VIEWS
from services.metrics.views.frame import Reading, compute
from services.metrics.views.question import Question
from shared.events.aims import TargetApproved, TargetClosed, TargetSet
from shared.events.goals import GoalSet, MetricDefined
from shared.events.money import ExpenseBooked, InvoiceEntered, Part, RateSet, ReceiptBooked
from shared.events.pipeline import Chance, Qualified, StageDescribed
from shared.events.targets import (
    Credit,
    CustomerAnswered,
    CustomerMet,
    DealMoved,
    DealOpened,
    DealStaffed,
    DealWon,
    InRole,
)
from shared.events.teams import DepartmentOpened, MemberJoined, MemberRecruited, TeamFormed
from shared.money import Money
from shared.period import Period
from shared.store import Snapshot, Store, open_store
from tests.kit.told import Log, applier, feed, life
from tests.review.told import Lives
from tests.world import empty_files

FIRST, DAY = date(2026, 1, 1), timedelta(days=1)
PERIOD = Period.parse("2026-Q1")


def euros(amount: int) -> Money:
    return Money.of_minor(amount * 100, "EUR")


class House:
    """The views of a small house, told by events."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._told = applier(store)
        self._log = Log()

    async def hears(self, lives: Lives) -> None:
        records = [record for key, events in lives.items() for record in life(key, *events)]
        await feed(self._told, self._log, records)

    async def shows(self, view: str, today: date = date(2026, 12, 31), **filters: Any) -> tuple[Any, Any]:
        async def query(snapshot: Snapshot) -> tuple[Any, Any]:
            reading = Reading(snapshot, Question(PERIOD, today, filters))
            return await compute(VIEWS[view], reading), reading.notes

        return await self.store.read(query)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = open_store(empty_files(tmp_path), "metrics")
    await store.start()
    yield House(store)
    await store.close()


def won(number: int, value: Money, customer: str | None = None, **more: Any) -> Lives:
    """A deal of the first member, won on the first of February."""
    whose: dict[str, Any] = {"owner": "mbr_a", "team": "team_n", "customer": customer}
    closed = DealWon(on=date(2026, 2, 1), value=value, **whose, **more,
                     credits=(Credit(member="mbr_a", share="1", amount=value),))  # fmt: skip
    return {f"deal/deal_{number}": [DealOpened(opened_on=FIRST, stage="prospecting", value=value, **whose), closed]}


def aim(value: int, stretch: int | None = None) -> TargetSet:
    return TargetSet(metric="revenue", level="team", ref="team_n", period=PERIOD, value=euros(value),
                     stretch=euros(stretch) if stretch else None)  # fmt: skip


async def test_attainment_at_the_rates_of_the_plan_stays_when_currencies_move(house: House) -> None:
    rate = RateSet(base="USD", quote="EUR", on=FIRST, rate="2")
    deals = won(1, euros(30)) | won(2, Money("40.00", "USD"))
    await house.hears({"target/tgt_1": [aim(100, 200)], "rate/rate_1": [rate], **deals})
    figures, notes = await house.shows("sales", team="team_n")
    assert (figures["attainment"]["rate"], figures["attainment_at_plan"]) == ("1.100000", None)
    assert "1 of the targets are not approved" in notes["attainment_at_plan"]
    assert (figures["stretch"], figures["stretch_attainment"]["rate"]) == (euros(200).as_json(), "0.550000")
    assert (figures["target_health"], figures["target_lifecycle"]) == (
        "on_track", {"draft": 1, "approved": 0, "closed": 0})  # fmt: skip
    again = [aim(100), TargetApproved(on=FIRST, plan_rates={"USD": "0.5"}), TargetClosed(on=date(2026, 3, 15))]
    await house.hears({"target/tgt_2": [TargetSet(**vars(again[0]) | {"ref": "team_s"}), *again[1:]]})
    other = {key.replace("deal_", "deal_s"): [type(each)(**vars(each) | {"team": "team_s"}) for each in told]
             for key, told in deals.items()}  # fmt: skip
    await house.hears(other)
    figures, _ = await house.shows("sales", team="team_s")
    assert (figures["attainment"]["rate"], figures["attainment_at_plan"]["rate"]) == ("1.100000", "0.500000")
    assert figures["target_lifecycle"]["closed"] == 1
    figures, _ = await house.shows("sales", date(2026, 3, 1), team="team_s")
    assert figures["target_lifecycle"] == {"draft": 0, "approved": 1, "closed": 0}


async def test_acquisition_costs_what_sales_and_marketing_spend_on_it(house: House) -> None:
    spent: dict[str, Any] = {"on": FIRST, "amount": euros(10)}
    told = [("sales", "travel"), ("sales", "marketing"), ("dept_m", "salary"), ("it", "marketing"), ("it", "licences")]
    lives: Lives = {f"expense/exp_{number}": [ExpenseBooked(department=whose, spent_for=kind, **spent)]
                    for number, (whose, kind) in enumerate(told)}  # fmt: skip
    lives |= {f"customer/cust_{number}": [CustomerMet(name=f"C{number}")] for number in (1, 2)}
    lives["department/dept_m"] = [DepartmentOpened(name="Marketing")]
    lives |= won(1, euros(5), "cust_1")
    await house.hears(lives | won(2, euros(5), "cust_2"))
    figures, _ = await house.shows("finance")
    # Forty for two: all of sales, all of marketing, and what IT spent on marketing.
    assert figures["acquisition_cost"] == euros(20).as_json()
    assert figures["selling_expense"] == euros(20).as_json()


async def test_coverage_counts_what_its_stage_says_is_qualified_on_the_day(house: House) -> None:
    opened = DealOpened(owner="mbr_a", team="team_n", opened_on=FIRST, stage="prospecting", value=euros(50))
    stage = StageDescribed(name="Proving", position=3, chances=(Chance(since=FIRST, chance="0.5"),),
                           qualified=(Qualified(since=FIRST, qualified=False),
                                      Qualified(since=date(2026, 3, 1), qualified=True)))  # fmt: skip
    moved = {"deal/deal_2": [opened, DealMoved(stage="engaging", on=FIRST)],
             "deal/deal_3": [opened, DealMoved(stage="proving", on=FIRST)]}  # fmt: skip
    await house.hears({"target/tgt_1": [aim(100)], "stage/proving": [stage], "deal/deal_1": [opened], **moved})
    for today, qualified in ((date(2026, 2, 28), "0.500000"), (date(2026, 12, 31), "1.000000")):
        figures, _ = await house.shows("sales", today, team="team_n")
        assert (figures["coverage"]["rate"], figures["coverage_qualified"]["rate"]) == ("1.500000", qualified)


async def test_a_net_promoter_score_is_told_of_a_hundred_answers_on(house: House) -> None:
    def said(number: int, would: int | None) -> Lives:
        return {f"feedback/fdb_{number}": [CustomerAnswered(customer="cust_1", score=5, on=FIRST, recommends=would)]}

    for number in range(99):
        await house.hears(said(number, 9 if number < 50 else 6 if number < 70 else 7))
    await house.hears(said(99, None))
    figures, notes = await house.shows("sales", customer="cust_1")
    assert figures["nps"] is None
    assert "99 customers said" in notes["nps"]
    await house.hears(said(100, 10))
    figures, _ = await house.shows("sales", customer="cust_1")
    assert figures["nps"] == {"points": "31.0", "promoters": 51, "detractors": 20, "answers": 100}
    assert figures["csat"] == {"rate": "1.000000", "numerator": 101, "denominator": 101}


async def test_assists_and_roles_are_told_of_whoever_had_them(house: House) -> None:
    roles = (InRole(role="close", member="mbr_a"), InRole(role="demo", member="mbr_b"),
             InRole(role="demo", member="mbr_c"))  # fmt: skip
    lives = won(1, euros(1000), assists=("mbr_b",))
    lives["deal/deal_1"].append(DealStaffed(roles=roles))
    await house.hears(lives)
    whose: Any
    for whose, assists, share in (({}, 1, 500), ({"member": "mbr_a"}, 0, 300), ({"member": "mbr_b"}, 1, 100)):
        figures, _ = await house.shows("sales", **whose)
        assert (figures["assists"], figures["role_contribution"]) == (assists, euros(share).as_json()), whose
    assert (await house.shows("sales", member="mbr_d"))[0]["role_contribution"] is None


async def test_goals_are_attained_by_their_weights_and_unknown_ones_weigh_nothing(house: House) -> None:
    values: tuple[tuple[str, str, Any], ...] = (
        ("0.5", "revenue", euros(200)), ("0.3", "deals_won", "1"), ("0.2", "csat", "0.9"),
    )  # fmt: skip
    goals: Lives = {
        f"goal/goal_{place}": [GoalSet(level="organisation", period=PERIOD, weight=weight, metric=metric, value=wanted)]
        for place, (weight, metric, wanted) in enumerate(values)
    }
    for name, unit, how in (("revenue", "money", "sum"), ("deals_won", "number", "sum"), ("csat", "number", "mean")):
        goals[f"metric/{name}"] = [MetricDefined(name=name, unit=unit, direction="higher", aggregation=how)]
    await house.hears(goals | won(1, euros(100)))
    figures, notes = await house.shows("sales")
    assert figures["goal_attainment"] == {"rate": "0.687500", "numerator": "0.55", "denominator": "0.8"}
    assert notes["goal_attainment"].startswith("1 of 3 goals are not known")
    assert (await house.shows("sales", team="team_n"))[0]["goal_attainment"] is None


async def test_nothing_that_is_known_by_kind_is_not_zero(house: House) -> None:
    await house.hears(won(1, euros(100), "cust_1"))
    spent = ExpenseBooked(department="sales", spent_for="travel", on=FIRST, amount=euros(10))
    await house.hears({"expense/exp_1": [spent]})
    for view in ("sales", "finance", "accounting"):
        figures, notes = await house.shows(view, kind="travel")
        known = {key for key, value in figures.items() if value is not None}
        assert known <= {"spent", "selling_expense", "training_expense", "sales_expense", "challenges"}, known
        assert all(notes[key] for key in figures if key not in known)


async def test_a_metric_of_our_own_is_computed_by_the_basis_and_the_day_that_it_names(house: House) -> None:
    described: dict[str, Any] = {"name": "Cash in", "unit": "money", "direction": "higher", "aggregation": "sum"}
    whole = (Part(of="mbr_a", amount=euros(80)),)
    money: Lives = {
        "metric/cash": [MetricDefined(**described, basis="received", date_field="received_on")],
        "metric/mood": [MetricDefined(**described, basis="what came in, roughly", date_field="received_on")],
        "invoice/inv_1": [InvoiceEntered(deal="deal_1", amount=euros(80), on=date(2025, 12, 1), due_on=FIRST,
                                         won_on=date(2025, 11, 1), team="team_n", members=whole)],
        "receipt/rcpt_1": [ReceiptBooked(invoice="inv_1", amount=euros(80), applied=euros(80), on=date(2026, 3, 1),
                                         invoiced_on=date(2025, 12, 1), due_on=FIRST, team="team_n", members=whole,
                                         settled_members=whole)],
    }  # fmt: skip
    for name in ("cash", "mood"):
        money[f"target/tgt_{name}"] = [TargetSet(metric=name, level="member", ref="mbr_a", period=PERIOD,
                                                 value=euros(100))]  # fmt: skip
    await house.hears(money)
    cash, mood = (await house.shows("sales", member="mbr_a"))[0]["other_targets"]
    assert (cash["actual"], cash["attainment"]["rate"]) == (euros(80).as_json(), "0.800000")
    assert mood["actual"] == euros(0).as_json()


async def test_members_of_a_department_and_a_team_have_a_rate_of_their_own(house: House) -> None:
    people: Lives = {"team/team_n": [TeamFormed(name="N", department="sales")]}
    for key in ("a", "b"):
        joined = MemberJoined(team="team_n", on=FIRST)
        people[f"member/mbr_{key}"] = [MemberRecruited(department="sales", starts_on=FIRST), joined]
        people[f"target/tgt_{key}"] = [TargetSet(metric="revenue", level="member", ref=f"mbr_{key}", period=PERIOD,
                                                 value=euros(100))]  # fmt: skip
    await house.hears(people | won(1, euros(100)))
    filters: Any
    for filters in ({}, {"department": "sales"}, {"team": "team_n"}):
        figures, _ = await house.shows("sales", **filters)
        assert figures["quota_attainment_rate"] == {"rate": "0.500000", "numerator": 1, "denominator": 2}, filters
    figures, notes = await house.shows("sales", member="mbr_a")
    assert figures["quota_attainment_rate"] is None
    assert "a department, a team, a group, or over all" in notes["quota_attainment_rate"]
