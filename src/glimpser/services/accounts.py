"""Accounts: the first admin, signing in and out, and who a token belongs to."""

import asyncio
import hmac
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from glimpser.core.accounts import Principal, Role, User
from glimpser.core.addresses import subscriber
from glimpser.core.clock import Clock
from glimpser.core.errors import Conflict, Denied, InvalidInput, NotFound, Unauthenticated, Unavailable
from glimpser.core.ids import UserId, new_id
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.services.attempts import Attempts
from glimpser.services.audit import Actor, entry
from glimpser.services.passwords import MAX_CHARS, Passwords, check_password
from glimpser.services.tokens import Claims, Tokens

log = structlog.get_logger(__name__)

CACHE_S = 1.0
"""How long a principal read from the database is believed: the longest a revocation may take."""
CACHE_ENTRIES = 1024
MAX_EMAIL_CHARS = 254
EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that is taken for another, five bits each."""
LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a sign-in gives."""

    token: str = field(repr=False)
    expires_at: datetime
    lifetime_s: int
    user: User


class SetupCode:
    """A secret of 80 bits that proves to the web page that its reader also reads the terminal."""

    def __init__(self) -> None:
        letters = "".join(secrets.choice(ALPHABET) for _ in range(16))
        self.text = "-".join(letters[start : start + 4] for start in range(0, 16, 4))

    def matches(self, attempt: str) -> bool:
        """Compare in constant time; case, dashes and letters that look alike do not matter."""
        return hmac.compare_digest(_plain(attempt), _plain(self.text))


class Accounts:
    """The only maker of principals. All calls on the event loop's thread."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        passwords: Passwords,
        tokens: Tokens,
        attempts: Attempts | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._tokens = tokens
        self._attempts = attempts or Attempts(clock)
        self._setup_code: SetupCode | None = None
        self._setting_up = asyncio.Lock()
        self._known: OrderedDict[str, tuple[Principal, float]] = OrderedDict()

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
            with self._attempts.one("setup", client_ip):
                self._check_setup_code(code, client_ip)
            user = await self._add_admin(email, password, Actor("setup", client_ip))
            self._setup_code = None
            return user

    def _check_setup_code(self, code: str, client_ip: str | None) -> None:
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
        account = normalised(email)
        with self._attempts.one(account, client_ip):
            user = await self._user_with(account, password, client_ip=client_ip)
        await self._renew_hash(user, password)
        token, claims = self._tokens.issue(user.id, user.role)
        log.info("account.login", user_id=user.id, client_ip=client_ip)
        return Session(
            token=token, expires_at=claims.expires_at, lifetime_s=self._tokens.lifetime_s, user=user
        )

    async def _user_with(self, account: str, password: str, *, client_ip: str | None) -> User:
        user = await self._database.read(lambda tx: tx.users.by_email(account))
        encoded = user.password_hash if user else None
        client = subscriber(client_ip) if client_ip else None
        fits = await self._passwords.verify(encoded, password[:MAX_CHARS], client=client)
        if user is None or user.disabled or not fits or len(password) > MAX_CHARS:
            log.warning("account.login_refused", client_ip=client_ip)
            raise Unauthenticated("The email or the password is wrong.")
        return user

    async def authenticate(self, token: str) -> Principal:
        """Tell who holds a token, as the database says now or said less than a second ago.

        Raises:
            Unauthenticated: the token is not valid, revoked, or its user is gone or disabled.
        """
        return await self._principal(self._tokens.verify(token))

    async def logout(self, principal: Principal) -> None:
        """Revoke the principal's token everywhere."""
        token_id, expires_at = principal.token_id, principal.expires_at
        if token_id is None or expires_at is None:
            return
        now = self._clock.now()

        def revoke(tx: Transaction) -> None:
            tx.revocations.purge(now)
            tx.revocations.add(token_id, expires_at)

        await self._database.write(revoke)
        self._known.pop(token_id, None)

    async def still_valid(self, principal: Principal) -> bool:
        """Tell whether an open stream may go on. A database that cannot answer ends no stream."""
        if principal.token_id is None or principal.expires_at is None:
            return False
        claims = Claims(
            user_id=UserId(principal.id), token_id=principal.token_id, expires_at=principal.expires_at
        )
        try:
            await self._principal(claims)
        except Unauthenticated:
            return False
        except Unavailable:
            return claims.expires_at > self._clock.now()
        return True

    async def _principal(self, claims: Claims) -> Principal:
        if claims.expires_at <= self._clock.now():
            raise _signed_out()
        principal, read_at = self._known.get(claims.token_id, (None, 0.0))
        if principal is None or self._clock.monotonic() - read_at >= CACHE_S:
            read_at = self._clock.monotonic()
            principal = await self._database.read(lambda tx: _read_principal(tx, claims))
            self._remember(claims.token_id, principal, read_at)
        return principal

    def _remember(self, token_id: str, principal: Principal, read_at: float) -> None:
        self._known[token_id] = (principal, read_at)
        self._known.move_to_end(token_id)
        if len(self._known) > CACHE_ENTRIES:
            self._known.popitem(last=False)

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


def normalised(email: str) -> str:
    return email.strip().lower()


def checked_email(email: str) -> str:
    """Give an email in the form it is stored in.

    Raises:
        InvalidInput: it is none. Only its shape is looked at: a local domain may have no dot.
    """
    address = normalised(email)
    if len(address) > MAX_EMAIL_CHARS or not EMAIL.fullmatch(address):
        raise InvalidInput.field("/email", "This is not an email address.")
    return address


def _read_principal(tx: Transaction, claims: Claims) -> Principal:
    if tx.revocations.is_revoked(claims.token_id):
        raise _signed_out()
    try:
        user = tx.users.get(claims.user_id)
    except NotFound:
        raise _signed_out() from None
    if user.disabled:
        raise _signed_out()
    return Principal(
        id=user.id,
        email=user.email,
        role=user.role,
        groups=user.groups,
        token_id=claims.token_id,
        expires_at=claims.expires_at,
    )


def _plain(code: str) -> bytes:
    return code.upper().translate(LOOKALIKES).encode("utf-8", "replace")


def _signed_out() -> Unauthenticated:
    return Unauthenticated("You are signed out: sign in again.")


def _already_set_up() -> Conflict:
    return Conflict("The first account exists already: sign in with it.")
