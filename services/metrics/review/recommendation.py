"""The rule R0 to R9: from states to exactly one recommended class. The first that matches says it.

Communication is a matter of opportunity and structure, teamwork one of skill (Mager & Pipe): COM is tested against
TWK, and where they cannot be told apart, the cheaper debrief is proposed
(`docs/decisions/0017-where-the-review-differs.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from services.metrics.review.measure import State

Class = Literal[
    "NOT ENOUGH DATA", "REVIEW TARGETS", "NO ACTION", "CLARIFY GOALS AND ROLES", "ENCOURAGE COMMUNICATION",
    "TRAIN TEAMWORK", "DEBRIEF", "REMOVE OBSTACLE", "TEAM DEBRIEF", "COACH SELLING", "SUPPORT AFTER SETBACKS",
    "AGREE ON ANSWER TIMES", "LOOK CLOSER", "WATCH",
]  # fmt: skip
KINDS: Final[dict[Class, tuple[str, ...]]] = {
    "ENCOURAGE COMMUNICATION": ("communication", "process", "hybrid"),
    "TRAIN TEAMWORK": ("teamwork", "hybrid"),
    "DEBRIEF": ("hybrid",),
    "REMOVE OBSTACLE": ("load", "hybrid"),
    "TEAM DEBRIEF": ("hybrid", "communication"),
    "CLARIFY GOALS AND ROLES": ("clarity", "hybrid"),
    "COACH SELLING": ("selling", "hybrid"),
    "SUPPORT AFTER SETBACKS": ("support", "hybrid"),
    "AGREE ON ANSWER TIMES": ("process", "hybrid"),
    "REVIEW TARGETS": ("target",),
}
"""Options of which kinds may be called recommended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """What the rule looks at, and nothing else."""

    enough_data: bool = True
    load: bool = False
    """W-HUB or W-MTG."""
    targets: bool = False
    """W-TGT, confirmed."""
    results_weak: bool = False
    """W-RES or W-CUST."""
    roles: bool = False
    """W-ROLE, confirmed."""
    com: State = "healthy"
    twk: State = "healthy"
    com_confirmed: bool = False
    twk_confirmed: bool = False
    apart: Literal["no", "com lower", "twk lower"] = "no"
    """Whether the two differ by 10 points, and for sure."""
    skill_gap: bool = False
    """Training coverage below 80 %, checks below 70 %, or no earlier healthy period."""
    obstacle: bool = False
    """Load, or a hub."""
    selling: bool = False
    activity: bool = False
    answers: bool = False


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What is recommended, by which rule, for which measure."""

    rule: str
    kind: Class
    measure: str | None = None
    train: bool = False
    """Whether training belongs to it."""


def recommend(states: States) -> Recommendation:
    """Exactly one class for every combination of states."""
    if not states.enough_data or "not enough data" in (states.com, states.twk):
        return Recommendation("R0", "NOT ENOUGH DATA")
    if states.targets:
        return Recommendation("R2", "REVIEW TARGETS")
    weak = states.com == "weak" or states.twk == "weak"
    if not states.results_weak and not weak:
        return Recommendation("R3", "NO ACTION")
    if states.roles:
        return Recommendation("R4", "CLARIFY GOALS AND ROLES", "LOS")
    if _confirmed(states):
        return _of_indices(states)
    if states.results_weak and not weak:
        return _of_results(states)
    return Recommendation("R9", "WATCH", "COM" if states.com == "weak" else "TWK")


def _confirmed(states: States) -> bool:
    return (states.com == "weak" and states.com_confirmed) or (states.twk == "weak" and states.twk_confirmed)


def _of_indices(states: States) -> Recommendation:
    """R5, R6, R7: one of the two is weak, or both."""
    com = states.com == "weak" and states.com_confirmed
    twk = states.twk == "weak" and states.twk_confirmed
    if com and twk and states.apart == "no":
        return Recommendation("R7", "TEAM DEBRIEF", "COM", train=states.skill_gap)
    if com and (not twk or states.apart == "com lower"):
        return Recommendation("R5" if not twk else "R7", "ENCOURAGE COMMUNICATION", "COM")
    return _of_teamwork(states, "R6" if not com else "R7")


def _of_teamwork(states: States, rule: str) -> Recommendation:
    """R6: train where a skill is missing; else take away what is in the way; else debrief."""
    if states.skill_gap:
        return Recommendation(f"{rule}a", "TRAIN TEAMWORK", "TWK", train=True)
    if states.obstacle:
        return Recommendation(f"{rule}c", "REMOVE OBSTACLE", "TWK")
    return Recommendation(f"{rule}b", "DEBRIEF", "TWK")


def _of_results(states: States) -> Recommendation:
    """R8: results are weak though communication and teamwork are not."""
    if states.selling:
        return Recommendation("R8", "COACH SELLING", "WIN")
    if states.activity:
        return Recommendation("R8", "SUPPORT AFTER SETBACKS", "IB8")
    if states.answers:
        return Recommendation("R8", "AGREE ON ANSWER TIMES", "TP3")
    return Recommendation("R8", "LOOK CLOSER")
