"""Channels: the configured ways to tell somebody."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from glimpser.core.alerts import Channel
from glimpser.core.errors import GlimpserError, NotFound, Stale
from glimpser.core.ids import ChannelId
from glimpser.core.orders import CHANNEL_ORDERS
from glimpser.core.pages import Page, PageRequest
from glimpser.db.queries.paging import AnyRow, fetch_page, oldest_first
from glimpser.db.tables import channels

_ADD = insert(channels)
_GET = select(channels).where(channels.c.id == bindparam("id"))
_SET_LAST_RESULT = (
    update(channels).where(channels.c.id == bindparam("key")).values(last_result=bindparam("last_result"))
)


class SqlChannels:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, channel: Channel) -> None:
        self._connection.execute(
            _ADD,
            {
                "id": channel.id,
                "version": channel.version,
                "last_result": channel.last_result,
                "created_at": channel.created_at,
            }
            | _edited(channel),
        )

    def get(self, channel_id: ChannelId) -> Channel:
        row = self._connection.execute(_GET, {"id": channel_id}).one_or_none()
        if row is None:
            raise NotFound("There is no channel with this id.")
        return _channel(row)

    def list(self, page: PageRequest) -> Page[Channel]:
        statement = oldest_first(select(channels), page, {"name": channels.c.name_key})
        return fetch_page(self._connection, statement, page, CHANNEL_ORDERS, make=_channel)

    def replace(self, channel: Channel, *, expected: int) -> Channel:
        changes = _edited(channel) | {"version": expected + 1}
        statement = update(channels).where(_is_version(channel.id, expected)).values(changes)
        if self._connection.execute(statement).rowcount == 0:
            raise self._why_not(channel.id)
        return self.get(channel.id)

    def set_config(self, channel_id: ChannelId, config: Mapping[str, object]) -> None:
        statement = update(channels).where(channels.c.id == channel_id).values(config=config)
        self._connection.execute(statement)

    def remove(self, channel_id: ChannelId, *, expected: int) -> None:
        statement = delete(channels).where(_is_version(channel_id, expected))
        if self._connection.execute(statement).rowcount == 0:
            raise self._why_not(channel_id)

    def set_last_result(self, channel_id: ChannelId, result: str) -> None:
        self._connection.execute(_SET_LAST_RESULT, {"key": channel_id, "last_result": result})

    def _why_not(self, channel_id: ChannelId) -> GlimpserError:
        version = self.get(channel_id).version
        return Stale(f"The channel has been changed: it is at version {version} now.")


def _edited(channel: Channel) -> dict[str, object]:
    """Give what a person changes."""
    return {
        "name": channel.name,
        "name_key": channel.name.casefold(),
        "kind": channel.kind,
        "config": channel.config,
        "enabled": channel.enabled,
        "updated_at": channel.updated_at,
    }


def _is_version(channel_id: ChannelId, version: int) -> ColumnElement[bool]:
    return (channels.c.id == channel_id) & (channels.c.version == version)


def _channel(row: AnyRow) -> Channel:
    return Channel(
        id=row.id,
        name=row.name,
        kind=row.kind,
        config=row.config,
        enabled=row.enabled,
        version=row.version,
        last_result=row.last_result,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
