"""Sources, wired: the kinds of views with what they come by pictures with, and the pools of their feeds."""

from dataclasses import dataclass

from glimpser.app.capture_settings import camera_policy, egress_policy, pool_settings
from glimpser.app.ground import Ground
from glimpser.app.means import Means, Ways, open_means
from glimpser.app.registry import registry_of
from glimpser.capture.ingest.pool import open_pool
from glimpser.capture.located import open_located_pool
from glimpser.capture.polled.pool import PolledPool, open_polled_pool
from glimpser.capture.pools import Pools
from glimpser.core.kinds import Registry
from glimpser.core.live import Located, MediaInput, Polled, Pushed
from glimpser.egress.gate import Gate
from glimpser.services.feeds import Feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """From where views have their pictures. `pool` runs every feed; `stills` those of single pictures."""

    kinds: Registry
    feeds: Feeds
    pool: Pools
    stills: PolledPool
    means: Means


async def open_sources(ground: Ground) -> Sources:
    stills = await ground.stack.enter_async_context(open_polled_pool(ground.clock))
    pool = await _open_pools(ground, stills)
    means = await ground.stack.enter_async_context(open_means(ground.config, _ways_of(ground)))
    kinds = registry_of(ground.config, means)
    feeds = Feeds(kinds, clock=ground.clock, timezone=ground.config.capture.timezone)
    return Sources(kinds=kinds, feeds=feeds, pool=pool, stills=stills, means=means)


async def _open_pools(ground: Ground, stills: PolledPool) -> Pools:
    settings = pool_settings(ground.config, ground.own)
    cameras = await ground.stack.enter_async_context(open_pool(settings, ground.clock))
    located = await ground.stack.enter_async_context(open_located_pool(cameras, ground.clock))
    return Pools({MediaInput: located, Located: located, Polled: stills, Pushed: stills})


def _ways_of(ground: Ground) -> Ways:
    return Ways(
        gate=Gate(egress_policy(ground.config, ground.own)),
        camera_gate=Gate(camera_policy(ground.config, ground.own)),
        proxy_url=ground.proxies.general.url,
        camera_proxy_url=ground.proxies.camera.url,
        runner=ground.runner,
        clock=ground.clock,
    )
