"""The two ways out for programs that connect by themselves: to cameras, and to everything else."""

import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from glimpser.app.capture_settings import camera_policy, egress_policy
from glimpser.config import Config
from glimpser.core.clock import Clock
from glimpser.egress.gate import Gate
from glimpser.egress.proxy import Proxy, local_listener, open_proxy


@dataclass(frozen=True, slots=True)
class Proxies:
    """`camera` applies `capture.camera_cidrs`, `general` applies `capture.egress_allow`."""

    camera: Proxy
    general: Proxy


async def enter_proxies(
    config: Config, stack: AsyncExitStack, listeners: Sequence[socket.socket], *, clock: Clock
) -> tuple[Sequence[socket.socket], Proxies]:
    """Open both for as long as `stack`. Gives all our sockets too: those that neither connects to."""
    camera, general = local_listener(), local_listener()
    own = (*listeners, camera, general)
    policies = (
        ("camera", camera_policy(config, own), camera),
        ("general", egress_policy(config, own), general),
    )
    opened = [
        await stack.enter_async_context(open_proxy(Gate(policy), name=name, listener=listener, clock=clock))
        for name, policy, listener in policies
    ]
    return own, Proxies(*opened)
