"""Who may do what, and with which views."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Literal

from glimpser.core.ids import ApiKeyId, UserId


class Role(IntEnum):
    """Each includes those below it."""

    VIEWER = 10
    OPERATOR = 20
    ADMIN = 30

    @property
    def label(self) -> str:
        return self.name.lower()

    @classmethod
    def parse(cls, label: str) -> "Role":
        return cls[label.upper()]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which templates somebody may see, and whatever tells of them: those in one of `groups`; None: all.

    What tells of no template at all, or of one that is gone, lies outside every scope but `EVERYTHING`.
    """

    groups: tuple[str, ...] | None = None

    @classmethod
    def of(cls, role: Role, groups: Collection[str]) -> "Scope":
        """Give the scope of a role with these groups: without any, and for admins, it is everything."""
        return cls(tuple(sorted(set(groups))) if groups and role < Role.ADMIN else None)


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account. `password_hash` is an argon2id encoded string. `groups` empty: all templates.

    `version` rises by one with every change; `session_epoch` with those that end all sessions.
    """

    id: UserId
    email: str
    role: Role
    password_hash: str = field(repr=False)
    groups: tuple[str, ...] = ()
    disabled: bool = False
    version: int = 1
    session_epoch: int = 0
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What a program identifies itself by; `key_hash` is the SHA-256 of the key, in hex."""

    id: ApiKeyId
    name: str
    role: Role
    key_hash: str = field(repr=False)
    groups: tuple[str, ...] = ()
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who makes a request, as the database says now: a user by a session, or a program by an API key.

    `name` is a user's email or a key's name. `token_id` is what a logout revokes, `session_epoch` what a
    session was made in; a key has neither.
    """

    id: str
    name: str
    role: Role
    groups: tuple[str, ...] = ()
    kind: Literal["user", "api_key"] = "user"
    token_id: str | None = None
    session_epoch: int = 0
    expires_at: datetime | None = None

    @property
    def email(self) -> str | None:
        return self.name if self.kind == "user" else None

    @property
    def scope(self) -> Scope:
        return Scope.of(self.role, self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what to which thing, from where."""

    id: str
    at: datetime
    actor: str
    action: str
    subject: str
    client_ip: str | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Each given field narrows the list; `start` is inclusive, `end` exclusive."""

    actor: str | None = None
    action: str | None = None
    start: datetime | None = None
    end: datetime | None = None
