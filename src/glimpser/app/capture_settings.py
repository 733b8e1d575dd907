"""From the configuration to what looks at the world takes, and may reach."""

import ipaddress
import socket
from collections.abc import Sequence

from glimpser.capture.ingest.pool import PoolSettings
from glimpser.capture.website.kind import WebsiteRules
from glimpser.capture.website.settings import BrowserSettings
from glimpser.config import Config
from glimpser.egress.gate import GatePolicy
from glimpser.egress.target import IPAddress


def browser_settings(config: Config, *, proxy_url: str) -> BrowserSettings:
    section = config.capture
    remote = section.webdriver_url
    return BrowserSettings(
        proxy_url=proxy_url,
        sandbox=section.browser_sandbox,
        concurrency=section.browser_concurrency,
        view_proxies=section.allow_view_proxy,
        webdriver_url=remote.get_secret_value() if remote else None,
        attach=section.browser_attach,
        max_memory_bytes=section.browser_memory_mib << 20,
    )


def website_rules(config: Config) -> WebsiteRules:
    section = config.capture
    return WebsiteRules(view_proxy=section.allow_view_proxy, attach=section.browser_attach is not None)


def pool_settings(config: Config, listeners: Sequence[socket.socket]) -> PoolSettings:
    section = config.capture
    return PoolSettings(
        workers=section.ingest_workers,
        allowed_networks=tuple(map(str, section.camera_cidrs)),
        own_sockets=tuple(listener.getsockname()[:2] for listener in listeners),
        file_roots=tuple(map(str, section.file_roots)),
        stall_timeout_s=section.stall_timeout_s,
    )


def egress_policy(config: Config, listeners: Sequence[socket.socket]) -> GatePolicy:
    """What everything but cameras may reach."""
    return GatePolicy(config.capture.egress_allow, _addresses_of(listeners))


def camera_policy(config: Config, listeners: Sequence[socket.socket]) -> GatePolicy:
    """What views of kind `ffmpeg` may reach."""
    return GatePolicy(config.capture.camera_cidrs, _addresses_of(listeners), setting="capture.camera_cidrs")


def _addresses_of(listeners: Sequence[socket.socket]) -> frozenset[tuple[IPAddress, int]]:
    names = (listener.getsockname()[:2] for listener in listeners)
    return frozenset((ipaddress.ip_address(host), port) for host, port in names)
