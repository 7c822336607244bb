"""The association graph of team North: who has to do with whom, and what that tells."""

from __future__ import annotations

import pytest

from services.metrics.review.association import Edge, Pair, contacts_of, edges_of, helps_of, needs_of
from services.metrics.review.chance import inwardness
from services.metrics.review.finding import find
from services.metrics.review.inputs import Inputs, Item, Member
from services.metrics.review.network import network_of
from services.metrics.review.rule_set import built_in
from tests.review.north import NORTH, START, north

RULES = built_in()


@pytest.fixture(scope="module")
def edges() -> dict[Pair, Edge]:
    return edges_of(north(), RULES.graph)


@pytest.mark.parametrize(
    ("pair", "points", "strength", "what"),
    [
        ("BC", 10.283, 0.720, "strong"), ("AB", 9.283, 0.699, "strong"), ("AD", 8.283, 0.674, "strong"),
        ("AC", 7.783, 0.661, "strong"), ("AE", 3.95, 0.497, "tie"), (("B", "M1"), 3.5, 0.467, "tie"),
        (("D", "V1"), 2.5, 0.385, "tie"), (("A", "V1"), 2.0, 0.333, "tie"), ("BD", 1.283, 0.243, "no"),
        ("CD", 1.283, 0.243, "no"), ("AF", 1.2, 0.231, "no"), (("C", "M1"), 1.0, 0.200, "no"),
    ],
)  # fmt: skip
def test_a_pair_has_the_points_of_its_evidence(
    edges: dict[Pair, Edge], pair: Pair | str, points: float, strength: float, what: str
) -> None:
    edge = edges[pair[0], pair[1]]
    assert (round(edge.total, 3), round(edge.strength, 3)) == (points, strength)
    assert ("strong" if edge.strong else "tie" if edge.tie else "no") == what


def test_an_edge_says_what_it_is_made_of(edges: dict[Pair, Edge]) -> None:
    assert edges["B", "C"].counts == {"meetings": 10, "items": 3, "actions": 3, "check_ins": 6}
    assert edges["A", "B"].points["check_ins"] == 4, "capped from 6"
    assert {"item/i12", "meeting/m0"} <= set(edges["B", "C"].sources)


def test_ten_meetings_together_alone_are_no_tie() -> None:
    together = edges_of(north(items=(), actions=(), check_ins=(), requests=()), RULES.graph)
    assert round(together["B", "C"].total, 2) == 1.28
    assert not any(each.tie for each in together.values())


def test_the_graph_of_the_team_is_a_star_with_somebody_left_out() -> None:
    network = find(north(), RULES).network
    assert (network.ties, round(network.density or 0, 3)) == (5, 0.333)
    assert network.degrees == {"A": 4, "B": 2, "C": 2, "D": 1, "E": 1, "F": 0}
    assert round(network.degree_centralisation or 0, 2) == 0.70
    assert round(network.betweenness_centralisation or 0, 2) == 0.50
    assert network.isolates == ("F",)


def test_half_of_all_help_comes_from_one_and_without_them_little_is_left() -> None:
    finding = find(north(), RULES)
    network = finding.network
    assert (network.help_given["A"], len(finding.helps)) == (12, 20)
    assert round(network.help_share["A"], 2) == 0.60
    assert network.reciprocity == 0.50
    assert round(network.efficiency or 0, 2) == 0.50
    assert round(network.removal_impact["A"], 2) == 0.80


def test_the_pattern_looks_inward_but_eight_ties_do_not_show_it(edges: dict[Pair, Edge]) -> None:
    inputs = north()
    ties = [pair for pair, edge in edges.items() if edge.tie]
    found = inwardness(inputs.department_of, ties, 2000)
    assert found is not None
    assert (len(ties), found.labelings) == (8, 1260)
    assert (found.index, round(found.expected, 4), round(found.p, 4)) == (-0.25, 0.2444, 0.1857)
    assert not found.told


def test_drawn_labels_agree_with_all_of_them(edges: dict[Pair, Edge]) -> None:
    ties = [pair for pair, edge in edges.items() if edge.tie]
    every, drawn = (inwardness(north().department_of, ties, most) for most in (1260, 1200))
    assert every is not None
    assert drawn is not None
    assert drawn.labelings == 1200
    assert abs(every.p - drawn.p) < 0.04


def test_needed_ties_come_from_work_and_the_uncovered_are_named() -> None:
    finding = find(north(), RULES)
    covered = finding.team["TP4"]
    assert (covered.hits, covered.of, round(covered.value or 0, 1)) == (11, 17, 64.7)
    assert (round(covered.low or 0, 1), round(covered.high or 0, 1)) == (44.9, 80.5)
    assert [(each.pair, each.times) for each in finding.uncovered()] == [
        (("C", "M1"), 3), (("E", "V2"), 2), (("F", "M2"), 1),
    ]  # fmt: skip


def test_small_teams_are_told_less() -> None:
    helps = helps_of(north())
    two = network_of(["A", "B"], [("A", "B")], helps[:2])
    assert (two.density, two.degree_centralisation, two.efficiency, two.reciprocity) == (None, None, None, None)
    assert (two.isolates, two.help_share, two.removal_impact) == ((), {}, {})


def test_a_department_stands_where_nobody_in_it_was_named() -> None:
    whole = north()
    unnamed = [
        type(each)(**{name: getattr(each, name) for name in ("id", "asked_on", "from_department", "to_department")},
                   from_member=each.from_member)
        for each in whole.requests if each.from_member in set(NORTH)
    ]  # fmt: skip
    pairs = {each.pair for each in needs_of(north(requests=tuple(unnamed)))}
    assert ("B", "department:marketing") in pairs


def test_an_item_about_ones_own_department_needs_nobody_and_one_about_another_does() -> None:
    def about(name: str, who: str, department: str) -> Item:
        return Item(id=name, raised_by=who, raised_on=START, about=department)

    mine = (about("own", "A", "sales"), about("other", "A", "marketing"))
    assert [each.pair for each in needs_of(north(items=mine, requests=()))] == [("A", "department:marketing")]
    # Of the whole organisation each has a department of their own.
    everybody = (*north().members, Member(id="M1", department="marketing"))
    more = {"department": "", "members": everybody, "items": (*mine, about("theirs", "M1", "marketing"))}
    assert [each.pair for each in needs_of(north(**more, requests=()))] == [("A", "department:marketing")]


def test_large_meetings_give_nobody_anything() -> None:
    crowd = frozenset(f"x{each}" for each in range(13))
    inputs: Inputs = north(meetings=(type(north().meetings[0])(id="all", on=north().start, attended=crowd),))
    assert not [each for each in contacts_of(inputs, RULES.graph) if each.channel == "meetings"]
