"""The page's login: a link works once, its cookie reads, and posts only the forms of our own pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from shared.errors import Problem
from shared.identity import gate
from shared.identity.gate import OPERATOR, Identity
from shared.identity.issuer import Ourselves
from shared.identity.login import CSRF_FIELD, OneTimeLinks, csrf_of
from shared.identity.permissions import PUBLIC, Principal, require
from shared.settings import Settings
from tests.kit.identities import ISSUER, JWKS, OtherIssuer, claims, new_key, signed

ANNA = Principal("mbr_1", frozenset({"deals:write"}), "sales", "mbr_1")
Deals = Annotated[Principal, Depends(require("deals:write"))]


def page_app(identity: Identity) -> FastAPI:
    """An app with a page, a form and a route for programs."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.identity = identity
    router = APIRouter()

    @router.get("/", openapi_extra=PUBLIC)
    async def enter(response: Response, login: str = "") -> str:
        principal = identity.links.redeem(login)
        if principal is not None:
            identity.log_in(response, principal)
        return "in" if principal else "out"

    @router.get("/csrf")
    async def csrf(request: Request, principal: Deals) -> str:
        return identity.csrf(request)

    @router.api_route("/deals", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    async def deals(request: Request, principal: Deals) -> list[str]:
        form = await request.form() if request.method == "POST" else {}
        return [principal.subject, *sorted(str(value) for name, value in form.items() if name != CSRF_FIELD)]

    @router.post("/leave")
    async def leave(response: Response, principal: Deals) -> None:
        identity.log_out(response)

    @app.exception_handler(Problem)
    async def answer(request: Request, problem: Problem) -> JSONResponse:
        return JSONResponse(problem.document(), problem.status, problem.headers)

    app.include_router(router)
    return app


@pytest.fixture
def identity() -> Identity:
    key = new_key()
    return Identity(key, [Ourselves(key)], origin="http://127.0.0.1:8000", audience="concert")


@pytest.fixture
async def browser(identity: Identity) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that Anna has logged in."""
    transport = httpx.ASGITransport(page_app(identity))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        link = identity.login_link(ANNA)
        assert (await client.get(link)).json() == "in"
        yield client


async def form(browser: httpx.AsyncClient, **headers: str) -> Any:
    """Post the page's form as a browser does."""
    csrf = (await browser.get("/csrf")).json()
    return await browser.post("/deals", data={CSRF_FIELD: csrf, "deal": "1"}, headers=headers)


def test_a_link_works_once_within_ten_minutes() -> None:
    moment = datetime(2026, 7, 31, 9, tzinfo=UTC)
    links = OneTimeLinks(lambda: moment)
    code, old = links.make(ANNA), links.make(OPERATOR)
    assert len(code) >= 43
    assert [links.redeem(code), links.redeem(code)] == [ANNA, None]
    assert [links.redeem(""), links.redeem("x" * 5000), links.redeem("\ud800")] == [None] * 3
    moment += timedelta(minutes=10)
    assert links.redeem(old) is None


def test_the_oldest_of_many_links_is_forgotten() -> None:
    links = OneTimeLinks()
    codes = [links.make(ANNA) for _ in range(101)]
    assert [links.redeem(codes[0]), links.redeem(codes[1])] == [None, ANNA]


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(identity: Identity) -> None:
    response = Response()
    identity.log_in(response, ANNA)
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("concert=ey")
    assert cookie.partition(";")[2] == " HttpOnly; Max-Age=28800; Path=/; SameSite=strict"


async def test_under_tls_the_cookie_travels_encrypted_only() -> None:
    key, response = new_key(), Response()
    Identity(key, [Ourselves(key)], origin="https://concert.example", audience="concert").log_in(response, ANNA)
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("__Host-concert=ey")
    assert "; Secure" in cookie
    assert "domain" not in cookie.lower()


async def test_a_logged_in_browser_reads(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/deals")).json() == ["mbr_1"]


async def test_the_login_ends_after_eight_hours(identity: Identity) -> None:
    response = Response()
    identity.log_in(response, ANNA, at=datetime.now(UTC) - timedelta(hours=8, minutes=1))
    cookie = response.headers["set-cookie"].partition(";")[0].partition("=")[2]
    transport = httpx.ASGITransport(page_app(identity))
    async with httpx.AsyncClient(transport=transport, base_url="http://x", cookies={"concert": cookie}) as client:
        answer = await client.get("/deals")
    assert (answer.status_code, answer.json()["detail"]) == (401, "The token has expired; ask for a new one.")


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://127.0.0.1:8000"}, {"Origin": "https://127.0.0.1:8000"}],
)
async def test_a_form_of_our_own_page_is_accepted(browser: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await form(browser, **headers)
    assert (answer.status_code, answer.json()) == (200, ["mbr_1", "1"])


async def test_files_are_not_sent_by_login(browser: httpx.AsyncClient) -> None:
    csrf = (await browser.get("/csrf")).json()
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = await browser.post("/deals", data={CSRF_FIELD: csrf}, files={"f": ("d.csv", b"a;b")}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:3000"}, {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"},
    ],
)  # fmt: skip
async def test_a_form_of_another_page_is_refused(browser: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await form(browser, **headers)
    assert (answer.status_code, answer.json()["detail"]) == (403, "This form was not sent from a page of this Concert.")


@pytest.mark.parametrize("csrf", [None, "", "0" * 48, "é", csrf_of("another cookie")])
async def test_a_form_that_was_not_made_here_is_refused(browser: httpx.AsyncClient, csrf: str | None) -> None:
    fields = {"deal": "1"} | ({} if csrf is None else {CSRF_FIELD: csrf})
    answer = await browser.post("/deals", data=fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("This form is too old or was not made here")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
async def test_the_cookie_does_not_do_a_programs_work(browser: httpx.AsyncClient, method: str) -> None:
    answer = await browser.request(method, "/deals", json={}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 403
    assert "other programs send a token" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_even_a_good_form_is_only_posted(browser: httpx.AsyncClient, method: str) -> None:
    fields = {CSRF_FIELD: (await browser.get("/csrf")).json()}
    answer = await browser.request(method, "/deals", data=fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 403


async def test_a_cookie_is_no_token_and_a_token_is_no_cookie(browser: httpx.AsyncClient, identity: Identity) -> None:
    cookie = browser.cookies["concert"]
    answer = await browser.get("/deals", headers={"Authorization": f"Bearer {cookie}"})
    assert (answer.status_code, answer.json()["detail"]) == (
        401, "The token is meant for another audience than concert.",
    )  # fmt: skip
    browser.cookies["concert"] = signed(identity._signing, claims(scope="deals:write"))
    assert (await browser.get("/deals")).status_code == 401


async def test_a_token_goes_before_the_cookie(browser: httpx.AsyncClient, identity: Identity) -> None:
    token = signed(identity._signing, claims(scope="deals:write", sub="crm"))
    answer = await browser.put("/deals", headers={"Authorization": f"Bearer {token}"})
    assert answer.json() == ["crm"]
    assert (await identity.principal_of_token(f" {token}\n")).subject == "crm"


async def test_one_can_leave(browser: httpx.AsyncClient) -> None:
    csrf = (await browser.get("/csrf")).json()
    await browser.post("/leave", data={CSRF_FIELD: csrf}, headers={"Sec-Fetch-Site": "same-origin"})
    assert (await browser.get("/deals")).status_code == 401


async def test_with_an_issuer_only_a_configured_key_makes_tokens_of_our_own(tmp_path: Any) -> None:
    other = OtherIssuer()
    plain = Settings(data=tmp_path, jwt_issuer=ISSUER, jwt_jwks_url=JWKS)
    by_issuer = Identity.of(plain, transport=other.transport)
    assert (await by_issuer.principal_of_token(other.token("ES256"))).subject == f"{ISSUER}#tool"
    ours = signed(gate.signing_key(plain), claims())
    with pytest.raises(Problem, match="names no key that is known here"):
        await by_issuer.principal_of_token(ours)
    configured = plain.model_copy(update={"signing_key_file": plain.key_file})
    by_both = Identity.of(configured, transport=other.transport)
    assert (await by_both.principal_of_token(ours)).subject == "tool"
    assert (await by_both.principal_of_token(other.token("ES256"))).subject == f"{ISSUER}#tool"
    alone = Identity.of(Settings(data=tmp_path))
    assert (await alone.principal_of_token(ours)).subject == "tool"
