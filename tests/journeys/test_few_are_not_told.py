"""What a few people aim at, or went through, is told to nobody else: not of one group, and not of what is left when it
is taken from the whole."""

from __future__ import annotations

from typing import Any

import pytest

from shared.identity.scopes import member_scopes
from tests.journeys.ledger import euros
from tests.meetings.test_packs import joint, knows_departments, opened
from tests.metrics.test_certificate import settled_verdict
from tests.world import World, client_of, token_headers

pytestmark = pytest.mark.embedded_by_day

QUARTER = "2026-Q1"
SUMS = ("target", "attainment", "variance", "variance_rate", "pace", "coverage", "target_adjusted",
        "attainment_adjusted", "quota_attainment_rate", "quota_window_attainment",
        "quota_calendar_attainment")  # fmt: skip
WITHHELD = "what members aim at is added up for who may see each of them, or over the organisation that of 5 others"


class House:
    """Two teams with leaders, and quotas of 100 for those of the first."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sellers: list[str] = []

    async def settled(self) -> None:
        self.lena, self.tom = [await self.hired() for _ in range(2)]
        self.north, self.south = [
            (await self.world.made("/v1/teams", {"name": name, "leader": leader}))["id"]
            for name, leader in (("North", self.lena), ("South", self.tom))
        ]
        self.group = (await self.world.made("/v1/groups", {"name": "Inner", "team": self.north}))["id"]

    async def hired(self) -> str:
        body = {"name": "Somebody", "department": "sales", "starts_on": "2025-01-01"}
        answer = await self.world.post("/v1/members", body)
        for collection in ("targets", "series"):
            await self.world.settled(f"/v1/{collection}", answer)
        return str(answer.json()["id"])

    async def aims(self) -> None:
        """One more member of the northern group, with a quota."""
        member = await self.hired()
        circles = {"team": self.north, "group": self.group}
        await self.world.made(f"/v1/members/{member}/join", {**circles, "from": "2025-01-01"})
        aim = {"metric": "revenue", "scope": {"level": "member", "ref": member}, "period": QUARTER}
        await self.world.made("/v1/targets", aim | {"value": euros("100.00")})
        self.sellers.append(member)

    async def figures(self, member: str, **query: str) -> dict[str, Any]:
        """What a leader reads in the sales view, and why some of it is not told."""
        headers = token_headers(self.world.settings, *member_scopes("sales", leader=True), member=member)
        async with client_of(self.world.origin, headers) as client:
            answer = await client.get("/v1/views/sales", params={"period": QUARTER, **query})
            assert answer.status_code == 200, answer.text
            view: dict[str, Any] = answer.json()
        return view

    async def of_windows(self, member: str, **query: str) -> set[str]:
        """What a leader reads of quotas by windows and by calendar, or why it is not told."""
        view = await self.figures(member, **query)
        notes = {each["figure"]: each["why"] for each in view["notes"]}
        rates = {key: view["figures"][key] for key in ("quota_window_attainment", "quota_calendar_attainment")}
        return {
            notes[key] if rate is None else f"{rate['numerator']['amount']}/{rate['denominator']['amount']}"
            for key, rate in rates.items()
        }

    async def told(self, member: str, **query: str) -> set[str]:
        """Which of the sums a leader reads; of those they do not, the note must say why."""
        view = await self.figures(member, **query)
        notes = {each["figure"]: each["why"] for each in view["notes"]}
        hidden = {key for key in SUMS if view["figures"][key] is None}
        assert {notes[key] for key in hidden if "group" not in query} <= {WITHHELD}
        return set(SUMS) - hidden


async def test_what_fewer_than_five_aim_at_is_told_only_to_who_leads_them(world: World) -> None:
    house = House(world)
    await house.settled()
    for _ in range(4):
        await house.aims()
    await settled_verdict(world, "consistent")
    assert await house.told(house.lena) == set(SUMS)
    assert (await house.figures(house.lena, group=house.group))["figures"]["target"] == euros("400.00")
    assert await house.told(house.tom) == set()
    assert await house.told(house.tom, group=house.group) == set()
    for circle in ({"group": house.group}, {"team": house.north}):
        for leader, told in ((house.lena, {"0.00/400.00"}), (house.tom, {WITHHELD})):
            assert await house.of_windows(leader, **circle) == told, circle
    for by in ("month", "team", "group"):
        rows = (await house.figures(house.tom, breakdown=by))["breakdown"]["rows"]
        assert [(row["ref"], key) for row in rows for key in SUMS if row["figures"][key] is not None] == []
    await house.aims()
    await settled_verdict(world, "consistent")
    assert await house.told(house.tom) == set(SUMS)
    assert (await house.figures(house.tom))["figures"]["target"] == euros("500.00")
    # Of a part nothing is told however large it is: the whole less the part would be the rest.
    assert await house.told(house.tom, group=house.group) == set()


async def test_the_own_target_of_a_team_is_told_but_not_what_its_few_members_are_expected_to_bring(
    world: World,
) -> None:
    house = House(world)
    await house.settled()
    await house.aims()
    whole = {"metric": "revenue", "scope": {"level": "team", "ref": house.north}, "period": QUARTER}
    await world.made("/v1/targets", whole | {"value": euros("900.00")})
    await settled_verdict(world, "consistent")
    figures = (await house.figures(house.tom, team=house.north))["figures"]
    assert (figures["target"], figures["target_adjusted"]) == (euros("900.00"), None)
    figures = (await house.figures(house.lena, team=house.north))["figures"]
    assert (figures["target"], figures["target_adjusted"]) == (euros("900.00"), euros("100.00"))


async def test_a_pack_tells_sums_of_quotas_to_whom_the_view_tells_them(world: World) -> None:
    house = House(world)
    await house.settled()
    await knows_departments(world)
    teams = {"after": [f"team/{team}@1" for team in (house.north, house.south)]}
    await world.admin.get("/v1/series", params=teams, headers={"Prefer": "wait=20"})
    for _ in range(4):
        await house.aims()
    await settled_verdict(world, "consistent")
    few = await joint(world, period=QUARTER)
    whole = (await opened(world, few))["views"]["sales"]["figures"]
    assert whole["target"] == euros("400.00")
    assert None not in [whole[key] for key in SUMS]
    assert await in_pack(house, few, house.lena) == set(SUMS)
    assert await in_pack(house, few, house.tom) == set()
    finance = token_headers(world.settings, "meetings:read", "views:read", department="finance")
    async with client_of(world.origin, finance) as tool:
        assert (await opened(world, few, tool))["views"]["sales"]["figures"] == whole
    await house.aims()
    await settled_verdict(world, "consistent")
    enough = await joint(world, "2026-02-21T09:00:00Z", period=QUARTER)
    assert await in_pack(house, enough, house.tom) == set(SUMS)
    # Who comes to lead one of five must not take them from the sum of all.
    moved = {"from_team": house.north, "to_team": house.south, "on": "2026-01-01"}
    for member in house.sellers[:1]:
        answer = await world.post(f"/v1/members/{member}/move", moved)
        await world.settled("/v1/series", answer)
        await world.settled("/v1/views", answer, period=QUARTER)
    assert await in_pack(house, enough, house.tom) == await house.told(house.tom) == set()


async def in_pack(house: House, meeting: str, member: str) -> set[str]:
    """Which of the sums a leader reads in a pack; of those they do not, the note must say why."""
    headers = token_headers(house.world.settings, *member_scopes("sales", leader=True), member=member)
    async with client_of(house.world.origin, headers) as client:
        view = (await opened(house.world, meeting, client))["views"]["sales"]
    notes = {each["figure"]: each["why"] for each in view["notes"]}
    hidden = {key for key in SUMS if view["figures"][key] is None}
    assert {notes[key] for key in hidden} <= {WITHHELD}
    return set(SUMS) - hidden


async def test_who_leads_nobody_of_them_opens_no_quota_behind_a_sum(world: World) -> None:
    house = House(world)
    await house.settled()
    for _ in range(5):
        await house.aims()
    await settled_verdict(world, "consistent")
    for leader, seen in ((house.lena, 5), (house.tom, 0)):
        headers = token_headers(world.settings, *member_scopes("sales", leader=True), member=leader)
        async with client_of(world.origin, headers) as client:
            for figure in ("target", "quota_attainment_rate", "quota_window_attainment", "quota_calendar_attainment"):
                query = {"period": QUARTER, "figure": figure}
                rows = (await client.get("/v1/views/sales/rows", params=query)).json()["items"]
                assert len(rows) == seen, figure


@pytest.mark.parametrize(
    ("view", "figure", "filters", "by"),
    [
        ("hr", "setbacks", {"department": "sales"}, "team"),
        ("hr", "setbacks", {"team": "north"}, "department"),
        ("finance", "incidents", {"customer": "acme"}, "team"),
        ("finance", "incidents", {"customer": "acme", "team": "north"}, "month"),
        ("finance", "setback_cost", {"customer": "acme"}, "team"),
    ],
)
async def test_setbacks_are_not_crossed_by_two_breakdowns(
    standing: World, view: str, figure: str, filters: dict[str, str], by: str
) -> None:
    house = House(standing)
    await house.settled()
    acme = (await standing.made("/v1/customers", {"name": "Acme"}))["id"]
    for _ in range(6):
        member = await house.hired()
        await standing.made(f"/v1/members/{member}/join", {"team": house.north, "from": "2025-01-01"})
        shouted = {"member": member, "kind": "mistreatment", "severity": 2, "customer": acme,
                   "at": "2026-02-03T09:00:00Z"}  # fmt: skip
        await standing.made("/v1/setbacks", shouted)
    await settled_verdict(standing, "consistent")
    ids = {"sales": "sales", "north": house.north, "acme": acme}
    query = {"period": QUARTER, **{dim: ids[name] for dim, name in filters.items()}}
    answer = (await standing.admin.get(f"/v1/views/{view}", params={**query, "breakdown": by})).json()
    # One dimension by itself is told: six people are behind it.
    assert answer["figures"][figure] is not None or len(filters) > 1
    crossed = [row["figures"][figure] for row in answer["breakdown"]["rows"]]
    assert crossed
    assert all(each is None for each in crossed)
