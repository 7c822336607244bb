"""A token is believed only when a known key signed it, for us, in time, with the key's own algorithm."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.errors import Unauthenticated
from shared.identity import tokens
from shared.identity.issuer import Ourselves, PublishedKeys
from shared.identity.permissions import Principal
from shared.identity.tokens import Verifier, mint
from shared.instant import now
from tests.kit.identities import ISSUER, JWKS, OtherIssuer, bearer_text, claims, new_key, raw, signed

KEY = new_key()


@pytest.fixture
def verifier() -> Verifier:
    return Verifier([Ourselves(KEY)])


async def reason(verifier: Verifier, token: str) -> str:
    with pytest.raises(Unauthenticated) as problem:
        await verifier.verify(token)
    assert problem.value.headers["WWW-Authenticate"] == 'Bearer realm="concert", error="invalid_token"'
    assert problem.value.status == 401
    return problem.value.detail


async def test_a_minted_token_says_who_asks_and_what_they_may_do(verifier: Verifier) -> None:
    token = mint(
        KEY, subject="crm", scopes={"deals:write", "views:read"}, department="sales", member="mbr_1",
        expires=timedelta(days=90),
    )  # fmt: skip
    expected = Principal("crm", frozenset({"deals:write", "views:read"}), "sales", "mbr_1")
    assert await verifier.verify(token) == expected
    assert await verifier.verify(token) is await verifier.verify(token)


@pytest.mark.parametrize("claim", ["exp", "iat", "iss", "aud", "sub"])
async def test_a_token_that_leaves_a_claim_out_is_refused(verifier: Verifier, claim: str) -> None:
    assert await reason(verifier, signed(KEY, claims(**{claim: None}))) == f"The token lacks the claim {claim}."


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"exp": 1_700_000_000}, "The token has expired; ask for a new one."),
        ({"iat": 9_999_999_999, "exp": 9_999_999_999 + 60}, "The token is not valid yet; the clocks may disagree."),
        ({"nbf": 9_999_999_999}, "The token is not valid yet; the clocks may disagree."),
        ({"aud": "another"}, "The token is meant for another audience than concert."),
        ({"aud": ["another", "third"]}, "The token is meant for another audience than concert."),
        ({"iss": "https://evil.example"}, "The token was issued by somebody whose tokens are not accepted here."),
        ({"scope": 5}, "The claim scope must be a text with scopes separated by blanks."),
        ({"scope": [1]}, "The claim scope must be a text with scopes separated by blanks."),
        ({"department": "Sales & Co"}, "The claim department must be the name of a department."),
        ({"department": ["sales"]}, "The claim department must be the name of a department."),
        ({"member": "two words"}, "The claim member must be the reference of a member."),
        ({"exp": float("inf")}, "What was sent as a token is not one."),
        ({"exp": "soon"}, "What was sent as a token is not one."),
        ({"sub": 5}, "What was sent as a token is not one."),
    ],
)
async def test_what_is_said_of_a_wrong_claim(verifier: Verifier, changed: dict[str, Any], message: str) -> None:
    assert await reason(verifier, signed(KEY, claims(**changed))) == message


async def test_a_token_may_be_meant_for_others_too(verifier: Verifier) -> None:
    assert await verifier.verify(signed(KEY, claims(aud=["another", "concert"])))


async def test_unsigned_tokens_are_refused(verifier: Verifier) -> None:
    for algorithm in ("none", "None", "NONE"):
        forged = raw({"alg": algorithm, "typ": "JWT", "kid": KEY.kid}, claims(scope="admin"))
        assert await reason(verifier, forged) in (
            "The token is signed in a way that is not accepted here.",
            "What was sent as a token is not one.",
        )


async def test_the_public_key_is_no_shared_secret(verifier: Verifier) -> None:
    public = KEY.private.public_key()
    secrets = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.Raw, PublicFormat.Raw),
    ]
    for secret in secrets:
        unsigned = raw({"alg": "HS256", "typ": "JWT", "kid": KEY.kid}, claims(scope="admin")).rpartition(".")[0]
        signature = hmac.digest(secret, unsigned.encode(), "sha256")
        forged = f"{unsigned}.{raw({}, {}, signature).rpartition('.')[2]}"
        assert await reason(verifier, forged) == "The token is signed in a way that is not accepted here."


async def test_a_changed_token_is_refused(verifier: Verifier) -> None:
    header, body, signature = signed(KEY, claims()).split(".")
    stronger = raw({}, claims(scope="admin")).split(".")[1]
    assert await reason(verifier, f"{header}.{stronger}.{signature}") == "The signature of the token is not right."
    assert (
        await reason(verifier, f"{header}.{body}.{'A' * len(signature)}") == "The signature of the token is not right."
    )


async def test_only_keys_known_by_name_count(verifier: Verifier) -> None:
    stranger = new_key()
    message = "The token names no key that is known here."
    assert await reason(verifier, signed(stranger, claims())) == message
    assert await reason(verifier, signed(stranger, claims(), kid=None)) == message
    assert await reason(verifier, signed(stranger, claims(), kid="")) == message
    assert await reason(verifier, signed(stranger, claims(), kid="../../key")) == message
    # Another's key under our name, and a key the token brings along.
    assert await reason(verifier, signed(stranger, claims(), kid=KEY.kid)) == "The signature of the token is not right."
    brought = {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}
    assert await reason(verifier, signed(stranger, claims(), jwk=brought, jku="https://evil.example")) == message


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "....", "é.é.é", "\0", "a" * 8192, "eyJhbGciOiJub25lIn0.e30."])
async def test_what_is_no_token_is_refused(verifier: Verifier, text: str) -> None:
    assert await reason(verifier, text) in (
        "What was sent as a token is not one.",
        "The token names no key that is known here.",
    )


async def test_an_oversized_token_is_not_even_read(verifier: Verifier) -> None:
    token = signed(KEY, claims(scope="deals:read " * 1000))
    assert await reason(verifier, token) == f"The token has {len(token)} characters; at most 8192 are read."


async def test_the_other_audience_of_our_own_key_is_another(verifier: Verifier) -> None:
    token = mint(KEY, subject="x", scopes=["admin"], expires=timedelta(hours=1), audience="concert:page")
    assert await reason(verifier, token) == "The token is meant for another audience than concert."


async def test_a_known_token_is_forgotten_when_it_expires(verifier: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    token = mint(KEY, subject="x", scopes=["admin"], expires=timedelta(seconds=1), at=now() - timedelta(seconds=29))
    await verifier.verify(token)
    later = now() + timedelta(seconds=60)
    monkeypatch.setattr(tokens, "now", lambda: later)
    monkeypatch.setattr(tokens, "LEEWAY_SECONDS", 0)
    assert await reason(verifier, token) == "The token has expired; ask for a new one."


async def test_a_withdrawn_key_stops_working_within_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    issuers = [Ourselves(KEY)]
    verifier = Verifier(issuers)
    token = signed(KEY, claims(exp=int(now().timestamp()) + 9000))
    await verifier.verify(token)
    issuers[0] = Ourselves(new_key())
    soon, later = now() + timedelta(seconds=299), now() + timedelta(seconds=301)
    monkeypatch.setattr(tokens, "now", lambda: soon)
    assert await verifier.verify(token)
    monkeypatch.setattr(tokens, "now", lambda: later)
    assert await reason(verifier, token) == "The token names no key that is known here."


async def test_the_memory_of_tokens_is_bounded_and_keeps_the_latest_used(
    verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "KNOWN_TOKENS", 2)
    first, second, third = (signed(KEY, claims(sub=name)) for name in ("1", "2", "3"))
    kept = await verifier.verify(first)
    dropped = await verifier.verify(second)
    assert await verifier.verify(first) is kept
    await verifier.verify(third)
    assert await verifier.verify(first) is kept
    assert await verifier.verify(second) is not dropped


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
async def test_an_issuer_may_use_each_of_three_algorithms(algorithm: str) -> None:
    other = OtherIssuer()
    verifier = Verifier([Ourselves(KEY), PublishedKeys(ISSUER, JWKS, transport=other.transport)])
    principal = await verifier.verify(other.token(algorithm, scp=["deals:read", "views:read"], scope=None))
    assert principal == Principal(f"{ISSUER}#tool", frozenset({"deals:read", "views:read"}))
    assert (await verifier.verify(signed(KEY, claims()))).subject == "tool"


async def test_nobody_speaks_in_another_issuers_name() -> None:
    other = OtherIssuer()
    verifier = Verifier([Ourselves(KEY), PublishedKeys(ISSUER, JWKS, transport=other.transport)])
    message = "The token was issued by somebody whose tokens are not accepted here."
    assert await reason(verifier, other.token("ES256", iss="concert")) == message
    assert await reason(verifier, signed(KEY, claims(iss=ISSUER))) == message


async def test_a_key_is_used_with_its_own_algorithm_only() -> None:
    other = OtherIssuer()
    verifier = Verifier([PublishedKeys(ISSUER, JWKS, transport=other.transport)])
    for algorithm, kid in (("RS256", "ES256"), ("ES256", "RS256"), ("EdDSA", "RS256")):
        assert await reason(verifier, other.token(algorithm, kid)) == (
            "The token is signed in a way that is not accepted here."
        )


async def test_an_expired_token_is_of_no_use(verifier: Verifier) -> None:
    assert await reason(verifier, bearer_text()) == "The token names no key that is known here."
