"""What of a review is for whom: few answers are not told outside, a hub's hours to its leader; what opens to what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.metrics.review import options
from services.metrics.review.catalogue import MEASURES, defined
from services.metrics.review.diagnosis import diagnose
from services.metrics.review.finding import find
from services.metrics.review.inputs import Deal
from services.metrics.review.measure import Survey
from services.metrics.review.opened import opened
from services.metrics.review.seen import as_seen
from services.metrics.review.snapshot import take
from services.metrics.review.thresholds import CRITERIA
from tests.review.north import START
from tests.review.test_snapshot import RULES, whole

FEW = {"communication": Survey(3.0, 0.8, 4, 6), "cooperation": Survey(4.1, 0.7, 6, 6)}


def document(**other: Any) -> dict[str, Any]:
    return dict(take(replace(whole(), **other), RULES, options.built_in()).document)


def test_what_four_have_answered_is_for_the_team_and_not_for_those_outside() -> None:
    found = document(surveys=FEW)
    inside, outside = as_seen(found, "team", "A"), as_seen(found, "outside", None)
    assert inside["measures"]["team"]["TP5"]["value"] == "50.0000"
    for each in ("TP5", "COM"):
        told = outside["measures"]["team"][each]
        assert (told["value"], told["low"], told["n"]) == (None, None, None)
        assert told["missing"] == "fewer than 5 answers: for the team and who leads it"
    assert outside["measures"]["team"]["TP6"]["value"] == "77.5000", "six have answered this"
    assert (outside["options"], outside["recommendation"]["value"]) == (None, None), "the gap would tell it"
    assert outside["recommendation"]["option"] == found["recommendation"]["option"]


def test_what_enough_have_answered_is_told_outside_too() -> None:
    found = document()
    outside = as_seen(found, "outside", None)
    assert outside["measures"]["team"]["COM"] == found["measures"]["team"]["COM"]
    assert outside["options"] == found["options"]


def test_others_see_the_graph_by_departments_and_nobody_in_it() -> None:
    found = as_seen(document(), "outside", None)["associations"]
    assert found["departments"] == [
        {"department": "delivery", "needs": 9, "covered": 7}, {"department": "marketing", "needs": 8, "covered": 4},
    ]  # fmt: skip
    assert (found["needed"], found["uncovered"]) == (17, 6)


def test_how_long_a_hub_sits_in_meetings_is_for_who_leads_them() -> None:
    found = document()
    assert as_seen(found, "whole", None)["weaknesses"]["W-HUB"]["meeting_hours"] == {"A": "10.0000"}
    for sight, member in (("team", "A"), ("outside", None)):
        assert "meeting_hours" not in as_seen(found, sight, member)["weaknesses"]["W-HUB"]  # type: ignore[arg-type]


def test_a_role_that_nobody_filled_is_shown_with_what_is_nobodys() -> None:
    deal = Deal(id="x", closed_on=START, won=True, owner="B", amount=40_000, roles=(("close", ("B",)),),
                credits=(("B", 40_000.0),))  # fmt: skip
    assert document(deals=(deal,))["unstaffed"] == {
        "demo": "8000.0000", "discovery": "8000.0000", "handover": "4000.0000", "source": "8000.0000",
    }  # fmt: skip
    assert document()["unstaffed"] == {}


def test_every_measure_says_what_it_means_in_which_unit_and_how_it_is_guarded() -> None:
    for measure in MEASURES.values():
        said = defined(measure, {})
        assert all(said[name] for name in ("name", "cell", "definition", "formula", "unit", "guard", "least")), said


@pytest.mark.parametrize("name", [*(f"values/{each}" for each in CRITERIA), "score", "net", "better_than_nothing"])
def test_every_number_of_the_table_says_what_it_is_computed_from(name: str) -> None:
    found = document()
    for place, row in enumerate(found["options"]["rows"]):
        meaning, figures = opened(found, RULES.ranking, f"/options/rows/{place}/{name}") or (None, {})
        assert meaning is not None
        assert meaning.formula
        assert None not in figures.values(), (row["option"], figures)
    assert opened(found, RULES.ranking, "/measures/team/COM") is None


def test_of_what_is_about_as_good_the_more_cautious_is_recommended() -> None:
    known = {each.id: each for each in options.built_in().options}
    bold = known["O3"].model_copy(update={
        "id": "O3+", "change": "high", "effects": {"COM": known["O3"].effects["COM"].model_copy(update={"mean": 10.5})},
    })  # fmt: skip
    few = options.Catalogue(version="few", options=(known["O0"], known["O3"], bold))
    small = RULES.model_copy(update={"ranking": RULES.ranking.model_copy(update={"budget": 900})})
    found = diagnose(find(whole(), small), few)
    assert found.choice is not None
    assert (found.choice.best, found.choice.clear) == ("O3+", False)
    assert (found.recommended, found.close) == ("O3", ("O3+",)), "it scores a little less, and changes less"
