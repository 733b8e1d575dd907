"""Secrets in a config are write-only: hidden when it is shown, kept when it comes back without them."""

import re
from collections.abc import Mapping, Sequence

from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Config
from glimpser.core.redaction import HIDDEN, redact


def hide(config: Config, secrets: frozenset[str]) -> dict[str, object]:
    """Leave out the fields that are secret and blot out the secrets inside URLs (`user:***@`)."""
    return {name: _hidden(value) for name, value in config.items() if name not in secrets}


def restore(config: Config, stored: Config, secrets: frozenset[str]) -> dict[str, object]:
    """Undo `hide` on what a client sends back.

    A secret field that is absent is kept, one that is null or empty is removed; `***` in a URL stands for
    what was there.

    Raises:
        InvalidInput: there is a `***` that stands for nothing.
    """
    kept = {name: stored[name] for name in secrets if name in stored and name not in config}
    sent = {name: value for name, value in config.items() if not (name in secrets and value in (None, ""))}
    return kept | {
        name: _shown(value, stored.get(name), pointer=f"/config/{name}") for name, value in sent.items()
    }


def _hidden(value: object) -> object:
    if isinstance(value, str):
        return redact(value) if _is_url(value) else value
    if isinstance(value, Mapping):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_hidden(item) for item in value]
    return value


def _shown(value: object, stored: object, *, pointer: str) -> object:
    if isinstance(value, str):
        return _filled_in(value, stored, pointer=pointer) if _is_url(value) and HIDDEN in value else value
    if isinstance(value, Mapping):
        old = stored if isinstance(stored, Mapping) else {}
        return {key: _shown(item, old.get(key), pointer=f"{pointer}/{key}") for key, item in value.items()}
    if isinstance(value, Sequence):
        before = stored if isinstance(stored, Sequence) else ()
        return [
            _shown(item, before[index] if index < len(before) else None, pointer=f"{pointer}/{index}")
            for index, item in enumerate(value)
        ]
    return value


def _filled_in(value: str, stored: object, *, pointer: str) -> str:
    hidden = _hidden_parts(stored) if isinstance(stored, str) else ()
    if value.count(HIDDEN) != len(hidden):
        raise InvalidInput.field(
            pointer, f"{HIDDEN} stands for no stored secret here: write the secret itself."
        )
    parts = iter(hidden)
    return re.sub(re.escape(HIDDEN), lambda _: next(parts), value)


def _hidden_parts(stored: str) -> tuple[str, ...]:
    """Give what `redact` blots out of a stored URL, from left to right; one may be empty."""
    around = [re.escape(piece) for piece in redact(stored).split(HIDDEN)]
    match = re.fullmatch("(.*?)".join(around), stored, re.DOTALL)
    return match.groups() if match else ()


def _is_url(text: str) -> bool:
    return "://" in text
