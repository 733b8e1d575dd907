"""What `glimpser doctor` looks at: what this machine has and lacks, and the remedy. Nothing is changed."""

import asyncio
import ctypes
import importlib.metadata
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import av

from glimpser.app.settings import store_settings
from glimpser.capture.website.programs import find_programs
from glimpser.config import Config
from glimpser.core.clock import Clock
from glimpser.core.disk import state_of
from glimpser.core.errors import GlimpserError, InvalidInput, Misconfigured
from glimpser.core.local_time import zone_of
from glimpser.core.redaction import redact
from glimpser.db.migrate import head, revisions
from glimpser.db.sqlite import sqlite_path
from glimpser.process.instance import is_worked_on
from glimpser.process.launching import find_program
from glimpser.storage.disk import fullest
from glimpser.storage.objects import file_root
from glimpser.storage.s3 import S3Store

State = Literal["ok", "warning", "failed"]
Find = Callable[[str], str | None]

_OLD_AFTER = timedelta(days=90)
"""Video sites change so often that an older yt-dlp knows few of them."""
_STORE_WITHIN_S = 10.0
_UNSYNCHRONISED = 5
"""TIME_ERROR of adjtimex(2)."""
_TIMEX_BYTES = 512
"""More than `struct timex` has on any machine."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. A warning takes nothing from those who do not need it."""

    name: str
    state: State
    detail: str
    remedy: str | None = None


async def look_over(config: Config, clock: Clock, *, find: Find = find_program) -> Sequence[Finding]:
    """Look at everything. Takes seconds where a store does not answer."""
    return [
        _libav(),
        ffmpeg_of(config.capture.hwaccel, find),
        browser_of(config, find, is_root=os.geteuid() == 0),
        videos_of(importlib.metadata.version("yt-dlp"), clock.now()),
        *_directories(config),
        database_of(config),
        await store_of(config),
        *ports_of(config),
        clock_of(),
        zones_of(),
    ]


def _libav() -> Finding:
    can_read = "h264" in av.codecs_available
    detail = f"PyAV {av.__version__}"
    if can_read:
        return Finding("libav", "ok", detail)
    return Finding("libav", "failed", f"{detail} cannot decode H.264.", "Install it anew: `./run setup`.")


def ffmpeg_of(hwaccel: str, find: Find) -> Finding:
    """Look for ffmpeg, which hardware decoding alone needs."""
    path = find("ffmpeg")
    if path is not None:
        return Finding("ffmpeg", "ok", path)
    state: State = "warning" if hwaccel == "none" else "failed"
    detail = "It is not installed; only decoding by hardware needs it."
    return Finding("ffmpeg", state, detail, "Debian and Ubuntu: `apt install ffmpeg`.")


def browser_of(config: Config, find: Find, *, is_root: bool) -> Finding:
    """Look for what shows web pages, and at what protects this machine from them."""
    if config.capture.webdriver_url is not None:
        return Finding("browser", "ok", "Pages are shown by the WebDriver of capture.webdriver_url.")
    try:
        programs = find_programs(find)
    except Misconfigured as error:
        return Finding("browser", "warning", "Views of kind `website` cannot be shown.", error.detail)
    if not config.capture.browser_sandbox:
        remedy = "Remove capture.browser_sandbox from the configuration, and run as a user without rights."
        detail = f"{programs.browser} runs without its sandbox: a page that breaks it is this user."
        return Finding("browser", "warning", detail, remedy)
    if is_root:
        detail = f"{programs.browser} does not start as root: its sandbox forbids it."
        return Finding("browser", "failed", detail, "Run Glimpser as another user.")
    return Finding("browser", "ok", f"{programs.browser}, {programs.driver}")


def videos_of(version: str, now: datetime) -> Finding:
    """Judge the age of yt-dlp, whose versions are dates."""
    try:
        year, month, day = (int(part) for part in version.split(".")[:3])
        is_old = now - datetime(year, month, day, tzinfo=now.tzinfo) > _OLD_AFTER
    except ValueError:
        is_old = True
    if not is_old:
        return Finding("yt-dlp", "ok", version)
    detail = f"{version} is more than {_OLD_AFTER.days} days old: sites may not be understood any more."
    return Finding("yt-dlp", "warning", detail, "Update Glimpser, which brings a newer one.")


def _directories(config: Config) -> Iterator[Finding]:
    yield directory_of("data", config.data_dir)
    for root in config.capture.file_roots:
        if not root.is_dir() and not root.is_relative_to(config.data_dir):  # what is in there is made
            remedy = "Make it, or change capture.file_roots; views of kind `file` are read from there."
            yield Finding("media", "warning", f"There is no folder {root}.", remedy)


def directory_of(name: str, path: Path) -> Finding:
    """Look whether files can be made there, and whether there is room."""
    there = next(one for one in (path, *path.absolute().parents) if one.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding(
            name, "failed", f"{there} cannot be written to.", f"`chown` it to user {os.geteuid()}."
        )
    usage = fullest([there])
    state = state_of(usage, "ok")
    detail = f"{path}: {usage.free_bytes / 1e9:.1f} GB free, {usage.share:.0%} used"
    if state == "ok":
        return Finding(name, "ok", detail)
    remedy = "Free some space, or keep pictures for a shorter time: retention in the configuration."
    return Finding(name, "failed" if state == "full" else "warning", detail, remedy)


def database_of(config: Config) -> Finding:
    """Look whether the database can be read and is of this version; it is not made."""
    path = sqlite_path(config.database.url)
    if not path.exists():
        return Finding("database", "ok", f"{path} is made at the first start.")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)
        try:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        return Finding("database", "failed", f"{path}: {error}.", "Run `glimpser fsck`, or restore a backup.")
    revision = str(found[0]) if found else ""
    if revision == head():
        return Finding("database", "ok", f"{path}, revision {revision}")
    if revision in revisions():
        return Finding("database", "warning", f"{path} is of an older version.", "Run `glimpser migrate`.")
    remedy = "Install the newer version, or restore a backup made before its update."
    return Finding("database", "failed", f"{path} was made by a newer version.", remedy)


async def store_of(config: Config) -> Finding:
    """Look whether the store of pictures answers."""
    settings = store_settings(config)
    if settings.url.startswith("file:"):
        return directory_of("store", file_root(settings.url))
    try:
        async with asyncio.timeout(_STORE_WITHIN_S):
            async for _ in S3Store(settings.url, settings.s3).list("nothing-has-this-name/"):
                break
    except (GlimpserError, TimeoutError) as error:
        reason = error.detail if isinstance(error, GlimpserError) else "It does not answer."
        remedy = "Check storage.object_store_url, its endpoint and keys; pictures wait on this machine."
        return Finding("store", "failed", redact(reason), remedy)
    return Finding("store", "ok", settings.url)


def ports_of(config: Config) -> Iterator[Finding]:
    """Look whether the ports can be listened on, or are those of the program that runs."""
    is_running = _runs(config.data_dir)
    for section, host, port in (
        ("server", config.server.host, config.server.port),
        ("observability", config.observability.host, config.observability.port),
    ):
        name, place = f"port {port}", f"{host} port {port}"
        trouble = None if is_running else _trouble_of_listening(host, port)
        if trouble is None:
            detail = f"{place} is that of the program that runs." if is_running else f"{place} is free."
            yield Finding(name, "ok", detail)
        else:
            remedy = f"Stop what listens there, or set {section}.port."
            yield Finding(name, "failed", f"{place}: {trouble}.", remedy)


def _runs(data_dir: Path) -> bool:
    if not (data_dir / "glimpser.lock").exists():
        return False
    try:
        return is_worked_on(data_dir)
    except OSError:
        return True


def _trouble_of_listening(host: str, port: int) -> str | None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return None


def clock_of() -> Finding:
    """Ask the kernel whether its clock is kept right by somebody (adjtimex(2)); it is not set."""
    try:
        state = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except AttributeError:  # no Linux
        state = -1
    if state != _UNSYNCHRONISED:
        return Finding("clock", "ok", "It is kept right." if state >= 0 else "The kernel does not tell.")
    detail = "Nobody keeps it right: times of pictures, schedules and sign-ins may be wrong."
    return Finding("clock", "warning", detail, "`timedatectl set-ntp true`, or install chrony.")


def zones_of() -> Finding:
    """Look whether local times can be reckoned with."""
    try:
        zone_of("Europe/Berlin")
    except InvalidInput:
        return Finding(
            "time zones", "failed", "There is no database of them.", "Install `tzdata`: `apt install tzdata`."
        )
    return Finding("time zones", "ok", "They are known.")
