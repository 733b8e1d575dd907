"""The reference pages name what there is: every route with its role, every command with its options."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from glimpser.cli import app
from glimpser.core.accounts import Role
from glimpser.web.application import ROUTES, SOCKETS
from glimpser.web.security import Access

PAGES = Path(__file__).parents[2] / "docs/reference"
ROUTE = re.compile(r"^\| `([A-Za-z]+ /\S*)` \| (\S+) \| \S.* \|$", re.MULTILINE)
COMMAND = re.compile(r"^\| `([a-z-]+(?: [a-z-]+)?)[^`]*` \| \S.*? \|(.*)\|$", re.MULTILINE)
NO_ROLE = "–"


def routes() -> Iterator[tuple[str, str]]:
    for row in ROUTES:
        access = row.access.dependency
        assert isinstance(access, Access)
        yield f"{row.method} {row.path.replace(':path', '')}", role_name(access.role)
    for socket in SOCKETS:
        yield f"WebSocket {socket.path}", role_name(socket.access.role)


def role_name(role: Role | None) -> str:
    return role.label if role else NO_ROLE


def options() -> Iterator[tuple[str, set[str]]]:
    """Give every command and its options in all their spellings; those of a group with its name before."""
    return options_of(typer.main.get_command(app), "")


def options_of(group: Any, prefix: str) -> Iterator[tuple[str, set[str]]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from options_of(command, f"{prefix}{name} ")
            continue
        yield (
            prefix + name,
            {
                spelling
                for parameter in command.params
                if parameter.param_type_name == "option"
                for spelling in (*parameter.opts, *parameter.secondary_opts)
            },
        )


def test_every_route_has_its_line_with_its_role_and_no_line_is_left_over() -> None:
    lines = ROUTE.findall((PAGES / "http.md").read_text(encoding="utf-8"))

    assert len(lines) == len(set(lines))
    assert dict(lines) == dict(routes())


def test_every_command_has_its_line_with_its_options_and_no_line_is_left_over() -> None:
    lines = COMMAND.findall((PAGES / "commands.md").read_text(encoding="utf-8"))
    described = {name: set(re.findall(r"`(--?[a-z-]+)", words)) for name, words in lines}

    assert len(lines) == len(described)
    assert described == dict(options())


def test_every_test_that_proves_a_defence_is_there() -> None:
    page = (PAGES.parent / "security/attacks.md").read_text()
    named = set(re.findall(r"`((?:unit|integration|soak)/[\w/]+\.py)`", page))

    assert len(named) > 20
    assert not [name for name in named if not (PAGES.parents[1] / "tests" / name).is_file()]
