"""What channels look like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from glimpser.core.alerts import Channel
from glimpser.services.channels import TestResult
from glimpser.web.shapes.listing import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """A channel without its secrets; `last_result` is what its newest message came to."""

    id: str
    name: str
    kind: str
    config: Mapping[str, object]
    enabled: bool
    version: int
    last_result: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelList(Listing[ChannelView]):
    """Channels, oldest first."""

    items: Sequence[ChannelView]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTestView:
    """What a test message came to."""

    channel_id: str
    status: Literal["sent", "failed"]
    error: str | None


def channel_view(shown: Channel) -> ChannelView:
    """`shown` is the channel without its secrets."""
    return ChannelView(
        id=shown.id,
        name=shown.name,
        kind=shown.kind,
        config=shown.config,
        enabled=shown.enabled,
        version=shown.version,
        last_result=shown.last_result,
        created_at=shown.created_at,
        updated_at=shown.updated_at,
    )


def channel_test_view(result: TestResult) -> ChannelTestView:
    return ChannelTestView(channel_id=result.channel_id, status=result.status, error=result.error)
