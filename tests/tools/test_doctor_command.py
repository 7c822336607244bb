"""`concert doctor` as it is typed, where all is well and where one thing after the other is wrong."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import typer
from typer.testing import CliRunner

from concert import doctor
from concert.checks import Finding, checks_of, engines, machine
from concert.services import SERVICES
from shared.bus import TOPICS, BusError, kafka
from shared.bus.kafka import create_topics
from shared.identity.keys import own_key
from shared.instant import now
from shared.store.migrate import lacking
from tests.engines import Kafka, Postgres
from tests.kit.identities import OtherIssuer
from tests.serving import serving
from tests.world import empty_databases, empty_files, world

command = typer.Typer()
command.command()(doctor.doctor)
ALL = lacking(SERVICES[0], None)
"""The history of every service has as many revisions as that of the first."""
Lines = list[tuple[str, str, str]]


@pytest.fixture(autouse=True)
def _its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("CONCERT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CONCERT_DATA", str(tmp_path))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("CONCERT_PORT", str(free.getsockname()[1]))


async def run() -> tuple[int, Lines, str]:
    """How it leaves, its lines (verdict, check, what it says), and all of it."""
    result = await asyncio.to_thread(CliRunner().invoke, command)
    assert "Traceback" not in result.output
    lines = [(line[:9].strip(), line[9:24].strip(), line[24:]) for line in result.output.splitlines()[:-1]]
    assert {verdict for verdict, *_ in lines} <= {"ok", "warning", "wrong"}, result.output
    return result.exit_code, lines, result.output


async def wrong() -> Lines:
    """What is wrong, when something is."""
    code, lines, said = await run()
    assert code == 1, said
    found = [line for line in lines if line[0] == "wrong"]
    assert said.endswith(f"Wrong: {len(found)}.\n")
    return found


async def test_all_is_well_before_the_first_start_and_nothing_is_made(tmp_path: Path) -> None:
    code, lines, said = await run()
    assert (code, {verdict for verdict, *_ in lines}) == (0, {"ok"}), said
    assert [check for _, check, _ in lines] == [
        "settings", "python", "data folder", "free space", "clock", "port", "store teams", "store targets",
        "store meetings", "store metrics", "log", "own log", "events", "signing key",
    ]  # fmt: skip
    assert said.endswith("Nothing is wrong.\n")
    assert files(tmp_path) == {}


async def test_all_is_well_beside_a_running_concert_which_does_not_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path) as concert, serving(concert.origin) as url:
        await concert.made("/v1/teams", {"name": "West"})
        await concert.settled("/v1/views", await concert.post("/v1/teams", {"name": "East"}), period="2026")
        monkeypatch.setenv("CONCERT_PORT", url.rpartition(":")[2])
        code, lines, said = await run()
        assert (code, {verdict for verdict, *_ in lines}) == (0, {"ok"}), said
        shown = {check: words for _, check, words in lines}
        assert "is answered by concert metrics " in shown["port"]
        assert "the newest event came at " in shown["clock"]
        assert shown["store teams"].endswith(f"is at revision {ALL[-1]}, the latest")
        await concert.made("/v1/teams", {"name": "North"})


async def test_all_is_well_beside_a_stopped_concert_and_nothing_is_left_behind(tmp_path: Path) -> None:
    async with world(tmp_path) as concert:
        await concert.made("/v1/teams", {"name": "West"})
    before = files(tmp_path)
    code, lines, said = await run()
    assert (code, {verdict for verdict, *_ in lines}) == (0, {"ok"}), said
    assert files(tmp_path) == before


async def test_a_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCERT_PORT", "eight")
    monkeypatch.setenv("CONCERT_STORE_URL", "mysql://concert:s3cret@db/x")
    found = await wrong()
    assert [words.partition(" ")[0] for _, check, words in found if check == "settings"] == [
        "CONCERT_PORT", "CONCERT_STORE_URL",
    ]  # fmt: skip
    assert "s3cret" not in str(found)


async def test_a_variable_that_is_no_setting_is_only_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCERT_PROT", "8001")
    code, lines, _ = await run()
    assert code == 0
    assert ("warning", "settings", "CONCERT_PROT is not a setting; did you mean CONCERT_PORT?") in lines


async def test_a_folder_that_cannot_be_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CONCERT_DATA", str(tmp_path / "file" / "data"))
    (found,) = await wrong()
    remedy = "let CONCERT_DATA and CONCERT_STORE_URL name folders"
    assert found == ("wrong", "data folder", f"{tmp_path}/file is a file, not a folder -> {remedy}")


async def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(machine, "tempfile", SimpleNamespace(TemporaryFile=refuse))
    (found,) = await wrong()
    assert found[2].startswith(f"{tmp_path} cannot be written: [Errno 13] Permission denied -> give the user ")


async def test_too_little_room_is_said_with_how_much_there_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=999_000_000))
    (found,) = await wrong()
    assert found[1] == "free space"
    assert "there should be 1 GB" in found[2]


async def test_a_port_that_somebody_else_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("CONCERT_PORT", str(port := other.getsockname()[1]))
        (found,) = await wrong()
    said = f"Another program listens at 127.0.0.1:{port} -> end it, or set CONCERT_PORT to another port"
    assert found == ("wrong", "port", said)


async def test_what_answers_there_but_is_not_concert_is_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async def other(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"name": "other", "version": "1"}'})

    async with serving(other) as url:
        monkeypatch.setenv("CONCERT_PORT", url.rpartition(":")[2])
        (found,) = await wrong()
    assert found[1] == "port"


async def test_a_store_behind_or_beyond_its_migrations_is_named(tmp_path: Path) -> None:
    empty_files(tmp_path)
    change(tmp_path / "teams.db", "DELETE FROM alembic_version")
    change(tmp_path / "metrics.db", "UPDATE alembic_version SET version_num = '9999'")
    behind, beyond = await wrong()
    assert behind[1:] == (
        "store teams",
        f"{tmp_path}/teams.db lacks the revisions {', '.join(ALL)} -> run `concert migrate`",
    )
    assert beyond[1] == "store metrics"
    assert beyond[2].startswith(f"{tmp_path}/metrics.db is at revision 9999, which this version does not know -> ")


async def test_files_that_are_broken_are_named(tmp_path: Path) -> None:
    for name in ("teams.db", "log.db", "signing-key.pem"):
        (tmp_path / name).write_text("broken " * 1000)
        (tmp_path / name).chmod(0o600)
    found = await wrong()
    assert [check for _, check, _ in found] == ["store teams", "log", "signing key"]
    assert "file is not a database -> restore it" in found[0][2]


async def test_a_clock_behind_the_newest_event_is_wrong(tmp_path: Path) -> None:
    async with world(tmp_path) as concert:
        await concert.settled("/v1/views", await concert.post("/v1/teams", {"name": "East"}), period="2026")
    change(tmp_path / "log.db", "UPDATE batches SET appended_at = appended_at + 3600")
    (found,) = await wrong()
    assert found[1] == "clock"
    assert "but the newest event came at" in found[2]


async def test_a_signing_key_that_others_may_read_is_wrong(tmp_path: Path) -> None:
    own_key(tmp_path / "signing-key.pem")
    (tmp_path / "signing-key.pem").chmod(0o644)
    (found,) = await wrong()
    assert "Others may read the signing key" in found[2]


async def test_keys_of_an_issuer_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.dumps({"keys": OtherIssuer().published}).encode()

    async def published(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": document if scope["path"] == "/keys" else b"{}"})

    monkeypatch.setenv("CONCERT_JWT_ISSUER", "https://login.example")
    async with serving(published) as url:
        monkeypatch.setenv("CONCERT_JWT_JWKS_URL", f"{url}/keys?key=s3cret")
        code, lines, said = await run()
        assert code == 0, said
        assert lines[-1][1] == "token issuer"
        assert "s3cret" not in said
        monkeypatch.setenv("CONCERT_JWT_JWKS_URL", f"{url}/none")
        (found,) = await wrong()
    assert "no usable key in it -> see that it can be reached" in found[2]


async def test_a_broker_or_a_database_that_does_not_answer_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONCERT_BUS", "kafka")
    monkeypatch.setenv("CONCERT_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1,127.0.0.1:2")
    monkeypatch.setenv("CONCERT_STORE_URL", "postgresql://concert:s3c%2Fret@127.0.0.1:1/{service}")
    found = await wrong()
    assert [check for _, check, _ in found] == [f"store {each.name}" for each in SERVICES] + ["broker"] * 2 + ["topics"]
    assert found[0][2].startswith("127.0.0.1:1/teams does not answer: ")
    assert found[4][2].startswith("no broker answers at 127.0.0.1:1 -> ")
    assert "s3c" not in str(found)


async def test_a_password_is_hidden_in_what_others_say_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def loud(service: object, url: str) -> None:
        raise ValueError(f"cannot use {url}, nor s3c/ret@x")

    monkeypatch.setattr(engines, "standing", loud)
    monkeypatch.setenv("CONCERT_STORE_URL", "postgresql://concert:s3c%2Fret@x@127.0.0.1/{service}")
    found = await wrong()
    assert "127.0.0.1/teams does not answer: cannot use postgresql://***@127.0.0.1/{service}, nor *** ->" in found[0][2]


async def test_typed_for_itself_it_ends_soon_and_nobody_speaks_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("CONCERT_BUS", "kafka")
        monkeypatch.setenv("CONCERT_KAFKA_BOOTSTRAP_SERVERS", address)
        async with asyncio.timeout(40):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", "from concert.start import main; main()", "doctor"),
                cwd=Path(__file__).parents[2],
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await process.communicate()
    assert (process.returncode, err) == (1, b"")
    assert f"no broker answers at {address} -> " in out.decode()
    assert out.endswith(b"Wrong: 2.\n")


def test_a_check_that_hangs_is_given_up() -> None:
    def hang() -> Finding:
        time.sleep(2)
        return Finding("ok", "at last")

    began = time.monotonic()
    found = doctor.begin(hang, seconds=0.1)()
    assert time.monotonic() - began < 1
    assert (found.verdict, found.said) == ("wrong", "no answer within 0.1 s")


async def test_checks_that_wait_do_so_side_by_side_and_are_told_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(seconds: float) -> Finding:
        time.sleep(seconds)
        return Finding("ok", f"after {seconds} s")

    waits = [1.0, 0.8, 0.6, 0.4, 0.2]
    monkeypatch.setattr(doctor, "checks_of", lambda chosen: [("wait", partial(wait, each)) for each in waits])
    began = time.monotonic()
    _, lines, _ = await run()
    assert time.monotonic() - began < sum(waits) - 0.5
    assert [said for _, check, said in lines if check == "wait"] == [f"after {each} s" for each in waits]


def test_a_check_that_fails_is_wrong_and_no_trace() -> None:
    def fail() -> Finding:
        raise LookupError("of a kind that nobody foresaw")

    found = doctor.begin(fail)()
    assert (found.verdict, found.said) == ("wrong", "this cannot be checked")
    assert found.why == "LookupError: of a kind that nobody foresaw"


def test_an_old_python_is_wrong() -> None:
    assert machine.python((3, 10, 14)).said == "Python 3.10.14 is too old"


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch) -> str:
    """What the names of the topics begin with, so that they are this test's own."""
    chosen = f"d{uuid4().hex[:12]}."
    monkeypatch.setattr(doctor, "checks_of", partial(checks_of, prefix=chosen))
    return chosen


@pytest.fixture
def on_kafka(kafka_broker: Kafka, monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """A broker under the settings."""
    monkeypatch.setenv("CONCERT_BUS", "kafka")
    monkeypatch.setenv("CONCERT_KAFKA_BOOTSTRAP_SERVERS", kafka_broker.address)
    return kafka_broker


async def test_all_is_well_on_the_real_engines(
    on_kafka: Kafka, postgres_server: Postgres, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_topics(on_kafka.address, prefix=prefix)
    async with empty_databases(postgres_server) as url:
        monkeypatch.setenv("CONCERT_STORE_URL", url)
        code, lines, said = await run()
        assert (code, {verdict for verdict, *_ in lines}) == (0, {"ok"}), said
        shown = {check: words for _, check, words in lines}
        assert f"{on_kafka.address} answers" in shown["broker"]
        assert shown["topics"] == "5 topics of 4 partitions, which keep what they must"
        assert " s from the database's" in shown["clock"]
        monkeypatch.setattr(engines, "now", lambda: now() + timedelta(seconds=6))
        (found,) = await wrong()
        assert found[1] == "clock"
    await on_kafka.delete_topics(*(prefix + topic for topic in TOPICS))


async def test_a_database_without_its_tables_or_that_is_not_there_is_named(
    postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"d{uuid4().hex[:12]}"
    await postgres_server.create_database(f"{name}_teams")
    monkeypatch.setenv("CONCERT_STORE_URL", postgres_server.url(f"{name}_{{service}}"))
    found = await wrong()
    assert [check for _, check, _ in found] == [f"store {each.name}" for each in SERVICES]
    assert found[0][2].endswith(f"lacks the revisions {', '.join(ALL)} -> run `concert migrate`")
    assert f'database "{name}_targets" does not exist' in found[1][2]
    await postgres_server.drop_database(f"{name}_teams")


async def test_a_topic_that_is_missing_is_named(on_kafka: Kafka, prefix: str) -> None:
    missing, *others = (prefix + topic for topic in TOPICS)
    for topic in others:
        await on_kafka.create_topic(topic)
    said = f"there is no {missing} -> run `concert topics`"
    async with asyncio.timeout(20):  # topics appear a moment after they have been made
        while (found := await wrong()) != [("wrong", "topics", said)]:
            assert "there is no" in found[0][2]
    await on_kafka.delete_topics(*others)


@pytest.mark.parametrize(
    ("partitions", "config", "said"),
    [(3, {"retention.ms": "-1"}, "has 3 partitions"), (4, {"retention.ms": "1000"}, "has retention.ms=1000")],
)
async def test_a_topic_unlike_ours_is_named(
    on_kafka: Kafka, prefix: str, partitions: int, config: dict[str, str], said: str
) -> None:
    teams = await on_kafka.create_topic(f"{prefix}concert.teams", partitions=partitions, config=config)
    with pytest.raises(BusError, match=said):
        await create_topics(on_kafka.address, prefix=prefix)
    (found,) = await wrong()
    assert found[1] == "topics"
    assert f"{teams} {said}" in found[2]
    await on_kafka.delete_topics(*(prefix + topic for topic in TOPICS))


async def test_a_broker_that_sends_its_clients_where_nobody_answers_is_wrong(
    on_kafka: Kafka, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_topics(on_kafka.address, prefix=prefix)
    ask = kafka.advertised

    async def misled(address: str, *, patience: float) -> list[str]:
        return ["127.0.0.1:1", *await ask(address, patience=patience)]

    monkeypatch.setattr(kafka, "advertised", misled)
    (found,) = await wrong()
    assert found[1] == "broker"
    assert f"{on_kafka.address} answers, but sends its clients to 127.0.0.1:1: no answer -> let" in found[2]
    await on_kafka.delete_topics(*(prefix + topic for topic in TOPICS))


def files(folder: Path) -> dict[str, int]:
    """What is in a folder, and when it was last written."""
    return {each.name: each.stat().st_mtime_ns for each in folder.iterdir()}


def change(file: Path, statement: str) -> None:
    """Change a store behind Concert's back."""
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(statement)
    connection.close()
