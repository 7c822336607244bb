"""The two headline indices, built mainly from events: does the team communicate, and does it work as a team?

Each is the mean of three measures alike, se = √(se1² + se2² + se3²) ÷ 3. Where one of them has no number, there is no
index: the others are not weighted anew (Gittell's relational coordination has these two halves).
"""

from __future__ import annotations

from collections.abc import Mapping

from services.metrics.review.measure import Measure, Value, mean_share

COM = Measure(
    "COM", "communication", "index", "Needed ties that there are, answers on time, and what the team says of it.",
    "(TP4 + TP3 + TP5) ÷ 3", "one part without a number, and there is no index",
)  # fmt: skip
TWK = Measure(
    "TWK", "teamwork", "index", "Follow-through, items resolved, and what the team says of its cooperation.",
    "(IB4 pooled + TP2 + TP6) ÷ 3", "one part without a number, and there is no index",
)  # fmt: skip


def index_of(measure: Measure, parts: tuple[str, ...], values: Mapping[str, Value]) -> Value:
    """An index of these measures."""
    return mean_share(measure, (values[each] for each in parts))
