"""The credits of a won deal are settled: two who neither propose nor gain must agree before they are others."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.targets.domain.asking import Asker
from services.targets.domain.credit_changes import (
    ApprovedByNoPerson,
    ApprovedOnce,
    CreditChange,
    CreditChangeIs,
    CreditedAlready,
    GainsByIt,
    OneChangeAtATime,
    OwnCreditChange,
    ProposedByAnother,
)
from services.targets.domain.crediting import CreditedTwice, CreditsDoNotSum, CreditsNeedTwo
from services.targets.domain.deals import Deal, DealIsNotWon
from shared.events.targets import Credit, DealAmended
from tests.targets.bodies import day, eur, euros, open_deal, won_deal
from tests.targets.conftest import House
from tests.world import client_of, token_headers

ON, HALF = day("2026-03-01"), Decimal("0.5")
ADA, BEN, CEM, DORA = (Asker(f"mbr_{each}", f"mbr_{each}") for each in "abcd")
HALVES = [("mbr_a", HALF), ("mbr_b", HALF)]


def proposed(deal: Deal | None = None, by: Asker = ADA, **fields: Any) -> CreditChange:
    """Half of Ada's deal is to be Ben's."""
    given: dict[str, Any] = {"shares": HALVES, "reason": "Ben has closed it", "since": None, "others": []} | fields
    shares = given.pop("shares")
    return CreditChange.propose(deal or won_deal(), shares, on=ON, by=by, id="crch_1", externals={}, **given)[0]


def test_only_the_second_approval_changes_the_credits_and_the_value_and_the_lines_stay() -> None:
    deal = won_deal()
    change = proposed(deal)
    assert change.approve(deal, ON, CEM).approvals == 1
    assert (change.status, deal.shares) == ("proposed", [("mbr_a", Decimal(1))])
    change.approve(deal, ON, DORA)
    assert (change.status, change.decided_on) == ("approved", ON)
    told = deal.credit(ON, change.shares, change.reason)
    credits = tuple(Credit(member=f"mbr_{each}", share="0.5", amount=euros("50.00")) for each in "ab")
    assert told == DealAmended(on=ON, value=euros("100.00"), credits=credits)
    assert [each["reason"] for each in deal.amendments] == ["Ben has closed it"]
    with pytest.raises(CreditChangeIs, match="approved on 2026-03-01"):
        change.withdraw(ON, ADA)


def test_neither_who_proposes_nor_who_gains_nor_a_tool_nor_one_person_twice_approves() -> None:
    deal = won_deal()
    change = proposed(deal, by=Asker("mbr_a", "operator"))
    for by, rule, words in (
        (ADA, OwnCreditChange, "mbr_a"), (Asker("mbr_z", "operator"), OwnCreditChange, "mbr_z"),
        (BEN, GainsByIt, "would have 0.5 of this deal and has 0"),
        (Asker(token="crm tool"), ApprovedByNoPerson, "crm tool does not"),
    ):  # fmt: skip
        with pytest.raises(rule, match=words):
            change.approve(deal, ON, by)
    change.approve(deal, ON, CEM)
    for again in (CEM, Asker("mbr_c", "another token")):
        with pytest.raises(ApprovedOnce, match="mbr_c has approved this on 2026-03-01"):
            change.approve(deal, ON, again)
    assert change.status == "proposed"


def test_who_loses_by_it_may_approve_it_and_anybody_else_may_refuse_it() -> None:
    deal = won_deal()
    change = proposed(deal, by=DORA)
    change.approve(deal, ON, ADA)
    with pytest.raises(OwnCreditChange):
        change.refuse(ON, DORA, "no")
    with pytest.raises(ProposedByAnother, match="mbr_c asks"):
        change.withdraw(ON, CEM)
    change.refuse(ON, CEM, "Ben was away")
    assert (change.status, change.refusal, change.decided_by) == ("refused", "Ben was away", "mbr_c")
    with pytest.raises(CreditChangeIs, match="refused"):
        change.approve(deal, ON, CEM)
    assert proposed(deal, others=[change]).status == "proposed"


def test_what_cannot_be_proposed_is_refused_with_the_numbers() -> None:
    shares: list[tuple[list[tuple[str, Decimal]], type[Exception], str]] = [
        ([("mbr_a", HALF)], CreditsDoNotSum, "sum to 0.5"),
        ([("mbr_a", HALF), ("mbr_a", HALF)], CreditedTwice, "mbr_a"),
        ([("mbr_a", Decimal("1.0"))], CreditedAlready, "nothing to change"),
    ]
    for each, rule, words in shares:
        with pytest.raises(rule, match=words):
            proposed(shares=each)
    with pytest.raises(DealIsNotWon, match="open"):
        proposed(open_deal())
    with pytest.raises(OneChangeAtATime, match="crch_1"):
        proposed(others=[proposed()])


def test_an_amendment_and_a_closing_that_is_taken_back_leave_the_credits_as_they_were_settled() -> None:
    deal = won_deal()
    with pytest.raises(CreditsNeedTwo, match=r"mbr_a 1.*/v1/credit-changes"):
        deal.amend(ON, euros("90.00"), [], HALVES, "less")
    assert deal.value == euros("100.00")
    deal.amend(ON, euros("90.00"), [], [("mbr_a", Decimal("1.00"))], "less")
    deal.reopen(ON)
    assert (deal.credits, deal.shares) == ([], [("mbr_a", Decimal("1.00"))])
    with pytest.raises(CreditsNeedTwo):
        deal.win(ON, euros("80.00"), [], HALVES, [])
    deal.win(ON, euros("80.00"), [], deal.shares, [])
    assert [each["amount"] for each in deal.credits] == [eur("80.00")]
    deal.amend(ON, euros("80.00"), [], HALVES, "as the other system has it", stated=True)
    assert dict(deal.shares) == dict(HALVES)


async def as_member(house: House, member: str, path: str, body: Any, *scopes: str) -> httpx.Response:
    headers = token_headers(house.world.settings, *(scopes or ("credit-approvals:write",)), member=member)
    async with client_of(house.world.origin, headers) as client:
        return await client.post(f"/v1/{path}", json=body)


async def test_a_change_of_credits_takes_effect_with_the_second_approval_and_is_on_record_whatever_becomes_of_it(
    each_house: House,
) -> None:
    house, world = each_house, each_house.world
    cem, dora = [
        (await house.made("members", {"name": name, "department": "finance", "starts_on": "2025-01-01"}))["id"]
        for name in ("Cem", "Dora")
    ]
    deal = await house.won("100.00", external={"source": "crm", "id": f"of {house.ada}"})
    shares = [{"member": house.ada, "share": "0.5"}, {"member": house.ben, "share": "0.5"}]
    amend = {"on": "2026-02-10", "value": eur("90.00"), "credits": shares, "reason": "less"}
    problem = await house.refused(f"deals/{deal['id']}/amend", amend)
    assert (problem["rule"], problem["errors"][0]["pointer"]) == ("credits-need-two", "/credits")
    body = {"deal": deal["id"], "credits": shares, "reason": "Ben has closed it"}
    first = await as_member(house, house.ada, "credit-changes", body, "credit-changes:write")
    assert first.status_code == 201, first.text
    path = f"credit-changes/{first.json()['id']}"
    assert (await as_member(house, cem, f"{path}/refuse", {"reason": "Was he?"})).status_code == 200
    made = await as_member(house, house.ada, "credit-changes", body | {"reason": "He was"}, "credit-changes:write")
    again = await as_member(house, house.ada, "credit-changes", body, "credit-changes:write")
    assert again.json()["rule"] == "one-change-at-a-time"
    path = f"credit-changes/{made.json()['id']}"
    assert (await as_member(house, house.ada, f"{path}/approve", {})).json()["rule"] == "own-credit-change"
    assert (await as_member(house, house.ben, f"{path}/approve", {})).json()["rule"] == "gains-by-it"
    assert (await world.post(f"/v1/{path}/approve", {})).json()["rule"] == "approved-by-no-person"
    assert (await as_member(house, cem, f"{path}/approve", {}, "credit-changes:write")).status_code == 403
    one = await as_member(house, cem, f"{path}/approve", {"on": "2026-03-02"})
    assert (one.status_code, one.json()["status"]) == (200, "proposed")
    assert (await as_member(house, cem, f"{path}/approve", {})).json()["rule"] == "approved-once"
    assert (await house.get(f"deals/{deal['id']}"))["version"] == deal["version"]
    two = await as_member(house, dora, f"{path}/approve", {"on": "2026-03-05"})
    assert (two.status_code, two.json()["status"], two.json()["decided_on"]) == (200, "approved", "2026-03-05")
    assert [each["by"] for each in two.json()["approvals"]] == [cem, dora]
    changed = await house.get(f"deals/{deal['id']}")
    assert [(each["member"], each["amount"]) for each in changed["credits"]] == [
        (house.ada, eur("50.00")), (house.ben, eur("50.00"))
    ]  # fmt: skip
    assert (changed["value"], changed["amended_on"]) == (eur("100.00"), "2026-03-05")
    assert [each["by"] for each in changed["amendments"]] == [f"credit_change/{made.json()['id']}"]
    events = (await house.get(f"{path}/history"))["items"]
    assert [each["type"].split(".")[2] for each in events] == [
        "credit-change-proposed", "credit-change-approved", "credit-change-approved"
    ]  # fmt: skip
    assert "He was" not in str(events)
    listed = (await house.get("credit-changes", deal=deal["id"]))["items"]
    assert [(each["status"], each["refusal"]) for each in listed] == [("refused", "Was he?"), ("approved", None)]


async def test_a_tool_that_imports_states_credits_as_another_system_has_them_and_an_administrator_does_not(
    each_house: House,
) -> None:
    house = each_house
    ours, theirs = await house.won(), await house.won(external={"source": "crm", "id": f"deal of {house.ada}"})
    amend = {"on": "2026-02-10", "value": eur("90.00"), "credits": [{"member": house.ben, "share": "1"}],
             "reason": "crm"}  # fmt: skip
    tool = token_headers(house.world.settings, "deals:write", "imports:write", department="sales")
    answers = [await house.world.post(f"/v1/deals/{each['id']}/amend", amend, **headers)
               for each, headers in ((theirs, {}), (ours, tool), (theirs, tool))]  # fmt: skip
    assert [answer.status_code for answer in answers] == [409, 409, 200]
    told = answers[2].json()
    assert ([each["member"] for each in told["credits"]], told["amendments"][0]["by"]) == ([house.ben], "sales")
