"""What AdventureWorks sells, and to whom."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from concert.imports.adventureworks.files import Files, Version
from concert.imports.plan import Body, Plan, day


def reseller(key: str) -> str:
    """What a reseller is called."""
    return f"reseller-{key}"


def products(files: Files) -> dict[str, str]:
    """What the product of each key is called: versions of one product, told by its name, are one product."""
    first: dict[str, str] = {}
    return {version.key: "product-" + first.setdefault(version.name, version.key) for version in files.versions}


def plan_resellers(plan: Plan, files: Files) -> None:
    """Resellers as customers, their country as region."""
    step = plan.step("customers")
    for each in files.resellers:
        body: Body = {"external": plan.external(reseller(each.key)), "name": each.name}
        step.add(body | ({"region": each.country} if each.country else {}), origin=each.row)


def plan_products(plan: Plan, files: Files) -> None:
    """Products with their standard costs: the first from the beginning, each later one from its first sale on."""
    called = products(files)
    sold: dict[str, date] = {}
    for line in files.lines:
        sold[line.product] = min(line.on, sold.get(line.product, line.on))
    versions: dict[str, list[Version]] = defaultdict(list)
    for version in files.versions:
        versions[version.name].append(version)
    begin = min(sold.values(), default=date(2000, 1, 1))
    for each in versions.values():
        _plan_product(plan, called[each[0].key], each, sold, begin)


def _plan_product(plan: Plan, name: str, versions: list[Version], sold: dict[str, date], begin: date) -> None:
    first = versions[0]
    plan.step("products").add({"external": plan.external(name), "name": first.name}, origin=first.row)
    dated = [each for each in versions if each.key in sold] or versions[-1:]
    since = begin
    for version in sorted(dated, key=lambda each: sold.get(each.key, begin)):
        if version.cost is not None:
            cost = {"cost": version.cost.as_json(), "from": day(since if version is dated[0] else sold[version.key])}
            costs = plan.step("costs", "products")
            costs.add({"do": "costs", "product": plan.ref(name)} | cost, origin=version.row)
