"""Everything that happens later, wired: jobs, schedules, keeping, exports, backups."""

from dataclasses import dataclass, replace

from glimpser.app.backups import BackupGround, wire_backups
from glimpser.app.exporting import ExportGround, wire_exports
from glimpser.app.ground import Ground
from glimpser.app.keeping import Kept, KeptGround, wire_keeping
from glimpser.app.settings import history_limits
from glimpser.core.backups import BACKUP
from glimpser.services.backup_rows import Kinds
from glimpser.services.backups import Backups
from glimpser.services.exports import Exports
from glimpser.services.job_history import JobHistory
from glimpser.services.job_runner import JobRunner
from glimpser.services.jobs import Jobs
from glimpser.services.nightly_exports import NightlyExports
from glimpser.services.schedules import Schedules


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPath:
    """From what is asked for, or due, to what came of it."""

    jobs: Jobs
    runner: JobRunner
    history: JobHistory
    schedules: Schedules
    kept: Kept
    exports: Exports


def wire_jobs(ground: Ground) -> JobPath:
    database, clock, publish = ground.database, ground.clock, ground.notices.publish
    runner = JobRunner(
        database, ground.queue, ground.job_kinds, clock=clock, metrics=ground.metrics, publish=publish
    )
    jobs = Jobs(database, ground.queue, ground.job_kinds, clock=clock, stop=runner.cancel, publish=publish)
    history = JobHistory(database, history_limits(ground.config), clock=clock)
    schedules = Schedules(database, jobs, clock=clock, metrics=ground.metrics)
    kept = _keeping_on(ground, jobs)
    exports, nightly = _exports_on(ground, jobs)
    kept = replace(kept, parts=(*kept.parts, nightly))
    return JobPath(jobs=jobs, runner=runner, history=history, schedules=schedules, kept=kept, exports=exports)


def wire_backup_jobs(ground: Ground, kinds: Kinds, jobs: Jobs) -> Backups:
    """Wire backups, which need the kinds of views and channels to know what is secret."""
    backups = wire_backups(
        BackupGround(
            config=ground.config,
            database=ground.database,
            opened=ground.opened,
            store=ground.store,
            kinds=kinds,
            clock=ground.clock,
        ),
        jobs,
    )
    ground.job_kinds[BACKUP] = backups.kind
    return backups


def _keeping_on(ground: Ground, jobs: Jobs) -> Kept:
    return wire_keeping(
        KeptGround(
            config=ground.config,
            database=ground.database,
            opened=ground.opened,
            disk=ground.disk,
            jobs=jobs,
            job_kinds=ground.job_kinds,
            clock=ground.clock,
        )
    )


def _exports_on(ground: Ground, jobs: Jobs) -> tuple[Exports, NightlyExports]:
    return wire_exports(
        ExportGround(
            config=ground.config,
            database=ground.database,
            store=ground.store,
            disk=ground.disk,
            jobs=jobs,
            job_kinds=ground.job_kinds,
            runner=ground.runner,
            scratch=ground.scratch,
            clock=ground.clock,
        )
    )
