"""What has been published about the CRM data set, for whoever compares it with what the views show."""

from __future__ import annotations

from typing import Any

CRM_SPAN = {"from": "2016-01-01", "to": "2018-01-01"}
CRM_FIGURES = {
    "deals_won": 4238,
    "deals_lost": 2473,
    "deals_open": 8800 - 4238 - 2473,
    "revenue": {"amount": "10005534.00", "currency": "USD"},
    "average_days_to_win": "51.78",
}
CRM_WIN_RATE = "0.631501"
CRM_BY_MEMBER = {"Darcel Schlecht": "1153214.00"}
CRM_BY_TEAM = {"Melvin Marxen": "2251930.00"}


def crm_differences(sales: Any, finance: Any, by_member: Any, by_team: Any | None) -> list[str]:
    """Published figures that these views do not show; teams only where the file names them."""
    figures = sales["figures"]
    compared = {name: (figures[name], right) for name, right in CRM_FIGURES.items()}
    compared["win_rate"] = (figures["win_rate"]["rate"], CRM_WIN_RATE)
    compared["revenue in finance"] = (finance["figures"]["revenue"], CRM_FIGURES["revenue"])
    for view, published in ((by_member, CRM_BY_MEMBER), (by_team, CRM_BY_TEAM)):
        if view is not None:
            found = {row["name"]: row["figures"]["revenue"]["amount"] for row in view["breakdown"]["rows"]}
            compared |= {name: (found.get(name), right) for name, right in published.items()}
    return [f"{name}: {seen} instead of {right}" for name, (seen, right) in compared.items() if seen != right]
