"""What Concert needs around it, looked at from outside: each check finds one thing well, doubtful or wrong."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from concert.checks import engines, machine, room, state
from concert.checks.finding import Check, Finding
from concert.services import SERVICES
from shared.settings import Settings

__all__ = ["Check", "Finding", "checks_of"]


def checks_of(settings: Settings, prefix: str = "") -> list[tuple[str, Check]]:
    """What there is to check under these settings; the topics have names that begin with the prefix."""
    folders = [settings.data]
    if settings.store.startswith("sqlite:"):
        folders.append(Path(settings.store.removeprefix("sqlite:")))
    checks: list[tuple[str, Check]] = [("python", machine.python)]
    checks += [("data folder", partial(machine.folder, each)) for each in dict.fromkeys(folders)]
    if settings.bus == "embedded" or len(folders) > 1:
        checks += [("free space", partial(machine.space, each)) for each in dict.fromkeys(folders)]
    checks += [("clock", partial(engines.clock, settings)), ("port", partial(machine.port, settings))]
    checks += [(f"store {service.name}", partial(engines.store, service, settings)) for service in SERVICES]
    if settings.store.startswith("postgresql:"):
        checks.append(("database room", partial(room.database, settings)))
    if settings.bus == "kafka":
        brokers = [each.strip() for each in settings.kafka_bootstrap_servers.split(",")]
        checks += [("broker", partial(engines.broker, each, brokers)) for each in brokers]
        if len(brokers) > 2:
            checks.append(("cluster", partial(engines.cluster, brokers)))
        checks.append(("topics", partial(engines.topics, settings, prefix)))
    else:
        checks.append(("log", partial(engines.log, settings)))
    checks += [("own log", partial(state.own_log, settings, prefix)), ("events", partial(state.events, settings))]
    addresses = {service.name: getattr(settings, f"{service.name}_url") for service in SERVICES}
    checks += [(f"at {name}", partial(state.service, name, url)) for name, url in addresses.items() if url]
    if settings.signing_key_file or not settings.jwt_issuer:
        checks.append(("signing key", partial(machine.signing_key, settings)))
    if settings.jwt_issuer:
        checks.append(("token issuer", partial(machine.issuer, settings)))
    return checks
