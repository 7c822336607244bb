"""The rule R0 to R9: the four teams of the specification, and every combination of states there is."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import pytest

from services.metrics.review.measure import State
from services.metrics.review.recommendation import States, recommend

CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("North", {"load": True, "results_weak": True, "com": "weak", "com_confirmed": True, "apart": "com lower"},
     "R5", "ENCOURAGE COMMUNICATION"),
    ("South", {"twk": "weak", "twk_confirmed": True, "skill_gap": True}, "R6a", "TRAIN TEAMWORK"),
    ("South, trained and healthy before", {"twk": "weak", "twk_confirmed": True}, "R6b", "DEBRIEF"),
    ("South, trained, with an obstacle", {"twk": "weak", "twk_confirmed": True, "obstacle": True}, "R6c",
     "REMOVE OBSTACLE"),
    ("West", {}, "R3", "NO ACTION"),
    ("East", {"targets": True, "results_weak": True}, "R2", "REVIEW TARGETS"),
    ("nobody knows what for", {"roles": True, "results_weak": True}, "R4", "CLARIFY GOALS AND ROLES"),
    ("too little", {"enough_data": False, "targets": True}, "R0", "NOT ENOUGH DATA"),
    ("no index", {"com": "not enough data"}, "R0", "NOT ENOUGH DATA"),
    ("both, not apart", {"com": "weak", "twk": "weak", "com_confirmed": True, "twk_confirmed": True}, "R7",
     "TEAM DEBRIEF"),
    ("both, teamwork lower", {"com": "weak", "twk": "weak", "com_confirmed": True, "twk_confirmed": True,
     "apart": "twk lower", "skill_gap": True}, "R7a", "TRAIN TEAMWORK"),
    ("both, communication lower", {"com": "weak", "twk": "weak", "com_confirmed": True, "twk_confirmed": True,
     "apart": "com lower"}, "R7", "ENCOURAGE COMMUNICATION"),
    ("for the first time", {"com": "weak"}, "R9", "WATCH"),
    ("only results", {"results_weak": True}, "R8", "LOOK CLOSER"),
    ("only selling", {"results_weak": True, "selling": True}, "R8", "COACH SELLING"),
    ("only activity", {"results_weak": True, "activity": True}, "R8", "SUPPORT AFTER SETBACKS"),
    ("only answers", {"results_weak": True, "answers": True}, "R8", "AGREE ON ANSWER TIMES"),
]  # fmt: skip


@pytest.mark.parametrize(("states", "rule", "kind"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_first_rule_that_matches_says_what_is_recommended(states: dict[str, Any], rule: str, kind: str) -> None:
    found = recommend(States(**states))
    assert (found.rule, found.kind) == (rule, kind)


def test_data_that_is_missing_never_makes_a_team_weak() -> None:
    for com, twk in product(get_args(State), repeat=2):
        if "not enough data" in (com, twk):
            found = recommend(States(com=com, twk=twk, com_confirmed=True, twk_confirmed=True, results_weak=True))
            assert found.kind == "NOT ENOUGH DATA"
