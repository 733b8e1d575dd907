"""What the web layer is given: the services it calls and the settings it follows."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol
from urllib.parse import urlsplit

from fastapi import Depends, Request

from glimpser.core.accounts import EVERYTHING, Principal, Scope
from glimpser.core.addresses import subscriber
from glimpser.core.clock import Clock
from glimpser.core.frames import Frame
from glimpser.core.health import ViewHealth
from glimpser.core.ids import JobId, TemplateId
from glimpser.core.live import StreamStatus
from glimpser.core.templates import Template
from glimpser.services.accounts import Accounts
from glimpser.services.alerting import Alerting
from glimpser.services.api_keys import ApiKeys
from glimpser.services.audit import Actor, AuditLog
from glimpser.services.backups import Backups
from glimpser.services.channels import Channels
from glimpser.services.exports import Exports
from glimpser.services.history import History
from glimpser.services.jobs import Jobs
from glimpser.services.keeping import Keeping
from glimpser.services.moving import Moving
from glimpser.services.notices import Notices
from glimpser.services.probing import Ask
from glimpser.services.rates import Rates
from glimpser.services.schedules import Schedules
from glimpser.services.stream_tickets import StreamTickets
from glimpser.services.system import System
from glimpser.services.templates import Templates
from glimpser.services.thumbnails import Thumbnails
from glimpser.services.tickets import Tickets
from glimpser.services.users import Users
from glimpser.streaming.subscriptions import Client, Subscription

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_BODY_BYTES = 1 << 20


class LiveViews(Protocol):
    """The running views, as their viewers see them."""

    def status(self, template_id: TemplateId) -> StreamStatus: ...
    async def snapshot(self, template: Template, *, width: int | None, allow_stale: bool) -> Frame:
        """Give the newest picture. Raises: Unavailable."""
        ...

    def watch(
        self,
        template: Template,
        *,
        width: int | None,
        fps: float | None,
        client: Client,
        consumer: str = "mjpeg",
    ) -> AbstractAsyncContextManager[Subscription]:
        """Open a viewer's place, counted for `client`. Entering raises: TooMany, Unavailable."""
        ...


class Healths(Protocol):
    """The verdicts on the views."""

    def of(self, template_id: TemplateId) -> ViewHealth: ...


class Pushes(Protocol):
    """Takes pictures that are sent to views."""

    async def push(self, template: Template, data: bytes) -> None:
        """Show a picture. Raises: Conflict, InvalidInput, Unavailable."""
        ...


class Probes(Protocol):
    """Tries views that are not saved."""

    async def submit(self, ask: Ask) -> JobId:
        """Have one tried. Raises: InvalidInput, TooMany, Unavailable."""
        ...


class CheckResult(Protocol):
    """How one part of the program is."""

    @property
    def ok(self) -> bool: ...
    @property
    def detail(self) -> str: ...


Readiness = Callable[[], Awaitable[tuple[bool, Mapping[str, CheckResult]]]]
"""Tells whether requests can be served, and how each part is."""


class RequestRecorder(Protocol):
    """Counts requests. `route` is a template such as `/api/events/{event_id}`: few distinct values."""

    def request_served(self, *, method: str, route: str, status: int, duration_s: float) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """All that routes may call.

    `ending` is set when the program stops: streams then end by themselves. `fast_streams` is what
    `fast_write.available` said.
    """

    accounts: Accounts
    users: Users
    api_keys: ApiKeys
    audit: AuditLog
    templates: Templates
    history: History
    thumbnails: Thumbnails
    live: LiveViews
    healths: Healths
    pushes: Pushes
    probing: Probes
    moving: Moving
    notices: Notices
    alerting: Alerting
    channels: Channels
    tickets: Tickets
    stream_tickets: StreamTickets
    rates: Rates
    jobs: Jobs
    schedules: Schedules
    keeping: Keeping
    backups: Backups
    exports: Exports
    system: System
    ready: Readiness
    recorder: RequestRecorder
    clock: Clock
    ending: asyncio.Event
    fast_streams: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """`public_url` is the address people use, if it is not the one the server sees; `static_dir` holds a
    web app other than the one that was built into the package. `https_only` has browsers come by HTTPS alone
    from then on, which only a certificate that everybody trusts allows.
    """

    version: str
    commit: str | None = None
    public_url: str | None = None
    trusted_proxies: tuple[Network, ...] = field(default=())
    max_body_bytes: int = MAX_BODY_BYTES
    static_dir: Path | None = None
    https_only: bool = False

    @property
    def public_origin(self) -> str | None:
        """The origin (RFC 6454) of `public_url`."""
        if self.public_url is None:
            return None
        url = urlsplit(self.public_url)
        return f"{url.scheme}://{url.netloc}".lower()


def viewer_of(principal: Principal, address: str) -> Client:
    """Tell what a viewer is counted as: by address and by name, so that neither gets around the other."""
    return f"address {subscriber(address)}", f"principal {principal.id}"


async def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


async def _settings(request: Request) -> WebSettings:
    settings = request.app.state.settings
    assert isinstance(settings, WebSettings)
    return settings


async def _caller(request: Request) -> Principal:
    principal = request.state.principal
    assert isinstance(principal, Principal)
    return principal


async def _actor(request: Request) -> Actor:
    principal = await _caller(request)
    return Actor.of(principal, request.state.client_ip)


async def _scope(request: Request) -> Scope:
    """A ticket opens its one path, whoever brings it."""
    if getattr(request.state, "by_ticket", False):
        return EVERYTHING
    return (await _caller(request)).scope


Wired = Annotated[Services, Depends(_services)]
Settings = Annotated[WebSettings, Depends(_settings)]
Caller = Annotated[Principal, Depends(_caller)]
"""Who makes the request; only on routes that require a role."""
By = Annotated[Actor, Depends(_actor)]
"""The caller as the audit log names it."""
Seen = Annotated[Scope, Depends(_scope)]
"""What the caller may see; every route that reads something of a template passes it on."""
