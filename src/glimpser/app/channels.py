"""The table of channel kinds: the one place that knows them all."""

from glimpser import __version__
from glimpser.core.channel_kinds import ChannelKinds
from glimpser.core.clock import Clock
from glimpser.notify.posting import Poster
from glimpser.notify.webhook import webhook_kind


def channel_kinds(poster: Poster, clock: Clock) -> ChannelKinds:
    """Make the table."""
    kinds = (webhook_kind(poster, clock=clock, version=__version__),)
    return {kind.name: kind for kind in kinds}
