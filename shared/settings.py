"""What can be set from outside, by environment variables that begin with `CONCERT_`.

A secret may be given in a file instead: `CONCERT_STORE_URL_FILE=/run/secrets/store` stands for the variable without
`_FILE`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CONCERT_"
FILE_SUFFIX = "_FILE"
# Read by the command line when it talks to a running Concert, not by the services.
CLIENT_VARIABLES = frozenset({"CONCERT_URL", "CONCERT_TOKEN"})


class BadSettings(Exception):
    """Something that was set cannot be used; the message has a line for each and says what would be right."""


def _address_of(service: str) -> Any:
    described = f"Address of the service {service}, which the others ask; `concert run` has it in its process."
    return Field(default="", description=described)


class Settings(BaseSettings):
    """How this Concert runs."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    port: int = Field(default=8000, ge=1, le=65535, description="Port of the HTTP server.")
    host: str = Field(default="127.0.0.1", description="Address the HTTP server listens on.")
    public_url: str = Field(
        default="", description="Address under which others reach this Concert. Empty: `http://<host>:<port>`."
    )
    data: Path = Field(
        default=Path(".concert"), description="Folder of everything kept on this machine: stores, log, signing key."
    )
    store_url: str = Field(
        default="",
        repr=False,
        description="Where the services keep what they own: `sqlite:<folder>` or"
        " `postgresql://user:password@host/{service}`. Empty: SQLite in the data folder.",
    )
    store_connections: int = Field(default=16, ge=1, le=200, description="Connections to PostgreSQL per service.")
    bus: Literal["embedded", "kafka"] = Field(default="embedded", description="What carries the events.")
    kafka_bootstrap_servers: str = Field(
        default="", description="Kafka brokers, `host:port` separated by commas; needed with `CONCERT_BUS=kafka`."
    )
    kafka_replicas: int = Field(
        default=0,
        ge=0,
        description="Copies that Kafka keeps of each topic; `0`: as many as it has brokers, up to three.",
    )
    demo: bool = Field(default=True, description="Whether an empty store is filled with a demo company; `0` for no.")
    jwt_issuer: str = Field(
        default="", description="Issuer (`iss`) of the tokens. Empty: this Concert signs its own with its signing key."
    )
    jwt_jwks_url: str = Field(
        default="",
        description="Where that issuer publishes its keys (JWKS). Empty: found by its OpenID Connect discovery,"
        " `<issuer>/.well-known/openid-configuration`.",
    )
    jwt_audience: str = Field(default="concert", min_length=1, description="Audience (`aud`) the tokens must name.")
    signing_key_file: Path | None = Field(
        default=None,
        description="Private key (PEM, Ed25519) that signs our own tokens. Empty: `signing-key.pem` in the data folder,"
        " made at first start.",
    )
    teams_url: str = _address_of("teams")
    targets_url: str = _address_of("targets")
    meetings_url: str = _address_of("meetings")
    metrics_url: str = _address_of("metrics")
    webhook_private_targets: bool = Field(
        default=False,
        description="Whether webhooks may be sent to private addresses and, by http, to this machine; `1` for tests and"
        " for one machine on which nobody else makes webhooks.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="How log lines look; `auto` is for people on a terminal and JSON elsewhere."
    )
    body_limit: int = Field(
        default=1024 * 1024, ge=1024, le=1024**3, description="Largest body of a request, in bytes; per row in bulk."
    )
    shutdown_seconds: float = Field(
        default=10, gt=0, le=300, description="How long a stop may take, in seconds, before work is cut off."
    )

    @field_validator("log_level", "log_format", "bus", mode="before")
    @classmethod
    def _in_small_letters(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("public_url", "teams_url", "targets_url", "meetings_url", "metrics_url")
    @classmethod
    def _an_http_address(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc):
            raise _wrong("must be an address such as http://127.0.0.1:8000")
        return value.rstrip("/")

    @field_validator("store_url")
    @classmethod
    def _a_store(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:", "postgresql://")):
            raise _wrong("must begin with sqlite: or postgresql://")
        return value

    @field_validator("jwt_jwks_url")
    @classmethod
    def _a_trusted_address(cls, value: str) -> str:
        if value and not trusted(value):
            raise _wrong(f"must be {TRUSTED}")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.bus == "kafka" and not self.kafka_bootstrap_servers:
            raise _wrong("CONCERT_BUS=kafka needs CONCERT_KAFKA_BOOTSTRAP_SERVERS, for example localhost:9092")
        if self.jwt_jwks_url and not self.jwt_issuer:
            raise _wrong("CONCERT_JWT_JWKS_URL needs CONCERT_JWT_ISSUER, whose keys these are")
        if self.jwt_issuer and not self.jwt_jwks_url and not trusted(self.jwt_issuer):
            raise _wrong(f"CONCERT_JWT_ISSUER must be {TRUSTED}, or CONCERT_JWT_JWKS_URL must say where its keys are")
        return self

    @property
    def origin(self) -> str:
        """The address others reach this Concert under, without a slash at its end."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def store(self) -> str:
        """Where the services keep what they own; a PostgreSQL address has `{service}` for the name of the database."""
        return self.store_url or f"sqlite:{self.data}"

    @property
    def key_file(self) -> Path:
        """Where the signing key lies."""
        return self.signing_key_file or self.data / "signing-key.pem"


def load() -> Settings:
    """The settings of this process, from its environment. Raises BadSettings with a line for each wrong one."""
    try:
        return Settings(**_from_files(os.environ))  # type: ignore[arg-type]
    except ValidationError as error:
        raise BadSettings("\n".join(_sentence(each) for each in error.errors())) from None


def unknown(given: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence for each variable that begins with `CONCERT_` and is not a setting: most often a slip of the pen."""
    known = {_variable(name) for name in Settings.model_fields} | CLIENT_VARIABLES
    sentences = []
    for variable in sorted(given):
        if variable.startswith(PREFIX) and known.isdisjoint({variable, variable.removesuffix(FILE_SUFFIX)}):
            near = get_close_matches(variable, known, n=1, cutoff=0.8)
            sentences.append(f"{variable} is not a setting" + (f"; did you mean {near[0]}?" if near else "."))
    return sentences


def as_table() -> str:
    """The settings as a Markdown table, for the README."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = f"`{int(default) if isinstance(default, bool) else default}`" if default else ""
        rows.append(f"| `{_variable(name)}` | {shown} | {field.description} |")
    return "\n".join(rows) + "\n"


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _from_files(given: Mapping[str, str]) -> dict[str, str]:
    values = {}
    for name in Settings.model_fields:
        path = given.get(_variable(name) + FILE_SUFFIX)
        if path and not name.endswith("_file"):
            try:
                values[name] = Path(path).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise BadSettings(f"{_variable(name)}{FILE_SUFFIX}: {path} cannot be read ({error}).") from None
    return values


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "{message}", {"message": message})


def _sentence(error: ErrorDetails) -> str:
    message = error["msg"].removeprefix("Input ")
    if not error["loc"]:
        return f"{message}."
    name = str(error["loc"][0])
    default = Settings.model_fields[name].default
    return f"{_variable(name)} {message}" + (f" (default: {default})." if default else ".")


TRUSTED = "an https address, or http on this machine or in the same container network"


def trusted(address: str) -> bool:
    """Whether what is fetched from an address can be believed to come from there."""
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and _is_near(parts.hostname or ""))
        )
    except ValueError:
        return False


def _is_near(host: str) -> bool:
    # A name without a dot is a neighbour in a container network; nobody outside can own it.
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return bool(host) and "." not in host
