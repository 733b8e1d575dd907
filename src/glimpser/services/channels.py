"""Channels: list, read, create, change, remove, try. Every change is validated and audited."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from glimpser.core.alerts import Alert, Channel, Notification
from glimpser.core.channel_kinds import ChannelKind, ChannelKinds, channel_kind_of
from glimpser.core.clock import Clock
from glimpser.core.errors import GlimpserError, NotFound, Stale
from glimpser.core.events import Level
from glimpser.core.ids import AlertId, ChannelId, new_id
from glimpser.core.kinds import Config
from glimpser.core.pages import Page, PageRequest
from glimpser.core.ports import Database
from glimpser.core.redaction import redact
from glimpser.core.repositories import Transaction
from glimpser.services.alert_making import enabled_channels
from glimpser.services.audit import Actor, entry
from glimpser.services.config_secrets import hide, restore
from glimpser.services.delivering import send
from glimpser.services.notifications import render

Match = Callable[[int], bool]
"""Tells whether the caller meant this version."""
TEST_TITLE = "Glimpser test"
TEST_BODY = "If you read this, the channel works."
_TESTS_AT_A_TIME = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDraft:
    """What a person sets. `config` is as the client sent it."""

    name: str
    kind: str
    config: Config = field(repr=False)
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """What a test message through one channel came to."""

    __test__ = False  # pytest takes classes named so for its own

    channel_id: ChannelId
    status: Literal["sent", "failed"]
    error: str | None = None


class Channels:
    """The verbs on channels. Event loop's thread."""

    def __init__(self, database: Database, kinds: ChannelKinds, *, clock: Clock) -> None:
        self._database = database
        self._kinds = kinds
        self._clock = clock

    def kinds(self) -> Sequence[ChannelKind]:
        return sorted(self._kinds.values(), key=lambda kind: kind.name)

    async def list(self, page: PageRequest) -> Page[Channel]:
        """Give a page, oldest first, secrets included: show each by `shown`."""
        return await self._database.read(lambda tx: tx.channels.list(page))

    async def get(self, channel_id: ChannelId) -> Channel:
        """Raises: NotFound."""
        return await self._database.read(lambda tx: tx.channels.get(channel_id))

    def shown(self, channel: Channel) -> Channel:
        """Give a channel as an admin may see it. A kind that is no longer known shows no config."""
        kind = self._kinds.get(channel.kind)
        return replace(channel, config=hide(channel.config, kind.secrets) if kind else {})

    async def create(self, draft: ChannelDraft, *, by: Actor) -> Channel:
        """Make a channel.

        Raises:
            InvalidInput: a field cannot be used.
        """
        now = self._clock.now()
        channel = Channel(
            id=ChannelId(new_id()),
            name=draft.name,
            kind=draft.kind,
            config=self._parsed(draft, stored={}),
            enabled=draft.enabled,
            created_at=now,
            updated_at=now,
        )
        made = entry(by, "channel.created", channel.id, clock=self._clock, detail=draft.name)

        def add(tx: Transaction) -> None:
            tx.channels.add(channel)
            tx.audit.add(made)

        await self._database.write(add)
        return channel

    async def replace(
        self, channel_id: ChannelId, draft: ChannelDraft, *, expected: Match, by: Actor
    ) -> Channel:
        """Put other settings in place; secrets they do not name are kept while the kind is the same.

        Raises:
            NotFound: there is none.
            Stale: it is not in the expected version.
            InvalidInput: a field cannot be used.
        """
        stored = await self._expected(channel_id, expected)
        known = stored.config if draft.kind == stored.kind else {}
        changed = replace(
            stored,
            name=draft.name,
            kind=draft.kind,
            config=self._parsed(draft, stored=known),
            enabled=draft.enabled,
            updated_at=self._clock.now(),
        )
        made = entry(by, "channel.changed", channel_id, clock=self._clock, detail=draft.name)

        def put(tx: Transaction) -> Channel:
            tx.audit.add(made)
            return tx.channels.replace(changed, expected=stored.version)

        return await self._database.write(put)

    async def remove(self, channel_id: ChannelId, *, expected: Match, by: Actor) -> None:
        """Remove a channel; deliveries that wait for it will end `dead`.

        Raises:
            NotFound: there is none.
            Stale: it is not in the expected version.
        """
        stored = await self._expected(channel_id, expected)
        made = entry(by, "channel.removed", channel_id, clock=self._clock, detail=stored.name)

        def remove(tx: Transaction) -> None:
            tx.channels.remove(channel_id, expected=stored.version)
            tx.audit.add(made)

        await self._database.write(remove)

    async def test(
        self,
        channel_ids: Sequence[ChannelId] | None,
        *,
        by: Actor,
        title: str = TEST_TITLE,
        body: str = TEST_BODY,
    ) -> Sequence[TestResult]:
        """Send a message through these channels at once, or through all that are switched on.

        It is tried once, also through a channel that is switched off; nothing is kept but the channel's
        last result.
        """
        channels = await self._database.read(lambda tx: _chosen(tx, channel_ids))
        few = asyncio.Semaphore(_TESTS_AT_A_TIME)

        async def tested(channel_id: ChannelId, channel: Channel | None) -> TestResult:
            async with few:
                return await self._tested(channel_id, channel, title=title, body=body)

        results = await asyncio.gather(*(tested(*item) for item in channels.items()))
        made = [
            entry(by, "channel.tested", result.channel_id, clock=self._clock, detail=result.status)
            for result in results
        ]

        def note(tx: Transaction) -> None:
            _note(tx, results)
            for each in made:
                tx.audit.add(each)

        await self._database.write(note)
        return results

    async def _tested(
        self, channel_id: ChannelId, channel: Channel | None, *, title: str, body: str
    ) -> TestResult:
        if channel is None:
            error = "There is no channel with this id."
            return TestResult(channel_id=channel_id, status="failed", error=error)
        try:
            await send(self._kinds, channel, self._message(title, body))
        except GlimpserError as failure:
            return TestResult(channel_id=channel_id, status="failed", error=redact(failure.detail))
        return TestResult(channel_id=channel_id, status="sent")

    def _message(self, title: str, body: str) -> Notification:
        alert = Alert(
            id=AlertId(new_id()),
            template_id=None,
            event_id=None,
            rule_id=None,
            kind="test",
            level=Level.INFO,
            title=title,
            body=body,
            created_at=self._clock.now(),
        )
        return render(alert, None, None, key=f"test.{alert.id}", link=str)

    async def _expected(self, channel_id: ChannelId, expected: Match) -> Channel:
        stored = await self.get(channel_id)
        if not expected(stored.version):
            raise Stale(f"The channel is in version {stored.version} now: read it again, then write.")
        return stored

    def _parsed(self, draft: ChannelDraft, *, stored: Config) -> Config:
        kind = channel_kind_of(self._kinds, draft.kind)
        return kind.parse(restore(draft.config, stored, kind.secrets))


def _chosen(tx: Transaction, channel_ids: Sequence[ChannelId] | None) -> dict[ChannelId, Channel | None]:
    if channel_ids is None:
        return {channel.id: channel for channel in enabled_channels(tx)}
    found: dict[ChannelId, Channel | None] = {}
    for channel_id in channel_ids:
        try:
            found[channel_id] = tx.channels.get(channel_id)
        except NotFound:
            found[channel_id] = None
    return found


def _note(tx: Transaction, results: Sequence[TestResult]) -> None:
    for result in results:
        text = "Test sent." if result.status == "sent" else f"Test not sent: {result.error}"
        tx.channels.set_last_result(result.channel_id, text)
