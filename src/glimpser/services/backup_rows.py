"""The secrets of views and channels: taken out of a copy of the database, and put back into one."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from glimpser.core.channel_kinds import ChannelKinds
from glimpser.core.errors import InvalidInput
from glimpser.core.ids import ChannelId, TemplateId
from glimpser.core.kinds import Config, Registry
from glimpser.core.pages import MAX_LIMIT, Page, PageRequest, decode_cursor
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.templates import TemplateFilter
from glimpser.services.config_secrets import hide

T = TypeVar("T")

Configs = Mapping[str, Config]


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which fields are secret: the kinds of views and of channels tell."""

    views: Registry
    channels: ChannelKinds


@dataclass(frozen=True, slots=True)
class Secrets:
    """The whole configs of those that have secrets, by id."""

    views: Configs = field(default_factory=dict, repr=False)
    channels: Configs = field(default_factory=dict, repr=False)

    def as_bytes(self) -> bytes:
        return json.dumps({"views": self.views, "channels": self.channels}).encode()

    @classmethod
    def parse(cls, text: bytes) -> "Secrets":
        """Raises: InvalidInput: it was not written by `as_bytes`."""
        try:
            values = json.loads(text)
            views, channels = values["views"], values["channels"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InvalidInput("The backup's secrets cannot be read.") from error
        if not (_are_configs(views) and _are_configs(channels)):
            raise InvalidInput("The backup's secrets cannot be read.")
        return cls(views, channels)


async def take_secrets(database: Database, kinds: Kinds) -> Secrets:
    """Hide the secrets in every config, as the API does, and give the configs that held some.

    Of a kind nobody knows any more all may be secret: nothing of its config stays.
    """

    def take(tx: Transaction) -> Secrets:
        found = _read(tx)
        views = _with_secrets(found.views, kinds.views)
        channels = _with_secrets(found.channels, kinds.channels)
        _write(
            tx,
            {name: _hidden(one, kinds.views) for name, one in views.items()},
            {name: _hidden(one, kinds.channels) for name, one in channels.items()},
        )
        return Secrets(_configs(views), _configs(channels))

    return await database.write(take)


async def put_secrets(database: Database, secrets: Secrets) -> None:
    """Put configs back. Those whose view or channel is not there are left out."""

    def put(tx: Transaction) -> None:
        there = _read(tx)
        _write(
            tx,
            {name: config for name, config in secrets.views.items() if name in there.views},
            {name: config for name, config in secrets.channels.items() if name in there.channels},
        )

    await database.write(put)


async def carry_over(database: Database, former: Database, kinds: Kinds) -> Secrets:
    """Take the secrets of another database for configs that differ from its own in nothing else."""
    before = await former.read(_read)

    def carry(tx: Transaction) -> Secrets:
        there = _read(tx)
        views = _only_hidden(there.views, before.views, kinds.views)
        channels = _only_hidden(there.channels, before.channels, kinds.channels)
        _write(tx, views, channels)
        return Secrets(views, channels)

    return await database.write(carry)


@dataclass(frozen=True, slots=True)
class _Found:
    """All configs with their kinds, by id."""

    views: Mapping[str, "_Kept"]
    channels: Mapping[str, "_Kept"]


@dataclass(frozen=True, slots=True)
class _Kept:
    kind: str
    config: Config = field(repr=False)


class _HasSecrets(Protocol):
    @property
    def secrets(self) -> frozenset[str]: ...


_Known = Mapping[str, _HasSecrets]


def _read(tx: Transaction) -> _Found:
    views = _all(lambda page: tx.templates.list(TemplateFilter(), page))
    channels = _all(tx.channels.list)
    return _Found(
        {one.id: _Kept(one.settings.kind, one.settings.config) for one in views},
        {one.id: _Kept(one.kind, one.config) for one in channels},
    )


def _all(list_page: Callable[[PageRequest], Page[T]]) -> Iterator[T]:
    page = list_page(PageRequest(MAX_LIMIT))
    yield from page.items
    while page.next_cursor is not None:
        page = list_page(PageRequest(MAX_LIMIT, decode_cursor(page.next_cursor)))
        yield from page.items


def _write(tx: Transaction, views: Configs, channels: Configs) -> None:
    for name, config in views.items():
        tx.templates.set_config(TemplateId(name), config)
    for name, config in channels.items():
        tx.channels.set_config(ChannelId(name), config)


def _with_secrets(found: Mapping[str, _Kept], known: _Known) -> Mapping[str, _Kept]:
    return {name: one for name, one in found.items() if _hidden(one, known) != one.config}


def _hidden(kept: _Kept, known: _Known) -> Config:
    kind = known.get(kept.kind)
    return hide(kept.config, kind.secrets) if kind else {}


def _only_hidden(there: Mapping[str, _Kept], before: Mapping[str, _Kept], known: _Known) -> Configs:
    """Give the configs of `before` whose hidden form is what is there now."""
    return {
        name: before[name].config
        for name, one in there.items()
        if name in before
        and before[name].kind == one.kind
        and before[name].config != one.config
        and _hidden(before[name], known) == one.config
    }


def _configs(found: Mapping[str, _Kept]) -> Configs:
    return {name: one.config for name, one in found.items()}


def _are_configs(values: object) -> bool:
    return isinstance(values, dict) and all(isinstance(config, dict) for config in values.values())
