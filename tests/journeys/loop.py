"""A team whose work is told week by week, so that a review finds something, and what is done about it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx

from tests.charter import switched_on
from tests.world import World

QUARTER = (date(2025, 1, 6), date(2025, 4, 7))
DECIDED, START = date(2025, 4, 10), date(2025, 6, 2)
AFTER = START + timedelta(weeks=13)


@dataclass
class Loop:
    """A team of five, the two of IT whom it asks, and a team of similar work that does not act."""

    world: World
    team: str
    people: list[str]
    west: str
    others: list[str]
    it: list[str]
    goal: str
    series: str
    last: httpx.Response | None = None

    async def made(self, path: str, body: Any) -> dict[str, Any]:
        self.last = await self.world.post(f"/v1/{path}", body)
        assert self.last.status_code in (200, 201), self.last.text
        found: dict[str, Any] = self.last.json()
        return found

    async def get(self, path: str, /, **query: Any) -> Any:
        answer = await self.world.admin.get(f"/v1/{path}", params=query, headers={"Prefer": "wait=20"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def heard(self, *paths: str) -> None:
        """Wait until metrics, and whoever serves these paths, knows what was told last."""
        assert self.last is not None
        await self.world.settled("/v1/views/it", self.last, period="2025")
        for path in paths:
            await self.world.settled(path, self.last)

    async def made_of(self, collection: str, review: str) -> list[dict[str, Any]]:
        """What a service has made of a decision, once it knows of what was told last."""
        assert self.last is not None
        found = await self.world.settled(f"/v1/{collection}", self.last, review=review)
        items: list[dict[str, Any]] = found["items"]
        return items

    async def review(self, team: str | None = None, quarter: tuple[date, date] = QUARTER) -> dict[str, Any]:
        period = {"from": quarter[0].isoformat(), "to": quarter[1].isoformat()}
        return await self.made("reviews", {"team": team or self.team, "period": period})

    async def asks(self, who: str, whom: str | None, on: date, answered: bool) -> None:
        """A request of somebody in IT, or of whoever is there; answered the next day or not at all."""
        request = await self.made("requests", {
            "kind": "support", "title": "Please", "from": {"member": who},
            "to": {"member": whom} if whom else {"department": "it"},
            "at": f"{on}T09:00:00Z", "promised_by": (on + timedelta(days=3)).isoformat(),
        })  # fmt: skip
        if answered:
            at = f"{on + timedelta(days=1)}T09:00:00Z"
            await self.made(f"requests/{request['id']}/resolve", {"at": at})

    async def acts(self, who: str, due: date, on_time: bool) -> None:
        """An action for a goal, done the day before it is due or a week late."""
        on = (due - timedelta(days=7)).isoformat()
        about = {"title": "Call them", "owner": who, "due": due.isoformat(), "on": on, "goal": self.goal}
        action = await self.made("actions", about)
        done = due + timedelta(days=-1 if on_time else 7)
        await self.made(f"actions/{action['id']}/done", {"on": done.isoformat()})

    async def raises(self, who: str, on: date, settled: bool) -> None:
        """An item, resolved within a week or only after a month."""
        about = {"kind": "problem", "title": "It stops", "on": on.isoformat(), "raised_by": who, "series": self.series}
        item = await self.made("items", about)
        done = on + timedelta(days=5 if settled else 30)
        await self.made(f"items/{item['id']}/resolve", {"on": done.isoformat(), "by": [who]})

    async def turns(self, who: str, whom: str, on: date) -> None:
        await self.made("check-ins", {"from": who, "to": whom, "kind": "asked", "on": on.isoformat()})

    async def talk(self, one: str, other: str, on: date) -> None:
        """A meeting of two."""
        about = {"name": "The two of us", "starts_at": f"{on}T09:00:00Z"}
        meeting = (await self.made("meetings", about))["id"]
        await self.made(f"meetings/{meeting}/start", {"at": about["starts_at"]})
        for member in (one, other):
            for status in ("invited", "present"):
                await self.made(f"meetings/{meeting}/attendance", {"member": member, "status": status})
        await self.made(f"meetings/{meeting}/end", {"at": f"{on}T09:20:00Z"})

    async def meet(self, series: str, times: int) -> None:
        """The first of the times of a series are held, with all of the team."""
        planned = await self.get(f"series/{series}/meetings", **{"from": START.isoformat()}, limit=times)
        for each in planned["items"]:
            meeting = (await self.made("meetings", {"series": series, "starts_at": each["occurrence"]}))["id"]
            await self.made(f"meetings/{meeting}/start", {"at": each["occurrence"]})
            for member in self.people:
                await self.made(f"meetings/{meeting}/attendance", {"member": member, "status": "present"})
            ended = (datetime.fromisoformat(each["occurrence"]) + timedelta(minutes=45)).isoformat()
            await self.made(f"meetings/{meeting}/end", {"at": ended})

    async def ties(self) -> None:
        """In the team everybody has to do with the next."""
        for one, other in pairwise([*self.people, self.people[0]]):
            for week in range(4):
                await self.turns(one, other, QUARTER[0] + timedelta(weeks=week))

    async def teamwork(self, start: date, weeks: int, good: Any, people: list[str] | None = None) -> None:
        """Each week an action and an item, done well or not."""
        mine = people or self.people
        for week in range(weeks):
            day = start + timedelta(weeks=week, days=1)
            await self.acts(mine[week % len(mine)], day, good(week))
            await self.raises(mine[(week + 1) % len(mine)], day, good(week))

    async def communication(self, start: date, weeks: int, who: Sequence[str], good: Callable[[int], bool]) -> None:
        """Each week a request of each to one of IT, answered on time or not at all."""
        for week in range(weeks):
            for place, each in enumerate(who):
                await self.asks(each, self.it[place % 2], start + timedelta(weeks=week, days=1), good(week))

    @property
    def silent(self) -> list[str]:
        """Those whose requests stay unanswered."""
        return self.people[1:3]

    @property
    def heeded(self) -> list[str]:
        """Those whose requests are answered."""
        return self.people[3:5]


async def looped(world: World) -> Loop:
    """People who are recruited, in their teams, and reviewed by events alone from the first period on."""
    await switched_on(world)
    at = {"starts_on": "2024-01-01"}
    north, west = [(await world.made("/v1/teams", {"name": name}))["id"] for name in ("North", "West")]
    people: dict[str, list[str]] = {north: [], west: [], "it": []}
    for team, size, department in ((north, 5, "sales"), (west, 4, "sales"), ("it", 2, "it")):
        for each in range(size):
            hired = {"name": f"{team} {each}", "department": department, **at}
            people[team].append((await world.made("/v1/members", hired))["id"])
            if team != "it":
                joined = {"team": team, "from": "2024-01-01"}
                await world.made(f"/v1/members/{people[team][-1]}/join", joined)
    now = await world.admin.get(f"/v1/teams/{north}")
    led = await world.admin.patch(f"/v1/teams/{north}", json={"leader": people[north][0]},
                                  headers={"If-Match": now.headers["etag"]})  # fmt: skip
    goal = (await world.made("/v1/goals", {"title": "Keep customers", "period": "2025", "metric": "revenue"}))["id"]
    rules = await world.admin.get("/v1/rule-sets/built-in")
    ours = rules.json() | {
        "version": "events-only", "baseline_periods": 0, "accept_single_period": True,
        "indices": {"COM": ["TP4", "TP3"], "TWK": ["IB4", "TP2"]},
    }  # fmt: skip
    await world.made("/v1/rule-sets", {"rules": ours})
    await world.settled("/v1/series", led)
    await world.settled("/v1/views", led, period="2025")
    heard = await world.admin.get("/v1/series", params={"after": f"goal/{goal}@1"}, headers={"Prefer": "wait=20"})
    assert heard.status_code == 200, heard.text
    weekly = {"name": "Weekly", "teams": [north], "rrule": "FREQ=WEEKLY", "starts_at": "2025-01-06T09:00:00Z"}
    series = (await world.made("/v1/series", weekly))["id"]
    return Loop(world, north, people[north], west, people[west], people["it"], goal, series)
