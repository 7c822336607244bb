"""How far answers of a survey can be trusted: do its questions ask for one thing, do teams differ, is a team agreed?

All of it comes from the sums that pulses tell; who answered what is known to nobody. The first two are of all teams of
the organisation that were asked in the period, for of one team's few answers nothing could be said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.metrics.review.conventions import mean_of
from services.metrics.review.inputs import Inputs
from services.metrics.review.measure import Asked, Measure, Survey, Value
from services.metrics.review.thresholds import SurveyRules

QUESTIONS: Final = {"communication": ("C1", "C2", "C3", "C4"), "cooperation": ("T1", "T2", "T3", "T4")}
FEWEST_ANSWERS: Final = 30
FEWEST_TEAMS: Final = 5
CHANCE: Final = 2.0
"""The variance of answers from 1 to 5 that are all alike likely: (5² - 1) ÷ 12."""
_ALPHA: Final = (
    "k ÷ (k - 1) · (1 - Σ variance of each question ÷ variance of their sum), over all teams asked (Cronbach 1951)"
)
_ICC: Final = "(MSB - MSW) ÷ (MSB + (k - 1)·MSW), k the mean size of a team, over all teams asked (Bartko 1976)"
_RWG: Final = "J·(1 - v ÷ 2) ÷ (J·(1 - v ÷ 2) + v ÷ 2), v the mean variance of J questions (James, Demaree & Wolf 1984)"
AL5 = Measure(
    "AL5", "C1 to C4 as one scale (alpha)", "survey", "Whether the questions of TP5 ask for one and the same thing.",
    _ALPHA, "from 30 answers on; above .7 is usual, far above .9 they repeat each other", FEWEST_ANSWERS, unit="ratio",
)  # fmt: skip
AL6 = Measure(
    "AL6", "T1 to T4 as one scale (alpha)", "survey", "Whether the questions of TP6 ask for one and the same thing.",
    _ALPHA, "from 30 answers on; above .7 is usual, far above .9 they repeat each other", FEWEST_ANSWERS, unit="ratio",
)  # fmt: skip
IC5 = Measure(
    "IC5", "teams differ in TP5 (ICC)", "survey", "How much of what people answer about C1 to C4 is a matter of their"
    " team.", _ICC, "from 30 answers of 5 teams on; near 0 a team's mean says little of the team", FEWEST_ANSWERS,
    unit="ratio",
)  # fmt: skip
IC6 = Measure(
    "IC6", "teams differ in TP6 (ICC)", "survey", "How much of what people answer about T1 to T4 is a matter of their"
    " team.", _ICC, "from 30 answers of 5 teams on; near 0 a team's mean says little of the team", FEWEST_ANSWERS,
    unit="ratio",
)  # fmt: skip
RW5 = Measure(
    "RW5", "the team is agreed on TP5 (r_wg)", "survey", "How much closer its answers to C1 to C4 are than chance.",
    _RWG, "of few answers it is low by itself; from .7 on a mean stands for the team", 4, unit="ratio",
)  # fmt: skip
RW6 = Measure(
    "RW6", "the team is agreed on TP6 (r_wg)", "survey", "How much closer its answers to T1 to T4 are than chance.",
    _RWG, "of few answers it is low by itself; from .7 on a mean stands for the team", 4, unit="ratio",
)  # fmt: skip
OF_SCALE: Final = {"communication": (AL5, IC5, RW5), "cooperation": (AL6, IC6, RW6)}


def reliabilities(inputs: Inputs, rules: SurveyRules) -> list[Value]:
    """Of both scales."""
    found = []
    for scale, (alpha, icc, rwg) in OF_SCALE.items():
        asked = inputs.asked_of.get(scale)
        found += [alpha_of(alpha, asked), icc_of(icc, asked), agreement(rwg, _answered(inputs, scale), rules)]
    return found


def alpha_of(measure: Measure, asked: Asked | None) -> Value:
    """Cronbach's alpha (1951) of all who answered every question of a scale."""
    if asked is None or asked.answers < FEWEST_ANSWERS:
        return measure.nothing(f"{asked.answers if asked else 0} of at least {FEWEST_ANSWERS} answers of all teams")
    whole = asked.whole.variance
    if not whole:
        return measure.nothing("all answered alike")
    k = len(asked.questions)
    apart = sum(each.variance for each in asked.questions)
    return measure.number(k / (k - 1) * (1 - apart / whole), asked.answers, asked.sources)


def icc_of(measure: Measure, asked: Asked | None) -> Value:
    """ICC(1) of the sums of a scale over teams (Bartko 1976); what is below nothing is nothing."""
    answers, teams = (asked.answers, asked.teams) if asked else (0, 0)
    if asked is None or answers < FEWEST_ANSWERS or teams < FEWEST_TEAMS:
        return measure.nothing(
            f"{answers} of at least {FEWEST_ANSWERS} answers, {teams} of at least {FEWEST_TEAMS} teams"
        )
    whole = asked.whole
    between = (asked.by_team - whole.total * whole.total / answers) / (teams - 1)
    within = (whole.squares - asked.by_team) / (answers - teams)
    # Teams differ in size: k is what their mean size would be if those of the same size counted alike.
    k = (answers - asked.sizes / answers) / (teams - 1)
    spread = between + (k - 1) * within
    if spread <= 0:
        return measure.nothing("all answered alike")
    return measure.number(max(0.0, (between - within) / spread), answers, asked.sources)


def agreement(measure: Measure, answered: Sequence[Survey], rules: SurveyRules) -> Value:
    """r_wg(J) (James, Demaree & Wolf 1984) of a team; answers that differ more than by chance are not agreed at all."""
    fewest = min((each.answers for each in answered), default=0)
    short = [each for each in answered if each.answers < rules.inside or each.answers < rules.response * each.asked]
    if not answered or short:
        return measure.nothing(f"{fewest} answers to a question; at least {rules.inside} of enough of those asked")
    questions = len(answered)
    varied = mean_of([each.deviation * each.deviation for each in answered]) / CHANCE
    agreed = questions * max(0.0, 1 - varied)
    return measure.number(agreed / (agreed + varied) if agreed else 0.0, fewest, answered[0].sources)


def _answered(inputs: Inputs, scale: str) -> list[Survey]:
    """What the team answered to each question of a scale, if it was asked all of them."""
    found = [inputs.surveys[each] for each in QUESTIONS[scale] if each in inputs.surveys]
    return found if len(found) == len(QUESTIONS[scale]) else []
