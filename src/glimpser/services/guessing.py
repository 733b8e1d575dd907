"""Which kind of view an address is for: decided by what it gives, in the one place that asks for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import unquote

from glimpser.core.contents import Content
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Kind, Registry
from glimpser.egress.target import DEFAULT_PORTS, parse_target

_LIKE_A_HOST = re.compile(r"[\w-]+(\.[\w-]+)+(:\d+)?(/|$)", re.ASCII)
_WHOLE_ADDRESS = (
    "Write the whole address, beginning with http://, https:// or rtsp://, or the path of a file."
)


class Looks(Protocol):
    """Looks what stands at an address."""

    async def look(self, url: str) -> Content:
        """Find out what a URL gives. Raises: InvalidInput, Denied, Unavailable."""
        ...

    async def look_at_file(self, path: str) -> Content:
        """Find out what a file of this machine is. Raises: InvalidInput."""
        ...


@dataclass(frozen=True, slots=True)
class Guess:
    """A kind, and the config of a view of it with what the address says. It may hold a password."""

    kind: Kind
    config: Mapping[str, object] = field(repr=False)


class Guesser:
    """Event loop's thread."""

    def __init__(self, registry: Registry, looks: Looks) -> None:
        self._registry = registry
        self._looks = looks

    async def guess(self, what: str) -> Guess:
        """Find the kind for a URL, or for the path of a file on this machine.

        Raises:
            InvalidInput: it is neither, or gives nothing that can be watched.
            Denied: the address is closed; the sentence names the setting that would open it.
            Unavailable: it gives nothing now; the sentence says why.
        """
        what = what.strip()
        if "://" not in what:
            return Guess(self._first_for(await self._content_of_file(what)), {"path": what})
        config = config_of(what)
        return Guess(self._first_for(await self._looks.look(what)), config)

    async def _content_of_file(self, path: str) -> Content:
        try:
            return await self._looks.look_at_file(path)
        except InvalidInput:
            if _LIKE_A_HOST.match(path):
                raise InvalidInput(_WHOLE_ADDRESS) from None
            raise

    def _first_for(self, content: Content) -> Kind:
        for kind in self._registry.values():
            if content in kind.shows:
                return kind
        raise InvalidInput(f"No kind of view shows this ({content}).")


def config_of(url: str) -> Mapping[str, object]:
    """Take user name and password out of a URL, into the fields that keep them secret.

    Raises:
        InvalidInput: it is no URL that may be used.
    """
    target = parse_target(url, sorted(DEFAULT_PORTS))
    config: dict[str, object] = {"url": replace(target, userinfo=None).url()}
    if target.userinfo is not None:
        user, _, password = target.userinfo.partition(":")
        config["username"] = unquote(user)
        if password:
            config["password"] = unquote(password)
    return config
