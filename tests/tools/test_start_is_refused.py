"""What cannot be had at the start is said in one sentence, before anything is opened."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from concert.port import CannotListen, claimed
from concert.services import SERVICES
from shared.identity.keys import own_key
from shared.settings import Settings
from tests.engines import Kafka, Postgres
from tests.starting import started
from tests.world import empty_files


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program holds."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


OTHERS = {f"CONCERT_{name.upper()}_URL": "http://127.0.0.1:1" for name in SERVICES.names}


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONCERT_")}
    return kept | OTHERS | {"CONCERT_PORT": str(port), "CONCERT_DATA": str(folder), "CONCERT_DEMO": "0", **more}


async def said(words: tuple[str, ...], settings: dict[str, str]) -> tuple[int | None, str]:
    """How a start ended, and everything that was said."""
    with tempfile.NamedTemporaryFile() as file:
        process = started(words, settings, Path(file.name))
        await asyncio.to_thread(process.join, 60)
        return process.exitcode, file.read().decode()


@pytest.mark.parametrize("words", [("run",), ("serve", "teams")])
async def test_a_taken_port_is_named_with_the_setting_to_change_and_nothing_is_opened(
    taken: int, tmp_path: Path, words: tuple[str, ...]
) -> None:
    data = tmp_path / "data"
    sentence = f"Another program listens at 127.0.0.1:{taken}: end it, or set CONCERT_PORT to another port.\n"
    assert await said(words, environment(data, taken)) == (2, sentence)
    assert not data.exists()


async def test_an_address_that_is_not_here_is_named_too(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data", 8000, CONCERT_HOST="192.0.2.1")
    code, sentence = await said(("run",), settings)
    assert (code, sentence) == (
        2, "192.0.2.1 is no address of this machine: set CONCERT_HOST to one that is, such as 127.0.0.1.\n",
    )  # fmt: skip


async def test_a_key_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data", free_port(), CONCERT_SIGNING_KEY_FILE=str(tmp_path / "none.pem"))
    code, sentence = await said(("run",), settings)
    assert code == 1
    assert sentence.startswith(f"There is no signing key at {tmp_path}/none.pem")
    assert "Traceback" not in sentence


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"CONCERT_PORT": "eighty"}, "CONCERT_PORT"),
        ({"CONCERT_BUS": "rabbit"}, "CONCERT_BUS"),
        ({"CONCERT_STORE_URL_FILE": "/nowhere/store-url"}, "CONCERT_STORE_URL_FILE"),
        ({"CONCERT_STORE_URL": "mysql://127.0.0.1/{service}"}, "CONCERT_STORE_URL"),
        ({"CONCERT_BUS": "kafka"}, "CONCERT_KAFKA_BOOTSTRAP_SERVERS"),
        ({"CONCERT_JWT_ISSUER": "http://login.example"}, "CONCERT_JWT_ISSUER"),
        ({"CONCERT_JWT_JWKS_URL": "https://login.example/keys"}, "CONCERT_JWT_ISSUER"),
    ],
    ids=str,
)
async def test_a_wrong_setting_is_named_and_nothing_is_opened(
    tmp_path: Path, settings: dict[str, str], says: str
) -> None:
    code, told = await said(("serve", "teams"), environment(tmp_path / "data", free_port()) | settings)
    assert code == 2
    assert says in told
    assert "Traceback" not in told
    assert not (tmp_path / "data").exists()


async def test_a_service_that_there_is_not_is_said_with_those_that_there_are(tmp_path: Path) -> None:
    told = "There is no service 'sales'; there are teams, targets, meetings, metrics.\n"
    assert await said(("serve", "sales"), environment(tmp_path, free_port())) == (2, told)


@pytest.mark.parametrize("service", SERVICES.names)
async def test_a_service_that_would_ask_itself_for_what_others_know_is_not_started(
    tmp_path: Path, service: str
) -> None:
    """Half up: it would say that it is ready, and find nothing out."""
    settings = {
        name: value for name, value in environment(tmp_path / "data", free_port()).items() if name not in OTHERS
    }
    own, others = f"CONCERT_{service.upper()}_URL", [each for each in SERVICES.names if each != service]
    unset = ", ".join(f"CONCERT_{each.upper()}_URL" for each in others)
    told = (
        f"{service} asks the other services, and it is not set where they answer: set {unset}, such as"
        f" CONCERT_{others[0].upper()}_URL=http://{others[0]}:8000.\n"
    )
    assert await said(("serve", service), settings | {own: "http://127.0.0.1:1"}) == (2, told)
    assert not (tmp_path / "data").exists()


async def test_one_address_that_is_missing_is_named_alone(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data", free_port(), CONCERT_TARGETS_URL="")
    code, told = await said(("serve", "metrics"), settings)
    assert code == 2
    assert "set CONCERT_TARGETS_URL, such as CONCERT_TARGETS_URL=http://targets:8000." in told
    assert "TEAMS" not in told


def no_key() -> bytes:
    return b"no key at all"


def of_another_kind() -> bytes:
    """What other tools sign with."""
    return rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def with_a_password() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"s3cret")
    )


def public() -> bytes:
    """The half of it that everybody may have."""
    return Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (no_key, "is not a private key in PEM form without a password."),
        (public, "is not a private key in PEM form without a password."),
        (with_a_password, "is not a private key in PEM form without a password."),
        (of_another_kind, "is not an Ed25519 key."),
    ],
)
async def test_a_file_that_is_no_key_of_ours_is_a_sentence(
    tmp_path: Path, made: Callable[[], bytes], says: str
) -> None:
    (key := tmp_path / "key.pem").write_bytes(made())
    key.chmod(0o600)
    settings = environment(tmp_path / "data", free_port(), CONCERT_SIGNING_KEY_FILE=str(key))
    code, told = await said(("serve", "teams"), settings)
    assert code == 1
    assert told.count("\n") == 1
    assert str(key) in told
    assert told.endswith(f"{says}\n")
    assert "no key at all" not in told
    assert "PRIVATE KEY" not in told


async def test_a_key_of_its_own_that_others_may_read_is_a_sentence(tmp_path: Path) -> None:
    key = tmp_path / "signing-key.pem"
    own_key(key)
    key.chmod(0o644)
    told = f"Others may read the signing key {key} (mode 0644); take that away: chmod 600 {key}\n"
    assert await said(("serve", "teams"), environment(tmp_path, free_port())) == (1, told)


async def test_a_second_start_on_the_same_folder_is_a_sentence(tmp_path: Path) -> None:
    port = free_port()
    first = started(["run"], environment(tmp_path, port), tmp_path / "said")
    try:
        await answers(f"http://127.0.0.1:{port}/livez")
        code, sentence = await said(("run",), environment(tmp_path, free_port()))
        assert code == 2
        assert sentence.endswith(" is in use by another process; a data folder serves one at a time.\n")
        assert "Traceback" not in sentence
    finally:
        first.terminate()
        await asyncio.to_thread(first.join, 30)
    assert f'"address": "127.0.0.1:{port}", "event": "listening"' in (tmp_path / "said").read_text()


def test_what_is_claimed_is_kept_until_the_end_and_no_longer() -> None:
    settings = Settings(port=free_port())
    with claimed(settings) as (held,):
        assert held.proto == socket.IPPROTO_TCP
        with pytest.raises(OSError, match="in use"), socket.socket() as other:
            other.bind(("127.0.0.1", settings.port))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", settings.port))
        held.listen()
        with pytest.raises(CannotListen), claimed(settings):
            pass
    with claimed(settings):
        pass


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def answers(url: str) -> None:
    """Return once something answers there."""
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return


@pytest.mark.parametrize("words", [("run",), ("serve", "teams")])
async def test_a_broker_that_cannot_be_reached_is_a_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    empty_files(tmp_path)
    kafka = {"CONCERT_BUS": "kafka", "CONCERT_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    code, told = await said(words, environment(tmp_path, free_port(), **kafka))
    assert code == 1
    assert told.splitlines()[-1].startswith("Kafka at 127.0.0.1:1 cannot be reached")
    assert "Traceback" not in told


NOBODY = "postgresql://concert:s3cret@127.0.0.1:1/{service}"


@pytest.mark.parametrize("words", [("run",), ("serve", "teams"), ("migrate",)])
async def test_a_database_that_does_not_answer_is_a_sentence_without_its_password(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    sentence = "127.0.0.1:1/teams does not answer: see that it runs, and that CONCERT_STORE_URL is right.\n"
    assert await refused(words, environment(tmp_path, free_port(), CONCERT_STORE_URL=NOBODY)) == (1, sentence)


@pytest.mark.parametrize("words", [("run",), ("serve", "teams"), ("migrate",)])
async def test_a_database_that_is_not_there_is_a_sentence(
    postgres_server: Postgres, tmp_path: Path, words: tuple[str, ...]
) -> None:
    settings = environment(tmp_path, free_port(), CONCERT_STORE_URL=postgres_server.url("nowhere_{service}"))
    code, sentence = await refused(words, settings)
    where = postgres_server.url("nowhere_teams").rpartition("@")[2]
    remedy = "make it, or let CONCERT_STORE_URL name the right one"
    assert (code, sentence) == (1, f"There is no database {where}: {remedy}.\n")


async def test_a_wrong_password_is_a_sentence_that_does_not_repeat_it(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    where = postgres_server.url("{service}").rpartition("@")[2]
    settings = environment(tmp_path, free_port(), CONCERT_STORE_URL=f"postgresql://concert:s3cret@{where}")
    code, sentence = await refused(("serve", "teams"), settings)
    at = where.replace("{service}", "teams")
    assert (code, sentence) == (1, f"{at} does not let us in: see user and password in CONCERT_STORE_URL.\n")


async def test_a_database_without_its_tables_is_not_served_on_either_engine(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    name = f"s{uuid4().hex[:12]}"
    await postgres_server.create_database(f"{name}_teams")
    on_postgres = {"CONCERT_STORE_URL": postgres_server.url(name + "_{service}")}
    for store in ({}, on_postgres):
        code, sentence = await refused(("serve", "teams"), environment(tmp_path, free_port(), **store))
        assert code == 1
        assert sentence.startswith("The database of teams lacks the revisions 0001, ")
        assert sentence.endswith(": run `concert migrate`.\n")
    await postgres_server.drop_database(f"{name}_teams")


async def test_a_database_of_a_later_version_is_not_migrated(tmp_path: Path) -> None:
    empty_files(tmp_path)
    with closing(sqlite3.connect(tmp_path / "teams.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    code, sentence = await refused(("run",), environment(tmp_path, free_port()))
    said = "The database of teams is at a revision that this version does not know: run the version of Concert"
    assert (code, sentence) == (1, f"{said} that brought it there, or a later one.\n")


async def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "teams.db").write_text("broken " * 1000)
    code, sentence = await refused(("run",), environment(tmp_path, free_port()))
    assert code == 1
    assert sentence.startswith("The database of teams cannot be used (")
    assert sentence.endswith(f"restore sqlite:{tmp_path} from a backup.\n")


async def test_a_broker_without_its_topics_is_a_sentence(tmp_path: Path, kafka_broker: Kafka) -> None:
    empty_files(tmp_path)
    kafka = {"CONCERT_BUS": "kafka", "CONCERT_KAFKA_BOOTSTRAP_SERVERS": kafka_broker.address}
    code, told = await said(("serve", "teams"), environment(tmp_path, free_port(), **kafka))
    assert code == 1
    assert "concert topics" in told.splitlines()[-1]
    assert "Traceback" not in told


async def refused(words: tuple[str, ...], settings: dict[str, str]) -> tuple[int | None, str]:
    """How a start ended, and all that was said but for lines of the log."""
    code, told = await said(words, settings)
    assert "Traceback" not in told
    assert "s3cret" not in told
    return code, "".join(line for line in told.splitlines(keepends=True) if not line.startswith("{"))
