"""Access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256. Text in, values out; no I/O."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from glimpser.core.accounts import Role
from glimpser.core.clock import Clock, from_timestamp
from glimpser.core.errors import Unauthenticated
from glimpser.core.ids import UserId, is_id, new_id

ALGORITHM = "HS256"
ISSUER = "glimpser"
AUDIENCE = "glimpser-api"
MAX_TOKEN_CHARS = 1024
"""Several times the length of a token made here; what is longer is not looked at."""
MAX_VERIFIED = 1024
"""Tokens whose signature need not be checked again until they expire: it cannot have changed."""
MIN_SECRET_BYTES = 32
"""An HMAC key is at least as long as the hash (RFC 7518, section 3.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a valid token says. `token_id` is what a logout revokes; a newer `session_epoch` of the user's
    ends all tokens of older ones.
    """

    user_id: UserId
    token_id: str
    session_epoch: int = 0
    expires_at: datetime


class Tokens:
    """Issues tokens and reads them back. One algorithm, whatever a token's header asks for."""

    def __init__(self, secret: str, *, lifetime_s: int, clock: Clock) -> None:
        key = secret.encode()
        if len(key) < MIN_SECRET_BYTES:
            msg = f"the signing secret needs at least {MIN_SECRET_BYTES} bytes"
            raise ValueError(msg)
        self._key = OctKey.import_key(key)
        self._clock = clock
        self._verified: OrderedDict[str, Claims] = OrderedDict()
        self.lifetime_s = lifetime_s
        self._claims = jwt.JWTClaimsRegistry(
            now=self._now_s,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            jti={"essential": True},
            sub={"essential": True},
        )

    def issue(self, user_id: UserId, role: Role, *, session_epoch: int = 0) -> tuple[str, Claims]:
        """Make a token. The role in it is for clients to show; the server never reads it back.

        There is no `iat`: a clock set back by an hour must not shut everybody out.
        """
        expires_at = (self._clock.now() + timedelta(seconds=self.lifetime_s)).replace(microsecond=0)
        claims = Claims(
            user_id=user_id, token_id=new_id(), session_epoch=session_epoch, expires_at=expires_at
        )
        content = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "jti": claims.token_id,
            "epoch": session_epoch,
            "exp": int(expires_at.timestamp()),
            "role": role.label,
        }
        return jwt.encode({"alg": ALGORITHM}, content, self._key), claims

    def verify(self, token: str) -> Claims:
        """Check signature, issuer, audience and time.

        Raises:
            Unauthenticated: any of them is wrong; the caller signs in again.
        """
        known = self._verified.get(token)
        if known is not None and known.expires_at > self._clock.now():
            return known
        claims = self._checked(token)
        self._verified[token] = claims
        if len(self._verified) > MAX_VERIFIED:
            self._verified.popitem(last=False)
        return claims

    def _checked(self, token: str) -> Claims:
        if len(token) > MAX_TOKEN_CHARS:
            raise _refused()
        try:
            content = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            self._claims.validate(content)
            return _read(content)
        except (JoseError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _refused() from error

    def _now_s(self) -> int:
        return int(self._clock.now().timestamp())


def _read(content: dict[str, object]) -> Claims:
    subject, token_id, expires = content["sub"], content["jti"], content["exp"]
    if not (isinstance(subject, str) and is_id(subject) and isinstance(token_id, str) and is_id(token_id)):
        raise ValueError("not an identifier")
    if not isinstance(expires, int | float):
        raise TypeError("not a time")
    epoch = content.get("epoch", 0)
    if not isinstance(epoch, int):
        raise TypeError("not an epoch")
    return Claims(
        user_id=UserId(subject),
        token_id=token_id,
        session_epoch=epoch,
        expires_at=from_timestamp(expires),
    )


def _refused() -> Unauthenticated:
    return Unauthenticated("The access token is not valid or has expired: sign in again.")
