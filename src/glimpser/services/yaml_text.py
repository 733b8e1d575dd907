"""YAML from outside: plain values, and no more of them than was written."""

from typing import Any

import yaml

from glimpser.core.errors import InvalidInput

MAX_BYTES = 16 << 20
MAX_DEPTH = 32
MAX_NODES = 1_000_000


def parse_yaml(data: bytes) -> Any:
    """Read one document of YAML, which JSON is too. Blocks for about a second per MiB.

    Anchors are refused: with them, a few lines stand for more values than there is memory (and none are
    needed). So are tags, which name types of a programming language.

    Raises:
        InvalidInput: it is no such document; the sentence names the line.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"The file is larger than {MAX_BYTES >> 20} MiB.")
    try:
        text = data.decode("utf-8-sig")
        _check(text)
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except UnicodeDecodeError as error:
        raise InvalidInput("The file is not in UTF-8.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise InvalidInput(f"This is neither YAML nor JSON{where}.") from error
    except (ValueError, OverflowError) as error:  # such as a date with 99 months, or a number of a mile
        raise InvalidInput(f"A value in the file cannot be read: {error}.") from error


def _check(text: str) -> None:
    """Walk through without making values of it."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        if count > MAX_NODES:
            raise InvalidInput(f"The file holds more than {MAX_NODES} values.")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise InvalidInput("The file has anchors (& and *): write each value where it belongs.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise InvalidInput(f"The file is nested more than {MAX_DEPTH} levels deep.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def write_yaml(value: object, *, heading: str) -> str:
    """Write plain values, below a heading of comments."""
    comment = "".join(f"# {line}".rstrip() + "\n" for line in heading.splitlines())
    return comment + yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
