"""What it costs to keep a picture: object and row durable, against a bare loop that only keeps the file."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from glimpser.core.ids import ArtifactId, new_id
from glimpser.core.keys import artifact_key
from glimpser.core.ports import Database, ObjectStore
from glimpser.db import migrate, open_database
from glimpser.storage import open_files
from tests.bench.figures import Part, median
from tests.contract.samples import START, artifact, settings_in

PICTURES = 1000
WRITERS = 16
_SIZE_BYTES = 100_000
_ROUNDS = 7
_PICTURE = os.urandom(_SIZE_BYTES)


def run(_seconds: float = 0) -> Part:
    """Both sides alternate; the ratio is taken within each round, on the event loop of the program."""
    bare_s, kept_s = [], []
    for _ in range(_ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            bare_s.append(_bare(Path(folder)))
        with tempfile.TemporaryDirectory() as folder:
            kept_s.append(uvloop.run(_kept(Path(folder))))
    ratios = [kept / bare for kept, bare in zip(kept_s, bare_s, strict=True)]
    return Part(
        f"Artifacts: {PICTURES} pictures of 100 KB by {WRITERS} writers",
        [
            median("durable with their rows", ratios, "× write+fsync+rename+fsync", at_most=1.5),
            median("durable with their rows, in all", kept_s, "s"),
            median("write+fsync+rename+fsync, in all", bare_s, "s"),
        ],
    )


def _bare(folder: Path) -> float:
    (folder / "new").mkdir()
    (folder / "kept").mkdir()
    began_s = time.monotonic()
    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(partial(_write, folder), range(PICTURES)))
    return time.monotonic() - began_s


def _write(folder: Path, number: int) -> None:
    with (folder / "new" / str(number)).open("wb", buffering=0) as file:
        file.write(_PICTURE)
        os.fsync(file.fileno())
    (folder / "new" / str(number)).rename(folder / "kept" / str(number))
    descriptor = os.open(folder / "kept", os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


async def _kept(folder: Path) -> float:
    settings = settings_in(folder)
    migrate(settings)
    async with open_database(settings) as database, open_files(folder / "objects") as store:
        numbers = iter(range(PICTURES))
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(WRITERS):
                tasks.create_task(_writer(lambda: _keep(database, store), numbers))
        taken_s = time.monotonic() - began_s
        assert len(await database.read(lambda tx: tx.artifacts.after(None, 2 * PICTURES))) == PICTURES
    return taken_s


async def _writer(keep: Callable[[], Coroutine[Any, Any, None]], numbers: Any) -> None:
    for _ in numbers:
        await keep()


async def _keep(database: Database, store: ObjectStore) -> None:
    artifact_id = ArtifactId(new_id())
    stored = await store.put(artifact_key(artifact_id, "jpg", START), _pieces(), content_type="image/jpeg")
    row = replace(
        artifact(), id=artifact_id, uri=stored.uri, size_bytes=stored.size_bytes, sha256=stored.sha256
    )
    await database.write(lambda tx: tx.artifacts.add(row))


async def _pieces() -> AsyncIterator[bytes]:
    yield _PICTURE
