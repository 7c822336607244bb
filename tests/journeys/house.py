"""The house in which a quarter is played: who is there as the year begins, and what its figures are."""

from __future__ import annotations

from typing import Any

from tests.journeys.ledger import Story, euros

QUARTER = "2026-Q1"
PEOPLE = {
    "lena": "sales", "ada": "sales", "ben": "sales", "dora": "sales", "ivo": "it", "hilda": "hr", "finn": "finance",
    "anke": "accounting",
}  # fmt: skip
SELLERS = [name for name, department in PEOPLE.items() if department == "sales"]
CUSTOMERS = ("altona", "celle", "dorum", "emden")
DEPARTMENTS = sorted(set(PEOPLE.values()))


async def the_house_as_the_year_begins(story: Story) -> None:
    """Eight people since 2025, a customer of last year, a target of 9,000 in three parts, a budget of 3,000."""
    ids, does = story.ids, story.does
    for name, department in PEOPLE.items():
        await does("members", {"name": name, "department": department, "starts_on": "2025-01-01"}, name)
    await does("teams", {"name": "North", "leader": ids["lena"]}, "north")
    for name in SELLERS:
        await does(f"members/{ids[name]}/join", {"team": ids["north"], "from": "2025-01-01"})
    await story.hears(f"teams/{ids['north']}", *(f"members/{ids[name]}" for name in PEOPLE))
    for name in CUSTOMERS:
        await does("customers", {"name": name}, name)
    old = {"owner": ids["ben"], "customer": ids["altona"], "opened_on": "2025-10-01"}
    await does("deals", old, "old deal")
    await does(f"deals/{ids['old deal']}/win", {"on": "2025-11-10", "value": euros("500.00")})
    await does("products", {"name": "Aurora"}, "aurora")
    await does(f"products/{ids['aurora']}/costs", {"cost": euros("40.00"), "from": "2025-01-01"})
    await does("goals", {"title": "Win the north", "period": QUARTER}, "goal")
    aim = {"metric": "revenue", "period": QUARTER, "goal": ids["goal"], "value": euros("9000.00"),
           "scope": {"level": "team", "ref": ids["north"]}}  # fmt: skip
    parts = [
        {"scope": {"level": "member", "ref": ids[name]}, "value": euros(amount)}
        for name, amount in (("ada", "4000.00"), ("ben", "2700.00"), ("dora", "2300.00"))
    ]
    cascaded = await does("targets/cascade", {"parent": aim, "children": parts})
    for target in (cascaded["parent"], *cascaded["children"]):
        approved = await story.world.agreed(f"/v1/targets/{target['id']}/approve", {"on": "2025-12-20"})
        assert approved.status_code == 200, approved.text
    await does("budgets", {"department": "sales", "period": QUARTER, "amount": euros("3000.00")})
    await does("courses", {"name": "Negotiating", "cost": euros("200.00")}, "course")
    story.ledger = dict(AS_THE_YEAR_BEGINS)
    await story.shows()


AS_THE_YEAR_BEGINS: dict[str, Any] = {
    # Sales.
    "customers_start": 1, "customers_new": 0, "customers_reactivated": 0, "customers_lost": 0, "customers_end": 1,
    "customers_retained": 1, "retention": "1/1", "churn": "0/1", "customers_without_owner": 0, "handovers_open": 0,
    "deals_opened": 0, "deals_won": 0, "deals_lost": 0, "deals_open": 0, "revenue": "0.00", "win_rate": None,
    "close_rate": None, "average_days_to_win": None, "average_deal": None, "sales_cycle_mean": None,
    "sales_cycle_median": None, "velocity": None, "pipeline": "0.00", "weighted_pipeline": "0.00",
    "coverage": "0.00/9000.00", "coverage_ideal": None, "forecast": None, "forecast_range": None,
    "forecast_override": None, "target": "9000.00", "attainment": "0.00/9000.00", "variance": "-9000.00",
    "other_targets": None, "variance_rate": "-9000.00/9000.00", "pace": "0.00/9000.00", "target_adjusted": "9000.00",
    "attainment_adjusted": "0.00/9000.00", "quota_attainment_rate": "0/3", "quota_window_attainment": "0.00/9000.00",
    "quota_calendar_attainment": "0.00/9000.00", "members": 4, "requests_to_it": 0, "csat": None,
    "csat_by_relationship": None, "nps": None, "reputation": None, "challenges": [],
    "pipeline_qualified": "0.00", "coverage_qualified": "0.00/9000.00", "attainment_at_plan": "0.00/9000.00",
    "stretch": None, "stretch_attainment": None, "target_health": "behind",
    "target_lifecycle": {"draft": 0, "approved": 1, "closed": 0}, "assists": 0, "role_contribution": None,
    # The goal of the organisation is one, and nothing of it is reached yet.
    "goal_attainment": "0/1",
    # What serves the goal: the four targets.
    "line_of_sight": "4/4", "targets_with_goal": "4/4", "duties_with_goal": None, "actions_with_goal": None,
    # Finance.
    "cost_of_sales": "0.00", "gross_margin": "0.00", "gross_margin_rate": None, "selling_expense": "0.00",
    "contribution": "0.00", "revenue_new_customers": "0.00", "revenue_existing_customers": "0.00",
    "acquisition_cost": None, "profit_per_customer": None, "profitable_customers": 0, "unprofitable_customers": 0,
    "concentration": None, "concentration_top5": None, "incidents": 0, "setback_cost": "0.00",
    # Accounting: 3,000 are planned, and nothing has come in that they could be paid from.
    "invoiced": "0.00", "not_yet_invoiced": "0.00", "credited": "0.00", "written_off": "0.00", "received": "0.00",
    "overpaid": "0.00", "outstanding": "0.00",
    "outstanding_by_age": {"not_due": "0.00", "1-30": "0.00", "31-60": "0.00", "61-90": "0.00", "over_90": "0.00"},
    "planned": "3000.00", "spent": "0.00", "left": "3000.00", "spend_forecast": "0.00", "overruns": 0,
    "month_overruns": 0,
    "funds_generated": "0.00", "allocated": "3000.00", "unallocated": "-3000.00", "training_expense": "0.00",
    "sales_expense": "0.00",
    # Hr.
    "headcount": 8, "headcount_sales": 4, "joiners": 0, "leavers": 0, "leavers_by_reason": None,
    "full_time_equivalents": "8.00", "ramping": 0, "openings_open": 0,
    "time_to_fill": None, "trainings_assigned": 0, "trainings_completed": 0, "training_coverage": "0/8",
    "training_cost": "0.00", "training_effect": None, "equipment_out": 0, "equipment_to_return": 0,
    "joiners_waiting": 0, "duties_open": 0, "duties_overdue": 0, "duties_on_time": None,
    "members_with_skill_gaps": None, "skill_gaps": None, "skill_gaps_by_skill": None, "absence_days": "0.00",
    "members_absent": 0, "recognitions": 0, "setbacks": 0, "enps": None, "meetings_held": 0,
    "meeting_hours": "0.00", "attendance_invited": 0, "attendance_present": 0, "attendance_excused": 0,
    "attendance": None, "problems_open": 0, "problems_solved": 0, "actions_open": 0, "actions_overdue": 0,
    "actions_on_time": None,
    # IT.
    "requests_opened": 0, "requests_open": 0, "requests_resolved": 0, "resolved_on_time": None, "on_time_by_pair": {},
    "reopened": 0, "time_to_resolve": None, "requests_from_sales": 0,
}  # fmt: skip
