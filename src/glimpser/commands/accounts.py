"""`glimpser user …` and `glimpser apikey …`: accounts without the web app, also beside a program that runs.

A change is in force there within a second, on open streams within ten.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from glimpser.commands.options import AsJson, DataDir, Sort, load_quietly, whoever_types
from glimpser.core.accounts import Role
from glimpser.core.errors import InvalidInput
from glimpser.core.ids import ApiKeyId, require_id
from glimpser.core.orders import API_KEY_ORDERS, USER_ORDERS
from glimpser.core.pages import MAX_LIMIT, Orders, PageRequest

if TYPE_CHECKING:
    from glimpser.services.people import People

T = TypeVar("T")

user_commands = typer.Typer(help="People who may sign in.", no_args_is_help=True)
key_commands = typer.Typer(help="Keys by which programs identify themselves.", no_args_is_help=True)


class RoleName(StrEnum):
    """Each may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


RoleOption = Annotated[RoleName, typer.Option("--role", help="What it may do.")]
GroupOption = Annotated[
    list[str] | None,
    typer.Option("--group", help="It sees views of this group alone; may be repeated.", show_default=False),
]
FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input, one line."),
]
Who = Annotated[str, typer.Argument(metavar="EMAIL", help="Email or id.")]


@user_commands.command("add")
def add_user(
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    role: RoleOption = RoleName.VIEWER,
    group: GroupOption = None,
    data_dir: DataDir = None,
    *,
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Add a user; the password is asked for."""
    from glimpser.services.users import UserDraft

    password = _new_password(password_stdin)
    draft = UserDraft(email=email, password=password, role=_role(role), groups=tuple(group or ()))
    user = _with_people(data_dir, lambda people: people.users.create(draft, by=whoever_types()))
    _show([_user_values(user)], as_json=as_json, one=True)


@user_commands.command("list")
def list_users(sort: Sort = None, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """List all users."""
    first = USER_ORDERS.page(MAX_LIMIT, sort=sort)
    users = _with_people(data_dir, lambda people: _all(people.users.list, USER_ORDERS, first))
    _show([_user_values(user) for user in users], as_json=as_json)


@user_commands.command("passwd")
def set_password(
    who: Who, data_dir: DataDir = None, *, password_stdin: FromStdin = False, as_json: AsJson = False
) -> None:
    """Set a user's password; it is asked for. All sessions of the account end."""
    _change(who, data_dir, as_json=as_json, password=_new_password(password_stdin))


@user_commands.command("disable")
def disable_user(who: Who, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Let a user in no more; what is open ends."""
    _change(who, data_dir, as_json=as_json, disabled=True)


@user_commands.command("enable")
def enable_user(who: Who, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Let a user in again."""
    _change(who, data_dir, as_json=as_json, disabled=False)


@key_commands.command("create")
def create_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    role: RoleOption = RoleName.VIEWER,
    group: GroupOption = None,
    expires_at: Annotated[
        str | None, typer.Option("--expires-at", help="When it ends (RFC 3339).", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown this once."""
    from glimpser.services.api_keys import KeyDraft

    ends = _time(expires_at) if expires_at else None
    draft = KeyDraft(name=name, role=_role(role), groups=tuple(group or ()), expires_at=ends)
    made = _with_people(data_dir, lambda people: people.api_keys.create(draft, by=whoever_types()))
    _show([_key_values(made.key) | {"key": made.text}], as_json=as_json, one=True)


@key_commands.command("list")
def list_keys(sort: Sort = None, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """List all keys, without what they are."""
    first = API_KEY_ORDERS.page(MAX_LIMIT, sort=sort)
    keys = _with_people(data_dir, lambda people: _all(people.api_keys.list, API_KEY_ORDERS, first))
    _show([_key_values(key) for key in keys], as_json=as_json)


@key_commands.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID")], data_dir: DataDir = None, *, as_json: AsJson = False
) -> None:
    """Remove a key; what uses it is refused."""
    which = ApiKeyId(require_id(key_id, "API key"))
    _with_people(data_dir, lambda people: people.api_keys.revoke(which, by=whoever_types()))
    _show([{"id": which, "revoked": True}], as_json=as_json, one=True)


def _change(who: str, data_dir: Path | None, *, as_json: bool, **changes: Any) -> None:
    from glimpser.services.users import UserChanges

    async def change(people: "People") -> Any:
        user = await people.users.find(who)
        return await people.users.change(
            user.id, UserChanges(**changes), expected=lambda _version: True, by=whoever_types()
        )

    _show([_user_values(_with_people(data_dir, change))], as_json=as_json, one=True)


def _with_people(data_dir: Path | None, work: Callable[["People"], Coroutine[Any, Any, T]]) -> T:
    from glimpser.app.people import open_people

    config = load_quietly(data_dir)

    async def run() -> T:
        async with open_people(config) as people:
            return await work(people)

    return asyncio.run(run())


async def _all(
    read: Callable[[PageRequest], Coroutine[Any, Any, Any]], orders: Orders, request: PageRequest
) -> Sequence[Any]:
    """Follow a list to its end."""
    found: list[Any] = []
    while True:
        page = await read(request)
        found += page.items
        if page.next_cursor is None:
            return found
        request = orders.following(request, page.next_cursor)


def _new_password(from_stdin: bool) -> str:  # noqa: FBT001 (an option, passed on)
    """Never an argument: other users of the machine can read those."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _role(name: RoleName) -> Role:
    return Role.parse(name.value)


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput.field("/expires_at", "Write a time with its offset, such as 2030-01-31T12:00:00Z.")
    return moment


def _user_values(user: Any) -> dict[str, object]:
    from glimpser.web.shapes import account_view

    return _as_json(account_view(user))


def _key_values(key: Any) -> dict[str, object]:
    from glimpser.web.shapes import api_key_view

    return _as_json(api_key_view(key))


def _as_json(view: object) -> dict[str, object]:
    """Print what the API answers."""
    from glimpser.web.shapes import as_json

    values = as_json(view)
    assert isinstance(values, dict)
    return values


def _show(rows: Sequence[dict[str, object]], *, as_json: bool, one: bool = False) -> None:
    if as_json:
        typer.echo(json.dumps(rows[0] if one else rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        typer.echo("  ".join(f"{name}={_plain(value)}" for name, value in row.items() if value is not None))


def _plain(value: object) -> str:
    return ",".join(map(str, value)) or "(all)" if isinstance(value, list) else str(value)
