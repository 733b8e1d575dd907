"""The address of something on the web, with user name and password, as several kinds of views take it."""

from typing import Annotated, Any, Self
from urllib.parse import unquote

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from glimpser.capture.configs import KindConfig
from glimpser.capture.form_hints import login_last, shown
from glimpser.core.errors import InvalidInput
from glimpser.egress.fetching import Credentials
from glimpser.egress.pinned import SCHEMES
from glimpser.egress.target import parse_target


def _web_url(url: str) -> str:
    try:
        parse_target(url, SCHEMES)
    except InvalidInput as error:
        raise ValueError(error.detail) from None
    return url


WebUrl = Annotated[str, AfterValidator(_web_url)]


def without_userinfo(values: Any) -> Any:
    """Move `user:password@` of a config's `url` into fields of their own, where the password is secret."""
    url = values.get("url") if isinstance(values, dict) else None
    if not isinstance(url, str):
        return values
    try:
        target = parse_target(url.strip(), SCHEMES)
    except InvalidInput:
        return values  # the field says what is wrong with it
    if target.userinfo is None:
        return values
    if values.get("username") or values.get("password"):
        raise ValueError("Give user name and password once: in their fields, or in the address.")
    user, _, password = target.userinfo.partition(":")
    bare = type(target)(scheme=target.scheme, host=target.host, port=target.port, path=target.path)
    return {**values, "url": bare.url(), "username": unquote(user), "password": unquote(password) or None}


class Guarded(KindConfig):
    """Fields of what may ask for a user name and a password, by Digest or Basic authentication."""

    model_config = ConfigDict(json_schema_extra=login_last)

    username: str | None = Field(
        default=None,
        title="User name",
        max_length=256,
        pattern=r"^[^:\x00-\x1f]*$",
        json_schema_extra=shown(half=True),
    )
    password: str | None = Field(
        default=None, title="Password", max_length=256, json_schema_extra=shown(half=True, secret=True)
    )

    @model_validator(mode="after")
    def _password_has_its_user(self) -> Self:
        if self.password and not self.username:
            raise ValueError("A password goes with a user name: give both, or put both into the address.")
        return self

    def credentials(self) -> Credentials | None:
        return Credentials(self.username, self.password or "") if self.username else None
