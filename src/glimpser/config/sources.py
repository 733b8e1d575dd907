"""What is given where: each source becomes a layer of settings that remember how they were written.

A source that cannot be read adds to the problems and goes on, so that a person sees all of them at once.
Values of settings nobody knows are never repeated: they may be secrets under a mistyped name.
"""

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glimpser.config.catalogue import (
    CONFIG_FILE,
    DATABASE_PATH,
    PREFIX,
    SECTIONS,
    SETTINGS,
    Key,
    nearest,
    variable_of,
)
from glimpser.config.kinds import database_url


@dataclass(frozen=True, slots=True)
class Given:
    """A value, and the words for where it stands: `GLIMPSER_SERVER__PORT` or `server.port in FILE`."""

    value: Any
    origin: str


Layer = Mapping[Key, Given]
Problems = list[str]

_DATABASE_URL: Key = ("database", "url")
_ASSIGNMENT = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=\s*(?P<value>.*)", re.ASCII)
_QUOTED = re.compile(r"""(?P<quote>["'])(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\s*(?:#.*)?""")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_SERVICE_LINK = re.compile(
    r"GLIMPSER_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)",
    re.ASCII,
)


def system_environment() -> Mapping[str, str]:
    return os.environ


def read_arguments(overrides: Mapping[str, Any], problems: Problems) -> Layer:
    """Read what the command line gave: `{"server.port": 80}` or nested; None is not given."""
    tree: dict[str, Any] = {}
    for name, value in overrides.items():
        if value is not None:
            *sections, last = name.split(".")
            branch = tree
            for section in sections:
                branch = branch.setdefault(section, {})
            branch[last] = value
    return _from_tree(tree, "on the command line", problems)


def read_environment(variables: Mapping[str, str], where: str, problems: Problems) -> Layer:
    """Read the variables that begin with `GLIMPSER_`; an empty one is not given.

    `where` ends an origin, like ` in .env`. Names that Kubernetes and Docker make for a service called
    glimpser are left alone.
    """
    layer: dict[Key, Given] = {}
    for variable, text in sorted(variables.items()):
        if not variable.startswith(PREFIX) or not text or _is_service_link(variable, text):
            continue
        key: Key = tuple(variable.removeprefix(PREFIX).lower().split("__"))
        origin = _printable(variable) + where
        if key not in SETTINGS or variable != variable_of(key):
            problems.append(f"{origin}: there is no such variable{_hint(key, variable_of)}")
        elif SETTINGS[key].structured:
            _add_json(layer, key, Given(text, origin), problems)
        else:
            layer[key] = Given(text, origin)
    return _without_alias(layer, problems)


def read_dotenv(path: Path, problems: Problems) -> Layer:
    """Read a file of `NAME=VALUE` lines.

    A line may begin with `export`; `#` begins a comment at the start of a line or after white space;
    'single quotes' keep everything, "double quotes" know the escapes n, t, r, quote and backslash.
    Nothing is expanded.
    """
    text = _read_text(path, problems)
    variables: dict[str, str] = {}
    for number, line in enumerate((text or "").splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        assignment = _ASSIGNMENT.fullmatch(stripped)
        value = _unquote(assignment["value"]) if assignment else None
        if assignment is None or value is None:
            problems.append(f"{path}, line {number}: this is not NAME=VALUE. Mend it or put # before it.")
        else:
            variables[assignment["name"]] = value
    return read_environment(variables, f" in {path}", problems)


def read_toml(path: Path, problems: Problems) -> Layer:
    text = _read_text(path, problems)
    if text is None:
        return {}
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path}: this is not TOML: {error}. Mend that line.")
        return {}
    return _from_tree(tree, f"in {path}", problems)


def merge(*layers: Layer) -> dict[Key, Given]:
    """Lay layers over each other, the strongest last."""
    merged: dict[Key, Given] = {}
    for layer in layers:
        merged |= layer
    return merged


def nest(layer: Layer) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, given in layer.items():
        branch = tree
        for section in key[:-1]:
            branch = branch.setdefault(section, {})
        branch[key[-1]] = given.value
    return tree


def _read_text(path: Path, problems: Problems) -> str | None:
    """Read a file that should be there; what hinders it becomes a problem."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8.")
    except OSError as error:
        problems.append(f"{path}: it cannot be read ({error.strerror}). Mend its name or its permissions.")
    return None


def _from_tree(tree: Mapping[str, Any], where: str, problems: Problems) -> Layer:
    layer: dict[Key, Given] = {}
    for key, value in _leaves(tree):
        name = _printable(".".join(key))
        origin = f"{name} {where}"
        if key in SECTIONS:
            problems.append(f"{origin}: this is a section, it has no value of its own. Write [{name}].")
        elif key not in SETTINGS or key == CONFIG_FILE.key:
            problems.append(f"{origin}: there is no such setting{_hint(key, '.'.join)}")
        else:
            layer[key] = Given(value, origin)
    return _without_alias(layer, problems)


def _leaves(tree: Mapping[str, Any], above: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Give what stands in the sections; a table that is no section is a value."""
    for name, value in tree.items():
        key = (*above, name)
        if isinstance(value, Mapping) and key in SECTIONS:
            yield from _leaves(value, key)
        else:
            yield key, value


def _without_alias(layer: dict[Key, Given], problems: Problems) -> Layer:
    """Turn `database.path` into `database.url`, in the layer it stands in: a stronger layer still wins."""
    alias = layer.pop(DATABASE_PATH.key, None)
    if alias is None:
        return layer
    if _DATABASE_URL in layer:
        problems.append(f"{alias.origin}: {layer[_DATABASE_URL].origin} says it too. Remove one of them.")
    elif not isinstance(alias.value, str | Path) or not str(alias.value):
        problems.append(
            f"{alias.origin}: it wants {DATABASE_PATH.wants}, but something else was given. Correct it."
        )
    else:
        layer[_DATABASE_URL] = Given(database_url(Path(alias.value)), alias.origin)
    return layer


def _add_json(layer: dict[Key, Given], key: Key, given: Given, problems: Problems) -> None:
    try:
        layer[key] = Given(json.loads(given.value), given.origin)
    except (ValueError, RecursionError):
        problems.append(
            f"{given.origin}: it wants {SETTINGS[key].wants}, but what was given is not JSON."
            " Correct it or leave it out."
        )


def _hint(key: Key, spell: Callable[[Key], str]) -> str:
    known = [spell(candidate) for candidate in nearest(key)]
    return f"; did you mean {' or '.join(known)}?" if known else ". The manual lists all of them: remove it."


def _printable(name: str) -> str:
    return name if name.isprintable() else ascii(name)


def _unquote(text: str) -> str | None:
    """Give a value of `.env` without quotes and comment; None when a quote is left open."""
    if not text.startswith(("'", '"')):
        return re.split(r"\s+#|^#", text, maxsplit=1)[0].strip()
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        return None
    if quoted["quote"] == "'":
        return quoted["text"]
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), quoted["text"])


def _is_service_link(variable: str, text: str) -> bool:
    """Tell whether an orchestrator made this variable for a service named glimpser."""
    if not _SERVICE_LINK.fullmatch(variable):
        return False
    return not variable.endswith("_PORT") or "_SERVICE_" in variable or "://" in text
