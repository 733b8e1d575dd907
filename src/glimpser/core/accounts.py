"""Who may do what."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Literal

from glimpser.core.ids import UserId


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


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account. `password_hash` is an argon2id encoded string. `groups` empty: all templates."""

    id: UserId
    email: str
    role: Role
    password_hash: str = field(repr=False)
    groups: tuple[str, ...] = ()
    disabled: bool = False
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who makes a request, as the database says now. `token_id` is what a logout revokes."""

    id: str
    email: str
    role: Role
    groups: tuple[str, ...] = ()
    kind: Literal["user", "api_key"] = "user"
    token_id: str | None = None
    expires_at: datetime | None = None


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
