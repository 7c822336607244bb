"""The rules of members, without anything around them."""

from __future__ import annotations

from typing import Any

import pytest

from services.teams.domain.members import (
    AlreadyLeft,
    LeavesTooEarly,
    Member,
    MemberIsErased,
    RecruitedBeforeLeaving,
    StillHere,
)
from services.teams.domain.stays import (
    AlreadyInGroup,
    AlreadyInTeam,
    EndsBeforeItBegins,
    MemberHasLeft,
    NotInGroup,
    NotInTeam,
    NotStartedYet,
)
from shared.errors import Refused
from shared.events.teams import (
    MemberChanged,
    MemberDescribed,
    MemberErased,
    MemberJoined,
    MemberLeft,
    MemberLeftTeam,
    MemberMoved,
    MemberRecruited,
)
from tests.teams.acts import day, days_of, member


def places(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [fault.pointer for fault in refused.value.faults]


def gone(on: str = "2026-04-01", **fields: Any) -> Member:
    """Somebody who worked here from the beginning of 2026 until a day."""
    somebody = member(**fields)
    somebody.leave(day(on))
    return somebody


# -- employments ---------------------------------------------------------------------------------------------------


def test_whoever_is_recruited_has_a_position_from_the_first_day() -> None:
    somebody, told = Member.recruit(
        department="sales", starts_on=day("2026-01-01"), job="Closer", manager="mbr_b", id="mbr_a", externals={}
    )
    assert told == MemberRecruited(
        department="sales", starts_on=day("2026-01-01"), job="Closer", manager="mbr_b", working_share="1"
    )
    assert days_of(somebody.employments) == [(None, "01-01", None)]
    position: dict[str, Any] = {"department": "sales", "job": "Closer", "manager": "mbr_b", "working_share": "1"}
    position |= {"ramp": [], "workplace": None}
    for on in ("2025-12-31", "2026-01-01", "2999-12-31"):
        assert somebody.position(day(on)) == position


def test_leaving_ends_everything_on_one_day() -> None:
    somebody = member()
    somebody.join("north", day("2026-01-10"), "g1")
    somebody.change(day("2026-03-01"), department="hr")
    somebody.change(day("2026-09-01"), department="it")
    assert somebody.leave(day("2026-04-01"), "moved away") == MemberLeft(on=day("2026-04-01"))
    assert days_of(somebody.employments) == [(None, "01-01", "04-01")]
    assert days_of(somebody.departments) == [("sales", "01-01", "03-01"), ("hr", "03-01", "04-01")]
    assert days_of(somebody.memberships) == [("north", "01-10", "04-01")]
    assert days_of(somebody.groups) == [("g1", "01-10", "04-01")]
    assert somebody.position(day("2026-12-01"))["department"] == "hr"
    assert somebody.employments[-1]["reason"] == "moved away"


def test_nobody_leaves_on_their_first_day_or_before_or_twice() -> None:
    somebody = member("2026-01-10")
    for on in ("2026-01-09", "2026-01-10"):
        with pytest.raises(LeavesTooEarly, match=f"2026-01-11 at the earliest, not {on}") as refused:
            somebody.leave(day(on))
        assert (places(refused), refused.value.status) == (["/on"], 422)
    assert somebody.left_on is None
    somebody.leave(day("2026-01-11"))
    with pytest.raises(AlreadyLeft, match="left on 2026-01-11"):
        somebody.leave(day("2026-02-01"))


def test_leaving_may_be_known_long_before() -> None:
    somebody = gone("2027-01-01")
    assert somebody.join("north", day("2026-06-01")).until == day("2027-01-01")
    with pytest.raises(MemberHasLeft, match="2027-01-01"):
        somebody.join("south", day("2027-01-01"))


def test_whoever_has_left_is_recruited_again_from_that_day_on_and_as_they_were() -> None:
    for again in ("2026-04-01", "2026-08-01"):
        somebody = gone(job="Closer", manager="mbr_b")
        told = somebody.recruit_again(day(again), job=None)
        assert told == MemberRecruited(department="sales", starts_on=day(again), manager="mbr_b")
        assert days_of(somebody.employments) == [(None, "01-01", "04-01"), (None, again[5:], None)]
        assert days_of(somebody.jobs) == [("Closer", "01-01", "04-01"), (None, again[5:], None)]
        assert (somebody.starts_on, somebody.left_on) == (day(again), None)


def test_a_new_employment_does_not_begin_before_the_last_one_ended() -> None:
    somebody = gone()
    with pytest.raises(RecruitedBeforeLeaving, match=r"left on 2026-04-01; .* not on 2026-03-31") as refused:
        somebody.recruit_again(day("2026-03-31"))
    assert places(refused) == ["/starts_on"]
    with pytest.raises(StillHere, match="since 2026-01-01"):
        member().recruit_again(day("2026-08-01"))


def test_a_new_employment_leaves_nobody_in_the_teams_of_the_old_one() -> None:
    somebody = member()
    somebody.join("north", day("2026-01-01"), "g1")
    somebody.leave(day("2026-04-01"))
    somebody.recruit_again(day("2026-04-01"))
    with pytest.raises(NotInTeam, match="2026-04-01"):
        somebody.leave_team("north", day("2026-04-01"))
    assert somebody.join("north", day("2026-04-01")).until is None
    assert days_of(somebody.memberships) == [("north", "01-01", "04-01"), ("north", "04-01", None)]


def test_the_second_employment_is_left_after_it_began_and_its_reason_is_its_own() -> None:
    somebody = member()
    somebody.leave(day("2026-04-01"), "one reason")
    somebody.recruit_again(day("2026-06-01"))
    with pytest.raises(LeavesTooEarly, match="starts on 2026-06-01"):
        somebody.leave(day("2026-06-01"))
    somebody.leave(day("2026-06-02"))
    assert [each.get("reason") for each in somebody.employments] == ["one reason", None]


# -- positions -----------------------------------------------------------------------------------------------------


def test_a_change_holds_from_its_day_on_and_the_past_stays() -> None:
    somebody = member()
    told = somebody.change(day("2026-03-01"), department="hr", working_share="0.5")
    assert told == MemberChanged(on=day("2026-03-01"), department="hr", working_share="0.5")
    assert somebody.position(day("2026-02-28")) == {
        "department": "sales", "job": None, "manager": None, "working_share": "1", "ramp": [], "workplace": None
    }  # fmt: skip
    assert somebody.position(day("2026-03-01"))["working_share"] == "0.5"


def test_of_who_was_recruited_before_workplaces_were_asked_they_are_kept_from_the_day_they_are_said() -> None:
    somebody = member()
    somebody.workplaces = []
    told = somebody.change(day("2026-03-01"), workplace="remote")
    assert told == MemberChanged(on=day("2026-03-01"), department="sales", workplace="remote")
    assert days_of(somebody.workplaces) == [(None, "01-01", "03-01"), ("remote", "03-01", None)]


def test_a_change_in_between_lasts_until_the_next_one_that_is_known() -> None:
    somebody = member()
    somebody.change(day("2026-06-01"), department="hr")
    told = somebody.change(day("2026-03-01"), department="it")
    assert told is not None
    assert days_of(somebody.departments) == [
        ("sales", "01-01", "03-01"),
        ("it", "03-01", "06-01"),
        ("hr", "06-01", None),
    ]
    assert days_of(somebody.jobs) == [(None, "01-01", None)]


def test_what_is_so_already_is_no_change() -> None:
    somebody = member(job="Closer")
    assert somebody.change(day("2026-03-01"), department="sales", job="Closer") is None
    assert somebody.change(day("2026-03-01")) is None


def test_nothing_changes_on_a_day_nobody_works_here() -> None:
    with pytest.raises(NotStartedYet, match="starts on 2026-01-01; 2025-12-31 is before") as early:
        member().change(day("2025-12-31"), department="hr")
    assert places(early) == ["/on"]
    somebody = gone()
    somebody.change(day("2026-03-31"), department="hr")
    with pytest.raises(MemberHasLeft, match="2026-04-01"):
        somebody.change(day("2026-04-01"), department="it")
    somebody.recruit_again(day("2026-06-01"))
    with pytest.raises(MemberHasLeft, match="left on 2026-04-01; 2026-05-31 is not before that"):
        somebody.change(day("2026-05-31"), department="it")
    somebody.leave(day("2026-07-01"))
    with pytest.raises(MemberHasLeft, match="left on 2026-07-01; 2026-07-01"):
        somebody.change(day("2026-07-01"), department="it")


# -- teams and groups ----------------------------------------------------------------------------------------------


def test_a_team_is_joined_from_a_day_on_for_the_time_being_or_until_another() -> None:
    somebody = member()
    assert somebody.join("north", day("2026-01-01")) == MemberJoined(team="north", on=day("2026-01-01"))
    told = somebody.join("south", day("2026-02-01"), end=day("2026-02-02"))
    assert told == MemberJoined(team="south", on=day("2026-02-01"), until=day("2026-02-02"))
    assert days_of(somebody.memberships) == [("north", "01-01", None), ("south", "02-01", "02-02")]


def test_a_stay_ends_after_it_begins() -> None:
    for end in ("2026-02-01", "2026-01-31"):
        with pytest.raises(EndsBeforeItBegins, match=f"begins on 2026-02-01 cannot end on {end}") as refused:
            member().join("north", day("2026-02-01"), end=day(end))
        assert places(refused) == ["/to"]


def test_a_team_is_joined_while_one_works_here() -> None:
    with pytest.raises(NotStartedYet) as early:
        member().join("north", day("2025-12-31"))
    assert places(early) == ["/from"]
    somebody = gone()
    with pytest.raises(MemberHasLeft) as late:
        somebody.join("north", day("2026-04-01"))
    assert places(late) == ["/from"]
    with pytest.raises(MemberHasLeft) as beyond:
        somebody.join("north", day("2026-03-01"), end=day("2026-04-02"))
    assert places(beyond) == ["/to"]
    assert somebody.join("north", day("2026-03-01"), end=day("2026-04-01")).until == day("2026-04-01")
    with pytest.raises(MemberHasLeft, match="left on 2026-04-01; 2026-04-02"):
        somebody.join("north", day("2026-03-10"), "g1", day("2026-04-02"))


@pytest.mark.parametrize(
    ("start", "end"),
    [("02-01", None), ("03-31", None), ("01-01", None), ("01-01", "02-02"), ("02-10", "02-20"), ("03-31", "04-05")],
)
def test_two_stays_in_one_team_never_overlap(start: str, end: str | None) -> None:
    somebody = member()
    somebody.join("north", day("2026-02-01"), end=day("2026-04-01"))
    with pytest.raises(AlreadyInTeam, match="from 2026-02-01 until 2026-04-01"):
        somebody.join("north", day(f"2026-{start}"), end=day(f"2026-{end}") if end else None)
    assert len(somebody.memberships) == 1


def test_stays_in_one_team_may_touch() -> None:
    somebody = member()
    somebody.join("north", day("2026-02-01"), end=day("2026-04-01"))
    somebody.join("north", day("2026-04-01"))
    somebody.join("north", day("2026-01-15"), end=day("2026-02-01"))
    assert [start for _, start, _ in days_of(somebody.memberships)] == ["01-15", "02-01", "04-01"]
    with pytest.raises(AlreadyInTeam, match="until further notice"):
        somebody.join("north", day("2026-09-01"))


def test_whoever_joins_a_group_is_in_its_team() -> None:
    somebody = member()
    told = somebody.join("north", day("2026-02-01"), "g1", day("2026-04-01"))
    assert told == MemberJoined(team="north", on=day("2026-02-01"), group="g1", until=day("2026-04-01"))
    assert days_of(somebody.memberships) == [("north", "02-01", "04-01")]
    # The stay in the team stands already; one in another group of it ends with it unless it says an earlier day.
    assert somebody.join("north", day("2026-03-01"), "g2").until == day("2026-04-01")
    assert days_of(somebody.memberships) == [("north", "02-01", "04-01")]
    with pytest.raises(NotInTeam, match="2026-04-01") as beyond:
        somebody.join("north", day("2026-03-01"), "g3", day("2026-04-02"))
    assert places(beyond) == ["/to"]


def test_two_stays_in_one_group_never_overlap() -> None:
    somebody = member()
    somebody.join("north", day("2026-02-01"), "g1")
    with pytest.raises(AlreadyInGroup, match="from 2026-02-01 until further notice"):
        somebody.join("north", day("2026-03-01"), "g1")
    somebody.leave_team("north", day("2026-04-01"), "g1")
    somebody.join("north", day("2026-04-01"), "g1")
    assert days_of(somebody.groups) == [("g1", "02-01", "04-01"), ("g1", "04-01", None)]


def test_a_move_takes_the_rest_of_a_stay_to_another_team_and_out_of_the_groups() -> None:
    somebody = member()
    somebody.join("north", day("2026-02-01"), "g1", day("2026-06-01"))
    told = somebody.move("north", "south", day("2026-04-01"))
    assert told == MemberMoved(from_team="north", to_team="south", on=day("2026-04-01"), until=day("2026-06-01"))
    assert days_of(somebody.memberships) == [("north", "02-01", "04-01"), ("south", "04-01", "06-01")]
    assert days_of(somebody.groups) == [("g1", "02-01", "04-01")]


def test_a_move_on_the_first_day_of_a_stay_leaves_none_behind() -> None:
    somebody = member()
    somebody.join("north", day("2026-02-01"))
    somebody.move("north", "south", day("2026-02-01"))
    assert days_of(somebody.memberships) == [("south", "02-01", None)]


def test_a_move_begins_in_a_team_one_is_in_and_ends_in_one_one_is_not_in() -> None:
    somebody = member()
    somebody.join("north", day("2026-02-01"), end=day("2026-06-01"))
    for on in ("2026-01-31", "2026-06-01"):
        with pytest.raises(NotInTeam, match=on) as refused:
            somebody.move("north", "south", day(on))
        assert places(refused) == ["/on"]
    with pytest.raises(AlreadyInTeam):
        somebody.move("north", "north", day("2026-03-01"))
    somebody.join("south", day("2026-05-01"))
    with pytest.raises(AlreadyInTeam, match="from 2026-05-01"):
        somebody.move("north", "south", day("2026-03-01"))
    assert days_of(somebody.memberships) == [("north", "02-01", "06-01"), ("south", "05-01", None)]


def test_leaving_a_team_ends_its_groups_too_and_leaving_a_group_ends_nothing_else() -> None:
    somebody = member()
    somebody.join("north", day("2026-02-01"), "g1")
    somebody.join("north", day("2026-02-01"), "g2")
    told = somebody.leave_team("north", day("2026-03-01"), "g1")
    assert told == MemberLeftTeam(team="north", on=day("2026-03-01"), group="g1")
    assert days_of(somebody.groups) == [("g1", "02-01", "03-01"), ("g2", "02-01", None)]
    assert days_of(somebody.memberships) == [("north", "02-01", None)]
    assert somebody.leave_team("north", day("2026-04-01")) == MemberLeftTeam(team="north", on=day("2026-04-01"))
    assert days_of(somebody.groups) == [("g1", "02-01", "03-01"), ("g2", "02-01", "04-01")]
    assert days_of(somebody.memberships) == [("north", "02-01", "04-01")]


def test_leaving_a_team_on_the_day_it_was_joined_takes_the_stay_back() -> None:
    somebody = member()
    somebody.join("north", day("2026-02-01"), "g1")
    somebody.leave_team("north", day("2026-02-01"))
    assert (somebody.memberships, somebody.groups) == ([], [])


def test_only_the_stay_of_that_day_is_left_and_a_later_one_stays() -> None:
    somebody = member()
    somebody.join("north", day("2026-02-01"), "g1", day("2026-03-01"))
    somebody.join("north", day("2026-05-01"), "g1")
    told = somebody.leave_team("north", day("2026-02-10"))
    assert told.until == day("2026-03-01")
    assert days_of(somebody.memberships) == [("north", "02-01", "02-10"), ("north", "05-01", None)]
    assert days_of(somebody.groups) == [("g1", "02-01", "02-10"), ("g1", "05-01", None)]


def test_nobody_leaves_what_they_are_not_in_on_that_day() -> None:
    somebody = member()
    somebody.join("north", day("2026-02-01"), "g1", day("2026-03-01"))
    for on in ("2026-01-31", "2026-03-01"):
        with pytest.raises(NotInTeam, match=on) as team:
            somebody.leave_team("north", day(on))
        with pytest.raises(NotInGroup, match=on) as group:
            somebody.leave_team("north", day(on), "g1")
        assert places(team) == places(group) == ["/on"]
    with pytest.raises(NotInGroup):
        somebody.leave_team("north", day("2026-02-10"), "g2")


# -- what is personal ----------------------------------------------------------------------------------------------


def test_whoever_is_erased_stays_erased_and_is_told_nothing_about() -> None:
    somebody = member(externals={"crm": "7"})
    somebody.leave(day("2026-04-01"), "quarrelled with Mr Meyer")
    assert somebody.describe() == MemberDescribed()
    assert somebody.erase() == MemberErased()
    assert (somebody.externals, somebody.employments[-1]["reason"]) == ({}, None)
    assert somebody.erase() is None
    with pytest.raises(MemberIsErased):
        somebody.describe()
    with pytest.raises(MemberIsErased):
        somebody.recruit_again(day("2026-08-01"))


def test_no_reason_is_kept_of_somebody_erased_who_leaves() -> None:
    somebody = member()
    somebody.erase()
    with pytest.raises(MemberIsErased) as refused:
        somebody.leave(day("2026-04-01"), "quarrelled with Mr Meyer")
    assert places(refused) == ["/reason"]
    assert somebody.leave(day("2026-04-01")) == MemberLeft(on=day("2026-04-01"))
