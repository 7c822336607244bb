"""People as Entra and Okta tell of them, with what these send that no standard has: joiners, movers, leavers, rehires.

The bodies have the form that both products document; the people in them are ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from shared.instant import now
from tests.metrics.test_certificate import settled_verdict
from tests.world import World, client_of, token_headers

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CONCERT = "urn:ietf:params:scim:schemas:extension:concert:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
_numbers = count(1)


@dataclass
class Tool:
    """An identity tool with a token of its own, in a Concert it shares with nobody else's people."""

    world: World
    client: httpx.AsyncClient

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """A request as tools send it."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Content-Type"] = "application/scim+json"
        answer = await self.client.request(method, f"/scim/v2{path}", json=body, headers=headers)
        assert answer.status_code in (204, 304) or answer.headers["content-type"] == "application/scim+json"
        return answer

    async def done(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """A request that must succeed."""
        answer = await self.send(method, path, body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def refused(self, status: int, keyword: str | None, method: str, path: str, body: Any = None) -> str:
        """What a refusal says, in the form that the standard prescribes."""
        answer = await self.send(method, path, body)
        said = answer.json()
        assert (answer.status_code, said["status"], said.get("scimType")) == (status, str(status), keyword), said
        assert said["schemas"] == [ERROR]
        detail: str = said["detail"]
        return detail

    async def patch(self, path: str, *operations: dict[str, Any]) -> Any:
        """Operations that must succeed."""
        return await self.done("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})

    async def found(self, what: str, **query: str) -> list[dict[str, Any]]:
        """What a query finds."""
        answer = await self.client.get(f"/scim/v2/{what}", params=query)
        assert answer.status_code == 200, answer.text
        resources: list[dict[str, Any]] = answer.json()["Resources"]
        return resources

    async def member(self, key: str) -> dict[str, Any]:
        """The same person as everybody else sees them."""
        answer = await self.world.admin.get(f"/v1/members/{key}")
        assert answer.status_code == 200, answer.text
        member: dict[str, Any] = answer.json()
        return member


@pytest.fixture(scope="module")
async def tool(standing: World) -> AsyncIterator[Tool]:
    async with client_of(standing.origin, token_headers(standing.settings, "scim:write")) as client:
        yield Tool(standing, client)


def entra(**fields: Any) -> dict[str, Any]:
    """A user as Entra creates one."""
    name = f"joy{next(_numbers)}"
    return {
        "schemas": [CORE, ENTERPRISE],
        "externalId": name,
        "userName": f"{name}@Example.com",
        "active": True,
        "displayName": "Joy Young",
        "emails": [{"primary": True, "type": "work", "value": f"{name}@example.com"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "Joy Young", "familyName": "Young", "givenName": "Joy"},
        "phoneNumbers": [{"type": "work", "value": "5550100"}],
        "roles": [],
        "title": "Account executive",
        ENTERPRISE: {"department": "Sales", "employeeNumber": "4711"},
    } | fields


def okta(**fields: Any) -> dict[str, Any]:
    """A user as Okta creates one: without a department, and with what only accounts have."""
    name = f"kim.{next(_numbers)}@example.com"
    return {
        "schemas": [CORE],
        "userName": name,
        "name": {"givenName": "Kim", "familyName": "Berg"},
        "emails": [{"primary": True, "value": name, "type": "work"}],
        "displayName": "Kim Berg",
        "locale": "en-US",
        "externalId": f"00u{next(_numbers)}",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
    } | fields


def today() -> date:
    return now().date()


def days_ago(days: int) -> str:
    return (today() - timedelta(days=days)).isoformat()


def since(days: int) -> dict[str, str]:
    return {"startsOn": days_ago(days)}


async def test_a_joiner_of_entra_is_a_member_with_job_department_and_manager(tool: Tool) -> None:
    asked = entra()
    # Entra asks first whether there is such a user, and what it asks for must not be a fault.
    assert await tool.found("Users", filter=f'userName eq "{asked["userName"]}"') == []
    boss = await tool.done("POST", "/Users", entra(displayName="Bo Boss"), 201)
    made = await tool.send("POST", "/Users", asked)
    user = made.json()
    assert made.status_code == 201, made.text
    assert made.headers["location"] == user["meta"]["location"]
    assert made.headers["location"].endswith(f"/scim/v2/Users/{user['id']}")
    assert made.headers["etag"] == user["meta"]["version"]
    assert {name: user[name] for name in ("userName", "externalId", "displayName", "title", "active", "name")} == {
        "userName": asked["userName"], "externalId": asked["externalId"], "displayName": "Joy Young",
        "title": "Account executive", "active": True,
        "name": {"formatted": "Joy Young", "familyName": "Young", "givenName": "Joy"},
    }  # fmt: skip
    # The manager comes in a second step, as a bare id.
    path = f"{ENTERPRISE}:manager"
    managed = await tool.patch(f"/Users/{user['id']}", {"op": "Add", "path": path, "value": boss["id"]})
    assert managed[ENTERPRISE]["manager"]["value"] == boss["id"]
    assert managed[ENTERPRISE]["manager"]["displayName"] == "Bo Boss"
    member = await tool.member(user["id"])
    assert (member["name"], member["email"]) == ("Joy Young", asked["emails"][0]["value"])
    assert (member["department"], member["job"], member["manager"]) == ("sales", "Account executive", boss["id"])
    assert member["starts_on"] == today().isoformat()
    assert member["externals"] == [{"source": "scim", "id": asked["externalId"]}]
    unmanaged = await tool.patch(f"/Users/{user['id']}", {"op": "Remove", "path": path})
    assert "manager" not in unmanaged[ENTERPRISE]


async def test_what_entra_sends_that_the_standard_has_not_is_understood(tool: Tool) -> None:
    user = (await tool.done("POST", "/Users", entra(**{CONCERT: since(30)}), 201))["id"]
    changed = await tool.patch(
        f"/Users/{user}",
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "joy.new@example.com"},
        {"op": "Add", "path": "name.familyName", "value": "Berg"},
        {"op": "Add", "path": "title", "value": "Team lead"},
        {"op": "Replace", "path": 'phoneNumbers[type eq "work"].value', "value": "5550199"},
        {"op": "Replace", "path": f"{ENTERPRISE}:employeeNumber", "value": "4712"},
    )
    assert (changed["emails"][0]["value"], changed["title"]) == ("joy.new@example.com", "Team lead")
    assert (changed["displayName"], changed["name"]["familyName"]) == ("Joy Berg", "Berg")
    flat = await tool.patch(
        f"/Users/{user}",
        {"op": "replace", "value": {"displayName": "Joy Ames", "name.familyName": "Ames",
                                    f"{ENTERPRISE}:department": "finance"}},
    )  # fmt: skip
    assert (flat["displayName"], flat["name"]["familyName"]) == ("Joy Ames", "Ames")
    assert flat[ENTERPRISE]["department"] == "Finance"
    assert (await tool.member(user))["department"] == "finance"
    gone = await tool.patch(f"/Users/{user}", {"op": "Replace", "path": "active", "value": "False"})
    assert gone["active"] is False
    assert (await tool.member(user))["left_on"] == days_ago(0)
    # The past stays: until today it was sales.
    before = (await tool.world.admin.get(f"/v1/members/{user}", params={"on": days_ago(1)})).json()
    assert before["department"] == "sales"


async def test_a_joiner_of_okta_needs_no_department_and_is_put_as_a_whole(tool: Tool) -> None:
    asked = okta(**{CONCERT: since(10)})
    user = await tool.done("POST", "/Users", asked, 201)
    assert "password" not in user
    assert ENTERPRISE not in user["schemas"] or "department" not in user[ENTERPRISE]
    assert (await tool.member(user["id"]))["department"] == "unassigned"
    whole = {**asked, "id": user["id"], "displayName": "Kim Lund", "title": "Seller", "active": True,
             ENTERPRISE: {"department": "Sales", "manager": {"value": "", "displayName": ""}}}  # fmt: skip
    put = await tool.done("PUT", f"/Users/{user['id']}", whole)
    assert (put["displayName"], put["title"], put[ENTERPRISE]["department"]) == ("Kim Lund", "Seller", "Sales")
    shorter = {"schemas": [CORE], "userName": asked["userName"], "name": asked["name"], "active": True}
    assert (await tool.done("PUT", f"/Users/{user['id']}", shorter))["title"] == "Seller"
    # Deactivated by a PATCH without a path, reactivated by a PUT.
    off = await tool.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": False}})
    assert off["active"] is False
    on = await tool.done("PUT", f"/Users/{user['id']}", {**whole, "title": "Senior seller"})
    assert (on["active"], on["title"]) == (True, "Senior seller")
    member = await tool.member(user["id"])
    assert [each["from"] for each in member["employments"]] == [days_ago(10), days_ago(0)]


async def test_users_are_found_by_what_tools_ask_for_and_counted_from_one(tool: Tool) -> None:
    asked = [entra(title="Pathfinder") for _ in range(3)]
    ids = [(await tool.done("POST", "/Users", each, 201))["id"] for each in asked]
    first = asked[0]
    for query in (
        f'userName eq "{first["userName"].upper()}"',
        f'userName Eq "{first["userName"]}"',
        f'externalId eq "{first["externalId"]}"',
        f'id eq "{ids[0]}"',
        f'emails[type eq "work"].value eq "{first["emails"][0]["value"]}"',
        f'emails.value eq "{first["emails"][0]["value"]}" and active eq true',
        f'{CORE}:userName sw "{first["userName"][:-4]}"',
    ):
        assert [each["id"] for each in await tool.found("Users", filter=query)] == [ids[0]], query
    assert await tool.found("Users", filter=f'externalId eq "{first["externalId"].upper()}"') == []
    page = (await tool.client.get("/scim/v2/Users", params={"filter": 'title eq "pathfinder"', "startIndex": "2",
                                                            "count": "1"})).json()  # fmt: skip
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (3, 2, 1)
    assert [each["id"] for each in page["Resources"]] == [ids[1]]
    everybody = (await tool.client.get("/scim/v2/Users", params={"startIndex": "1", "count": "2"})).json()
    assert (len(everybody["Resources"]), everybody["itemsPerPage"]) == (2, 2)
    assert everybody["totalResults"] >= 3
    none = (await tool.client.get("/scim/v2/Users", params={"count": "0"})).json()
    assert (none["Resources"], none["totalResults"]) == ([], everybody["totalResults"])
    (short,) = await tool.found("Users", filter=f'id eq "{ids[0]}"', attributes="userName")
    assert set(short) == {"schemas", "id", "userName"}
    (without,) = await tool.found("Users", filter=f'id eq "{ids[0]}"', excludedAttributes="emails,name")
    assert {"emails", "name"}.isdisjoint(without)


async def test_somebody_hr_has_recruited_is_matched_by_their_address_and_not_recruited_twice(tool: Tool) -> None:
    email = f"ada{next(_numbers)}@example.com"
    body = {"name": "Ada Berg", "email": email, "department": "hr", "starts_on": "2026-01-01"}
    ada = await tool.world.made("/v1/members", body)
    (match,) = await tool.found("Users", filter=f'userName eq "{email.upper()}"')
    assert (match["id"], match["userName"], match["name"]) == (ada["id"], email, {"formatted": "Ada Berg"})
    await tool.refused(409, "uniqueness", "POST", "/Users", entra(userName=email))
    named = await tool.patch(f"/Users/{ada['id']}", {"op": "Add", "path": "externalId", "value": email})
    assert named["externalId"] == email
    renamed = await tool.patch(f"/Users/{ada['id']}", {"op": "Replace", "path": "externalId", "value": f"new-{email}"})
    assert renamed["externalId"] == f"new-{email}"
    assert await tool.found("Users", filter=f'externalId eq "{email}"') == []
    # Half a name is not a name.
    half = await tool.patch(f"/Users/{ada['id']}", {"op": "Replace", "path": "name.familyName", "value": "Lund"})
    assert (half["displayName"], (await tool.member(ada["id"]))["name"]) == ("Ada Berg", "Ada Berg")


async def test_a_group_is_a_team_that_is_joined_and_left_with_dates(tool: Tool) -> None:
    people = [(await tool.done("POST", "/Users", entra(**{CONCERT: since(20)}), 201))["id"] for _ in range(4)]
    made = {
        "schemas": [GROUP],
        "externalId": f"g{next(_numbers)}",
        "displayName": f"West {next(_numbers)}",
        "members": [],
    }
    group = await tool.done("POST", "/Groups", made, 201)
    path = f"/Groups/{group['id']}"
    assert (await tool.world.admin.get(f"/v1/teams/{group['id']}")).json()["name"] == made["displayName"]
    listed = {"value": people[0]}, {"value": people[1], "$ref": None}
    one = await tool.patch(path, {"op": "Add", "path": "members", "value": list(listed)})
    assert {each["value"] for each in one["members"]} == set(people[:2])
    assert one["members"][0]["display"] == "Joy Young"
    again = await tool.patch(path, {"op": "Add", "path": "members", "value": [{"value": people[0]}]})
    assert again["meta"]["version"] == one["meta"]["version"]
    (without,) = await tool.found(
        "Groups", filter=f'displayName eq "{made["displayName"]}"', excludedAttributes="members"
    )
    assert "members" not in without
    # Entra says whom to remove in the value, Okta in the path.
    two = await tool.patch(path, {"op": "Remove", "path": "members", "value": [{"value": people[0]}]})
    assert [each["value"] for each in two["members"]] == [people[1]]
    await tool.patch(path, {"op": "remove", "path": f'members[value eq "{people[1]}"]'},
                     {"op": "add", "path": "members", "value": [{"value": people[2], "display": "joy"}]})  # fmt: skip
    renamed = await tool.patch(path, {"op": "replace", "value": {"id": group["id"], "displayName": "Wild West"}})
    assert (renamed["displayName"], len(renamed["members"])) == ("Wild West", 1)
    whole = {"schemas": [GROUP], "displayName": "Wild West", "members": [{"value": each} for each in people[2:]]}
    put = await tool.done("PUT", path, whole)
    assert {each["value"] for each in put["members"]} == set(people[2:])
    shorter = await tool.done("PUT", path, {"schemas": [GROUP], "displayName": "Far West"})
    assert len(shorter["members"]) == 2
    user = await tool.done("GET", f"/Users/{people[2]}")
    assert [each["display"] for each in user["groups"]] == ["Far West"]
    # Whoever is removed on the day they came was never in; the others have their days.
    stays = (await tool.world.admin.get(f"/v1/members/{people[3]}/memberships")).json()["items"]
    assert stays == [{"team": group["id"], "group": None, "from": days_ago(0), "to": None}]
    assert await tool.done("DELETE", path, status=204) is None
    await tool.refused(404, None, "GET", path)
    assert (await tool.world.admin.get(f"/v1/teams/{group['id']}/members")).json()["items"] == []
    back = await tool.done("POST", "/Groups", made, 201)
    assert (back["id"], back["displayName"]) == (group["id"], made["displayName"])


async def test_who_has_left_the_house_is_passed_over_in_a_group(tool: Tool) -> None:
    here, gone = [(await tool.done("POST", "/Users", entra(**{CONCERT: since(9)}), 201))["id"] for _ in range(2)]
    await tool.patch(f"/Users/{gone}", {"op": "Replace", "path": "active", "value": False})
    members = [{"value": here}, {"value": gone}]
    body = {"schemas": [GROUP], "displayName": f"North {next(_numbers)}", "members": members}
    group = await tool.done("POST", "/Groups", body, 201)
    assert [each["value"] for each in group["members"]] == [here]
    unknown = {"op": "add", "path": "members", "value": [{"value": "mbr_nobody"}]}
    body = {"schemas": [PATCH], "Operations": [unknown]}
    detail = await tool.refused(400, "invalidValue", "PATCH", f"/Groups/{group['id']}", body)
    assert "mbr_nobody" in detail


async def test_who_is_deleted_has_left_and_comes_back_as_who_they_were(tool: Tool) -> None:
    asked = entra(**{CONCERT: since(40)})
    user = (await tool.done("POST", "/Users", asked, 201))["id"]
    await tool.done("DELETE", f"/Users/{user}", status=204)
    await tool.refused(404, None, "GET", f"/Users/{user}")
    await tool.refused(404, None, "DELETE", f"/Users/{user}")
    assert await tool.found("Users", filter=f'userName eq "{asked["userName"]}"') == []
    member = await tool.member(user)
    assert (member["left_on"], member["name"]) == (days_ago(0), "Joy Young")
    back = await tool.done("POST", "/Users", entra(userName=asked["userName"], displayName="Joy Again"), 201)
    assert (back["id"], back["displayName"], back["active"]) == (user, "Joy Again", True)
    assert len((await tool.member(user))["employments"]) == 2


async def test_who_is_switched_off_and_on_on_the_day_they_came_is_here(tool: Tool) -> None:
    user = (await tool.done("POST", "/Users", entra(), 201))["id"]
    for active in (False, False, True, True, False, True):
        shown = await tool.patch(f"/Users/{user}", {"op": "Replace", "path": "active", "value": str(active)})
        assert shown["active"] is active


async def test_a_joiner_of_next_month_is_active_and_in_their_team_from_their_first_day(tool: Tool) -> None:
    first = (today() + timedelta(days=30)).isoformat()
    user = await tool.done("POST", "/Users", entra(**{CONCERT: {"startsOn": first}}), 201)
    body = {"schemas": [GROUP], "displayName": f"Later {next(_numbers)}", "members": [{"value": user["id"]}]}
    group = await tool.done("POST", "/Groups", body, 201)
    assert [each["value"] for each in group["members"]] == [user["id"]]
    stays = (await tool.world.admin.get(f"/v1/members/{user['id']}/memberships")).json()["items"]
    assert [each["from"] for each in stays] == [first]
    assert (user["active"], user[CONCERT]["startsOn"]) == (True, first)
    moved = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": f"{CONCERT}:startsOn", "value": days_ago(1)}]}
    assert first in await tool.refused(400, "mutability", "PATCH", f"/Users/{user['id']}", moved)


async def test_a_change_is_refused_that_was_decided_on_an_old_version_and_one_that_is_known_is_not_sent_again(
    tool: Tool,
) -> None:
    user = await tool.done("POST", "/Users", entra(), 201)
    version, path = user["meta"]["version"], f"/Users/{user['id']}"
    assert (await tool.send("GET", path, If_None_Match=version)).status_code == 304
    body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "title", "value": "Boss"}]}
    changed = await tool.send("PATCH", path, body, If_Match=version)
    assert changed.status_code == 200
    assert changed.headers["etag"] != version
    stale = await tool.send("PATCH", path, body, If_Match=version)
    assert (stale.status_code, stale.json()["status"]) == (412, "412")
    assert (await tool.send("PATCH", path, body)).headers["etag"] == changed.headers["etag"]


async def test_a_retry_with_a_key_gets_the_same_answer_in_the_same_form(tool: Tool) -> None:
    asked, key = entra(), f"key-{next(_numbers)}"
    answers = [await tool.send("POST", "/Users", asked, Idempotency_Key=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    wrong = [await tool.send("POST", "/Users", asked, Idempotency_Key=f"{key}-2") for _ in range(2)]
    assert [each.status_code for each in wrong] == [409, 409]
    assert wrong[0].json() == wrong[1].json()


@pytest.mark.parametrize(
    ("status", "keyword", "operation"),
    [
        (400, "invalidPath", {"op": "Replace", "path": "emails[type eq", "value": "x"}),
        (400, "mutability", {"op": "Replace", "path": "id", "value": "x"}),
        (400, "mutability", {"op": "Replace", "path": "groups", "value": []}),
        (400, "invalidValue", {"op": "Rename", "path": "title", "value": "x"}),
        (400, "invalidValue", {"op": "Replace", "path": "active", "value": "perhaps"}),
        (400, "invalidValue", {"op": "Replace", "path": "userName", "value": " "}),
        (400, "invalidValue", {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "Alchemy"}),
        (400, "invalidValue", {"op": "Replace", "path": f"{ENTERPRISE}:manager", "value": "mbr_nobody"}),
        (400, "invalidValue", {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "no address"}),
        (400, "invalidValue", {"op": "Replace", "path": "title", "value": "x" * 201}),
        (400, "noTarget", {"op": "remove"}),
    ],
)
async def test_what_cannot_be_done_is_refused_in_the_words_of_the_standard(
    tool: Tool, status: int, keyword: str, operation: dict[str, Any]
) -> None:
    user = await tool.done("POST", "/Users", entra(), 201)
    good = {"op": "Replace", "path": "title", "value": "Changed"}
    body = {"schemas": [PATCH], "Operations": [good, operation]}
    await tool.refused(status, keyword, "PATCH", f"/Users/{user['id']}", body)
    # All of the operations, or none.
    assert (await tool.done("GET", f"/Users/{user['id']}"))["title"] == "Account executive"


async def test_bodies_filters_and_names_that_are_wrong_are_refused_in_the_words_of_the_standard(tool: Tool) -> None:
    await tool.refused(400, "invalidFilter", "GET", "/Users?filter=userName xx")
    await tool.refused(400, "invalidFilter", "GET", '/Users?filter=shoeSize eq "44"')
    await tool.refused(400, "invalidValue", "GET", "/Users?count=many")
    await tool.refused(400, "invalidSyntax", "POST", "/Users", [])
    await tool.refused(400, "invalidValue", "POST", "/Users", {"schemas": [CORE]})
    await tool.refused(400, "invalidValue", "POST", "/Users", entra(active=False))
    await tool.refused(404, None, "GET", "/Users/mbr_nobody")
    await tool.refused(404, None, "PATCH", "/Groups/team_nobody", {"schemas": [PATCH], "Operations": []})
    await tool.refused(405, None, "DELETE", "/Users")
    user = await tool.done("POST", "/Users", entra(), 201)
    other = await tool.done("POST", "/Users", entra(), 201)
    for path, value in (("userName", user["userName"].upper()), ("externalId", user["externalId"])):
        body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": path, "value": value}]}
        assert user["id"] in await tool.refused(409, "uniqueness", "PATCH", f"/Users/{other['id']}", body) or (
            path == "externalId"
        )
    async with client_of(tool.world.origin, {}) as nobody:
        refused = await nobody.get("/scim/v2/Users")
        assert (refused.status_code, refused.json()["schemas"]) == (401, [ERROR])
        assert refused.headers["www-authenticate"].startswith("Bearer")
    async with client_of(tool.world.origin, token_headers(tool.world.settings, "scim:read")) as reader:
        assert (await reader.post("/scim/v2/Users", json=entra())).status_code == 403
        assert (await reader.get("/v1/members")).status_code == 403


async def test_a_tool_that_asks_learns_what_is_understood(tool: Tool) -> None:
    config = await tool.done("GET", "/ServiceProviderConfig")
    supported = {name: config[name]["supported"] for name in ("patch", "bulk", "filter", "sort", "etag")}
    assert supported == {"patch": True, "bulk": False, "filter": True, "sort": False, "etag": True}
    types = await tool.found("ResourceTypes")
    assert {each["name"]: each["endpoint"] for each in types} == {"User": "/Users", "Group": "/Groups"}
    schemas = {each["id"]: each for each in await tool.found("Schemas")}
    assert set(schemas) == {CORE, GROUP, ENTERPRISE, CONCERT}
    for uri, schema in schemas.items():
        assert await tool.done("GET", f"/Schemas/{uri}") == schema
    assert await tool.done("GET", "/ResourceTypes/User") == next(each for each in types if each["name"] == "User")
    assert "User" in await tool.refused(404, None, "GET", "/ResourceTypes/Printer")
    # What is announced is what is answered.
    user = await tool.done("POST", "/Users", entra(), 201)
    told = {each["name"] for each in schemas[CORE]["attributes"]}
    assert set(user) - {"schemas", "id", "externalId", "meta", ENTERPRISE, CONCERT} <= told


async def test_joiners_movers_and_leavers_are_in_the_view_of_hr_and_the_books_agree(world: World) -> None:
    async with client_of(world.origin, token_headers(world.settings, "scim:write")) as client:
        tool = Tool(world, client)
        began = since(400)
        users = [(await tool.done("POST", "/Users", entra(**{CONCERT: began}), 201))["id"] for _ in range(6)]
        group = await tool.done("POST", "/Groups", {"schemas": [GROUP], "displayName": "West",
                                                    "members": [{"value": each} for each in users]}, 201)  # fmt: skip
        await hr_shows(world, headcount=6, headcount_sales=6, joiners=0, leavers=0)
        mover, leaver, joiner = users[0], users[1], entra()
        await tool.done("POST", "/Users", joiner, 201)
        department = {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "HR"}
        await tool.patch(f"/Users/{mover}", department)
        await tool.patch(f"/Users/{leaver}", {"op": "Replace", "path": "active", "value": "False"})
        await hr_shows(world, headcount=6, headcount_sales=5, joiners=1, leavers=1)
        await tool.patch(f"/Users/{leaver}", {"op": "Replace", "path": "active", "value": "True"})
        await hr_shows(world, headcount=7, headcount_sales=6)
        left = await tool.done("GET", f"/Groups/{group['id']}")
        assert {each["value"] for each in left["members"]} == set(users) - {leaver}


async def hr_shows(world: World, **expected: int) -> None:
    """What hr sees of this year once the certificate holds."""
    await settled_verdict(world, "consistent")
    answer = await world.admin.get("/v1/views/hr", params={"period": str(today().year)})
    figures = answer.json()["figures"]
    assert {name: figures[name] for name in expected} == expected
