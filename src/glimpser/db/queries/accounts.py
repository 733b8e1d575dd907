"""Accounts: who there is, which keys, whose tokens are refused."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from glimpser.core.accounts import ApiKey, Role, User
from glimpser.core.errors import Conflict, GlimpserError, NotFound, Stale
from glimpser.core.ids import ApiKeyId, UserId
from glimpser.core.orders import API_KEY_ORDERS, USER_ORDERS
from glimpser.core.pages import Page, PageRequest
from glimpser.db.queries.paging import AnyRow, fetch_page, oldest_first
from glimpser.db.tables import api_keys, revocations, users

_ADD_REVOCATION = insert(revocations)
_ADD_USER = insert(users)
_GET = select(users).where(users.c.id == bindparam("id"))
_BY_EMAIL = select(users).where(users.c.email_key == bindparam("key"))
_COUNT = select(func.count()).select_from(users)
_COUNT_ACTIVE_ADMINS = _COUNT.where(users.c.role == Role.ADMIN, users.c.disabled.is_(False))
_SET_HASH = update(users).where(users.c.id == bindparam("key")).values(password_hash=bindparam("hash"))
_IS_REVOKED = select(revocations.c.token_id).where(revocations.c.token_id == bindparam("token_id"))
_ADD_KEY = insert(api_keys)
_GET_KEY = select(api_keys).where(api_keys.c.id == bindparam("id"))
_REMOVE_KEY = delete(api_keys).where(api_keys.c.id == bindparam("id"))
_NOTE_USE = update(api_keys).where(api_keys.c.id == bindparam("key")).values(last_used_at=bindparam("at"))
_PURGE = delete(revocations).where(revocations.c.expires_at <= bindparam("now"))


class SqlUsers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, user: User) -> None:
        row = {"id": user.id, "version": user.version, "created_at": user.created_at}
        try:
            self._connection.execute(_ADD_USER, row | _edited(user))
        except IntegrityError as error:
            raise _taken() from error

    def get(self, user_id: UserId) -> User:
        row = self._connection.execute(_GET, {"id": user_id}).one_or_none()
        if row is None:
            raise NotFound("There is no user with this id.")
        return _user(row)

    def by_email(self, email: str) -> User | None:
        row = self._connection.execute(_BY_EMAIL, {"key": email.casefold()}).one_or_none()
        return None if row is None else _user(row)

    def count(self) -> int:
        return self._connection.scalar(_COUNT) or 0

    def count_active_admins(self) -> int:
        return self._connection.scalar(_COUNT_ACTIVE_ADMINS) or 0

    def list(self, page: PageRequest) -> Page[User]:
        statement = oldest_first(select(users), page, {"email": users.c.email_key})
        return fetch_page(self._connection, statement, page, USER_ORDERS, make=_user)

    def replace(self, user: User, *, expected: int) -> User:
        changes = _edited(user) | {"version": expected + 1}
        statement = update(users).where(_is_version(user.id, expected)).values(changes)
        try:
            found = self._connection.execute(statement).rowcount
        except IntegrityError as error:
            raise _taken() from error
        if found == 0:
            raise self._why_not(user.id)
        return self.get(user.id)

    def remove(self, user_id: UserId, *, expected: int) -> None:
        statement = delete(users).where(_is_version(user_id, expected))
        if self._connection.execute(statement).rowcount == 0:
            raise self._why_not(user_id)

    def _why_not(self, user_id: UserId) -> GlimpserError:
        version = self.get(user_id).version
        return Stale(f"The user has been changed: it is at version {version} now.")

    def set_password_hash(self, user_id: UserId, password_hash: str) -> None:
        if self._connection.execute(_SET_HASH, {"key": user_id, "hash": password_hash}).rowcount == 0:
            raise NotFound("There is no user with this id.")


class SqlApiKeys:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, key: ApiKey) -> None:
        self._connection.execute(
            _ADD_KEY,
            {
                "id": key.id,
                "name": key.name,
                "name_key": key.name.casefold(),
                "role": key.role,
                "key_hash": key.key_hash,
                "groups": key.groups,
                "expires_at": key.expires_at,
                "last_used_at": key.last_used_at,
                "created_by": key.created_by,
                "created_at": key.created_at,
            },
        )

    def get(self, key_id: ApiKeyId) -> ApiKey:
        row = self._connection.execute(_GET_KEY, {"id": key_id}).one_or_none()
        if row is None:
            raise NotFound("There is no API key with this id.")
        return _api_key(row)

    def list(self, page: PageRequest) -> Page[ApiKey]:
        statement = oldest_first(select(api_keys), page, {"name": api_keys.c.name_key})
        return fetch_page(self._connection, statement, page, API_KEY_ORDERS, make=_api_key)

    def remove(self, key_id: ApiKeyId) -> None:
        if self._connection.execute(_REMOVE_KEY, {"id": key_id}).rowcount == 0:
            raise NotFound("There is no API key with this id.")

    def note_uses(self, uses: Mapping[ApiKeyId, datetime]) -> None:
        if uses:
            rows = [{"key": key_id, "at": moment} for key_id, moment in uses.items()]
            self._connection.execute(_NOTE_USE, rows)


class SqlRevocations:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, token_id: str, expires_at: datetime) -> None:
        """A token revoked twice is revoked."""
        self._connection.execute(delete(revocations).where(revocations.c.token_id == token_id))
        self._connection.execute(_ADD_REVOCATION, {"token_id": token_id, "expires_at": expires_at})

    def is_revoked(self, token_id: str) -> bool:
        return self._connection.scalar(_IS_REVOKED, {"token_id": token_id}) is not None

    def purge(self, now: datetime) -> int:
        return self._connection.execute(_PURGE, {"now": now}).rowcount


def _edited(user: User) -> dict[str, object]:
    """Give what may change."""
    return {
        "email": user.email,
        "email_key": user.email.casefold(),
        "role": user.role,
        "password_hash": user.password_hash,
        "groups": user.groups,
        "disabled": user.disabled,
        "session_epoch": user.session_epoch,
    }


def _is_version(user_id: UserId, version: int) -> ColumnElement[bool]:
    return (users.c.id == user_id) & (users.c.version == version)


def _taken() -> Conflict:
    return Conflict("There is a user with this email address already.")


def _api_key(row: AnyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        key_hash=row.key_hash,
        groups=tuple(row.groups),
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        created_by=row.created_by,
        created_at=row.created_at,
    )


def _user(row: AnyRow) -> User:
    return User(
        id=row.id,
        email=row.email,
        role=Role(row.role),
        password_hash=row.password_hash,
        groups=tuple(row.groups),
        disabled=row.disabled,
        version=row.version,
        session_epoch=row.session_epoch,
        created_at=row.created_at,
    )
