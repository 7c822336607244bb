"""The rule over teams whose communication and teamwork are known: how often it recommends what would be right.

Events are independent and answers honest; every component of an index lies as far from its truth as teams do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Final, Literal

from services.metrics.review import rule_set
from services.metrics.review.catalogue import MEASURES
from services.metrics.review.conventions import deviation_of, mean_of
from services.metrics.review.diagnosis import apart
from services.metrics.review.indices import COM, TWK, index_of
from services.metrics.review.measure import State, Survey, Value, state_of
from services.metrics.review.recommendation import Class, States, recommend
from services.metrics.review.thresholds import Rules

Said = Literal["none", "communication", "teamwork", "both"]
MEMBERS: Final = 6
SCATTER: Final = 8.0
ANSWERS_DIFFER: Final = 0.8
EVENTS: Final[Mapping[str, int]] = {"TP4": 17, "TP3": 17, "IB4": 21, "TP2": 17}
"""As many as North has in its quarter."""
SURVEYS: Final = ("TP5", "TP6")
SAYS: Final[Mapping[Class, Said]] = {
    "ENCOURAGE COMMUNICATION": "communication", "TRAIN TEAMWORK": "teamwork",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Truth:
    """What is so of a team, and what would be right to recommend."""

    com: float
    twk: float
    right: Said


TRUTHS: Final[Mapping[str, Truth]] = {
    "healthy 80/80": Truth(80, 80, "none"),
    "COM weak 45/80": Truth(45, 80, "communication"),
    "TWK weak 80/45": Truth(80, 45, "teamwork"),
    "both 45/45": Truth(45, 45, "both"),
    "COM mildly weak 52/80": Truth(52, 80, "communication"),
    "in between 67/67": Truth(67, 67, "none"),
}
AMOUNTS: Final[Mapping[str, float]] = {"half the events": 0.5, "North's amount": 1.0, "double": 2.0}


def correct(truth: Truth, amount: float, draws: int, *, periods: int = 1) -> float:
    """In which share of reviews the rule says what is right; of two periods a weakness must be in both."""
    random, rules = Random(f"{truth}{amount}{periods}"), rule_set.built_in()
    said = Counter(_said(truth, amount, random, rules, periods) for _ in range(draws))
    return said[truth.right] / draws


def _said(truth: Truth, amount: float, random: Random, rules: Rules, periods: int) -> Said:
    """What the rule says of a team, of which nothing else is weak than its results."""
    found = [_indices(truth, amount, random, rules) for _ in range(periods)]
    states = [{each.measure: _state(each, rules) for each in pair} for pair in found]
    sure = {name: _confirmed([each[name] for each in states]) for name in ("COM", "TWK")}
    com, twk = found[-1]
    said = recommend(States(
        results_weak=True, com=states[-1]["COM"], twk=states[-1]["TWK"], com_confirmed=sure["COM"],
        twk_confirmed=sure["TWK"], apart=apart(com, twk), skill_gap=True,
    ))  # fmt: skip
    return "both" if said.rule.startswith("R7") else SAYS.get(said.kind, "none")


def _state(index: Value, rules: Rules) -> State:
    line = rules.line_of(index.measure)
    return state_of(index, line.healthy, line.weak)


def _confirmed(states: Sequence[State]) -> bool:
    """Weak now, and at least to be watched in the period before; of one period alone it counts by itself."""
    return states[-1] == "weak" and all(before in ("weak", "watch") for before, _ in pairwise(states))


def _indices(truth: Truth, amount: float, random: Random, rules: Rules) -> tuple[Value, Value]:
    values = {
        part: _part(part, whole, amount, random)
        for index, whole in ((COM, truth.com), (TWK, truth.twk)) for part in rules.indices[index.id]
    }  # fmt: skip
    return index_of(COM, rules.indices["COM"], values), index_of(TWK, rules.indices["TWK"], values)


def _part(measure: str, truth: float, amount: float, random: Random) -> Value:
    lies = min(100.0, max(0.0, random.gauss(truth, SCATTER)))
    if measure in SURVEYS:
        said = [min(5.0, max(1.0, random.gauss(1 + lies / 25, ANSWERS_DIFFER))) for _ in range(MEMBERS)]
        survey = Survey(mean_of(said), deviation_of(said), MEMBERS, MEMBERS)
        return MEASURES[measure].answers(survey, 4, 0.6)
    of = max(1, round(EVENTS[measure] * amount))
    return MEASURES[measure].share(sum(random.random() * 100 < lies for _ in range(of)), of, 1)
