"""Users: list, read, create, change, remove. Every change is validated, audited, and in force at once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from glimpser.core.accounts import Role, User
from glimpser.core.clock import Clock
from glimpser.core.errors import Conflict, NotFound, Stale
from glimpser.core.ids import UserId, is_id, new_id
from glimpser.core.pages import Page, PageRequest
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.services.audit import Actor, entry
from glimpser.services.emails import checked_email, normalised
from glimpser.services.passwords import Passwords, check_password
from glimpser.services.principals import Principals

Match = Callable[[int], bool]
"""Tells whether the caller meant this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDraft:
    """A user to be. `groups` empty: all templates."""

    email: str
    password: str = field(repr=False)
    role: Role
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanges:
    """What is None stays as it is."""

    email: str | None = None
    password: str | None = field(default=None, repr=False)
    role: Role | None = None
    groups: tuple[str, ...] | None = None
    disabled: bool | None = None


class Users:
    """The verbs on users. Event loop's thread.

    There is always an admin who can sign in: whatever would take the last one away is refused.
    """

    def __init__(
        self, database: Database, *, clock: Clock, passwords: Passwords, principals: Principals
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._principals = principals

    async def list(self, page: PageRequest) -> Page[User]:
        """Oldest first."""
        return await self._database.read(lambda tx: tx.users.list(page))

    async def get(self, user_id: UserId) -> User:
        """Raises: NotFound."""
        return await self._database.read(lambda tx: tx.users.get(user_id))

    async def find(self, who: str) -> User:
        """Read one by id or email. Raises: NotFound."""
        if is_id(who):
            return await self.get(UserId(who))
        user = await self._database.read(lambda tx: tx.users.by_email(normalised(who)))
        if user is None:
            raise NotFound("There is no user with this email address.")
        return user

    async def create(self, draft: UserDraft, *, by: Actor) -> User:
        """Make a user.

        Raises:
            InvalidInput: email or password cannot be used.
            Conflict: there is a user with this email address.
        """
        email = checked_email(draft.email)
        check_password(draft.password)
        user = User(
            id=UserId(new_id()),
            email=email,
            role=draft.role,
            password_hash=await self._passwords.hash(draft.password),
            groups=draft.groups,
            created_at=self._clock.now(),
        )
        detail = ", ".join([email, draft.role.label, *_named(draft.groups)])
        made = entry(by, "user.created", user.id, clock=self._clock, detail=detail)

        def add(tx: Transaction) -> None:
            tx.users.add(user)
            tx.audit.add(made)

        await self._database.write(add)
        return user

    async def change(self, user_id: UserId, changes: UserChanges, *, expected: Match, by: Actor) -> User:
        """Change a user. A new password, and switching the account off, end all its sessions.

        Raises:
            NotFound: there is none. Stale: it is not in the expected version.
            InvalidInput: a field cannot be used.
            Conflict: it is the last admin who can sign in, or the email is taken.
        """
        stored = await self._expected(user_id, expected)
        changed = await self._changed(stored, changes)
        if changed == stored:
            return stored
        detail = ", ".join(_differences(stored, changed))
        made = entry(by, "user.changed", user_id, clock=self._clock, detail=f"{stored.email}: {detail}")

        def put(tx: Transaction) -> User:
            written = tx.users.replace(changed, expected=stored.version)
            _require_an_admin(tx, stored)
            tx.audit.add(made)
            return written

        written = await self._database.write(put)
        self._principals.forget(user_id)
        return written

    async def remove(self, user_id: UserId, *, expected: Match, by: Actor) -> None:
        """Remove a user, whose sessions end.

        Raises:
            NotFound: there is none. Stale: it is not in the expected version.
            Conflict: it is the last admin who can sign in.
        """
        stored = await self._expected(user_id, expected)
        made = entry(by, "user.removed", user_id, clock=self._clock, detail=stored.email)

        def remove(tx: Transaction) -> None:
            tx.users.remove(user_id, expected=stored.version)
            _require_an_admin(tx, stored)
            tx.audit.add(made)

        await self._database.write(remove)
        self._principals.forget(user_id)

    async def _expected(self, user_id: UserId, expected: Match) -> User:
        stored = await self.get(user_id)
        if not expected(stored.version):
            raise Stale(f"The user is in version {stored.version} now: read it again, then write.")
        return stored

    async def _changed(self, stored: User, changes: UserChanges) -> User:
        changed = replace(
            stored,
            email=stored.email if changes.email is None else checked_email(changes.email),
            role=stored.role if changes.role is None else changes.role,
            groups=stored.groups if changes.groups is None else changes.groups,
            disabled=stored.disabled if changes.disabled is None else changes.disabled,
        )
        if changes.password is not None:
            check_password(changes.password)
            changed = replace(changed, password_hash=await self._passwords.hash(changes.password))
        ends_sessions = changes.password is not None or changed.disabled > stored.disabled
        return replace(changed, session_epoch=stored.session_epoch + ends_sessions)


def _require_an_admin(tx: Transaction, before: User) -> None:
    """Raises: Conflict: the change, which is undone then, took the last admin who can sign in."""
    was_admin = before.role is Role.ADMIN and not before.disabled
    if was_admin and tx.users.count_active_admins() == 0:
        raise Conflict("This is the last admin who can sign in: make another one first.")


def _differences(old: User, new: User) -> list[str]:
    """Tell what is different, but of the password only that it is."""
    found = [
        f"{name} {getattr(old, name)} → {getattr(new, name)}"
        for name in ("email", "disabled")
        if getattr(old, name) != getattr(new, name)
    ]
    if old.role != new.role:
        found.append(f"role {old.role.label} → {new.role.label}")
    if old.groups != new.groups:
        found.append(f"groups {', '.join(old.groups) or 'all'} → {', '.join(new.groups) or 'all'}")
    if old.password_hash != new.password_hash:
        found.append("password")
    return found


def _named(groups: tuple[str, ...]) -> list[str]:
    return [f"groups {', '.join(groups)}"] if groups else []
