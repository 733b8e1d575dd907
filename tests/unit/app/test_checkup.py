import asyncio
import json
import socket
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glimpser.app import checkup
from glimpser.app.offline import migrate_database
from glimpser.cli import app
from glimpser.config import Config, load
from glimpser.core.clock import SystemClock
from glimpser.process.instance import sole_instance

Find = Callable[[str], str | None]


def everything(name: str) -> str | None:
    return f"/usr/bin/{name}"


def nothing(_name: str) -> str | None:
    return None


def config(data_dir: Path, **settings: object) -> Config:
    given = {name.replace("__", "."): value for name, value in settings.items()}
    return load({"data_dir": str(data_dir)} | given)


@pytest.mark.parametrize(
    ("hwaccel", "find", "state"),
    [("none", everything, "ok"), ("none", nothing, "warning"), ("vaapi", nothing, "failed")],
)
def test_ffmpeg_is_missed_by_those_alone_who_decode_by_hardware(hwaccel: str, find: Find, state: str) -> None:
    assert checkup.ffmpeg_of(hwaccel, find).state == state


@pytest.mark.parametrize(
    ("settings", "find", "is_root", "state", "remedy"),
    [
        ({}, everything, False, "ok", ""),
        ({}, everything, True, "failed", "another user"),
        ({}, nothing, False, "warning", "apt install"),
        ({"capture__browser_sandbox": False}, everything, True, "warning", "browser_sandbox"),
        ({"capture__webdriver_url": "http://ann:hunter2@grid:4444"}, nothing, True, "ok", ""),
    ],
    ids=["well", "root", "none", "no sandbox", "grid"],
)
def test_the_browser_is_there_and_in_its_sandbox(
    data_dir: Path, settings: dict[str, object], find: Find, *, is_root: bool, state: str, remedy: str
) -> None:
    found = checkup.browser_of(config(data_dir, **settings), find, is_root=is_root)

    assert found.state == state
    assert remedy in (found.remedy or "")
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("version", "state"),
    [("2026.10.26", "ok"), ("2026.10.26.123", "ok"), ("2026.1.1", "warning"), ("unknown", "warning")],
)
def test_an_old_yt_dlp_is_warned_of(version: str, state: str) -> None:
    assert checkup.videos_of(version, datetime(2026, 11, 22, tzinfo=UTC)).state == state


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    assert checkup.directory_of("data", tmp_path / "a/b").state == "ok"
    assert checkup.directory_of("data", Path("/proc/1/nothing")).state == "failed"


def test_the_database_is_of_this_version_and_is_not_made(data_dir: Path) -> None:
    settings = config(data_dir)
    before = checkup.database_of(settings)
    assert not list(data_dir.glob("*.db"))
    migrate_database(settings)

    assert (before.state, checkup.database_of(settings).state) == ("ok", "ok")


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ("UPDATE alembic_version SET version_num = '0001'", "glimpser migrate"),
        ("UPDATE alembic_version SET version_num = '9999'", "newer"),
        ("DROP TABLE alembic_version", "fsck"),
    ],
    ids=["older", "newer", "broken"],
)
def test_a_database_of_another_version_has_its_remedy(data_dir: Path, change: str, remedy: str) -> None:

    migrate_database(config(data_dir))
    connection = sqlite3.connect(data_dir / "glimpser.db")
    with connection:
        connection.execute(change)
    connection.close()

    found = checkup.database_of(config(data_dir))

    assert found.state != "ok"
    assert remedy in (found.remedy or "")


@pytest.mark.anyio
async def test_a_store_that_is_away_is_said_without_its_key(data_dir: Path) -> None:
    away = config(
        data_dir,
        storage__object_store_url="s3://bucket/pictures",
        storage__endpoint_url="http://127.0.0.1:1",
        storage__access_key_id="ann",
        storage__secret_access_key="hunter2-hunter2",
    )

    found = await checkup.store_of(away)

    assert (found.state, "storage." in (found.remedy or "")) == ("failed", True)
    assert "hunter2" not in repr(found)
    assert (await checkup.store_of(config(data_dir))).state == "ok"


def test_a_port_that_is_taken_is_named_unless_the_program_itself_has_it(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = config(data_dir, server__port=taken.getsockname()[1], observability__port=0)
        strange = [found.state for found in checkup.ports_of(settings)]
        with sole_instance(data_dir):
            own = [found.state for found in checkup.ports_of(settings)]

    assert (strange, own) == (["failed", "ok"], ["ok", "ok"])


def test_everything_is_looked_at_and_nothing_left_behind(data_dir: Path) -> None:
    settings = config(data_dir, server__port=0, observability__port=0)
    before = sorted(data_dir.iterdir())

    found = asyncio.run(checkup.look_over(settings, SystemClock(), find=everything))

    names = [one.name for one in found]
    assert {"libav", "ffmpeg", "browser", "yt-dlp", "data", "database", "store", "clock"} <= set(names)
    assert all(one.remedy for one in found if one.state != "ok")
    assert sorted(data_dir.iterdir()) == before


def test_the_command_fails_when_something_must_be_mended(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (data_dir / "glimpser.toml").write_text(f"[server]\nport = {port}\n")
        ran = CliRunner().invoke(app, ["doctor", "--json", "--data-dir", str(data_dir)])
        shown = CliRunner().invoke(app, ["doctor", "--data-dir", str(data_dir)])

    checks = {check["name"]: check for check in json.loads(ran.stdout)["checks"]}
    assert ran.exit_code == 1
    assert checks[f"port {port}"]["state"] == "failed"
    assert f"FAILED  port {port}" in shown.stdout
