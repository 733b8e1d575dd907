"""Accounts: the first admin, signing in and out, one's own password, and who makes a request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from glimpser.core.accounts import AuditEntry, Principal, Role, User
from glimpser.core.addresses import subscriber
from glimpser.core.clock import Clock
from glimpser.core.errors import Conflict, Denied, InvalidInput, TooMany, Unauthenticated, Unavailable
from glimpser.core.ids import UserId, new_id
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.services.attempts import Attempts
from glimpser.services.audit import LOGIN_REFUSED, PASSWORD_REFUSED, SETUP_REFUSED, Actor, entry
from glimpser.services.emails import checked_email, normalised
from glimpser.services.passwords import MAX_CHARS, Passwords, check_password
from glimpser.services.principals import Principals
from glimpser.services.setup_code import SetupCode
from glimpser.services.tokens import Tokens

log = structlog.get_logger(__name__)

SETUP = "setup"
"""Who makes the first account, as the audit log names it."""
NOBODY = "(unknown)"
"""How it names whoever tries an account that is not there: the name may be a password in the wrong field."""
LAST_ATTEMPT = "locked out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a sign-in gives."""

    token: str = field(repr=False)
    expires_at: datetime
    lifetime_s: int
    user: User


class Accounts:
    """The only maker of principals. All calls on the event loop's thread."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        passwords: Passwords,
        tokens: Tokens,
        principals: Principals,
        attempts: Attempts | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._tokens = tokens
        self._principals = principals
        self._attempts = attempts or Attempts(clock)
        self._setup_code: SetupCode | None = None
        self._setting_up = asyncio.Lock()

    async def needs_setup(self) -> bool:
        return await self._database.read(lambda tx: tx.users.count()) == 0

    async def open_setup(self) -> str | None:
        """Make the code that lets somebody create the first admin; None when there is a user."""
        if not await self.needs_setup():
            return None
        self._setup_code = self._setup_code or SetupCode()
        return self._setup_code.text

    async def create_first_admin(
        self, code: str, email: str, *, password: str, client_ip: str | None = None
    ) -> User:
        """Make the first account, once.

        Raises:
            Conflict: there is an account already.
            Denied: the code is wrong.
            TooMany: it was wrong too often.
            InvalidInput: email or password cannot be used.
        """
        async with self._setting_up:  # the losers of a race learn it before they cost a hash
            if not await self.needs_setup():
                raise _already_set_up()
            await self._check_setup_code(code, client_ip)
            user = await self._add_admin(email, password, Actor("setup", client_ip))
            self._setup_code = None
            return user

    async def _check_setup_code(self, code: str, client_ip: str | None) -> None:
        async with self._guessing(SETUP, SETUP_REFUSED, Actor(SETUP, client_ip)):
            if self._setup_code is None or not self._setup_code.matches(code):
                log.warning("account.setup_code_wrong", client_ip=client_ip)
                raise Denied("This is not the setup code: it stands in the program's first lines of output.")

    async def ensure_admin(self, email: str, password: str) -> bool:
        """Make the first admin from the configuration, if there is no user; tell whether it did.

        Raises:
            InvalidInput: email or password cannot be used.
        """
        if not await self.needs_setup():
            return False
        try:
            await self._add_admin(email, password, Actor("system"))
        except Conflict:  # another instance was quicker
            return False
        return True

    async def login(self, email: str, password: str, *, client_ip: str | None = None) -> Session:
        """Sign in. An unknown email and a wrong password take the same time and say the same.

        Raises:
            Unauthenticated: they do not fit, or the account is disabled.
            TooMany: too many attempts. Unavailable: too many at once.
        """
        user = await self._user_with(normalised(email), password, client_ip=client_ip)
        await self._renew_hash(user, password)
        log.info("account.login", user_id=user.id, client_ip=client_ip)
        return self._session(user)

    async def change_password(
        self, principal: Principal, current: str, new: str, *, client_ip: str | None = None
    ) -> Session:
        """Give oneself another password. It ends all sessions of the account; the new one goes on.

        Raises:
            Denied: the current password is wrong, or it is an API key that asks.
            TooMany: it was wrong too often. Unavailable: too many at once.
            InvalidInput: the new password cannot be used.
            Conflict: somebody else set a password at the same time.
        """
        if principal.kind != "user":
            raise _no_session()
        check_password(new, pointer="/new_password")
        user = await self._database.read(lambda tx: tx.users.get(UserId(principal.id)))
        await self._check_current(user, current, client_ip=client_ip)
        password_hash = await self._passwords.hash(new)
        made = entry(Actor(user.email, client_ip), "user.password_changed", user.id, clock=self._clock)

        def put(tx: Transaction) -> User:
            now = tx.users.get(user.id)
            if now.password_hash != user.password_hash:
                raise Conflict("The password has just been changed: sign in with the new one.")
            tx.audit.add(made)
            return tx.users.replace(with_password(now, password_hash), expected=now.version)

        changed = await self._database.write(put)
        self._principals.forget(user.id)
        return self._session(changed)

    async def _check_current(self, user: User, password: str, *, client_ip: str | None) -> None:
        async with self._guessing(user.email, PASSWORD_REFUSED, Actor(user.email, client_ip), user.id):
            if not await self._fits(user.password_hash, password, client_ip):
                raise Denied("The current password is wrong.")

    async def _user_with(self, account: str, password: str, *, client_ip: str | None) -> User:
        user = await self._database.read(lambda tx: tx.users.by_email(account))
        actor = Actor(user.email if user else NOBODY, client_ip)
        async with self._guessing(account, LOGIN_REFUSED, actor, user.id if user else NOBODY):
            encoded = user.password_hash if user else None
            fits = await self._fits(encoded, password, client_ip)
            if user is None or user.disabled or not fits:
                log.warning("account.login_refused", client_ip=client_ip)
                raise Unauthenticated("The email or the password is wrong.")
        return user

    async def _fits(self, encoded: str | None, password: str, client_ip: str | None) -> bool:
        """What is too long costs as much as what is not, and never fits."""
        client = subscriber(client_ip) if client_ip else None
        fits = await self._passwords.verify(encoded, password[:MAX_CHARS], client=client)
        return fits and len(password) <= MAX_CHARS

    @asynccontextmanager
    async def _guessing(
        self, account: str, action: str, actor: Actor, subject: str = NOBODY
    ) -> AsyncIterator[None]:
        """Count what is tried inside, and write down what was wrong; what is not even tried is only logged.

        It is written for known and unknown accounts alike, so that both take the same time.
        """
        try:
            with self._attempts.one(account, actor.client_ip):
                yield
        except TooMany:
            log.warning("account.locked_out", action=action, subject=subject, client_ip=actor.client_ip)
            raise
        except Denied:
            is_last = self._attempts.is_exhausted(account, actor.client_ip)
            await self._write_down(
                entry(actor, action, subject, clock=self._clock, detail=LAST_ATTEMPT if is_last else "")
            )
            raise

    async def _write_down(self, made: AuditEntry) -> None:
        """A database that cannot be written changes nothing for whoever guessed."""
        try:
            await self._database.write(lambda tx: tx.audit.add(made))
        except Unavailable as failure:
            log.warning("account.refusal_not_written", action=made.action, reason=failure.detail)

    def _session(self, user: User) -> Session:
        token, claims = self._tokens.issue(user.id, user.role, session_epoch=user.session_epoch)
        return Session(
            token=token, expires_at=claims.expires_at, lifetime_s=self._tokens.lifetime_s, user=user
        )

    async def authenticate(self, token: str) -> Principal:
        """Tell who holds a token, as the database says now or said less than a second ago.

        Raises:
            Unauthenticated: the token is not valid, revoked, or its user is gone or disabled.
        """
        return await self._principals.of_token(self._tokens.verify(token))

    async def authenticate_key(self, key: str) -> Principal:
        """Tell who holds an API key, as fresh as for a token.

        Raises:
            Unauthenticated: there is no such key, it was revoked, or has expired.
        """
        return await self._principals.of_key(key)

    async def renewed(self, principal: Principal) -> Principal | None:
        """Read a principal anew for an open stream; None when it must end.

        A database that cannot answer ends no stream.
        """
        return await self._principals.renewed(principal)

    async def logout(self, principal: Principal) -> None:
        """Revoke the principal's token everywhere.

        Raises:
            Denied: it is an API key, which has no session.
        """
        token_id, expires_at = principal.token_id, principal.expires_at
        if token_id is None or expires_at is None:
            raise _no_session()
        now = self._clock.now()

        def revoke(tx: Transaction) -> None:
            tx.revocations.purge(now)
            tx.revocations.add(token_id, expires_at)

        await self._database.write(revoke)
        self._principals.forget(token_id)

    async def _renew_hash(self, user: User, password: str) -> None:
        """Follow a changed cost setting; a database that cannot be written stops nobody's sign-in."""
        if not self._passwords.is_outdated(user.password_hash):
            return
        try:
            renewed = await self._passwords.hash(password)
            await self._database.write(lambda tx: tx.users.set_password_hash(user.id, renewed))
        except (Unavailable, InvalidInput) as error:
            log.warning("account.rehash_failed", user_id=user.id, reason=error.detail)

    async def _add_admin(self, email: str, password: str, actor: Actor) -> User:
        address = checked_email(email)
        check_password(password)
        user = User(
            id=UserId(new_id()),
            email=address,
            role=Role.ADMIN,
            password_hash=await self._passwords.hash(password),
            created_at=self._clock.now(),
        )
        made = entry(actor, "user.created", user.id, clock=self._clock, detail=f"{address}, admin")

        def add(tx: Transaction) -> None:
            if tx.users.count():
                raise _already_set_up()
            tx.users.add(user)
            tx.audit.add(made)

        await self._database.write(add)
        log.info("account.first_admin", user_id=user.id)
        return user


def with_password(user: User, password_hash: str) -> User:
    """Give a user another password, which ends all sessions."""
    return replace(user, password_hash=password_hash, session_epoch=user.session_epoch + 1)


def _no_session() -> Denied:
    return Denied("An API key has no session and no password: an admin revokes it.")


def _already_set_up() -> Conflict:
    return Conflict("The first account exists already: sign in with it.")
