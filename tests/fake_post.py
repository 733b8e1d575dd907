"""Channels of kind `fake`: what is sent lies in a list, and each behaves as a test tells it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from glimpser.core.alerts import Notification, Receipt
from glimpser.core.channel_kinds import ChannelKind
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Config

Behave = Callable[[Notification], Awaitable[Receipt]]


async def accept(_notification: Notification) -> Receipt:
    return Receipt("taken")


@dataclass
class FakePost:
    """What was sent through each channel, by its config's `to`, and how each of them behaves."""

    sent: list[tuple[str, Notification]] = field(default_factory=list)
    behaviour: dict[str, Behave] = field(default_factory=dict)

    def kind(self) -> ChannelKind:
        return ChannelKind(
            name="fake",
            title="Fake",
            description="A channel for tests.",
            schema={"type": "object"},
            parse=_parse,
            build=lambda config: _FakeNotifier(self, str(config["to"])),
            secrets=frozenset({"password"}),
        )

    def times(self, to: str) -> int:
        return sum(name == to for name, _ in self.sent)


def _parse(config: Config) -> Config:
    if not isinstance(config.get("to"), str) or set(config) - {"to", "password"}:
        raise InvalidInput.field("/config/to", "Say to whom.")
    return config


@dataclass
class _FakeNotifier:
    post: FakePost
    to: str

    async def send(self, notification: Notification) -> Receipt:
        self.post.sent.append((self.to, notification))
        return await self.post.behaviour.get(self.to, accept)(notification)
