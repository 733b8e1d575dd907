"""Steps every log entry passes before it is written: nothing secret, nothing a terminal would obey."""

import math
import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from glimpser.config.secret import MASK
from glimpser.core.redaction import redact

_DEPTH = 6
"""Levels of nesting that are looked through; what lies deeper is left out."""

_SECRET_NAME = re.compile(
    r"(?:^|[^a-z])(?:passw(?:or)?ds?|passphrase|secrets?|tokens?|authorization|cookies?|apikey|(?:api|private)[_-]key)"
    r"(?:$|[^a-z])"
)
"""Matched in lower case: the words alone or as a part, `jwt_secret` and `Set-Cookie`, not `secretary`."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 and C1 control characters, line and paragraph separators, changes of direction, lone surrogates."""

_TRACE_KEYS = ("exception", "stack")
"""Fields of several lines, written by the logging chain itself."""

EventDict = MutableMapping[str, Any]


def redact_secrets(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Hide the values of fields with a secret name, and credentials inside any text."""
    return {name: _redacted(name, value, _DEPTH) for name, value in event.items()}


def escape_controls(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Make control characters visible, so that no text forges a line or drives a terminal.

    Traces keep their lines, each of them indented: a line of its own begins with a time.
    """
    return {
        _escaped(name): _indented(value) if name in _TRACE_KEYS else _escaped_within(value)
        for name, value in event.items()
    }


def _redacted(name: str, value: Any, depth: int) -> Any:
    """Give a value fit for JSON: texts, numbers, None, lists and mappings of them."""
    if value is None or isinstance(value, bool):
        return value
    if _SECRET_NAME.search(name.lower()):
        return MASK
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _redacted_within(value, depth - 1) if depth else "…"
    return _scalar(value)


def _redacted_within(value: Mapping[Any, Any] | Iterable[Any], depth: int) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _redacted(str(name), item, depth) for name, item in value.items()}
    return [_redacted("", item, depth) for item in value]


def _scalar(value: Any) -> Any:
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return redact(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _escaped_within(value: Any) -> Any:
    match value:
        case str():
            return _escaped(value)
        case dict():
            return {_escaped(name): _escaped_within(item) for name, item in value.items()}
        case list():
            return [_escaped_within(item) for item in value]
        case _:
            return value


def _indented(trace: Any) -> str:
    return "\n".join(f"    {_escaped(line)}" for line in str(trace).split("\n"))
