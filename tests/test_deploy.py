"""What Concert is started with, compared with what it is: nothing here needs a container."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from concert.origin import SCIM, owners_of
from concert.runner import together
from concert.services import SERVICES
from shared import settings
from shared.settings import Settings

ROOT = Path(__file__).parent.parent
GATEWAY = (ROOT / "deploy" / "gateway" / "nginx.conf").read_text()
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def owner(path: str) -> str:
    """Whose this path is by the gateway's table: nginx takes the first expression that matches."""
    table = re.search(r"map \$uri \$owner \{(.*?)\n    \}", GATEWAY, re.DOTALL)
    assert table is not None
    rows = re.findall(r"^\s+~(\S+) (\S+);$", table[1], re.MULTILINE)
    return next((name for pattern, name in rows if re.search(pattern, path)), "metrics")


async def test_the_gateway_sends_every_collection_to_its_owner(tmp_path: Path) -> None:
    async with together(Settings(data=tmp_path, demo=False)) as (origin, _):
        owners = owners_of(origin.services)
        await asyncio.sleep(0)  # what was started takes its first step before it is stopped
    addresses = {each: each if each == SCIM else f"/v1/{each}" for each in owners}
    assert {each: owner(address) for each, address in addresses.items()} == owners
    assert {each: owner(f"{address}/ext:crm:7/history") for each, address in addresses.items()} == owners


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "metrics"),
        ("/docs", "metrics"),
        ("/readyz", "metrics"),
        ("/v1/views/sales", "metrics"),
        ("/v1/events", "metrics"),
        ("/v1/metrics", "targets"),
        ("/v1/members/mbr_1/personal-data", "teams"),
        ("/v1/deals/ext:hubspot:9087/win", "targets"),
        ("/v1/meetings", "meetings"),
        ("/v1/teamsters", "metrics"),
        ("/scim/v2/Users/mbr_1", "teams"),
        ("/scim/v2/ServiceProviderConfig", "teams"),
        ("/scim/v1/Users", "metrics"),
        ("/docs/v1/teams", "metrics"),
        ("/v1/books", "$asked_owner"),
        ("/v1/parked/deal/deal_1/retry", "$asked_owner"),
    ],
)
def test_a_path_has_one_owner(path: str, expected: str) -> None:
    assert owner(path) == expected


def test_every_service_runs_in_a_container_and_the_gateway_waits_for_it() -> None:
    names = {service.name for service in SERVICES}
    assert {
        name for name, each in COMPOSE["services"].items() if each.get("command", [])[:2] == ["concert", "serve"]
    } == names
    assert set(COMPOSE["services"]["gateway"]["depends_on"]) == names


def test_the_containers_are_given_settings_that_exist() -> None:
    for name, each in COMPOSE["services"].items():
        given = {key: "" for key in each.get("environment") or {} if key.startswith(settings.PREFIX)}
        assert settings.unknown(given) == [], name


def test_nothing_is_published_beyond_this_machine() -> None:
    published = {name: each["ports"] for name, each in COMPOSE["services"].items() if "ports" in each}
    assert set(published) == {"gateway", "prometheus", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_only_concert_itself_starts_unless_it_is_to_be_watched() -> None:
    apart = {name: each["profiles"] for name, each in COMPOSE["services"].items() if "profiles" in each}
    assert apart == {"prometheus": ["watch"], "grafana": ["watch"], "collector": ["otel"]}


def test_only_what_needs_them_sees_the_secrets_and_nobody_is_given_one_in_clear() -> None:
    see = {name for name, each in COMPOSE["services"].items() if any("secrets:" in v for v in each.get("volumes", []))}
    assert see == {"teams", "targets", "meetings", "metrics", "secrets", "migrate", "topics", "postgres"}
    for name, each in COMPOSE["services"].items():
        clear = [key for key in each.get("environment") or {} if re.search("PASSWORD|KEY|TOKEN|STORE_URL", key)]
        assert [key for key in clear if not key.endswith("_FILE")] == [], name


@pytest.mark.parametrize("name", list(COMPOSE["services"]))
def test_nobody_in_a_container_is_root(name: str) -> None:
    service = COMPOSE["services"][name]
    if "user" in service:
        assert re.fullmatch(r"[1-9]\d*(:\d+)?", service["user"])
        return
    assert service["image"].startswith("${CONCERT_IMAGE:-")
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (.*)$", last, re.MULTILINE) == ["concert"]
    assert re.search(r"useradd --system --uid [1-9]\d* .* concert( |$)", last, re.MULTILINE)


@pytest.mark.parametrize("name", list(COMPOSE["services"]))
def test_what_a_container_logs_does_not_fill_the_disk(name: str) -> None:
    logging = COMPOSE["services"][name]["logging"]
    assert logging["driver"] == "json-file"
    assert re.fullmatch(r"\d+m", logging["options"]["max-size"])
    assert int(logging["options"]["max-file"]) < 10


def test_the_stores_are_on_a_network_without_a_way_out_and_on_no_other() -> None:
    assert COMPOSE["networks"]["stores"] == {"internal": True}
    for store in ("kafka", "postgres"):
        assert COMPOSE["services"][store]["networks"] == ["stores"]
        assert COMPOSE["services"][store].keys().isdisjoint({"ports", "network_mode"})
    reach = {name for name, each in COMPOSE["services"].items() if "stores" in each.get("networks", ["stores"])}
    assert reach == {"kafka", "postgres", "teams", "targets", "meetings", "metrics", "migrate", "topics"}


def test_what_runs_for_long_says_whether_it_is_well_and_is_started_again() -> None:
    for name, each in COMPOSE["services"].items():
        if name in ("secrets", "migrate", "topics"):
            assert each["restart"] == "no"
            continue
        assert each["restart"] == "unless-stopped", name
        # There is nothing in the collector's image to ask with, and Grafana shows what others keep.
        assert name in ("collector", "grafana") or each["healthcheck"]["test"][0] == "CMD", name


@pytest.mark.parametrize("name", list(COMPOSE["services"]))
def test_a_container_may_do_no_more_than_it_must(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in service
    assert "pids_limit" in service


def test_every_variable_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert re.findall(r"\$\{[A-Z_]+\}|\$\{[A-Z_]+:?\?", text) == []
