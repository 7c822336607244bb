"""Names on the page: where ids stood, two of one name apart, and what speaks of several things under one of its own."""

from __future__ import annotations

from typing import Any

import pytest

from services.metrics.page.called import as_told, named, refs_in
from services.metrics.page.layout import LAYOUTS, RELATIONSHIPS
from services.metrics.page.values import Called, shown
from services.metrics.views import VIEWS

ADA, OTHER, NORTH, VISITS, GOAL = (f"{kind}_{number:026d}" for number, kind in enumerate(
    ("mbr", "mbr", "team", "chl", "goal")
))  # fmt: skip
NAMES = {ADA: "Ada-Lina Berg", OTHER: "Ada-Lina Berg", NORTH: "North", VISITS: "Ten visits"}
PLACES = {"sales": "Sales", "it": "IT"}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({ADA: "present"}, "Ada-Lina Berg: present"),
        ({ADA: "present", OTHER: "excused"}, f"{ADA.replace('mbr', 'Mbr').replace('_', ' ')}: present; "
         f"{OTHER.replace('mbr', 'Mbr').replace('_', ' ')}: excused"),
        ([{"of": NORTH, "from": "2026-01-01", "to": None}], "North: From: 2026-01-01"),
        ([{"member": ADA, "department": "it"}, "it"], ": Member: Ada-Lina Berg; Department: IT; : it"),
        (f"see {ADA}", f"see {ADA}"),
    ],
)  # fmt: skip
def test_an_id_gives_way_to_a_name_as_it_is_written(value: Any, told: str) -> None:
    assert str(shown(named(value, NAMES, PLACES))) == told
    assert refs_in(value) <= NAMES.keys()


def test_a_name_that_is_a_number_stays_a_name() -> None:
    assert shown(Called("2024")) == shown("2024").__class__(("2024",))


def test_challenges_relationships_and_pairs_are_told_by_what_they_are_called() -> None:
    challenge = {"challenge": VISITS, "team": NORTH, "group": None, "goal": GOAL, "progress": "0.87", "reached": None}
    (found,) = as_told("challenges", [challenge], NAMES)
    assert found == {"name": "Ten visits", "for": "North", "goal": GOAL, "progress": "87.0\N{NO-BREAK SPACE}%"}
    # Who may not read challenges still sees whose it is.
    (unread,) = as_told("challenges", [challenge], {NORTH: "North"})
    assert unread["name"] == "Of North"
    content = {"rate": "0.8", "numerator": 4, "denominator": 5}
    told = as_told("csat_by_relationship", [{"customer": "Acme", "member": ADA, "csat": content}], NAMES)
    assert told == [{"name": "Acme and Ada-Lina Berg", "csat": content}]
    assert list(as_told("on_time_by_pair", {"sales>it": content}, PLACES)) == ["Sales \N{RIGHTWARDS ARROW} IT"]
    aim = {
        "ref": "tgt_1",
        "metric": "csat",
        "unit": "number",
        "period": {"label": "2026-Q1"},
        "target": "0.85",
        "actual": None,
        "attainment": None,
        "variance": None,
        "pace": None,
        "health": "at_risk",
        "reached": False,
    }
    (target,) = as_told("other_targets", [aim], NAMES)
    assert (target["name"], target["period"], target["target"], target["health"]) == (
        "Csat",
        "2026-Q1",
        "0.85",
        "At risk",
    )
    assert as_told("challenges", None, NAMES) is None


@pytest.mark.parametrize("department", ["sales", "hr"])
def test_relationships_have_a_section_of_their_own(department: str) -> None:
    (group,) = (each for each in LAYOUTS[department].groups if each.title == RELATIONSHIPS)
    assert set(group.keys) == {key for keys in VIEWS[department].relationships.values() for key in keys}
