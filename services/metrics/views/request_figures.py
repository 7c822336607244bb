"""Do we help each other? What departments asked of each other, and whether promises were kept.

Events are counted on their days, so what was true of a past period stays true: a request that was resolved, reopened
and resolved again was resolved twice and reopened once.
"""

from __future__ import annotations

from typing import Any

from services.metrics.views.frame import Compute, Figure, Reading
from services.metrics.views.values import mean, shown_rate

SALES_TO_IT = "sales>it"
SECONDS_PER_HOUR = 3600


def happened(figure: str, measure: str) -> Compute:
    """How often something happened to requests in the period."""

    async def compute(reading: Reading) -> Any:
        if not reading.split_by(figure, measure):
            return None
        return (await reading.flow(measure)).count

    return compute


async def requests_open(reading: Reading) -> Any:
    """Open at the end."""
    if not reading.split_by("requests_open", "asked"):
        return None
    asked, resolved, again = [(await reading.stock(name)).count for name in ("asked", "resolved", "reopened")]
    return asked - resolved + again


async def resolved_on_time(reading: Reading) -> Any:
    """Resolved by the day promised."""
    if not reading.split_by("resolved_on_time", "kept"):
        return None
    kept, missed = (await reading.flow("kept")).count, (await reading.flow("missed")).count
    if kept + missed == 0:
        reading.note("resolved_on_time", "no request that had a promise was resolved in the period")
    return shown_rate(kept, kept + missed)


async def time_to_resolve(reading: Reading) -> Any:
    """Mean hours to resolve."""
    if not reading.split_by("time_to_resolve", "resolved"):
        return None
    resolved = await reading.flow("resolved")
    if not resolved.count:
        reading.note("time_to_resolve", "no request was resolved in the period")
    return mean(resolved.took, resolved.count * SECONDS_PER_HOUR)


async def requests_from_sales(reading: Reading) -> Any:
    """Asked of IT by sales in the period."""
    if reading.filters:
        reading.note("requests_from_sales", "it is counted over all requests from sales to IT")
        return None
    return (await reading.measured_along("pair", SALES_TO_IT, "asked")).count


async def on_time_by_pair(reading: Reading) -> Any:
    """Resolved by the day promised, for each pair of departments."""
    if reading.filters:
        reading.note("on_time_by_pair", "it is told for all pairs of departments at once")
        return None
    kept, missed = await reading.entries_along("pair", "kept"), await reading.entries_along("pair", "missed")
    counts = {
        pair: (kept[pair].count if pair in kept else 0, missed[pair].count if pair in missed else 0)
        for pair in sorted(kept.keys() | missed.keys())
    }
    return {pair: shown_rate(on_time, on_time + late) for pair, (on_time, late) in counts.items() if on_time + late}


REQUEST_FIGURES = (
    Figure("requests_opened", "Requests made on days of the period, to the department or of the kind asked about.",
           happened("requests_opened", "asked"), "requests"),
    Figure("requests_open", "Requests made and not resolved at the end.", requests_open, "requests_open"),
    Figure("requests_resolved", "Resolutions of requests on days of the period.",
           happened("requests_resolved", "resolved"), "requests_resolved"),
    Figure("resolved_on_time", "Resolutions by the day promised ÷ resolutions of requests that had a promise. A promise"
           " that has been broken is not mended by a later one.", resolved_on_time, "requests_promised"),
    Figure("on_time_by_pair", "For each pair of departments, asking > asked, resolutions by the day promised ÷"
           " resolutions of requests that had a promise.", on_time_by_pair, "requests_promised"),
    Figure("reopened", "Requests reopened on days of the period.", happened("reopened", "reopened"),
           "requests_reopened"),
    Figure("time_to_resolve", "Mean hours from asking, or reopening, to resolving.", time_to_resolve,
           "requests_resolved"),
    Figure("requests_from_sales", "Requests from the sales department to IT made on days of the period.",
           requests_from_sales, "requests_sales_to_it"),
)  # fmt: skip
