"""From what was measured to what is recommended: weaknesses, the states the rule looks at, and the table of options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final, Literal

from services.metrics.review.choice import Choice, choose
from services.metrics.review.conventions import Z
from services.metrics.review.finding import Finding
from services.metrics.review.measure import Value
from services.metrics.review.options import NO_ACTION, Catalogue, Option
from services.metrics.review.ranking import Ranked, scales_of
from services.metrics.review.recommendation import KINDS, Recommendation, States, recommend
from services.metrics.review.weaknesses import Weakness, weaknesses_of

APART = 10
CHANGES: Final = ("low", "medium", "high")
SMALL = 0.1
"""Of the caps: what may be done while something is only watched."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is weak, what is recommended, and what there is to choose from."""

    weaknesses: Mapping[str, Weakness]
    states: States
    recommendation: Recommendation
    choice: Choice | None
    recommended: str | None
    """The best option of the recommended class: the only one that may be called recommended."""
    pays: bool
    """Whether it is enough better than doing nothing."""
    close: tuple[str, ...]
    """What else of the class is about as good: a close call, of which both are shown."""
    besides: tuple[str, ...]
    missing: tuple[str, ...]
    """What would have to be there for a recommendation."""
    healthy: float | None
    value: float | None
    """Where the measure that is to be raised should be, and is."""


def diagnose(finding: Finding, catalogue: Catalogue) -> Diagnosis:
    """Judge what was found, by the rule-set and the options it was found with."""
    weaknesses = weaknesses_of(finding)
    missing = lacking(finding)
    states = states_of(finding, weaknesses, enough=not missing)
    found = recommend(states)
    value = finding.team[found.measure].value if found.measure and found.measure in finding.team else None
    healthy = finding.rules.line_of(found.measure).healthy if found.measure else None
    choice = _options(finding, catalogue, weaknesses, found)
    best, close = _of_class(choice, catalogue, found, finding) if choice else (None, ())
    nothing = choice.row(NO_ACTION).score if choice else 0.0
    pays = best is not None and best.score - nothing >= finding.rules.ranking.better
    named = best.candidate.name if best is not None and pays else _of_targets(catalogue, found)
    return Diagnosis(weaknesses, states, found, choice, named, pays, close, _besides(catalogue, weaknesses), missing,
                     healthy, value)  # fmt: skip


def lacking(finding: Finding) -> tuple[str, ...]:
    """R0: what there is too little of."""
    inputs, rules = finding.inputs, finding.rules
    needs = sum(each.times for each in finding.needs)
    due = int(finding.team["IB4"].of or 0)
    found = [
        f"{have} of at least {least} {what}"
        for have, least, what in (
            (len(inputs.ids), rules.data.members, "members"),
            (needs, rules.data.needs, "needs of others"),
            (due, rules.data.due_actions, "due actions"),
        )
        if have < least
    ]
    named = {"COM": "communication", "TWK": "teamwork"}
    return (*found, *(f"{named[each]}: {finding.team[each].missing}" for each in named if finding.team[each].missing))


def states_of(finding: Finding, weaknesses: Mapping[str, Weakness], *, enough: bool) -> States:
    """What the rule looks at."""

    def sure(*codes: str) -> bool:
        return any(weaknesses[code].confirmed for code in codes)

    def there(*codes: str) -> bool:
        return any(weaknesses[code].state == "weak" for code in codes)

    return States(
        enough_data=enough, load=sure("W-HUB", "W-MTG"), targets=sure("W-TGT"),
        results_weak=there("W-RES", "W-CUST"), roles=sure("W-ROLE"),
        com=weaknesses["W-COM"].state, twk=weaknesses["W-TWK"].state,
        com_confirmed=sure("W-COM"), twk_confirmed=sure("W-TWK"), apart=apart(finding.team["COM"], finding.team["TWK"]),
        skill_gap=skill_gap(finding), obstacle=sure("W-HUB", "W-MTG"),
        selling=sure("W-SKILL"), activity=sure("W-ACT"), answers=sure("W-DEP"),
    )  # fmt: skip


def apart(com: Value, twk: Value) -> Literal["no", "com lower", "twk lower"]:
    """R7: d = TWK - COM is at least 10, and its interval has no 0 in it."""
    if com.value is None or twk.value is None:
        return "no"
    difference = twk.value - com.value
    error = sqrt((com.error or 0.0) * (com.error or 0.0) + (twk.error or 0.0) * (twk.error or 0.0))
    if abs(difference) < APART or abs(difference) <= Z * error:
        return "no"
    return "com lower" if difference > 0 else "twk lower"


def skill_gap(finding: Finding) -> bool:
    """R6a: too few are trained and passed the check, or the team's teamwork was never healthy."""
    trained = finding.team["TP8"].value
    short = trained is not None and trained < min(finding.rules.training.coverage, 100)
    return short or not finding.inputs.before.teamwork_was_healthy


def _options(
    finding: Finding, catalogue: Catalogue, weaknesses: Mapping[str, Weakness], found: Recommendation
) -> Choice | None:
    """The table of options for the measure that is to be raised; none where nothing is to be raised."""
    value = finding.team.get(found.measure or "")
    if value is None or value.value is None or found.measure is None:
        return None
    gap = finding.rules.line_of(found.measure).healthy - value.value
    if gap <= 0:
        return None
    # What is meant for an isolated member only stands beside the table: it is about one person, not the team.
    codes = {code for code, each in weaknesses.items() if each.state == "weak"} - {"W-ISO"}
    members = len(finding.inputs.ids)
    scales = scales_of(finding.rules.ranking, gap, members, finding.inputs.weeks)
    banned = {code for code in ("W-HUB", "W-MTG") if weaknesses[code].confirmed}
    return choose(catalogue, codes, found.measure, scales, members, finding.rules.ranking, banned)


def _of_class(
    choice: Choice, catalogue: Catalogue, found: Recommendation, finding: Finding
) -> tuple[Ranked | None, tuple[str, ...]]:
    """The best row all of whose options are of the recommended class or hybrid; in a close call the one that changes
    less, can be taken back and takes fewer hours, and what else is about as good."""
    kind_of = {each.id: each.kind for each in catalogue.options}
    allowed = KINDS.get(found.kind, ())
    if found.rule == "R9":
        rules = finding.rules.ranking
        small = [
            each for each in choice.table
            if each.candidate.name != NO_ACTION and each.candidate.cost <= SMALL * rules.budget
            and each.candidate.hours <= SMALL * choice.scales.hours
        ]  # fmt: skip
        return (small[0] if small else None), ()
    fitting = [each for each in choice.table if all(kind_of[part] in allowed for part in each.candidate.parts)]
    if not fitting or choice.clear:
        return (fitting[0] if fitting else None), ()
    known = {each.id: each for each in catalogue.options}
    better, nothing = finding.rules.ranking.better, choice.row(NO_ACTION).score
    near = [each for each in fitting if fitting[0].score - each.score < better and each.score - nothing >= better]
    chosen = min(near or fitting[:1], key=lambda each: _caution([known[part] for part in each.candidate.parts], each))
    return chosen, tuple(each.candidate.name for each in near if each is not chosen)


def _caution(options: Sequence[Option], row: Ranked) -> tuple[int, bool, float, float]:
    levels = [CHANGES.index(each.change) for each in options]
    return max(levels), not all(each.reversible for each in options), row.candidate.hours, -row.score


def _of_targets(catalogue: Catalogue, found: Recommendation) -> str | None:
    """What is done about targets: it raises no measure of the team, so no table says what it is worth."""
    if found.kind != "REVIEW TARGETS":
        return None
    return next((each.id for each in catalogue.options if each.kind == "target"), None)


def _besides(catalogue: Catalogue, weaknesses: Mapping[str, Weakness]) -> tuple[str, ...]:
    """What is offered beside the recommendation: somebody for who is isolated, relief for who carries all help."""
    names = {each.id for each in catalogue.options}
    wanted: Sequence[tuple[str, str]] = (("W-ISO", "O1c"), ("W-HUB", "O6"), ("W-MTG", "O6"))
    return tuple(sorted({option for code, option in wanted if weaknesses[code].confirmed and option in names}))
