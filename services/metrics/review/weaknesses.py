"""Weaknesses: what is weak for sure, what to keep an eye on, and what has held for two periods.

Many rules and many teams make false alarms: a weakness leads to an action when it is there now and was at least to be
watched in the period before; an isolated member, a hub and meetings need no second period.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.metrics.review.conventions import wilson
from services.metrics.review.finding import Finding
from services.metrics.review.measure import State, state_of
from services.metrics.review.team_results import behind_the_others, hours_met

AT_ONCE: Final = ("W-ISO", "W-HUB", "W-MTG")
"""Those that need no second period."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """What a rule says of a team."""

    code: str
    state: State
    confirmed: bool = False
    """Whether it may lead to an action."""
    about: tuple[str, ...] = ()
    """Members, departments or pairs it is about."""
    shown_by: tuple[str, ...] = ()
    """Where the evidence lies."""


Judge = Callable[[Finding], tuple[State, tuple[str, ...]]]


def weaknesses_of(finding: Finding) -> dict[str, Weakness]:
    """What every rule says, by its code."""
    return {code: _judged(finding, code, judge, shown) for code, (judge, shown) in RULES.items()}


def _judged(finding: Finding, code: str, judge: Judge, shown_by: tuple[str, ...]) -> Weakness:
    state, about = judge(finding)
    if state == "weak" and finding.baseline:
        state = "watch"
    before = finding.inputs.before.states.get(code)
    sure = code in AT_ONCE or finding.rules.accept_single_period or before in ("weak", "watch")
    return Weakness(code, state, state == "weak" and sure, about, shown_by)


def _index(measure: str) -> Judge:
    def judge(finding: Finding) -> tuple[State, tuple[str, ...]]:
        line = finding.rules.line_of(measure)
        return state_of(finding.team[measure], line.healthy, line.weak), ()

    return judge


def hub(finding: Finding) -> tuple[State, tuple[str, ...]]:
    """W-HUB: half of all help from one, without whom half of the efficiency is gone."""
    network, rules = finding.network, finding.rules.weakness
    if not network.help_share or not network.removal_impact:
        return "not enough data", ()
    found = tuple(
        node for node in sorted(network.help_share)
        if network.help_share[node] >= rules.help_share and network.removal_impact[node] >= rules.removal_impact
    )  # fmt: skip
    return ("weak" if found else "healthy"), found


def isolated(finding: Finding) -> tuple[State, tuple[str, ...]]:
    """W-ISO: without a tie, though there for six weeks and not away."""
    inputs, least = finding.inputs, 7 * finding.rules.weakness.isolated_weeks
    # Where nothing of anybody's work is recorded, nobody is known to be alone.
    if finding.network.nodes < 3 or not finding.edges:
        return "not enough data", ()
    there = [each for each in finding.network.isolates
             if inputs.member_of[each].days_present(inputs.start, inputs.asked) >= least]  # fmt: skip
    return ("weak" if there else "watch" if finding.network.isolates else "healthy"), tuple(there)


def meetings(finding: Finding) -> tuple[State, tuple[str, ...]]:
    """W-MTG: more than a fifth of the working hours in meetings, or meetings without effect."""
    worked, inputs = hours_worked(finding), finding.inputs
    if worked and hours_met(inputs, set(inputs.ids)) > finding.rules.weakness.meeting_hours * worked:
        return "weak", ()
    return _index("TP1")(finding)


def hours_worked(finding: Finding) -> float:
    """The working hours of the members' days in the team."""
    inputs = finding.inputs
    days = sum(each.days_present(inputs.start, inputs.asked) for each in inputs.members)
    return days / 7 * finding.rules.ranking.hours_per_week


def slow_answers(finding: Finding) -> tuple[State, tuple[str, ...]]:
    """W-DEP: a department whose answers on time are weak, of at least ten."""
    line, least, inputs = finding.rules.line_of("TP3"), finding.rules.weakness.answers, finding.inputs
    asked = [each for each in inputs.requests if each.from_member in inputs.member_of and each.due_by(inputs.asked)]
    by_name: dict[str, list[bool]] = {}
    for each in asked:
        by_name.setdefault(each.to_department, []).append(each.answered == 1)
    known = [(name, sum(kept), len(kept)) for name, kept in sorted(by_name.items()) if len(kept) >= least]
    slow = tuple(sorted(name for name, kept, due in known
                 if 100 * kept / due < line.weak and 100 * wilson(kept, due).high < line.healthy))  # fmt: skip
    return ("weak" if slow else "healthy" if known else "not enough data"), slow


def roles(finding: Finding) -> tuple[State, tuple[str, ...]]:
    """W-ROLE: less than 60 % of the work carries a goal, or others do not know what one's work needs of them (T2)."""
    rules, seen = finding.rules, finding.team["LOS"].value
    asked = finding.inputs.surveys.get("T2")
    told = None
    if asked and asked.answers >= rules.survey.inside and asked.answers >= rules.survey.response * asked.asked:
        told = (asked.mean - 1) / 4 * 100
    if seen is None and told is None:
        return "not enough data", ()
    low = seen is not None and seen < rules.weakness.line_of_sight
    return ("weak" if low or (told is not None and told < rules.weakness.clear_roles) else "healthy"), ()


def selling(finding: Finding) -> tuple[State, tuple[str, ...]]:
    """W-SKILL: fewer deals won than elsewhere for sure, while the team is as active as before."""
    behind = behind_the_others(finding.inputs)
    if behind is None or (finding.inputs.activities is None and finding.inputs.opened is None):
        return "not enough data", ()
    return ("weak" if behind and _active(finding) else "watch" if behind else "healthy"), ()


def activity(finding: Finding) -> tuple[State, tuple[str, ...]]:
    """W-ACT: less active than before, and at least two members below their own after setbacks; of the team only."""
    below = [each["IB8"].value for each in finding.members.values() if "IB8" in each and each["IB8"].value is not None]
    if (finding.inputs.activities is None and finding.inputs.opened is None) or len(below) < 2:
        return "not enough data", ()
    hit = sum(each < finding.rules.weakness.resilience for each in below)
    return ("weak" if not _active(finding) and hit >= 2 else "healthy"), ()


def _active(finding: Finding) -> bool:
    now, before = finding.inputs.activities or finding.inputs.opened or (0, 0)
    return now >= finding.rules.weakness.normal_activity * before


def aims(finding: Finding) -> tuple[State, tuple[str, ...]]:
    """W-TGT: most of all teams are below: then it is the target, not the team."""
    rules, known = finding.rules.weakness, finding.inputs.organisation.attainments
    if len(known) < 3:
        return "not enough data", ()
    below = tuple(sorted(team for team, value in known if value < rules.attainment))
    return ("weak" if len(below) > rules.teams_below * len(known) else "healthy"), below


def customers(finding: Finding) -> tuple[State, tuple[str, ...]]:
    """W-CUST: the upper limit of satisfaction is below what is aimed at."""
    value, target = finding.team["TR2"], finding.rules.weakness.satisfaction
    if value.value is None or value.high is None:
        return "not enough data", ()
    return ("weak" if value.high < target else "watch" if value.value < target else "healthy"), ()


RULES: Final[dict[str, tuple[Judge, tuple[str, ...]]]] = {
    "W-COM": (_index("COM"), ("/team/COM", "/associations/uncovered")),
    "W-TWK": (_index("TWK"), ("/team/TWK",)),
    "W-HUB": (hub, ("/associations/network",)),
    "W-ISO": (isolated, ("/associations/network",)),
    "W-MTG": (meetings, ("/team/TP1", "/team/TR5")),
    "W-DEP": (slow_answers, ("/team/TP3",)),
    "W-ROLE": (roles, ("/team/LOS",)),
    "W-SKILL": (selling, ("/team/WIN",)),
    "W-ACT": (activity, ()),
    "W-TGT": (aims, ("/team/TR1",)),
    "W-CUST": (customers, ("/team/TR2",)),
    "W-RES": (_index("TR1"), ("/team/TR1",)),
}
