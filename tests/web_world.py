"""The web layer over a real database, with time, passwords and cameras that a test holds in its hand."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from starlette.types import ASGIApp

from glimpser.app.backups import DatabaseCopies, open_workshop
from glimpser.capture.pictures.reader import PictureReader
from glimpser.cluster.local import LocalJobQueue
from glimpser.core.accounts import Role, User
from glimpser.core.backups import BACKUP
from glimpser.core.channel_kinds import ChannelKinds
from glimpser.core.disk import DiskUsage
from glimpser.core.errors import GlimpserError, InvalidInput, Unavailable
from glimpser.core.events import Artifact
from glimpser.core.frames import Frame
from glimpser.core.health import HealthState, ViewHealth
from glimpser.core.ids import ArtifactId, JobId, TemplateId, UserId, new_id
from glimpser.core.kinds import Config, Kind, Registry
from glimpser.core.live import MediaInput, State, StreamStatus
from glimpser.core.ports import Database
from glimpser.core.templates import Template
from glimpser.db.engine import open_database
from glimpser.db.foreign import read_original_bytes
from glimpser.db.migrate import migrate
from glimpser.db.settings import DatabaseSettings
from glimpser.observability.health import CheckResult
from glimpser.services.alerting import Alerting
from glimpser.services.audit import AuditLog
from glimpser.services.backing_up import BackupMaker
from glimpser.services.backup_rows import Kinds
from glimpser.services.backups import Backups, Keep
from glimpser.services.channels import Channels
from glimpser.services.disk import DiskGuard
from glimpser.services.exports import Exports
from glimpser.services.history import History
from glimpser.services.jobs import Jobs
from glimpser.services.keeping import Keeping
from glimpser.services.moving import Moving
from glimpser.services.notices import Notices
from glimpser.services.passwords import Passwords
from glimpser.services.people import People
from glimpser.services.probing import Ask
from glimpser.services.rates import RateLimits, Rates
from glimpser.services.schedules import Schedules
from glimpser.services.stream_tickets import StreamTickets
from glimpser.services.system import System
from glimpser.services.templates import Templates
from glimpser.services.thumbnails import Thumbnails
from glimpser.services.tickets import Tickets
from glimpser.services.tokens import Tokens
from glimpser.streaming.hub import Hub
from glimpser.streaming.subscriptions import Client, Subscription
from glimpser.testing.clock import FakeClock
from glimpser.testing.storage import MemoryStore
from glimpser.web.application import build
from glimpser.web.shapes import settings_json
from glimpser.web.template_forms import parse_template
from glimpser.web.wiring import Services, WebSettings
from tests.fake_post import FakePost

SECRET = "a signing secret of forty-two characters.."
PASSWORD = "correct horse battery"
ORIGIN = "http://glimpser.test"
LIFETIME_S = 3600


@cache
def _migrated() -> tuple[TemporaryDirectory[str], Path]:
    """One database file, migrated once for all tests of a run; the directory lives as long as the run."""
    directory = TemporaryDirectory()
    path = Path(directory.name) / "empty.db"
    migrate(DatabaseSettings(url=f"sqlite:///{path}", sqlite_wal=False))
    return directory, path


@asynccontextmanager
async def fresh_database(directory: Path) -> AsyncIterator[Database]:
    path = directory / "glimpser.db"
    shutil.copyfile(_migrated()[1], path)
    async with open_database(DatabaseSettings(url=f"sqlite:///{path}", pool_size=2)) as database:
        yield database


class CheapHasher:
    """Keeps count instead of heating the machine. `cost` stands for argon2's parameters."""

    def __init__(self) -> None:
        self.cost = 1
        self.verified: list[str] = []

    def hash(self, password: str) -> str:
        return f"{self.cost}:{password}"

    def verify(self, encoded: str, password: str) -> bool:
        self.verified.append(encoded)
        return encoded.partition(":")[2] == password

    def is_outdated(self, encoded: str) -> bool:
        return not encoded.startswith(f"{self.cost}:")


class SilentMetrics:
    def subscribers_changed(self, template_id: TemplateId, count: int) -> None: ...
    def frame_dropped(self, template_id: TemplateId, consumer: str) -> None: ...


@dataclass
class Recorder:
    served: list[tuple[str, str, int]] = field(default_factory=list)

    def job_ended(self, *, kind: str, status: str, duration_s: float) -> None: ...

    def request_served(self, *, method: str, route: str, status: int, duration_s: float) -> None:
        assert duration_s >= 0
        self.served.append((method, route, status))


class FakeDisk:
    """A disk that is as full as a test says."""

    def __init__(self, share: float = 0.5) -> None:
        self.share = share

    def measure(self) -> DiskUsage:
        used = round(1_000_000 * self.share)
        return DiskUsage("/data", used, 1_000_000 - used)


class FakePushes:
    """Takes everything that is sent, unless there is a `refusal`."""

    def __init__(self) -> None:
        self.sent: list[tuple[TemplateId, bytes]] = []
        self.refusal: GlimpserError | None = None

    async def push(self, template: Template, data: bytes) -> None:
        if self.refusal:
            raise self.refusal
        self.sent.append((template.id, data))


class FakeProbing:
    """Notes what is to be tried, unless there is a `refusal`."""

    def __init__(self) -> None:
        self.asked: list[Ask] = []
        self.refusal: GlimpserError | None = None

    async def submit(self, ask: Ask) -> JobId:
        if self.refusal:
            raise self.refusal
        self.asked.append(ask)
        return JobId(new_id())


class FakeLive:
    """Cameras whose state and picture a test sets."""

    def __init__(self, clock: FakeClock) -> None:
        self.hub = Hub(clock=clock, metrics=SilentMetrics())
        self.states: dict[TemplateId, StreamStatus] = {}
        self.frames: dict[TemplateId, Frame] = {}
        self.asked: list[tuple[int | None, bool]] = []
        self._idle = StreamStatus(state=State.IDLE, since=clock.now())

    def status(self, template_id: TemplateId) -> StreamStatus:
        return self.states.get(template_id, self._idle)

    async def snapshot(self, template: Template, *, width: int | None, allow_stale: bool) -> Frame:
        self.asked.append((width, allow_stale))
        frame = self.frames.get(template.id)
        if frame is None:
            raise Unavailable("The camera does not answer.", retry_after_s=7)
        return frame

    def watch(
        self,
        template: Template,
        *,
        width: int | None,
        fps: float | None,
        client: Client,
        consumer: str = "mjpeg",
    ) -> AbstractAsyncContextManager[Subscription]:
        return self.hub.subscribe(template.id, width or 0, fps=fps, client=client, consumer=consumer)


class FakeHealths:
    """Verdicts that a test sets."""

    def __init__(self, clock: FakeClock) -> None:
        self.verdicts: dict[TemplateId, ViewHealth] = {}
        self._unknown = ViewHealth(state=HealthState.UNKNOWN, since=clock.now())

    def of(self, template_id: TemplateId) -> ViewHealth:
        return self.verdicts.get(template_id, self._unknown)


def parse_camera(config: Config) -> Config:
    """The config of the test's own kind: a URL, and optionally user, password and headers."""
    unknown = set(config) - {"url", "username", "password", "mirrors", "transport"}
    if unknown or not isinstance(config.get("url"), str):
        raise InvalidInput.field("/config/url", "A camera needs a URL.")
    return {"transport": "tcp", **config}


CAMERA = Kind(
    name="camera",
    title="Camera",
    description="A camera for tests.",
    schema={"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}},
    parse=parse_camera,
    feed=lambda config: MediaInput(address=str(config["url"])),
    secrets=frozenset({"password"}),
)
PAGE = Kind(
    name="page",
    title="Page",
    description="Another kind for tests.",
    schema={"type": "object"},
    parse=parse_camera,
    feed=lambda config: MediaInput(address=str(config["url"])),
)
REGISTRY: Registry = {kind.name: kind for kind in (PAGE, CAMERA)}


@dataclass(kw_only=True)
class World:
    app: ASGIApp
    client: httpx2.AsyncClient
    services: Services
    people: People
    database: Database
    store: MemoryStore
    clock: FakeClock
    hasher: CheapHasher
    tokens: Tokens
    live: FakeLive
    healths: FakeHealths
    pushes: FakePushes
    probing: FakeProbing
    post: FakePost
    queue: LocalJobQueue
    recorder: Recorder
    changed: list[TemplateId]
    checks: dict[str, CheckResult]

    async def add_user(
        self,
        role: Role = Role.ADMIN,
        *,
        email: str = "ada@example.org",
        disabled: bool = False,
        groups: tuple[str, ...] = (),
    ) -> User:
        user = User(
            id=UserId(new_id()),
            email=email,
            role=role,
            password_hash=self.hasher.hash(PASSWORD),
            disabled=disabled,
            groups=groups,
            created_at=self.clock.now(),
        )
        await self.database.write(lambda tx: tx.users.add(user))
        return user

    async def sign_in(self, role: Role = Role.ADMIN, groups: tuple[str, ...] = ()) -> dict[str, str]:
        """Give the headers of a signed-in user of this role."""
        user = await self.add_user(role, email=f"{role.label}-{new_id()}@example.org", groups=groups)
        return {"Authorization": f"Bearer {self.tokens.issue(user.id, user.role)[0]}"}

    async def add_template(self, headers: Mapping[str, str], **changes: object) -> httpx2.Response:
        body = {"name": "Door", "kind": "camera", "config": {"url": "rtsp://cam/1"}} | changes
        response = await self.client.post("/api/templates", json=body, headers=dict(headers))
        assert response.status_code == 201, response.text
        return response

    async def add_artifact(self, content: bytes, media_type: str = "image/jpeg") -> Artifact:
        async def pieces() -> AsyncIterator[bytes]:
            yield content

        artifact_id = ArtifactId(new_id())
        stored = await self.store.put(f"artifacts/{artifact_id}", pieces(), content_type=media_type)
        artifact = Artifact(
            id=artifact_id,
            uri=stored.uri,
            media_type=media_type,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            width=None,
            height=None,
            created_at=self.clock.now(),
        )
        await self.database.write(lambda tx: tx.artifacts.add(artifact))
        return artifact

    def frame(self, template_id: str, jpeg: bytes = b"\xff\xd8picture\xff\xd9", sequence: int = 1) -> Frame:
        return Frame(TemplateId(template_id), sequence, self.clock.now(), jpeg, 640, 360)


@asynccontextmanager
async def open_world(
    directory: Path,
    settings: WebSettings | None = None,
    *,
    fast_streams: bool = False,
    kinds: Registry = REGISTRY,
    channel_kinds: ChannelKinds | None = None,
    rate_limits: RateLimits | None = None,
) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        clock, hasher, recorder, store = FakeClock(), CheapHasher(), Recorder(), MemoryStore()
        database = await stack.enter_async_context(fresh_database(directory))
        pool = stack.enter_context(ThreadPoolExecutor(2))
        tokens = Tokens(SECRET, lifetime_s=LIFETIME_S, clock=clock)
        healths = FakeHealths(clock)
        live, post, queue, notices = FakeLive(clock), FakePost(), LocalJobQueue(), Notices()
        pushes, probing = FakePushes(), FakeProbing()
        changed: list[TemplateId] = []
        checks = {"database": CheckResult(ok=True, detail="answers")}

        async def ready() -> tuple[bool, Mapping[str, CheckResult]]:
            return all(check.ok for check in checks.values()), checks

        people = People.of(database, clock, passwords=Passwords(hasher, pool), tokens=tokens)
        jobs = Jobs(database, queue, {}, clock=clock, publish=notices.publish)
        templates = Templates(database, kinds, clock=clock, changed=changed.append)
        services = Services(
            accounts=people.accounts,
            users=people.users,
            api_keys=people.api_keys,
            audit=AuditLog(database),
            templates=templates,
            history=History(database, store),
            thumbnails=Thumbnails(store, PictureReader(pool).narrowed),
            live=live,
            healths=healths,
            pushes=pushes,
            probing=probing,
            moving=Moving(templates, parse=parse_template, show=settings_json, read=read_original_bytes),
            alerting=Alerting(database, store, queue, clock=clock, publish=notices.publish),
            channels=Channels(database, {"fake": post.kind(), **(channel_kinds or {})}, clock=clock),
            tickets=Tickets(SECRET, clock),
            stream_tickets=StreamTickets(database, Tickets(SECRET, clock), clock),
            rates=Rates(clock, rate_limits or RateLimits()),
            jobs=jobs,
            keeping=Keeping(database, jobs, clock=clock),
            backups=Backups(
                jobs,
                BackupMaker(
                    DatabaseCopies(DatabaseSettings(url=f"sqlite:///{directory / 'glimpser.db'}")),
                    store,
                    Kinds(kinds, {"fake": post.kind(), **(channel_kinds or {})}),
                    bases=["memory:///"],
                    clock=clock,
                    version="1.2.3",
                ),
                Keep(database, store),
                workshop=partial(open_workshop, directory, BACKUP),
                clock=clock,
            ),
            exports=Exports(database, store, jobs, clock=clock),
            system=System(database, DiskGuard(FakeDisk().measure, database, clock=clock), clock=clock),
            schedules=Schedules(database, jobs, clock=clock, metrics=recorder),
            notices=notices,
            ready=ready,
            recorder=recorder,
            clock=clock,
            ending=asyncio.Event(),
            fast_streams=fast_streams,
        )
        app = build(
            services, settings or WebSettings(version="1.2.3", commit="abc1234", static_dir=directory)
        )
        client = await stack.enter_async_context(
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ORIGIN)
        )
        yield World(
            app=app,
            client=client,
            services=services,
            people=people,
            database=database,
            store=store,
            clock=clock,
            hasher=hasher,
            tokens=tokens,
            live=live,
            healths=healths,
            pushes=pushes,
            probing=probing,
            post=post,
            queue=queue,
            recorder=recorder,
            changed=changed,
            checks=checks,
        )
