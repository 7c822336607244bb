"""How a review is written down: numbers as decimal strings of four places, everything sorted, sources beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from services.metrics.review.association import Edge, Need, anybody
from services.metrics.review.chance import Inwardness
from services.metrics.review.choice import Choice
from services.metrics.review.contributions import PITFALLS, Contribution, unstaffed_of
from services.metrics.review.diagnosis import Diagnosis
from services.metrics.review.finding import Finding
from services.metrics.review.goal_link import UNCONFIRMED, UNLINKED, sources_of, unlinked
from services.metrics.review.inputs import Inputs, Own
from services.metrics.review.measure import Value
from services.metrics.review.options import Catalogue
from services.metrics.review.ranking import Ranked
from services.metrics.review.team_process import old_items, overdue, tied
from services.metrics.review.team_results import hours_met
from services.metrics.review.weaknesses import Weakness, hours_worked

Evidence = dict[str, tuple[str, ...]]


def number(value: float | None) -> str | None:
    """A number with four places; none stays none."""
    if value is None:
        return None
    text = f"{value:.4f}"
    return "0.0000" if text == "-0.0000" else text


def written(finding: Finding, diagnosis: Diagnosis, catalogue: Catalogue) -> tuple[dict[str, Any], Evidence]:
    """The document of a review and, by path, the subjects that its numbers are made of."""
    inputs, evidence = finding.inputs, Evidence()
    document = {
        "team": inputs.team,
        "period": {"from": inputs.start.isoformat(), "to": inputs.end.isoformat()},
        "currency": inputs.currency,
        "baseline": finding.baseline,
        "outside_from": finding.rules.survey.outside,
        "measures": {
            "team": _values(finding.team, "/measures/team", evidence)
            | {each: {"state": finding.state(each)} | shown_value(finding.team[each]) for each in ("COM", "TWK")},
            "members": {
                member: _values(values, f"/measures/members/{member}", evidence)
                for member, values in sorted(finding.members.items())
            },
        },
        "associations": associations(finding, evidence),
        "contributions": [_contribution(each, evidence) for each in finding.contributions],
        "unstaffed": {role: number(amount) for role, amount in sorted(unstaffed_of(inputs.deals).items())},
        "pitfalls": list(PITFALLS),
        "goals": _goals(inputs, evidence),
        "accomplishments": _accomplishments(inputs, evidence),
        "weaknesses": {
            code: {"state": each.state, "confirmed": each.confirmed, "about": list(each.about),
                   "shown_by": list(each.shown_by), **_evidence_of(code, each, finding)}
            for code, each in sorted(diagnosis.weaknesses.items())
        },
        "recommendation": _recommendation(diagnosis),
        "options": _table(diagnosis.choice, catalogue) if diagnosis.choice else None,
    }  # fmt: skip
    evidence["/weaknesses/W-ROLE"] = unlinked(inputs)
    evidence["/weaknesses/W-TWK/overdue"] = overdue(inputs)
    evidence["/weaknesses/W-TWK/old_items"] = old_items(inputs, finding.rules)
    evidence["/weaknesses/W-MTG/hours"] = tuple(sorted(each.subject for each in inputs.meetings))
    evidence |= {
        f"/weaknesses/W-HUB/meeting_hours/{hub}": tuple(
            sorted(each.subject for each in inputs.meetings if hub in each.attended)
        )
        for hub in diagnosis.weaknesses["W-HUB"].about
    }
    evidence |= {
        f"/unstaffed/{role}": tuple(each.subject for each in inputs.deals if each.won and each.roles)
        for role in unstaffed_of(inputs.deals)
    }
    return document, evidence


def _evidence_of(code: str, weakness: Weakness, finding: Finding) -> dict[str, Any]:
    """What shows a weakness beside the measures: of who carries all help the hours in meetings, which are for who leads
    the team only; of who has no tie the first day; the hours in meetings; overdue actions and old items; how much
    carries no goal."""
    inputs = finding.inputs
    match code:
        case "W-HUB" if weakness.about:
            return {"meeting_hours": {each: number(hours_met(inputs, {each})) for each in weakness.about}}
        case "W-ISO" if weakness.about:
            began = {each: inputs.member_of[each].starts_on for each in weakness.about}
            return {"began": {each: day and day.isoformat() for each, day in began.items()}}
        case "W-MTG":
            met = hours_met(inputs, set(inputs.ids))
            return {"hours": number(met), "working_hours": number(hours_worked(finding))}
        case "W-TWK":
            return {"overdue": len(overdue(inputs)), "old_items": len(old_items(inputs, finding.rules))}
        case "W-ROLE":
            return {"unlinked": len(unlinked(inputs))}
    return {}


def _values(values: Mapping[str, Value], place: str, evidence: Evidence) -> dict[str, Any]:
    for name, value in values.items():
        evidence[f"{place}/{name}"] = value.sources
    return {name: shown_value(values[name]) for name in sorted(values)}


def shown_value(value: Value) -> dict[str, Any]:
    """A number with its interval, what it is made of, or what is missing."""
    more = {"team_average": value.beside, "slope": value.slope}
    return {
        "value": number(value.value), "low": number(value.low), "high": number(value.high),
        "numerator": number(value.hits), "n": number(value.of), "missing": value.missing, "parts": list(value.parts),
        **{name: number(each) for name, each in more.items() if each is not None},
        **({"note": value.note} if value.note else {}),
    }  # fmt: skip


def associations(finding: Finding, evidence: Evidence) -> dict[str, Any]:
    """The graph: who has to do with whom, what work needed, and what the whole of it tells."""
    network = finding.network
    for pair, edge in finding.edges.items():
        evidence[f"/associations/edges/{pair[0]}~{pair[1]}"] = edge.sources
    evidence |= _helped(finding)
    for each in finding.needs:
        evidence[f"/associations/needs/{each.pair[0]}~{each.pair[1]}"] = each.sources
    return {
        "edges": {f"{one}~{other}": _edge(edge) for (one, other), edge in sorted(finding.edges.items())},
        "needs": {f"{each.pair[0]}~{each.pair[1]}": each.times for each in finding.needs},
        "uncovered": [_need(each) for each in finding.uncovered()],
        "departments": _by_department(finding),
        "network": {
            "members": network.nodes, "ties": network.ties, "density": number(network.density),
            "isolates": list(network.isolates), "degrees": dict(network.degrees),
            "degree_centralisation": number(network.degree_centralisation),
            "betweenness_centralisation": number(network.betweenness_centralisation),
            "efficiency": number(network.efficiency), "removal_impact": _numbers(network.removal_impact),
            "help_given": dict(network.help_given), "help_share": _numbers(network.help_share),
            "reciprocity": number(network.reciprocity),
        },
        "inwardness": inwardness(finding.inwardness),
    }  # fmt: skip


def _by_department(finding: Finding) -> list[dict[str, Any]]:
    """What work needed of each department, and where there was a tie: the graph as it is for others. What members need
    of each other is of no department."""
    inputs = finding.inputs
    needed: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    for each in finding.needs:
        other = next((one for one in each.pair if one not in inputs.member_of), None)
        place = "" if other is None else inputs.department_of.get(other, other.removeprefix(anybody("")))
        needed[place] += each.times
        covered[place] += each.times if tied(each.pair, finding.edges) else 0
    return [
        {"department": place or None, "needs": needed[place], "covered": covered[place]} for place in sorted(needed)
    ]


def _helped(finding: Finding) -> Evidence:
    """The items and actions by which members helped each other, of each member and of all."""
    members = finding.inputs.member_of
    inside = [each for each in finding.helps if each.giver in members and each.receiver in members]
    by = {
        member: tuple(sorted({each.source for each in inside if each.giver == member}))
        for member in sorted({each.giver for each in inside})
    }  # fmt: skip
    found = {f"/associations/network/help_given/{member}": sources for member, sources in by.items()}
    if finding.network.help_share:
        every = tuple(sorted({each.source for each in inside}))
        found |= {f"/associations/network/help_share/{member}": every for member in finding.network.help_share}
        found["/associations/network/reciprocity"] = every
    return found


def inwardness(found: Inwardness | None) -> dict[str, Any] | None:
    """Ties outside against those inside, and what chance would make."""
    return None if found is None else {
        "index": number(found.index), "expected": number(found.expected), "p": number(found.p),
        "labelings": found.labelings, "ties": found.ties, "told": found.told,
    }  # fmt: skip


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "points": number(edge.total), "strength": number(edge.strength), "tie": edge.tie, "strong": edge.strong,
        "channels": {
            name: {"points": number(edge.points[name]), "times": edge.counts[name]} for name in sorted(edge.points)
        },
    }  # fmt: skip


def _need(need: Need) -> dict[str, Any]:
    return {"between": list(need.pair), "times": need.times}


def _numbers(values: Mapping[str, float]) -> dict[str, str | None]:
    return {name: number(values[name]) for name in sorted(values)}


def _contribution(each: Contribution, evidence: Evidence) -> dict[str, Any]:
    evidence[f"/contributions/{each.member}"] = each.share.sources
    return {
        "member": each.member, "share": shown_value(each.share), "difference": shown_value(each.difference),
        "helped": each.helped, "resolved": each.resolved,
    }  # fmt: skip


def _goals(inputs: Inputs, evidence: Evidence) -> dict[str, Any]:
    """The organisation's goals: those the team's targets are linked to, as questions those they are not, and what the
    team measures itself by besides."""
    linked = sorted((each for each in inputs.goals if each.linked), key=lambda each: (-each.weight, each.id))
    others = sorted((each for each in inputs.goals if not each.linked), key=lambda each: (-each.weight, each.id))
    for place, each in enumerate(linked):
        evidence[f"/goals/linked/{place}"] = (each.subject, *(f"target/{one}" for one in each.by))
    for place, each in enumerate(others):
        evidence[f"/goals/questions/{place}"] = (each.subject,)
    for place, own in enumerate(inputs.owned):
        evidence[f"/goals/owned/{place}"] = sources_of(own)
    return {
        "linked": [
            {"goal": each.id, "weight": number(each.weight), "reached": number(each.reached), "targets": list(each.by),
             "reached_by_team": number(each.by_team)}
            for each in linked
        ],
        "questions": [
            {"goal": each.id, "weight": number(each.weight), "reached": number(each.reached), "question": UNLINKED}
            for each in others
        ],
        "owned": [_own(each) for each in inputs.owned],
    }  # fmt: skip


def _own(own: Own) -> dict[str, Any]:
    """A measure of the team's own: what it has not confirmed for the period says nothing."""
    return {
        "target": own.id, "metric": own.metric, "confirmed": own.confirmed, "late": own.late,
        "reached": number(own.reached) if own.confirmed else None, "missing": None if own.confirmed else UNCONFIRMED,
    }  # fmt: skip


def _accomplishments(inputs: Inputs, evidence: Evidence) -> list[dict[str, Any]]:
    """What the team claims to have accomplished without a number; only what somebody has verified counts as such."""
    found = sorted(inputs.accomplishments, key=lambda each: (each.claimed_on, each.id))
    for place, each in enumerate(found):
        evidence[f"/accomplishments/{place}"] = (each.subject, *([f"goal/{each.goal}"] if each.goal else []))
    return [
        {
            "accomplishment": each.id, "goal": each.goal, "pieces": each.pieces,
            "claimed_on": each.claimed_on.isoformat(), "claimed_by": each.claimed_by,
            "verified": each.verified_on is not None,
            "verified_on": each.verified_on and each.verified_on.isoformat(), "verified_by": each.verified_by,
            "disputed": each.disputed,
        }
        for each in found
    ]  # fmt: skip


def _recommendation(diagnosis: Diagnosis) -> dict[str, Any]:
    found = diagnosis.recommendation
    top = diagnosis.choice.best if diagnosis.choice else None
    offered = diagnosis.recommended is not None
    return {
        "rule": found.rule,
        "class": found.kind,
        "measure": found.measure,
        "value": number(diagnosis.value),
        "healthy": number(diagnosis.healthy),
        "train": found.train,
        "option": diagnosis.recommended,
        "note": None if offered or diagnosis.choice is None else "no action: no option pays",
        "first": top,
        "close": list(diagnosis.close),
        "besides": list(diagnosis.besides),
        "missing": list(diagnosis.missing),
    }


def _table(choice: Choice, catalogue: Catalogue) -> dict[str, Any]:
    described = {each.id: each for each in catalogue.options}
    return {
        "measure": choice.measure, "gap": number(choice.scales.gap),
        "weights": _numbers(choice.scales.weights), "weights_assumed": choice.flagged,
        "best": choice.best, "clear": choice.clear, "first_in_variants": choice.firsts,
        "rows": [_row(each, [described[part].description for part in each.candidate.parts]) for each in choice.table],
        "screened": [{"option": each.option, "why": each.why} for each in choice.screened],
    }  # fmt: skip


def _row(row: Ranked, descriptions: Iterable[str]) -> dict[str, Any]:
    one = row.candidate
    return {
        "option": one.name, "options": list(one.parts), "descriptions": list(descriptions),
        "score": number(row.score), "values": _numbers(row.values), "net": number(row.net),
        "better_than_nothing": number(row.better), "dominated_by": list(row.dominated_by),
        "expected_loss": number(one.loss), "cost": number(one.cost), "hours": number(one.hours),
        "weeks": number(one.weeks),
        "effects": [{"probability": number(each.probability), "mean": number(each.mean),
                     "deviation": number(each.deviation)} for each in one.chances],
    }  # fmt: skip
