"""Who a token or an API key belongs to, as the database says now or said less than a second ago."""

import hmac
from collections import OrderedDict
from dataclasses import dataclass

from glimpser.core.accounts import ApiKey, Principal
from glimpser.core.clock import Clock
from glimpser.core.errors import NotFound, Unauthenticated, Unavailable
from glimpser.core.ids import ApiKeyId, UserId
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.services.key_text import digest_of, key_id_of
from glimpser.services.key_uses import KeyUses
from glimpser.services.tokens import Claims

CACHE_S = 1.0
"""How long what was read from the database is believed: the longest a revocation may take."""
CACHE_ENTRIES = 1024


@dataclass(frozen=True, slots=True)
class _Known:
    """A principal, when it was read (seconds, monotonic), and of a key what it must hash to."""

    principal: Principal
    read_at_s: float
    key_hash: str = ""


class Principals:
    """Event loop's thread."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self.key_uses = KeyUses(database, clock)

    async def of_token(self, claims: Claims) -> Principal:
        """Tell whose token this is.

        Raises:
            Unauthenticated: it is revoked or over, or its user is gone, disabled, or has a new password.
        """
        if claims.expires_at <= self._clock.now():
            raise _signed_out()
        known = self._recent(claims.token_id)
        if known is None:
            read_at_s = self._clock.monotonic()
            principal = await self._database.read(lambda tx: _read_user(tx, claims))
            known = self._remember(claims.token_id, _Known(principal, read_at_s))
        return known.principal

    async def of_key(self, text: str) -> Principal:
        """Tell who shows this API key.

        Raises:
            Unauthenticated: there is no such key, or it is over.
        """
        key_id = key_id_of(text)
        if key_id is None:
            raise _no_such_key()
        known = await self._key(key_id)
        if not hmac.compare_digest(digest_of(text), known.key_hash):
            raise _no_such_key()
        self.key_uses.note(key_id)
        return known.principal

    async def renewed(self, principal: Principal) -> Principal | None:
        """Read a principal anew for what goes on for long; None when it must end.

        A database that cannot answer ends nothing but what has run out.
        """
        try:
            return await self._again(principal)
        except Unauthenticated:
            return None
        except Unavailable:
            expires_at = principal.expires_at
            return principal if expires_at is None or expires_at > self._clock.now() else None

    def forget(self, name: str) -> None:
        """Believe nothing any more of a user or key (by id), or of a token: something has changed."""
        gone = [key for key, known in self._known.items() if name in (key, known.principal.id)]
        for key in gone:
            del self._known[key]

    async def _again(self, principal: Principal) -> Principal:
        if principal.kind == "api_key":
            return (await self._key(ApiKeyId(principal.id))).principal
        if principal.token_id is None or principal.expires_at is None:
            raise _signed_out()
        return await self.of_token(
            Claims(
                user_id=UserId(principal.id),
                token_id=principal.token_id,
                session_epoch=principal.session_epoch,
                expires_at=principal.expires_at,
            )
        )

    async def _key(self, key_id: ApiKeyId) -> _Known:
        known = self._recent(key_id)
        if known is None:
            read_at_s = self._clock.monotonic()
            key = await self._database.read(lambda tx: _read_key(tx, key_id))
            known = self._remember(key_id, _Known(_holder(key), read_at_s, key.key_hash))
        expires_at = known.principal.expires_at
        if expires_at is not None and expires_at <= self._clock.now():
            raise _no_such_key()
        return known

    def _recent(self, name: str) -> _Known | None:
        known = self._known.get(name)
        is_recent = known is not None and self._clock.monotonic() - known.read_at_s < CACHE_S
        return known if is_recent else None

    def _remember(self, name: str, known: _Known) -> _Known:
        self._known[name] = known
        self._known.move_to_end(name)
        if len(self._known) > CACHE_ENTRIES:
            self._known.popitem(last=False)
        return known


def _read_user(tx: Transaction, claims: Claims) -> Principal:
    if tx.revocations.is_revoked(claims.token_id):
        raise _signed_out()
    try:
        user = tx.users.get(claims.user_id)
    except NotFound:
        raise _signed_out() from None
    if user.disabled or user.session_epoch != claims.session_epoch:
        raise _signed_out()
    return Principal(
        id=user.id,
        name=user.email,
        role=user.role,
        groups=user.groups,
        token_id=claims.token_id,
        session_epoch=claims.session_epoch,
        expires_at=claims.expires_at,
    )


def _read_key(tx: Transaction, key_id: ApiKeyId) -> ApiKey:
    try:
        return tx.api_keys.get(key_id)
    except NotFound:
        raise _no_such_key() from None


def _holder(key: ApiKey) -> Principal:
    return Principal(
        id=key.id,
        name=key.name,
        role=key.role,
        groups=key.groups,
        kind="api_key",
        expires_at=key.expires_at,
    )


def _signed_out() -> Unauthenticated:
    return Unauthenticated("You are signed out: sign in again.")


def _no_such_key() -> Unauthenticated:
    return Unauthenticated("This API key does not exist, was revoked, or has expired: use another.")
