"""A small company with something to show in every view, made through the public API in bulk."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import httpx

HOSTILE = "<script>alert('x')</script> & \"Söhne\" ؜"
TEAMS = ("North", "South")
PEOPLE = (
    ("Ada Berg", "sales", "North"),
    ("Ben Okafor", "sales", "North"),
    ("Chloé Martin", "sales", "South"),
    ("Dana Novak", "sales", "South"),
    ("Emil Roth", "it", None),
    ("Fay Lindqvist", "hr", None),
    ("Gus Perez", "accounting", None),
)
PRODUCTS = (("Aurora", 900, 540), ("Borealis", 2400, 1320), ("Cirrus", 320, 250))
CUSTOMERS = ("Halden Works", "Nova Foods", HOSTILE, "Quarry & Sons", "Tidewater", "Umbra Optics")
FIRST = date(2025, 1, 1)
DEALS = 96


def dollars(amount: float) -> dict[str, str]:
    """An amount in the company's currency."""
    return {"amount": f"{amount:.2f}", "currency": "USD"}


def named(name: object) -> dict[str, str]:
    """What the company's own system calls a thing."""
    return {"source": "demo", "id": str(name)}


def ref(name: object) -> str:
    """The same as a reference."""
    return f"ext:demo:{name}"


async def settle_in(client: httpx.AsyncClient) -> list[str]:
    """Make the company; answers with the tokens to wait for."""
    tokens: list[str] = []
    for collection, rows in _facts().items():
        await _heard(client, collection, [token for token in tokens if token.startswith("batch/teams-")])
        tokens.append(await _send(client, collection, rows))
    return tokens


async def _heard(client: httpx.AsyncClient, collection: str, tokens: list[str]) -> None:
    """Wait until the owner of a collection has heard of the people that its things speak of."""
    query: dict[str, str | list[str]] = {"after": tokens, "limit": "1"}
    answer = await client.get(f"/v1/{collection}", params=query, headers={"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text


async def _send(client: httpx.AsyncClient, collection: str, rows: Iterable[dict[str, Any]]) -> str:
    body = "\n".join(json.dumps(row) for row in rows)
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await client.post(f"/v1/{collection}/bulk", content=body, headers=headers)
    refused = [line for line in answer.text.splitlines() if json.loads(line).get("status", 500) >= 400]
    assert answer.status_code == 200, answer.text
    assert not refused, refused[:3]
    return answer.headers["concert-version"]


def _facts() -> dict[str, list[dict[str, Any]]]:
    teams = [{"external": named(name), "name": name, "region": name, "department": "sales"} for name in TEAMS]
    members: list[dict[str, Any]] = []
    for place, (name, department, team) in enumerate(PEOPLE):
        starts = str(FIRST + timedelta(days=45 * place))
        members.append({"external": named(name), "name": name, "department": department, "starts_on": starts})
        if team:
            members.append({"do": "join", "member": ref(name), "team": ref(team), "from": starts})
    products: list[dict[str, Any]] = []
    for name, price, cost in PRODUCTS:
        products.append({"external": named(name), "name": name, "price": dollars(price)})
        products.append({"do": "costs", "product": ref(name), "cost": dollars(cost), "from": "2020-01-01"})
    customers = [{"external": named(place), "name": name} for place, name in enumerate(CUSTOMERS)]
    deals, invoices, receipts = _sales()
    return {
        "teams": teams,
        "members": members,
        "products": products,
        "customers": customers,
        "deals": deals,
        "invoices": invoices,
        "receipts": receipts,
        "budgets": [
            {"external": named(f"{who}-{year}"), "department": who, "period": str(year), "amount": dollars(amount)}
            for who, amount in (("sales", 48_000), ("it", 24_000), ("hr", 12_000))
            for year in (2025, 2026)
        ],
        "expenses": [
            {"external": named(f"{who}-{place}"), "department": who, "kind": kind, "on": str(_day(30 * place)),
             "amount": dollars(share + 90 * (place % 4))}
            for place in range(14)
            for who, kind, share in (("sales", "travel", 2600), ("it", "licences", 1500), ("hr", "training", 700))
        ],
        "targets": [
            {"external": named(f"{quarter}"), "metric": "revenue", "scope": {"level": "organisation"},
             "period": quarter, "value": dollars(36_000)}
            for quarter in ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4", "2026-Q1")
        ],
        "requests": _requests(),
    }  # fmt: skip


def _sales() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    sellers = [name for name, department, _ in PEOPLE if department == "sales"]
    deals: list[dict[str, Any]] = []
    invoices: list[dict[str, Any]] = []
    receipts: list[dict[str, Any]] = []
    for place in range(DEALS):
        product, price, _ = PRODUCTS[place % len(PRODUCTS)]
        opened = _day(180 + 2 * place)
        closed = opened + timedelta(days=20 + place % 45)
        quantity = 1 + place % 3
        worth = dollars(price * quantity)
        deals.append(
            {"external": named(place), "owner": ref(sellers[place % len(sellers)]), "opened_on": str(opened),
             "customer": ref(place % len(CUSTOMERS)), "product": ref(product), "value": worth}
        )  # fmt: skip
        if place % 8 == 7:
            continue
        if place % 3 == 2:
            deals.append({"do": "lose", "deal": ref(place), "on": str(closed), "reason": "price"})
            continue
        line = {"product": ref(product), "quantity": str(quantity), "unit_price": dollars(price)}
        deals.append({"do": "win", "deal": ref(place), "on": str(closed), "lines": [line]})
        if place % 5:
            due = closed + timedelta(days=30)
            invoices.append({"external": named(place), "deal": ref(place), "amount": worth, "on": str(closed),
                             "due_on": str(due)})  # fmt: skip
            if place % 4 != 1:
                receipts.append({"external": named(place), "invoice": ref(place), "amount": worth,
                                 "on": str(due - timedelta(days=place % 9))})  # fmt: skip
    return deals, invoices, receipts


def _requests() -> list[dict[str, Any]]:
    kinds = ("it_support", "equipment", "pricing")
    made: list[dict[str, Any]] = []
    for place in range(24):
        asked = _day(300 + 5 * place)
        asker = ("sales", "hr")[place % 2]
        made.append(
            {"external": named(place), "kind": kinds[place % 3], "title": f"Request {place}",
             "at": f"{asked}T09:00:00Z",
             "from": {"department": asker}, "to": {"department": "it"}, "promised_by": str(asked + timedelta(days=3))}
        )  # fmt: skip
        if place % 4:
            done = asked + timedelta(days=place % 6)
            made.append({"do": "resolve", "request": ref(place), "at": f"{done}T15:00:00Z"})
    return made


def _day(days: int) -> date:
    return FIRST + timedelta(days=days)
