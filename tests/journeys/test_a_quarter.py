"""A quarter of a sales team, from the first opening to somebody who is forgotten, as all five views see it.

Every step says which figures it changes and to what, worked out by hand; all others must stay as they were, in every
view they stand in. After each step the certificate must say that all agrees.
"""

from __future__ import annotations

from typing import Any

from tests.journeys.house import DEPARTMENTS, QUARTER, the_house_as_the_year_begins
from tests.journeys.ledger import Story, euros
from tests.meetings.test_packs import opened
from tests.world import World


async def test_a_quarter_as_all_five_views_see_it(world: World) -> None:
    story = Story(world, QUARTER, {})
    for step in (
        the_house_as_the_year_begins, somebody_is_sought, somebody_comes, and_has_what_they_need, and_learns,
        the_team_becomes_two_groups, the_first_weekly_meeting, the_second_weekly_meeting, the_first_joint_meeting,
        something_is_broken, and_mended_twice, deals_are_opened, won_and_lost, invoiced_and_paid, a_rejection,
        a_mistreatment, thanks_and_a_challenge, what_customers_say, somebody_is_away, somebody_leaves,
        what_was_theirs_is_handed_over, the_second_joint_meeting, who_has_left_is_forgotten,
    ):  # fmt: skip
        await step(story)
    await the_parts_are_the_whole(story)


async def somebody_is_sought(story: Story) -> None:
    """Monday 5 January: Lena asks for one more; two days later that is approved."""
    ids = story.ids
    asked = {"title": "One more for the north", "team": ids["north"], "requested_by": ids["lena"], "on": "2026-01-05"}
    await story.does("openings", asked, "opening")
    await story.shows(openings_open=1)
    await story.does(f"openings/{ids['opening']}/approve", {"on": "2026-01-07"})
    await story.shows()


async def somebody_comes(story: Story) -> None:
    """Monday 19 January, fourteen days later: Cleo begins, with Ben at her side, and waits for a laptop."""
    ids = story.ids
    await story.does("members", {"name": "cleo", "department": "sales", "starts_on": "2026-01-19"}, "cleo")
    await story.does(f"members/{ids['cleo']}/join", {"team": ids["north"], "from": "2026-01-19"})
    await story.does(f"openings/{ids['opening']}/fill", {"member": ids["cleo"], "on": "2026-01-19"})
    begun = {"member": ids["cleo"], "buddy": ids["ben"], "equipment": ["laptop"], "tasks": [{"title": "The warehouse"}]}
    await story.does("onboardings", begun, "onboarding")
    await story.hears(f"members/{ids['cleo']}")
    await story.shows(
        headcount=9, headcount_sales=5, members=5, joiners=1, openings_open=0, time_to_fill="14.00",
        joiners_waiting=1, full_time_equivalents="9.00", training_coverage="0/9",
    )  # fmt: skip


async def and_has_what_they_need(story: Story) -> None:
    """Wednesday 21 January: the laptop is there."""
    ids = story.ids
    await story.does("equipment", {"kind": "laptop"}, "laptop")
    await story.does(f"equipment/{ids['laptop']}/issue", {"member": ids["cleo"], "on": "2026-01-21"})
    await story.does(f"onboardings/{ids['onboarding']}/done", {"step": "task-1", "on": "2026-01-22"})
    assert (await story.reads(f"onboardings/{ids['onboarding']}"))["status"] == "completed"
    await story.shows(joiners_waiting=0, equipment_out=1)


async def and_learns(story: Story) -> None:
    """To 30 January: a course that costs 200, and takes Cleo from 40 to 80 points."""
    ids = story.ids
    await story.does("trainings", {"member": ids["cleo"], "course": ids["course"], "on": "2026-01-22"}, "training")
    await story.shows(trainings_assigned=1)
    await story.does(f"trainings/{ids['training']}/attend", {"on": "2026-01-26"})
    done = {"on": "2026-01-30", "score_before": 40, "score_after": 80, "feedback": 5}
    await story.does(f"trainings/{ids['training']}/complete", done)
    # 200 of a budget of 3,000, in the books of sales.
    await story.shows(
        trainings_completed=1, training_coverage="1/9", training_cost="200.00", training_expense="200.00",
        spent="200.00", sales_expense="200.00", selling_expense="200.00", left="2800.00", spend_forecast="200.00",
        contribution="-200.00",
    )  # fmt: skip


async def the_team_becomes_two_groups(story: Story) -> None:
    """From 1 February: Inbound and Outbound, each with something to do; one of the two duties is done in time."""
    ids = story.ids
    groups = [{"name": "Inbound", "members": [ids["ada"], ids["cleo"]]},
              {"name": "Outbound", "members": [ids["ben"], ids["dora"], ids["lena"]]}]  # fmt: skip
    split = await story.does(f"teams/{ids['north']}/split", {"by": "hand", "on": "2026-02-01", "groups": groups})
    ids["inbound"], ids["outbound"] = (each["group"] for each in split["groups"])
    await story.shows()
    call = {"title": "Call whoever wrote", "assigned_to": {"group": ids["inbound"]}, "goal": ids["goal"],
            "on": "2026-02-02", "due": "2026-02-13", "receiver": ids["lena"]}  # fmt: skip
    await story.does("duties", call, "call")
    visit = {"title": "Visit the fair", "assigned_to": {"member": ids["ben"]}, "on": "2026-02-02", "due": "2026-02-20"}
    await story.does("duties", visit, "visit")
    # Four targets and one of two duties serve the goal; both duties are past their day at the quarter's end.
    await story.shows(duties_open=2, duties_overdue=2, duties_with_goal="1/2", line_of_sight="5/6")
    await story.does(f"duties/{ids['call']}/done", {"on": "2026-02-12", "by": ids["ada"]})
    await story.shows(duties_open=1, duties_overdue=1, duties_on_time="1/1")
    await story.does(f"duties/{ids['call']}/accept", {"on": "2026-02-13", "by": ids["lena"]})
    await story.shows()


async def the_first_weekly_meeting(story: Story) -> None:
    """Monday 2 February, 45 minutes: news, a problem, and something to be done about it by Friday."""
    ids = story.ids
    weekly = {"name": "Weekly", "teams": [ids["north"]], "rrule": "FREQ=WEEKLY;BYDAY=MO", "minutes": 45,
              "starts_at": "2026-02-02T09:00:00Z"}  # fmt: skip
    await story.does("series", weekly, "weekly")
    await _begins(story, "monday", {"series": ids["weekly"], "starts_at": "2026-02-02T09:00:00Z"})
    news = {"kind": "news", "title": "A new brochure", "meeting": ids["monday"], "on": "2026-02-02"}
    await story.does("items", news, "news")
    await story.does(f"items/{ids['news']}/resolve", {"on": "2026-02-02"})
    late = {"kind": "problem", "title": "Samples come late", "meeting": ids["monday"], "on": "2026-02-02"}
    await story.does("items", late, "late samples")
    agreed = {"owner": ids["ada"], "due": "2026-02-06"}
    settled = {"meeting": ids["monday"], "kind": "action", "text": "Ask the supplier", "agreed": agreed}
    outcome = await story.does("outcomes", settled)
    came = [{"member": ids[name], "status": "present"} for name in ("ada", "ben", "lena")]
    came.append({"member": ids["dora"], "status": "excused"})
    await story.does(f"meetings/{ids['monday']}/attendance", {"entries": came})
    await _ends(story, "monday", "2026-02-02T09:45:00Z")
    # Of seven things that could serve the goal, the action does not. Cleo did not come, and did not say why.
    await story.shows(
        meetings_held=1, meeting_hours="0.75", problems_open=1, actions_with_goal="0/1", line_of_sight="5/7",
        attendance_invited=5, attendance_present=3, attendance_excused=1, attendance="3/4",
        actions_open=1, actions_overdue=1,
    )  # fmt: skip
    await story.does(f"actions/{outcome['action']}/done", {"on": "2026-02-05"})
    await story.shows(actions_open=0, actions_overdue=0, actions_on_time="1/1")


async def the_second_weekly_meeting(story: Story) -> None:
    """Monday 9 February: the problem is still on the table, and is solved."""
    ids = story.ids
    await _begins(story, "next monday", {"series": ids["weekly"], "starts_at": "2026-02-09T09:00:00Z"})
    table = (await story.reads(f"meetings/{ids['next monday']}/items"))["items"]
    assert [(each["id"], each["carried"]) for each in table] == [(ids["late samples"], True)]
    await story.does(f"items/{ids['late samples']}/resolve", {"on": "2026-02-09", "note": "They come by train now"})
    await _ends(story, "next monday", "2026-02-09T09:45:00Z")
    await story.shows(meetings_held=2, meeting_hours="1.50", problems_open=0, problems_solved=1)


async def the_first_joint_meeting(story: Story) -> None:
    """Wednesday 11 February, an hour: all five departments look at the same figures; a problem is left."""
    pack = await _joint(story, "joint", "2026-02-11")
    late = {"kind": "problem", "title": "Offers wait for prices", "meeting": story.ids["joint"], "on": "2026-02-11"}
    await story.does("items", late, "late prices")
    await _ends(story, "joint", "2026-02-11T10:00:00Z")
    await story.shows(meetings_held=3, meeting_hours="2.50", problems_open=1)
    assert await opened(story.world, story.ids["joint"]) == pack


async def something_is_broken(story: Story) -> None:
    """Thursday 12 February: Ada asks IT, which promises Saturday; it takes a day, and has to be done again."""
    ids = story.ids
    asked = {"kind": "it_support", "title": "The tablet is dead", "from": {"member": ids["ada"]},
             "to": {"department": "it"}, "at": "2026-02-12T08:00:00Z"}  # fmt: skip
    await story.does("requests", asked, "tablet")
    access = {"kind": "access", "title": "A key", "from": {"member": ids["hilda"]}, "to": {"department": "it"},
              "at": "2026-02-12T09:00:00Z"}  # fmt: skip
    await story.does("requests", access)
    await story.shows(requests_opened=2, requests_open=2, requests_from_sales=1, requests_to_it=1)
    await story.does(f"requests/{ids['tablet']}/promise", {"promised_by": "2026-02-14", "on": "2026-02-12"})
    await story.shows()
    await story.does(f"requests/{ids['tablet']}/resolve", {"at": "2026-02-13T08:00:00Z", "by": ids["ivo"]})
    await story.shows(
        requests_open=1, requests_resolved=1, resolved_on_time="1/1", time_to_resolve="24.00",
        on_time_by_pair={"sales>it": "1/1"},
    )  # fmt: skip
    again = {"at": "2026-02-13T18:00:00Z", "reason": "It is dead again"}
    await story.does(f"requests/{ids['tablet']}/reopen", again)
    await story.shows(requests_open=2, reopened=1)


async def and_mended_twice(story: Story) -> None:
    """Monday 16 February, 60 hours later and two days after the promise."""
    mended = {"at": "2026-02-16T06:00:00Z", "by": story.ids["ivo"]}
    await story.does(f"requests/{story.ids['tablet']}/resolve", mended)
    # (24 + 60) / 2 hours.
    await story.shows(
        requests_open=1, requests_resolved=2, resolved_on_time="1/2", time_to_resolve="42.00",
        on_time_by_pair={"sales>it": "1/2"},
    )  # fmt: skip


async def deals_are_opened(story: Story) -> None:
    """Four chances worth 5,800, each in the first stage, where one of ten is won."""
    ids = story.ids
    for name, owner, customer, on, value in (
        ("first", "ada", "celle", "2026-02-03", "1000.00"), ("shared", "ben", "altona", "2026-01-28", "2500.00"),
        ("refused", "cleo", "dorum", "2026-02-02", "800.00"), ("open", "ben", "emden", "2026-02-09", "1500.00"),
    ):  # fmt: skip
        deal = {"owner": ids[owner], "customer": ids[customer], "opened_on": on, "value": euros(value)}
        assert (await story.does("deals", deal, name))["team"] == ids["north"]
    await story.shows(
        deals_opened=4, deals_open=4, pipeline="5800.00", weighted_pipeline="580.00", coverage="5800.00/9000.00",
        close_rate="0/4",
    )  # fmt: skip


async def won_and_lost(story: Story) -> None:
    """17 to 20 February: ten pieces for 1,000 after 14 days, 25 for 2,500 after 21 and shared 60 to 40; one is lost."""
    ids = story.ids

    def pieces(quantity: str) -> list[dict[str, Any]]:
        return [{"product": ids["aurora"], "quantity": quantity, "unit_price": euros("100.00")}]

    await story.does(f"deals/{ids['first']}/win", {"on": "2026-02-17", "lines": pieces("10")})
    shares = [{"member": ids["ben"], "share": "0.6"}, {"member": ids["dora"], "share": "0.4"}]
    await story.does(f"deals/{ids['shared']}/win", {"on": "2026-02-18", "lines": pieces("25"), "credits": shares})
    await story.does(f"deals/{ids['refused']}/lose", {"on": "2026-02-20", "reason": "price"})
    await story.shows(
        deals_won=2, deals_lost=1, deals_open=1, revenue="3500.00", win_rate="2/3", close_rate="2/4",
        average_days_to_win="17.50", sales_cycle_mean="17.50", sales_cycle_median="17.50", average_deal="1750.00",
        # Four opportunities x 2/3 x 1,750 ÷ 17.5 days.
        velocity="266.67", pipeline="1500.00", weighted_pipeline="150.00", coverage="1500.00/5500.00",
        coverage_ideal="3/2", forecast="3500.00", forecast_range={"low": "3500.00", "high": "3500.00"},
        attainment="3500.00/9000.00", variance="-5500.00", variance_rate="-5500.00/9000.00", pace="3500.00/9000.00",
        attainment_adjusted="3500.00/9000.00", quota_window_attainment="3500.00/9000.00",
        quota_calendar_attainment="3500.00/9000.00", attainment_at_plan="3500.00/9000.00",
        coverage_qualified="0.00/5500.00", goal_attainment="0.388889/1",
        # Celle is new; Altona has stayed.
        customers_new=1, customers_end=2,
        # 35 pieces at 40; the course was 200.
        cost_of_sales="1400.00", gross_margin="2100.00", gross_margin_rate="2100.00/3500.00", contribution="1900.00",
        revenue_new_customers="1000.00", revenue_existing_customers="2500.00", acquisition_cost="200.00",
        profit_per_customer="1050.00", profitable_customers=2, concentration="2500.00/3500.00",
        concentration_top5="3500.00/3500.00", not_yet_invoiced="3500.00",
    )  # fmt: skip
    inbound = await story.reads("views/sales", period=QUARTER, group=ids["inbound"])
    assert inbound["figures"]["revenue"] == euros("1000.00")


async def invoiced_and_paid(story: Story) -> None:
    """18 February to 10 March: 3,000 of the 3,500 invoiced; 1,000 paid in full, 500 in part, 1,500 ten days late."""
    first = {"deal": story.ids["first"], "amount": euros("1000.00"), "on": "2026-02-18", "due_on": "2026-03-04"}
    part = {"deal": story.ids["shared"], "amount": euros("2000.00"), "on": "2026-02-19", "due_on": "2026-03-21"}
    await story.does("invoices", first, "first invoice")
    await story.does("invoices", part, "second invoice")
    for invoice, amount, on in (("first", "1000.00", "2026-03-02"), ("second", "500.00", "2026-03-10")):
        paid = {"invoice": story.ids[f"{invoice} invoice"], "amount": euros(amount), "on": on}
        await story.does("receipts", paid)
    await story.shows(
        invoiced="3000.00", not_yet_invoiced="500.00", received="1500.00", funds_generated="1500.00",
        unallocated="-1500.00", outstanding="1500.00",
        outstanding_by_age={"not_due": "0.00", "1-30": "1500.00", "31-60": "0.00", "61-90": "0.00", "over_90": "0.00"},
    )  # fmt: skip


async def a_rejection(story: Story) -> None:
    """20 February: Cleo's customer would not have it. Of one person nothing is told, so that it is not known."""
    no = {"member": story.ids["cleo"], "kind": "rejection", "severity": 2, "customer": story.ids["dorum"],
          "at": "2026-02-20T15:00:00Z", "note": "They laughed"}  # fmt: skip
    await story.does("setbacks", no, "rejection")
    await story.does(f"setbacks/{story.ids['rejection']}/close", {"on": "2026-02-24", "outcome": "Talked it over"})
    await story.shows(setbacks=None, setback_cost=None)


async def a_mistreatment(story: Story) -> None:
    """3 March: a customer shouts at Ada, who lets Lena read of it; Lena follows it up the day before it is due."""
    ids = story.ids
    shouted = {"member": ids["ada"], "kind": "mistreatment", "severity": 3, "customer": ids["altona"],
               "at": "2026-03-03T10:00:00Z", "note": "Shouted on the phone", "readers": [ids["lena"]]}  # fmt: skip
    await story.does("setbacks", shouted, "shouting")
    path = f"setbacks/{ids['shouting']}"
    agreed = {"option": "accompany", "due": "2026-03-10", "owner": ids["lena"]}
    await story.does(f"{path}/follow-up", agreed)
    (to_do,) = (await story.reads(path))["follow_ups"]
    assert (to_do["owner"], to_do["due"], to_do["done_on"]) == (ids["lena"], "2026-03-10", None)
    await story.does(f"{path}/followed-up", {"follow_up": to_do["follow_up"], "on": "2026-03-09"})
    closed = await story.does(f"{path}/close", {"on": "2026-03-09"})
    assert closed["follow_ups"][0]["done_on"] == "2026-03-09"
    await story.shows(incidents=None)


async def thanks_and_a_challenge(story: Story) -> None:
    """4 and 5 March: Lena thanks Ada for her deal and Ben for his help; the team sets out for ten visits."""
    ids = story.ids
    sold = {"to": [ids["ada"]], "by": ids["lena"], "about": {"kind": "deal", "ref": ids["first"]}, "on": "2026-03-04"}
    await story.does("recognitions", sold)
    await story.does(
        "recognitions", {"to": [ids["ben"]], "by": ids["lena"], "about": {"kind": "other"}, "on": "2026-03-05"}
    )
    await story.shows(recognitions=2)
    visits = {"name": "Ten visits", "team": ids["north"], "from": "2026-03-05", "to": "2026-03-20"}
    await story.does("challenges", visits | {"goal": ids["goal"]}, "visits")
    await story.does(f"challenges/{ids['visits']}/end", {"reached": True, "on": "2026-03-19"})
    # The team's target serves the goal, and nothing is won on these days.
    visited = {"challenge": ids["visits"], "team": ids["north"], "group": None, "goal": ids["goal"]}
    await story.shows(challenges=[visited | {"progress": "0.000000", "reached": True}])


async def what_customers_say(story: Story) -> None:
    """10 March: two of three are content; one says so in public."""
    ids = story.ids
    for customer, deal, score in (("celle", "first", 5), ("altona", "shared", 4), ("altona", "shared", 2)):
        answer = {"customer": ids[customer], "deal": ids[deal], "score": score, "on": "2026-03-10"}
        await story.does("feedback", answer)
    await story.does("reputation", {"kind": "rating", "source": "web", "score": "4", "on": "2026-03-10"})
    public = {"score": "4.00", "out_of": "5", "ratings": 1, "complaints": 0}
    # Of relationships with fewer than five answers each nothing is told.
    await story.shows(csat="2/3", csat_by_relationship=[], reputation=public)


async def somebody_is_away(story: Story) -> None:
    """2 to 8 March: Ben is ill for seven of ninety days, of which 30 a day may be expected of him; of one it is not
    told how long he was away."""
    away = {"from": "2026-03-02", "to": "2026-03-09", "kind": "sick"}
    await story.does(f"members/{story.ids['ben']}/absences", away)
    await story.shows(target_adjusted="8790.00", attainment_adjusted="3500.00/8790.00", absence_days=None,
                      members_absent=None)  # fmt: skip


async def somebody_leaves(story: Story) -> None:
    """16 March: Ben goes, after 67 days at work (2,010 of 2,700); two customers and a deal are with nobody.

    Lena has two weeks to have them handed over, to the day before the quarter's last.
    """
    await story.does(f"members/{story.ids['ben']}/leave", {"on": "2026-03-16", "reason": "other_job"})
    await story.hears(f"members/{story.ids['ben']}")
    await story.shows(
        headcount=8, headcount_sales=4, members=4, leavers=1, training_coverage="1/8", target_adjusted="8310.00",
        attainment_adjusted="3500.00/8310.00", customers_without_owner=2, handovers_open=3,
        full_time_equivalents="8.00", duties_open=2, duties_overdue=2, duties_with_goal="1/3", line_of_sight="5/8",
    )  # fmt: skip


async def what_was_theirs_is_handed_over(story: Story) -> None:
    """The same day: Cleo takes Altona, Emden and the open deal; nobody is without an owner; Lena is done."""
    given = {"member": story.ids["ben"], "to": story.ids["cleo"], "on": "2026-03-16"}
    handed = await story.does("handovers", given)
    assert handed["open"] == []
    await story.shows(customers_without_owner=0, handovers_open=0)
    (duty,) = (await story.reads("duties", member=story.ids["lena"]))["items"]
    await story.does(f"duties/{duty['id']}/done", {"on": "2026-03-17"})
    await story.shows(duties_open=1, duties_overdue=1, duties_on_time="2/2")


async def the_second_joint_meeting(story: Story) -> None:
    """25 March, an hour: the figures of that moment, and the problem of the first one is solved."""
    await _joint(story, "last joint", "2026-03-25")
    await story.does(f"items/{story.ids['late prices']}/resolve", {"on": "2026-03-25"})
    await _ends(story, "last joint", "2026-03-25T10:00:00Z")
    await story.shows(meetings_held=4, meeting_hours="3.50", problems_open=0, problems_solved=2)


async def who_has_left_is_forgotten(story: Story) -> None:
    """Ben asks to be forgotten: nobody knows who he was any more, and no figure moves."""
    forgotten = await story.world.admin.delete(f"/v1/members/{story.ids['ben']}/personal-data")
    assert forgotten.status_code == 204, forgotten.text
    assert (await story.reads(f"members/{story.ids['ben']}"))["name"] is None
    await story.shows()


async def the_parts_are_the_whole(story: Story) -> None:
    """Months, teams and members add up to the quarter; who has left and is forgotten still stands for his part."""
    parts = {
        "month": ["0.00", "3500.00", "0.00"], "team": ["3500.00"],
        "member": ["1000.00", "1000.00", "1500.00"],
    }  # fmt: skip
    for by, amounts in parts.items():
        rows = (await story.reads("views/sales", period=QUARTER, breakdown=by))["breakdown"]["rows"]
        earned = {row["ref"]: row["figures"]["revenue"]["amount"] for row in rows}
        if by == "member":
            assert earned[story.ids["ben"]] == "1500.00"
            assert sorted(amount for amount in earned.values() if amount != "0.00") == amounts
        else:
            assert list(earned.values()) == amounts


async def _begins(story: Story, name: str, meeting: dict[str, Any]) -> None:
    await story.does("meetings", meeting, name)
    await story.does(f"meetings/{story.ids[name]}/start", {"at": meeting["starts_at"]})


async def _ends(story: Story, name: str, at: str) -> None:
    await story.does(f"meetings/{story.ids[name]}/end", {"at": at})


async def _joint(story: Story, name: str, day: str) -> dict[str, Any]:
    """A meeting of all departments begins; its pack says what the ledger says, and that nobody differs."""
    joint = {"name": "All of us", "kind": "joint", "departments": DEPARTMENTS, "starts_at": f"{day}T09:00:00Z"}
    await _begins(story, name, joint)
    pack = await opened(story.world, story.ids[name])
    assert (pack["period"]["label"], pack["withheld"], pack["differences"]) == (QUARTER, [], [])
    assert sorted(pack["views"]) == DEPARTMENTS
    assert story.differences(pack["views"]) == []
    return pack
