"""From the configuration to what each part of the program takes."""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from glimpser import __version__
from glimpser.app.descriptors import room_for
from glimpser.capture.ingest.pool import PoolSettings
from glimpser.capture.website.kind import WebsiteRules
from glimpser.capture.website.settings import BrowserSettings
from glimpser.config import Config
from glimpser.core.clock import Clock
from glimpser.core.retention import RetentionPolicy
from glimpser.db.settings import DatabaseSettings
from glimpser.egress.gate import GatePolicy
from glimpser.egress.target import IPAddress
from glimpser.services.attempts import Attempts, Limit
from glimpser.services.job_history import HistoryLimits
from glimpser.services.rates import RateLimits, Rates, parse_limits
from glimpser.services.retention import RetentionLimits
from glimpser.services.tokens import Tokens
from glimpser.storage.settings import S3Settings, StoreSettings
from glimpser.streaming.hub import HubLimits
from glimpser.web.certificates import Tls, hosts_of_this_machine, self_signed
from glimpser.web.crowd import Limits
from glimpser.web.routes.static import check_site
from glimpser.web.wiring import WebSettings

_OTHER_CONNECTIONS = 1024
"""Room for requests beside as many streams as are allowed."""


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


def database_settings(config: Config) -> DatabaseSettings:
    section = config.database
    return DatabaseSettings(url=section.url, pool_size=section.pool_size, sqlite_wal=section.sqlite_wal)


def store_settings(config: Config) -> StoreSettings:
    section = config.storage
    key = section.secret_access_key
    return StoreSettings(
        url=section.object_store_url,
        state=config.data_dir,
        mirror_url=section.mirror_url,
        former_url=section.former_url,
        s3=S3Settings(
            endpoint_url=section.endpoint_url,
            region=section.region,
            access_key_id=section.access_key_id,
            secret_access_key=key.get_secret_value() if key else None,
            virtual_hosted=section.virtual_hosted,
        ),
    )


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


def history_limits(config: Config) -> HistoryLimits:
    return HistoryLimits(days=config.jobs.history_days, count=config.jobs.history_count)


def retention_limits(config: Config) -> RetentionLimits:
    section = config.retention
    return RetentionLimits(
        views=RetentionPolicy(
            max_age_days=section.max_age_days,
            max_count=section.max_count,
            max_bytes=section.max_bytes,
            thin_after_days=section.thin_after_days,
            thin_to=section.thin_to,
        ),
        total=RetentionPolicy(max_count=section.total_count, max_bytes=section.total_bytes),
        history_days=section.history_days,
        deleted_view_days=section.deleted_view_days,
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


def tokens_of(config: Config, clock: Clock) -> Tokens:
    section = config.security
    return Tokens(section.jwt_secret.get_secret_value(), lifetime_s=section.token_ttl_s, clock=clock)


def rates_of(config: Config, clock: Clock) -> Rates:
    section = config.security.rate_limits
    limits = RateLimits(
        address=parse_limits(section.address),
        address_writes=parse_limits(section.address_writes),
        principal=parse_limits(section.principal),
        principal_writes=parse_limits(section.principal_writes),
    )
    return Rates(clock, limits)


def attempts_of(config: Config, clock: Clock) -> Attempts:
    limits = parse_limits(config.security.login_limits)
    return Attempts(clock, [Limit(limit.amount, limit.get_expiry()) for limit in limits])
