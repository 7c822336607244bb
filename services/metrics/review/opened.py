"""What the numbers of the table of options mean, how they are computed, and the figures they are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from services.metrics.review.options import NO_ACTION
from services.metrics.review.ranking import scales_of
from services.metrics.review.thresholds import CRITERIA, RankingRules
from services.metrics.review.written import number


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a number of the table says."""

    name: str
    definition: str
    formula: str
    unit: str
    guard: str


_FIXED = "the scale is fixed: adding or removing an option changes no other one"
MEANINGS: Final[Mapping[str, Meaning]] = {
    "benefit": Meaning("Benefit", "How much of the gap is closed beyond doing nothing.",
                       "100 · min(1, probability · effect ÷ gap); of a package 100 · (1 - (1 - b1)(1 - b2))",
                       "0 to 100", "effects are assumptions until the organisation has results of its own"),
    "risk": Meaning("Risk", "How small the expected loss is.", "100 · (1 - expected loss ÷ largest loss accepted)",
                    "0 to 100", "probability x loss in money, never a colour"),
    "cost": Meaning("Cost", "How little money it takes.", "100 · (1 - cost ÷ budget)", "0 to 100", _FIXED),
    "effort": Meaning("Effort", "How few hours of the team it takes.", "100 · (1 - hours ÷ hours accepted)", "0 to 100",
                      "the hours accepted are a share of the team's working hours"),
    "time": Meaning("Time", "How soon the first effect shows.", "100 · (1 - weeks ÷ weeks accepted)", "0 to 100",
                    _FIXED),
    "score": Meaning("Total", "What the option is worth by all criteria.", "Σ weight · value", "0 to 100",
                     "weights are the swings that management states; where nobody has, they are assumed and said so"),
    "net": Meaning("Net worth", "What it is worth beyond doing nothing, in money.",
                   "(total - total of no action) · Σ swings ÷ 100", "money", "the same ranking in another language"),
    "better_than_nothing": Meaning(
        "Better than no action", "The probability that it is better than doing nothing.",
        "P(total > total of no action), carried out ~ Bernoulli(p), effect ~ Normal(mean, deviation)", "probability",
        "computed, not drawn"),
    "weights": Meaning("Weight", "What the full swing of a criterion is worth among all.", "swing ÷ Σ swings", "share",
                       "stated by management, not taken from the options"),
    "gap": Meaning("Gap", "What is missing to the line from which on the measure is healthy.", "healthy line - value",
                   "points", "the line was there before the period"),
}  # fmt: skip

_SAID: Final = "as the set of options says, that the review names"
STATED: Final[Mapping[str, Meaning]] = {
    "expected_loss": Meaning("Expected loss", "What may go wrong, by how likely it is and what it costs.",
                             "Σ probability · loss", "money", _SAID),
    "cost": Meaning("Cost in money", "What it costs; of a package the sum.", _SAID, "money", "an estimate"),
    "hours": Meaning("Hours", "What it takes of the team; of a package the sum.",
                     "hours of each · members + hours besides", "hours", _SAID),
    "weeks": Meaning("Weeks", "Until the first effect; of a package the later one.", _SAID, "weeks", "an estimate"),
}  # fmt: skip
EFFECT: Final = Meaning(
    "Expected effect", "What it is expected to raise the measure by if it is carried out, and how sure that is.", _SAID,
    "points", "an assumption until the organisation has results of its own; then what verdicts have taught",
)  # fmt: skip


def opened(document: Mapping[str, Any], rules: RankingRules, path: str) -> tuple[Meaning, dict[str, str | None]] | None:
    """What a number of the table means, and by name the figures it is computed from; none for any other number."""
    parts, table = path.split("/")[1:], document["options"]
    if table is None or not parts or parts[0] != "options":
        return None
    match parts[1:]:
        case ["gap"]:
            said = document["recommendation"]
            return MEANINGS["gap"], {"healthy line": said["healthy"], "value": said["value"]}
        case ["weights", name] if name in CRITERIA:
            swing = {each: number(getattr(rules.swing, each)) for each in CRITERIA}
            return MEANINGS["weights"], {f"swing of {each}": swing[each] for each in CRITERIA}
        case ["rows", _, "effects", *_]:
            return EFFECT, {}
        case ["rows", _, name] if name in STATED:
            return STATED[name], {}
        case ["rows", place, "values", name] | ["rows", place, name] if name in MEANINGS:
            return MEANINGS[name], _figures(name, table["rows"][int(place)], document, rules)
    return None


def _figures(
    name: str, row: Mapping[str, Any], document: Mapping[str, Any], rules: RankingRules
) -> dict[str, str | None]:
    table = document["options"]
    nothing = next(each for each in table["rows"] if each["option"] == NO_ACTION)
    match name:
        case "score":
            return {f"{each}, which weighs {table['weights'][each]}": row["values"][each] for each in CRITERIA}
        case "net":
            return {"total": row["score"], "total of no action": nothing["score"], "Σ swings": number(rules.swing.sum)}
        case "benefit" | "better_than_nothing":
            effects = {
                f"{option}, {what}": effect[what]
                for option, effect in zip(row["options"], row["effects"], strict=True) if option != NO_ACTION
                for what in ("probability", "mean", "deviation")
            }  # fmt: skip
            more = {} if name == "benefit" else {"total": row["score"], "total of no action": nothing["score"]}
            return effects | {"gap": table["gap"]} | more
        case "risk":
            return {"expected loss": row["expected_loss"], "largest loss accepted": number(rules.loss)}
        case "cost":
            return {"cost": row["cost"], "budget": number(rules.budget)}
        case "effort":
            return {"hours": row["hours"], "hours accepted": number(_hours(document, rules))}
    return {"weeks": row["weeks"], "weeks accepted": number(rules.weeks)}


def _hours(document: Mapping[str, Any], rules: RankingRules) -> float:
    """The hours that are accepted of a team, as they were when the table was made."""
    members = document["associations"]["network"]["members"]
    return scales_of(rules, float(document["options"]["gap"]), members, weeks_of(document)).hours


def weeks_of(document: Mapping[str, Any]) -> float:
    """The length of the period."""
    start, end = (date.fromisoformat(document["period"][each]) for each in ("from", "to"))
    return (end - start).days / 7
