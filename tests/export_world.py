"""Exports over a real database and real files, encoded by the real program."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import av
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from glimpser.cluster.local import LocalJobQueue
from glimpser.core.events import Artifact
from glimpser.core.exports import EXPORT, Export, ExportKind, FilmOptions
from glimpser.core.ids import ArtifactId, TemplateId
from glimpser.core.jobs import Job
from glimpser.core.keys import artifact_key
from glimpser.core.ports import Database
from glimpser.core.templates import Template, TemplateSettings
from glimpser.encoding.encoder import LIMITS, ChildEncoder
from glimpser.process.command import Limits
from glimpser.process.runner import Runner, open_runner
from glimpser.services.archive_making import ArchiveMaking
from glimpser.services.audit import Actor
from glimpser.services.exporting import Exporting, ExportOutcomes
from glimpser.services.exports import ExportAsk, Exports, Found
from glimpser.services.film_making import FilmMaking
from glimpser.services.job_kinds import JobKind
from glimpser.services.job_runner import JobPace, JobRunner
from glimpser.services.jobs import Jobs
from glimpser.storage.files import FileStore, open_files
from glimpser.testing.clock import FakeClock
from tests.contract.samples import START, at, id_at
from tests.web_world import fresh_database

ADA = Actor("ada@example.org")
VIEW = TemplateId("01JQ0000000000000000000000")
PACE = JobPace(lease_s=10.0, heartbeat_s=2.0, sweep_s=0.02)


class Silent:
    """Takes all figures and keeps none."""

    def command_succeeded(self, program: str) -> None: ...
    def command_timed_out(self, program: str) -> None: ...
    def command_ended(self, program: str, duration_s: float) -> None: ...
    def job_ended(self, *, kind: str, status: str, duration_s: float) -> None: ...


class Unwatched:
    """The `Progress` of a job, remembered."""

    def __init__(self) -> None:
        self.told: list[tuple[float | None, str | None]] = []

    async def report(self, share: float | None, step: str | None = None) -> None:
        self.told.append((share, step))


def jpeg(shade: int, width: int = 64, height: int = 48) -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.full((height, width, 3), shade, np.uint8), colorspace="BGR"))


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


@dataclass(kw_only=True)
class ExportWorld:
    directory: Path
    database: Database
    store: FileStore
    runner: Runner
    clock: FakeClock
    kinds: dict[str, JobKind]
    jobs: Jobs
    exports: Exports
    exporting: Exporting
    job_runner: JobRunner
    told: Unwatched = field(default_factory=Unwatched)

    async def add_view(
        self, template_id: TemplateId = VIEW, *, created_at: datetime = START, **settings: object
    ) -> Template:
        described: dict[str, object] = {"name": "Front door", "kind": "file", "config": {}} | settings
        template = Template(
            id=template_id,
            settings=TemplateSettings(**described),  # type: ignore[arg-type]
            version=1,
            created_at=created_at,
            updated_at=created_at,
        )
        await self.database.write(lambda tx: tx.templates.add(template))
        return template

    async def add_picture(
        self, seconds: float, data: bytes, *, view: TemplateId = VIEW, stored: bytes | None = None
    ) -> Artifact:
        """Store a picture of a moment; `stored` lies there in its place."""
        artifact_id = ArtifactId(id_at(seconds))
        key = artifact_key(artifact_id, "jpg", at(seconds))
        put = await self.store.put(key, _once(data if stored is None else stored), content_type="image/jpeg")
        artifact = Artifact(
            id=artifact_id,
            uri=put.uri,
            media_type="image/jpeg",
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            width=64,
            height=48,
            created_at=at(seconds),
            template_id=view,
        )
        await self.database.write(lambda tx: tx.artifacts.add(artifact))
        return artifact

    async def add_pictures(self, times: Sequence[float], *, view: TemplateId = VIEW) -> list[Artifact]:
        return [
            await self.add_picture(seconds, jpeg(40 + number % 200), view=view)
            for number, seconds in enumerate(times)
        ]

    async def ask(
        self, kind: ExportKind, begin_s: float = 0, end_s: float = 3600, **options: object
    ) -> Found:
        film = FilmOptions(**options)  # type: ignore[arg-type]
        ask = ExportAsk(kind=kind, template_id=VIEW, start=at(begin_s), end=at(end_s), options=film)
        return await self.exports.create(ask, by=ADA)

    async def job_of(self, found: Found) -> Job:
        return await self.database.read(lambda tx: tx.jobs.get(found.export.job_id))

    async def run(self, found: Found) -> Mapping[str, object]:
        """Do the job by hand, without a runner."""
        return await self.exporting.run(await self.job_of(found), self.told)

    async def made(
        self, kind: ExportKind, begin_s: float = 0, end_s: float = 3600, **options: object
    ) -> "File":
        """Ask for an export and make it."""
        found = await self.ask(kind, begin_s, end_s, **options)
        result = await self.run(found)
        return await self.file_of(found.export, result)

    async def file_of(self, export: Export, result: Mapping[str, object]) -> "File":
        found = await self.database.read(lambda tx: tx.exports.get(export.id))
        artifact_id = found.artifact_id
        assert artifact_id is not None
        file = await self.database.read(lambda tx: tx.artifacts.get(artifact_id))
        return File(Path(file.uri.removeprefix("file://")), result, file)

    async def settled(self, found: Found, *, within_s: float = 60.0) -> Job:
        """Wait for the end of a job that the runner runs."""
        async with asyncio.timeout(within_s):
            while True:
                job = await self.job_of(found)
                if job.status not in ("pending", "running"):
                    return job
                await asyncio.sleep(0.01)

    async def keys(self) -> list[str]:
        """Give what lies in the store beside pictures."""
        return [entry.key async for entry in self.store.list() if not entry.key.endswith(".jpg")]

    def leftovers(self) -> list[str]:
        """Give what lies in the folder that programs work in, and unfinished uploads."""
        scratch = [path.name for path in (self.directory / "run").iterdir()]
        return scratch + [path.name for path in (self.directory / "objects" / ".new").glob("*")]


@dataclass(frozen=True)
class File:
    path: Path
    result: Mapping[str, object]
    artifact: Artifact


@dataclass(frozen=True)
class Decoded:
    """A film, read back."""

    codec: str
    times_s: list[float]
    shades: list[float]
    size: tuple[int, int]
    duration_s: float
    metadata: Mapping[str, str]
    last: NDArray[np.uint8]


def decoded(path: Path) -> Decoded:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times, shades = [], []
        picture: NDArray[np.uint8] = np.zeros((1, 1, 3), np.uint8)
        for frame in container.decode(stream):
            picture = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            times.append(float(frame.time or 0))
            shades.append(float(picture[picture.shape[0] // 2 :].mean()))
        return Decoded(
            codec=stream.codec_context.name,
            times_s=times,
            shades=shades,
            size=(stream.width, stream.height),
            duration_s=float((container.duration or 0) / 1_000_000),
            metadata=dict(container.metadata),
            last=picture,
        )


def boxes(path: Path) -> list[str]:
    """Name the boxes of an MP4 file in their order (ISO/IEC 14496-12, section 4.2)."""
    data, names, position = path.read_bytes(), [], 0
    while position < len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        names.append(data[position + 4 : position + 8].decode())
        position += size or len(data)
    return names


async def no_check() -> None:
    """There is room."""


def films(world: "ExportWorld", *, limits: Limits = LIMITS) -> FilmMaking:
    encoder = ChildEncoder(world.runner, world.directory / "run", no_check, limits=limits)
    return FilmMaking(world.database, world.store, encoder)


@asynccontextmanager
async def open_exports(directory: Path) -> AsyncIterator[ExportWorld]:
    async with AsyncExitStack() as stack:
        clock = FakeClock(at(86_400))
        database = await stack.enter_async_context(fresh_database(directory))
        store = await stack.enter_async_context(open_files(directory / "objects"))
        scratch = directory / "run"
        runner = await stack.enter_async_context(open_runner(scratch, clock=clock, recorder=Silent()))
        kinds: dict[str, JobKind] = {}
        queue = LocalJobQueue()
        job_runner = JobRunner(database, queue, kinds, clock=clock, metrics=Silent(), pace=PACE)
        jobs = Jobs(database, queue, kinds, clock=clock, stop=job_runner.cancel)
        exporting = Exporting(
            database,
            films=FilmMaking(database, store, ChildEncoder(runner, scratch, no_check)),
            archives=ArchiveMaking(database, store),
            clock=clock,
            outcomes=ExportOutcomes(clock, timedelta(days=7)),
        )
        kinds[EXPORT] = exporting.kind
        yield ExportWorld(
            directory=directory,
            database=database,
            store=store,
            runner=runner,
            clock=clock,
            kinds=kinds,
            jobs=jobs,
            exports=Exports(database, store, jobs, clock=clock),
            exporting=exporting,
            job_runner=job_runner,
        )
