"""The signing key is made once, is nobody else's to read, and of a published set only sound keys are taken."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import get_default_algorithms

from shared.identity.gate import signing_key
from shared.identity.keys import BadKey, key_set, mounted_key, own_key
from shared.settings import Settings
from tests.kit.identities import OtherIssuer


def test_the_first_start_makes_the_key_for_its_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        made = own_key(tmp_path / "data" / "signing-key.pem")
    finally:
        os.umask(old)
    file = tmp_path / "data" / "signing-key.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert own_key(file).kid == made.kid
    assert [each.name for each in file.parent.iterdir()] == ["signing-key.pem"]


def test_two_first_starts_at_once_end_up_with_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        kids = {key.kid for key in pool.map(lambda _: own_key(tmp_path / "signing-key.pem"), range(64))}
    assert len(kids) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["signing-key.pem"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o610])
def test_a_key_others_may_read_is_not_used(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "signing-key.pem"
    own_key(file)
    file.chmod(mode)
    with pytest.raises(BadKey, match=f"Others may read the signing key .*mode {mode:04o}.*: chmod 600 {file}"):
        own_key(file)
    # A mounted secret has the mode its mount gives it.
    assert mounted_key(file)


def test_a_configured_key_is_used_as_it_is(tmp_path: Path) -> None:
    own_key(tmp_path / "mounted.pem")
    (tmp_path / "mounted.pem").chmod(0o444)
    settings = Settings(data=tmp_path / "data", signing_key_file=tmp_path / "mounted.pem")
    assert signing_key(settings).kid == mounted_key(tmp_path / "mounted.pem").kid
    assert not (tmp_path / "data").exists()
    missing = settings.model_copy(update={"signing_key_file": tmp_path / "none.pem"})
    with pytest.raises(BadKey, match=r"There is no signing key at .*none\.pem; make one: openssl genpkey"):
        signing_key(missing)


def test_what_is_no_key_of_ours_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("hello")
    with pytest.raises(BadKey, match="is not a private key in PEM form without a password"):
        mounted_key(file)
    other = ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(BadKey, match="is not an Ed25519 key"):
        mounted_key(file)
    with pytest.raises(BadKey, match="cannot be read: Is a directory"):
        mounted_key(tmp_path)


def test_a_key_is_not_shown(tmp_path: Path) -> None:
    key = own_key(tmp_path / "key.pem")
    assert repr(key) == f"SigningKey({key.kid!r})"


def test_each_kind_of_key_has_one_algorithm() -> None:
    keys = key_set({"keys": OtherIssuer().published})
    assert {kid: key.algorithm for kid, key in keys.items()} == {"EdDSA": "EdDSA", "ES256": "ES256", "RS256": "RS256"}


@pytest.mark.parametrize(
    "changed",
    [
        {"use": "enc"}, {"alg": "HS256"}, {"alg": "RS512"}, {"kty": "oct"}, {"crv": "P-384"}, {"kid": None}, {"kid": 5},
        {"x": "AAAA"}, {"x": None}, {"x": "*"},
    ],
)  # fmt: skip
def test_keys_that_are_not_for_us_are_left_out(changed: dict[str, Any]) -> None:
    assert key_set({"keys": [OtherIssuer().entry("ES256", **changed)]}) == {}


@pytest.mark.parametrize("document", [None, [], {}, {"keys": None}, {"keys": 5}, {"keys": ["x", 5, None]}, "keys"])
def test_what_is_no_key_set_has_no_keys(document: object) -> None:
    assert key_set(document) == {}


def test_a_weak_rsa_key_is_left_out() -> None:
    weak = rsa.generate_private_key(65537, 1024).public_key()
    entry = get_default_algorithms()["RS256"].to_jwk(weak, as_dict=True)
    assert key_set({"keys": [entry | {"kid": "weak"}]}) == {}


def test_of_a_leaked_private_key_only_the_public_half_is_kept() -> None:
    other = OtherIssuer()
    leaked = get_default_algorithms()["ES256"].to_jwk(other.private["ES256"], as_dict=True)
    key = key_set({"keys": [leaked | {"kid": "ES256"}]})["ES256"]
    assert isinstance(key.key, ec.EllipticCurvePublicKey)
