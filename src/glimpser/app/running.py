"""From the start of the program to its end."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator

import structlog
import uvloop

from glimpser import __version__
from glimpser.app.composition import App, compose
from glimpser.app.web_settings import own_url
from glimpser.capture.samples.clips import make_samples
from glimpser.config import Config, redacted
from glimpser.core import failpoints
from glimpser.core.errors import GlimpserError, Misconfigured
from glimpser.observability.logs import configure_logging
from glimpser.services.accounts import Accounts
from glimpser.services.samples import add_samples
from glimpser.services.templates import Templates

_log = structlog.get_logger(__name__)

STOP_WITHIN_S = 10.0
"""From the first signal to the end, streams open or not; a second signal ends it at once."""
_RECORD_WITHIN_S = 3.0
SWITCH_INTERVAL_S = 0.0005
"""For how long one thread may keep the interpreter from others that want it. At Python's 5 ms a read of the
database, whose thread lets go of it at each step, takes its time several times over beside a busy loop."""


def run(config: Config, *, demo: bool = False) -> None:
    """Be the program until a signal ends it; `demo` adds moving sample views.

    Whoever calls holds the data directory by `sole_instance`.
    """
    configure_logging(config.observability)
    failpoints.arm(config.failpoint)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        uvloop.run(_run(config, demo=demo))
    except ExceptionGroup as group:
        raise only_cause(group) from group


def only_cause(group: ExceptionGroup[Exception]) -> Exception:
    """Give the one error for a person that ended all tasks; or else the group as it is."""
    causes = list(_leaves(group))
    return causes[0] if len(causes) == 1 and isinstance(causes[0], GlimpserError) else group


def _leaves(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


async def _run(config: Config, *, demo: bool) -> None:
    _log.debug("config.loaded", **redacted(config))
    async with compose(config) as app:
        code = await _prepare_first_admin(app.accounts, config)
        if demo:
            await _add_samples(app.templates, config)
        _spare_the_collector()
        await serve(app, on_ready=lambda: _announce(app, config, code))


def _spare_the_collector() -> None:
    """Have what was made so far, all of which stays, never looked through again for garbage.

    With it, everybody would wait 20 ms for each full collection.
    """
    gc.collect()
    gc.freeze()


async def serve(app: App, *, on_ready: Callable[[], None]) -> None:
    """Run until SIGTERM or SIGINT; then stop accepting, let streams end and record what is left."""
    stopping = _signalled()
    async with asyncio.TaskGroup() as tasks:
        parts = (
            app.live,
            app.pipeline,
            app.healths,
            app.hub,
            app.jobs,
            app.job_history,
            app.schedules,
            app.kept,
            app.key_uses,
        )
        engine = [tasks.create_task(part.run()) for part in parts]
        servers = [tasks.create_task(server.serve()) for server in (app.web, app.observability)]
        app.health.started()
        on_ready()
        await stopping.wait()
        _log.info("program.stopping")
        app.health.stopping()
        app.web.stop()
        app.observability.stop()
        await asyncio.wait(servers, timeout=STOP_WITHIN_S - _RECORD_WITHIN_S)
        await asyncio.gather(
            app.pipeline.drain(_RECORD_WITHIN_S),
            app.healths.drain(_RECORD_WITHIN_S),
            app.jobs.drain(_RECORD_WITHIN_S),
        )
        for task in engine:
            task.cancel()
        await app.key_uses.write()
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
    url = own_url(config, app.web.port)
    lines = [f"Glimpser {__version__} runs at {url}", f"Its data is in {config.data_dir}"]
    if code:
        lines += [f"Create the first admin at {url} with this one-time setup code: {code}"]
    if app.web.fingerprint:
        lines += [f"Its certificate is made by itself, with the SHA-256 fingerprint {app.web.fingerprint}"]
    print("\n".join(lines), flush=True)  # noqa: T201  # for a person, on standard output
