"""Accounts: who there is, whose tokens are refused, who did what."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from glimpser.core.accounts import AuditEntry, Role, User
from glimpser.core.errors import Conflict, NotFound
from glimpser.core.ids import UserId
from glimpser.core.pages import Page, PageRequest
from glimpser.db.queries.paging import AnyRow, fetch_page
from glimpser.db.tables import audit, revocations, users

_ADD_ENTRY = insert(audit)
_ADD_REVOCATION = insert(revocations)
_ADD_USER = insert(users)
_GET = select(users).where(users.c.id == bindparam("id"))
_BY_EMAIL = select(users).where(users.c.email_key == bindparam("key"))
_COUNT = select(func.count()).select_from(users)
_SET_HASH = update(users).where(users.c.id == bindparam("key")).values(password_hash=bindparam("hash"))
_IS_REVOKED = select(revocations.c.token_id).where(revocations.c.token_id == bindparam("token_id"))
_PURGE = delete(revocations).where(revocations.c.expires_at <= bindparam("now"))


class SqlUsers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, user: User) -> None:
        row = {
            "id": user.id,
            "email": user.email,
            "email_key": user.email.casefold(),
            "role": user.role,
            "password_hash": user.password_hash,
            "groups": user.groups,
            "disabled": user.disabled,
            "created_at": user.created_at,
        }
        try:
            self._connection.execute(_ADD_USER, row)
        except IntegrityError as error:
            raise Conflict("There is a user with this email address already.") from error

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

    def set_password_hash(self, user_id: UserId, password_hash: str) -> None:
        """Raises: NotFound."""
        if self._connection.execute(_SET_HASH, {"key": user_id, "hash": password_hash}).rowcount == 0:
            raise NotFound("There is no user with this id.")


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


class SqlAudit:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entry: AuditEntry) -> None:
        self._connection.execute(
            _ADD_ENTRY,
            {
                "id": entry.id,
                "at": entry.at,
                "actor": entry.actor,
                "action": entry.action,
                "subject": entry.subject,
                "client_ip": entry.client_ip,
                "detail": entry.detail,
            },
        )

    def list(self, page: PageRequest) -> Page[AuditEntry]:
        """By id, which tells when an entry was made."""
        statement = select(audit).order_by(audit.c.id.desc())
        if page.after is not None:
            statement = statement.where(audit.c.id < page.after)
        return fetch_page(self._connection, statement, page, make=_entry)


def _user(row: AnyRow) -> User:
    return User(
        id=row.id,
        email=row.email,
        role=Role(row.role),
        password_hash=row.password_hash,
        groups=tuple(row.groups),
        disabled=row.disabled,
        created_at=row.created_at,
    )


def _entry(row: AnyRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        client_ip=row.client_ip,
        detail=row.detail,
    )
