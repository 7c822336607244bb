"""Ways to break on purpose what is promised of people and meetings; `tests.mutants` runs them with those of the kit."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.meetings.domain.items import Item
from services.meetings.domain.series import Series
from services.metrics.views import comparison, opportunity, quota_windows, quotas, targets
from services.teams.api import splitting
from services.teams.domain.members import Member
from shared import handovers


def let_a_split_leave_somebody_out() -> None:
    """A split by hand need not name every member once."""
    vars(splitting)["refuse_unless_once"] = lambda members, groups: None


def let_a_split_keep_the_group_before() -> None:
    """Who goes to another group of the team stays in the one before as well."""
    Member.leave_team = lambda self, team, on, group=None: None  # type: ignore[method-assign,assignment,return-value]


def hand_over_the_past_too() -> None:
    """What is handed over has always been with who gets it."""
    vars(handovers)["handed"] = lambda owners, to, on, before: [["", to]]


def compare_the_trained_with_anybody() -> None:
    """Who differs in department, tenure and attainment is compared all the same."""
    comparison.Case.comparable = lambda self, other: True  # type: ignore[method-assign]


def claim_an_effect_of_one() -> None:
    """One trained member is enough to claim what a training does."""
    vars(comparison)["FEWEST"] = 1


def call_a_series_at_any_time() -> None:
    """A meeting of a series is called at times at which it does not meet."""
    Series.refuse_unless_met = lambda self, occurrence, pointer: None  # type: ignore[method-assign]


def write_minutes_of_today() -> None:
    """Minutes say what has become of an item by now, not by the end of the meeting's day."""

    def as_now(self: Item, day: date) -> dict[str, Any]:
        return {"status": self.status, "resolved_on": self.resolved_on}

    Item.as_on = as_now  # type: ignore[method-assign]


def add_up_the_quotas_of_few() -> None:
    """What members aim at is added up for everybody."""
    for module in (targets, opportunity, quotas, quota_windows):
        vars(module)["may_add_up"] = lambda reading, figure, members: True


SPLITS = "teams/test_splits_over_http.py::test_a_split_by_hand_names_every_member_once"
# Each with the test that must notice it.
OF_PEOPLE = {
    "split-once": (let_a_split_leave_somebody_out, SPLITS),
    "split-leaves": (let_a_split_keep_the_group_before, SPLITS),
    "handover-past": (hand_over_the_past_too, "targets/test_handovers.py::test_owners_are_known_by_day"),
    "training-alike": (compare_the_trained_with_anybody, "metrics/test_comparison.py"),
    "training-few": (claim_an_effect_of_one, "metrics/test_comparison.py"),
    "series-times": (
        call_a_series_at_any_time,
        "meetings/test_meetings.py::test_an_occurrence_becomes_a_meeting_once_and_only_when_the_series_meets",
    ),
    "minutes-then": (
        write_minutes_of_today,
        "meetings/test_minutes.py::test_what_was_resolved_later_was_still_carried_over_from_the_meeting",
    ),
    "quota-sums": (
        add_up_the_quotas_of_few,
        "journeys/test_few_are_not_told.py::test_what_fewer_than_five_aim_at_is_told_only_to_who_leads_them",
    ),
}
