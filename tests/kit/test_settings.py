"""Settings come from the environment; wrong ones are explained, secrets are not shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared import settings
from shared.settings import BadSettings, Settings, load


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CONCERT_{name.upper()}", raising=False)


def complaint(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as fault:
        load()
    return str(fault.value)


def test_everything_has_a_default_that_runs_on_one_machine() -> None:
    plain = load()
    assert (plain.port, plain.host, plain.bus, plain.demo) == (8000, "127.0.0.1", "embedded", True)
    assert (plain.store, plain.key_file) == ("sqlite:.concert", Path(".concert/signing-key.pem"))
    assert plain.origin == "http://127.0.0.1:8000"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PORT": "9", "DATA": "/srv/c", "DEMO": "0", "LOG_LEVEL": "INFO", "HOST": ""}.items():
        monkeypatch.setenv(f"CONCERT_{name}", value)
    monkeypatch.setenv("CONCERT_PUBLIC_URL", "https://concert.example/")
    found = load()
    assert (found.port, found.demo, found.log_level, found.host) == (9, False, "info", "127.0.0.1")
    assert (found.store, found.origin) == ("sqlite:/srv/c", "https://concert.example")


def test_secrets_are_read_from_files_and_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("postgresql://concert:s3cret@db/{service}\n")
    monkeypatch.setenv("CONCERT_STORE_URL_FILE", str(tmp_path / "store"))
    found = load()
    assert found.store == "postgresql://concert:s3cret@db/{service}"
    assert "s3cret" not in repr(found) + str(found)
    message = complaint(monkeypatch, CONCERT_STORE_URL_FILE="/nowhere/store")
    assert message.startswith("CONCERT_STORE_URL_FILE: /nowhere/store cannot be read (")


def test_a_wrong_secret_is_not_repeated_in_the_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    message = complaint(monkeypatch, CONCERT_STORE_URL="mysql://concert:s3cret@db")
    assert message == "CONCERT_STORE_URL must begin with sqlite: or postgresql://."
    with pytest.raises(ValidationError) as error:
        Settings(store_url="mysql://concert:s3cret@db")
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "PORT",
            "abc",
            "CONCERT_PORT should be a valid integer, unable to parse string as an integer (default: 8000).",
        ),
        ("PORT", "70000", "CONCERT_PORT should be less than or equal to 65535 (default: 8000)."),
        ("BUS", "rabbit", "CONCERT_BUS should be 'embedded' or 'kafka' (default: embedded)."),
        ("BUS", "Kafka", "CONCERT_BUS=kafka needs CONCERT_KAFKA_BOOTSTRAP_SERVERS, for example localhost:9092."),
        ("TEAMS_URL", "teams:80", "CONCERT_TEAMS_URL must be an address such as http://127.0.0.1:8000."),
        ("BODY_LIMIT", "1", "CONCERT_BODY_LIMIT should be greater than or equal to 1024 (default: 1048576)."),
        (
            "JWT_JWKS_URL",
            "https://login.example/keys",
            "CONCERT_JWT_JWKS_URL needs CONCERT_JWT_ISSUER, whose keys these are.",
        ),
        (
            "JWT_ISSUER",
            "http://login.example",
            "CONCERT_JWT_ISSUER must be an https address, or http on this machine or in the same container network, or"
            " CONCERT_JWT_JWKS_URL must say where its keys are.",
        ),
    ],
)
def test_what_is_said_of_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    assert complaint(monkeypatch, **{f"CONCERT_{variable}": value}) == message


def test_each_wrong_setting_gets_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(complaint(monkeypatch, CONCERT_PORT="x", CONCERT_DEMO="maybe").splitlines()) == 2


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://login.example/keys", True), ("http://127.0.0.1:8080/keys", True), ("http://[::1]/keys", True),
        ("http://keycloak:8080/keys", True), ("http://login.example/keys", False), ("http://10.0.0.1/keys", False),
        ("ftp://login.example/keys", False), ("http:///keys", False),
    ],
)  # fmt: skip
def test_keys_of_an_issuer_are_fetched_where_nobody_can_forge_them(url: str, trusted: bool) -> None:
    if trusted:
        assert Settings(jwt_issuer="https://login.example", jwt_jwks_url=url).jwt_jwks_url == url
    else:
        with pytest.raises(ValueError, match="must be an https address"):
            Settings(jwt_issuer="https://login.example", jwt_jwks_url=url)


def test_a_slip_of_the_pen_is_noticed() -> None:
    given = {
        "CONCERT_PROT": "1", "CONCERT_XYZZY": "", "CONCERT_TOKEN": "", "CONCERT_PORT": "", "CONCERT_PORT_FILE": "",
        "CONCERT_SIGNING_KEY_FILE": "",
        "HOME": "/",
    }  # fmt: skip
    assert settings.unknown(given) == [
        "CONCERT_PROT is not a setting; did you mean CONCERT_PORT?",
        "CONCERT_XYZZY is not a setting.",
    ]


def test_the_table_names_every_setting_with_its_default_and_meaning() -> None:
    table = settings.as_table()
    assert "| `CONCERT_PORT` | `8000` | Port of the HTTP server. |" in table
    assert "| `CONCERT_DEMO` | `1` |" in table
    for name, field in Settings.model_fields.items():
        assert f"| `CONCERT_{name.upper()}` |" in table
        assert field.description
    assert "Undefined" not in table
    assert all(line.count(" | ") == 2 for line in table.splitlines())


def test_the_readme_shows_the_table_as_it_is() -> None:
    assert settings.as_table() in (Path(__file__).parent.parent.parent / "README.md").read_text()
