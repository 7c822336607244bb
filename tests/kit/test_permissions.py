"""Who may do what, and that no route can be without its permission."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from httpx import ASGITransport, AsyncClient
from starlette.routing import Mount

from shared.errors import Problem
from shared.identity.gate import Identity
from shared.identity.issuer import Ourselves
from shared.identity.permissions import (
    PUBLIC,
    Principal,
    RouteWithoutPermission,
    assert_every_route_names_its_permission,
    principal_of,
    require,
    scopes_nobody_is_given,
)
from shared.identity.scopes import (
    DEPARTMENT_SCOPES,
    DEPARTMENTS,
    EVERYBODY,
    LEADER,
    MEMBER,
    SALES_MEMBER,
    TABLE,
    as_table,
    known_scopes,
    member_scopes,
    tool_scopes,
)
from tests.kit.identities import claims, new_key, signed

KEY = new_key()


def may(scopes: frozenset[str] | set[str], scope: str) -> bool:
    return Principal("x", frozenset(scopes)).may(scope)


@pytest.mark.parametrize(
    ("held", "asked", "granted"),
    [
        ("deals:read", "deals:read", True), ("deals:read", "deals:write", False), ("deals:write", "deals:read", True),
        ("deals:write", "customers:read", False), ("admin", "anything:write", True), ("admin", "admin", True),
        ("views:read", "views.sales:read", True), ("views.sales:read", "views:read", False),
        ("views.sales:read", "views.finance:read", False), ("views.sales:write", "views.sales:read", True),
        ("deals:write", "admin", False), ("deals", "deals:read", False), ("", "deals:read", False),
    ],
)  # fmt: skip
def test_what_a_scope_includes(held: str, asked: str, granted: bool) -> None:
    assert may({held}, asked) is granted


@pytest.mark.parametrize(
    ("department", "may_do", "may_not"),
    [
        ("sales", "customers:write deals:write targets:write views.sales:read requests:write invoices:read people:read",
         "invoices:write budgets:write members:write trainings:write rates:write views.finance:read parked:read"),
        ("finance", "products:write targets:write rates:write views.finance:read deals:read budgets:read",
         "trainings:write deals:write invoices:write budgets:write views.sales:read people:read setbacks:read"),
        ("accounting", "invoices:write receipts:write budgets:write expenses:write views.accounting:read deals:read",
         "deals:write customers:write targets:write rates:write people:read views.hr:read"),
        ("hr", "members:write openings:write trainings:write people:write views.hr:read setbacks:write",
         "deals:read invoices:read expenses:read views.sales:read scorecards:read equipment:write"),
        ("it", "equipment:write requests:write parked:read views.it:read consistency:read",
         "parked:write members:write trainings:write deals:read webhooks:write views.sales:read setbacks:read"),
    ],
)  # fmt: skip
def test_what_a_tool_of_a_department_may_do(department: str, may_do: str, may_not: str) -> None:
    scopes = tool_scopes(department)
    assert [scope for scope in may_do.split() if not may(scopes, scope)] == []
    assert [scope for scope in may_not.split() if may(scopes, scope)] == []


def test_every_department_takes_part_in_meetings_and_sees_its_own_view_only() -> None:
    assert set(DEPARTMENT_SCOPES) == set(DEPARTMENTS)
    for department, scopes in DEPARTMENT_SCOPES.items():
        assert all(may(scopes, f"{name}:write") for name in ("meetings", "items", "requests", "actions"))
        assert {each for each in scopes if each.startswith("views")} == {f"views.{department}:read"}
        assert not may(scopes, "admin")
    assert tool_scopes("legal") == EVERYBODY.scopes()


def test_money_is_booked_by_accounting_alone_and_personal_data_kept_by_hr_alone() -> None:
    def writers(collection: str) -> set[str]:
        return {name for name, scopes in DEPARTMENT_SCOPES.items() if may(scopes, f"{collection}:write")}

    assert [writers(name) for name in ("invoices", "receipts", "budgets", "expenses")] == [{"accounting"}] * 4
    assert [writers(name) for name in ("people", "members", "trainings", "openings")] == [{"hr"}] * 4
    assert [writers(name) for name in ("parked", "webhooks", "consistency", "organisation")] == [set()] * 4


def test_what_people_may_do() -> None:
    clerk, seller = member_scopes("finance"), member_scopes("sales")
    leader = member_scopes("sales", leader=True)
    assert not may(clerk, "deals:write")
    assert may(seller, "deals:write")
    assert may(clerk, "scorecards:read")
    assert [may(scopes, "targets:write") for scopes in (clerk, seller, leader)] == [False, False, True]
    assert [may(scopes, "views.sales:read") for scopes in (clerk, seller, leader)] == [False, False, True]
    assert not may(leader, "views.hr:read")
    assert clerk < seller < leader
    assert member_scopes() == member_scopes("legal")
    assert not any(scope.startswith("views") for scope in member_scopes("legal", leader=True))


def test_the_table_speaks_of_scopes_that_exist_and_gives_a_reason_for_each_line() -> None:
    for grant in (EVERYBODY, *TABLE, MEMBER, SALES_MEMBER, LEADER):
        assert grant.scopes() <= known_scopes()
        assert grant.why
        assert not set(grant.write.split()) & set(grant.read.split()), "writing includes reading"
        assert f"| {grant.who} |" in as_table()


def test_malformed_scopes_are_noticed_when_the_route_is_written() -> None:
    for scope in ("deals", "deals:delete", "Deals:read", "deals:write ", "views.:read", ""):
        with pytest.raises(ValueError, match="is not a scope; scopes are"):
            require(scope)
    assert require("deals:write") is require("deals:write")
    assert require("rule-sets:read").openapi == {
        "x-permission": "rule-sets:read", "security": [{"token": ["rule-sets:read"]}],
    }  # fmt: skip


Asker = Annotated[Principal, Depends(require("deals:write"))]


def app_with(router: APIRouter) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(router, prefix="/v1")
    app.state.identity = Identity(KEY, [Ourselves(KEY)], audience="concert")

    @app.exception_handler(Problem)
    async def answer(request: Request, problem: Problem) -> JSONResponse:
        return JSONResponse(problem.document(), problem.status, problem.headers)

    return app


@pytest.fixture
def guarded() -> FastAPI:
    outer, inner = APIRouter(), APIRouter(prefix="/deals")

    @inner.post("/{deal}/win", openapi_extra=require("deals:write").openapi)
    async def win(deal: str, principal: Asker) -> str:
        return f"{deal} won by {principal.subject}"

    @inner.get("", dependencies=[Depends(require("deals:read"))])
    async def read(request: Request) -> str:
        return (await principal_of(request)).subject

    @outer.get("/views/{department}", dependencies=[Depends(require("views.{department}:read"))])
    async def view(department: str) -> str:
        return department

    @outer.get("/livez", openapi_extra=PUBLIC)
    async def livez() -> str:
        return "alive"

    outer.include_router(inner)
    return app_with(outer)


def complaints(app: FastAPI) -> list[str]:
    with pytest.raises(RouteWithoutPermission) as refusal:
        assert_every_route_names_its_permission(app)
    return str(refusal.value).splitlines()


def test_an_app_whose_routes_name_their_permissions_may_start(guarded: FastAPI) -> None:
    assert_every_route_names_its_permission(guarded)
    assert scopes_nobody_is_given(guarded) == set()


def test_an_app_with_a_route_without_permission_may_not_start() -> None:
    router, inner = APIRouter(), APIRouter(prefix="/deals")

    @inner.delete("/{deal}")
    async def forgotten(deal: str) -> None: ...

    @inner.put("/{deal}", openapi_extra=require("deals:read").openapi)
    async def only_said(deal: str) -> None: ...

    @inner.post("", openapi_extra=require("deals:read").openapi)
    async def said_otherwise(principal: Asker) -> None: ...

    @inner.get("", openapi_extra=PUBLIC)
    async def public_yet_guarded(principal: Asker) -> None: ...

    @inner.patch("/{deal}", dependencies=[Depends(require("targets:write"))])
    async def twice(deal: str, principal: Asker) -> None: ...

    @inner.get("/odd", dependencies=[Depends(require("oddities:read"))])
    async def odd() -> None: ...

    router.include_router(inner)
    app = app_with(router)
    app.router.routes.append(Mount("/files", app=FastAPI(openapi_url=None, docs_url=None, redoc_url=None)))
    advice = "names no permission; add Depends(require(...)) or openapi_extra=PUBLIC"
    assert sorted(complaints(app)) == sorted([
        f"DELETE /v1/deals/{{deal}}: {advice}",
        f"PUT /v1/deals/{{deal}}: {advice}",
        "POST /v1/deals: documents deals:read but demands deals:write",
        "GET /v1/deals: is marked public but demands deals:write",
        "PATCH /v1/deals/{deal}: demands several permissions: deals:write, targets:write",
        f"/files: {advice}",
    ])  # fmt: skip
    assert scopes_nobody_is_given(app) == {"oddities:read"}


def test_a_guard_of_a_whole_router_counts_for_its_routes() -> None:
    router = APIRouter()

    @router.get("/parked")
    async def parked() -> None: ...

    outer = APIRouter()
    outer.include_router(router, dependencies=[Depends(require("parked:read"))])
    assert_every_route_names_its_permission(app_with(outer))


def test_the_documents_of_the_framework_are_noticed_too() -> None:
    assert {line.split(":")[0] for line in complaints(FastAPI())} >= {"GET/HEAD /openapi.json", "GET/HEAD /docs"}


async def ask(app: FastAPI, method: str, path: str, **headers: str) -> Any:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://concert") as client:
        return await client.request(method, path, headers=headers)


def bearer(scope: str) -> str:
    return f"Bearer {signed(KEY, claims(scope=scope))}"


async def test_without_a_token_one_is_asked_for(guarded: FastAPI) -> None:
    answer = await ask(guarded, "GET", "/v1/deals")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="concert"'
    assert answer.json()["type"] == "/problems/unauthenticated"
    assert answer.json()["detail"] == "Send a token: Authorization: Bearer <token>. `concert token` makes one."
    assert (await ask(guarded, "GET", "/v1/livez")).json() == "alive"


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic YTpi", "token", "Bearer  "])
async def test_other_ways_to_say_who_one_is_are_refused(guarded: FastAPI, header: str) -> None:
    answer = await ask(guarded, "GET", "/v1/deals", Authorization=header)
    assert (answer.status_code, answer.json()["detail"]) == (401, "The header Authorization must be: Bearer <token>.")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


async def test_a_token_that_lacks_the_scope_is_told_which(guarded: FastAPI) -> None:
    answer = await ask(guarded, "POST", "/v1/deals/1/win", Authorization=bearer("deals:read views:read"))
    assert answer.status_code == 403
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="concert", error="insufficient_scope", scope="deals:write"'
    )
    assert answer.json() == {
        "type": "/problems/forbidden", "title": "The token does not allow this", "status": 403, "scope": "deals:write",
        "detail": "This needs a token with the scope deals:write; the one that was sent does not have it.",
    }  # fmt: skip


async def test_a_token_with_the_scope_is_let_through(guarded: FastAPI) -> None:
    answer = await ask(
        guarded, "POST", "/v1/deals/1/win", Authorization=bearer("deals:write").lower()[:6] + bearer("deals:write")[6:]
    )
    assert (answer.status_code, answer.json()) == (200, "1 won by tool")
    assert (await ask(guarded, "GET", "/v1/deals", Authorization=bearer("deals:write"))).json() == "tool"


async def test_a_scope_may_depend_on_the_path(guarded: FastAPI) -> None:
    sales = bearer("views.sales:read")
    assert (await ask(guarded, "GET", "/v1/views/sales", Authorization=sales)).status_code == 200
    refused = await ask(guarded, "GET", "/v1/views/finance", Authorization=sales)
    assert refused.json()["scope"] == "views.finance:read"
    assert (await ask(guarded, "GET", "/v1/views/%22%0d%0ax", Authorization=sales)).status_code == 403
    assert (await ask(guarded, "GET", "/v1/views/finance", Authorization=bearer("views:read"))).status_code == 200
