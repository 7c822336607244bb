"""The page over HTTP: who may see what, that it shows what the API says, and that nothing it is told becomes markup."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.metrics.page.layout import LAYOUTS, TITLES
from services.metrics.page.values import money, percent, shown
from services.metrics.views import VIEWS
from shared.identity.gate import OPERATOR, Identity
from shared.identity.scopes import DEPARTMENT_SCOPES
from tests.metrics.company import HOSTILE
from tests.world import World, client_of, token_headers, world

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}
VOID = {"meta", "link", "input", "img", "br"}
VIEWS_OF_2025 = [f"/?view={department}&period=2025" for department in LAYOUTS]
ADDRESSES = [
    *VIEWS_OF_2025,
    "/",
    "/?view=sales&period=2025-Q4&breakdown=customer",
    "/?view=sales&from=2025-08-01&to=2025-11-15&breakdown=week",
    "/rows?view=sales&figure=revenue&period=2025",
    "/rows?view=it&figure=requests_opened&period=2025",
    "/goals",
    "/consistency",
    "/docs",
    "/problems",
    "/problems/refused",
]


class Page(HTMLParser):
    """What a browser would read: refuses tags that are not closed, and collects what matters."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> crosses another"

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str, attribute: str) -> Iterator[str]:
        return (given[attribute] or "" for name, given in self.elements if name == tag and attribute in given)

    @property
    def said(self) -> str:
        return re.sub(r"\s+", " ", self.words)


@asynccontextmanager
async def reader(world: World, *scopes: str, **who: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(world.origin, {**token_headers(world.settings, *scopes, **who), **BROWSER}) as client:
        yield client


@asynccontextmanager
async def stranger(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(world.origin, BROWSER) as client:
        yield client


def identity_of(world: World) -> Identity:
    identity: Identity = world.services["metrics"].app.state.identity
    return identity


def code_for(world: World) -> str:
    return identity_of(world).links.make(OPERATOR)


async def read(world: World, address: str, status: int = 200) -> Page:
    answer = await world.admin.get(address, headers=BROWSER)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Page(answer.text)


@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_page_is_whole_and_loads_nothing_from_elsewhere(company: World, address: str) -> None:
    answer = await company.admin.get(address, headers=BROWSER)
    assert answer.status_code == 200, answer.text
    page = Page(answer.text)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    loaded = [*page.all("script", "src"), *page.all("link", "href"), *page.all("img", "src")]
    assert all(each.startswith("/assets/") for each in loaded)
    assert all(each.startswith(("/", "#")) for each in page.all("a", "href"))
    assert all(each.startswith("/") for each in page.all("form", "action"))
    assert len(list(page.all("script", "src"))) == [tag for tag, _ in page.elements].count("script")
    assert not [given for _, given in page.elements if any(name == "style" or name.startswith("on") for name in given)]
    ids = [given["id"] for _, given in page.elements if "id" in given]
    assert len(ids) == len(set(ids))


async def test_the_assets_of_a_page_are_there_and_may_be_kept(company: World) -> None:
    page = await read(company, "/docs")
    for address in {*page.all("script", "src"), *page.all("link", "href")}:
        answer = await company.admin.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert b"http:" not in answer.content.replace(b"http://www.w3.org/2000/svg", b"")
        assert b"https:" not in answer.content
    assert (await company.admin.get("/assets/../routes.py")).status_code == 404


@pytest.mark.parametrize("department", LAYOUTS)
async def test_the_page_shows_every_figure_that_the_api_says(company: World, department: str) -> None:
    page = await read(company, f"/?view={department}&period=2025&team=ext:demo:North")
    query = {"period": "2025", "team": "ext:demo:North"}
    view = (await company.admin.get(f"/v1/views/{department}", params=query)).json()
    present = {given["id"] for _, given in page.elements if "id" in given}
    for key, value in view["figures"].items():
        if key in ("source_age", "view_age", *LAYOUTS[department].parts):
            continue
        assert f"figure-{key}" in present
        held = [re.sub(r"\s", " ", part) for part in shown(value, key).lines if "0.00" not in part]
        assert all(part in page.said for part in held), key
        assert view["definitions"][key] in page.said
    for note in view["notes"]:
        assert note["why"][1:] in page.said


async def test_a_first_look_is_at_the_quarter_of_the_latest_won_deal(company: World) -> None:
    page = await read(company, "/")
    assert "Sales 2026-Q1" in page.said
    assert "44,700.00 USD" in page.said


async def test_an_empty_concert_shows_the_present_quarter(tmp_path: Any) -> None:
    async with world(tmp_path) as empty:
        page = await read(empty, "/")
    assert re.search(r"Sales \d{4}-Q\d", page.said)
    assert "As of nothing yet" in page.said


async def test_what_is_chosen_stands_in_the_address_and_stays_chosen(company: World) -> None:
    team = (await company.admin.get("/v1/teams/ext:demo:North")).json()["id"]
    page = await read(company, f"/?view=finance&period=2025-Q3&team={team}&breakdown=customer")
    tabs = [urlsplit(each) for each in page.all("a", "href") if "view=hr" in each]
    assert parse_qs(tabs[0].query) == {"view": ["hr"], "period": ["2025-Q3"], "team": [team]}
    chosen = [given for tag, given in page.elements if tag == "option" and "selected" in given]
    assert {given.get("value") for given in chosen} >= {team, "customer"}


async def test_days_between_two_dates_can_be_asked_for(company: World) -> None:
    page = await read(company, "/?view=sales&period=2025&from=2025-08-01&to=2025-08-15")
    assert "1 Aug 2025 \N{EN DASH} 14 Aug 2025" in page.said


async def test_a_hostile_name_stays_a_name(company: World) -> None:
    answer = await company.admin.get("/?view=sales&period=2025&breakdown=customer", headers=BROWSER)
    assert HOSTILE in Page(answer.text).words
    assert HOSTILE in unescape(answer.text)
    assert "<script>" not in answer.text


async def test_a_figure_opens_to_the_rows_it_is_made_of(company: World) -> None:
    page = await read(company, "/?view=sales&period=2025")
    link = next(each for each in page.all("a", "href") if each.startswith("/rows") and "figure=deals_won" in each)
    rows: list[str] = []
    while link:
        page = await read(company, link)
        rows += [each for each in page.all("a", "href") if each.startswith("/history")]
        link = next((str(given["href"]) for tag, given in page.elements if given.get("rel") == "next"), "")
    won = (await company.admin.get("/v1/views/sales", params={"period": "2025"})).json()["figures"]["deals_won"]
    assert len(rows) == len(set(rows)) == won
    history = await read(company, rows[0])
    assert "Deal opened" in history.said
    assert "Deal won" in history.said


async def test_rows_are_of_whoever_was_asked_for(company: World) -> None:
    whole = await read(company, "/rows?view=sales&figure=revenue&period=2025-Q4")
    north = await read(company, "/rows?view=sales&figure=revenue&period=2025-Q4&team=ext:demo:North")
    assert "Team: North" in north.said
    assert "Chloé Martin" in whole.said
    assert "Chloé Martin" not in north.said


@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("/?view=marketing", 404, "There is no view 'marketing'"),
        ("/?period=2025-Q5", 422, "quarters are Q1 to Q4"),
        ("/?from=2025-01-01", 422, "to is missing"),
        ("/?breakdown=colour", 422, "a breakdown is by one of"),
        ("/?team=ext:demo:nobody", 404, "There is no team ext:demo:nobody here"),
        ("/rows?view=sales&figure=luck", 404, "has no figure 'luck'"),
        ("/rows?view=accounting&figure=unallocated", 404, "has no rows of its own"),
        ("/rows?view=sales", 422, "figure"),
        ("/rows?view=sales&figure=revenue&cursor=AA", 422, "cursor"),
        ("/history?of=secret/1", 404, "There is no history"),
        ("/history?of=deal/..", 404, "There is no history"),
        ("/history?of=deal/deal_nobody", 404, "deal_nobody"),
        ("/problems/boredom", 404, "There is no problem of type"),
        ("/history?of=deal/%01", 404, "There is no history"),
        ("/?team=%01", 404, "There is no team"),
        ("/nothing", 404, "There is nothing at /nothing"),
        ("/?view=<script>alert(1)</script>", 404, "<script>alert(1)</script>"),
    ],
)
async def test_what_cannot_be_shown_is_said_on_a_page(company: World, address: str, status: int, says: str) -> None:
    page = await read(company, address, status)
    assert says in page.said
    assert not [tag for tag, _ in page.elements if tag == "script"]
    as_data = await company.admin.get(address, headers={"Accept": "application/json"})
    assert as_data.status_code == status
    assert as_data.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("address", ["/history?of=deal/%00", "/?team=%00", "/rows?view=sales&figure=%00"])
async def test_an_address_that_no_store_could_be_asked_with_is_refused(company: World, address: str) -> None:
    answer = await company.admin.get(address, headers=BROWSER)
    assert answer.status_code == 422
    assert "NUL" in answer.json()["detail"]


async def test_the_api_answers_data_also_to_a_browser(company: World) -> None:
    answer = await company.admin.get("/v1/views/marketing?period=2025", headers=BROWSER)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_without_a_login_there_is_only_the_way_in(company: World) -> None:
    async with stranger(company) as client:
        for address in ("/", "/rows?view=sales&figure=revenue", "/history?of=deal/1", "/consistency"):
            answer = await client.get(address)
            assert answer.status_code == (200 if address == "/" else 401)
            page = Page(answer.text)
            assert "Log in to Concert" in page.said
            assert "USD" not in page.said
        assert (await client.get("/docs")).status_code == 200
        assert (await client.get("/problems/validation")).status_code == 200


async def test_a_link_lets_in_once(company: World) -> None:
    code = code_for(company)
    async with stranger(company) as client:
        answer = await client.get("/", params={"login": code})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        inside = await client.get("/")
        assert inside.status_code == 200
        assert "Sales" in Page(inside.text).said
    async with stranger(company) as other:
        again = await other.get("/", params={"login": code})
        assert again.status_code == 401
        assert "used already" in Page(again.text).said
        assert "set-cookie" not in again.headers


async def test_a_link_that_was_followed_from_another_site_still_lets_in(company: World) -> None:
    # A browser keeps a strict cookie back while a redirect goes on from elsewhere; a page of ours leads on instead.
    async with stranger(company) as client:
        elsewhere = {**BROWSER, "Sec-Fetch-Site": "cross-site"}
        answer = await client.get("/", params={"login": code_for(company)}, headers=elsewhere)
        assert answer.status_code == 200
        assert "set-cookie" in answer.headers
        assert "0; url=/" in Page(answer.text).all("meta", "content")
        client.cookies.clear()
        kept_back = await client.get("/?view=hr&period=2025", headers=elsewhere)
        assert "0; url=/?view=hr&period=2025" in Page(kept_back.text).all("meta", "content")


async def test_a_token_that_is_pasted_lets_in(company: World) -> None:
    token = token_headers(company.settings, *DEPARTMENT_SCOPES["finance"], department="finance")["Authorization"][7:]
    async with stranger(company) as client:
        answer = await client.post("/login", data={"token": f" {token}\n", "to": "/?view=finance&period=2025"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/?view=finance&period=2025")
        page = Page((await client.get(answer.headers["location"])).text)
        assert "Gross margin" in page.said
    async with stranger(company) as other:
        answer = await other.post("/login", data={"token": "not a token"})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert (await other.get("/", headers={"Authorization": "Bearer not-a-token"})).status_code == 401


@pytest.mark.parametrize("to", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "/a\nb"])
async def test_a_login_leads_nowhere_else(company: World, to: str) -> None:
    token = company.admin.headers["Authorization"][7:]
    async with stranger(company) as client:
        answer = await client.post("/login", data={"token": token, "to": to})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_another_site_can_neither_log_somebody_in_nor_out(company: World) -> None:
    token = company.admin.headers["Authorization"][7:]
    async with stranger(company) as client:
        foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"}
        answer = await client.post("/login", data={"token": token}, headers=foreign)
        assert answer.status_code == 403
        await client.get("/", params={"login": code_for(company)})
        assert (await client.post("/logout", data={}, headers=foreign)).status_code == 403
        assert (await client.post("/logout", data={"csrf": "guess"})).status_code == 403
        assert (await client.get("/")).status_code == 200


async def test_whoever_logs_out_is_out(company: World) -> None:
    async with stranger(company) as client:
        await client.get("/", params={"login": code_for(company)})
        page = Page((await client.get("/")).text)
        csrf = next(given["value"] for _, given in page.elements if given.get("name") == "csrf")
        answer = await client.post("/logout", data={"csrf": csrf or ""})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "Log in to Concert" in Page((await client.get("/")).text).said


@pytest.mark.parametrize("department", LAYOUTS)
async def test_a_department_sees_its_own_view_and_no_other(company: World, department: str) -> None:
    async with reader(company, *DEPARTMENT_SCOPES[department], department=department) as client:
        answer = await client.get("/?period=2025")
        assert answer.status_code == 200
        page = Page(answer.text)
        assert [each for each in LAYOUTS if f"view={each}&" in "".join(page.all("a", "href"))] == [department]
        assert f"{TITLES[department]} 2025" in page.said
        for other in set(LAYOUTS) - {department}:
            assert (await client.get(f"/?view={other}&period=2025")).status_code == 403
            figure = next(each.key for each in VIEWS[other].figures if each.rows)
            assert (await client.get(f"/rows?view={other}&figure={figure}&period=2025")).status_code == 403


async def test_people_are_named_only_to_whoever_may_read_names(company: World) -> None:
    async with reader(company, "views.finance:read", department="finance") as client:
        page = Page((await client.get("/?view=finance&period=2025&breakdown=member")).text)
    assert "Ada Berg" not in page.said
    assert "mbr_" in page.said


async def test_the_history_of_a_thing_is_told_by_its_owner_to_whom_it_concerns(company: World) -> None:
    deal = (await company.admin.get("/v1/deals/ext:demo:0")).json()["id"]
    async with reader(company, "views.sales:read") as client:
        answer = await client.get(f"/history?of=deal/{deal}")
        assert answer.status_code == 403
        assert "deals:read" in Page(answer.text).said
    page = await read(company, f"/history?of=deal/{deal}")
    assert "Deal opened" in page.said


async def test_the_certificate_is_told_in_words(company: World) -> None:
    page = await read(company, "/consistency?fresh=true")
    certificate = (await company.admin.get("/v1/consistency")).json()
    words = {"consistent": "Consistent", "catching_up": "Catching up", "inconsistent": "Inconsistent"}
    assert f"Consistency {words[certificate['verdict']][:1]}" in page.said.replace("✓", "").replace("…", "").replace(
        "  ", " "
    )
    for invariant in certificate["invariants"]:
        assert invariant["name"] in page.said
    async with reader(company, "views.sales:read") as client:
        assert (await client.get("/consistency")).status_code == 403
        assert "/consistency" not in (await client.get("/")).text


async def test_the_page_of_goals_shows_the_tree_and_what_is_said_and_told_of_targets(tmp_path: Any) -> None:
    async with world(tmp_path) as concert:
        team = await concert.made("/v1/teams", {"name": HOSTILE})
        goal = {"title": "Grow", "period": "2026"}
        whole = await concert.made("/v1/goals", goal)
        part = await concert.made("/v1/goals", goal | {"title": "Win <b>", "parent": whole["id"], "weight": "0.6"})
        year = {"from": str(date.today().replace(month=1, day=1)), "to": "2100-01-01"}  # noqa: DTZ011
        target = await concert.made("/v1/targets", {
            "metric": "revenue", "scope": {"level": "team", "ref": team["id"]}, "period": year, "goal": part["id"],
            "value": {"amount": "123456.00", "currency": "EUR"},
        })  # fmt: skip
        await concert.made(f"/v1/targets/{target['id']}/check-ins", {"confidence": "0.7"})
        last = await concert.agreed(f"/v1/targets/{target['id']}/approve", {})
        await concert.settled("/v1/views/sales", last, period="2026")
        found = await read(concert, "/goals")
        aimed = money({"amount": "123456.00", "currency": "EUR"})
        late = "approved; set after its start"
        for words in ("Grow", "Win <b>", percent("0.6"), aimed, late, percent("0.7"), HOSTILE):
            assert words in found.words, words
        # Who may read goals and not targets sees the one and not the other.
        own = token_headers(concert.settings, "goals:read")
        shown_to_them = await concert.admin.get("/goals", headers={**BROWSER, **own})
        assert shown_to_them.status_code == 200
        assert "Grow" in shown_to_them.text
        assert "123" not in shown_to_them.text.partition("<main")[2].partition("<footer")[0]
        nobody = await concert.admin.get("/goals", headers={**BROWSER, **token_headers(concert.settings, "views:read")})
        assert nobody.status_code == 403
