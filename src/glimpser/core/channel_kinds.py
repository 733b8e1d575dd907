"""A kind of channel: how its config is validated and what sends through it. The registry is made in `app`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Config
from glimpser.core.ports import Notifier


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelKind:
    """One kind of channel; adding one changes nothing outside its module and the registry.

    `schema` is the JSON Schema of the config (form and documentation are made from it).
    `parse` gives the config with defaults filled in, or raises InvalidInput with pointers that
    begin with `/config`. `secrets` names the fields that never leave the server.
    `build` makes what sends for a parsed config; it opens nothing.
    """

    name: str
    title: str
    description: str
    schema: Mapping[str, object]
    parse: Callable[[Config], Config]
    build: Callable[[Config], Notifier]
    secrets: frozenset[str] = frozenset()


ChannelKinds = Mapping[str, ChannelKind]


def channel_kind_of(kinds: ChannelKinds, name: str) -> ChannelKind:
    """Look a kind up.

    Raises:
        InvalidInput: there is none of that name.
    """
    if name not in kinds:
        known = ", ".join(sorted(kinds))
        raise InvalidInput.field("/kind", f"There is no kind of channel {name!r}; there are: {known}.")
    return kinds[name]
