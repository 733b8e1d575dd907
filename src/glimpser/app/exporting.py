"""Exports, wired."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from glimpser.config import Config
from glimpser.core.clock import Clock
from glimpser.core.exports import EXPORT
from glimpser.core.ports import Database, ObjectStore
from glimpser.encoding.encoder import ChildEncoder
from glimpser.process.runner import Runner
from glimpser.services.archive_making import ArchiveMaking
from glimpser.services.disk import DiskGuard
from glimpser.services.exporting import Exporting, ExportOutcomes
from glimpser.services.exports import Exports
from glimpser.services.film_making import FilmMaking
from glimpser.services.job_kinds import JobKind
from glimpser.services.jobs import Jobs
from glimpser.services.nightly_exports import NightlyExports


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportGround:
    """What exports stand on; `scratch` is the runner's folder. Their kind of job is added to `job_kinds`."""

    config: Config
    database: Database
    store: ObjectStore
    disk: DiskGuard
    jobs: Jobs
    job_kinds: MutableMapping[str, JobKind]
    runner: Runner
    scratch: Path
    clock: Clock


def outcomes_of(config: Config, clock: Clock) -> ExportOutcomes:
    return ExportOutcomes(clock, timedelta(days=config.exports.keep_days))


def wire_exports(ground: ExportGround) -> tuple[Exports, NightlyExports]:
    database, store, clock = ground.database, ground.store, ground.clock
    section = ground.config.exports
    encoder = ChildEncoder(ground.runner, ground.scratch, ground.disk.check_room)
    exporting = Exporting(
        database,
        films=FilmMaking(database, store, encoder, timezone=ground.config.capture.timezone),
        archives=ArchiveMaking(database, store),
        clock=clock,
        outcomes=outcomes_of(ground.config, clock),
    )
    ground.job_kinds[EXPORT] = exporting.kind
    exports = Exports(database, store, ground.jobs, clock=clock, timezone=section.timezone)
    nightly = NightlyExports(
        database, exports, ground.jobs, clock=clock, groups=section.teaser_groups, timezone=section.timezone
    )
    return exports, nightly
