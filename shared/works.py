"""What an option may ask of one person, by a word: events carry the word, whoever makes a duty or action the title."""

from __future__ import annotations

from typing import Final

WORKS: Final = {
    "answer-times": "Agree with the department on when it answers, and whom to turn to when it does not",
    "coaching": "Coach selling, and review calls",
    "fewer-meetings": "Cut or join meetings",
    "goals-and-roles": "Agree on goals and roles in a workshop",
    "handing-over": "Write down how work is handed over",
    "off-the-hub": "Move duties away from who carries most of the help",
    "promised-times": "Keep a board of requests with promised times",
    "targets": "Review targets, territories and ramps",
    "workload": "Look at the workload, and offer support after setbacks",
}
NO_COURSE: Final = "Offer a course that trains {kind}: a training was decided on, and there is none to assign"


def title_of(work: str | None) -> str:
    """What a word stands for; one that only a later version knows stands for itself."""
    return WORKS.get(work or "", work or "")
