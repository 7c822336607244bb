"""Ways to break Concert on purpose, each of which switches one protection off.

    python -m tests.mutants [version-rule …]

runs the tests that must notice it and prints for each mutant what pytest ended with: 1 is as it should be.
`tests/kit/test_mutants.py` sees to that for all of them, and that the same tests pass without a mutant.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shared import consumer, lease, positions, relay, rounds
from shared.bus import Message, kafka
from shared.events import Envelope
from shared.instant import now
from shared.positions import advance
from shared.store import Context, Job
from shared.store.tables import Applied
from shared.store.tx import Tx
from tests import world
from tests.mutants_of_people import OF_PEOPLE

HERE = Path(__file__).parent


def apply_everything_that_comes() -> None:
    """No version rule: an event that was applied is applied again."""

    async def judge(self: rounds.Round, envelope: Envelope) -> None:
        applied = self.applied[envelope.subject]
        self._touched.add(envelope.subject)
        await self._take(applied, envelope)

    rounds.Round.judge = judge  # type: ignore[method-assign]


def apply_over_gaps() -> None:
    """Half a version rule: any higher version is applied, whether its predecessor has come or not."""
    rounds.latest_wins = lambda envelope: True


def take_forks_for_duplicates() -> None:
    """An old version passes as seen, whichever event it is."""

    async def seen(self: rounds.Round, applied: Applied, envelope: Envelope) -> None:
        self.counted.add("/targets", "seen")

    rounds.Round._seen = seen  # type: ignore[method-assign]


def read_on_from_anywhere() -> None:
    """No fence: positions move, but what lies before them is applied as if it were new."""
    advance = positions.advance

    async def careless(tx: Tx, messages: list[Message], edition: str) -> list[Message]:
        await advance(tx, messages, edition)
        return messages

    vars(consumer)["advance"] = careless


def take_any_edition() -> None:
    """Nobody asks as which edition of what is heard the positions were reached."""

    def always(stored: Any, edition: str) -> bool:
        return True

    vars(positions)["heard_as"] = vars(consumer)["heard_as"] = always


def keep_positions_apart() -> None:
    """The positions are moved in a transaction of their own, before the one of the effects."""
    apply = consumer.Consumer.apply

    async def move(tx: Tx, messages: list[Message], edition: str) -> list[Message]:
        return messages

    async def careless(self: consumer.Consumer, messages: Sequence[Message]) -> None:
        edition = self.subscriptions.edition
        fresh = await self.store.write(Job(lambda tx: advance(tx, messages, edition), Context(now())))
        await apply(self, fresh)

    vars(consumer)["advance"] = move
    consumer.Consumer.apply = careless  # type: ignore[method-assign]


def trust_any_log() -> None:
    """The log is not looked at before it is followed."""
    positions.Recognition.check = lambda self, messages: None  # type: ignore[method-assign]


def forget_to_mark() -> None:
    """No unsent flag: what was sent is not marked."""

    async def nothing(tx: Tx, numbers: Any) -> None:
        pass

    relay._mark_sent = nothing


def mark_before_sending() -> None:
    """Events are marked as sent before the log has confirmed them."""
    send = relay.Relay.send_window

    async def optimistic(self: relay.Relay) -> int:
        bus, log = self.bus, _Late()
        self.bus = log  # type: ignore[assignment]
        try:
            sent = await send(self)
        finally:
            self.bus = bus
        await bus.publish(log.records)
        return sent

    relay.Relay.send_window = optimistic  # type: ignore[method-assign]


class _Late:
    healthy = None

    def __init__(self) -> None:
        self.records: list[Any] = []

    async def publish(self, records: list[Any]) -> None:
        self.records = records


def let_failed_producers_live() -> None:
    """A producer that is given up is asked to stop, and is left alone when it does not."""

    async def end(self: kafka.Producer) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.stop()), kafka.CLOSE_SECONDS)

    kafka.Producer.end = end  # type: ignore[method-assign]


def share_the_lease() -> None:
    """Everybody may relay."""

    async def always(self: lease.Lessee) -> bool:
        return True

    lease.Lessee.holds = always  # type: ignore[method-assign]


def keep_what_was_refused() -> None:
    """What a refused piece of work had begun stays in its group."""
    run = Tx.run

    async def careless(self: Tx, job: Any) -> Any:
        undo, self._undo = self._undo, _Deaf()
        try:
            return await run(self, job)
        finally:
            self._undo = undo

    Tx.run = careless  # type: ignore[method-assign]


class _Deaf(list[Any]):
    def append(self, step: Any) -> None:
        pass


def allow_a_version_twice() -> None:
    """The journal takes two events under one version of a subject."""
    sound = world.migrated_files()

    @cache
    def careless() -> Path:
        folder = Path(shutil.copytree(sound, sound / "loose"))
        for file in folder.glob("*.db"):
            connection = sqlite3.connect(file)
            (text,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'journal'").fetchone()
            loose = re.sub(r",\s*(CONSTRAINT \w+ )?UNIQUE \(subject, version\)", "", text)
            if loose != text:
                connection.execute("DROP TABLE journal")
                connection.execute(loose)
                connection.commit()
            connection.close()
        return folder

    vars(world)["migrated_files"] = careless


APPLIER, RELAY, STORE = "kit/test_applier.py", "kit/test_relay.py", "kit/test_store.py"
# Each with the test that must notice it.
MUTANTS: dict[str, tuple[Callable[[], None], str]] = {
    "version-rule": (
        apply_everything_that_comes,
        f"{APPLIER}::test_another_event_under_an_applied_version_is_a_fork_and_is_parked",
    ),
    "gaps": (apply_over_gaps, f"{APPLIER}::test_what_comes_too_early_waits_and_is_drained_by_its_predecessor"),
    "forks": (
        take_forks_for_duplicates,
        f"{APPLIER}::test_another_event_under_an_applied_version_is_a_fork_and_is_parked",
    ),
    "positions": (
        keep_positions_apart,
        f"{APPLIER}::test_what_no_database_can_hold_is_found_in_its_batch_and_parked",
    ),
    "fence": (read_on_from_anywhere, f"{APPLIER}::test_an_applier_that_is_behind_applies_nothing_twice"),
    "edition": (
        take_any_edition,
        "kit/test_heard_anew.py::test_one_that_woke_up_and_applied_beside_is_found_with_the_next_event",
    ),
    "recognition": (trust_any_log, f"{APPLIER}::test_a_log_that_is_not_the_one_that_was_read_is_refused"),
    "unsent-flag": (forget_to_mark, f"{RELAY}::test_each_event_is_sent_once_when_all_is_well"),
    "mark-after-send": (
        mark_before_sending,
        f"{RELAY}::test_what_the_log_did_not_confirm_is_sent_again_from_the_first",
    ),
    "lease": (share_the_lease, f"{RELAY}::test_a_relay_that_slept_through_its_lease_asks_before_it_sends"),
    "producer": (
        let_failed_producers_live,
        "bus/test_kafka_client.py::test_closing_is_bounded_whatever_the_network_does",
    ),
    "undo": (keep_what_was_refused, f"{STORE}::test_in_a_group_the_refused_leave_nothing_and_the_others_stay"),
    "journal-key": (
        allow_a_version_twice,
        f"{STORE}::test_changes_decided_on_the_same_version_without_a_lock_do_not_overwrite_one_another",
    ),
    **OF_PEOPLE,
}
SOUND = "sound"
"""The tests of all that are run, with every protection in its place."""
BROKEN = 70
"""What a child ends with that could not even run the tests."""


AT_ONCE = 3
"""How many children run at a time; they wait more than they work."""


def judged(names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """What pytest ends with for each mutant, and for their tests when nothing is missing; each in a child of this
    process, which has everything imported already."""
    sys.stdout.flush()
    world.migrated_files()
    running: dict[int, str] = {}
    for name in [SOUND, *names]:
        if len(running) == AT_ONCE:
            yield _ended(running)
        child = os.fork()
        if child == 0:
            os._exit(_outcome(name, names if name == SOUND else [name]))
        running[child] = name
    while running:
        yield _ended(running)


def _ended(running: dict[int, str]) -> tuple[str, int]:
    child, status = os.wait()
    return running.pop(child), os.waitstatus_to_exitcode(status)


def _outcome(name: str, whose: Sequence[str]) -> int:
    # What is said of a failure that should not be goes where it is read; the failures that should be are many.
    os.dup2(2 if name == SOUND else os.open(os.devnull, os.O_WRONLY), 1)
    try:
        if name != SOUND:
            MUTANTS[name][0]()
        tests = {MUTANTS[each][1] for each in whose}
        # Everything is imported already, which pytest warns of.
        chosen = [*(f"{HERE}/{test}" for test in tests), "-x", "--timeout=90", "-q", "-k", "not postgresql",
                  "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]  # fmt: skip
        return int(pytest.main(chosen))
    except BaseException:
        traceback.print_exc()
        return BROKEN


if __name__ == "__main__":
    for name, code in judged(sys.argv[1:] or list(MUTANTS)):
        print(f"{code} {name}", flush=True)  # noqa: T201
