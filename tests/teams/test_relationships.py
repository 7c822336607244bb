"""Why members leave, what customers say of who looks after them, and what training did: told only of enough people."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.teams.domain.leavers import Leavers
from shared.events.teams import LeaverNoted, LeaversExplained
from tests.metrics.test_certificate import settled_verdict
from tests.targets.bodies import eur
from tests.teams.conftest import Staff, problem


async def gone(staff: Staff, why: str, on: str) -> Any:
    member = await staff.recruited()
    answer = await staff.post(f"members/{member}/leave", {"on": on, "why": why, "reason": "A quarrel with Zebulon"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["leaving_why"], answer.json()["leaving_reason"]) == (why, "A quarrel with Zebulon")
    return answer


async def hr(staff: Staff, period: str, **query: str) -> dict[str, Any]:
    view: dict[str, Any] = await staff.get("views/hr", period=period, **query)
    return view


async def test_reasons_of_leavers_are_told_five_at_a_time_and_never_whose(each_staff: Staff) -> None:
    staff = each_staff
    for why, on in (
        ("pay", "2026-02-01"),
        ("pay", "2026-02-10"),
        ("career", "2026-03-01"),
        ("dismissed", "2026-03-05"),
    ):
        last = await gone(staff, why, on)
    await staff.world.settled("/v1/views/hr", last, period="2026")
    view = await hr(staff, "2026")
    assert (view["figures"]["leavers"], view["figures"]["leavers_by_reason"]) == (4, None)
    await staff.made(f"members/{await staff.recruited()}/leave", {"on": "2026-03-20"})
    last = await gone(staff, "workload", "2026-04-02")
    await staff.world.settled("/v1/views/hr", last, period="2026")
    waited = await staff.world.admin.get("/v1/views/hr", params={"period": "2026", "after": "leavers/leavers@5"})
    reasons = waited.json()["figures"]["leavers_by_reason"]
    assert reasons == {"career": 1, "dismissed": 1, "pay": 2, "workload": 1}
    assert waited.json()["relationships"]["employee_to_employer"] == {
        "leavers": 6, "leavers_by_reason": reasons, "enps": None,
    }  # fmt: skip
    assert (await hr(staff, "2026-Q1"))["figures"]["leavers_by_reason"] is None
    assert (await hr(staff, "2026-04"))["figures"]["leavers_by_reason"] == reasons
    assert (await hr(staff, "2026-04", department="sales"))["figures"]["leavers_by_reason"] is None
    told = (await staff.world.admin.get("/v1/events", params={"types": "concert.teams.*"})).text
    assert "dismissed" in told
    for line in told.splitlines():
        assert "dismissed" not in line or "mbr_" not in line
        assert "Zebulon" not in line
    await settled_verdict(staff.world, "consistent")


def test_what_is_told_of_leavers_says_nobody_and_begins_anew() -> None:
    leavers = Leavers.make(id="leavers")
    for place in range(4):
        assert leavers.explain(f"mbr_{place}", date(2026, 1, 1 + place), "pay") == LeaverNoted()
    assert leavers.forget("mbr_1") == LeaverNoted()
    assert leavers.forget("mbr_9") is None
    assert "mbr_1" not in leavers.waiting
    told = leavers.explain("mbr_4", date(2026, 1, 9), "other")
    assert told == LeaversExplained(start=date(2026, 1, 1), end=date(2026, 1, 10), reasons={"other": 1, "pay": 4})
    assert leavers.explain("mbr_5", date(2026, 2, 1), "pay") == LeaverNoted()


@pytest.mark.parametrize(("body", "place"), [({"why": "bored"}, "/why"), ({"why": "pay", "team": "NORTH"}, "")])
async def test_a_reason_that_is_none_is_refused(staff: Staff, body: dict[str, str], place: str) -> None:
    member = await staff.recruited()
    body = {name: staff.north if value == "NORTH" else value for name, value in body.items()}
    problem(await staff.post(f"members/{member}/leave", {"on": "2026-05-01"} | body), 422, place)


async def test_content_by_customer_and_member_is_told_of_five_answers_at_least(each_staff: Staff) -> None:
    staff = each_staff
    ada, ben = await staff.recruited(), await staff.recruited()
    for member in (ada, ben):
        token = f"member/{member}@{(await staff.get(f'members/{member}'))['version']}"
        await staff.get("deals", after=token, limit=1)
    customer = (await staff.made("customers", {"name": "Cancity"}))["id"]
    for member, scores in ((ada, (5, 5, 4, 2, 1)), (ben, (1, 1, 1, 1))):
        for score in scores:
            body = {"customer": customer, "member": member, "score": score, "on": "2026-02-01"}
            last = await staff.post("feedback", body)
            assert last.status_code == 201, last.text
    await staff.world.settled("/v1/views/sales", last, period="2026")
    view = await staff.get("views/sales", period="2026")
    found = view["figures"]["csat_by_relationship"]
    assert found == [
        {"customer": customer, "member": ada, "csat": {"rate": "0.600000", "numerator": 3, "denominator": 5}}
    ]
    notes = {note["figure"]: note["why"] for note in view["notes"]}
    assert notes["csat_by_relationship"] == "1 relationships with fewer than 5 answers are not shown"
    clients = view["relationships"]["client_to_employee"]
    assert (clients["csat"]["denominator"], clients["csat_by_relationship"]) == (9, found)
    assert view["relationships"]["public_picture"] == {"reputation": None}
    of_ben = await staff.get("views/sales", period="2026", member=ben)
    assert of_ben["figures"]["csat_by_relationship"] == []


async def test_the_effect_of_a_training_is_known_three_months_later(each_staff: Staff) -> None:
    staff = each_staff
    course = (await staff.made("courses", {"name": "To listen"}))["id"]
    members = [await staff.recruited(starts_on="2025-01-01") for _ in range(10)]
    token = f"member/{members[-1]}@{(await staff.get(f'members/{members[-1]}'))['version']}"
    await staff.get("deals", after=token, limit=1)
    for place, member in enumerate(members):
        trained = place < 5
        if trained:
            training = (await staff.made("trainings", {"course": course, "member": member, "on": "2025-06-01"}))["id"]
            await staff.made(f"trainings/{training}/complete", {"on": "2025-06-15"})
        third = "900.00" if trained else "600.00"
        won = {"2025-Q1": "500.00", "2025-Q2": "500.00", "2025-Q3": third, "2025-Q4": "500.00"}
        for period, brought in won.items():
            aim = {"metric": "revenue", "scope": {"level": "member", "ref": member}, "period": period}
            await staff.made("targets", aim | {"value": eur("1000.00")})
            month = {"1": "03", "2": "04", "3": "08", "4": "11"}[period[-1]]
            deal = (await staff.made("deals", {"owner": member, "opened_on": "2025-01-10"}))["id"]
            last = await staff.post(f"deals/{deal}/win", {"on": f"2025-{month}-10", "value": eur(brought)})
            assert last.status_code == 200, last.text
    await staff.world.settled("/v1/views/hr", last, period="2025")
    figures = (await hr(staff, "2025-10"))["figures"]
    # Known when October begins: it is one of September's.
    assert figures["training_effect"] is None
    view = await hr(staff, "2025-Q3")
    effect = view["figures"]["training_effect"]
    # Before: March to May; after: July to September.
    assert (effect["trained"], effect["untrained"], effect["difference"]) == (5, 5, "0.300000")
    assert (effect["low"], effect["high"], effect["confidence"]) == ("0.300000", "0.300000", "0.95")
    assert (await hr(staff, "2025-Q3", department="sales"))["figures"]["training_effect"] == effect
    rows = (await hr(staff, "2025-Q3", breakdown="department"))["breakdown"]["rows"]
    assert [row["figures"]["training_effect"] for row in rows if row["ref"] == "sales"] == [effect]
    assert [row["figures"]["training_effect"] for row in rows if row["ref"] == "hr"] in ([None], [])
