"""The numbers of the specification, out of the HTTP API, from events that came over the bus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from tests.charter import switched_on
from tests.review.four_teams import COURSE, EARLIER, QUARTER, of_east, of_north, of_south, of_trial, of_west, others
from tests.review.north import END, START
from tests.review.told import heard
from tests.teams.conftest import problem
from tests.world import World, client_of, token_headers

SWING = {"benefit": 30_000, "risk": 10_000, "cost": 6_000, "effort": 6_660, "time": 3_000}
TRIED = ("tried", "tried-2", "tried-3", "tried-4")
EAST, SOUTH, WEST, ACTS = date(2024, 4, 1), date(2025, 3, 31), date(2025, 6, 30), date(2023, 10, 2)


@dataclass
class Told:
    """A Concert that has heard of all four teams, and the reviews that were made of them, by team and first day."""

    world: World
    reviews: dict[tuple[str, date], dict[str, Any]]

    def __getitem__(self, of: tuple[str, date]) -> dict[str, Any]:
        """The document of a review."""
        document: dict[str, Any] = self.reviews[of]["document"]
        return document

    @property
    def north(self) -> dict[str, Any]:
        return self["north", START]

    async def reviewed(self, team: str, start: date) -> dict[str, Any]:
        period = {"from": start.isoformat(), "to": (start + QUARTER).isoformat()}
        made = await self.world.made("/v1/reviews", {"team": team, "period": period})
        self.reviews[team, start] = made
        return made

    async def by_rules(self, name: str, **changed: Any) -> dict[str, Any]:
        """North's review by other rules, after which those from before hold again."""
        built_in = (await self.world.admin.get("/v1/rule-sets/built-in")).json()
        rules = merged(built_in, OURS)
        await self.world.made("/v1/rule-sets", {"rules": merged(rules, changed) | {"version": name}})
        period = {"from": START.isoformat(), "to": END.isoformat()}
        made = await self.world.made("/v1/reviews", {"team": "north", "period": period})
        await self.world.made("/v1/rule-sets", {"rules": rules | {"version": f"after {name}"}})
        document: dict[str, Any] = made["document"]
        return document


OURS: dict[str, Any] = {
    "training": {"courses": [COURSE]}, "ranking": {"swing": SWING}, "results": {"market": {"coast": 0.95}},
}  # fmt: skip


def merged(rules: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    return rules | {
        name: merged(rules.get(name) or {}, value) if isinstance(value, dict) else value
        for name, value in changed.items()
    }


@pytest.fixture(scope="module")
async def told(standing: World) -> Told:
    """Everything is on the log; then each quarter is reviewed after the one before."""
    lives = of_north() | others() | of_east(EAST) | of_west("west", WEST)
    lives |= of_south("south", SOUTH, healthy_before=False, trained_members=2)
    lives |= of_south("trained", SOUTH, healthy_before=True, trained_members=7) | of_trial(ACTS)
    await heard(standing, lives)
    await switched_on(standing)
    rules = (await standing.admin.get("/v1/rule-sets/built-in")).json()
    await standing.made("/v1/rule-sets", {"rules": merged(rules, OURS) | {"version": "ours"}})
    found = Told(standing, {})
    await found.reviewed("east", EAST - 2 * QUARTER)
    for start in (EAST - QUARTER, EAST):
        await found.reviewed("east", start)
    for start in (SOUTH - 2 * QUARTER, SOUTH - QUARTER, SOUTH):
        await found.reviewed("south", start)
        await found.reviewed("trained", start)
    await found.reviewed("west", WEST)
    for start in (START - QUARTER, START, END, END + QUARTER):
        await found.reviewed("north", start)
    return found


def rounded(value: dict[str, Any], digits: int = 1) -> list[float | None]:
    return [None if value[name] is None else round(float(value[name]), digits) for name in ("value", "low", "high")]


# -- the graph ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "points", "strength", "what"),
    [
        ("B~C", 10.283, 0.720, "strong"), ("A~B", 9.283, 0.699, "strong"), ("A~D", 8.283, 0.674, "strong"),
        ("A~C", 7.783, 0.661, "strong"), ("A~E", 3.95, 0.497, "tie"), ("B~M1", 3.5, 0.467, "tie"),
        ("D~V1", 2.5, 0.385, "tie"), ("A~V1", 2.0, 0.333, "tie"), ("B~D", 1.283, 0.243, "no"),
        ("C~D", 1.283, 0.243, "no"), ("A~F", 1.2, 0.231, "no"), ("C~M1", 1.0, 0.200, "no"),
    ],
)  # fmt: skip
async def test_a_pair_has_the_points_of_its_evidence(
    told: Told, pair: str, points: float, strength: float, what: str
) -> None:
    edge = told.north["associations"]["edges"][pair]
    assert float(edge["points"]) == pytest.approx(points, abs=0.0006)
    assert float(edge["strength"]) == pytest.approx(strength, abs=0.0006)
    assert ("strong" if edge["strong"] else "tie" if edge["tie"] else "no") == what


async def test_the_graph_vector_of_north(told: Told) -> None:
    network = told.north["associations"]["network"]
    assert (network["ties"], network["density"]) == (5, "0.3333")
    assert (network["degree_centralisation"], network["betweenness_centralisation"]) == ("0.7000", "0.5000")
    assert network["isolates"] == ["F"]
    assert network["degrees"] == {"A": 4, "B": 2, "C": 2, "D": 1, "E": 1, "F": 0}
    assert (network["help_given"]["A"], network["help_share"]["A"]) == (12, "0.6000")
    assert (network["reciprocity"], network["efficiency"]) == ("0.5000", "0.5000")
    assert network["removal_impact"]["A"] == "0.8000", "0.50 falls to 0.10"
    inward = told.north["associations"]["inwardness"]
    assert (inward["index"], inward["expected"], inward["p"]) == ("-0.2500", "0.2444", "0.1857")
    assert (inward["labelings"], inward["told"]) == (1260, False)
    assert told.north["associations"]["uncovered"] == [
        {"between": ["C", "M1"], "times": 3},
        {"between": ["E", "V2"], "times": 2},
        {"between": ["F", "M2"], "times": 1},
    ]


# -- proportions and indices ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "hits", "of", "low", "high"),
    [
        ("team/TP4", 11, 17, 44.9, 80.5), ("team/TP3", 8, 17, 29.0, 66.0), ("team/IB4", 18, 21, 69.1, 94.1),
        ("team/TP2", 14, 17, 63.1, 92.7), ("members/F/IB1", 2, 10, 6.9, 45.9), ("members/B/IR4", 26, 32, 67.6, 90.0),
    ],
)  # fmt: skip
async def test_a_proportion_has_wilsons_interval(
    told: Told, path: str, hits: int, of: int, low: float, high: float
) -> None:
    found = await _explained(told, f"/measures/{path}")
    value = found["value"]
    assert (float(value["numerator"]), float(value["n"])) == (hits, of)
    assert rounded(value)[1:] == [low, high]
    assert found["sources"], "every number opens down to its events"


async def _explained(told: Told, path: str) -> dict[str, Any]:
    review = told.reviews["north", START]["id"]
    answer = await told.world.admin.get(f"/v1/reviews/{review}/explain", params={"path": path})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


NUMBER = re.compile(r"-?\d+\.\d{4}")
WHOLE = ("edges", "needs", "uncovered", "linked", "questions", "owned", "contributions", "effects", "inwardness")
"""What is opened as a whole."""


def numbers_of(part: Any, path: str = "") -> Iterator[str]:
    """The places of a document at which there is a number."""
    if isinstance(part, dict) and {"value", "low", "high"} <= part.keys():
        if part["value"] is not None:
            yield path
        return
    if isinstance(part, dict | list):
        for name, each in part.items() if isinstance(part, dict) else enumerate(part):
            below = f"{path}/{name}"
            if path.rpartition("/")[2] in WHOLE:
                yield f"{path}/{each['member']}" if isinstance(each, dict) and "member" in each else below
            elif name in ("numerator", "n", "baseline", "outside_from", "labelings"):
                continue
            else:
                yield from numbers_of(each, below)
    elif isinstance(part, str) and NUMBER.fullmatch(part):
        yield path


async def test_every_number_of_a_review_says_what_it_means_and_opens_to_what_it_is_made_of(told: Told) -> None:
    paths = [each for each in dict.fromkeys(numbers_of(told.north)) if not each.startswith("/associations/inwardness/")]
    paths.append("/associations/inwardness")
    assert len(paths) > 150
    dumb, closed = list[str](), list[str]()
    for path in paths:
        found = await _explained(told, path)
        if not (found["definition"] and found["definition"]["formula"]):
            dumb.append(path)
        elif not (found["sources"] or found["parts"] or found["figures"] or path.startswith("/options/rows/")):
            closed.append(path)
    assert dumb == []
    assert sorted(set(closed) - set(NOBODYS)) == []


NOBODYS = ("/measures/team/TR4", "/measures/members/E/IB3", "/measures/members/F/IB3", "/recommendation/healthy",
           "/weaknesses/W-MTG/working_hours")  # fmt: skip
"""What has no event behind it: that nobody left or helped, a line of the rules, the days of a calendar."""


async def test_the_indices_of_north_by_the_adjusted_error(told: Told) -> None:
    team = told.north["measures"]["team"]
    assert rounded(team["COM"]) == [53.9, 44.5, 63.4]
    assert rounded(team["TWK"]) == [81.9, 74.1, 89.6]
    assert (team["COM"]["state"], team["TWK"]["state"]) == ("weak", "healthy")


async def test_the_indices_of_north_by_the_plain_error_of_the_specification(told: Told) -> None:
    team = (await told.by_rules("plain", errors="plain"))["measures"]["team"]
    assert rounded(team["COM"]) == [53.9, 43.7, 64.1]
    assert rounded(team["TWK"]) == [81.9, 74.2, 89.5]


async def test_what_the_team_said_in_its_pulse(told: Told) -> None:
    team = told.north["measures"]["team"]
    assert rounded(team["TP5"]) == [50.0, 36.6, 63.4]
    assert rounded(team["TP6"])[0] == 77.5
    assert rounded(team["TP1"])[0] == 83.8


# -- contribution, results, goals -----------------------------------------------------------------------------------


async def test_the_roles_of_a_deal_share_it_out(told: Told) -> None:
    shares = {each["member"]: each["share"]["value"] for each in told["north", END]["contributions"]}
    assert shares == {"A": "4000.0000", "B": "28000.0000", "C": "4000.0000", "D": "0.0000", "E": "4000.0000",
                      "F": "0.0000"}  # fmt: skip


async def test_from_the_day_on_which_others_are_agreed_on_roles_weigh_as_the_organisation_says(told: Told) -> None:
    shares = {each["member"]: each["share"]["value"] for each in told["north", END + QUARTER]["contributions"]}
    assert {each: shares[each] for each in "ABC"} == {"A": "10000.0000", "B": "20000.0000", "C": "10000.0000"}


async def test_who_differs_from_what_was_expected(told: Told) -> None:
    members = told.north["measures"]["members"]
    assert rounded(members["B"]["IR6"]) == [5.3, -13.7, 24.3]
    assert rounded(members["F"]["IR6"]) == [-3.9, -25.9, 18.2]
    assert rounded(members["B"]["IR1"])[0] == 112.9
    assert rounded(members["F"]["IR1"])[0] == 80.6, "raw it would be 28.2"


async def test_the_results_of_the_team(told: Told) -> None:
    team = told.north["measures"]["team"]
    assert rounded(team["TR1"])[0] == 86.0
    assert rounded(team["SUR"])[0] == -14.0
    assert rounded(team["TR3"])[0] is None, "2 of 2 are not enough"
    assert team["NPS"]["missing"] == "32 of at least 100 answers"


async def test_the_link_of_north_to_the_goals_of_the_organisation(told: Told) -> None:
    team, goals = told.north["measures"]["team"], told.north["goals"]
    assert (team["LINK"]["value"], team["TR6"]["value"]) == ("0.8000", "0.9125")
    assert rounded(team["PULL"], 3)[0] == 0.857
    assert (team["LOS"]["numerator"], team["LOS"]["n"], rounded(team["LOS"])[0]) == ("41.0000", "52.0000", 78.8)
    assert [(each["goal"], each["weight"], each["reached"]) for each in goals["linked"]] == [
        ("revenue", "0.5000", "0.8600"), ("customers", "0.3000", "1.0000"),
    ]  # fmt: skip
    assert [(each["goal"], each["weight"]) for each in goals["questions"]] == [("new", "0.2000")]
    assert goals["questions"][0]["question"].endswith("?")
    assert [each["target"] for each in goals["owned"]] == ["calls"]
    opened = await _explained(told, "/goals/linked/0")
    assert [each["subject"] for each in opened["sources"]] == ["goal/revenue", "target/part"]


async def test_trainings_count_by_their_checks(told: Told) -> None:
    team, members = told.north["measures"]["team"], told.north["measures"]["members"]
    assert (team["TP8"]["numerator"], team["TP8"]["n"], rounded(team["TP8"])[0]) == ("2.0000", "6.0000", 33.3)
    assert (members["F"]["IB7"]["numerator"], members["F"]["IB7"]["n"]) == ("0.0000", "1.0000")


async def test_duties_count_that_were_done_in_time_and_accepted(told: Told) -> None:
    value = told["north", END]["measures"]["members"]["B"]["IR3"]
    assert (value["numerator"], value["n"], rounded(value)[0]) == ("41.0000", "44.0000", 93.2)


async def test_what_peers_say_is_for_the_member_and_who_leads_them_and_never_without_the_team(told: Told) -> None:
    members = told.north["measures"]["members"]
    assert (members["B"]["IB6"]["value"], members["B"]["IB6"]["n"]) == ("80.0000", "5.0000")
    assert members["B"]["IB6"]["team_average"] == told.north["measures"]["team"]["IB6"]["value"] == "75.8333"
    path = f"/v1/reviews/{told.reviews['north', START]['id']}"
    for member, whose, inside in (("A", set("ABCDEF"), True), ("B", {"B"}, True), ("Z", set(), False)):
        headers = token_headers(told.world.settings, "reviews:write", "scorecards:read", member=member)
        async with client_of(told.world.origin, headers) as client:
            document = (await client.get(path)).json()["document"]
            card = await client.get("/v1/scorecards/members/B", params={"from": f"{START}", "to": f"{END}"})
            team = await client.get("/v1/scorecards/teams/north", params={"from": f"{START}", "to": f"{END}"})
        assert {each for each, values in document["measures"]["members"].items() if "IB6" in values} == whose
        assert ("IB6" in document["measures"]["team"], "IB6" in team.json()["measures"]) == (inside, inside)
        assert ("IB6" in card.json().get("measures", {})) == ("B" in whose)


async def test_how_somebody_takes_setbacks_is_shown_to_them_alone(told: Told) -> None:
    path = f"/v1/reviews/{told.reviews['north', START]['id']}"
    assert "IB8" not in told.north["measures"]["members"]["B"]
    for member, there in (("A", False), ("B", True), ("C", False)):
        headers = token_headers(told.world.settings, "reviews:read", "scorecards:read", member=member)
        async with client_of(told.world.origin, headers) as client:
            document = (await client.get(path)).json()["document"]
            shown = document["measures"]["members"].get("B", {}).get("IB8")
            opened = await client.get(f"{path}/explain", params={"path": "/measures/members/B/IB8"})
            card = await client.get("/v1/scorecards/members/B", params={"from": f"{START}", "to": f"{END}"})
        assert (shown is not None, opened.status_code == 200) == (there, there)
        assert ("IB8" in card.json().get("measures", {})) == there
        if there:
            assert shown["value"] == "0.8571"
            assert opened.json()["sources"] == [], "which setbacks they were is told to nobody"


# -- options and the rule -------------------------------------------------------------------------------------------

TABLE = [
    ("O1b+O3", 66.3, 11_243, 0.83), ("O1b", 61.1, 8_331, 0.65), ("O3", 58.0, 6_612, 0.63), ("O1a", 53.1, 3_898, 0.59),
    ("O8", 52.3, 3_468, 0.49), ("O0", 46.1, 0, None), ("O2", 41.6, -2_518, 0.35),
]  # fmt: skip
VALUES = {
    "O0": [0, 100, 100, 100, 100], "O1a": [28.4, 87.0, 95.0, 64.9, 76.9], "O1b": [46.4, 94.0, 80.0, 56.8, 69.2],
    "O2": [19.9, 93.8, 40.0, 56.8, 53.8], "O3": [33.2, 96.0, 90.0, 78.7, 69.2], "O8": [19.9, 95.5, 100, 86.5, 61.5],
    "O1b+O3": [64.2, 90.0, 70.0, 35.5, 69.2],
}  # fmt: skip
CRITERIA = ("benefit", "risk", "cost", "effort", "time")


async def _by_all_options(told: Told, name: str, **rules: Any) -> dict[str, Any]:
    """North's table with the six options of the specification, whether or not a weakness of North calls for them."""
    built_in = (await told.world.admin.get("/v1/options/built-in")).json()
    meant = [
        each | {"when": ["W-COM"], "via_hub": False, "adds_meetings": False}
        for each in built_in["options"]
        if each["id"] in VALUES
    ]
    await told.world.made("/v1/options", {"version": name, "options": meant})
    found = await told.by_rules(name, **rules)
    await told.world.made("/v1/options", {"version": f"after {name}", "options": built_in["options"]})
    return found


async def test_the_table_of_options_with_the_gap_rounded_as_in_the_specification(told: Told) -> None:
    document = await _by_all_options(told, "rounded gap", lines={"COM": {"healthy": 75.02157, "weak": 60}})
    table = document["options"]
    assert table["gap"] == "21.1000"
    assert {name: round(float(weight), 3) for name, weight in table["weights"].items()} == {
        "benefit": 0.539, "risk": 0.180, "cost": 0.108, "effort": 0.120, "time": 0.054,
    }  # fmt: skip
    for row, (name, score, net, better) in zip(table["rows"], TABLE, strict=True):
        assert (row["option"], round(float(row["score"]), 1)) == (name, score)
        assert float(row["net"]) == pytest.approx(net, abs=1)
        assert [float(row["values"][each]) for each in CRITERIA] == pytest.approx(VALUES[name], abs=0.0501)
        assert row["better_than_nothing"] is None if better is None else (
            float(row["better_than_nothing"]) == pytest.approx(better, abs=0.0051)
        )  # fmt: skip
    dominated = next(row for row in table["rows"] if row["option"] == "O2")
    assert dominated["dominated_by"] == ["O1b", "O3", "O8"]
    assert (table["best"], table["first_in_variants"], table["clear"]) == ("O1b+O3", 9, True)
    assert document["recommendation"]["option"] == "O1b+O3"


async def test_the_table_of_options_with_the_gap_as_it_is(told: Told) -> None:
    table = (await _by_all_options(told, "whole gap"))["options"]
    assert table["gap"] == "21.0784"
    assert [row["option"] for row in table["rows"]] == [name for name, *_ in TABLE]
    for row, (_, score, _, _) in zip(table["rows"], TABLE, strict=True):
        assert float(row["score"]) == pytest.approx(score, abs=0.1)


async def test_north_is_told_to_encourage_communication(told: Told) -> None:
    found, weaknesses = told.north["recommendation"], told.north["weaknesses"]
    assert (found["rule"], found["class"], found["option"]) == ("R5", "ENCOURAGE COMMUNICATION", "O1b+O3")
    assert found["besides"] == ["O1c", "O6"], "somebody for F, and relief for A"
    assert [each["option"] for each in told.north["options"]["screened"]] == ["O1a"]
    assert (weaknesses["W-HUB"]["about"], weaknesses["W-ISO"]["about"]) == (["A"], ["F"])
    assert weaknesses["W-ROLE"]["state"] == "healthy", "line of sight is 78.8 %"


async def test_south_is_told_to_train_and_where_it_was_trained_to_debrief(told: Told) -> None:
    south, trained = told["south", SOUTH], told["trained", SOUTH]
    team = south["measures"]["team"]
    assert [round(float(team[each]["value"])) for each in ("COM", "TWK", "TP4", "TP3", "IB4", "TP2", "TP5", "TP6")] == [
        79, 45, 83, 82, 41, 42, 72, 52,
    ]  # fmt: skip
    assert (team["TP8"]["numerator"], team["TP8"]["n"]) == ("2.0000", "7.0000")
    assert (south["recommendation"]["rule"], south["recommendation"]["class"]) == ("R6a", "TRAIN TEAMWORK")
    assert told["trained", SOUTH - 2 * QUARTER]["weaknesses"]["W-TWK"]["state"] == "healthy"
    assert (trained["recommendation"]["rule"], trained["recommendation"]["class"]) == ("R6b", "DEBRIEF")


async def test_west_is_left_alone(told: Told) -> None:
    west = told["west", WEST]
    team = west["measures"]["team"]
    assert [round(float(team[each]["value"])) for each in ("COM", "TWK", "TR1", "TR2")] == [78, 80, 99, 90]
    assert (west["recommendation"]["rule"], west["recommendation"]["class"]) == ("R3", "NO ACTION")


async def test_the_targets_of_east_are_reviewed_and_not_the_team(told: Told) -> None:
    east = told["east", EAST]
    assert east["weaknesses"]["W-TGT"]["about"] == ["east", "east-2", "east-3", "east-4"]
    assert (east["weaknesses"]["W-COM"]["state"], east["weaknesses"]["W-TWK"]["state"]) == ("healthy", "healthy")
    assert (east["recommendation"]["rule"], east["recommendation"]["class"]) == ("R2", "REVIEW TARGETS")


# -- did it work? ---------------------------------------------------------------------------------------------------


async def verified(told: Told, weeks: int, *, fresh: bool = True, **plan: Any) -> dict[str, Any]:
    """What came of acting, as it is judged by a plan; the review that led to it covers so many weeks, and ends where
    the weeks begin by which it is judged, or with them."""
    end = ACTS - QUARTER if fresh else ACTS
    period = {"from": (end - timedelta(weeks=weeks)).isoformat(), "to": end.isoformat()}
    path = f"/v1/reviews/{(await told.world.made('/v1/reviews', {'team': 'tried', 'period': period}))['id']}"
    await told.world.made(f"{path}/decide", {"options": ["O0"], "on": end.isoformat()})
    told_plan = {"starts_on": ACTS.isoformat(), "measure": "TP3", "smallest_worthwhile": 8} | plan
    await told.world.made(f"{path}/verification", told_plan)
    found: dict[str, Any] = (await told.world.admin.get(f"{path}/verification")).json()
    return found


async def test_the_difference_in_differences_of_a_team_and_another(told: Told) -> None:
    found = await verified(told, 13, comparison="untried")
    estimate = found["estimate"]
    assert [round(float(estimate[each]), 1) for each in ("change", "low", "high")] == [16.0, 1.4, 30.6]
    assert (round(float(estimate["error"]), 2), estimate["rho"]) == (8.68, "0.2000")
    assert round(float(estimate["smallest_detectable"]), 1) == 21.6
    assert (estimate["design"], found["verdict"]) == ("difference in differences", "worked")
    assert found["weeks"] == {"before": 13, "after": 13}


async def test_before_and_after_of_a_team_alone(told: Told) -> None:
    estimate = (await verified(told, 12))["estimate"]
    assert [round(float(estimate[each]), 1) for each in ("change", "low", "high")] == [19.0, 7.9, 30.1]
    assert round(float(estimate["smallest_detectable"]), 1) == 16.1
    assert estimate["design"] == "before and after"


async def test_four_teams_and_four_others_show_half_of_what_one_and_another_do(told: Told) -> None:
    end = ACTS - QUARTER
    period = {"from": (end - timedelta(weeks=11)).isoformat(), "to": end.isoformat()}
    made = {}
    for team in TRIED:
        made[team] = (await told.world.made("/v1/reviews", {"team": team, "period": period}))["id"]
        decision = {"options": ["O0"], "on": end.isoformat(), "starts_on": ACTS.isoformat()}
        await told.world.made(f"/v1/reviews/{made[team]}/decide", decision)
    path = f"/v1/reviews/{made['tried']}/verification"
    others = [made[each] for each in TRIED[1:]]
    plan = {"starts_on": ACTS.isoformat(), "measure": "TP3", "comparisons": [f"un{each}" for each in TRIED]}
    twice = await told.world.post(path, plan | {"pooled": [made["tried-2"], made["tried-2"]]})
    assert "team tried-2 counts once" in problem(twice, 422, "/pooled/1")
    apart = await told.world.post(path, plan | {"pooled": [told.reviews["west", WEST]["id"]]})
    assert "nothing was decided on it, not O0" in problem(apart, 422, "/pooled/0")
    await told.world.made(path, plan | {"pooled": others})
    found = (await told.world.admin.get(path)).json()
    estimate = found["estimate"]
    assert round(float(estimate["smallest_detectable"]), 1) == 10.8
    assert [round(float(estimate[each]), 2) for each in ("change", "error")] == [15.25, 4.33]
    assert found["verdict"] == "worked"
    assert [each["team"] for each in found["plan"]["pooled"]] == list(TRIED[1:])
    partner = f"/v1/reviews/{others[0]}"
    by_itself = await told.world.post(f"{partner}/verification", plan)
    assert f"together with that of review {made['tried']}; by a plan of its own" in problem(by_itself, 409)
    assert (await told.world.made(f"/v1/reviews/{made['tried']}/judge", {}))["judged"]["verdict"] == "worked"
    withdrawn = await told.world.post(f"{partner}/withdraw", {"reason": "It was not us"})
    assert f"together with that of review {made['tried']}, or was already" in problem(withdrawn, 409)
    assert (await told.world.admin.get(partner)).json()["decided"] == ["O0"], "what was shown together stays shown"


async def test_the_same_data_with_a_stale_baseline_show_nothing(told: Told) -> None:
    for team in EARLIER:
        for start in (ACTS - 2 * QUARTER, ACTS - QUARTER):
            await told.reviewed(team, start)
    found = await verified(told, 13, fresh=False, comparison="untried")
    drift, estimate = found["plan"]["drift"], found["estimate"]
    assert [round(float(drift[each]), 1) for each in ("mean", "correlation", "before", "expected")] == [
        63,
        0.6,
        47,
        6.4,
    ]
    assert [round(float(estimate[each]), 1) for each in ("change", "low", "high")] == [9.6, -5.0, 24.2]
    assert found["verdict"] == "inconclusive"
