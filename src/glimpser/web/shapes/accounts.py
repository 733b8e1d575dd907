"""What answers about accounts look like."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from glimpser.core.accounts import ApiKey, AuditEntry, User
from glimpser.services.api_keys import NewKey
from glimpser.web.shapes.listing import Listing
from glimpser.web.shapes.session import ROLE_NAMES, RoleName, UserView


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView(UserView):
    """A user as admins see one; no `groups` are all views."""

    disabled: bool
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountList(Listing[AccountView]):
    """Users, oldest first."""

    items: Sequence[AccountView]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyView:
    """A key without its text; `last_used_at` may be a minute late."""

    id: str
    name: str
    role: RoleName
    groups: Sequence[str]
    expires_at: datetime | None
    last_used_at: datetime | None
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKeyView(ApiKeyView):
    """A key that was just made: `key` is shown this once."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyList(Listing[ApiKeyView]):
    """API keys, oldest first."""

    items: Sequence[ApiKeyView]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """Who did what to which thing, from where."""

    id: str
    at: datetime
    actor: str
    action: str
    subject: str
    client_ip: str | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditList(Listing[AuditView]):
    """Entries of the audit log, newest first."""

    items: Sequence[AuditView]


def account_view(user: User) -> AccountView:
    return AccountView(
        id=user.id,
        email=user.email,
        role=ROLE_NAMES[user.role],
        groups=user.groups,
        disabled=user.disabled,
        version=user.version,
        created_at=user.created_at,
    )


def api_key_view(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(
        id=key.id,
        name=key.name,
        role=ROLE_NAMES[key.role],
        groups=key.groups,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        created_by=key.created_by,
        created_at=key.created_at,
    )


def new_key_view(made: NewKey) -> NewKeyView:
    key = made.key
    return NewKeyView(
        id=key.id,
        name=key.name,
        role=ROLE_NAMES[key.role],
        groups=key.groups,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        created_by=key.created_by,
        created_at=key.created_at,
        key=made.text,
    )


def audit_view(made: AuditEntry) -> AuditView:
    return AuditView(
        id=made.id,
        at=made.at,
        actor=made.actor,
        action=made.action,
        subject=made.subject,
        client_ip=made.client_ip,
        detail=made.detail,
    )
