"""The page in a real browser: one link leads in, everything is reached by mouse, keyboard and address, nothing leaks.

The browser is the system's Chromium and talks to a Concert on a loopback port; a test ends with an error if a page says
anything on the console or asks another host.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from shared.identity.gate import OPERATOR, Identity
from tests.serving import serving
from tests.world import World

PHONE = {"width": 375, "height": 740}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
async def address(company: World) -> AsyncIterator[str]:
    """Where the company's Concert answers."""
    async with serving(company.origin) as url:
        yield url


def link_into(company: World, address: str) -> str:
    identity: Identity = company.services["metrics"].app.state.identity
    return f"{address}/?login={identity.links.make(OPERATOR)}"


@asynccontextmanager
async def visit(
    browser: Browser, company: World, address: str, *, refusal: int | None = None, **options: object
) -> AsyncIterator[Page]:
    """A page behind its login; what it says on the console or asks of others fails the test, but for a refusal."""
    context: BrowserContext = await browser.new_context(**({"viewport": DESK, **options}))  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if refusal is not None and f"status of {refusal} " in message.text:
            return
        complaints.append(f"{message.type}: {message.text}")

    def see(request: Request) -> None:
        if not request.url.startswith(f"{address}/"):
            complaints.append(f"asks {request.url}")

    context.on("console", hear)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("request", see)
    page = await context.new_page()
    await page.goto(link_into(company, address))
    yield page
    await context.close()
    assert complaints == []


async def test_a_link_leads_in_and_the_code_is_gone_from_the_address(
    browser: Browser, company: World, address: str
) -> None:
    async with visit(browser, company, address) as page:
        assert page.url == f"{address}/"
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sales 2026-Q1")
        await expect(page.get_by_role("navigation", name="Departments").get_by_role("link")).to_have_count(5)


async def test_the_tabs_lead_through_the_five_views(browser: Browser, company: World, address: str) -> None:
    async with visit(browser, company, address) as page:
        tabs = page.get_by_role("navigation", name="Departments")
        for place, (title, figure) in enumerate(
            [("Sales", "Win rate"), ("Finance", "Gross margin"), ("Accounting", "Outstanding"), ("HR", "Headcount"),
             ("IT", "Requests opened")]
        ):  # fmt: skip
            await tabs.get_by_role("link").nth(place).click()
            await expect(page.get_by_role("heading", level=1)).to_have_text(f"{title} 2026-Q1")
            await expect(page.get_by_role("heading", level=3, name=figure, exact=True)).to_be_visible()
            await expect(tabs.locator("[aria-current=page] .name")).to_have_text(title)


async def test_period_team_and_breakdown_are_picked_and_stand_in_the_address(
    browser: Browser, company: World, address: str
) -> None:
    async with visit(browser, company, address) as page:
        await page.get_by_role("combobox", name="Period").select_option("2025-Q4")
        await page.get_by_role("combobox", name="Team").select_option("North")
        await page.get_by_role("combobox", name="Broken down by").select_option("member")
        await page.get_by_role("button", name="Show", exact=True).first.click()
        query = urlsplit(page.url).query
        assert "period=2025-Q4" in query
        assert "breakdown=member" in query
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sales 2025-Q4")
        names = page.locator(".breakdown tbody th")
        assert sorted(await names.all_inner_texts()) == ["Ada Berg", "Ben Okafor"]
        await page.get_by_role("link", name=re.compile("^Earlier")).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sales 2025-Q3")
        await page.get_by_role("link", name=re.compile("No longer only team")).click()
        await expect(page.get_by_role("combobox", name="Team")).to_have_value("")
        await page.goto(f"{address}/?view=sales&period=2025-10")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sales 2025-10")


async def test_other_days_can_be_typed(browser: Browser, company: World, address: str) -> None:
    async with visit(browser, company, address) as page:
        await page.get_by_text("Other days").click()
        await page.get_by_label("From").fill("2025-08-01")
        await page.get_by_label("Up to, not including").fill("2025-09-15")
        await page.locator(".custom button").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("1 Aug 2025")
        assert "from=2025-08-01" in page.url


async def test_a_figure_opens_to_its_definition_its_rows_and_their_history(
    browser: Browser, company: World, address: str
) -> None:
    async with visit(browser, company, address) as page:
        card = page.locator("#figure-revenue")
        await expect(card.get_by_text("net of tax")).to_be_hidden()
        await card.get_by_text("What this is").click()
        await expect(card.get_by_text("net of tax")).to_be_visible()
        total = await card.locator(".value").inner_text()
        await card.get_by_role("link", name="Rows").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Revenue 2026-Q1")
        await expect(page.locator(".heading .value")).to_have_text(total)
        await expect(page.locator("tbody tr")).to_have_count(15)
        await page.locator("tbody th a").first.click()
        await expect(page.get_by_role("heading", level=2, name="Deal won")).to_be_visible()


async def test_the_certificate_is_one_click_away(browser: Browser, company: World, address: str) -> None:
    async with visit(browser, company, address) as page:
        await page.get_by_role("link", name="Consistency").click()
        verdict = page.get_by_role("heading", level=1).locator(".verdict")
        await expect(verdict).to_have_text(re.compile("Consistent|Catching up"))
        await expect(page.get_by_role("rowheader", name="sales revenue = finance revenue")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/?view=accounting&period=2025", "/consistency", "/docs", "/problems"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_is_wider_than_a_phone(
    browser: Browser, company: World, address: str, path: str, scheme: str
) -> None:
    async with visit(browser, company, address, viewport=PHONE, color_scheme=scheme) as page:
        await page.goto(address + path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


async def test_everything_works_without_javascript(browser: Browser, company: World, address: str) -> None:
    async with visit(browser, company, address, java_script_enabled=False) as page:
        await page.get_by_role("link", name=re.compile("Finance")).click()
        await page.get_by_role("combobox", name="Period").select_option("2025")
        await page.get_by_role("button", name="Show", exact=True).first.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Finance 2025")
        await page.locator("#figure-revenue").get_by_role("link", name="Rows").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Revenue 2025")
        await page.goto(f"{address}/docs")
        await page.get_by_text("/v1/deals/{ref}/win").click()
        await expect(page.locator("details[open]")).to_contain_text("deals:write")
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Log in to Concert")


async def test_the_keyboard_reaches_the_tabs_and_the_pickers_in_order(
    browser: Browser, company: World, address: str
) -> None:
    async with visit(browser, company, address) as page:
        reached = []
        for _ in range(24):
            await page.keyboard.press("Tab")
            reached.append(
                await page.evaluate(
                    "document.activeElement.name || document.activeElement.getAttribute('aria-label')"
                    " || document.activeElement.innerText.split('\\n')[0].trim()"
                )
            )
        stops = [
            "Skip to the content",
            "Concert",
            "Views",
            "Log out",
            "Sales",
            "Finance",
            "period",
            "team",
            "breakdown",
        ]
        places = [reached.index(stop) for stop in stops]
        assert places == sorted(places), reached
        outlined = "getComputedStyle(document.activeElement).outlineStyle"
        assert await page.evaluate(outlined) != "none"


async def test_skipping_leads_past_the_navigation(browser: Browser, company: World, address: str) -> None:
    async with visit(browser, company, address) as page:
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/#content")


async def test_the_documents_can_be_searched(browser: Browser, company: World, address: str) -> None:
    async with visit(browser, company, address) as page:
        await page.goto(f"{address}/docs")
        every = await page.locator(".operation:visible").count()
        await page.keyboard.press("/")
        await page.keyboard.type("deals win")
        await expect(page.locator(".operation:visible")).not_to_have_count(every)
        await expect(page.locator(".operation:visible").first).to_contain_text("/v1/deals")
        await page.goto(f"{address}/docs#win-deal")
        await expect(page.locator("details#win-deal")).to_have_attribute("open", "")


async def test_the_page_prints_without_what_only_a_screen_needs(browser: Browser, company: World, address: str) -> None:
    async with visit(browser, company, address) as page:
        await page.emulate_media(media="print")
        await expect(page.locator(".pickers").first).to_be_hidden()
        await expect(page.locator(".chart").first).to_be_visible()
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert len(await page.pdf(print_background=False)) > 20_000


_CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }).reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("main *, header *, footer *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.getClientRects().length || element.tagName === "OPTION") continue;
    const style = getComputedStyle(element);
    const ink = parse(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const [low, high] = [luminance(ink), luminance(behind(element))].sort((one, other) => one - other);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) found.push(`${element.className || element.tagName}: ${contrast.toFixed(2)}`);
  }
  return [...new Set(found)];
}"""


@pytest.mark.parametrize("path", ["/", "/?view=it&period=2025", "/consistency", "/docs", "/problems/refused"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_word_stands_out_from_its_ground(
    browser: Browser, company: World, address: str, path: str, scheme: str
) -> None:
    async with visit(browser, company, address, color_scheme=scheme) as page:
        await page.goto(address + path)
        assert await page.evaluate(_CONTRAST) == []
