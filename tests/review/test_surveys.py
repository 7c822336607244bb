"""What a pulse tells a review: from its sums the mean and deviation that the answers have."""

from __future__ import annotations

import pytest

from services.metrics.facts.pulses import PulseFact
from services.metrics.review.conventions import deviation_of, mean_of
from services.metrics.review.reading.surveys import of_sums
from services.metrics.review.team_process import TP5


def a_pulse(answers: list[list[int]], asked: int = 6) -> PulseFact:
    totals = [sum(each) for each in answers]
    sums = {"n": len(totals), "total": sum(totals), "squares": sum(each * each for each in totals)}
    return PulseFact.make(id="p", asked=asked, answered=len(answers), sums={"communication": sums})


def test_the_sums_of_a_pulse_give_the_mean_and_deviation_of_its_answers() -> None:
    answers = [[3, 4, 2, 3], [5, 4, 4, 4], [1, 2, 2, 2], [3, 3, 3, 3], [4, 4, 3, 2]]
    found = of_sums(a_pulse(answers), "communication")
    means = [mean_of(each) for each in answers]
    assert found.answers == 5
    assert found.mean == pytest.approx(mean_of(means))
    assert found.deviation == pytest.approx(deviation_of(means))


def test_of_too_few_answers_only_their_number_is_known() -> None:
    silent = PulseFact.make(id="p", asked=6, answered=3)
    assert TP5.answers(of_sums(silent, "communication"), 4, 0.6).missing is not None
    assert "3 answers of 6 asked" in str(TP5.answers(of_sums(silent, "communication"), 4, 0.6).missing)
