"""`concert token` prints a token and nothing else, or says in a sentence why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from concert.tokens import token
from shared.identity.gate import Identity
from shared.identity.permissions import Principal
from shared.identity.scopes import member_scopes, tool_scopes
from shared.settings import load

command = typer.Typer()
command.command()(token)


@pytest.fixture(autouse=True)
def _own_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONCERT_DATA", str(tmp_path / "data"))


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, arguments)
    return result.exit_code, result.stdout, result.stderr


async def minted(*arguments: str) -> Principal:
    code, printed, said = run(*arguments)
    assert (code, said) == (0, "")
    assert printed.count("\n") == 1
    return await Identity.of(load()).principal_of_token(printed)


async def test_an_administrator() -> None:
    assert await minted("--scope", "admin") == Principal("operator", frozenset({"admin"}))


async def test_scopes_may_be_listed_and_repeated() -> None:
    principal = await minted("--scope", "deals:write,views:read", "--scope", "parked:read", "--name", "CRM bridge")
    assert principal == Principal("CRM bridge", frozenset({"deals:write", "views:read", "parked:read"}))


async def test_a_department_gets_what_it_usually_may() -> None:
    assert await minted("--department", "finance") == Principal("finance tool", tool_scopes("finance"), "finance")
    assert (await minted("--department", "legal")).scopes == tool_scopes("legal")


async def test_a_department_may_read_more_when_asked() -> None:
    assert (await minted("--department", "finance", "--scope", "views:read")).scopes == {"views:read"}


async def test_members_and_leaders() -> None:
    assert await minted("--member", "mbr_1", "--department", "sales") == Principal(
        "mbr_1", member_scopes("sales"), "sales", "mbr_1"
    )
    leader = await minted("--member", "ext:hr:7", "--department", "sales", "--leader")
    assert (leader.scopes, leader.member) == (member_scopes("sales", leader=True), "ext:hr:7")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "Say what the token may do: --scope, --department or --member."),
        ("--scope deal:write", "There is no scope deal:write; did you mean deals:write?"),
        ("--scope xyzzy", "There is no scope xyzzy; an example is deals:write."),
        ("--department finance --scope trainings:write,deals:write",
         "A tool of finance does not get deals:write, trainings:write. For more, leave out --department and --member."),
        ("--member mbr_1 --department it --scope deals:write",
         "A member of it does not get deals:write. For more, leave out --department and --member."),
        ("--member mbr_1 --scope deals:write",
         "A member does not get deals:write. For more, leave out --department and --member."),
        ("--department Sales!", "'Sales!' is not the name of a department; an example is finance."),
        ("--member anna", "'anna' is not a member; write mbr_… or ext:<source>:<id>."),
        ("--department sales --leader", "--leader needs --member: say who leads."),
        ("--scope admin --expires soon", "'soon' is not a length of time; write 30m, 12h, 90d or 8w."),
        ("--scope admin --expires 0d", "'0d' is not a length of time; write 30m, 12h, 90d or 8w."),
        ("--scope admin --expires 1826d", "1826d is too long; a token is valid for at most 1825d."),
        ("--scope admin --name \x07", "A name has 1 to 100 letters, digits, blanks and -_.@ and begins with"),
    ],
)  # fmt: skip
def test_what_is_said_of_wrong_usage(arguments: str, message: str, tmp_path: Path) -> None:
    code, printed, said = run(*arguments.split(" ")) if arguments else run()
    assert (code, printed) == (2, "")
    assert said.startswith(message)
    assert said.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_wrong_settings_are_said_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCERT_PORT", "abc")
    code, printed, said = run("--scope", "admin")
    assert (code, printed) == (2, "")
    assert said.startswith("CONCERT_PORT should be a valid integer")


def test_where_an_issuer_makes_the_tokens_one_is_sent_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCERT_JWT_ISSUER", "https://login.example")
    monkeypatch.setenv("CONCERT_JWT_JWKS_URL", "https://login.example/keys")
    code, _, said = run("--scope", "admin")
    assert (code, said) == (2, "Tokens are issued by https://login.example here; ask there for one for concert.\n")


def test_a_key_others_may_read_makes_no_tokens(tmp_path: Path) -> None:
    assert run("--scope", "admin")[0] == 0
    (tmp_path / "data" / "signing-key.pem").chmod(0o644)
    code, printed, said = run("--scope", "admin")
    assert (code, printed) == (2, "")
    assert "Others may read the signing key" in said


def test_each_token_stands_in_the_audit_trail_but_cannot_be_read_from_it(tmp_path: Path) -> None:
    _, printed, _ = run("--department", "it", "--scope", "parked:read", "--expires", "12h")
    run("--scope", "admin", "--name", "Ana")
    trail = tmp_path / "data" / "audit.jsonl"
    assert trail.stat().st_mode & 0o777 == 0o600
    first, second = (json.loads(line) for line in trail.read_text().splitlines())
    assert (first["act"], first["department"], first["scopes"], first["expires"]) == (
        "token made", "it", ["parked:read"], "12h",
    )  # fmt: skip
    assert (second["subject"], second["scopes"]) == ("Ana", ["admin"])
    assert printed.strip() not in trail.read_text()
