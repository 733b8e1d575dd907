"""Who one is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from glimpser.core.accounts import Principal, Role, User

RoleName = Literal["viewer", "operator", "admin"]


ROLE_NAMES: Mapping[Role, RoleName] = {Role.VIEWER: "viewer", Role.OPERATOR: "operator", Role.ADMIN: "admin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    id: str
    email: str
    role: RoleName
    groups: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeView:
    """Who makes the request; a key has no email, and a user's name is it."""

    id: str
    email: str | None
    name: str
    role: RoleName
    groups: Sequence[str]
    principal: Literal["user", "api_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """`me` is null for who is not signed in."""

    me: MeView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupState:
    needed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupDone:
    user: UserView


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginView:
    access_token: str = field(repr=False)
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (RFC 6750's word, no password)
    expires_in: int
    user: UserView


def user_view(user: User) -> UserView:
    return UserView(id=user.id, email=user.email, role=ROLE_NAMES[user.role], groups=user.groups)


def me_view(principal: Principal) -> MeView:
    return MeView(
        id=principal.id,
        email=principal.email,
        name=principal.name,
        role=ROLE_NAMES[principal.role],
        groups=principal.groups,
        principal=principal.kind,
    )
