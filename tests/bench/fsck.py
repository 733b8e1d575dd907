"""How long it takes to compare a hundred thousand rows with their objects, by presence and size."""

import asyncio
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from glimpser.core.events import Artifact
from glimpser.core.repositories import Transaction
from glimpser.db import migrate, open_database
from glimpser.services.integrity import CheckLevel, check
from glimpser.storage import open_files
from tests.bench.figures import Part, median
from tests.contract.samples import artifact, settings_in

OBJECTS = 100_000
_BATCH = 1000


def run(_seconds: float = 0) -> Part:
    with tempfile.TemporaryDirectory() as folder:
        taken_s = asyncio.run(_measure(Path(folder)))
    name = f"fsck --level size, {OBJECTS:,} objects"
    return Part("Integrity", [median(name, [taken_s], "s", at_most=20.0)])


async def _measure(directory: Path) -> float:
    settings = settings_in(directory)
    migrate(settings)
    async with open_database(settings) as database, open_files(directory / "objects") as store:
        rows = [artifact(60.0 * number) for number in range(OBJECTS)]
        stored = [_with_object(row, directory / "objects") for row in rows]
        for start in range(0, OBJECTS, _BATCH):
            batch = stored[start : start + _BATCH]
            await database.write(partial(_add, rows=batch))
        began_s = time.monotonic()
        report = await check(database, store, CheckLevel.SIZE)
        taken_s = time.monotonic() - began_s
    assert report.problems == ()
    assert report.counts["objects"] == OBJECTS
    return taken_s


def _with_object(row: Artifact, root: Path) -> Artifact:
    path = root / row.uri.removeprefix("memory:///")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"12345")
    return replace(row, uri=path.as_uri())


def _add(tx: Transaction, *, rows: list[Artifact]) -> None:
    for row in rows:
        tx.artifacts.add(row)
