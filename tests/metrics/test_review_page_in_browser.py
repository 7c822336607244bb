"""The page of a review in a real browser: read, decided with and without a reason, outdated, printed, objected to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import unquote

import pytest
from playwright.async_api import Browser, Page, expect

from shared.identity.gate import Identity
from shared.identity.permissions import Principal
from shared.identity.scopes import member_scopes
from shared.instant import now
from tests.metrics.test_page_in_browser import _CONTRAST as CONTRAST
from tests.metrics.test_page_in_browser import visit
from tests.serving import serving
from tests.world import World

DESK = {"width": 1200, "height": 900}
PHONE = {"width": 390, "height": 780}
WIDTH = "document.documentElement.scrollWidth"
SCROLLS = """() => [...document.querySelectorAll("main *")].filter(
  (each) => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX === "auto" && each.clientWidth
).map((each) => each.getAttribute("aria-label") || each.tagName)"""
NAMELESS = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea")].filter(
  (each) => !each.labels.length && !each.getAttribute("aria-label")).map((each) => each.name)"""


@pytest.fixture(scope="module")
async def address(demo: World) -> AsyncIterator[str]:
    async with serving(demo.origin) as url:
        yield url


async def review_of(demo: World, team: str) -> str:
    found = (await demo.admin.get(f"/v1/reviews/ext:demo:review-{team}")).json()
    return str(found["id"])


async def opened(page: Page, demo: World, address: str, team: str) -> None:
    await page.goto(f"{address}/reviews/{await review_of(demo, team)}")


async def logged_in_as(page: Page, demo: World, address: str, principal: Principal) -> None:
    identity: Identity = demo.services["metrics"].app.state.identity
    await page.goto(f"{address}/?login={identity.links.make(principal)}")


async def member_of(demo: World, team: str, *, leads: bool) -> tuple[str, str]:
    """The leader of a team, or somebody else of it: their id and name."""
    lead = (await demo.admin.get(f"/v1/teams/ext:demo:{team}")).json()["leader"]
    members = (await demo.admin.get(f"/v1/teams/ext:demo:{team}/members")).json()["items"]
    ref = lead if leads else next(each["id"] for each in members if each["id"] != lead)
    return ref, (await demo.admin.get(f"/v1/members/{ref}")).json()["name"]


async def test_the_list_leads_to_each_review(browser: Browser, demo: World, address: str) -> None:
    async with visit(browser, demo, address) as page:
        await page.get_by_role("link", name="Reviews", exact=True).click()
        for team, says in (("North", "Encourage communication"), ("South", "Train teamwork"), ("West", "No action"),
                           ("East", "Review the targets")):  # fmt: skip
            line = page.get_by_role("row").filter(has=page.get_by_role("link", name=re.compile(f"^{team} ")))
            await expect(line).to_contain_text(says)
        await page.get_by_role("link", name=re.compile("^North ")).click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("North")
        await expect(page.get_by_role("heading", level=2, name="Encourage communication")).to_be_visible()


async def test_a_review_is_read_from_recommendation_to_contributions(
    browser: Browser, demo: World, address: str
) -> None:
    async with visit(browser, demo, address) as page:
        await opened(page, demo, address, "north")
        advice = page.locator("#advice")
        for part in ("Task", "Evidence", "Next step", "Owner", "Date"):
            await expect(advice.locator("dt", has_text=part).first).to_be_visible()
        await expect(advice).to_contain_text("Ada Berg")
        await expect(page.locator(".matrix > section")).to_have_count(4)
        await expect(page.get_by_role("img", name="Who has to do with whom")).to_be_visible()
        for word in ("hub", "no tie"):
            await expect(page.locator(".graph text", has_text=re.compile(f"^{word}$"))).to_have_count(1)
        await expect(page.locator(".graph line.missing").first).to_be_attached()
        chosen = page.locator("tr.chosen")
        await expect(chosen).to_contain_text("O1b+O3")
        await expect(chosen.locator(".gauge")).to_have_count(6)
        await expect(page.locator("#options")).to_contain_text("of 10 variants")
        await expect(page.locator("#weak")).to_contain_text("may lead to an action")
        await expect(page.locator("#contributed")).to_contain_text("Nobody is dismissed or paid by this page")


async def test_every_number_opens_to_what_it_means_and_is_made_of(browser: Browser, demo: World, address: str) -> None:
    async with visit(browser, demo, address) as page:
        await opened(page, demo, address, "north")
        await page.locator(".indices a").first.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Communication")
        await page.get_by_role("link", name="Requests answered on time").click()
        await expect(page.get_by_text("answered on time ÷ all due")).to_be_visible()
        await expect(page.locator(".sources a")).to_have_count(19)
        await page.locator(".sources a").first.click()
        await expect(page.get_by_role("heading", level=2, name="Request made")).to_be_visible()


async def test_links_to_numbers_lead_somewhere(browser: Browser, demo: World, address: str) -> None:
    async with visit(browser, demo, address) as page:
        await opened(page, demo, address, "north")
        links = {str(await each.get_attribute("href")) for each in await page.locator("main a[href*='/explain']").all()}
        assert len(links) > 60
        for link in sorted(links):
            answer = await demo.admin.get(link, headers={"Accept": "text/html"})
            assert answer.status_code == 200, unquote(link)


async def test_every_number_of_the_table_of_options_opens_to_how_it_is_computed(
    browser: Browser, demo: World, address: str
) -> None:
    async with visit(browser, demo, address) as page:
        await opened(page, demo, address, "north")
        total = await page.get_by_role("link", name=re.compile(r"^Total of O1b\+O3, ")).inner_text()
        await page.get_by_role("link", name=re.compile(r"^Benefit of O1b\+O3, ")).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Benefit")
        await expect(page.get_by_text("100 · min(1, probability · effect ÷ gap)")).to_be_visible()
        for name in ("O1b, probability", "O3, mean", "Gap"):
            await expect(page.locator("#computed + dl dt", has_text=name).first).to_be_visible()
        await page.go_back()
        await page.get_by_role("link", name=re.compile(r"^Total of O1b\+O3, ")).click()
        parts = [await each.inner_text() for each in await page.locator("#computed + dl > div").all()]
        weighed = [re.search(r"weighs ([\d.]+)\s+(-?[\d.]+)", each.replace("\u2212", "-")) for each in parts]
        summed = sum(float(each[1]) * float(each[2]) for each in weighed if each)
        assert len(weighed) == 5
        assert summed == pytest.approx(float(total), abs=0.06), "what it opens to adds up to it"


async def test_what_is_recommended_is_accepted_without_a_reason(browser: Browser, demo: World, address: str) -> None:
    async with visit(browser, demo, address) as page:
        await opened(page, demo, address, "north")
        await page.get_by_label("Accept: O1b and O3").check()
        await page.get_by_role("checkbox", name=re.compile("^O1c")).check()
        await page.get_by_role("button", name="Decide").click()
        await expect(page.locator("#decision")).to_contain_text("O1b, O1c and O3")
        await expect(page.get_by_role("button", name="Decide")).to_have_count(0)
        stored = (await demo.admin.get("/v1/reviews/ext:demo:review-north")).json()
        assert stored["decided"] == ["O1b", "O1c", "O3"]
        assert stored["reason"] is None


async def test_a_decision_is_withdrawn_with_a_reason_and_taken_anew_with_a_plan(
    browser: Browser, demo: World, address: str
) -> None:
    start = (now().date() + timedelta(weeks=14)).isoformat()
    async with visit(browser, demo, address, refusal=422) as page:
        await opened(page, demo, address, "north")
        await page.get_by_text("Withdraw what was decided").click()
        await page.get_by_label("Reason for withdrawing it").fill("The department moves house first")
        await page.get_by_role("button", name="Withdraw").click()
        await expect(page.locator("#decision")).to_contain_text("was withdrawn on")
        await expect(page.locator("#decision")).to_contain_text("The department moves house first")
        await page.get_by_label("Accept: O1b and O3").check()
        await page.get_by_label("From when on").fill(start)
        await page.get_by_role("button", name="Decide").click()
        plan = page.locator("#plan")
        await plan.get_by_label("Measure").select_option("TP3")
        await plan.get_by_label("From when on").fill(now().date().isoformat())
        await plan.get_by_label("West", exact=True).check()
        await page.get_by_role("button", name="Fix the plan").click()
        await expect(plan.get_by_role("alert")).to_contain_text("A baseline needs at least 6 weeks")
        await expect(plan.get_by_label("West", exact=True)).to_be_checked()
        await expect(plan.get_by_label("Measure")).to_have_value("TP3")
        await plan.get_by_label("From when on").fill(start)
        await page.get_by_role("button", name="Fix the plan").click()
        await expect(plan).to_contain_text("smallest detectable", ignore_case=True)
        await expect(page.get_by_role("button", name="Fix the plan")).to_have_count(0)
        stored = (await demo.admin.get("/v1/reviews/ext:demo:review-north")).json()
        assert (stored["decided"], stored["plan"]["measure"], stored["plan"]["starts_on"]) == (
            ["O1b", "O3"],
            "TP3",
            start,
        )
        assert [each["reason"] for each in stored["withdrawn"]] == ["The department moves house first"]


async def test_on_which_grounds_teams_are_reviewed_is_settled_on_the_page(
    browser: Browser, demo: World, address: str
) -> None:
    tomorrow = (now().date() + timedelta(days=2)).isoformat()
    async with visit(browser, demo, address, refusal=422) as page:
        await page.goto(f"{address}/reviews")
        await page.get_by_text("Settle the grounds").click()
        told, purpose = page.get_by_label("Everybody told on"), page.get_by_label("Purpose")
        before = await told.input_value()
        assert before
        await purpose.fill("Reviews help teams to work together, and nothing else.")
        await told.fill(tomorrow)
        await page.get_by_role("button", name="Settle").click()
        await expect(page.get_by_role("alert")).to_contain_text(f"cannot be confirmed for {tomorrow}")
        await expect(purpose).to_have_value("Reviews help teams to work together, and nothing else.")
        await told.fill("")
        await page.get_by_role("button", name="Settle").click()
        await expect(page.locator("main")).to_contain_text("There is not yet a notice to everybody concerned")
        await expect(page.get_by_role("button", name="Review", exact=True)).to_have_count(0)
        await told.fill(before)
        await page.get_by_role("button", name="Settle").click()
        await expect(page.get_by_role("button", name="Review", exact=True)).to_be_visible()
        await expect(page.locator("main")).to_contain_text("Reviews help teams to work together, and nothing else.")
        ref, _ = await member_of(demo, "west", leads=False)
        await logged_in_as(page, demo, address, Principal(ref, member_scopes("sales"), "sales", ref))
        await page.goto(f"{address}/reviews")
        await expect(page.get_by_text("Settle the grounds")).to_have_count(0)


async def test_deciding_otherwise_needs_a_reason_and_keeps_what_was_typed(
    browser: Browser, demo: World, address: str
) -> None:
    async with visit(browser, demo, address, refusal=422) as page:
        await opened(page, demo, address, "south")
        await page.get_by_label("Change: something else").check()
        await page.get_by_role("checkbox", name=re.compile("^O3")).check()
        await page.get_by_role("button", name="Decide").click()
        alert = page.locator("#decision [role=alert]")
        await expect(alert).to_contain_text("The review recommends O2+O3; who decides O3 says why.")
        await expect(page.get_by_label("Change: something else")).to_be_checked()
        await expect(page.get_by_role("checkbox", name=re.compile("^O3"))).to_be_checked()
        assert (await demo.admin.get("/v1/reviews/ext:demo:review-south")).json()["decided"] == []
        await page.get_by_label("Reason").fill("The trainer is away until spring")
        await page.get_by_role("button", name="Decide").click()
        await expect(page.locator("#decision")).to_contain_text("The trainer is away until spring")
        await expect(page.locator("#decision")).to_contain_text("otherwise than recommended")


async def test_an_outdated_revision_is_not_decided_on_and_leads_to_the_one_that_stands(
    browser: Browser, demo: World, address: str
) -> None:
    async with visit(browser, demo, address, refusal=409) as page:
        await opened(page, demo, address, "west")
        rules = (await demo.admin.get("/v1/rule-sets/built-in")).json()
        rules |= {"version": "demo-2", "baseline_periods": 0, "accept_single_period": True}
        await demo.made("/v1/rule-sets", {"rules": rules})
        first = (await demo.admin.get("/v1/reviews/ext:demo:review-west")).json()
        again = {"team": first["team"], "period": {"from": first["period"]["from"], "to": first["period"]["to"]}}
        second = await demo.made("/v1/reviews", again)
        assert second["revision"] == 2
        await page.get_by_label("Accept: O0").check()
        await page.get_by_role("button", name="Decide").click()
        await expect(page.locator("#decision [role=alert]")).to_contain_text("Revision 1 of this review is outdated")
        await expect(page.get_by_role("button", name="Decide")).to_have_count(0)
        await page.get_by_role("link", name="Go to the revision that stands for it").click()
        assert second["id"] in page.url
        await expect(page.get_by_role("button", name="Decide")).to_be_visible()


async def test_a_form_from_elsewhere_decides_nothing(browser: Browser, demo: World, address: str) -> None:
    async with visit(browser, demo, address, refusal=403) as page:
        await opened(page, demo, address, "east")
        await page.locator("form.decide input[name=csrf]").evaluate("(each) => { each.value = 'guessed'; }")
        await page.get_by_label("Reject: no action").check()
        await page.get_by_label("Reason").fill("No")
        async with page.expect_response(lambda answer: answer.request.method == "POST") as posted:
            await page.get_by_role("button", name="Decide").click()
        assert (await posted.value).status == 403
        assert (await demo.admin.get("/v1/reviews/ext:demo:review-east")).json()["decided"] == []


async def test_the_team_objects_to_a_number_and_a_stranger_reads_no_word_of_it(
    browser: Browser, demo: World, address: str
) -> None:
    ref, name = await member_of(demo, "north", leads=False)
    member = Principal(ref, member_scopes("sales"), "sales", ref)
    async with visit(browser, demo, address) as page:
        await logged_in_as(page, demo, address, member)
        await opened(page, demo, address, "north")
        await expect(page.locator("#cell-1 ~ .people .person")).to_have_count(1)
        await expect(page.locator("#cell-1 ~ .people")).to_contain_text(name)
        await page.locator("#cell-3 ~ table").get_by_role("link", name="Items resolved").click()
        await page.get_by_label("Objection to this number").fill("One item was resolved on the phone")
        await page.get_by_role("button", name="Object").click()
        await expect(page.locator("#said .objection")).to_contain_text("One item was resolved on the phone")
        await expect(page.locator("#said .objection")).to_contain_text("/measures/team/TP2")
        other, _ = await member_of(demo, "west", leads=True)
        manager = Principal(other, member_scopes("sales", leader=True), "sales", other)
        await logged_in_as(page, demo, address, manager)
        await opened(page, demo, address, "north")
        await expect(page.locator("main")).not_to_contain_text("on the phone")
        await expect(page.locator("main")).not_to_contain_text(name)
        await expect(page.get_by_role("img", name="With which departments the team has to do")).to_be_visible()


async def test_an_objection_is_open_until_somebody_who_decides_answers_it(
    browser: Browser, demo: World, address: str
) -> None:
    async with visit(browser, demo, address, refusal=422) as page:
        await opened(page, demo, address, "north")
        await expect(page.locator("#said .objection")).to_contain_text("Objection 1, open")
        await expect(page.locator("#decision")).to_contain_text("1 objection is not answered yet")
        await page.get_by_text("Answer objection 1").click()
        await page.get_by_label("Answer to objection 1").fill("The call is recorded now; the next review will have it")
        await page.get_by_label("a later revision says something else because of it").check()
        await page.get_by_role("button", name="Answer").click()
        await expect(page.locator("#said [role=alert]")).to_contain_text("No later revision stands for this review")
        await page.get_by_text("Answer objection 1").click()
        await expect(page.get_by_label("Answer to objection 1")).to_have_value(re.compile("recorded now"))
        await page.get_by_role("button", name="Answer").click()
        await expect(page.locator("#said .objection")).to_contain_text("Objection 1, answered")
        await expect(page.locator("#said .objection")).to_contain_text("It did not change the review")
        await expect(page.locator("#decision")).not_to_contain_text("not answered yet")


async def test_another_review_is_held_from_the_list_and_a_refusal_is_said_there(
    browser: Browser, demo: World, address: str
) -> None:
    async with visit(browser, demo, address) as page:
        await page.goto(f"{address}/reviews")
        await page.get_by_role("combobox", name="Team").select_option("Vienna")
        await page.get_by_role("button", name="Review").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Vienna")
        await expect(page.locator("#advice")).to_contain_text("2 of at least 3 members")


async def test_a_review_prints_whole_and_without_forms(browser: Browser, demo: World, address: str) -> None:
    async with visit(browser, demo, address) as page:
        await opened(page, demo, address, "east")
        await page.emulate_media(media="print")
        for hidden in ("form.decide", "form.say", ".contents", ".top nav"):
            await expect(page.locator(hidden).first).to_be_hidden()
        for shown in ("#advice", "#cells", ".graph", "#weak", "#contributed"):
            await expect(page.locator(shown).first).to_be_visible()
        pdf = await page.pdf(format="A4", print_background=False)
        assert len(pdf) > 40_000
        pages = len(re.findall(rb"/Type\s*/Page[^s]", pdf))
        assert 2 <= pages <= 8


@pytest.mark.parametrize("team", ["north", "east"])
async def test_nothing_scrolls_sideways_on_a_desk_and_all_of_it_fits_a_phone(
    browser: Browser, demo: World, address: str, team: str
) -> None:
    paths = ["/reviews", f"/reviews/{await review_of(demo, team)}", f"/scorecards/teams/ext:demo:{team}", "/goals",
             "/associations?by=team",
             f"/reviews/{await review_of(demo, team)}/explain?path=/measures/team/TP3"]  # fmt: skip
    for viewport in (DESK, PHONE):
        async with visit(browser, demo, address, viewport=viewport) as page:
            for path in paths:
                await page.goto(address + path)
                assert await page.evaluate(WIDTH) <= viewport["width"], (path, viewport)
                if viewport is DESK:
                    assert await page.evaluate(SCROLLS) == [], path
                assert await page.evaluate(NAMELESS) == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_word_of_a_review_stands_out_from_its_ground(
    browser: Browser, demo: World, address: str, scheme: str
) -> None:
    async with visit(browser, demo, address, color_scheme=scheme) as page:
        for team in ("north", "east"):
            await opened(page, demo, address, team)
            assert await page.evaluate(CONTRAST) == []


async def test_the_decision_is_made_by_keyboard_alone(browser: Browser, demo: World, address: str) -> None:
    async with visit(browser, demo, address, java_script_enabled=False) as page:
        await opened(page, demo, address, "east")
        await page.get_by_label("Accept: O7").focus()
        await page.keyboard.press("Space")
        await page.get_by_label("Reason").focus()
        await page.keyboard.type("Targets of the region are set anew")
        button = page.get_by_role("button", name="Decide")
        for _ in range(8):
            await page.keyboard.press("Tab")
            if await button.evaluate("(each) => each === document.activeElement"):
                break
        await page.keyboard.press("Enter")
        await expect(page.locator("#decision")).to_contain_text("Targets of the region are set anew")


async def test_teams_that_do_the_same_are_judged_together_and_each_page_says_so(
    browser: Browser, demo: World, address: str
) -> None:
    today = now().date()
    start, made = today + timedelta(weeks=14), dict[str, str]()
    days = {"from": (today - timedelta(days=300)).isoformat(), "to": (today - timedelta(days=209)).isoformat()}
    for team, later in (("west", 0), ("east", 0), ("south", 7)):
        made[team] = (await demo.made("/v1/reviews", {"team": f"ext:demo:{team}", "period": days}))["id"]
        begins = (start + timedelta(days=later)).isoformat()
        await demo.made(f"/v1/reviews/{made[team]}/decide", {"options": ["O0"], "reason": "Wait", "starts_on": begins})
    async with visit(browser, demo, address, refusal=422) as page:
        await page.goto(f"{address}/reviews/{made['west']}")
        plan = page.locator("#plan")
        together = plan.get_by_role("group", name=re.compile("^Judged together"))
        # South begins on another day.
        await expect(together.get_by_role("checkbox")).to_have_count(1)
        await together.get_by_label(re.compile("East ")).check()
        await plan.get_by_label("Measure").select_option("TP3")
        await plan.get_by_label("From when on").fill((start + timedelta(days=1)).isoformat())
        await page.get_by_role("button", name="Fix the plan").click()
        await expect(plan.get_by_role("alert")).to_contain_text(f"carried out from {start} on")
        await expect(together.get_by_label(re.compile("East "))).to_be_checked()
        await plan.get_by_label("From when on").fill(start.isoformat())
        await page.get_by_role("button", name="Fix the plan").click()
        await expect(plan.locator("div", has_text="Judged together")).to_contain_text("with East")
        await page.goto(f"{address}/reviews/{made['east']}")
        await expect(page.locator("#plan")).to_contain_text("Together with that of West")
        await page.get_by_role("link", name="its plan").click()
        assert made["west"] in page.url
    stored = (await demo.admin.get(f"/v1/reviews/{made['west']}")).json()["plan"]
    assert [each["review"] for each in stored["pooled"]] == [made["east"]]


async def test_the_whole_organisation_is_seen_by_departments_and_by_teams_and_nobody_by_name(
    browser: Browser, demo: World, address: str
) -> None:
    names = [each["name"] for each in (await demo.admin.get("/v1/members", params={"limit": 200})).json()["items"]]
    async with visit(browser, demo, address) as page:
        await page.goto(f"{address}/reviews")
        await page.get_by_role("link", name="How the whole organisation works together").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("How the organisation works together")
        await expect(page.get_by_role("img", name="How work runs between them")).to_be_visible()
        await page.get_by_label("Joined by").select_option("team")
        await page.get_by_role("button", name="Show").click()
        await expect(page.get_by_role("heading", level=2, name="Each team")).to_be_visible()
        await expect(page.get_by_role("rowheader", name="North", exact=True)).to_be_visible()
        said = await page.locator("main").inner_text()
        assert len(names) > 20
        assert not [each for each in names if each in said]
    ref, _ = await member_of(demo, "west", leads=False)
    async with visit(browser, demo, address, refusal=403) as page:
        await logged_in_as(page, demo, address, Principal(ref, member_scopes("sales"), "sales", ref))
        answer = await page.goto(f"{address}/associations")
        assert answer is not None
        assert answer.status == 403


async def test_a_scorecard_is_for_the_member_and_who_leads_the_team(
    browser: Browser, demo: World, address: str
) -> None:
    ref, name = await member_of(demo, "south", leads=False)
    lead, _ = await member_of(demo, "south", leads=True)
    other, _ = await member_of(demo, "west", leads=True)
    async with visit(browser, demo, address) as page:
        await logged_in_as(page, demo, address, Principal(ref, member_scopes("sales"), "sales", ref))
        await page.get_by_role("link", name="Scorecards", exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(name)
        await logged_in_as(page, demo, address, Principal(lead, member_scopes("sales", leader=True), "sales", lead))
        await page.goto(f"{address}/scorecards/teams/ext:demo:south")
        await page.get_by_role("link", name=name).click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    async with visit(browser, demo, address, refusal=404) as page:
        stranger = Principal(other, member_scopes("sales", leader=True), "sales", other)
        await logged_in_as(page, demo, address, stranger)
        answer = await page.goto(f"{address}/scorecards/members/{ref}")
        assert answer is not None
        assert answer.status == 404
