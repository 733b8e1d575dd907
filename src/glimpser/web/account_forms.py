"""What requests about accounts may hold."""

from typing import Annotated

from pydantic import Field

from glimpser.core.accounts import Role
from glimpser.services.api_keys import KeyDraft
from glimpser.services.passwords import MAX_CHARS, MIN_CHARS
from glimpser.services.users import UserChanges, UserDraft
from glimpser.web.forms import Form, Group, Name, ReadOnly, Time
from glimpser.web.shapes import RoleName

Email = Annotated[str, Field(max_length=320, json_schema_extra={"format": "email"})]
NewPassword = Annotated[str, Field(min_length=MIN_CHARS, max_length=MAX_CHARS)]
Groups = Annotated[list[Group], Field(max_length=20, description="None of them: all views.")]


class UserForm(Form):
    """A user to be."""

    email: Email
    password: Annotated[NewPassword, Field(repr=False)]
    role: RoleName
    groups: Groups = Field(default_factory=list)

    def draft(self) -> UserDraft:
        return UserDraft(
            email=self.email, password=self.password, role=_role(self.role), groups=_unique(self.groups)
        )


class UserPatch(Form):
    """Some of a user; what is absent or null stays as it is."""

    email: Email | None = None
    password: Annotated[NewPassword | None, Field(repr=False)] = None
    role: RoleName | None = None
    groups: Groups | None = None
    disabled: bool | None = None
    id: ReadOnly = None
    version: ReadOnly = None
    created_at: ReadOnly = None

    def changes(self) -> UserChanges:
        return UserChanges(
            email=self.email,
            password=self.password,
            role=None if self.role is None else _role(self.role),
            groups=None if self.groups is None else _unique(self.groups),
            disabled=self.disabled,
        )


class PasswordForm(Form):
    """The password one has, and the one to have."""

    current_password: Annotated[str, Field(max_length=MAX_CHARS, repr=False)]
    new_password: Annotated[NewPassword, Field(repr=False)]


class ApiKeyForm(Form):
    """A key to be; without an end it lasts until it is revoked."""

    name: Name
    role: RoleName
    groups: Groups = Field(default_factory=list)
    expires_at: Time | None = None

    def draft(self) -> KeyDraft:
        return KeyDraft(
            name=self.name, role=_role(self.role), groups=_unique(self.groups), expires_at=self.expires_at
        )


def _role(name: RoleName) -> Role:
    return Role.parse(name)


def _unique(groups: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(groups))
