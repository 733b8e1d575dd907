"""People and what lets them in: users, keys, tickets, refused tokens, the audit log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from glimpser.core.accounts import ApiKey, AuditEntry, AuditFilter, User
from glimpser.core.ids import ApiKeyId, StreamTicketId, UserId
from glimpser.core.pages import Page, PageRequest
from glimpser.core.stream_tickets import StreamTicket, TicketFilter


class Users(Protocol):
    def add(self, user: User) -> None:
        """Raises: Conflict when the email is taken (compared without case)."""
        ...

    def get(self, user_id: UserId) -> User:
        """Raises: NotFound."""
        ...

    def by_email(self, email: str) -> User | None: ...
    def count(self) -> int: ...
    def count_active_admins(self) -> int:
        """Count the admins that are not disabled."""
        ...

    def list(self, page: PageRequest) -> Page[User]:
        """Oldest first."""
        ...

    def replace(self, user: User, *, expected: int) -> User:
        """Write email, role, groups, disabled, password hash and session epoch; the version rises.

        Raises: NotFound; Stale when the version is not `expected`; Conflict when the email is taken.
        """
        ...

    def remove(self, user_id: UserId, *, expected: int) -> None:
        """Raises: NotFound; Stale."""
        ...

    def set_password_hash(self, user_id: UserId, password_hash: str) -> None:
        """Write the same password at another cost: no edit, the version stays. Raises: NotFound."""
        ...


class ApiKeys(Protocol):
    def add(self, key: ApiKey) -> None: ...
    def get(self, key_id: ApiKeyId) -> ApiKey:
        """Raises: NotFound."""
        ...

    def list(self, page: PageRequest) -> Page[ApiKey]:
        """Oldest first."""
        ...

    def remove(self, key_id: ApiKeyId) -> None:
        """Raises: NotFound."""
        ...

    def note_uses(self, uses: Mapping[ApiKeyId, datetime]) -> None:
        """Write when keys were last used; those that are gone are ignored."""
        ...


class StreamTickets(Protocol):
    def add(self, ticket: StreamTicket) -> None: ...
    def get(self, ticket_id: StreamTicketId) -> StreamTicket:
        """Raises: NotFound."""
        ...

    def count(self, maker_id: str) -> int:
        """Count those that somebody has made."""
        ...

    def list(self, where: TicketFilter, page: PageRequest) -> Page[StreamTicket]:
        """Oldest first."""
        ...

    def remove(self, ticket_id: StreamTicketId) -> None:
        """Raises: NotFound."""
        ...

    def purge(self, now: datetime) -> int:
        """Forget those that are over; gives how many."""
        ...


class Revocations(Protocol):
    """Tokens that are refused although they have not expired."""

    def add(self, token_id: str, expires_at: datetime) -> None: ...
    def is_revoked(self, token_id: str) -> bool: ...
    def purge(self, now: datetime) -> int:
        """Forget those that have expired; gives how many."""
        ...


class Audit(Protocol):
    def add(self, entry: AuditEntry) -> None: ...
    def list(self, where: AuditFilter, page: PageRequest) -> Page[AuditEntry]:
        """Newest first, by `at`, then id."""
        ...
