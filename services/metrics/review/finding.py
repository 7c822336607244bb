"""Everything a review measured of a team: the four cells, the graph, the indices, the link to goals, contributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.metrics.review import goal_link, individual_behaviour, individual_results, team_process, team_results
from services.metrics.review.association import Edge, Help, Need, Pair, edges_of, helps_of, needs_of
from services.metrics.review.chance import Inwardness, inwardness
from services.metrics.review.contributions import Contribution, contributions_of, surplus
from services.metrics.review.indices import COM, TWK, index_of
from services.metrics.review.inputs import Inputs
from services.metrics.review.measure import State, Value, by_hand, state_of
from services.metrics.review.network import Network, network_of
from services.metrics.review.reliability import reliabilities
from services.metrics.review.thresholds import Rules


@dataclass(frozen=True, slots=True)
class Finding:
    """What was measured."""

    inputs: Inputs
    rules: Rules
    team: Mapping[str, Value]
    """The team's measures by id: cells 3 and 4, indices, goal link."""
    members: Mapping[str, Mapping[str, Value]]
    """Each member's measures by id: cells 1 and 2."""
    contributions: Sequence[Contribution]
    edges: Mapping[Pair, Edge]
    needs: Sequence[Need]
    helps: Sequence[Help]
    network: Network
    inwardness: Inwardness | None

    @property
    def baseline(self) -> bool:
        """Whether the organisation is new to reviews: everything is shown, nothing is called weak."""
        return self.inputs.before.periods < self.rules.baseline_periods

    def state(self, measure: str) -> State:
        """The state of a measure of the team, by its lines."""
        line = self.rules.line_of(measure)
        found = state_of(self.team[measure], line.healthy, line.weak)
        return "watch" if found == "weak" and self.baseline else found

    def uncovered(self) -> list[Need]:
        """What work needed and where there is no tie, the most needed first."""
        missing = [each for each in self.needs if not team_process.tied(each.pair, self.edges)]
        return sorted(missing, key=lambda each: (-each.times, each.pair))


def find(inputs: Inputs, rules: Rules) -> Finding:
    """Measure a team in a period."""
    edges, needs, helps = edges_of(inputs, rules.graph), needs_of(inputs), helps_of(inputs)
    inside = [each for each in helps if each.giver in inputs.member_of and each.receiver in inputs.member_of]
    ties = [pair for pair, edge in edges.items() if edge.tie]
    known = inputs.department_of
    between = [pair for pair in ties if pair[0] in known and pair[1] in known]
    return Finding(
        inputs, rules,
        team=_of_team(inputs, rules, edges, needs),
        members={each: _of_member(inputs, rules, each, inside) for each in inputs.ids},
        contributions=contributions_of(inputs, helps, rules.results),
        edges=edges, needs=needs, helps=helps,
        network=network_of(inputs.ids, ties, inside),
        inwardness=inwardness(known, between, rules.graph.labelings),
    )  # fmt: skip


def _of_member(inputs: Inputs, rules: Rules, member: str, helps: Sequence[Help]) -> dict[str, Value]:
    found = (
        individual_behaviour.participation(inputs, member, rules.graph.large_meeting),
        individual_behaviour.contribution(inputs, member),
        individual_behaviour.breadth(inputs, member, helps),
        individual_behaviour.follow_through(inputs, [member]),
        individual_behaviour.answering(inputs, member),
        individual_behaviour.peers(inputs, member),
        individual_behaviour.teamwork_training(inputs, member),
        individual_behaviour.resilience(inputs, member),
        individual_results.attainment(inputs, member),
        individual_results.win_rate(inputs, member, rules.results),
        individual_results.duties_accepted(inputs, member),
        individual_results.satisfaction(inputs, member),
        individual_results.difference(inputs, member, rules.results),
    )
    return {each.measure: each for each in found}


def _of_team(inputs: Inputs, rules: Rules, edges: dict[Pair, Edge], needs: Sequence[Need]) -> dict[str, Value]:
    found = {each.measure: each for each in (*_process(inputs, rules, edges, needs), *_results(inputs, rules))}
    parts = found if rules.errors == "adjusted" else {name: by_hand(each) for name, each in found.items()}
    return found | {index.id: index_of(index, rules.indices[index.id], parts) for index in (COM, TWK)}


def _process(inputs: Inputs, rules: Rules, edges: dict[Pair, Edge], needs: Sequence[Need]) -> tuple[Value, ...]:
    return (
        individual_behaviour.follow_through(inputs, inputs.ids, rules.least.get("IB4")),
        individual_behaviour.peers_of_team(inputs),
        team_process.attendance(inputs, rules.graph.large_meeting),
        team_process.effectiveness(inputs, rules),
        team_process.items_resolved(inputs, rules),
        team_process.requests_answered(inputs, rules),
        team_process.coverage(needs, edges, rules),
        team_process.communication(inputs, rules),
        team_process.cooperation(inputs, rules),
        team_process.influence(inputs, rules),
        team_process.training_coverage(inputs, rules),
        *reliabilities(inputs, rules.survey),
    )


def _results(inputs: Inputs, rules: Rules) -> tuple[Value, ...]:
    return (
        team_results.attainment(inputs, rules),
        team_results.satisfaction(inputs),
        team_results.inside_satisfaction(inputs),
        team_results.leavers(inputs),
        team_results.recommending(inputs),
        team_results.recommended_by_customers(inputs),
        team_results.effort_cost(inputs, rules),
        team_results.win_rate(inputs),
        surplus(inputs),
        goal_link.linkage(inputs.goals),
        goal_link.alignment(inputs.goals, rules.results.goal_cap),
        goal_link.pull_through(inputs.pull),
        goal_link.line_of_sight(inputs),
        goal_link.own_measures(inputs.owned, rules.results.goal_cap),
    )
