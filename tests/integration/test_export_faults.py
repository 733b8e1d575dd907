"""Films by the program that runs, killed in the middle, and the commands beside it."""

import asyncio
import hashlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import simplejpeg

from glimpser.app.offline import check_integrity
from glimpser.config import load
from glimpser.core.events import Artifact
from glimpser.core.ids import ArtifactId, TemplateId, new_id
from glimpser.core.keys import artifact_key
from glimpser.core.templates import Template, TemplateSettings
from glimpser.services.integrity import CheckLevel
from glimpser.storage.directories import NEW
from glimpser.storage.files import open_files
from tests.contract.given import add
from tests.program import OPEN_LOOPBACK, glimpser, is_alive, running, wait_for
from tests.web_world import fresh_database

VIEW = TemplateId("01JQ0000000000000000000000")
PICTURES = 200
KEPT = {**OPEN_LOOPBACK, "GLIMPSER_RETENTION__MAX_AGE_DAYS": "36000"}
BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)
SPAN = ("--from", f"{BEGAN:%Y-%m-%dT%H:%M:%SZ}", "--to", "2026-11-21T13:00:00Z")
ENCODER = b"glimpser.encoding.encode_main"


@pytest.fixture
def furnished(data_dir: Path) -> Path:
    """A data directory with a view and its pictures."""
    data_dir.mkdir(parents=True, exist_ok=True)
    asyncio.run(_furnish(data_dir))
    return data_dir


async def _furnish(data_dir: Path) -> None:
    noise = np.random.default_rng(7).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    picture = bytes(simplejpeg.encode_jpeg(noise, quality=60, colorspace="BGR"))
    settings = TemplateSettings(name="Door", kind="push", config={})
    view = Template(id=VIEW, settings=settings, version=1, created_at=BEGAN, updated_at=BEGAN)
    async with fresh_database(data_dir) as database, open_files(data_dir / "objects") as store:
        await add(database, view)
        rows = []
        for number in range(PICTURES):
            at, one = BEGAN + timedelta(seconds=number), ArtifactId(new_id())
            stored = await store.put(artifact_key(one, "jpg", at), _once(picture), content_type="image/jpeg")
            rows.append(
                Artifact(
                    id=one,
                    uri=stored.uri,
                    media_type="image/jpeg",
                    size_bytes=len(picture),
                    sha256=hashlib.sha256(picture).hexdigest(),
                    width=640,
                    height=360,
                    created_at=at,
                    template_id=VIEW,
                )
            )
        await add(database, *rows)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def command(data_dir: Path, verb: str, *words: str) -> Any:
    return glimpser("export", verb, *words, "--data-dir", str(data_dir))


def ask(data_dir: Path) -> str:
    """Ask for a film with all pictures; gives its id."""
    asked = command(data_dir, "make", "timelapse", "--template", VIEW, *SPAN, "--length", "9", "--json")
    assert asked.returncode == 0, asked.stderr
    return str(json.loads(asked.stdout)["id"])


def exports(data_dir: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(command(data_dir, "list", "--json").stdout)
    return found


def encoders(data_dir: Path) -> list[int]:
    """Name the processes that encode for this program, and their supervisors: their home is in its folder."""
    return list(_encoders(data_dir / "run"))


def _encoders(scratch: Path) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            is_encoder = entry.name.isdigit() and ENCODER in (entry / "cmdline").read_bytes()
            if is_encoder and str(scratch).encode() in (entry / "environ").read_bytes():
                yield int(entry.name)


def killed_at_the_commit(data_dir: Path) -> None:
    with running(data_dir, {**KEPT, "GLIMPSER_FAILPOINT": "export.before_commit:kill"}) as program:
        ask(data_dir)
        assert program.wait(40) == -9


def killed_while_encoding(data_dir: Path) -> None:
    with running(data_dir, KEPT) as program:
        ask(data_dir)
        wait_for(lambda: list((data_dir / "run").rglob("video.mp4")), what="a film that has begun")
        left = encoders(data_dir)
        program.kill()
        assert left
        wait_for(lambda: not any(map(is_alive, left)), within_s=5, what="the end of the encoder")


@pytest.mark.parametrize("kill", [killed_at_the_commit, killed_while_encoding])
def test_a_program_that_is_killed_makes_the_film_after_all_and_once(furnished: Path, kill: Any) -> None:
    kill(furnished)
    [before] = exports(furnished)
    assert before["file_name"] is None

    with running(furnished, KEPT) as program:
        wait_for(lambda: is_settled(furnished), within_s=90, what="a film")
        [made] = exports(furnished)
        film = furnished.parent / "film.mp4"
        got = command(furnished, "get", made["id"], "-o", str(film))
        assert program.terminate() == 0

    assert (made["id"], made["status"]) == (before["id"], "success")
    assert got.returncode == 0, got.stderr
    with av.open(str(film)) as container:
        assert sum(1 for _ in container.decode(video=0)) == made["result"]["frames"]
    assert len(list((furnished / "objects").rglob("*.mp4"))) == 1
    assert encoders(furnished) == []
    assert list((furnished / "run").glob("*")) == []
    assert list((furnished / "objects" / NEW).glob("*")) == []
    report = asyncio.run(
        check_integrity(load({"data_dir": str(furnished)}), level=CheckLevel.HASH, repair=False)
    )
    assert report.problems == ()


def is_settled(data_dir: Path) -> bool:
    with closing(sqlite3.connect(data_dir / "glimpser.db")) as connection:
        return connection.execute("SELECT status FROM exports").fetchall() != [("pending",)]


def test_commands_have_a_film_made_written_and_deleted(furnished: Path, tmp_path: Path) -> None:
    film = tmp_path / "door.mp4"
    with running(furnished, KEPT):
        words = ("timelapse", "--template", VIEW, *SPAN, "--length", "2", "--wait", "--json")
        made = command(furnished, "make", *words)
        assert made.returncode == 0, made.stderr
        export_id = json.loads(made.stdout)["id"]
        got = command(furnished, "get", export_id, "-o", str(film))
        deleted = command(furnished, "delete", export_id)

        assert (got.returncode, deleted.returncode) == (0, 0)
        assert film.stat().st_size == json.loads(made.stdout)["result"]["size_bytes"]
        assert exports(furnished) == []
        again = command(furnished, "delete", export_id)
        assert (again.returncode, again.stderr.count("There is no export")) == (1, 1)


def test_nobody_waits_for_a_program_that_does_not_run(furnished: Path) -> None:
    began = time.monotonic()

    told = command(furnished, "make", "zip", "--template", VIEW, *SPAN, "--wait")

    assert told.returncode == 1
    assert f"glimpser up --data-dir {furnished}" in told.stderr
    assert time.monotonic() - began < 30
    [waiting] = exports(furnished)
    assert (waiting["status"], waiting["id"] in told.stderr) == ("pending", True)
