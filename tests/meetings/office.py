"""People and teams who meet and ask each other for help, known to the meetings service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from tests.world import World


@dataclass
class Office:
    """A team of sales, two of its members, and one of IT."""

    world: World
    team: str
    ada: str
    ben: str
    ivo: str
    hrm: str
    """What the system of its HR department is called, which knows them as ada, ben and ivo."""

    async def asks(self, **fields: Any) -> httpx.Response:
        """A request of Ada's to IT."""
        body = {"kind": "it_support", "title": "The tablet of Ms Berg is broken", "from": {"member": self.ada},
                "to": {"department": "it"}, "at": "2026-07-01T09:00:00Z"}  # fmt: skip
        return await self.world.post("/v1/requests", body | fields)

    async def weekly(self, **fields: Any) -> httpx.Response:
        """A weekly meeting of the team, Mondays at nine in Berlin."""
        body = {"name": "Sales weekly", "teams": [self.team], "rrule": "FREQ=WEEKLY;BYDAY=MO",
                "zone": "Europe/Berlin", "starts_at": "2026-03-16T09:00:00+01:00", "minutes": 45}  # fmt: skip
        return await self.world.post("/v1/series", body | fields)

    async def get(self, path: str, **query: Any) -> Any:
        """What a path shows."""
        answer = await self.world.admin.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def office_of(world: World, hrm: str = "hrm") -> Office:
    """Move in, and wait until meetings knows it; others may have moved in before."""
    tokens = ["department/sales@1", "department/it@1", "department/hr@1", "organisation/organisation@1"]
    made = {}
    for name, department in (("Ada", "sales"), ("Ben", "sales"), ("Ivo", "it")):
        external = {"source": hrm, "id": name.lower()}
        body = {"name": name, "department": department, "starts_on": "2026-01-01", "external": external}
        hired = await world.made("/v1/members", body)
        made[name] = hired["id"]
        tokens += [f"member/{hired['id']}@1", f"person/{hired['id']}@1"]
    team = await world.made("/v1/teams", {"name": "North", "department": "sales"})
    tokens.append(f"team/{team['id']}@1")
    answer = await world.admin.get("/v1/series", params={"after": tokens}, headers={"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    return Office(world, team["id"], made["Ada"], made["Ben"], made["Ivo"], hrm)


async def stored(office: Office, collection: str) -> list[str]:
    """The ids of all that a collection holds."""
    found = await office.get(f"/v1/{collection}", limit=200)
    return [each["id"] for each in found["items"]]


def problem(answer: httpx.Response, status: int, pointer: str, says: str) -> None:
    """An answer must be a problem document that says what is wrong and where."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    document = answer.json()
    places = {error["pointer"]: error["detail"] for error in document.get("errors", [])}
    if pointer:
        assert pointer in places, document
    assert says in f"{document['detail']} {places.get(pointer, '')}", document
