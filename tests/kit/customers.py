"""Pieces of work on customers, for tests of the store."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.targets.domain.customers import Customer
from shared.ids import new_id
from shared.instant import now
from shared.store import Context, Job, Store, Tx
from shared.store.tables import External, Journal


def job(run: Any, **context: Any) -> Job[Any]:
    """A piece of work as it is asked for now."""
    return Job(run, Context(now(), **context))


def meet(name: str, **externals: str) -> Job[Customer]:
    """Learn of a customer, whom other systems may have names for."""

    async def run(tx: Tx) -> Customer:
        customer, met = Customer.meet(name=name, region=None, id=new_id("cust"), externals=externals)
        return tx.save(customer, met)

    return job(run)


def rename(key: str, name: str) -> Job[Customer]:
    """Call a customer something else."""

    async def run(tx: Tx) -> Customer:
        customer = await tx.load(Customer, key)
        return tx.save(customer, customer.change(name=name))

    return job(run)


async def names(store: Store) -> list[str]:
    """All customers."""
    customer = Customer.__table__.c  # type: ignore[attr-defined]
    records = await store.read(lambda snapshot: snapshot.rows(sa.select(customer.name).order_by(customer.name)))
    return [name for (name,) in records]


async def versions(store: Store) -> list[tuple[str, int]]:
    """All events, as subject and version, in the order of the journal."""
    journal = Journal.__table__.c  # type: ignore[attr-defined]
    select = sa.select(journal.subject, journal.version).order_by(journal.seq)
    return [(subject, version) for subject, version in await store.read(lambda snapshot: snapshot.rows(select))]


async def external_names(store: Store) -> list[str]:
    """All names that lead to something."""
    external = External.__table__.c  # type: ignore[attr-defined]
    records = await store.read(lambda snapshot: snapshot.rows(sa.select(external.name).order_by(external.name)))
    return [name for (name,) in records]
