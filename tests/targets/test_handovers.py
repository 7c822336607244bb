"""Customers and open deals of who leaves or moves: listed, handed over in one call, and the past stays."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from shared.handovers import Held, Sale, customer_held, handed, owner_on
from shared.known import KnownMember
from shared.membership import spell
from tests.metrics.test_certificate import settled_verdict
from tests.targets.bodies import eur
from tests.teams.conftest import Staff, problem
from tests.teams.conftest import each_staff as each_staff
from tests.teams.conftest import staff as staff
from tests.world import client_of, token_headers


def day(text: str) -> date:
    return date.fromisoformat(text)


def a_sale(name: str, owner: str, opened: str, closed: str | None = None, *, won: bool = False) -> Sale:
    return Sale(name, owner, "team_a", day(opened), day(closed) if closed else None, won)


def test_a_customer_is_with_who_has_the_last_deal_that_is_open_or_won() -> None:
    sales = [a_sale("1", "ada", "2026-01-01", "2026-02-01", won=True), a_sale("2", "ben", "2026-01-15"),
             a_sale("3", "cleo", "2026-03-01", "2026-03-05")]  # fmt: skip

    def owner(on: str, owners: Any = (), lost: Any = ()) -> str | None:
        found = customer_held("c", owners, sales, lost, day(on))
        return found.owner if found else None

    assert [owner(on) for on in ("2025-12-31", "2026-01-10", "2026-01-20", "2026-02-01")] == [None, "ada", "ben", "ada"]
    # A lost deal says nothing, but as long as it is open.
    assert [owner("2026-03-04"), owner("2026-03-05")] == ["cleo", "ada"]
    assert owner("2026-04-01", owners=[["", "ada"], ["2026-04-01", "dan"]]) == "dan"
    assert owner("2026-03-31", owners=[["", "ada"], ["2026-04-01", "dan"]]) == "ada"
    only_won = sales[:1]
    assert customer_held("c", (), only_won, [day("2026-02-01")], day("2026-02-02")) is None
    assert customer_held("c", (), only_won, [day("2026-01-15")], day("2026-02-02")) is not None


def test_what_was_taken_over_after_the_move_is_not_to_be_handed_over() -> None:
    moved = KnownMember.make(
        id="ada", employments=[spell(None, day("2026-01-01"))],
        memberships=[spell("team_a", day("2026-01-01"), day("2026-03-01")), spell("team_b", day("2026-03-01"))],
    )  # fmt: skip
    before, after = (Held("d", "ada", "team_a", day(since)) for since in ("2026-02-01", "2026-03-01"))
    assert before.why(moved, day("2026-02-28")) is None
    assert before.why(moved, day("2026-03-01")) == "moved"
    assert after.why(moved, day("2026-03-02")) is None
    assert Held("d", "ada", None, day("2026-02-01")).why(moved, day("2026-03-02")) is None
    gone = KnownMember.make(id="ada", employments=[spell(None, day("2026-01-01"), day("2026-03-01"))])
    assert [after.why(gone, day(on)) for on in ("2026-02-28", "2026-03-01")] == [None, "left"]
    assert before.why(None, day("2026-03-01")) is None


def test_owners_are_known_by_day() -> None:
    owners = handed(handed([], "ben", day("2026-02-01"), "ada"), "cleo", day("2026-03-01"), "ben")
    assert [(owner_on(owners, day(on)) or ("",))[0] for on in ("2026-01-01", "2026-02-01", "2026-03-01")] == [
        "ada", "ben", "cleo",
    ]  # fmt: skip
    assert owner_on([], day("2026-01-01")) is None


async def sold(staff: Staff, owner: str, team: str, **fields: Any) -> tuple[str, str, Any]:
    """A customer of a member with a won and an open deal: their ids, and the last answer."""
    customer = (await staff.made("customers", {"name": "Cancity"}))["id"]
    deal = {"owner": owner, "customer": customer, "opened_on": "2026-01-10", "value": eur("300.00")} | fields
    won = (await staff.made("deals", deal))["id"]
    await staff.made(f"deals/{won}/win", {"on": "2026-02-01", "value": eur("500.00")})
    last = await staff.post("deals", deal)
    return customer, last.json()["id"], last


async def heard(staff: Staff, member: str) -> None:
    """Wait until targets knows what last happened to a member."""
    token = f"member/{member}@{(await staff.get(f'members/{member}'))['version']}"
    await staff.get("deals", after=token, limit=1)


async def at_work(staff: Staff) -> tuple[str, str]:
    """Two members of the northern team."""
    ada, ben = await staff.recruited(), await staff.recruited()
    for member in (ada, ben):
        await staff.does(member, "join", team=staff.north, since="2026-01-02")
        await heard(staff, member)
    return ada, ben


async def test_who_leaves_is_listed_and_hands_over_in_one_call_and_the_past_stays(each_staff: Staff) -> None:
    staff = each_staff
    ada, ben = await at_work(staff)
    customer, deal, last = await sold(staff, ada, staff.north)
    assert (await staff.get(f"customers/{customer}"))["owner"] == ada
    left = await staff.post(f"members/{ada}/leave", {"on": "2026-04-01"})
    await heard(staff, ada)
    listed = (await staff.get("handovers", member=ada, on="2026-04-02"))["items"]
    assert [(each["kind"], each["ref"], each["why"], each["team"]) for each in listed] == [
        ("customer", customer, "left", staff.north), ("deal", deal, "left", staff.north),
    ]  # fmt: skip
    assert (await staff.get("handovers", member=ada, on="2026-03-31"))["items"] == []

    async def seen(period: str, **query: str) -> dict[str, Any]:
        figures: dict[str, Any] = (await staff.get("views/sales", period=period, **query))["figures"]
        return figures

    await staff.world.settled("/v1/views/sales", last, period="2026")
    await staff.world.settled("/v1/views/sales", left, period="2026")
    before = {by: await staff.get("views/sales", period="2026-Q1", breakdown=by) for by in ("member", "team", "month")}
    assert [(await seen(month))["customers_without_owner"] for month in ("2026-03", "2026-04")] == [0, 1]
    done = await staff.post("handovers", {"member": ada, "to": ben, "on": "2026-05-10"})
    assert done.status_code == 200, done.text
    assert {each["ref"]: each["to"] for each in done.json()["handed_over"]} == {customer: ben, deal: ben}
    assert done.json()["open"] == []
    await staff.world.settled("/v1/views/sales", done, period="2026")
    for by, view in before.items():
        now = await staff.get("views/sales", period="2026-Q1", breakdown=by)
        assert (now["figures"], now["breakdown"]) == (view["figures"], view["breakdown"]), by
    shown = [((await seen(month))["customers_without_owner"], (await seen(month))["handovers_open"])
             for month in ("2026-03", "2026-04", "2026-05")]  # fmt: skip
    assert shown == [(0, 0), (1, 2), (0, 0)]
    assert [(await seen(month, member=ada))["deals_open"] for month in ("2026-04", "2026-05")] == [1, 0]
    assert [(await seen(month, member=ben))["deals_open"] for month in ("2026-04", "2026-05")] == [0, 1]
    assert [(await seen(month, member=ben))["pipeline"]["amount"] for month in ("2026-04", "2026-05")] == [
        "0.00", "300.00",
    ]  # fmt: skip
    assert (await seen("2026-05"))["pipeline"]["amount"] == "300.00"
    assert (await seen("2026-05", member=ben, team=staff.north))["deals_open"] == 1
    assert (await seen("2026-01", member=ada))["deals_opened"] == 2
    rows = await staff.get("views/sales/rows", figure="deals_opened", period="2026-01", member=ada)
    assert len(rows["items"]) == 2
    rows = await staff.get("views/sales/rows", figure="deals_open", period="2026-05", member=ben)
    assert [row["ref"] for row in rows["items"]] == [deal]
    rows = await staff.get("views/sales/rows", figure="customers_without_owner", period="2026-04")
    assert [row["ref"] for row in rows["items"]] == [customer]
    of = {"figure": "handovers_open", "period": "2026-04", "limit": "1"}
    first = await staff.get("views/sales/rows", **of)
    second = await staff.get("views/sales/rows", **of, cursor=first["next"])
    assert [(row["kind"], row["ref"]) for page in (first, second) for row in page["items"]] == [
        ("customer", customer), ("deal", deal),
    ]  # fmt: skip
    assert second["next"] is None
    assert (await staff.get("views/sales/rows", figure="handovers_open", period="2026-05"))["items"] == []
    won = await staff.post(f"deals/{deal}/win", {"on": "2026-06-01", "value": eur("300.00")})
    await staff.world.settled("/v1/views/sales", won, period="2026")
    assert (await seen("2026-06", member=ben))["revenue"]["amount"] == "300.00"
    assert (await seen("2026", member=ada))["revenue"]["amount"] == "500.00"
    assert [(await seen("2026-06", member=each))["deals_open"] for each in (ada, ben)] == [0, 0]
    await settled_verdict(staff.world, "consistent")


async def test_who_moves_keeps_what_they_take_along(staff: Staff) -> None:
    ada, ben = await at_work(staff)
    customer, deal, _ = await sold(staff, ada, staff.north)
    await staff.does(ada, "move", from_team=staff.north, to_team=staff.south, on="2026-04-01")
    await heard(staff, ada)
    listed = (await staff.get("handovers", member=ada, on="2026-04-01"))["items"]
    assert {(each["ref"], each["why"]) for each in listed} == {(customer, "moved"), (deal, "moved")}
    given = {"member": ada, "on": "2026-04-02", "assignments": [{"customer": customer, "to": ada}]}
    done = await staff.made("handovers", given)
    assert [each["ref"] for each in done["open"]] == [deal]
    done = await staff.made("handovers", given | {"assignments": [{"deal": deal, "to": ben}]})
    assert done["open"] == []
    assert (await staff.get(f"deals/{deal}"))["owner"] == ben


async def test_what_cannot_be_handed_over_is_refused(staff: Staff) -> None:
    ada, ben = await at_work(staff)
    _, deal, _ = await sold(staff, ada, staff.north)
    gone = await staff.recruited()
    await staff.does(gone, "leave", on="2026-03-01")
    for member in (gone, ben):
        await heard(staff, member)
    body = {"member": ada, "on": "2026-04-01"}
    assert gone in problem(await staff.post("handovers", body | {"to": gone}), 422, "/to")
    nothing = {"member": ben, "to": ada, "on": "2026-04-01"}
    assert f"{ben} has no customer" in problem(await staff.post("handovers", nothing), 409)
    foreign = {"member": ben, "on": "2026-04-01", "assignments": [{"deal": deal, "to": ada}]}
    assert (
        f"with {ada}" not in problem(await staff.post("handovers", foreign), 422, "/assignments/0/deal").split(",")[0]
    )
    problem(await staff.post("handovers", body), 422, "")
    problem(await staff.post("handovers", body | {"assignments": [{"to": ben}]}), 422, "/assignments/0")
    await staff.made("handovers", body | {"to": ben})
    early = {"member": ben, "to": ada, "on": "2026-03-31"}
    assert "2026-03-31" in problem(await staff.post("handovers", early), 409)
    assert "2026-04-01" in problem(
        await staff.post(f"deals/{deal}/lose", {"reason": "x", "on": "2026-03-31"}), 422, "/on"
    )
    third = await staff.patch(f"deals/{deal}", {"owner": await staff.recruited()})
    assert ben in problem(third, 409, "/owner")
    same = await staff.patch(f"deals/{deal}", {"owner": ada, "name": "As the import says"})
    assert (same.status_code, same.json()["owner"]) == (200, ben)


async def test_the_leader_is_nudged_and_hands_over_while_colleagues_may_not(staff: Staff) -> None:
    leader = await staff.recruited()
    team = (await staff.made("teams", {"name": "East", "leader": leader}))["id"]
    ada, ben = await staff.recruited(), await staff.recruited()
    for member in (ada, ben):
        await staff.does(member, "join", team=team, since="2026-01-02")
    await heard(staff, ben)
    await heard(staff, ada)
    await sold(staff, ada, team)
    await staff.does(ada, "leave", on="2026-04-01")
    (duty,) = (await staff.get("duties", member=leader))["items"]
    assert (duty["assigned_on"], duty["due"]) == ("2026-04-01", "2026-04-15")
    assert ada in duty["about"]

    async def asks(member: str) -> Any:
        headers = token_headers(staff.world.settings, "deals:write", member=member)
        async with client_of(staff.world.origin, headers) as client:
            return await client.post("/v1/handovers", json={"member": ada, "to": ben, "on": "2026-04-02"})

    assert (await asks(ben)).status_code == 403
    given = await asks(leader)
    assert given.status_code == 200, given.text


@pytest.mark.parametrize("query", [{"on": "yesterday"}, {"owner": "x"}])
async def test_a_list_asked_for_wrongly_is_refused(staff: Staff, query: dict[str, str]) -> None:
    answer = await staff.world.admin.get("/v1/handovers", params=query)
    assert answer.status_code == 422
