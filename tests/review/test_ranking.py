"""The table of options of the specification, and what must hold of any such table."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from services.metrics.review.choice import Choice, choose, settled
from services.metrics.review.options import Catalogue, Effect, built_in
from services.metrics.review.prior import updated
from services.metrics.review.ranking import (
    Scales,
    candidate_of,
    firsts,
    packages,
    rank,
    score_of,
    together,
    values_of,
)  # fmt: skip
from services.metrics.review.rule_set import built_in as built_in_rules
from services.metrics.review.thresholds import CRITERIA, RankingRules, Swing
from tests.review.north import rounded

SWING = Swing(benefit=30_000, risk=10_000, cost=6_000, effort=6_660, time=3_000)
RANKING: RankingRules = built_in_rules().ranking.model_copy(update={"swing": SWING})
SCALES = Scales(21.1, 10_000, 6_000, 148, 13, {name: getattr(SWING, name) for name in CRITERIA})
MEANT = ("O0", "O1a", "O1b", "O2", "O3", "O8")
CANDIDATES = [candidate_of(each, "COM", 6) for each in built_in().options if each.id in MEANT]


@pytest.fixture(scope="module")
def choice() -> Choice:
    return settled(CANDIDATES, [], "COM", SCALES, RANKING)


@pytest.mark.parametrize(
    ("name", "values", "score", "net", "better"),
    [
        ("O0", [0, 100, 100, 100, 100], 46.1, 0, None),
        ("O1a", [28.4, 87.0, 95.0, 64.9, 76.9], 53.1, 3_898, 0.59),
        ("O1b", [46.4, 94.0, 80.0, 56.8, 69.2], 61.1, 8_331, 0.65),
        ("O2", [19.9, 93.8, 40.0, 56.8, 53.8], 41.6, -2_518, 0.35),
        ("O3", [33.2, 96.0, 90.0, 78.7, 69.2], 58.0, 6_612, 0.63),
        ("O8", [19.9, 95.5, 100, 86.5, 61.5], 52.3, 3_468, 0.49),
        ("O1b+O3", [64.2, 90.0, 70.0, 35.5, 69.2], 66.3, 11_243, 0.83),
    ],
)
def test_an_option_is_worth_what_was_worked_by_hand(
    choice: Choice, name: str, values: list[float], score: float, net: float, better: float | None
) -> None:
    row = choice.row(name)
    assert [row.values[each] for each in CRITERIA] == pytest.approx(values, abs=0.0501)
    assert rounded([row.score]) == [score]
    assert row.net == pytest.approx(net, abs=1)
    assert row.better is None if better is None else row.better == pytest.approx(better, abs=0.0051)


def test_the_package_is_proposed_and_how_clear_it_is_is_said(choice: Choice) -> None:
    assert [each.candidate.name for each in choice.table] == ["O1b+O3", "O1b", "O3", "O1a", "O8", "O0", "O2"]
    assert (choice.best, choice.firsts, choice.clear, choice.flagged) == ("O1b+O3", 9, True, False)
    assert choice.row("O2").dominated_by == ("O1b", "O3", "O8")
    assert choice.row("O1b+O3").score - choice.row("O1b").score == pytest.approx(5.2, abs=0.05)


def test_a_package_that_is_hardly_better_does_not_replace_the_best_single() -> None:
    rules = RANKING.model_copy(update={"better": 5.5})
    found = settled(CANDIDATES, [], "COM", SCALES, rules)
    assert (found.best, found.clear) == ("O1b", False)
    assert "O1b+O3" not in [each.candidate.name for each in found.table]


def test_options_that_are_not_joined_make_no_package_whichever_of_them_says_so() -> None:
    known = built_in()
    for one, other in (("O1b", "O3"), ("O3", "O1b")):
        kept = tuple(
            each.model_copy(update={"not_with": (other,)}) if each.id == one else each for each in known.options
        )
        found = [candidate_of(each, "COM", 6) for each in kept if each.id in MEANT]
        names = {each.name for each in packages(found, SCALES)}
        assert "O1b+O3" not in names
        assert "O1b+O8" in names
    with pytest.raises(ValueError, match="there is no option O77 that another is not joined with"):
        Catalogue.model_validate(
            known.model_dump() | {"options": [each.model_dump() | {"not_with": ["O77"]} for each in known.options]}
        )


def test_only_where_the_benefit_weighs_half_the_debrief_leads() -> None:
    halved = replace(SCALES, swing={**SCALES.swing, "benefit": 15_000})
    pair = together(CANDIDATES[2], CANDIDATES[4])
    scores = {each.name: score_of(values_of(each, halved), halved.weights) for each in [*CANDIDATES, pair]}
    assert scores["O3"] - scores["O1b+O3"] == pytest.approx(0.06, abs=0.03)
    assert firsts("O1b+O3", [*CANDIDATES, pair], SCALES) == 9


def test_options_that_would_run_through_the_hub_or_add_meetings_are_screened() -> None:
    found = choose(built_in(), {"W-COM", "W-HUB"}, "COM", SCALES, 6, RANKING, {"W-HUB"})
    assert [(each.option, each.why) for each in found.screened] == [("O1a", "it would run through the hub")]
    assert "O6" in [each.candidate.name for each in found.table]
    poor = replace(SCALES, budget=1_000)
    screened = choose(built_in(), {"W-COM"}, "COM", poor, 6, RANKING).screened
    assert [each.option for each in screened] == ["O1b"]


def test_without_stated_swings_the_ranking_is_flagged_and_has_no_money() -> None:
    rules = built_in_rules().ranking
    scales = replace(SCALES, swing={name: getattr(rules.swing, name) for name in CRITERIA})
    found = settled(CANDIDATES, [], "COM", scales, rules)
    assert found.flagged
    assert {each.net for each in found.table} == {None}


def test_what_was_observed_updates_what_is_expected() -> None:
    found = updated(Effect(mean=14, deviation=7), 16, 8.7)
    assert (round(found.mean, 1), round(found.deviation, 1), found.source) == (14.8, 5.5, "own results")


def test_the_probability_of_a_package_agrees_with_draws() -> None:
    draw = random.Random(7)
    pair, weights = together(CANDIDATES[2], CANDIDATES[4]), SCALES.weights
    nothing, won = score_of(values_of(CANDIDATES[0], SCALES), weights), 0
    for _ in range(20_000):
        left = 1.0
        for each in pair.chances:
            done = draw.random() < each.probability
            left *= 1 - (min(1.0, draw.gauss(each.mean, each.deviation) / SCALES.gap) if done else 0)
        won += score_of(values_of(pair, SCALES) | {"benefit": 100 * (1 - left)}, weights) > nothing
    better = rank([CANDIDATES[0], pair], SCALES, money=True)[0].better
    assert better == pytest.approx(won / 20_000, abs=0.015)


def test_the_catalogue_refuses_what_it_does_not_know() -> None:
    options = [each.model_dump() for each in built_in().options]
    for wrong, said in (
        ({"effects": {"XYZ": {"mean": 1, "deviation": 1}}}, "no measure XYZ"),
        ({"when": ["W-XYZ"]}, "no weakness W-XYZ"),
        ({"id": "O0"}, "O0 is there more than once"),
    ):
        with pytest.raises(ValueError, match=said):
            Catalogue.model_validate({"version": "own", "options": [*options, options[1] | {"id": "P1"} | wrong]})
    with pytest.raises(ValueError, match="no action, is always one"):
        Catalogue.model_validate({"version": "own", "options": options[1:]})
