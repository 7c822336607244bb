"""`python -m tests.backtest [FOLDER]`: the tables of the back-test, as they stand in docs/forecast.md."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.backtest.rolling import CALIBRATED_BY, known, mean_error, mean_naive_error, sales_of, samples, spread
from tests.imports.data_sets import place_of


def report(folder: Path) -> list[str]:
    """The lines of both tables."""
    found = samples(sales_of(folder))
    lines = ["| quarter | known before | forecast | 80 % range | came | error | naive | its error |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    quarters = found["organisation, quarters, in the middle"]
    for point in quarters:
        if point.found is None:
            lines.append(f"| {point.period} | {point.before} | none: {point.reason} | | {_usd(point.actual)} | | | |")
            continue
        low, high = _usd(point.found.low), _usd(point.found.high)
        lines.append(
            f"| {point.period} | {point.before} | {_usd(point.found.value)} | {low} to {high} | {_usd(point.actual)}"
            f" | {point.error:+.1%} | {_usd(point.naive)} | {point.naive_error:+.1%} |"
        )
    mine = known(quarters)
    lines += ["", f"Mean absolute percentage error: {mean_error(mine):.1%}; of the naive forecast"
              f" {mean_naive_error(mine):.1%}.", "",
              "| forecasts of | points | mean absolute error | naive | in the 80 % range |",
              "| --- | --- | --- | --- | --- |"]  # fmt: skip
    for name, points in found.items():
        mine = known(points)
        inside = sum(point.inside for point in mine)
        lines.append(
            f"| {name} | {len(mine)} | {mean_error(mine):.1%} | {mean_naive_error(mine):.1%}"
            f" | {inside} ({inside / len(mine):.0%}) |"
        )
    pooled = [point for name in CALIBRATED_BY for point in known(found[name])]
    return [*lines, "", f"Four of five of {len(pooled)} forecasts of teams lay within {spread(pooled):.2f} deviations."]


def _usd(minor: int) -> str:
    return f"{minor / 100:,.0f}"


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else place_of("maven_crm")
    if not folder.exists():
        sys.exit(f"There is no data set in {folder}: name its folder, or set CONCERT_DATA_SETS.")
    sys.stdout.write("\n".join([*report(folder), ""]))
