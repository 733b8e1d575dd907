"""Hundreds of days of schedules in twelve places, on a clock that is set now and then, against an oracle.

The program's own scheduler runs over a database in memory. What it wrote is compared with a walk through
every minute that shares no code with it. One job for each slot that the clock passed, in order, and no other.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from glimpser.cluster.local import LocalJobQueue
from glimpser.core.errors import NotFound
from glimpser.core.ids import TemplateId, new_id
from glimpser.core.jobs import Job
from glimpser.core.pages import Page
from glimpser.core.schedule_state import ScheduleState
from glimpser.core.templates import Template, TemplateSettings
from glimpser.services.jobs import Jobs
from glimpser.services.schedules import GRACE, Schedules
from glimpser.testing.clock import FakeClock
from tests.bench.figures import Figure, Part
from tests.schedule_oracle import Oracle

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Auckland",
    "America/Santiago",
)
CRONS = ("30 2 * * *", "*/20 * * * *", "15 1-3 * * *", "5 */2 1,15 * *", "0 0 * * 0")
START = datetime(2026, 1, 1, tzinfo=UTC)
_STEP_S = 23.0
"""So long passes between two looks of the scheduler: less than what counts as late, no part of a minute."""
T = TypeVar("T")


@dataclass
class Memory:
    """A database that keeps what the scheduler writes; it is its own transaction and repositories."""

    known: dict[TemplateId, Template] = field(default_factory=dict)
    states: dict[TemplateId, ScheduleState] = field(default_factory=dict)
    jobs_by_key: dict[str, Job] = field(default_factory=dict)

    async def read(self, work: Callable[[Any], T]) -> T:
        return work(self)

    async def write(self, work: Callable[[Any], T]) -> T:
        return work(self)

    @property
    def templates(self) -> Any:
        return self

    @property
    def schedules(self) -> Any:
        return self

    @property
    def jobs(self) -> Any:
        return self

    def get(self, template_id: TemplateId) -> Template:
        if template_id not in self.known:
            raise NotFound("There is no template with this id.")
        return self.known[template_id]

    def list(self, _where: object, _page: object) -> Page[Template]:
        return Page([self.known[key] for key in sorted(self.known)], None)

    def all(self) -> Sequence[ScheduleState]:
        return tuple(self.states.values())

    def put(self, states: Sequence[ScheduleState]) -> None:
        self.states |= {state.template_id: state for state in states}

    settle = put

    def paused(self) -> frozenset[TemplateId]:
        return frozenset()

    def busy(self, _kind: str) -> frozenset[TemplateId]:
        return frozenset()

    def add_all(self, jobs: Sequence[Job]) -> int:
        before = len(self.jobs_by_key)
        for job in jobs:
            self.jobs_by_key.setdefault(str(job.idempotency_key), job)
        return len(self.jobs_by_key) - before


class Silent:
    def job_ended(self, *, kind: str, status: str, duration_s: float) -> None: ...


@dataclass(frozen=True)
class Passed:
    """A stretch of wall clock that passed, the first time: its slots are due."""

    start: datetime
    end: datetime


def run(days: int, chance: random.Random, zones: Sequence[str] = ZONES, crons: Sequence[str] = CRONS) -> Part:
    """Let so many days pass, with the clock set by up to an hour about once in five days."""
    differences = slots = 0
    notes: list[str] = []
    for cron in crons:
        found, passed = asyncio.run(_simulate(days, chance, cron, zones))
        for zone in zones:
            expected = list(_expected(Oracle(cron, zone), passed))
            slots += len(expected)
            wrong = set(found[zone]) ^ set(expected)
            differences += len(wrong) + len(found[zone]) - len(set(found[zone]))
            notes += [f"{cron} in {zone}: {sorted(wrong)[:3]}"] if wrong else []
    figures = [
        Figure(name="slots", value=slots, unit=""),
        Figure(name="differences", value=differences, unit="", at_most=0),
    ]
    return Part(f"{days} days in {len(zones)} time zones, clocks set forwards and back", figures, notes[:5])


async def _simulate(
    days: int, chance: random.Random, cron: str, zones: Sequence[str]
) -> tuple[dict[str, list[datetime]], list[Passed]]:
    memory, clock = Memory(), FakeClock(START)
    jobs = Jobs(memory, LocalJobQueue(), {}, clock=clock)  # type: ignore[arg-type] # what of it is used
    schedules = Schedules(memory, jobs, clock=clock, metrics=Silent())  # type: ignore[arg-type] # likewise
    for zone in zones:
        template = _template(cron, zone)
        memory.known[template.id] = template
    await _settle(schedules)
    passed: list[Passed] = []
    reached, end = START, START + timedelta(days=days)
    while clock.now() < end:
        until = min(end, clock.now() + timedelta(seconds=chance.uniform(1, 10 * 86_400)))
        while clock.now() < until:
            clock.advance(_STEP_S)
            await _settle(schedules)
        if clock.now() > reached:
            passed.append(Passed(reached, clock.now()))
            reached = clock.now()
        clock.jump(chance.choice((-1, 1)) * chance.uniform(60, 3600))
        await _settle(schedules)
        reached = max(reached, clock.now() - GRACE)
    found = defaultdict(list)
    for job in memory.jobs_by_key.values():
        zone = memory.known[TemplateId(str(job.template_id))].settings.timezone
        slot = datetime.strptime(str(job.payload["slot"]), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        found[zone].append(slot)
    return found, passed


async def _settle(schedules: Schedules) -> None:
    while await schedules.step() == 0.0:
        pass


def _template(cron: str, zone: str) -> Template:
    settings = TemplateSettings(
        name=zone, kind="camera", config={}, schedule=cron, timezone=zone, catch_up="none"
    )
    return Template(id=TemplateId(new_id()), settings=settings, version=1, created_at=START, updated_at=START)


def _expected(oracle: Oracle, passed: Sequence[Passed]) -> Iterator[datetime]:
    """Walk once through all, and keep what lies in a stretch that passed."""
    stretches = iter(passed)
    stretch = next(stretches, None)
    for slot in oracle.slots(passed[0].start, passed[-1].end):
        while stretch is not None and slot > stretch.end:
            stretch = next(stretches, None)
        if stretch is not None and stretch.start < slot:
            yield slot
