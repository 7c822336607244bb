"""How do our people feel? What pulses have shown, where enough of those who were asked have answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from services.metrics.views.frame import Figure, Reading
from services.metrics.views.people import by_belonging
from services.metrics.views.values import decimal


async def enps(reading: Reading) -> Any:
    """Promoters without detractors, in points."""
    if not by_belonging(reading, "enps"):
        return None
    polled, promoted, detracted = [(await reading.flow(name)).count for name in ("polled", "promoted", "detracted")]
    if not polled:
        reading.note("enps", "no pulse that closed in the period has ten answers to this question")
        return None
    points = decimal(Decimal(promoted - detracted) / polled * 100, 1)
    return {"points": points, "promoters": promoted, "detractors": detracted, "answers": polled}


ENPS = Figure(
    "enps", "Share of promoters (9-10) - share of detractors (0-6) among the answers, in points, of pulses that closed"
    " in the period with at least ten answers and 60 % of those asked.", enps, "pulses",
)  # fmt: skip
