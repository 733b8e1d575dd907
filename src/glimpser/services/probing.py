"""Trying a view before it is saved: a job whose steps say how far it came and what is in the way."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from glimpser.core.clock import Clock
from glimpser.core.contents import FROM_CAMERAS
from glimpser.core.errors import Conflict, GlimpserError, InvalidInput, TooMany, Unavailable
from glimpser.core.events import Artifact
from glimpser.core.frames import Frame
from glimpser.core.ids import JobId, TemplateId, new_id
from glimpser.core.jobs import UNDONE, Job
from glimpser.core.kinds import Registry, kind_of
from glimpser.core.live import Pushed, State, StreamStatus
from glimpser.core.ports import Database
from glimpser.core.redaction import redact
from glimpser.core.repositories import Transaction
from glimpser.core.templates import TemplateSettings
from glimpser.egress.gate import Checked
from glimpser.services.config_secrets import hide
from glimpser.services.guessing import Guess, Guesser, config_of
from glimpser.services.job_kinds import ONCE, AfterCommit, JobKind, Progress, Result
from glimpser.services.jobs import Jobs

PROBE = "probe"
STEPS = ("parse", "resolve", "connect", "recognise", "open", "first picture", "store")
"""In this order; one that does not apply is left out. A job that failed names the one it failed in."""
ANSWER_WITHIN_S = 9.0
"""Something that is dead is known to be after so long, all steps before `open` together."""
FIRST_PICTURE_WITHIN_S = 75.0
"""A page may take a browser to start, and a video site a minute to look up."""
KEPT_FOR = timedelta(hours=1)
"""How long the preview can be looked at."""
_MAX_WAITING = 32
_POLL_S = 0.05
_FAILING = frozenset({State.STALLED, State.BACKOFF, State.FAILED})
_NAME = "Preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is to be tried: a `url` (or path) whose kind is to be found, or a `kind` with its config."""

    url: str | None = field(default=None, repr=False)
    kind: str | None = None
    config: Mapping[str, object] = field(default_factory=dict, repr=False)


class Reaches(Protocol):
    """Tells whether an address can be reached at all."""

    async def resolve(self, url: str, *, camera: bool | None) -> Checked:
        """Find the address, of a camera or not; None: that is not known.

        Raises: InvalidInput, Denied, Unavailable.
        """
        ...

    async def connect(self, checked: Checked) -> None:
        """Open and close a connection. Raises: Unavailable."""
        ...

    async def hear(self, checked: Checked) -> None:
        """Wait until it says anything at all, if it is one that is asked first."""
        ...


class Trials(Protocol):
    """Has views run that are not saved; `services.live.Live` is one."""

    def trying(self, settings: TemplateSettings) -> AbstractAsyncContextManager[TemplateId]:
        """Have it run while the context is open, under an id of its own. Raises: GlimpserError."""
        ...

    def status(self, template_id: TemplateId) -> StreamStatus: ...
    async def newest_picture(self, template_id: TemplateId) -> Frame | None: ...


class Stores(Protocol):
    """Keeps pictures; `services.alerting.Alerting` does."""

    async def store_picture(self, frame: Frame) -> Artifact:
        """Store it. Raises: Unavailable."""
        ...


class Probing:
    """Event loop's thread.

    What is tried is kept in memory alone, because it may hold passwords; the job's row has neither those nor
    the address. So a trial does not outlive the program.
    """

    def __init__(
        self,
        jobs: Jobs,
        registry: Registry,
        guesser: Guesser,
        *,
        reaches: Reaches,
        trials: Trials,
        pictures: "Previews",
    ) -> None:
        self._jobs = jobs
        self._registry = registry
        self._guesser = guesser
        self._reaches = reaches
        self._trials = trials
        self._pictures = pictures
        self._asks: dict[str, Ask] = {}
        self.kind = JobKind(
            run=self._run, retry=ONCE, replay=_never_again, record=self._ended, concurrency=4, per_lane=4
        )

    async def submit(self, ask: Ask) -> JobId:
        """Have a view tried.

        Raises:
            InvalidInput: the config cannot be used.
            TooMany: many are being tried already.
            Unavailable: the database cannot take it now.
        """
        if ask.kind is not None:
            kind_of(self._registry, ask.kind).parse(ask.config)
        if len(self._asks) >= _MAX_WAITING:
            raise TooMany(f"{_MAX_WAITING} views are being tried already: wait until some are done.")
        token = new_id()
        self._asks[token] = ask
        try:
            return await self._jobs.submit(PROBE, {"ask": token})
        except BaseException:
            del self._asks[token]
            raise

    async def _run(self, job: Job, progress: Progress) -> Result:
        ask = self._asks.get(str(job.payload.get("ask")))
        if ask is None:
            raise InvalidInput(
                "What was to be tried is kept in memory alone, and the program was started anew: try again."
            )
        try:
            return await self._tried(ask, _Steps(progress))
        except GlimpserError as error:
            error.detail = redact(error.detail)  # jobs are read by more people than may read configs
            raise

    def _ended(self, _tx: Transaction, job: Job) -> AfterCommit:
        return lambda: self._forget(job)

    def _forget(self, job: Job) -> None:
        if job.status not in UNDONE:
            self._asks.pop(str(job.payload.get("ask")), None)

    async def _tried(self, ask: Ask, steps: "_Steps") -> Result:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                guess = await self._found(ask, steps)
        except TimeoutError:
            raise Unavailable(
                f"It does not answer within {ANSWER_WITHIN_S:g} s: is it on, and is the address right?"
            ) from None
        await steps.begin("open")
        kind, config = guess.kind, guess.kind.parse(guess.config)
        if isinstance(kind.feed(config), Pushed):
            raise InvalidInput(
                "Pictures are sent to views of this kind: there is nothing to try, only to save."
            )
        settings = TemplateSettings(name=_NAME, kind=kind.name, config=config, live=False)
        frame, status = await self._first_picture(settings, steps)
        await steps.begin("store")
        artifact = await self._pictures.keep(frame)
        return {
            "kind": kind.name,
            "config": hide(guess.config, kind.secrets),
            "width": frame.width,
            "height": frame.height,
            "fps": status.fps,
            "codec": status.codec,
            "artifact_id": artifact.id,
        }

    async def _found(self, ask: Ask, steps: "_Steps") -> Guess:
        """Go through all steps before opening: they say most plainly what is wrong with an address."""
        await steps.begin("parse")
        kind = None if ask.kind is None else kind_of(self._registry, ask.kind)
        url = ask.url.strip() if ask.url is not None else ask.config.get("url")
        if isinstance(url, str) and "://" in url and not _leaves_another_way(ask.config):
            config_of(url)
            await steps.begin("resolve")
            is_camera = None if kind is None else bool(kind.shows & FROM_CAMERAS)
            checked = await self._reaches.resolve(url, camera=is_camera)
            await steps.begin("connect")
            await self._reaches.connect(checked)
            if kind is not None:  # else it is heard when it is recognised
                await self._reaches.hear(checked)
        if kind is not None:
            return Guess(kind, ask.config)
        await steps.begin("recognise")
        return await self._guesser.guess(ask.url or "")

    async def _first_picture(self, settings: TemplateSettings, steps: "_Steps") -> tuple[Frame, StreamStatus]:
        try:
            async with asyncio.timeout(FIRST_PICTURE_WITHIN_S), self._trials.trying(settings) as trial:
                status = await self._opened(trial)
                await steps.begin("first picture")
                return await self._picture_of(trial), status
        except TimeoutError:
            raise Unavailable(f"No picture came within {FIRST_PICTURE_WITHIN_S:g} s.") from None

    async def _picture_of(self, template_id: TemplateId) -> Frame:
        while True:
            frame = await self._trials.newest_picture(template_id)
            if frame is not None:
                return frame
            await asyncio.sleep(_POLL_S)

    async def _opened(self, template_id: TemplateId) -> StreamStatus:
        """Wait until it gives pictures. Raises: Unavailable: it says that it will not."""
        while not (status := self._trials.status(template_id)).state.gives_pictures:
            if status.reason and status.state in _FAILING:
                raise Unavailable(status.reason)
            await asyncio.sleep(_POLL_S)
        return status


class Previews:
    """Keeps the pictures of views that are tried, for a while. Event loop's thread."""

    def __init__(self, database: Database, stores: Stores, *, clock: Clock) -> None:
        self._database = database
        self._stores = stores
        self._clock = clock

    async def keep(self, frame: Frame) -> Artifact:
        """Store a picture for `KEPT_FOR`. Raises: Unavailable."""
        stored = await self._stores.store_picture(frame)
        artifact = replace(stored, template_id=None, expires_at=self._clock.now() + KEPT_FOR)
        await self._database.write(lambda tx: tx.artifacts.add(artifact))
        return artifact


class _Steps:
    """Tells which of the steps is taken."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    async def begin(self, step: str) -> None:
        await self._progress.report(STEPS.index(step) / len(STEPS), step)


def _leaves_another_way(config: Mapping[str, object]) -> bool:
    """Tell whether a view has a way of its own, by which more may be reached than from here."""
    return bool(config.get("proxy") or config.get("attached"))


def _never_again(_tx: Transaction, _job: Job) -> None:
    raise Conflict("What was tried is not kept: have it tried anew.")
