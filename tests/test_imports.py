"""Who may import whom.

    app -> api, reactions, views -> domain -> shared.events, shared.errors, shared.money, shared.instant

A service never imports another service, `shared` never imports a service, and only `concert` (the command and the
one-machine runner) knows them all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SERVICES = ("teams", "targets", "meetings", "metrics")
DOMAIN_MAY = ("shared.events", "shared.errors", "shared.money", "shared.instant", "shared.ids")

# Inside a service, from the outside in; a layer imports only layers further in.
LAYERS = {"app": 0, "api": 1, "reactions": 1, "views": 1, "domain": 2}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))
