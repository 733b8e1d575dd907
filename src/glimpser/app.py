"""The composition root: reads the configuration, opens every adapter, wires the services, runs them."""

import asyncio
import ipaddress
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvloop

from glimpser import __version__
from glimpser.capture.ffmpeg import KIND as CAMERA
from glimpser.capture.file import file_kind
from glimpser.capture.ingest.opening import Opener
from glimpser.capture.ingest.picture import Jpeg
from glimpser.capture.ingest.pool import PoolSettings, open_pool
from glimpser.capture.samples.clips import make_samples
from glimpser.capture.still import take_picture
from glimpser.cluster.local import LocalJobQueue
from glimpser.config import Config, redacted
from glimpser.core import failpoints
from glimpser.core.alerts import DELIVER
from glimpser.core.clock import Clock, SystemClock
from glimpser.core.errors import InvalidInput, Misconfigured
from glimpser.core.events import Level
from glimpser.core.kinds import Registry, kind_of
from glimpser.core.live import MediaInput
from glimpser.core.pages import MAX_LIMIT, PageRequest
from glimpser.core.ports import Database, ObjectStore
from glimpser.core.templates import TemplateFilter, TemplateSettings
from glimpser.db.engine import SqlDatabase, open_database
from glimpser.db.migrate import migrate
from glimpser.db.settings import DatabaseSettings
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.notify.posting import open_poster
from glimpser.notify.webhook import webhook_kind
from glimpser.observability.health import CheckResult, Health
from glimpser.observability.logs import configure_logging
from glimpser.observability.metrics import Metrics
from glimpser.services.accounts import Accounts
from glimpser.services.alerting import Alerting
from glimpser.services.channels import Channels
from glimpser.services.delivering import Delivering
from glimpser.services.history import History
from glimpser.services.integrity import CheckLevel, Report, check
from glimpser.services.jobs import JobKind, JobRunner
from glimpser.services.live import Live
from glimpser.services.notices import Notices, Publish
from glimpser.services.notifications import picture_link
from glimpser.services.passwords import Argon2Hasher, Passwords
from glimpser.services.pipeline import Pipeline
from glimpser.services.recovery import recover
from glimpser.services.samples import add_samples
from glimpser.services.streams import Streams
from glimpser.services.templates import Templates
from glimpser.services.tickets import Tickets
from glimpser.services.tokens import Tokens
from glimpser.storage.instance import sole_instance
from glimpser.storage.objects import open_store
from glimpser.streaming import banner, fast_write
from glimpser.streaming.hub import Hub, HubLimits
from glimpser.vision.motion.registry import build_detector
from glimpser.web.application import build
from glimpser.web.observability import build_observability
from glimpser.web.server import WebServer, listen
from glimpser.web.wiring import Services, WebSettings

_log = structlog.get_logger(__name__)

STOP_WITHIN_S = 10.0
"""From the first signal to the end, streams open or not; a second signal ends it at once."""
_RECORD_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The whole program, opened and wired; `serve` sets it going."""

    accounts: Accounts
    templates: Templates
    hub: Hub
    live: Live
    pipeline: Pipeline
    jobs: JobRunner
    health: Health
    web: WebServer
    observability: WebServer


def run(config: Config, *, demo: bool = False) -> None:
    """Be the program until a signal ends it; `demo` adds moving sample views."""
    configure_logging(config.observability)
    failpoints.arm(config.failpoint)
    with sole_instance(config.data_dir):
        uvloop.run(_run(config, demo=demo))


async def _run(config: Config, *, demo: bool) -> None:
    _log.debug("config.loaded", **redacted(config))
    async with compose(config) as app:
        code = await _prepare_first_admin(app.accounts, config)
        if demo:
            await _add_samples(app.templates, config)
        await serve(app, on_ready=lambda: _announce(app, config, code))


@asynccontextmanager
async def compose(config: Config) -> AsyncIterator[App]:
    """Open every adapter and wire the services; at the end all is closed in reverse."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        settings = _database_settings(config)
        await asyncio.to_thread(migrate, settings)
        database = await stack.enter_async_context(open_database(settings))
        store = await stack.enter_async_context(open_store(config.storage.object_store_url))
        await recover(database, store, clock)
        yield await _wire(config, stack, database=database, store=store, clock=clock)


async def serve(app: App, *, on_ready: Callable[[], None]) -> None:
    """Run until SIGTERM or SIGINT; then stop accepting, let streams end and record what is left."""
    stopping = _signalled()
    async with asyncio.TaskGroup() as tasks:
        parts = (app.live.run(), app.pipeline.run(), app.hub.run(), app.jobs.run())
        engine = [tasks.create_task(part) for part in parts]
        servers = [tasks.create_task(server.serve()) for server in (app.web, app.observability)]
        app.health.started()
        on_ready()
        await stopping.wait()
        _log.info("program.stopping")
        app.health.stopping()
        app.web.stop()
        app.observability.stop()
        await asyncio.wait(servers, timeout=STOP_WITHIN_S - _RECORD_WITHIN_S)
        await asyncio.gather(app.pipeline.drain(_RECORD_WITHIN_S), app.jobs.drain(_RECORD_WITHIN_S))
        for task in engine:
            task.cancel()
    _log.info("program.stopped")


def _signalled() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT; the second ends the process as if nobody listened."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        if stopping.is_set():
            os._exit(128 + number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return stopping


async def _wire(
    config: Config, stack: AsyncExitStack, *, database: SqlDatabase, store: ObjectStore, clock: Clock
) -> App:
    metrics = Metrics(__version__)
    listeners = [listen(part.host, part.port) for part in (config.server, config.observability)]
    for listener in listeners:
        stack.callback(listener.close)
    registry = registry_of(config)
    ending = asyncio.Event()
    hub = Hub(clock=clock, metrics=metrics, limits=_limits(config), paint=_paint)
    notices = Notices()
    streams = Streams(hub=hub, clock=clock, metrics=metrics, publish=notices.publish)
    pool = await stack.enter_async_context(open_pool(_pool_settings(config, listeners), clock))

    told = _Told(database=database, store=store, clock=clock, metrics=metrics, publish=notices.publish)
    path = await _wire_alerts(config, stack, told, listeners)
    pipeline = Pipeline(
        path.alerting,
        database,
        clock=clock,
        metrics=metrics,
        name_of=lambda template_id: live.name_of(template_id),  # noqa: PLW0108 (`live` comes later)
        zones_of=lambda template_id: live.zones_of(template_id),  # noqa: PLW0108
        publish=notices.publish,
    )
    live = Live(
        pool=pool,
        hub=hub,
        streams=streams,
        database=database,
        registry=registry,
        clock=clock,
        tell=pipeline.submit,
    )
    accounts = Accounts(
        database=database, clock=clock, passwords=_passwords(config, stack), tokens=_tokens(config, clock)
    )
    templates = Templates(database, registry, clock=clock, changed=live.changed, check=check_settings)
    health = _health(clock, database)
    services = Services(
        accounts=accounts,
        templates=templates,
        history=History(database, store),
        live=live,
        notices=notices,
        alerting=path.alerting,
        channels=path.channels,
        tickets=path.tickets,
        ready=health.ready,
        recorder=metrics,
        clock=clock,
        ending=ending,
        fast_streams=await fast_write.available(),
    )
    return App(
        accounts=accounts,
        templates=templates,
        hub=hub,
        live=live,
        pipeline=pipeline,
        jobs=path.jobs,
        health=health,
        web=WebServer(build(services, _web_settings(config)), listeners[0], ending=ending),
        observability=WebServer(
            build_observability(health.ready, metrics.expose, metrics_token=_metrics_token(config)),
            listeners[1],
            ending=ending,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the alert path is built on."""

    database: Database
    store: ObjectStore
    clock: Clock
    metrics: Metrics
    publish: Publish


@dataclass(frozen=True, slots=True, kw_only=True)
class _AlertPath:
    """From an event to whoever is to be told."""

    alerting: Alerting
    channels: Channels
    tickets: Tickets
    jobs: JobRunner


async def _wire_alerts(
    config: Config, stack: AsyncExitStack, on: _Told, listeners: Sequence[socket.socket]
) -> _AlertPath:
    poster = await stack.enter_async_context(open_poster(Gate(_egress_policy(config, listeners))))
    kinds = {kind.name: kind for kind in (webhook_kind(poster, clock=on.clock, version=__version__),)}
    queue = LocalJobQueue()
    tickets = Tickets(config.security.jwt_secret.get_secret_value(), on.clock)
    link = picture_link(_link_base(config, listeners[0]), tickets)
    delivering = Delivering(on.database, kinds, link=link, metrics=on.metrics, publish=on.publish)
    return _AlertPath(
        alerting=Alerting(
            on.database,
            on.store,
            queue,
            clock=on.clock,
            min_level=Level[config.alerts.min_level.upper()],
            publish=on.publish,
        ),
        channels=Channels(on.database, kinds, clock=on.clock),
        tickets=tickets,
        jobs=JobRunner(
            on.database,
            queue,
            {DELIVER: JobKind(handler=delivering)},
            clock=on.clock,
            metrics=on.metrics,
        ),
    )


def registry_of(config: Config) -> Registry:
    """Make the table of kinds: the one place that knows them all."""
    kinds = (CAMERA, file_kind(config.capture.file_roots))
    return {kind.name: kind for kind in kinds}


def check_settings(settings: TemplateSettings) -> None:
    """Refuse settings an ingest worker could not run.

    Raises:
        InvalidInput: as `build_detector`.
    """
    zones = [zone.points for zone in settings.zones]
    build_detector(settings.motion, zones=zones, masks=settings.motion_masks)


# The commands that need no running program.


def migrate_database(config: Config) -> str:
    """Bring the database to this version; gives its revision."""
    with sole_instance(config.data_dir):
        return migrate(_database_settings(config))


async def check_integrity(config: Config, *, level: CheckLevel, repair: bool) -> Report:
    """Compare rows and objects; to repair, no program may run on this data directory.

    Raises:
        Misconfigured: one does.
    """
    with sole_instance(config.data_dir) if repair else nullcontext():
        async with (
            open_database(_database_settings(config)) as database,
            open_store(config.storage.object_store_url) as store,
        ):
            return await check(database, store, level, repair=repair)


async def take_snapshot(config: Config, what: str) -> Jpeg:
    """Take one picture of a URL, a file, or a template by id or name.

    Who names a URL or file on the command line may reach it anyway, so only what nobody may reach is
    refused; a template stays within the configured networks and folders.

    Raises:
        InvalidInput: `what` is nothing of this, or can never give a picture.
        Unavailable: there is no picture now.
    """
    named = await asyncio.to_thread(_outside, what)
    media = named.media if named else await _template_media(config, what)
    policy = named.policy if named else GatePolicy(config.capture.camera_cidrs)
    opener = Opener(
        Gate(policy),
        file_roots=named.roots if named else config.capture.file_roots,
        stall_timeout_s=config.capture.stall_timeout_s,
    )
    return await asyncio.to_thread(take_picture, opener, media)


@dataclass(frozen=True, slots=True)
class _Outside:
    """Something named on the command line that is no template, and what its opening may touch."""

    media: MediaInput
    policy: GatePolicy
    roots: tuple[Path, ...] = ()


def _outside(what: str) -> _Outside | None:
    if "://" in what:
        everywhere = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
        return _Outside(CAMERA.media({"url": what}), GatePolicy(everywhere))
    path = Path(what).resolve()
    if path.exists():
        return _Outside(MediaInput(address=str(path), is_file=True), GatePolicy(), (path.parent,))
    return None


async def _template_media(config: Config, what: str) -> MediaInput:
    settings = _database_settings(config)
    await asyncio.to_thread(migrate, settings)
    async with open_database(settings) as database:
        page = await database.read(
            lambda tx: tx.templates.list(TemplateFilter(), PageRequest(limit=MAX_LIMIT))
        )
    for template in page.items:
        if what in (template.id, template.settings.name):
            kind = kind_of(registry_of(config), template.settings.kind)
            return kind.media(template.settings.config)
    raise InvalidInput(f"{what!r} is no URL, no file, and no template of {config.data_dir}.")


# From the configuration to what each part takes.


def _database_settings(config: Config) -> DatabaseSettings:
    section = config.database
    return DatabaseSettings(url=section.url, pool_size=section.pool_size, sqlite_wal=section.sqlite_wal)


def _pool_settings(config: Config, listeners: Sequence[socket.socket]) -> PoolSettings:
    section = config.capture
    return PoolSettings(
        workers=section.ingest_workers,
        allowed_networks=tuple(map(str, section.camera_cidrs)),
        own_sockets=tuple(listener.getsockname()[:2] for listener in listeners),
        file_roots=tuple(map(str, section.file_roots)),
        stall_timeout_s=section.stall_timeout_s,
    )


def _egress_policy(config: Config, listeners: Sequence[socket.socket]) -> GatePolicy:
    own = (listener.getsockname()[:2] for listener in listeners)
    return GatePolicy(
        config.capture.egress_allow, frozenset((ipaddress.ip_address(host), port) for host, port in own)
    )


def _link_base(config: Config, listener: socket.socket) -> str:
    """Say what links in messages begin with."""
    return config.external.webhook_base_url or _own_url(config, listener.getsockname()[1])


def _own_url(config: Config, port: int) -> str:
    """Say where people find the program: at the configured address, else at that of this machine."""
    host = config.server.host
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  # compared, not listened on
    shown = f"[{shown}]" if ":" in shown else shown
    return config.server.public_url or f"http://{shown}:{port}"


def _limits(config: Config) -> HubLimits:
    return HubLimits(subscribers=config.server.max_streams, per_client=config.server.max_streams_per_client)


def _web_settings(config: Config) -> WebSettings:
    section = config.server
    return WebSettings(
        version=__version__,
        public_url=section.public_url,
        trusted_proxies=section.trusted_proxies,
        max_body_bytes=section.max_body_bytes,
    )


def _metrics_token(config: Config) -> str | None:
    token = config.observability.metrics_token
    return token.get_secret_value() if token else None


def _tokens(config: Config, clock: Clock) -> Tokens:
    section = config.security
    return Tokens(section.jwt_secret.get_secret_value(), lifetime_s=section.token_ttl_s, clock=clock)


def _passwords(config: Config, stack: AsyncExitStack) -> Passwords:
    cost = config.security.argon2
    threads = stack.enter_context(ThreadPoolExecutor(max_workers=2, thread_name_prefix="password"))
    hasher = Argon2Hasher(time_cost=cost.time_cost, memory_kib=cost.memory_kib, parallelism=cost.parallelism)
    return Passwords(hasher, threads)


def _health(clock: Clock, database: Database) -> Health:
    health = Health(clock)

    async def database_answers() -> CheckResult:
        await database.read(lambda tx: tx.settings.get("first_start_at"))
        return CheckResult(ok=True, detail="answers")

    health.add("database", database_answers)
    return health


async def _paint(jpeg: bytes | None, text: str, width: int) -> bytes:
    return await asyncio.to_thread(banner.burn, jpeg, text, width)


async def _add_samples(templates: Templates, config: Config) -> None:
    """Make the samples below the first folder that views of kind `file` may read.

    Raises:
        Misconfigured: there is none, or it cannot be written.
    """
    if not config.capture.file_roots:
        raise Misconfigured("--demo needs a folder for its samples: name one in capture.file_roots.")
    folder = config.capture.file_roots[0] / "samples"
    try:
        files = await asyncio.to_thread(make_samples, folder)
    except OSError as error:
        raise Misconfigured(f"--demo cannot write its samples to {folder}: {error.strerror}.") from error
    await add_samples(templates, files, kind="file")


async def _prepare_first_admin(accounts: Accounts, config: Config) -> str | None:
    """Make the admin the configuration names, or else a code for whoever sets the program up."""
    if config.admin_email and config.admin_password:
        await accounts.ensure_admin(config.admin_email, config.admin_password.get_secret_value())
    return await accounts.open_setup()


def _announce(app: App, config: Config, code: str | None) -> None:
    """Tell the person at the terminal where the program is, and how to begin."""
    url = _own_url(config, app.web.port)
    lines = [f"Glimpser {__version__} runs at {url}", f"Its data is in {config.data_dir}"]
    if code:
        lines += [f"Create the first admin at {url}/docs with this one-time setup code: {code}"]
    print("\n".join(lines), flush=True)  # noqa: T201  # for a person, on standard output
