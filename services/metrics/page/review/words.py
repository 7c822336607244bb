"""What a review says, in plain words: of weaknesses, of classes and rules, of criteria. No adjectives, no ranks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SCALE: Final = "of 100"
INDICES: Final[Mapping[str, str]] = {"COM": "Communication", "TWK": "Teamwork"}
WEAKNESSES: Final[Mapping[str, str]] = {
    "W-COM": "Communication with those whom work needs",
    "W-TWK": "Working as a team",
    "W-HUB": "Help that runs through one member",
    "W-ISO": "A member without a working contact",
    "W-MTG": "Meetings: their hours, and what comes of them",
    "W-DEP": "Answers of a department",
    "W-ROLE": "Work that is tied to goals, and clear roles",
    "W-SKILL": "Deals won of those closed",
    "W-ACT": "Activity after setbacks",
    "W-TGT": "Targets of most teams",
    "W-CUST": "What customers say",
    "W-RES": "Results against what may be expected",
}
STATES: Final[Mapping[str, tuple[str, str]]] = {
    "healthy": ("✓", "good"),
    "watch": ("…", "wait"),
    "weak": ("✕", "bad"),
    "not enough data": ("?", "none"),
}
"""By state, the sign and the ink that go with the word."""
CLASSES: Final[Mapping[str, str]] = {
    "NOT ENOUGH DATA": "Not enough data for a recommendation",
    "REVIEW TARGETS": "Review the targets",
    "NO ACTION": "No action",
    "CLARIFY GOALS AND ROLES": "Clarify goals and roles",
    "ENCOURAGE COMMUNICATION": "Encourage communication",
    "TRAIN TEAMWORK": "Train teamwork",
    "DEBRIEF": "Debrief regularly",
    "REMOVE OBSTACLE": "Remove what stands in the way",
    "TEAM DEBRIEF": "Debrief as a team",
    "COACH SELLING": "Coach selling",
    "SUPPORT AFTER SETBACKS": "Support after setbacks",
    "AGREE ON ANSWER TIMES": "Agree on answer times",
    "LOOK CLOSER": "Look closer: no option follows by itself",
    "WATCH": "Watch",
}
REASONS: Final[Mapping[str, str]] = {
    "R0": "What there is does not carry a recommendation. What is missing is listed below.",
    "R2": "Most teams are below what may be expected of them. That speaks of the targets, not of this team.",
    "R3": "Results are as may be expected, and neither communication nor teamwork is weak.",
    "R4": "Too little of the work is tied to a goal, or roles are not clear. That comes before anything else.",
    "R5": "Communication is weak for sure, teamwork is not: what is missing are contacts that work needs.",
    "R6a": "Teamwork is weak for sure, communication is not, and training is missing or has not shown an effect yet.",
    "R6b": "Teamwork is weak for sure, though the team is trained and was healthy before: looking back together"
    " helps where one more training would not.",
    "R6c": "Teamwork is weak for sure, and something stands in its way: help or meetings weigh on the same people.",
    "R7": "Communication and teamwork are both weak for sure.",
    "R8": "Results are below what may be expected, though communication and teamwork are not weak.",
    "R9": "Something is weak for the first time. One period alone does not lead to an action.",
}
CRITERIA: Final[Mapping[str, tuple[str, str]]] = {
    "benefit": ("Benefit", "share of the gap that is closed: probability · effect ÷ gap"),
    "risk": ("Risk", "probability · loss, against the largest loss that is accepted"),
    "cost": ("Cost", "money, against the budget"),
    "effort": ("Effort", "hours of the team, against 5 % of its hours"),
    "time": ("Time", "weeks until the first effect, against a quarter"),
}


def reason_of(rule: str) -> str:
    """Why a rule recommends what it does."""
    return REASONS.get(rule) or REASONS[rule[:2]]


def listed(words: list[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def times(number: int, one: str, many: str = "") -> str:
    """`1 member`, `3 members`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
