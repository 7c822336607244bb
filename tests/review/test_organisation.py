"""The graph of the whole organisation: against known networks, against every labelling, and of nobody in particular."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.review.association import pair_of
from services.metrics.review.chance import inwardness, inwardness_of_many
from services.metrics.review.communities import by_chance, communities, modularity
from services.metrics.review.inputs import CheckIn, Inputs, Member, Request
from services.metrics.review.network import Graph
from services.metrics.review.organisation import FEW, Whole, whole_of
from services.metrics.review.rule_set import built_in
from shared.events.teams import MemberJoined
from tests.charter import switched_on
from tests.review.four_teams import QUARTER, of_north
from tests.review.north import END, START
from tests.review.told import heard, recruited, team_of
from tests.teams.conftest import problem
from tests.world import World, client_of, token_headers

RULES = built_in()
KARATE = {
    1: (2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 18, 20, 22, 32), 2: (3, 4, 8, 14, 18, 20, 22, 31),
    3: (4, 8, 9, 10, 14, 28, 29, 33), 4: (8, 13, 14), 5: (7, 11), 6: (7, 11, 17), 7: (17,), 9: (31, 33, 34), 10: (34,),
    14: (34,), 15: (33, 34), 16: (33, 34), 19: (33, 34), 20: (34,), 21: (33, 34), 23: (33, 34),
    24: (26, 28, 30, 33, 34), 25: (26, 28, 32), 26: (32,), 27: (30, 34), 28: (34,), 29: (32, 34), 30: (33, 34),
    31: (33, 34), 32: (33, 34), 33: (34,),
}  # fmt: skip
"""Who of a club had to do with whom (Zachary 1977): 34 members, 78 ties."""
WITH_HI = {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 17, 18, 20, 22}
"""The half that went with the teacher when the club fell apart, but for the ninth."""


def club() -> Graph:
    ties = [pair_of(f"{one:02d}", f"{other:02d}") for one, others in KARATE.items() for other in others]
    return Graph([f"{each:02d}" for each in range(1, 35)], ties)


def test_the_club_that_fell_apart_has_the_modularity_that_is_known_of_it() -> None:
    graph = club()
    halves = {node: "hi" if int(node) in WITH_HI else "john" for node in graph.nodes}
    assert graph.ties == 78
    assert modularity(graph, halves) == pytest.approx(0.3715, abs=5e-5)
    found = communities(graph)
    best = modularity(graph, {who: str(number) for number, group in enumerate(found) for who in group})
    assert best is not None
    assert 0.41 <= best <= 0.4198, "0.4198 is the most there is"
    assert len(found) == 4
    assert modularity(Graph("AB", []), {"A": "x", "B": "x"}) is None


@given(st.permutations(range(34)))
def test_calling_everybody_otherwise_changes_no_group_but_in_its_names(order: list[int]) -> None:
    graph = club()
    called = {node: f"p{order[place]:02d}" for place, node in enumerate(graph.nodes)}
    ties = [pair_of(called[one], called[other]) for one in graph.nodes for other in graph.around[one] if one < other]
    other = communities(Graph(called.values(), ties))
    assert sorted(map(len, other)) == sorted(map(len, communities(graph)))


def test_what_chance_would_make_is_the_mean_over_every_dealing() -> None:
    nodes, ties = "ABCDEF", [("A", "B"), ("A", "C"), ("B", "C"), ("C", "D"), ("D", "E"), ("E", "F")]
    graph = Graph(nodes, ties)
    dealt = [{node: "x" if node in one else "y" for node in nodes} for one in combinations(nodes, 2)]
    every = [modularity(graph, each) or 0.0 for each in dealt]
    assert by_chance(graph, dealt[0]) == pytest.approx(sum(every) / len(every))


def test_of_many_the_moments_say_what_drawing_says() -> None:
    draw = Random(7)
    people = [f"{each:03d}" for each in range(60)]
    department = {each: "abcd"[int(each) % 4] for each in people}
    pairs = list(combinations(people, 2))
    for lean in (0, 25, 60):
        inside = [pair for pair in pairs if department[pair[0]] == department[pair[1]]]
        ties = sorted({*draw.sample(pairs, 120), *draw.sample(inside, lean)})
        drawn, moments = inwardness(department, ties, 4000), inwardness_of_many(department, ties)
        assert drawn is not None
        assert moments is not None
        assert (moments.index, moments.expected) == pytest.approx((drawn.index, drawn.expected))
        assert moments.p == pytest.approx(drawn.p, abs=0.02), lean


# -- of an organisation ---------------------------------------------------------------------------------------------


def company(sizes: Mapping[str, int], **more: Any) -> tuple[Inputs, dict[str, str]]:
    """Departments of so many: in each everybody turns to the next one four times."""
    belongs = {f"{name}{number:02d}": name for name, size in sizes.items() for number in range(size)}
    turned: list[CheckIn] = []
    for name in sizes:
        mates = [each for each in belongs if belongs[each] == name]
        for one, other in zip(mates, [*mates[1:], mates[0]], strict=True):
            turned += [_turned(one, other, len(turned) + each) for each in range(4) if one != other]
    members = tuple(Member(id=each, department=name) for each, name in belongs.items())
    inputs = Inputs(team="", department="", start=START, end=END, asked=END, members=members, check_ins=tuple(turned))
    return replace(inputs, **more), belongs


def _turned(one: str, other: str, number: int) -> CheckIn:
    return CheckIn(id=f"c{number:05d}", giver=one, receiver=other, on=START)


def asks(who: str, whom: str, times: int, answered: bool) -> list[Request]:
    return [
        Request(id=f"{who}-{whom}-{each}", asked_on=START, from_member=who, to_member=whom, from_department=who[:-2],
                to_department=whom[:-2], promised_by=date(2026, 2, 1), on_time=answered or None,
                resolved_on=START if answered else None)
        for each in range(times)
    ]  # fmt: skip


def test_what_runs_between_departments_is_told_the_least_covered_first() -> None:
    requests = asks("sales00", "it00", 6, True) + asks("sales01", "it01", 9, False) + asks("hr00", "it00", 4, True)
    inputs, belongs = company({"sales": 20, "it": 10, "hr": 8}, requests=tuple(requests))
    found = whole_of(inputs, RULES, belongs)
    assert [(each.pair, each.ties, each.coverage.hits, each.coverage.of) for each in found.between] == [
        (("it", "sales"), 1, 6, 15), (("hr", "it"), 1, 4, 4),
    ]  # fmt: skip
    assert (found.between[0].coverage.value, found.between[1].coverage.value) == (40, None), "4 are too few to say"
    units = {each.ref: (each.members, each.inside, each.outside, each.coverage.of) for each in found.units}
    assert units == {"sales": (20, 20, 1, 15), "it": (10, 10, 2, 19), "hr": (8, 8, 1, 4)}
    assert (found.members, found.ties, found.untied) == (38, 40, 0)
    assert (found.coverage.hits, found.coverage.of) == (10, 19)


def test_silos_have_much_modularity_and_chance_has_none() -> None:
    inputs, belongs = company({"sales": 20, "it": 10, "hr": 8})
    found = whole_of(inputs, RULES, belongs)
    silo = [20 / 38, 10 / 38, 8 / 38]
    assert found.modularity.value == pytest.approx(1 - sum(each * each for each in silo))
    assert found.chance == pytest.approx(-0.0165, abs=1e-4)
    assert found.inwardness is not None
    assert (found.inwardness.index, found.inwardness.told) == (-1, True)
    assert (found.found.value or 0) > (found.modularity.value or 0), "rings of many fall into more groups than these"


@pytest.mark.parametrize(("sizes", "why"), [
    ({"sales": 15, "it": 8, "hr": 6}, "29 of at least 30 members, 3 of at least 3 departments or teams"),
    ({"sales": 20, "it": 20}, "40 of at least 30 members, 2 of at least 3 departments or teams"),
])  # fmt: skip
def test_of_too_few_no_silo_is_told(sizes: Mapping[str, int], why: str) -> None:
    found = whole_of(*_swapped(company(sizes)))
    assert (found.modularity.value, found.modularity.missing) == (None, why)
    assert (found.chance, found.inwardness) == (None, None)


def _swapped(of: tuple[Inputs, dict[str, str]]) -> tuple[Inputs, Any, dict[str, str]]:
    return of[0], RULES, of[1]


def test_people_who_work_together_are_found_wherever_they_belong() -> None:
    """Three of each department work with each other, and with nobody of their own."""
    inputs, belongs = company({"sales": 12, "it": 12, "hr": 12}, check_ins=())
    circles = [[f"{name}{3 * circle + each:02d}" for name in ("sales", "it", "hr") for each in range(3)]
               for circle in range(4)]  # fmt: skip
    pairs = [pair for circle in circles for pair in combinations(circle, 2)]
    turned = tuple(_turned(*pair, 10 * number + each) for number, pair in enumerate(pairs) for each in range(4))
    found = whole_of(replace(inputs, check_ins=turned), RULES, belongs)
    assert [(each.members, each.ties, each.of) for each in found.groups] == [
        (9, 36, {"hr": 3, "it": 3, "sales": 3})
    ] * 4  # fmt: skip
    assert found.found.value == pytest.approx(0.75)
    assert (found.modularity.value or 0) < 0 < (found.found.value or 0)


def test_what_is_of_few_is_joined_until_it_is_of_enough() -> None:
    found = whole_of(*_swapped(company({"sales": 20, "it": 9, "hr": 3, "board": 1})))
    assert {each.ref: each.members for each in found.units} == {"sales": 20, FEW: 13}, "4 and the smallest other one"
    found = whole_of(*_swapped(company({"sales": 20, "it": 9, "hr": 3, "board": 2})))
    assert {each.ref: each.members for each in found.units} == {"sales": 20, "it": 9, FEW: 5}
    inputs, belongs = company({"sales": 20, "it": 9, "hr": 3, "none": 12})
    placed = {who: "" if place == "none" else place for who, place in belongs.items()}
    found = whole_of(inputs, RULES, placed)
    assert {each.ref: each.members for each in found.units} == {"sales": 20, "it": 9, FEW: 15}, "with who is nowhere"


def test_nobody_is_named() -> None:
    requests = asks("sales00", "it00", 6, True) + asks("sales01", "it01", 9, False)
    inputs, belongs = company({"sales": 20, "it": 10, "hr": 8}, requests=tuple(requests))
    told = str(_names_in(whole_of(inputs, RULES, belongs)))
    assert not [each for each in belongs if each in told]


def _names_in(found: Whole) -> Sequence[Any]:
    covered = [each.coverage for each in found.units] + [each.coverage for each in found.between]
    return [
        [(each.ref, each.members) for each in found.units], [each.pair for each in found.between],
        [(each.members, each.of) for each in found.groups], found.modularity, found.found, found.inwardness,
        [(each.value, each.missing) for each in covered],
    ]  # fmt: skip


# -- out of the API -------------------------------------------------------------------------------------------------


def everybody() -> Any:
    """North with those it works with, and two more teams, so that there are more than thirty."""
    lives = of_north()
    for number in range(5):
        lives |= recruited(f"z{number}", "sales")
        lives[f"member/z{number}"].append(MemberJoined(team="elsewhere", on=START))
    for name in ("marketing", "delivery"):
        for number in range(12):
            lives |= recruited(f"{name}{number:02d}", name)
    return lives | team_of("south", [f"s{each}" for each in range(7)], "s0")


async def test_the_coverage_of_a_team_in_the_graph_of_all_is_that_of_its_review(world: World) -> None:
    await heard(world, everybody())
    await switched_on(world)
    period = {"from": START.isoformat(), "to": END.isoformat()}
    review = (await world.made("/v1/reviews", {"team": "north", "period": period}))["document"]
    teams = (await world.admin.get("/v1/associations/organisation", params=period | {"by": "team"})).json()
    north = next(each for each in teams["units"] if each["ref"] == "north")
    told = review["measures"]["team"]["TP4"]
    assert {each: north["coverage"][each] for each in ("numerator", "n", "low", "high")} == {
        each: told[each] for each in ("numerator", "n", "low", "high")
    }
    assert (north["coverage"]["numerator"], north["coverage"]["n"]) == ("11.0000", "17.0000")
    assert north["ties_inside"] == review["associations"]["network"]["ties"] == 5
    found = (await world.admin.get("/v1/associations/organisation", params=period)).json()
    pairs = {tuple(each["between"]): each["coverage"] for each in found["between"]}
    assert (pairs["delivery", "sales"]["numerator"], pairs["delivery", "sales"]["n"]) == ("7.0000", "9.0000")
    assert (pairs["marketing", "sales"]["numerator"], pairs["marketing", "sales"]["n"]) == ("4.0000", "8.0000")
    assert found["between"][0]["between"] == ["marketing", "sales"], "four needs without a tie"
    assert float(found["modularity"]["value"]) == pytest.approx(_by_hand(), abs=1e-4)
    assert set(found["definitions"]) == {"TP4", "MOD", "FOUND"}


def _by_hand() -> float:
    """Eight ties: five within sales, one to marketing, two to delivery."""
    degrees = {"sales": 13, "marketing": 1, "delivery": 2}
    return 5 / 8 - sum((each / 16) * (each / 16) for each in degrees.values())


async def test_the_graph_of_all_is_for_who_may_hold_reviews_and_of_at_most_a_quarter(standing: World) -> None:
    await heard(standing, everybody())
    path = "/v1/associations/organisation"
    long = await standing.admin.get(path, params={"period": "2026"})
    assert "365 days is longer than 92" in problem(long, 422, "/period")
    early = await standing.admin.get(path, params={"period": "2999-Q1"})
    assert "2999-01-01" in problem(early, 422, "/period")
    for scopes, status in ((("associations:read",), 403), (("reviews:write",), 200)):
        headers = token_headers(standing.settings, *scopes, member="B")
        async with client_of(standing.origin, headers) as client:
            answer = await client.get(path, params={"from": str(START), "to": str(START + QUARTER)})
        assert answer.status_code == status
