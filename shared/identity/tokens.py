"""Tokens: signed statements of who asks and what they may do, made here and checked here."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final
from uuid import uuid4

import jwt

from shared.errors import Unauthenticated
from shared.identity.issuer import OWN_ISSUER, Issuer
from shared.identity.keys import OWN_ALGORITHM, SigningKey
from shared.identity.permissions import Principal
from shared.instant import now

AUDIENCE: Final = "concert"
MAX_LENGTH: Final = 8192
KNOWN_TOKENS: Final = 10_000
# A withdrawn key stops working after so many seconds, however often its token is used.
KNOWN_SECONDS: Final = 300.0
LEEWAY_SECONDS: Final = 30
_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]
_DEPARTMENT = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_MEMBER = re.compile(r"[!-~]{1,300}")


def mint(
    key: SigningKey,
    *,
    subject: str,
    scopes: Iterable[str],
    department: str | None = None,
    member: str | None = None,
    expires: timedelta,
    audience: str = AUDIENCE,
    at: datetime | None = None,
) -> str:
    """A token of our own for a subject: what it may do, for whom, until when."""
    issued = at or now()
    claims = {
        "iss": OWN_ISSUER,
        "aud": audience,
        "sub": subject,
        "iat": int(issued.timestamp()),
        "exp": int((issued + expires).timestamp()),
        "jti": uuid4().hex,
        "scope": " ".join(sorted(scopes)),
    }
    claims |= {name: value for name, value in (("department", department), ("member", member)) if value}
    return jwt.encode(claims, key.private, OWN_ALGORITHM, {"kid": key.kid})


class Verifier:
    """Judges tokens for one audience, and remembers for five minutes what it found of each."""

    def __init__(self, issuers: Sequence[Issuer], audience: str = AUDIENCE) -> None:
        self._issuers = issuers
        self._audience = audience
        self._known: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """Who a token speaks for. Raises Unauthenticated, saying why."""
        if len(token) > MAX_LENGTH:
            raise refused(f"The token has {len(token)} characters; at most {MAX_LENGTH} are read.")
        # By digest, so that what lies in memory is of no use to anybody.
        digest = blake2b(token.encode("utf-8", "surrogatepass"), digest_size=32).digest()
        present = now().timestamp()
        known = self._known.get(digest)
        if known is not None and present < known[0]:
            self._known.move_to_end(digest)
            return known[1]
        claims = await self._claims(token)
        principal = _principal(claims)
        self._remember(digest, min(float(claims["exp"]), present + KNOWN_SECONDS), principal)
        return principal

    def _remember(self, digest: bytes, until: float, principal: Principal) -> None:
        self._known[digest] = (until, principal)
        self._known.move_to_end(digest)
        while len(self._known) > KNOWN_TOKENS:
            self._known.popitem(last=False)

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except (jwt.PyJWTError, ValueError):
            raise refused("What was sent as a token is not one.") from None
        for issuer in self._issuers:
            key = await issuer.key(kid) if isinstance(kid, str) and kid else None
            if key is not None:
                break
        else:
            raise refused("The token names no key that is known here.")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                audience=self._audience,
                issuer=issuer.name,
                leeway=LEEWAY_SECONDS,
                options={"require": _REQUIRED},
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as fault:
            raise refused(self._reason(fault)) from None
        return claims

    def _reason(self, fault: Exception) -> str:
        match fault:
            case jwt.MissingRequiredClaimError():
                return f"The token lacks the claim {fault.claim}."
            case jwt.ExpiredSignatureError():
                return "The token has expired; ask for a new one."
            case jwt.ImmatureSignatureError() | jwt.InvalidIssuedAtError():
                return "The token is not valid yet; the clocks may disagree."
            case jwt.InvalidAudienceError():
                return f"The token is meant for another audience than {self._audience}."
            case jwt.InvalidIssuerError():
                return "The token was issued by somebody whose tokens are not accepted here."
            case jwt.InvalidAlgorithmError():
                return "The token is signed in a way that is not accepted here."
            case jwt.InvalidSignatureError():
                return "The signature of the token is not right."
        return "What was sent as a token is not one."


def refused(detail: str) -> Unauthenticated:
    """The problem of a token that is not accepted."""
    problem = Unauthenticated(detail)
    problem.headers["WWW-Authenticate"] = 'Bearer realm="concert", error="invalid_token"'
    return problem


def _principal(claims: dict[str, Any]) -> Principal:
    # `scp` is what some issuers call it, as a text or as a list.
    scopes = claims.get("scope", claims.get("scp", ""))
    words = scopes.split() if isinstance(scopes, str) else scopes
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise refused("The claim scope must be a text with scopes separated by blanks.")
    department, member = claims.get("department"), claims.get("member")
    if department is not None and not (isinstance(department, str) and _DEPARTMENT.fullmatch(department)):
        raise refused("The claim department must be the name of a department.")
    if member is not None and not (isinstance(member, str) and _MEMBER.fullmatch(member)):
        raise refused("The claim member must be the reference of a member.")
    # An issuer's subjects carry its name, so that none of them can pass for one of ours.
    subject = claims["sub"] if claims["iss"] == OWN_ISSUER else f"{claims['iss']}#{claims['sub']}"
    return Principal(subject, frozenset(words), department, member)
