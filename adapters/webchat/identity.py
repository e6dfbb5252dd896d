"""Who a visitor is: a token signed by the shop, an HMAC of an id, or nobody in particular.

A proof that fails is `Unverified`; it never becomes an anonymous visitor.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac
from typing import Any

import jwt

from adapters._common.phone import e164
from adapters._common.wordin import fit
from adapters.webchat.settings import Settings
from adapters.webchat.wire import Hello, Identity
from router.channel.connection import Visitor
from router.channel.contract import Unverified
from router.domain.identity import Claim, ClaimKind

AUDIENCE = "pam-webchat"
LEEWAY = timedelta(seconds=60)
LONGEST_LIFE = timedelta(hours=24)
SIGNED = "signed_identity"
ANONYMOUS = "visitor:"
_LONGEST_ID = 256


def identify(settings: Settings, hello: Hello, *, visitor: str, now: datetime) -> Visitor:
    """Return who said ``hello``; ``visitor`` is the server's own id of this browser, or ""."""
    given = hello.identity
    if given.mode not in settings.modes:
        raise Unverified(f"identity mode {given.mode[:20]!r} is not allowed here")
    match given.mode:
        case "jwt":
            found = _signed(_claims(settings, given.token, now=now), settings, hello.locale)
        case "hmac":
            found = _hashed(settings, given, hello.locale)
        case _:
            if not visitor:
                raise Unverified("an anonymous visitor needs the id that the server gave")
            return Visitor(
                external_id=ANONYMOUS + visitor,
                verified=False,
                name=given.name,
                claims=_nickname(given.name),
                locale=hello.locale,
            )
    if given.as_visitor and visitor:
        return replace(found, external_id=ANONYMOUS + visitor)
    return found


def issue(
    settings: Settings, *, member: str, name: str, phone: str, at: datetime, lasts: timedelta
) -> str:
    """Return a token as the shop's own server would sign it, HS256."""
    claims = {
        "iss": settings.issuer,
        "aud": AUDIENCE,
        "sub": member,
        "name": name,
        "phone": phone,
        "iat": int(at.timestamp()),
        "exp": int((at + lasts).timestamp()),
    }
    return jwt.encode(claims, settings.secret, algorithm="HS256")


def member_of(visitor: Visitor) -> str:
    """Return the shop's signed id of the visitor, or ""."""
    signed = (claim for claim in visitor.claims if claim.kind is ClaimKind.MEMBER)
    return next((claim.value for claim in signed if claim.verified), "")


def _claims(settings: Settings, token: str, *, now: datetime) -> Mapping[str, Any]:
    try:
        kid = jwt.get_unverified_header(token).get("kid", "")
        key = settings.secrets.get(kid, "") or settings.secret
        if not key:
            raise Unverified("no key for this token")
        found: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[settings.algorithm],
            audience=AUDIENCE,
            issuer=settings.issuer or None,
            options={
                "require": ["exp", "iat", "iss", "aud", "sub"],
                "verify_exp": False,  # against the time that we were given, below
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise Unverified(f"token refused: {type(error).__name__}") from error
    _in_time(found, now)
    return found


def _in_time(claims: Mapping[str, Any], now: datetime) -> None:
    leeway, moment = LEEWAY.total_seconds(), now.timestamp()
    expires, issued = _instant(claims["exp"]), _instant(claims["iat"])
    begins = _instant(claims.get("nbf", claims["iat"]))
    if moment >= expires + leeway:
        raise Unverified("token has expired")
    if max(issued, begins) > moment + leeway:
        raise Unverified("token is not valid yet")
    if expires - issued > LONGEST_LIFE.total_seconds():
        raise Unverified("token lives longer than 24 hours")


def _instant(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unverified("token has a time that is no number")
    return value


def _signed(claims: Mapping[str, Any], settings: Settings, locale: str) -> Visitor:
    found = [_member(claims["sub"])]
    phone = _text(claims, "phone") or _text(claims, "phone_number")
    if phone:
        proven = claims.get("phone_number_verified", True) is True
        number = e164(phone, settings.region)
        found.append(_claim(ClaimKind.PHONE, number or phone, proven and bool(number)))
    if email := _text(claims, "email"):
        proven = claims.get("email_verified", True) is True
        found.append(_claim(ClaimKind.EMAIL, email.lower(), proven and "@" in email))
    if union := _text(claims, "unionid"):
        found.append(_claim(ClaimKind.UNION, union, verified=True))
    if name := _text(claims, "name"):
        found.append(_claim(ClaimKind.NAME, name, verified=True))
    return Visitor(
        external_id=found[0].value,
        verified=True,
        name=_text(claims, "name"),
        claims=tuple(found),
        locale=locale or _text(claims, "locale"),
    )


def _hashed(settings: Settings, given: Identity, locale: str) -> Visitor:
    secret = settings.identifier_secret or settings.secret
    if not secret:
        raise Unverified("no secret for identifier hashes")
    expected = hmac(secret.encode(), given.identifier.encode(), sha256).hexdigest()
    if not compare_digest(expected.encode(), given.hash.encode()):
        raise Unverified("identifier hash does not match")
    member = _member(given.identifier)
    return Visitor(
        external_id=member.value,
        verified=True,
        name=given.name,
        claims=(member, *_nickname(given.name)),  # the hash covers the id only
        locale=locale,
    )


def _member(value: object) -> Claim:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID:
        raise Unverified("the signed id must be a text of 1 to 256 characters")
    if value.startswith(ANONYMOUS) or not value.isprintable():
        raise Unverified("the signed id has characters that an id may not have")
    return _claim(ClaimKind.MEMBER, value, verified=True)


def _claim(kind: ClaimKind, value: str, verified: bool) -> Claim:  # noqa: FBT001 - a plain fact
    return Claim(kind=kind, value=value, verified=verified, source=SIGNED)


def _nickname(name: str) -> tuple[Claim, ...]:
    if not name:
        return ()
    return (Claim(kind=ClaimKind.NAME, value=name, verified=False, source="customer"),)


def _text(claims: Mapping[str, Any], key: str) -> str:
    value = claims.get(key)
    return fit(value.strip()[:_LONGEST_ID]) if isinstance(value, str) else ""
