"""From the configuration to what the web server takes."""

import socket
from urllib.parse import urlsplit

from glimpser import __version__
from glimpser.app.descriptors import room_for
from glimpser.config import Config
from glimpser.core.clock import Clock
from glimpser.services.rates import RateLimits, Rates, parse_limits
from glimpser.streaming.hub import HubLimits
from glimpser.web.certificates import Tls, hosts_of_this_machine, self_signed
from glimpser.web.crowd import Limits
from glimpser.web.routes.static import check_site
from glimpser.web.wiring import WebSettings

_OTHER_CONNECTIONS = 1024
"""Room for requests beside as many streams as are allowed."""


def link_base(config: Config, listener: socket.socket) -> str:
    """Say what links in messages begin with."""
    return config.external.webhook_base_url or own_url(config, listener.getsockname()[1])


def own_url(config: Config, port: int) -> str:
    """Say where people find the program: at the configured address, else at that of this machine."""
    host = config.server.host
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  # compared, not listened on
    shown = f"[{shown}]" if ":" in shown else shown
    scheme = "http" if config.server.tls.mode == "off" else "https"
    return config.server.public_url or f"{scheme}://{shown}:{port}"


def tls_of(config: Config, clock: Clock) -> Tls | None:
    """Find the certificate, or make one; None: without TLS.

    Raises:
        Misconfigured: as `self_signed`.
    """
    section = config.server.tls
    if section.mode == "files" and section.cert and section.key:
        return Tls(section.cert, section.key)
    if section.mode == "off":
        return None
    public = urlsplit(config.server.public_url or "").hostname or ""
    hosts = hosts_of_this_machine([public, config.server.host])
    return self_signed(config.data_dir / "tls", hosts, now=clock.now())


def hub_limits(config: Config) -> HubLimits:
    return HubLimits(subscribers=config.server.max_streams, per_client=config.server.max_streams_per_client)


def connection_limits(config: Config) -> Limits:
    """Find out for how many connections there is room; allows this process as many files as they need."""
    section = config.server
    return Limits(
        connections=room_for(section.max_streams + _OTHER_CONNECTIONS),
        per_client=section.max_connections_per_client,
        proxies=section.trusted_proxies,
    )


def web_settings(config: Config) -> WebSettings:
    """Settle how the web server behaves.

    Raises:
        Misconfigured: there is no web app where `server.static_dir` says.
    """
    section = config.server
    if section.static_dir is not None:
        check_site(section.static_dir)
    return WebSettings(
        version=__version__,
        public_url=section.public_url,
        trusted_proxies=section.trusted_proxies,
        max_body_bytes=section.max_body_bytes,
        static_dir=section.static_dir,
        https_only=section.tls.mode == "files",
    )


def metrics_token(config: Config) -> str | None:
    token = config.observability.metrics_token
    return token.get_secret_value() if token else None


def rates_of(config: Config, clock: Clock) -> Rates:
    section = config.security.rate_limits
    limits = RateLimits(
        address=parse_limits(section.address),
        address_writes=parse_limits(section.address_writes),
        principal=parse_limits(section.principal),
        principal_writes=parse_limits(section.principal_writes),
    )
    return Rates(clock, limits)
