"""Checks of what keeps the data: the stores, the log, and the clock by which both are read."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from concert.checks.finding import Finding, bare, reason, shown
from concert.services import SERVICES
from shared.application import Service
from shared.bus import PARTITIONS, TOPICS, BusError, TopicsMissing
from shared.bus.logfile import appended_last
from shared.instant import now
from shared.settings import Settings
from shared.store.migrate import lacking, standing

if TYPE_CHECKING:
    from shared.bus.kafka import Copies

MOST_APART = 5.0
PATIENCE = 4.0  # seconds for a cluster, two fifths of it for one answer: a check that asks twice still ends in time


def clock(settings: Settings) -> Finding:
    """Whether this machine's clock can be believed: by the database's clock, or by the log's newest event."""
    if settings.store.startswith("postgresql:"):
        return _against_database(settings)
    try:
        file = settings.data / "log.db"
        last = appended_last(file) if settings.bus == "embedded" and file.exists() else None
    except sqlite3.Error:  # the check of the log says what
        return Finding("warning", f"{shown(now())}; not compared: the log cannot be read")
    if last is None:
        return Finding("ok", f"{shown(now())}; there is nothing yet to compare it with")
    newest = datetime.fromtimestamp(last, UTC)
    if now() < newest:
        said = f"it is {shown(now())} here, but the newest event came at {shown(newest)}"
        return Finding("wrong", said, "set the clock of this machine, by NTP if possible")
    return Finding("ok", f"{shown(now())}; the newest event came at {shown(newest)}")


def store(service: Service, settings: Settings) -> Finding:
    """Whether the store of a service answers, and has the shape that this version needs."""
    url = settings.store
    where = _where(url, service.name)
    try:
        found = standing(service, url)
    except Exception as fault:  # whatever a driver says
        remedy = "see that it runs, and that CONCERT_STORE_URL is right"
        if url.startswith("sqlite:"):
            remedy = "restore it from a backup"
        return Finding("wrong", f"{where} does not answer", remedy, reason(fault))
    if found is None:
        return Finding("ok", f"{where} is made at the first start")
    try:
        missing = lacking(service, found.revision)
    except LookupError:
        remedy = "run the version of Concert that brought it there, or a later one"
        return Finding("wrong", f"{where} is at revision {found.revision}, which this version does not know", remedy)
    if missing:
        return Finding("wrong", f"{where} lacks the revisions {', '.join(missing)}", "run `concert migrate`")
    return Finding("ok", f"{where} is at revision {found.revision}, the latest")


def log(settings: Settings) -> Finding:
    """Whether the embedded log can be read."""
    file = settings.data / "log.db"
    if not file.exists():
        return Finding("ok", f"{file} is made at the first start")
    try:
        appended_last(file)
    except sqlite3.Error as fault:
        return Finding("wrong", f"{file} cannot be read", "restore the data folder from a backup", reason(fault))
    return Finding("ok", f"{file} can be read")


def broker(address: str, known: Sequence[str]) -> Finding:
    """Whether a broker answers where it was set, and where it sends its clients."""
    from shared.bus.kafka import advertised

    async def look() -> tuple[list[str], list[str]]:
        # Those that were set too have a line of their own.
        others = [each for each in await advertised(address, patience=PATIENCE) if each not in (address, *known)]
        return others, await _silent(others)

    try:
        others, silent = asyncio.run(look())
    except BusError:
        remedy = "see that it runs, and that CONCERT_KAFKA_BOOTSTRAP_SERVERS is right"
        return Finding("wrong", f"no broker answers at {address}", remedy)
    if silent:
        remedy = "let the broker's advertised.listeners name an address that can be reached from here"
        return Finding("wrong", f"{address} answers, but sends its clients to {', '.join(silent)}: no answer", remedy)
    return Finding(
        "ok", f"{address} answers" + "".join(f", and so does {each}, which it advertises" for each in others)
    )


def cluster(brokers: Sequence[str]) -> Finding:
    """Whether so many brokers answer that events are taken, and that one more may be lost."""
    silent = asyncio.run(_silent(brokers))
    said = f"{len(brokers) - len(silent)} of {len(brokers)} brokers answer"
    if not silent:
        return Finding("ok", said)
    missing = f"start {', '.join(silent)}"
    if 2 * len(silent) < len(brokers):
        return Finding("warning", f"{said}: events are still taken, with one copy fewer", missing)
    return Finding("wrong", f"{said}: no events are taken, and what is written waits in the journals", missing)


def topics(settings: Settings, prefix: str) -> Finding:
    """Whether the topics are there, with their partitions, and keep what they must, often enough."""
    from shared.bus.kafka import look_at_topics

    servers = settings.kafka_bootstrap_servers
    try:
        found = asyncio.run(
            look_at_topics(servers, replicas=settings.kafka_replicas, prefix=prefix, patience=PATIENCE)
        )  # fmt: skip
    except TopicsMissing as fault:
        return Finding("wrong", f"there is no {', no '.join(fault.topics)}", "run `concert topics`")
    except BusError as fault:
        if fault.__cause__ is not None:
            return Finding("wrong", f"they cannot be asked for: no broker of {servers} serves us", "see the brokers")
        return Finding("wrong", str(fault).rstrip("."), "mend the topic with Kafka's own tools")
    return _copies(found) or Finding(
        "ok", f"{len(TOPICS)} topics of {PARTITIONS} partitions, which keep what they must"
    )


def _copies(found: Sequence[Copies]) -> Finding | None:
    """What is the matter with the copies of the partitions, the worst first."""
    mend, start = "mend the topic with Kafka's own tools", "start the brokers that are down"
    for each in found:
        if not each.led:
            return Finding("wrong", f"{each.place} has no leader: it takes and gives nothing", start)
        if each.in_sync < each.needed:
            said = (
                f"{each.place} has {each.in_sync} of {each.kept} copies up to date and takes events with {each.needed}"
            )
            return Finding("wrong", f"{said}: they wait in the journals", start)
    for each in found:
        if each.kept < each.wanted:
            return Finding("wrong", f"{each.place} is kept {each.kept} times, and should be {each.wanted} times", mend)
        if each.needed < each.kept - 1:
            said = f"{each.place} takes events with {each.needed} of {each.kept} copies up to date: they could be lost"
            return Finding("wrong", said, f"set min.insync.replicas to {each.kept - 1} with Kafka's own tools")
    for each in found:
        if each.in_sync < each.kept:
            return Finding("warning", f"{each.place} has {each.in_sync} of {each.kept} copies up to date", start)
    return None


async def _silent(addresses: Sequence[str]) -> list[str]:
    """Those of these brokers that do not answer."""
    from shared.bus.kafka import advertised

    asked = (advertised(each, patience=PATIENCE) for each in addresses)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    return [each for each, said in zip(addresses, answers, strict=True) if isinstance(said, BaseException)]


def _against_database(settings: Settings) -> Finding:
    service = SERVICES[0]
    try:
        found = standing(service, settings.store)
    except Exception:  # the check of the store says what
        return Finding("warning", f"{shown(now())}; not compared: {_where(settings.store, service.name)} is silent")
    apart = abs((now() - found.clock).total_seconds()) if found else 0.0
    said = f"{shown(now())}, {apart:.1f} s from the database's"
    if apart > MOST_APART:
        return Finding("wrong", said, "set the clocks of both machines, by NTP if possible")
    return Finding("ok", said)


def _where(url: str, service: str) -> str:
    """Where the store of a service is."""
    if url.startswith("sqlite:"):
        return str(Path(url.removeprefix("sqlite:")) / f"{service}.db")
    return bare(url.replace("{service}", service))
