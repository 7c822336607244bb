"""Who may import whom.

    app -> page -> api, reactions -> views -> domain -> shared.events, shared.errors, shared.money, shared.instant

The page does what the API does, by calling it, so that the two never differ.

A service never imports another service, `shared` never imports a service, and only `concert` (the command and the
one-machine runner) knows them all. One file knows Kafka's client, one knows PostgreSQL's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A layer imports only what has a higher number than itself; helpers of a service that stand in no layer are free.
LAYER = {"app": 0, "page": 1, "api": 2, "reactions": 2, "views": 3, "domain": 4}

# The domain decides: no I/O and no clock, so of the kit it knows only values, and what an entity's table is made of.
DOMAIN_KNOWS = (
    "shared.events",
    "shared.errors",
    "shared.money",
    "shared.instant",
    "shared.ids",
    "shared.membership",
    "shared.period",
    "shared.contribution",
    "shared.handovers",
    "shared.rates",
    "shared.store.Entity",
    "shared.store.types",
)
DOMAIN_NEVER = ("fastapi", "starlette", "httpx", "aiokafka", "asyncpg", "sqlite3", "asyncio", "time", "os", "random")

# What a review finds of people (COM, TWK, the graph, peers, resilience) leads to no pay: of metrics only reviews and
# their routes know it, so that it is in no view, sum or certificate; and who books money hears of no review.
REVIEW = "services.metrics.review"
MAY_KNOW_REVIEWS = (
    REVIEW, "services.metrics.api", "services.metrics.page", "services.metrics.app", "services.metrics.retention",
)  # fmt: skip
MONEY = "services.targets"

DRIVERS = ("aiokafka", "asyncpg")


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(file: Path) -> Iterator[str]:
    """Every module that `file` names, wherever in it: an import inside a function is an import too."""
    package = ".".join(file.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), package)
            # `from services import teams` names a module as much as `import services.teams` does.
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def within(name: str, *modules: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def layer(name: str) -> int | None:
    parts = name.split(".")
    return LAYER.get(parts[2]) if len(parts) > 2 else None


def refusal(importer: str, imported: str) -> str | None:
    """Why this arrow may not be, or None."""
    if within(imported, "tests"):
        return "only tests import tests"
    if within(importer, "concert"):
        return None
    if within(imported, "concert"):
        return "only the command may know the command"
    if within(importer, "shared") and within(imported, "services"):
        return "the kit knows no service"
    if within(importer, "services"):
        home = ".".join(importer.split(".")[:2])
        if within(imported, "services") and not within(imported, home):
            return "a service imports no other service"
        if within(imported, REVIEW) and not within(importer, *MAY_KNOW_REVIEWS):
            return "what a review finds is in no figure"
        if within(importer, MONEY) and within(imported, "shared.events.reviews"):
            return "who books money hears of no review"
        here, there = layer(importer), layer(imported) if within(imported, home) else None
        if (
            here is not None
            and there is not None
            and here >= there
            and importer.split(".")[2] != imported.split(".")[2]
        ):
            return "the arrow points outwards"
        if here == LAYER["domain"]:
            if within(imported, "shared") and not within(imported, *DOMAIN_KNOWS):
                return f"of the kit the domain knows only {', '.join(DOMAIN_KNOWS)}"
            if within(imported, *DOMAIN_NEVER):
                return "the domain does no I/O and reads no clock"
    return None


FILES = sorted(file for folder in ("shared", "services", "concert") for file in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=module_name)
def test_every_import_follows_the_arrows(file: Path) -> None:
    refused = {name: why for name in imports(file) if (why := refusal(module_name(file), name))}
    assert not refused


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_is_known_to_one_file(driver: str) -> None:
    assert len([module_name(file) for file in FILES if any(within(name, driver) for name in imports(file))]) <= 1


@pytest.mark.parametrize(
    ("importer", "imported", "why"),
    [
        ("services.teams.api", "services.targets.domain", "a service imports no other service"),
        ("services.teams.domain", "services.teams.api.Body", "the arrow points outwards"),
        ("services.teams.api", "services.teams.reactions", "the arrow points outwards"),
        (
            "services.teams.domain.member",
            "shared.store.save",
            f"of the kit the domain knows only {', '.join(DOMAIN_KNOWS)}",
        ),
        ("services.teams.domain", "time", "the domain does no I/O and reads no clock"),
        ("shared.web", "services.teams.app", "the kit knows no service"),
        ("shared.web", "concert.cli", "only the command may know the command"),
        ("concert.cli", "tests.engines", "only tests import tests"),
        ("concert.cli", "services.teams.app", None),
        ("services.teams.api", "services.teams.domain.Member", None),
        ("services.teams.api.members", "services.teams.api.bodies", None),
        ("services.teams.domain", "shared.events.teams", None),
        ("services.teams.app", "shared.web", None),
        ("services.metrics.views.finance", "services.metrics.review.finding", "what a review finds is in no figure"),
        ("services.metrics.facts.money", "services.metrics.review.indices", "what a review finds is in no figure"),
        ("services.targets.reactions", "shared.events.reviews.ActionDecided", "who books money hears of no review"),
        ("services.metrics.api.reviews", "services.metrics.review.finding", None),
    ],
)
def test_the_rule_itself(importer: str, imported: str, why: str | None) -> None:
    assert refusal(importer, imported) == why
