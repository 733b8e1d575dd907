"""Schedules: at each slot of a template a job is written, in batches; the database is the record.

In memory lies a heap of what is due next. A slot is written as a job whose key names template and slot, in
one transaction with how far the schedule has come: whatever happens, no slot runs twice.
"""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog

from glimpser.core import failpoints
from glimpser.core.accounts import Scope
from glimpser.core.clock import Clock
from glimpser.core.errors import Conflict, GlimpserError, NotFound, Unavailable
from glimpser.core.ids import JobId, TemplateId, new_id
from glimpser.core.jobs import Job
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.schedule import Timetable, Window, jitter_of
from glimpser.core.schedule_state import CAPTURE, ScheduleState
from glimpser.core.templates import Template, TemplateSettings
from glimpser.services.audit import Actor, entry
from glimpser.services.capturing import capture_payload
from glimpser.services.job_runner import JobMetrics
from glimpser.services.jobs import Jobs
from glimpser.services.schedule_plans import (
    States,
    Upcoming,
    new_state,
    plan_of,
    read_all,
    read_some,
    upcoming_of,
)

_log = structlog.get_logger(__name__)

BATCH = 2500
"""Slots written in one transaction."""
GRACE = timedelta(seconds=30)
"""A slot that comes later than this was missed: the program or the clock was away."""
SPREAD_MS = 10_000
"""What was missed is done within so long after the start, not all at once."""
_JUMPED_BACK = timedelta(hours=25)
"""A clock set back by more was wrong before: what was settled then counts no more."""
_POLL_S = 1.0
_LOOK_EVERY_S = 5.0
_RETRY_S = 1.0
OVERLAP = "overlap: the capture before it has not ended"
TRIGGERED_PRIORITY = 10

T = TypeVar("T")
_Plan = tuple[str, str, tuple[Window, ...]]


@dataclass(slots=True)
class Entry:
    """One schedule in memory. `turn` tells its place in the heap from older ones."""

    template: Template
    timetable: Timetable
    state: ScheduleState
    slot: datetime | None = None
    due: datetime | None = None
    turn: int = 0

    @property
    def is_on(self) -> bool:
        return self.template.settings.enabled and not self.state.paused


@dataclass(slots=True)
class _Claim:
    """What a batch comes to."""

    entries: list[Entry] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    states: list[ScheduleState] = field(default_factory=list)


class Schedules:
    """Event loop's thread. `run` owns the heap; `changed` is called after each change of a template."""

    def __init__(self, database: Database, jobs: Jobs, *, clock: Clock, metrics: JobMetrics) -> None:
        self._database = database
        self._jobs = jobs
        self._metrics = metrics
        self._clock = clock
        self._entries: dict[TemplateId, Entry] = {}
        self._timetables: dict[_Plan, Timetable] = {}
        self._heap: list[tuple[datetime, int, Entry]] = []
        self._turns = itertools.count(1)
        self._changes: set[TemplateId] = set()
        self._woken = asyncio.Event()
        self._is_loaded = False
        self._clocks = (clock.now(), clock.monotonic())
        self._looked_s = clock.monotonic()

    async def run(self) -> None:
        """Write what is due, as it comes due. Never returns."""
        while True:
            wait_s = await self._again(self.step)
            self._woken.clear()
            if self._changes:
                continue
            try:
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
            except TimeoutError:
                pass

    def changed(self, template_id: TemplateId) -> None:
        """Have a template that was made, changed or removed take effect."""
        self._changes.add(template_id)
        self._woken.set()

    def is_paused(self, template_id: TemplateId) -> bool:
        found = self._entries.get(template_id)
        return found is not None and found.state.paused

    async def step(self) -> float:
        """Do what is to be done now; gives the seconds until there may be more.

        Raises:
            Unavailable: the database cannot take it now; nothing is lost.
        """
        if not self._is_loaded:
            await self._load()
        await self._follow_changes()
        await self._look()
        self._watch_the_clock()
        now = self._clock.now()
        due = self._take_due(now)
        if due:
            await self._claim(due, now)
            return 0.0
        return self._pause(now)

    # Verbs --------------------------------------------------------------------------------------------

    async def pause(self, template_id: TemplateId, *, by: Actor) -> Upcoming:
        """Let no slot run until `resume`. Pausing twice changes nothing.

        Raises:
            NotFound: the template has no schedule.
        """
        return await self._set_paused(template_id, paused=True, by=by)

    async def resume(self, template_id: TemplateId, *, by: Actor) -> Upcoming:
        """Let slots run again; those that passed meanwhile are not made up for. Raises: NotFound."""
        return await self._set_paused(template_id, paused=False, by=by)

    async def trigger(self, template_id: TemplateId, *, by: Actor) -> JobId:
        """Capture now, whatever the schedule says; after a capture that runs.

        Raises:
            NotFound: there is no such template.
            Conflict: it is switched off.
        """
        made = entry(by, "schedule.triggered", template_id, clock=self._clock)

        def add(tx: Transaction) -> Job:
            settings = tx.within(by.scope).templates.get(template_id).settings
            if not settings.enabled:
                raise Conflict("The view is switched off: enable it first.")
            job = self._jobs.make(
                CAPTURE, capture_payload(settings), template_id=template_id, priority=TRIGGERED_PRIORITY
            )
            tx.jobs.add(job)
            tx.audit.add(made)
            return job

        job = await self._database.write(add)
        self._jobs.added(job)
        return job.id

    async def get(self, template_id: TemplateId, *, within: Scope, runs: int = 5) -> Upcoming:
        """Raises: NotFound."""
        template, state = await self._database.read(
            lambda tx: (tx.within(within).templates.get(template_id), tx.schedules.get(template_id))
        )
        if template.settings.schedule is None:
            raise NotFound("This template has no schedule.")
        return upcoming_of(template, state, self._clock.now(), runs=runs)

    async def all(self, *, within: Scope) -> Sequence[Upcoming]:
        """Give all schedules, the oldest template first."""
        now = self._clock.now()
        templates, states = await self._database.read(lambda tx: read_all(tx.within(within)))
        return [upcoming_of(template, states.get(template.id), now, runs=1) for template in templates]

    async def _set_paused(self, template_id: TemplateId, *, paused: bool, by: Actor) -> Upcoming:
        now = self._clock.now()
        made = entry(by, f"schedule.{'paused' if paused else 'resumed'}", template_id, clock=self._clock)

        def write(tx: Transaction) -> None:
            template = tx.within(by.scope).templates.get(template_id)
            if template.settings.schedule is None:
                raise NotFound("This template has no schedule.")
            state = tx.schedules.get(template_id) or new_state(template, now)
            if state.paused != paused:
                tx.schedules.put([replace(state, paused=paused, settled_until=now)])
                tx.audit.add(made)

        await self._database.write(write)
        self.changed(template_id)
        return await self.get(template_id, within=by.scope)

    # Keeping up with what people change ---------------------------------------------------------------

    async def _load(self) -> None:
        """Read all schedules, as at the start."""
        templates, states = await self._database.read(read_all)
        now = self._clock.now()
        await self._adopt(templates, states, now)
        self._is_loaded = True
        _log.info("schedules.loaded", count=len(self._entries))

    async def _follow_changes(self) -> None:
        while self._changes:
            changes = list(self._changes)[:500]
            templates, states = await self._database.read(partial(read_some, template_ids=changes))
            present = {template.id for template in templates}
            for template_id in changes:
                if template_id not in present:
                    self._entries.pop(template_id, None)
            await self._adopt(templates, states, self._clock.now())
            self._changes.difference_update(changes)

    async def _adopt(self, templates: Sequence[Template], states: States, now: datetime) -> None:
        """Take over what people set; a schedule that is new or other than before begins now."""
        begun: list[ScheduleState] = []
        for number, template in enumerate(templates):
            state = states.get(template.id)
            if state is None or state.plan != plan_of(template.settings):
                fresh = new_state(template, now)
                state = replace(state, plan=fresh.plan, settled_until=now) if state else fresh
                begun.append(state)
            elif state.settled_until - now > _JUMPED_BACK:
                state = replace(state, settled_until=now)
            self._enter(template, state, now)
            if number % 500 == 499:
                await asyncio.sleep(0)
        if begun:
            await self._database.write(lambda tx: tx.schedules.put(begun))

    def _enter(self, template: Template, state: ScheduleState, now: datetime) -> None:
        settings = template.settings
        try:
            timetable = self._timetable(settings)
        except GlimpserError as error:  # a zone that this machine's database of zones does not know
            _log.error("schedule.unreadable", template_id=template.id, reason=error.detail)
            self._entries.pop(template.id, None)
            return
        found = Entry(template, timetable, state)
        self._entries[template.id] = found
        self._plan_next(found)
        if found.due and found.due < now - GRACE and settings.catch_up == "one":
            found.due = now + jitter_of(template.id, found.due, SPREAD_MS)
            self._push(found)

    def _timetable(self, settings: TemplateSettings) -> Timetable:
        key = (settings.schedule or "", settings.timezone, settings.schedule_windows)
        if key not in self._timetables:
            self._timetables[key] = Timetable(*key)
        return self._timetables[key]

    async def _look(self) -> None:
        """See what another process, such as a command, has paused or resumed."""
        now_s = self._clock.monotonic()
        if now_s - self._looked_s < _LOOK_EVERY_S:
            return
        self._looked_s = now_s
        paused = await self._database.read(lambda tx: tx.schedules.paused())
        for template_id, found in self._entries.items():
            if found.state.paused != (template_id in paused):
                self._changes.add(template_id)

    def _watch_the_clock(self) -> None:
        """Have all reckoned anew when somebody set the clock back by days."""
        before, before_s = self._clocks
        now, now_s = self._clocks = (self._clock.now(), self._clock.monotonic())
        if now - before < timedelta(seconds=now_s - before_s) - _JUMPED_BACK:
            _log.warning("schedules.clock_set_back", before=before.isoformat(), now=now.isoformat())
            for found in self._entries.values():
                found.state = replace(found.state, settled_until=min(found.state.settled_until, now))
                self._plan_next(found)

    # The heap -----------------------------------------------------------------------------------------

    def _plan_next(self, found: Entry) -> None:
        """Reckon the next slot and put it on the heap; what lies there of this entry counts no more."""
        found.turn = next(self._turns)  # so that nothing of it on the heap counts
        found.slot = found.timetable.next_after(found.state.settled_until) if found.is_on else None
        found.due = None
        if found.slot is not None:
            settings = found.template.settings
            found.due = found.slot + jitter_of(found.template.id, found.slot, settings.jitter_ms)
            self._push(found)

    def _push(self, found: Entry) -> None:
        assert found.due is not None
        found.turn = next(self._turns)
        heapq.heappush(self._heap, (found.due, found.turn, found))

    def _take_due(self, now: datetime) -> list[Entry]:
        due: list[Entry] = []
        while self._heap and len(due) < BATCH and self._heap[0][0] <= now:
            _, turn, found = heapq.heappop(self._heap)
            if turn == found.turn and self._entries.get(found.template.id) is found:
                due.append(found)
        return due

    def _pause(self, now: datetime) -> float:
        if not self._heap:
            return _POLL_S
        return min(max((self._heap[0][0] - now).total_seconds(), 0.0), _POLL_S)

    # Writing ------------------------------------------------------------------------------------------

    async def _claim(self, due: Sequence[Entry], now: datetime) -> None:
        """Write the runs of a batch, each slot once, with how far their schedules have come."""
        claim = self._decide(due, now)
        try:
            overlapping = await self._database.write(lambda tx: _write(tx, claim, now))
        except Unavailable:
            for found in due:
                self._push(found)
            raise
        await asyncio.to_thread(failpoints.hit, "schedule.claimed")
        for found, state in zip(claim.entries, claim.states, strict=True):
            found.state = state
            self._plan_next(found)
        self._jobs.announce(CAPTURE)
        for _ in range(overlapping):
            self._metrics.job_ended(kind=CAPTURE, status="skipped", duration_s=0.0)

    def _decide(self, due: Sequence[Entry], now: datetime) -> _Claim:
        claim = _Claim()
        for found in due:
            assert found.slot is not None
            settings, state = found.template.settings, found.state
            jitter = timedelta(milliseconds=settings.jitter_ms)
            is_missed = now - found.slot - jitter > GRACE
            is_made_up = is_missed and settings.catch_up == "one"
            # One run stands for all that was missed; without it, a slot that is hardly late still comes.
            until = now if is_made_up else max(now - GRACE, found.slot) if is_missed else found.slot
            settled = replace(state, settled_until=until)
            if is_made_up or not is_missed:
                job = self._job(found, now)
                settled = replace(settled, last_run_at=now, last_job_id=job.id)
                claim.jobs.append(job)
            claim.entries.append(found)
            claim.states.append(settled)
        return claim

    def _job(self, found: Entry, now: datetime) -> Job:
        assert found.slot is not None
        slot = f"{found.slot:%Y%m%dT%H%M%SZ}"
        return Job(
            id=JobId(new_id()),
            kind=CAPTURE,
            template_id=found.template.id,
            payload={**capture_payload(found.template.settings), "slot": slot},
            idempotency_key=f"{CAPTURE}:{found.template.id}:{slot}",
            scheduled_for=now,
            created_at=now,
            max_attempts=self._jobs.max_attempts(CAPTURE),
        )

    async def _again(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it until it succeeds."""
        while True:
            try:
                return await work()
            except Unavailable as error:
                _log.warning("schedules.wait", reason=error.detail, retry_in_s=_RETRY_S)
                await asyncio.sleep(_RETRY_S)


def _write(tx: Transaction, claim: _Claim, now: datetime) -> int:
    """Write a batch; gives how many runs were skipped because the one before goes on."""
    busy = tx.jobs.busy(CAPTURE)
    jobs = [_skipped(job, now) if job.template_id in busy else job for job in claim.jobs]
    tx.jobs.add_all(jobs)
    tx.schedules.settle(claim.states)
    failpoints.hit("schedule.before_commit")
    return sum(job.status == "skipped" for job in jobs)


def _skipped(job: Job, now: datetime) -> Job:
    return replace(job, status="skipped", ended_at=now, error=OVERLAP)
