"""A kind of view: how its config is validated and how it is opened. The registry is made in `app`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from glimpser.core.contents import Content
from glimpser.core.errors import InvalidInput
from glimpser.core.live import Feed

Config = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of view; adding one changes nothing outside its module and the registry.

    `schema` is the JSON Schema of the config (form and documentation are made from it).
    `parse` gives the config with defaults filled in, or raises InvalidInput with pointers that
    begin with `/config`. `secrets` names the fields that never leave the server.
    `feed` says where the pictures of a config come from. `shows` are the contents of addresses that this kind
    is the first choice for; its config then has a `url` (a `path` for files), and takes `username` and
    `password` if the address has some.
    """

    name: str
    title: str
    description: str
    schema: Mapping[str, object]
    parse: Callable[[Config], Config]
    feed: Callable[[Config], Feed]
    secrets: frozenset[str] = frozenset()
    shows: frozenset[Content] = frozenset()


Registry = Mapping[str, Kind]


def kind_of(registry: Registry, name: str) -> Kind:
    """Look a kind up.

    Raises:
        InvalidInput: there is none of that name.
    """
    if name not in registry:
        known = ", ".join(sorted(registry))
        raise InvalidInput.field("/kind", f"There is no kind {name!r}; there are: {known}.")
    return registry[name]
