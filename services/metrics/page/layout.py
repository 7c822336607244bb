"""How each department's view is laid out: its headline, its groups of figures, its charts and its tables.

What a figure is and how it is computed stands in `services.metrics.views`; a figure that nobody laid out here is
still shown, in the last group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.metrics.page.values import in_words

MOST_LEAD: Final = 4
TITLES: Final[Mapping[str, str]] = {
    "sales": "Sales", "finance": "Finance", "accounting": "Accounting", "hr": "HR", "it": "IT",
}  # fmt: skip
LABELS: Final[Mapping[str, str]] = {
    "average_days_to_win": "Average time to win",
    "csat": "Customer satisfaction (CSAT)",
    "concentration_top5": "Concentration on five customers",
    "enps": "eNPS",
    "nps": "Net promoter score of customers (NPS)",
    "attainment_at_plan": "Attainment at the rates of the plan",
    "pipeline_qualified": "Qualified pipeline",
    "coverage_qualified": "Coverage by qualified pipeline",
    "role_contribution": "Contribution by roles",
    "deals_open": "Deals still open",
    "other_targets": "Targets of other metrics",
    "requests_to_it": "Requests to IT",
    "headcount_sales": "Headcount of sales",
    "outstanding_by_age": "Outstanding by days overdue",
    "overpaid": "Paid beyond invoices",
    "lag": "Events waiting for a predecessor",
    "parked": "Parked events",
    "source_age": "Age of the sources",
    "view_age": "Age of the views",
    "imports": "Age of the last imports",
    "spend_forecast": "Forecast of spending",
    "left": "Left of the budgets",
    "sales_expense": "Expense of sales",
}
RELATIONSHIPS: Final = "Relationships"
"""Of clients to employees, of employees to their employer, and how the public sees us."""
STOCKS: Final = frozenset(
    "customers_start customers_end customers_retained retention churn deals_open pipeline weighted_pipeline coverage"
    " pipeline_qualified coverage_qualified target_lifecycle stretch"
    " members outstanding"
    " outstanding_by_age left headcount headcount_sales openings_open equipment_out equipment_to_return joiners_waiting"
    " requests_open"
    " source_age view_age imports parked lag not_yet_invoiced overpaid target forecast forecast_range"
    " forecast_override coverage_ideal duties_open duties_overdue problems_open actions_open actions_overdue"
    " full_time_equivalents ramping members_with_skill_gaps skill_gaps skill_gaps_by_skill customers_without_owner"
    " handovers_open".split()
)
"""Figures that are as at one day; the others count what happened in the period."""


@dataclass(frozen=True, slots=True)
class Group:
    """Figures that are read together."""

    title: str
    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture over time of one or two figures of the same kind."""

    title: str
    keys: Sequence[str]
    form: str = "columns"


@dataclass(frozen=True, slots=True)
class Layout:
    """The page of one view."""

    headline: Sequence[str]
    """The figure that stands on the tab: the first of these that is known."""
    lead: Sequence[str]
    """The figures that stand first and large: the first four of these that are known."""
    groups: Sequence[Group]
    charts: Sequence[Chart]
    columns: Sequence[str]
    """The figures of the table that breaks the view down; the first one is drawn beside each row and sorts them."""
    breakdowns: Sequence[str]
    """By what it can be broken down; the first one unless the reader chooses."""
    parts: Sequence[str] = ()
    """Figures that consist of named amounts and are drawn as such."""


LAYOUTS: Final[Mapping[str, Layout]] = {
    "sales": Layout(
        headline=("revenue",),
        lead=("revenue", "deals_won", "win_rate", "attainment", "average_deal", "deals_open"),
        groups=(
            Group("Deals", ("deals_opened", "deals_lost", "deals_open", "close_rate", "average_deal",
                            "average_days_to_win")),
            Group("Pipeline and targets", ("target", "variance", "variance_rate", "pace", "target_health",
                                           "target_lifecycle", "stretch", "stretch_attainment", "attainment_at_plan",
                                           "goal_attainment", "target_adjusted",
                                           "attainment_adjusted", "other_targets", "line_of_sight", "forecast",
                                           "forecast_range", "forecast_override", "pipeline", "weighted_pipeline",
                                           "coverage", "pipeline_qualified", "coverage_qualified",
                                           "coverage_ideal", "velocity", "sales_cycle_mean",
                                           "sales_cycle_median", "quota_attainment_rate", "quota_window_attainment",
                                           "quota_calendar_attainment", "targets_with_goal", "duties_with_goal",
                                           "actions_with_goal")),
            Group("Customers", ("customers_start", "customers_new", "customers_reactivated", "customers_lost",
                                "customers_end", "customers_retained", "retention", "churn")),
            Group(RELATIONSHIPS, ("csat", "nps", "csat_by_relationship", "customers_without_owner", "handovers_open",
                                  "reputation")),
            Group("The team", ("members", "assists", "role_contribution", "requests_to_it", "challenges")),
        ),
        charts=(
            Chart("Revenue by {piece}", ("revenue",)),
            Chart("Deals won and lost by {piece}", ("deals_won", "deals_lost")),
        ),
        columns=("revenue", "deals_won", "deals_lost", "win_rate", "average_deal", "average_days_to_win",
                 "deals_open", "pipeline", "attainment"),
        breakdowns=("team", "member", "customer", "product", "region", "month", "quarter", "week"),
    ),
    "finance": Layout(
        headline=("gross_margin", "revenue"),
        lead=("revenue", "gross_margin", "gross_margin_rate", "contribution", "selling_expense", "concentration",
              "revenue_new_customers"),
        groups=(
            Group("Costs", ("cost_of_sales", "selling_expense", "acquisition_cost")),
            Group("Customers", ("revenue_new_customers", "revenue_existing_customers", "profit_per_customer",
                                "profitable_customers", "unprofitable_customers", "concentration", "concentration_top5",
                                "incidents", "setback_cost")),
        ),
        charts=(
            Chart("Revenue and gross margin by {piece}", ("revenue", "gross_margin")),
            Chart("Gross margin rate by {piece}", ("gross_margin_rate",), "line"),
        ),
        columns=("revenue", "cost_of_sales", "gross_margin", "gross_margin_rate", "contribution"),
        breakdowns=("product", "customer", "team", "member", "region", "month", "quarter", "week"),
    ),
    "accounting": Layout(
        headline=("outstanding", "invoiced"),
        lead=("invoiced", "received", "outstanding", "not_yet_invoiced"),
        groups=(
            Group("Invoices", ("outstanding_by_age", "overpaid", "credited", "written_off")),
            Group("Funds and budgets", ("funds_generated", "allocated", "unallocated", "planned", "spent", "left",
                                        "spend_forecast", "overruns", "month_overruns", "training_expense",
                                        "sales_expense")),
        ),
        charts=(
            Chart("Invoiced and received by {piece}", ("invoiced", "received")),
            Chart("Planned and spent by {piece}", ("planned", "spent")),
        ),
        columns=("spent", "planned", "left", "invoiced", "received", "outstanding"),
        breakdowns=("department", "customer", "team", "member", "kind", "month", "quarter", "week"),
        parts=("outstanding_by_age",),
    ),
    "hr": Layout(
        headline=("headcount",),
        lead=("headcount", "joiners", "leavers", "openings_open", "headcount_sales"),
        groups=(
            Group("People", ("headcount_sales", "full_time_equivalents", "ramping", "time_to_fill", "joiners_waiting",
                             "equipment_out", "equipment_to_return", "absence_days", "members_absent")),
            Group("Training and skills", ("trainings_assigned", "trainings_completed", "training_coverage",
                                          "training_cost", "training_effect", "members_with_skill_gaps", "skill_gaps",
                                          "skill_gaps_by_skill")),
            Group("Duties and goals", ("duties_open", "duties_overdue", "duties_on_time", "line_of_sight",
                                       "targets_with_goal", "duties_with_goal", "actions_with_goal")),
            Group("Spirit", ("recognitions", "challenges", "setbacks")),
            Group(RELATIONSHIPS, ("leavers", "leavers_by_reason", "enps", "reputation")),
            Group("Meetings", ("meetings_held", "meeting_hours", "attendance", "attendance_invited",
                               "attendance_present", "attendance_excused", "problems_open", "problems_solved",
                               "actions_open", "actions_overdue", "actions_on_time")),
        ),
        charts=(
            Chart("Headcount at the end of each {piece}", ("headcount",), "line"),
            Chart("Joiners and leavers by {piece}", ("joiners", "leavers")),
        ),
        columns=("headcount", "joiners", "leavers", "trainings_completed"),
        breakdowns=("department", "team", "month", "quarter", "week"),
    ),
    "it": Layout(
        headline=("requests_open",),
        lead=("requests_opened", "requests_open", "resolved_on_time", "time_to_resolve", "requests_resolved",
              "reopened"),
        groups=(
            Group("Requests", ("requests_resolved", "reopened", "requests_from_sales", "on_time_by_pair")),
            Group("Equipment", ("joiners_waiting", "equipment_out", "equipment_to_return")),
            Group("Problems", ("problems_open", "problems_solved")),
            Group("The state of information", ("source_age", "view_age", "imports", "parked", "lag")),
        ),
        charts=(
            Chart("Requests opened and resolved by {piece}", ("requests_opened", "requests_resolved")),
            Chart("Requests open at the end of each {piece}", ("requests_open",), "line"),
        ),
        columns=("requests_opened", "requests_open", "requests_resolved", "resolved_on_time", "reopened",
                 "time_to_resolve"),
        breakdowns=("kind", "department", "month", "quarter", "week"),
    ),
}  # fmt: skip


def label_of(key: str) -> str:
    """What a figure is called."""
    return LABELS.get(key) or in_words(key)


def lead_of(layout: Layout, figures: Mapping[str, Any]) -> list[str]:
    """The figures that stand first and large: those of the layout that are known, four at most."""
    return [key for key in layout.lead if figures.get(key) is not None][:MOST_LEAD]


def groups_of(layout: Layout, keys: Sequence[str]) -> list[Group]:
    """The groups that some figures fall into; what nobody laid out comes last."""
    laid_out = {key for group in layout.groups for key in group.keys}
    rest = [key for key in keys if key not in laid_out]
    groups = [Group(group.title, [key for key in group.keys if key in keys]) for group in layout.groups]
    return [group for group in (*groups, Group("More", rest)) if group.keys]
